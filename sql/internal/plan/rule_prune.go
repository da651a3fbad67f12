package plan

import (
	"slices"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/sql/internal/expr"
)

// wants says which columns of a relation are read, and of nested rows which fields: paths of places below the column.
type wants struct {
	whole []bool
	paths [][][]int
}

func newWants(n int) *wants { return &wants{make([]bool, n), make([][][]int, n)} }

func wholeOf(s Schema) *wants {
	w := newWants(len(s))
	for i := range w.whole {
		w.whole[i] = true
	}
	return w
}

func (w *wants) columns(at ...int) {
	for _, c := range at {
		if c >= 0 {
			w.whole[c] = true
		}
	}
}

func (w *wants) sort(keys []SortKey) {
	for _, k := range keys {
		w.whole[k.Column] = true
	}
}

func (w *wants) has(c int) bool { return w.whole[c] || len(w.paths[c]) > 0 }

// expr adds what an expression reads.
func (w *wants) expr(e expr.Expr) {
	if e == nil {
		return
	}
	expr.Walk(e, func(e expr.Expr) bool {
		if c, path, ok := fieldPath(e); ok {
			if len(path) == 0 {
				w.whole[c] = true
			} else {
				w.paths[c] = append(w.paths[c], path)
			}
			return false
		}
		return true
	})
}

// fieldPath takes a column or a field of it apart.
func fieldPath(e expr.Expr) (col int, path []int, ok bool) {
	switch e := e.(type) {
	case *expr.Column:
		return e.Index, nil, true
	case *expr.Call:
		if !isField(e) {
			return 0, nil, false
		}
		col, path, ok = fieldPath(e.Args[0])
		return col, append(slices.Clone(path), fieldIndex(e)), ok
	}
	return 0, nil, false
}

// places says where columns and fields are after pruning.
type places struct {
	whole []int // -1: gone, or there in parts only
	parts []part
}

type part struct {
	column int
	path   []int
	to     int
}

func identity(n int) *places {
	p := &places{whole: make([]int, n)}
	for i := range p.whole {
		p.whole[i] = i
	}
	return p
}

func (p *places) at(c int) int { return p.whole[c] }

func (p *places) all(columns []int) []int {
	if columns == nil {
		return nil
	}
	out := make([]int, len(columns))
	for i, c := range columns {
		out[i] = p.whole[c]
	}
	return out
}

func (p *places) sort(keys []SortKey) []SortKey {
	out := slices.Clone(keys)
	for i := range out {
		out[i].Column = p.whole[out[i].Column]
	}
	return out
}

// expr rewrites an expression over the columns from before.
func (p *places) expr(e expr.Expr) expr.Expr {
	if e == nil {
		return nil
	}
	if c, path, ok := fieldPath(e); ok && p.whole[c] < 0 {
		for k := len(path); k > 0; k-- {
			for _, x := range p.parts {
				if x.column == c && slices.Equal(x.path, path[:k]) {
					return p.below(e, len(path)-k, x.to)
				}
			}
		}
	}
	switch e := e.(type) {
	case *expr.Call:
		args := make([]expr.Expr, len(e.Args))
		for i, a := range e.Args {
			args[i] = p.expr(a)
		}
		return &expr.Call{Func: e.Func, Args: args, Of: e.Of}
	case *expr.Cast:
		return &expr.Cast{Arg: p.expr(e.Arg), Of: e.Of, Try: e.Try}
	}
	return expr.Map(e, func(c *expr.Column) expr.Expr {
		return &expr.Column{Index: p.whole[c.Index], Of: c.Of, Name: c.Name}
	})
}

// below puts the column at to in the place of what the innermost calls of a path of fields read, all but the outer n.
func (p *places) below(e expr.Expr, n, to int) expr.Expr {
	if n == 0 {
		return &expr.Column{Index: to, Of: e.Type(), Name: fieldName(e)}
	}
	c := e.(*expr.Call)
	return &expr.Call{Func: c.Func, Args: []expr.Expr{p.below(c.Args[0], n-1, to), c.Args[1]}, Of: c.Of}
}

func fieldName(e expr.Expr) string {
	if c, ok := e.(*expr.Call); ok {
		return c.Args[0].Type().Fields[fieldIndex(c)].Name
	}
	return e.(*expr.Column).Name
}

// prune returns the node with the columns that are wanted, and perhaps some more, and where they are now.
func prune(n Node, w *wants) (Node, *places) {
	switch n := n.(type) {
	case *Scan:
		return pruneScan(n, w)
	case *Project:
		return pruneProject(n, w)
	case *Filter:
		w.expr(n.Cond)
		in, p := prune(n.Input, w)
		return &Filter{Input: in, Cond: p.expr(n.Cond)}, p
	case *Watermark:
		return pruneWatermark(n, w)
	case *Join:
		return pruneJoin(n, w)
	case *Aggregate:
		return pruneAggregate(n, w)
	case *WindowTable:
		return pruneWindow(n, w)
	case *Rank:
		return pruneRank(n, w)
	case *Sort:
		w.sort(n.Keys)
		in, p := pruneWhole(n.Input, w)
		return &Sort{Input: in, Keys: p.sort(n.Keys), Offset: n.Offset, Fetch: n.Fetch}, p
	case *SetOp:
		if n.Kind == Union && n.All {
			return pruneUnion(n, w)
		}
	}
	out := rewriteInputs(n, func(in Node) Node { return exactly(in) })
	return out, identity(len(n.Schema()))
}

// exactly prunes below a node whose columns are all wanted, in their order.
func exactly(n Node) Node {
	s := n.Schema()
	every := make([]int, len(s))
	for i := range every {
		every[i] = i
	}
	return only(n, every)
}

// only prunes below a node and gives some of its columns, in that order.
func only(n Node, columns []int) Node {
	s := n.Schema()
	w := newWants(len(s))
	w.columns(columns...)
	in, p := prune(n, w)
	same := len(in.Schema()) == len(columns)
	for i, c := range columns {
		same = same && p.at(c) == i
	}
	if same {
		return in
	}
	out := &Project{Input: in}
	for _, c := range columns {
		out.Exprs = append(out.Exprs, &expr.Column{Index: p.at(c), Of: s[c].Type, Name: s[c].Name})
		out.Out = append(out.Out, s[c])
	}
	return out
}

// pruneWhole is prune for nodes that know nothing of fields: what is wanted of a column is all of it.
func pruneWhole(n Node, w *wants) (Node, *places) {
	v := newWants(len(w.whole))
	for i := range w.whole {
		v.whole[i] = w.has(i)
	}
	return prune(n, v)
}

func pruneScan(n *Scan, w *wants) (Node, *places) {
	s := &Scan{Table: n.Table, Hints: n.Hints, Pushed: n.Pushed, Limit: n.Limit}
	p := &places{whole: make([]int, len(n.Columns))}
	nested := false
	add := func(i int, path []int, f Field) {
		s.Columns = append(s.Columns, n.Columns[i])
		s.Paths = append(s.Paths, append([]int{n.Columns[i]}, path...))
		s.Out = append(s.Out, f)
	}
	for i, f := range n.Out {
		p.whole[i] = -1
		switch {
		case w.whole[i] || slices.Contains(n.Table.PrimaryKey, f.Name):
			p.whole[i] = len(s.Out)
			add(i, nil, f)
		default:
			for _, path := range shortest(w.paths[i]) {
				nested = true
				p.parts = append(p.parts, part{i, path, len(s.Out)})
				add(i, path, Field{f.Name + "." + pathName(f.Type, path), pathType(f.Type, path)})
			}
		}
	}
	if !nested {
		s.Paths = nil
	}
	return s, p
}

// shortest are the paths without those that others contain, each once, in order.
func shortest(paths [][]int) [][]int {
	var out [][]int
	slices.SortFunc(paths, slices.Compare)
	for _, p := range paths {
		if last := len(out) - 1; last >= 0 && len(out[last]) <= len(p) && slices.Equal(out[last], p[:len(out[last])]) {
			continue
		}
		out = append(out, p)
	}
	return out
}

func pathType(t column.Type, path []int) column.Type {
	notNull := t.NotNull
	for _, i := range path {
		t = t.Fields[i].Type
		notNull = notNull && t.NotNull
	}
	t.NotNull = notNull
	return t
}

func pathName(t column.Type, path []int) string {
	name := ""
	for i, at := range path {
		if i > 0 {
			name += "."
		}
		name += t.Fields[at].Name
		t = t.Fields[at].Type
	}
	return name
}

func pruneProject(n *Project, w *wants) (Node, *places) {
	below := newWants(len(n.Input.Schema()))
	p := &places{whole: make([]int, len(n.Exprs))}
	out := &Project{}
	keep := func(e expr.Expr, f Field) {
		below.expr(e)
		out.Exprs, out.Out = append(out.Exprs, e), append(out.Out, f)
	}
	for i, e := range n.Exprs {
		p.whole[i] = -1
		_, _, plain := fieldPath(e)
		switch {
		case !w.has(i):
		case w.whole[i] || !plain:
			p.whole[i] = len(out.Exprs)
			keep(e, n.Out[i])
		default:
			for _, path := range shortest(w.paths[i]) {
				p.parts = append(p.parts, part{i, path, len(out.Exprs)})
				field := fieldAt(e, path)
				keep(field, Field{n.Out[i].Name + "." + pathName(n.Out[i].Type, path), field.Type()})
			}
		}
	}
	in, q := prune(n.Input, below)
	out.Input = in
	for i, e := range out.Exprs {
		out.Exprs[i] = q.expr(e)
	}
	return out, p
}

// fieldAt is a field of a field of a row.
func fieldAt(row expr.Expr, path []int) expr.Expr {
	for _, at := range path {
		row = fieldOf(row, at)
	}
	return row
}

func pruneWatermark(n *Watermark, w *wants) (Node, *places) {
	w.columns(n.Time)
	w.expr(n.Expr)
	in, p := prune(n.Input, w)
	out := &Watermark{Input: in, Time: p.at(n.Time), Expr: p.expr(n.Expr), Out: slices.Clone(in.Schema())}
	out.Out[out.Time].Type.Attribute = n.Out[n.Time].Type.Attribute
	return out, p
}

func pruneJoin(n *Join, w *wants) (Node, *places) {
	left, right := n.Left.Schema(), n.Right.Schema()
	all := newWants(len(left) + len(right))
	for i := range w.whole {
		all.whole[i] = w.has(i)
	}
	all.expr(n.Cond)
	lw, rw := newWants(len(left)), newWants(len(right))
	for i := range all.whole {
		switch {
		case !all.has(i):
		case i < len(left):
			lw.whole[i] = true
		default:
			rw.whole[i-len(left)] = true
		}
	}
	l, lp := prune(n.Left, lw)
	r, rp := prune(n.Right, rw)
	width := len(l.Schema())
	p := &places{whole: slices.Clone(lp.whole)}
	for _, c := range rp.whole {
		if c >= 0 {
			c += width
		}
		p.whole = append(p.whole, c)
	}
	out := &Join{Kind: n.Kind, Left: l, Right: r, TTL: n.TTL}
	out.Cond = p.expr(n.Cond)
	out.Out = make(Schema, width)
	copy(out.Out, l.Schema())
	if len(n.Out) > len(left) {
		out.Out = append(out.Out, r.Schema()...)
	} else {
		p.whole = p.whole[:len(left)]
	}
	for i, f := range n.Out { // outer sides may be NULL
		if to := p.whole[i]; to >= 0 {
			out.Out[to] = f
		}
	}
	return out, p
}

func pruneAggregate(n *Aggregate, w *wants) (Node, *places) {
	below := newWants(len(n.Input.Schema()))
	below.columns(n.Keys...)
	out := &Aggregate{Sets: n.Sets, Out: slices.Clone(n.Out[:len(n.Keys)])}
	p := identity(len(n.Out))
	var calls []AggCall
	for i, c := range n.Calls {
		at := len(n.Keys) + i
		p.whole[at] = -1
		if !w.has(at) {
			continue
		}
		p.whole[at] = len(out.Out)
		out.Out = append(out.Out, n.Out[at])
		calls = append(calls, c)
		below.columns(append(slices.Clone(c.Args), c.Filter)...)
		below.sort(c.Order)
	}
	in, q := prune(n.Input, below)
	out.Input, out.Keys = in, q.all(n.Keys)
	for _, c := range calls {
		c.Args, c.Order = q.all(c.Args), q.sort(c.Order)
		if c.Filter >= 0 {
			c.Filter = q.at(c.Filter)
		}
		out.Calls = append(out.Calls, c)
	}
	return out, p
}

func pruneWindow(n *WindowTable, w *wants) (Node, *places) {
	width := len(n.Input.Schema())
	below := newWants(width)
	for i := range width {
		below.whole[i] = w.has(i)
	}
	below.columns(n.Window.Time)
	below.columns(n.Window.Partition...)
	in, p := prune(n.Input, below)
	s := in.Schema()
	out := &WindowTable{Input: in, Window: n.Window, Out: append(s[:len(s):len(s)], n.Out[width:]...)}
	out.Window.Time, out.Window.Partition = p.at(n.Window.Time), p.all(n.Window.Partition)
	q := &places{whole: slices.Clone(p.whole)}
	for i := range n.Out[width:] {
		q.whole = append(q.whole, len(s)+i)
	}
	return out, q
}

func pruneRank(n *Rank, w *wants) (Node, *places) {
	width := len(n.Input.Schema())
	below := newWants(width)
	for i := range width {
		below.whole[i] = w.has(i)
	}
	below.columns(n.Partition...)
	below.columns(n.ToColumn)
	below.sort(n.Order)
	in, p := prune(n.Input, below)
	s := in.Schema()
	out := &Rank{Input: in, Partition: p.all(n.Partition), Order: p.sort(n.Order), From: n.From, To: n.To, ToColumn: n.ToColumn,
		Out: slices.Clone(s)}
	if n.ToColumn >= 0 {
		out.ToColumn = p.at(n.ToColumn)
	}
	q := &places{whole: slices.Clone(p.whole)}
	if n.Number {
		q.whole = append(q.whole, -1)
		if w.has(width) {
			out.Number, q.whole[width] = true, len(s)
			out.Out = append(out.Out, n.Out[width])
		}
	}
	return out, q
}

func pruneUnion(n *SetOp, w *wants) (Node, *places) {
	out := &SetOp{Kind: n.Kind, All: n.All}
	p := &places{whole: make([]int, len(n.Out))}
	var kept []int
	for i := range n.Out {
		p.whole[i] = -1
		if w.has(i) {
			p.whole[i] = len(kept)
			kept = append(kept, i)
			out.Out = append(out.Out, n.Out[i])
		}
	}
	for _, in := range n.Input {
		out.Input = append(out.Input, only(in, kept))
	}
	return out, p
}
