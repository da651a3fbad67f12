package plan

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/sql/internal/ast"
	"github.com/flottio/flott/sql/internal/catalog"
	"github.com/flottio/flott/sql/internal/expr"
)

// windowFunctions are the window table functions with the names of their parameters in order; those behind the number needed are optional.
var windowFunctions = map[string]struct {
	kind   WindowKind
	params []string
	needed int
}{
	"TUMBLE":   {Tumble, []string{"DATA", "TIMECOL", "SIZE", "OFFSET"}, 3},
	"HOP":      {Hop, []string{"DATA", "TIMECOL", "SLIDE", "SIZE", "OFFSET"}, 4},
	"CUMULATE": {Cumulate, []string{"DATA", "TIMECOL", "STEP", "SIZE", "OFFSET"}, 4},
	"SESSION":  {Session, []string{"DATA", "TIMECOL", "GAP"}, 3},
}

// tableFunction is TABLE(f(...)) or f(...) in FROM without a table before it.
func (b *Binder) tableFunction(x *ast.TableFunc, parent *scope) *relation {
	if x.AsOf != nil {
		b.notYet(x.Pos, "FOR SYSTEM_TIME AS OF a function")
		return nil
	}
	if b.isWindow(x.Call) {
		return b.alias(b.windowTable(x.Call, parent), x.Alias)
	}
	if name := upper(x.Call.Func); changelogArgs[name] != nil && name != "SNAPSHOT" {
		return b.alias(b.changelogFunction(x.Call, name, parent), x.Alias)
	}
	return b.lateralJoin(nil, x, joinSpec{pos: x.Pos, kind: ast.Cross}, parent)
}

// windowTable is TUMBLE(TABLE t, DESCRIPTOR(c), INTERVAL ...) and its like.
func (b *Binder) windowTable(c *ast.Call, parent *scope) *relation {
	name := strings.ToUpper(c.Func.Last().Text)
	spec := windowFunctions[name]
	args, ok := b.windowArgs(c, name, spec.params)
	if !ok {
		return nil
	}
	for _, p := range spec.params[:spec.needed] {
		if args[p] == nil {
			b.failf(c.Pos, "%s: the argument %s is missing", name, p).WithHint("%s(%s)", name, quoteNames(spec.params)).Length = len(name)
			ok = false
		}
	}
	if !ok {
		return nil
	}
	rel, partition := b.tableArg(args["DATA"], name, parent)
	if rel == nil {
		return nil
	}
	w := Window{Kind: spec.kind, Time: b.timeColumn(args["TIMECOL"], rel.node, name), Partition: partition}
	if w.Time < 0 {
		return nil
	}
	read := func(p string) time.Duration {
		if args[p] == nil {
			return 0
		}
		d, good := b.duration(args[p], name, p)
		ok = ok && good
		return d
	}
	w.Size, w.Offset = read("SIZE"), read("OFFSET")
	switch spec.kind {
	case Hop:
		w.Step = read("SLIDE")
	case Cumulate:
		w.Step = read("STEP")
	case Session:
		w.Size = read("GAP")
	}
	if !ok || !b.checkWindow(w, c.Pos, name) {
		return nil
	}
	n := newWindowTable(rel.node, w)
	return relationOf(n, "", catalog.Path{})
}

// newWindowTable adds window_start, window_end and window_time.
func newWindowTable(in Node, w Window) *WindowTable {
	s := in.Schema()
	at := column.TimestampType(3).Nullable(false)
	clock := at
	if s[w.Time].Type.ID == column.TimestampLTZ {
		clock = column.LocalTimestampType(3).Nullable(false)
	}
	clock.Attribute = s[w.Time].Type.Attribute
	out := append(s[:len(s):len(s)], Field{"window_start", at}, Field{"window_end", at}, Field{"window_time", clock})
	return &WindowTable{Input: in, Window: w, Out: out}
}

// windowArgs sorts the arguments to their parameters.
func (b *Binder) windowArgs(c *ast.Call, name string, params []string) (map[string]ast.Expr, bool) {
	args := map[string]ast.Expr{}
	if len(c.Args) > len(params) {
		b.failf(c.Pos, "%s takes at most %d arguments, got %d", name, len(params), len(c.Args)).WithHint("%s(%s)", name, quoteNames(params))
		return nil, false
	}
	for i, a := range c.Args {
		n, ok := a.(*ast.NamedArg)
		if !ok {
			args[params[i]] = a
			continue
		}
		p := strings.ToUpper(n.Name.Text)
		if p == "INPUT" && params[0] == "DATA" {
			p = "DATA"
		}
		known := false
		for _, q := range params {
			known = known || p == q
		}
		if !known {
			b.failf(n.Pos, "%s has no argument %s", name, n.Name.Text).Near(n.Name.Text, params)
			return nil, false
		}
		args[p] = n.Value
	}
	return args, true
}

// tableArg is the table of a window function, with its PARTITION BY.
func (b *Binder) tableArg(x ast.Expr, name string, parent *scope) (*relation, []int) {
	var rel *relation
	t, ok := x.(*ast.TableArg)
	if !ok {
		if q, isQuery := x.(*ast.Subquery); isQuery {
			t = &ast.TableArg{Pos: q.Pos, Query: q.Query}
		} else {
			b.failf(x.Position(), "%s expects a table first: TABLE t or a query in parentheses", name)
			return nil, nil
		}
	}
	switch {
	case t.Query != nil:
		if n := b.query(t.Query, parent); n != nil {
			rel = relationOf(n, "", catalog.Path{})
		}
	case t.Func != nil:
		rel = b.tableFunction(&ast.TableFunc{Pos: t.Pos, Call: t.Func}, parent)
	default:
		rel = b.namedTable(t.Table, nil)
	}
	if rel == nil {
		return nil, nil
	}
	var partition []int
	sc := b.newScope(rel, nil)
	for _, p := range t.PartitionBy {
		c, isColumn := sc.in("PARTITION BY").expr(p).(*expr.Column)
		if !isColumn {
			b.failf(p.Position(), "PARTITION BY of a table argument takes columns")
			return nil, nil
		}
		partition = append(partition, c.Index)
	}
	return rel, partition
}

// timeColumn is the place of DESCRIPTOR(c), which is a time attribute; -1 if something is wrong.
func (b *Binder) timeColumn(x ast.Expr, in Node, name string) int {
	d, ok := x.(*ast.DescriptorArg)
	if !ok || len(d.Columns) != 1 {
		b.failf(x.Position(), "%s expects DESCRIPTOR(column) with the time column", name)
		return -1
	}
	c := d.Columns[0].Name
	var names []string
	for i, f := range in.Schema() {
		if f.Name == c.Text {
			return b.checkTime(i, in, c.Pos, name)
		}
		names = append(names, f.Name)
	}
	b.failf(c.Pos, "%s: the table has no column %s", name, c.Text).Near(c.Text, names)
	return -1
}

// onlyValues reports whether a node reads nothing but rows of the query itself, which end at once.
func onlyValues(n Node) bool {
	if _, scan := n.(*Scan); scan {
		return false
	}
	return !slices.ContainsFunc(n.Inputs(), func(in Node) bool { return !onlyValues(in) })
}

// checkTime makes sure that a column is a time attribute, or any timestamp of an input that ends.
func (b *Binder) checkTime(i int, n Node, pos ast.Pos, name string) int {
	in := n.Schema()
	t := in[i].Type
	if t.Attribute != column.NoAttribute || t.IsTimestamp() && (b.Batch || onlyValues(n)) {
		return i
	}
	e := b.failf(pos, "%s needs a time attribute, the column %s is %s", name, in[i].Name, t)
	e.Length = len(in[i].Name)
	if t.IsTimestamp() {
		e.Hint = "declare WATERMARK FOR the column in its table; arithmetic and aggregates make a plain timestamp of it"
	}
	return -1
}

// duration reads a constant interval.
func (b *Binder) duration(x ast.Expr, name, param string) (time.Duration, bool) {
	sc := b.newScope(nil, nil)
	e := sc.in(name).expr(x)
	if e == nil {
		return 0, false
	}
	lit, ok := e.(*expr.Literal)
	if !ok || lit.Of.ID != column.IntervalMillis {
		what := "an interval of days to seconds"
		if ok && lit.Of.ID == column.IntervalMonths {
			what += "; months are not all of one length"
		}
		b.failf(x.Position(), "%s: %s expects %s", name, param, what)
		return 0, false
	}
	return time.Duration(lit.Value.(int64)) * time.Millisecond, true
}

func (b *Binder) checkWindow(w Window, pos ast.Pos, name string) bool {
	bad := func(format string, args ...any) bool {
		b.failf(pos, name+": "+format, args...).Length = len(name)
		return false
	}
	switch {
	case w.Size <= 0:
		return bad("the size must be positive, not %v", w.Size)
	case w.Step <= 0 && (w.Kind == Hop || w.Kind == Cumulate):
		return bad("the step must be positive, not %v", w.Step)
	case w.Kind == Cumulate && w.Size%w.Step != 0:
		return bad("the size %v is no multiple of the step %v", w.Size, w.Step)
	}
	unit := w.Size
	if w.Kind == Hop || w.Kind == Cumulate {
		unit = w.Step
	}
	if w.Offset >= unit || w.Offset <= -unit {
		return bad("the offset %v must be less than %v", w.Offset, unit)
	}
	return true
}

// groupWindow is the window of GROUP BY TUMBLE(time, size) and its like: the older form, which is the table function underneath.
type groupWindow struct {
	name       string
	args       string // text of the arguments, to recognise TUMBLE_START(...) of the same window
	node       *WindowTable
	start      int // place of window_start in node; window_end and window_time follow
	keys       [3]int
	inputWidth int
}

func isGroupWindow(c *ast.Call) bool {
	name := upper(c.Func)
	if len(c.Func) != 1 || len(c.Args) < 2 || (name != "TUMBLE" && name != "HOP" && name != "SESSION") {
		return false
	}
	_, table := c.Args[0].(*ast.TableArg)
	return !table
}

// bindWindow finds the window among the items of GROUP BY and puts its table function on top of what FROM gives.
func (s *selected) bindWindow(x *ast.GroupBy) {
	var found *ast.Call
	var look func(items []ast.GroupItem)
	look = func(items []ast.GroupItem) {
		for _, it := range items {
			for _, e := range it.Exprs {
				if c, ok := e.(*ast.Call); ok && isGroupWindow(c) {
					if found != nil {
						s.b.failf(c.Pos, "only one window can stand in GROUP BY")
					}
					found = c
				}
			}
			look(it.Items)
		}
	}
	look(x.Items)
	if found == nil {
		return
	}
	name := upper(found.Func)
	in := s.scope.in("GROUP BY")
	time, ok := in.expr(found.Args[0]).(*expr.Column)
	if !ok {
		if len(s.b.errs) == 0 {
			s.b.failf(found.Args[0].Position(), "%s expects a time column first", name)
		}
		return
	}
	schema := s.node.Schema()
	w := Window{Kind: windowFunctions[name].kind, Time: s.b.checkTime(time.Index, s.node, found.Args[0].Position(), name)}
	if w.Time < 0 || !s.b.groupWindowSizes(&w, found, name) {
		return
	}
	node := newWindowTable(s.node, w)
	s.group.window = &groupWindow{name: name, args: windowText(w), node: node, start: len(schema), inputWidth: len(schema)}
	s.node = node
}

// groupWindowSizes reads TUMBLE(t, size), HOP(t, slide, size), SESSION(t, gap), the first two with an offset.
func (b *Binder) groupWindowSizes(w *Window, c *ast.Call, name string) bool {
	params := map[string][]string{"TUMBLE": {"size", "offset"}, "HOP": {"slide", "size", "offset"}, "SESSION": {"gap"}}[name]
	rest := c.Args[1:]
	if len(rest) > len(params) || name == "HOP" && len(rest) < 2 {
		b.failf(c.Pos, "%s takes a time column, %s", name, quoteNames(params)).Length = len(name)
		return false
	}
	for i, x := range rest {
		d, ok := b.duration(x, name, params[i])
		if !ok {
			return false
		}
		switch params[i] {
		case "slide":
			w.Step = d
		case "offset":
			w.Offset = d
		default:
			w.Size = d
		}
	}
	return b.checkWindow(*w, c.Pos, name)
}

func windowText(w Window) string {
	return fmt.Sprint(w.Kind, w.Time, w.Size, w.Step, w.Offset)
}

// windowKeys makes keys of the window's columns.
func (s *selected) windowKeys() []int {
	w := s.group.window
	if w == nil {
		return nil
	}
	schema := w.node.Schema()
	w.keys[0] = s.group.addKey(columnOf(schema, w.start))
	w.keys[1] = s.group.addKey(columnOf(schema, w.start+1))
	w.keys[2] = s.group.addKey(columnOf(schema, w.start+2))
	return w.keys[:]
}

// windowRef is TUMBLE_START and its like, until there is a column for it: 0 is the start, 1 the end, 2 the time attribute.
type windowRef struct {
	part int
	of   column.Type
}

// Type implements expr.Expr.
func (w *windowRef) Type() column.Type { return w.of }

// String implements expr.Expr.
func (w *windowRef) String() string { return fmt.Sprintf("window%d", w.part) }

func (g *grouping) windowColumn(w *windowRef, out Schema) expr.Expr {
	c := columnOf(out, g.window.keys[w.part])
	c.Of.Attribute = w.of.Attribute
	return c
}

// auxiliary binds TUMBLE_START(t, size) and its like; ok is false if the call is something else.
func (s *scope) auxiliary(x *ast.Call, name string) (e expr.Expr, ok bool) {
	window, what, cut := strings.Cut(name, "_")
	parts := map[string]int{"START": 0, "END": 1, "ROWTIME": 2, "PROCTIME": 2}
	part, known := parts[what]
	if !cut || !known || window != "TUMBLE" && window != "HOP" && window != "SESSION" {
		return nil, false
	}
	fail := func(format string, args ...any) (expr.Expr, bool) {
		s.b.failf(x.Pos, format, args...).Length = len(name)
		return nil, true
	}
	if s.group == nil || s.group.window == nil {
		return fail("%s needs %s(...) in GROUP BY", name, window)
	}
	g := s.group.window
	if g.name != window {
		return fail("%s does not belong to the %s in GROUP BY", name, g.name)
	}
	if len(x.Args) < 2 {
		return fail("%s takes the arguments of %s in GROUP BY", name, window)
	}
	time, isColumn := s.in(name).expr(x.Args[0]).(*expr.Column)
	if !isColumn {
		return nil, true
	}
	w := Window{Kind: g.node.Window.Kind, Time: time.Index}
	if !s.b.groupWindowSizes(&w, &ast.Call{Pos: x.Pos, Func: x.Func, Args: x.Args}, window) {
		return nil, true
	}
	if windowText(w) != g.args {
		return fail("%s does not have the arguments of %s in GROUP BY", name, window)
	}
	of := g.node.Out[g.start+part].Type
	attribute := of.Attribute
	if what == "ROWTIME" && attribute != column.Rowtime || what == "PROCTIME" && attribute != column.Proctime {
		return fail("%s: the time column is no %s attribute", name, strings.ToLower(what))
	}
	return &windowRef{part, of}, true
}
