package plan

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/sql/internal/expr"
)

// Format prints a plan as an indented tree, a line per node, with expressions over names of columns.
func Format(n Node) string {
	var b strings.Builder
	format(&b, n, 0)
	return b.String()
}

func format(b *strings.Builder, n Node, depth int) {
	b.WriteString(strings.Repeat("  ", depth))
	b.WriteString(Describe(n))
	b.WriteByte('\n')
	for _, in := range n.Inputs() {
		format(b, in, depth+1)
	}
}

// Describe is one node in one line, without its inputs.
func Describe(n Node) string {
	switch n := n.(type) {
	case *Scan:
		return n.describe()
	case *Values:
		return n.describe()
	case *Project:
		return "Project(" + projection(n) + ")"
	case *Filter:
		return "Filter(" + Text(n.Cond, n.Input.Schema()) + ")"
	case *Watermark:
		return fmt.Sprintf("Watermark(%s AS %s)", n.Out[n.Time].Name, Text(n.Expr, n.Input.Schema()))
	case *Aggregate:
		return n.describe()
	case *WindowTable:
		return "WindowTable(" + n.Window.describe(n.Input.Schema()) + ")"
	case *Join:
		return n.describe()
	case *TemporalJoin:
		left := n.Left.Schema()
		both := append(left[:len(left):len(left)], n.Right.Schema()...)
		if n.Snapshot != nil {
			return fmt.Sprintf("SnapshotJoin(%s, %s %s, on=%s)", joinNames[n.Kind], n.Snapshot.Condition, Text(n.Snapshot.Time, nil), Text(n.Cond, both))
		}
		return fmt.Sprintf("TemporalJoin(%s, time=%s, on=%s)", joinNames[n.Kind], left[n.Time].Name, Text(n.Cond, both))
	case *ToChangelog:
		return fmt.Sprintf("ToChangelog(%s, codes=%v, full deletes=%v)", fieldList(n.Out), n.Codes, n.FullDeletes)
	case *FromChangelog:
		return fmt.Sprintf("FromChangelog(%s, op=%s, kinds=%v)", fieldList(n.Out), columnName(n.Input.Schema(), n.Op), n.Kinds)
	case *Correlate:
		return n.describe()
	case *Over:
		in := n.Input.Schema()
		return fmt.Sprintf("Over(%s%s)", overKeys(in, n.Partition, n.Order, n.Frame), callList(n.Calls, in))
	case *Rank:
		return n.describe()
	case *Sort:
		return n.describe()
	case *SetOp:
		name := [...]string{"Union", "Intersect", "Except"}[n.Kind]
		if n.All {
			name += "All"
		}
		return name
	case *Sink:
		return n.describe()
	}
	return fmt.Sprintf("%T", n)
}

func (n *Scan) describe() string {
	s := fmt.Sprintf("Scan(%s.%s.%s: %s", n.Table.Catalog, n.Table.Database, n.Table.Name, fieldList(n.Out))
	if len(n.Hints) > 0 {
		s += ", options=" + optionList(n.Hints)
	}
	return s + ")"
}

func optionList(o map[string]string) string {
	parts := make([]string, 0, len(o))
	for _, k := range slices.Sorted(maps.Keys(o)) {
		parts = append(parts, "'"+k+"'='"+o[k]+"'")
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func (n *Values) describe() string {
	rows := make([]string, len(n.Rows))
	for i, r := range n.Rows {
		cells := make([]string, len(r))
		for j, e := range r {
			cells[j] = Text(e, nil)
		}
		rows[i] = "(" + strings.Join(cells, ", ") + ")"
	}
	return "Values(" + strings.Join(rows, ", ") + ")"
}

func projection(n *Project) string {
	in := n.Input.Schema()
	parts := make([]string, len(n.Exprs))
	for i, e := range n.Exprs {
		parts[i] = Text(e, in)
		if parts[i] != n.Out[i].Name {
			parts[i] += " AS " + n.Out[i].Name
		}
		parts[i] += attributeMark(n.Out[i].Type)
	}
	return strings.Join(parts, ", ")
}

func attributeMark(t column.Type) string {
	return [...]string{"", " *ROWTIME*", " *PROCTIME*"}[t.Attribute]
}

func fieldList(s Schema) string {
	parts := make([]string, len(s))
	for i, f := range s {
		parts[i] = f.Name + " " + f.Type.String() + attributeMark(f.Type)
	}
	return strings.Join(parts, ", ")
}

func columnNames(s Schema, places []int) string {
	parts := make([]string, len(places))
	for i, p := range places {
		parts[i] = columnName(s, p)
	}
	return strings.Join(parts, ", ")
}

func columnName(s Schema, i int) string {
	if i < 0 || i >= len(s) {
		return "$" + strconv.Itoa(i)
	}
	for j, f := range s {
		if j != i && f.Name == s[i].Name {
			return f.Name + "$" + strconv.Itoa(i)
		}
	}
	return s[i].Name
}

func (n *Aggregate) describe() string {
	in := n.Input.Schema()
	s := "Aggregate("
	if len(n.Keys) > 0 {
		s += "keys=[" + columnNames(in, n.Keys) + "]"
	}
	if n.Sets != nil {
		sets := make([]string, len(n.Sets))
		for i, set := range n.Sets {
			names := make([]int, len(set))
			for j, k := range set {
				names[j] = n.Keys[k]
			}
			sets[i] = "(" + columnNames(in, names) + ")"
		}
		s += ", sets=[" + strings.Join(sets, ", ") + "]"
	}
	if len(n.Calls) > 0 && len(n.Keys) > 0 {
		s += ", "
	}
	return s + callList(n.Calls, in) + ")"
}

func callList(calls []AggCall, in Schema) string {
	if len(calls) == 0 {
		return ""
	}
	parts := make([]string, len(calls))
	for i, c := range calls {
		args := columnNames(in, c.Args)
		if c.Distinct {
			args = "DISTINCT " + args
		}
		if len(c.Order) > 0 {
			args += " ORDER BY " + sortText(c.Order, in)
		}
		parts[i] = c.Func.Name + "(" + args + ")"
		if c.Filter >= 0 {
			parts[i] += " FILTER " + columnName(in, c.Filter)
		}
	}
	return "calls=[" + strings.Join(parts, ", ") + "]"
}

func sortText(keys []SortKey, in Schema) string {
	parts := make([]string, len(keys))
	for i, k := range keys {
		parts[i] = columnName(in, k.Column)
		if k.Desc {
			parts[i] += " DESC"
		}
		if k.NullsLast != k.Desc {
			parts[i] += map[bool]string{true: " NULLS LAST", false: " NULLS FIRST"}[k.NullsLast]
		}
	}
	return strings.Join(parts, ", ")
}

func (w Window) describe(in Schema) string {
	name := [...]string{"TUMBLE", "HOP", "CUMULATE", "SESSION"}[w.Kind]
	s := name + "(" + columnName(in, w.Time)
	switch w.Kind {
	case Hop, Cumulate:
		s += fmt.Sprintf(", step=%v, size=%v", w.Step, w.Size)
	case Session:
		if len(w.Partition) > 0 {
			s += ", partition=[" + columnNames(in, w.Partition) + "]"
		}
		s += fmt.Sprintf(", gap=%v", w.Size)
	default:
		s += fmt.Sprintf(", size=%v", w.Size)
	}
	if w.Offset != 0 {
		s += fmt.Sprintf(", offset=%v", w.Offset)
	}
	return s + ")"
}

var joinNames = [...]string{"INNER", "LEFT", "RIGHT", "FULL", "SEMI", "ANTI", "NULL ANTI"}

func (n *Join) describe() string {
	left := n.Left.Schema()
	both := append(left[:len(left):len(left)], n.Right.Schema()...)
	s := "Join(" + joinNames[n.Kind]
	if n.Cond != nil {
		s += ", on=" + Text(n.Cond, both)
	}
	if n.TTL != [2]time.Duration{} {
		s += fmt.Sprintf(", ttl=[%v, %v]", n.TTL[0], n.TTL[1])
	}
	return s + ")"
}

func (n *Correlate) describe() string {
	in := n.Input.Schema()
	args := make([]string, len(n.Args))
	for i, a := range n.Args {
		args[i] = Text(a, in)
	}
	kind := "INNER"
	if n.Left {
		kind = "LEFT"
	}
	return fmt.Sprintf("Correlate(%s, %s(%s): %s)", kind, n.Func.Name, strings.Join(args, ", "), fieldList(n.Out[len(in):]))
}

func overKeys(in Schema, partition []int, order []SortKey, f Frame) string {
	s := ""
	if len(partition) > 0 {
		s += "partition=[" + columnNames(in, partition) + "], "
	}
	if len(order) > 0 {
		s += "order=[" + sortText(order, in) + "], "
	}
	if !f.Default {
		unit := "RANGE"
		if f.Rows {
			unit = "ROWS"
		}
		s += fmt.Sprintf("%s[%s, %s], ", unit, frameBound(f.Start, f.FromStart), frameBound(f.End, f.ToEnd))
	}
	return s
}

func frameBound(n int64, unbounded bool) string {
	if unbounded {
		return "unbounded"
	}
	return strconv.FormatInt(n, 10)
}

func (n *Rank) describe() string {
	in := n.Input.Schema()
	s := fmt.Sprintf("Rank(%s%d to ", overKeys(in, n.Partition, n.Order, Frame{Default: true}), n.From)
	if n.ToColumn >= 0 {
		s += columnName(in, n.ToColumn)
	} else {
		s += strconv.FormatInt(n.To, 10)
	}
	if n.Number {
		s += ", with number"
	}
	return s + ")"
}

func (n *Sort) describe() string {
	var parts []string
	if len(n.Keys) > 0 {
		parts = append(parts, "order=["+sortText(n.Keys, n.Input.Schema())+"]")
	}
	if n.Offset > 0 {
		parts = append(parts, fmt.Sprintf("offset=%d", n.Offset))
	}
	if n.Fetch >= 0 {
		parts = append(parts, fmt.Sprintf("fetch=%d", n.Fetch))
	}
	return "Sort(" + strings.Join(parts, ", ") + ")"
}

func (n *Sink) describe() string {
	s := fmt.Sprintf("Sink(%s.%s.%s: %s", n.Table.Catalog, n.Table.Database, n.Table.Name, fieldList(n.Input.Schema()))
	if n.Overwrite {
		s += ", overwrite"
	}
	if n.OnConflict != "" {
		s += ", on conflict " + n.OnConflict
	}
	return s + ")"
}

// infix are the functions that are written between their arguments.
var infix = map[string]bool{"AND": true, "OR": true, "=": true, "<>": true, "<": true, "<=": true, ">": true, ">=": true, "+": true,
	"-": true, "*": true, "/": true, "||": true, "LIKE": true, "IS DISTINCT FROM": true, "IS NOT DISTINCT FROM": true}

// Text is an expression over the columns of a schema, with their names.
func Text(e expr.Expr, s Schema) string {
	switch e := e.(type) {
	case *expr.Column:
		return columnName(s, e.Index)
	case *expr.Literal:
		return literalText(e)
	case *expr.Cast:
		name := "CAST("
		if e.Try {
			name = "TRY_CAST("
		}
		return name + Text(e.Arg, s) + " AS " + e.Of.Nullable(true).String() + ")"
	case *expr.Call:
		return callText(e, s)
	case nil:
		return "TRUE"
	}
	return e.String()
}

func literalText(l *expr.Literal) string {
	v, t := l.Value, l.Of
	if v == nil {
		return "NULL"
	}
	switch text, isText := v.(string); {
	case isText && t.ID == column.Symbol:
		return text
	case isText:
		return "'" + strings.ReplaceAll(text, "'", "''") + "'"
	case t.ID == column.IntervalMillis:
		return "INTERVAL " + (time.Duration(v.(int64)) * time.Millisecond).String()
	case t.ID == column.IntervalMonths:
		return fmt.Sprintf("INTERVAL %d MONTH", v)
	}
	return expr.Format(v, t)
}

func callText(c *expr.Call, s Schema) string {
	args := make([]string, len(c.Args))
	for i, a := range c.Args {
		args[i] = Text(a, s)
		if inner, ok := a.(*expr.Call); ok && infix[c.Func.Name] && infix[inner.Func.Name] {
			args[i] = "(" + args[i] + ")"
		}
	}
	name := c.Func.Name
	switch {
	case infix[name]:
		return strings.Join(args, " "+name+" ")
	case strings.HasPrefix(name, "IS ") && len(args) == 1:
		return args[0] + " " + name
	case isField(c):
		return args[0] + "." + c.Args[0].Type().Fields[fieldIndex(c)].Name
	}
	return name + "(" + strings.Join(args, ", ") + ")"
}
