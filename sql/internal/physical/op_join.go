package physical

import (
	"fmt"
	"slices"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/sql/internal/exec"
	"github.com/flottio/flott/sql/internal/expr"
	"github.com/flottio/flott/sql/internal/plan"
)

// equi is the parts of a join's condition: columns that must be equal, pairwise, and the rest.
type equi struct {
	left, right []int
	rest        expr.Expr // over both sides; nil: none
	// nullSafe marks pairs of IS NOT DISTINCT FROM.
	nullSafe []bool
}

// splitCondition finds the equalities of a condition over a left side of n columns.
func splitCondition(cond expr.Expr, n int) equi {
	var e equi
	if cond == nil {
		return e
	}
	for _, c := range expr.Conjuncts(cond) {
		if l, r, safe, ok := equality(c, n); ok {
			e.left, e.right, e.nullSafe = append(e.left, l), append(e.right, r), append(e.nullSafe, safe)
			continue
		}
		if l, ok := c.(*expr.Literal); ok && l.Value == true {
			continue
		}
		if e.rest == nil {
			e.rest = c
		} else {
			e.rest = &expr.Call{Func: expr.And, Args: []expr.Expr{e.rest, c}, Of: c.Type()}
		}
	}
	return e
}

func equality(c expr.Expr, n int) (left, right int, nullSafe, ok bool) {
	call, isCall := c.(*expr.Call)
	if !isCall || len(call.Args) != 2 || call.Func.Name != "=" && call.Func.Name != "IS NOT DISTINCT FROM" {
		return 0, 0, false, false
	}
	a, isA := call.Args[0].(*expr.Column)
	b, isB := call.Args[1].(*expr.Column)
	if !isA || !isB || (a.Index < n) == (b.Index < n) || !a.Of.Nullable(true).Same(b.Of.Nullable(true)) {
		return 0, 0, false, false
	}
	if a.Index > b.Index {
		a, b = b, a
	}
	return a.Index, b.Index - n, call.Func.Name != "=", true
}

// joinOp is a regular join: both sides are kept.
type joinOp struct {
	join *plan.Join
	on   equi
	// contains says for each side whether its join columns contain a unique key, keyed whether it has a unique key at all.
	contains, keyed [2]bool
}

func (t *translator) join(l *plan.Join) (*Node, error) {
	left, err := t.node(l.Left)
	if err != nil {
		return nil, err
	}
	right, err := t.node(l.Right)
	if err != nil {
		return nil, err
	}
	on := splitCondition(l.Cond, len(left.Out))
	if special, err := t.specialJoin(l, left, right, on); special != nil || err != nil {
		return special, err
	}
	if l.Kind == plan.NullAnti {
		on = equi{rest: l.Cond}
	}
	op := &joinOp{join: l, on: on}
	op.contains = [2]bool{containsKey(left.Unique, on.left), containsKey(right.Unique, on.right)}
	op.keyed = [2]bool{len(left.Unique) > 0, len(right.Unique) > 0}
	n := &Node{Op: op, In: []Input{hashed(left, on.left), hashed(right, on.right)}, Out: l.Out}
	switch l.Kind {
	case plan.Inner, plan.Semi:
		n.Kinds = left.Kinds | right.Kinds
		if l.Kind == plan.Semi && !right.Kinds.InsertOnly() {
			n.Kinds = all
		}
	default:
		n.Kinds = all
	}
	n.Unique, n.Upsert = joinKeys(l.Kind, left, right, on)
	n.cols = slices.Clone(left.cols)
	if len(l.Out) > len(left.Out) {
		n.cols = append(n.cols, right.cols...)
	}
	n.rows = fmt.Sprintf("join %d (%s) with (%s)", l.Kind, left.rows, right.rows)
	if l.Cond != nil {
		n.rows += " on " + text(l.Cond, append(slices.Clone(left.cols), right.cols...))
	}
	return t.add(n), nil
}

func containsKey(keys []Key, columns []int) bool {
	return slices.ContainsFunc(keys, func(k Key) bool { return k.within(columns) })
}

// joinKeys are the keys of a join's result.
func joinKeys(kind plan.JoinKind, left, right *Node, on equi) (unique, upsert []Key) {
	if kind == plan.Semi || kind == plan.Anti || kind == plan.NullAnti {
		return left.Unique, keysWith(left.Unique, on.left)
	}
	n := len(left.Out)
	oneRight, oneLeft := containsKey(right.Unique, on.right), containsKey(left.Unique, on.left)
	if oneRight && (kind == plan.Inner || kind == plan.Left) {
		for _, k := range left.Unique {
			unique = addKey(unique, k)
		}
	}
	if oneLeft && (kind == plan.Inner || kind == plan.Right) {
		for _, k := range right.Unique {
			unique = addKey(unique, shiftKey(k, n))
		}
	}
	for _, l := range left.Unique {
		for _, r := range right.Unique {
			unique = addKey(unique, makeKey(append(slices.Clone(l), shiftKey(r, n)...)...))
		}
	}
	// Changes of a key come in order if all rows of it have gone to one subtask: the key must hold the columns that were hashed, of a side
	// whose values are there for every row.
	for _, k := range unique {
		l, r := Key(on.left).within(k), shiftKey(on.right, n).within(k)
		if len(on.left) == 0 || l && kind != plan.Right && kind != plan.Full || r && kind != plan.Left && kind != plan.Full {
			upsert = append(upsert, k)
		}
	}
	return unique, upsert
}

// keysWith are the keys that hold all of the columns.
func keysWith(keys []Key, columns []int) []Key {
	var out []Key
	for _, k := range keys {
		if Key(columns).within(k) {
			out = append(out, k)
		}
	}
	return out
}

func shiftKey(k []int, n int) Key {
	out := make(Key, len(k))
	for i, c := range k {
		out[i] = c + n
	}
	return out
}

var joinTypes = [...]string{"InnerJoin", "LeftOuterJoin", "RightOuterJoin", "FullOuterJoin", "LeftSemiJoin", "LeftAntiJoin", "LeftAntiJoin"}

func (j *joinOp) name() string { return "Join" }

func (j *joinOp) describe(n *Node) string {
	both := append(slices.Clone(n.In[0].Out), n.In[1].Out...)
	return fmt.Sprintf("Join(joinType=[%s], where=[%s], select=[%s], leftInputSpec=[%s], rightInputSpec=[%s])", joinTypes[j.join.Kind],
		plan.Text(j.join.Cond, both), fieldNames(n.Out), j.spec(0), j.spec(1))
}

func (j *joinOp) spec(side int) string {
	switch {
	case j.contains[side]:
		return "JoinKeyContainsUniqueKey"
	case j.keyed[side]:
		return "HasUniqueKey"
	}
	return "NoUniqueKey"
}

// needsBefore: without -U a row is found by its unique key, which must hold the join's columns: else the new row may meet others than the old.
func (j *joinOp) needsBefore(n *Node, input int, behind bool) bool {
	on := j.on.left
	if input == 1 {
		on = j.on.right
	}
	for _, k := range n.In[input].Upsert {
		if Key(on).within(k) {
			return behind
		}
	}
	return true
}

func (j *joinOp) stateful() bool { return true }
func (j *joinOp) makes() bool    { return true }

func (j *joinOp) attach(b *builder, n *Node) error {
	join := exec.Join{Env: b.env, Kind: execJoin(j.join.Kind), Cond: j.on.rest, Sides: [2]exec.JoinSide{j.side(b, n, 0), j.side(b, n, 1)}}
	if slices.Contains(j.on.nullSafe, true) {
		join.NullSafe = j.on.nullSafe
	}
	if j.join.Kind == plan.NullAnti {
		join.Cond, join.Sides[0].Keys, join.Sides[1].Keys, join.NullSafe = nullAnti(j.join.Cond), nil, nil, nil
	}
	return b.operator(n, func() operator.Operator {
		own := join
		return &own
	})
}

// nullAnti is NOT IN's condition: a row stays if no comparison with it is true or unknown.
func nullAnti(cond expr.Expr) expr.Expr {
	call, err := expr.NewCall(expr.Lookup("IS NOT FALSE"), cond)
	if err != nil {
		panic("BUG: physical: " + err.Error())
	}
	return call
}

func execJoin(k plan.JoinKind) exec.JoinKind {
	return [...]exec.JoinKind{exec.InnerJoin, exec.LeftJoin, exec.RightJoin, exec.FullJoin, exec.SemiJoin, exec.AntiJoin, exec.AntiJoin}[k]
}

// side is one input as the operator takes it.
func (j *joinOp) side(b *builder, n *Node, i int) exec.JoinSide {
	in := n.In[i]
	s := exec.JoinSide{Types: in.Out.Types(), Keys: j.on.left, InsertOnly: in.Kinds.InsertOnly(), TTLMs: b.set.StateTTL.Milliseconds()}
	if i == 1 {
		s.Keys = j.on.right
	}
	if ttl := j.join.TTL[i]; ttl > 0 {
		s.TTLMs = ttl.Milliseconds()
	}
	if j.join.Kind == plan.NullAnti || s.InsertOnly {
		return s
	}
	keys := in.Upsert
	if in.Kinds&Befores != 0 || len(keys) == 0 {
		keys = append(slices.Clone(keys), in.Unique...)
	}
	for k, key := range keys {
		var rest []int
		for _, c := range key {
			if !slices.Contains(s.Keys, c) {
				rest = append(rest, c)
			}
		}
		if k == 0 || len(rest) < len(s.Unique) {
			s.HasUnique, s.Unique = true, rest
		}
	}
	return s
}

// specialJoin makes an interval join or a window join of a join that is one; nil if it is regular.
func (t *translator) specialJoin(l *plan.Join, left, right *Node, on equi) (*Node, error) {
	return nil, nil
}

func (t *translator) temporalJoin(l *plan.TemporalJoin) (*Node, error) {
	return nil, notYet("FOR SYSTEM_TIME AS OF")
}

// correlateOp calls a table function for each row.
type correlateOp struct{ call *plan.Correlate }

func (t *translator) correlate(l *plan.Correlate) (*Node, error) {
	in, err := t.node(l.Input)
	if err != nil {
		return nil, err
	}
	args := make([]string, len(l.Args))
	for i, a := range l.Args {
		args[i] = text(a, in.cols)
	}
	n := &Node{Op: &correlateOp{l}, In: []Input{forward(in)}, Out: l.Out, Kinds: in.Kinds,
		rows: fmt.Sprintf("%s, %s%v left=%v", in.rows, l.Func.Name, args, l.Left)}
	n.cols = slices.Clone(in.cols)
	for _, f := range l.Out[len(in.Out):] {
		n.cols = append(n.cols, l.Func.Name+"."+f.Name)
	}
	n.window = in.window
	return t.add(n), nil
}

func (c *correlateOp) name() string { return "Correlate" }

func (c *correlateOp) describe(n *Node) string { return plan.Describe(c.call) }

func (c *correlateOp) needsBefore(*Node, int, bool) bool { return true }
func (c *correlateOp) passes()                           {}

func (c *correlateOp) attach(*builder, *Node) error { return notYet("table functions") }

// isTime reports whether a column is a time attribute.
func isTime(t column.Type) bool { return t.Attribute != column.NoAttribute }
