package plan

import (
	"strings"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/schema"
	"github.com/flottio/flott/sql/internal/ast"
	"github.com/flottio/flott/sql/internal/catalog"
	"github.com/flottio/flott/sql/internal/expr"
)

// changelogArgs are the parameters of TO_CHANGELOG and FROM_CHANGELOG in order.
var changelogArgs = map[string][]string{
	"TO_CHANGELOG":   {"INPUT", "OP", "OP_MAPPING", "PRODUCES_FULL_DELETES", "UID"},
	"FROM_CHANGELOG": {"INPUT", "OP", "OP_MAPPING", "ERROR_HANDLING", "UID"},
	"SNAPSHOT":       {"INPUT", "LOAD_COMPLETED_CONDITION", "LOAD_COMPLETED_TIME", "LOAD_COMPLETED_IDLE_TIMEOUT", "STATE_TTL", "UID"},
}

// kindNames are the names of changes in op_mapping.
var kindNames = map[string]schema.RowKind{"INSERT": schema.Insert, "UPDATE_BEFORE": schema.UpdateBefore,
	"UPDATE_AFTER": schema.UpdateAfter, "DELETE": schema.Delete}

// changelogFunction binds TO_CHANGELOG and FROM_CHANGELOG in FROM.
func (b *Binder) changelogFunction(c *ast.Call, name string, parent *scope) *relation {
	args, ok := b.windowArgs(c, name, changelogArgs[name])
	if !ok {
		return nil
	}
	if args["INPUT"] == nil {
		b.failf(c.Pos, "%s: the argument input is missing", name).Length = len(name)
		return nil
	}
	rel, partition := b.tableArg(args["INPUT"], name, parent)
	if rel == nil {
		return nil
	}
	op := "op"
	if d, isDescriptor := args["OP"].(*ast.DescriptorArg); isDescriptor && len(d.Columns) == 1 {
		op = d.Columns[0].Name.Text
	} else if args["OP"] != nil {
		b.failf(args["OP"].Position(), "The descriptor for argument 'op' must contain exactly one column name.")
		return nil
	}
	var n Node
	if name == "TO_CHANGELOG" {
		n = b.toChangelog(rel.node, partition, op, args)
	} else {
		n = b.fromChangelog(rel.node, partition, op, args)
	}
	if n == nil {
		return nil
	}
	return relationOf(n, "", catalog.Path{})
}

// partitionFirst are the places of a schema with those of the partition in front, without one of them.
func partitionFirst(s Schema, partition []int, without int) []int {
	out := append([]int(nil), partition...)
	for i := range s {
		first := i == without
		for _, p := range partition {
			first = first || p == i
		}
		if !first {
			out = append(out, i)
		}
	}
	return out
}

func (b *Binder) toChangelog(in Node, partition []int, op string, args map[string]ast.Expr) Node {
	s := in.Schema()
	n := &ToChangelog{Input: in, Partition: partition, Columns: partitionFirst(s, partition, -1), FullDeletes: true,
		Codes: map[schema.RowKind]string{}}
	for name, kind := range kindNames {
		n.Codes[kind] = name
	}
	if x := args["OP_MAPPING"]; x != nil {
		n.Codes = map[schema.RowKind]string{}
		ok := b.opMapping(x, func(key, value *ast.Literal) bool {
			for _, k := range strings.Split(key.Text, ",") {
				k = strings.TrimSpace(k)
				kind, known := kindNames[k]
				if !known {
					b.failf(key.Pos, "Unknown change operation: '%s'", k).WithHint("known are INSERT, UPDATE_BEFORE, UPDATE_AFTER, DELETE")
					return false
				}
				if _, twice := n.Codes[kind]; twice {
					b.failf(key.Pos, "Duplicate change operation: '%s'", k)
					return false
				}
				n.Codes[kind] = value.Text
			}
			return true
		})
		if !ok {
			return nil
		}
	}
	if x := args["PRODUCES_FULL_DELETES"]; x != nil {
		lit, ok := x.(*ast.Literal)
		if !ok || lit.Kind != ast.TrueLit && lit.Kind != ast.FalseLit {
			b.failf(x.Position(), "produces_full_deletes is TRUE or FALSE")
			return nil
		}
		n.FullDeletes, n.DeletesGiven = lit.Kind == ast.TrueLit, true
	}
	opField := Field{op, column.StringType().Nullable(false)}
	for i, at := range n.Columns {
		f := s[at]
		f.Type.Attribute = column.NoAttribute
		f.Type.NotNull = f.Type.NotNull && (n.FullDeletes || i < len(partition))
		if i == len(partition) {
			n.Out = append(n.Out, opField)
		}
		n.Out = append(n.Out, f)
	}
	if len(partition) == len(n.Columns) {
		n.Out = append(n.Out, opField)
	}
	return n
}

// opMapping reads MAP['a', 'b', ...] of texts.
func (b *Binder) opMapping(x ast.Expr, each func(key, value *ast.Literal) bool) bool {
	m, ok := x.(*ast.Collection)
	if !ok || m.Kind != ast.MapOf {
		b.failf(x.Position(), "op_mapping is a constant MAP['...', '...']")
		return false
	}
	for i := 0; i+1 < len(m.Items); i += 2 {
		key, isKey := m.Items[i].(*ast.Literal)
		value, isValue := m.Items[i+1].(*ast.Literal)
		if !isKey || !isValue || key.Kind != ast.StringLit || value.Kind != ast.StringLit {
			b.failf(m.Items[i].Position(), "op_mapping is a constant MAP['...', '...']")
			return false
		}
		if !each(key, value) {
			return false
		}
	}
	return true
}

func (b *Binder) fromChangelog(in Node, partition []int, op string, args map[string]ast.Expr) Node {
	s := in.Schema()
	n := &FromChangelog{Input: in, Partition: partition, Op: -1, Kinds: map[string]schema.RowKind{}}
	var names []string
	for i, f := range s {
		if f.Name == op {
			n.Op = i
		}
		names = append(names, f.Name)
	}
	if n.Op < 0 || !s[n.Op].Type.IsText() {
		pos := args["INPUT"].Position()
		if args["OP"] != nil {
			pos = args["OP"].Position()
		}
		b.failf(pos, "FROM_CHANGELOG needs a column %s of type STRING with the kind of change", op).Near(op, names)
		return nil
	}
	for name, kind := range kindNames {
		n.Kinds[name] = kind
	}
	if x := args["OP_MAPPING"]; x != nil {
		n.Kinds = map[string]schema.RowKind{}
		ok := b.opMapping(x, func(key, value *ast.Literal) bool {
			kind, known := kindNames[strings.TrimSpace(value.Text)]
			if !known {
				b.failf(value.Pos, "Unknown change operation: '%s'", value.Text)
				return false
			}
			for _, k := range strings.Split(key.Text, ",") {
				n.Kinds[strings.TrimSpace(k)] = kind
			}
			return true
		})
		if !ok {
			return nil
		}
	}
	if x := args["ERROR_HANDLING"]; x != nil {
		lit, ok := x.(*ast.Literal)
		if !ok || lit.Text != "FAIL" && lit.Text != "SKIP" {
			b.failf(x.Position(), "error_handling is 'FAIL' or 'SKIP'")
			return nil
		}
		n.Skip = lit.Text == "SKIP"
	}
	n.Columns = partitionFirst(s, partition, n.Op)
	for _, at := range n.Columns {
		f := s[at]
		f.Type.Attribute = column.NoAttribute
		n.Out = append(n.Out, f)
	}
	return n
}

// snapshotJoin is JOIN LATERAL TABLE(SNAPSHOT(input => TABLE b, ...)): each row meets what b holds when it comes, after b was loaded.
func (b *Binder) snapshotJoin(l *relation, x *ast.TableFunc, spec joinSpec, parent *scope) *relation {
	kind := joinKinds[spec.kind]
	if kind != Inner && kind != Left {
		b.failf(spec.pos, "SNAPSHOT can only be joined by INNER JOIN or LEFT JOIN")
		return nil
	}
	args, ok := b.windowArgs(x.Call, "SNAPSHOT", changelogArgs["SNAPSHOT"])
	if !ok {
		return nil
	}
	if args["INPUT"] == nil {
		b.failf(x.Call.Pos, "SNAPSHOT: the argument input is missing")
		return nil
	}
	rel, _ := b.tableArg(args["INPUT"], "SNAPSHOT", parent)
	snapshot, ok := b.snapshot(args, parent)
	if rel == nil || !ok {
		return nil
	}
	both := b.joined(l, b.alias(relationOf(rel.node, "", catalog.Path{}), x.Alias), spec, parent)
	if both == nil {
		return nil
	}
	j, ok := both.node.(*Join)
	if !ok || j.Cond == nil {
		b.failf(spec.pos, "a join with SNAPSHOT needs a condition")
		return nil
	}
	both.node = &TemporalJoin{Kind: kind, Left: j.Left, Right: j.Right, Time: -1, Cond: j.Cond, Out: j.Out, Snapshot: snapshot}
	return both
}

func (b *Binder) snapshot(args map[string]ast.Expr, parent *scope) (*Snapshot, bool) {
	out := &Snapshot{Condition: "compile_time"}
	if x := args["LOAD_COMPLETED_CONDITION"]; x != nil {
		lit, ok := x.(*ast.Literal)
		if !ok || lit.Text != "compile_time" && lit.Text != "user_time" {
			b.failf(x.Position(), "load_completed_condition is 'compile_time' or 'user_time'")
			return nil, false
		}
		out.Condition = lit.Text
	}
	if x := args["LOAD_COMPLETED_TIME"]; x != nil {
		e := b.newScope(nil, parent).in("SNAPSHOT").expr(x)
		if e == nil {
			return nil, false
		}
		out.Time = expr.Coerce(e, column.LocalTimestampType(3))
	} else if out.Condition == "user_time" {
		b.failf(args["LOAD_COMPLETED_CONDITION"].Position(), "load_completed_condition 'user_time' needs load_completed_time")
		return nil, false
	}
	return out, true
}
