package plan

import (
	"strconv"
	"strings"
	"time"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/sql/internal/ast"
	"github.com/flottio/flott/sql/internal/catalog"
	"github.com/flottio/flott/sql/internal/expr"
)

// lateralJoin joins each row with what a table function makes of it. l is nil if the function comes first in FROM.
func (b *Binder) lateralJoin(l *relation, x ast.TableRef, spec joinSpec, parent *scope) *relation {
	if l == nil {
		l = &relation{node: &Values{Rows: [][]expr.Expr{{}}}}
	}
	kind := joinKinds[spec.kind]
	if kind != Inner && kind != Left || spec.natural || len(spec.using) > 0 {
		b.failf(spec.pos, "a table function can only be joined by CROSS JOIN, INNER JOIN or LEFT JOIN ... ON TRUE")
		return nil
	}
	sc := b.newScope(l, parent).in("FROM")
	c := &Correlate{Input: l.node, Left: kind == Left}
	alias, name := b.tableCall(c, x, sc)
	if c.Func == nil {
		return nil
	}
	in := l.node.Schema()
	right := c.Out
	c.Out = joinSchema(kind, in, right)
	r := relationOf(&Values{Out: right}, name, catalog.Path{})
	if r = b.alias(r, alias); r == nil {
		return nil
	}
	for i, col := range r.columns {
		if len(in)+i < len(c.Out) {
			c.Out[len(in)+i].Name = col.name
		}
	}
	both := combine(c, l, r, c.Out)
	return b.lateralOn(both, spec, kind, parent)
}

// lateralOn is the condition of a lateral join: anything for an inner join, TRUE for an outer one.
func (b *Binder) lateralOn(both *relation, spec joinSpec, kind JoinKind, parent *scope) *relation {
	if spec.on == nil {
		return both
	}
	if lit, ok := spec.on.(*ast.Literal); ok && lit.Kind == ast.TrueLit {
		return both
	}
	if kind == Left {
		b.notYet(spec.on.Position(), "LEFT JOIN LATERAL with a condition other than TRUE")
		return nil
	}
	cond := b.newScope(both, parent).condition(spec.on, "ON")
	if cond == nil {
		return nil
	}
	return b.where(both, cond)
}

// tableCall binds the function and its arguments into c; c.Out is what it gives. c.Func stays nil if something is wrong.
func (b *Binder) tableCall(c *Correlate, x ast.TableRef, sc *scope) (alias *ast.Alias, name string) {
	var f *expr.TableFunc
	var pos ast.Pos
	switch x := x.(type) {
	case *ast.Unnest:
		alias, pos, f = x.Alias, x.Pos, unnestFunc(x.WithOrdinality)
		c.Args = sc.exprs(x.Exprs...)
	case *ast.TableFunc:
		alias, pos, name = x.Alias, x.Pos, x.Call.Func.Last().Text
		if f = b.tableFunc(x.Call); f == nil {
			return alias, name
		}
		c.Args = sc.exprs(x.Call.Args...)
	}
	if anyNil(c.Args) {
		return alias, name
	}
	view := make([]expr.Arg, len(c.Args))
	for i, a := range c.Args {
		view[i].Type = a.Type()
		view[i].Literal, _ = a.(*expr.Literal)
	}
	sig, err := f.Resolve(view)
	if err != nil {
		b.failf(pos, "%s: %v", f.Name, err).Length = len(f.Name)
		return alias, name
	}
	for i := range c.Args {
		c.Args[i] = expr.Coerce(c.Args[i], sig.Args[i])
	}
	for _, field := range sig.Result.Fields {
		c.Out = append(c.Out, Field{field.Name, field.Type})
	}
	c.Func = f
	return alias, name
}

// tableFunc finds a table function by name.
func (b *Binder) tableFunc(x *ast.Call) *expr.TableFunc {
	user := b.Session.Function(x.Func)
	if user != nil && user.Table != nil {
		return user.Table
	}
	name := upper(x.Func)
	switch {
	case user != nil:
		b.failf(x.Pos, "%s is no table function", user.Name).Length = len(user.Name)
	case name == "UNNEST":
		return unnestFunc(false)
	case expr.Lookup(name) != nil || expr.LookupAgg(name) != nil:
		b.failf(x.Pos, "%s is no table function", name).Length = len(name)
	case notYetTables[name]:
		b.notYet(x.Pos, "the table function "+name)
	default:
		var names []string
		for _, f := range b.Session.Functions() {
			if f.Table != nil {
				names = append(names, f.Name)
			}
		}
		names = append(names, "TUMBLE", "HOP", "CUMULATE", "SESSION", "UNNEST")
		b.failf(x.Pos, "there is no table function %s", x.Func.Last().Text).Near(x.Func.Last().Text, names)
	}
	return nil
}

var notYetTables = map[string]bool{"ML_PREDICT": true, "VECTOR_SEARCH": true, "ML_EVALUATE": true, "SNAPSHOT": true}

// unnestFunc is UNNEST, with or without the places of the elements.
func unnestFunc(ordinality bool) *expr.TableFunc {
	name := "UNNEST"
	if ordinality {
		name = "UNNEST WITH ORDINALITY"
	}
	return expr.LookupTable(name)
}

// lateralQuery is JOIN LATERAL (SELECT ...): the query reads columns of the tables before it.
func (b *Binder) lateralQuery(l *relation, x *ast.DerivedTable, spec joinSpec, parent *scope) *relation {
	kind := joinKinds[spec.kind]
	if kind != Inner && kind != Left || spec.natural || len(spec.using) > 0 {
		b.failf(spec.pos, "LATERAL can only be joined by CROSS JOIN, INNER JOIN or LEFT JOIN ... ON TRUE")
		return nil
	}
	sub := b.query(x.Query, b.newScope(l, parent))
	if sub == nil {
		return nil
	}
	p, why := pullUp(sub)
	if why != "" {
		b.notYet(x.Pos, "LATERAL with columns of the tables before it "+why)
		return nil
	}
	ls := l.node.Schema()
	width := len(ls)
	right := p.node
	if kind == Left {
		var outs []expr.Expr
		if right, outs = p.materialise(); right == nil {
			b.notYet(x.Pos, "LEFT JOIN LATERAL that computes with columns of the tables before it")
			return nil
		}
		p.outs = outs
	}
	var conds []expr.Expr
	for _, c := range p.conds {
		conds = append(conds, overBoth(c, width))
	}
	j := &Join{Kind: kind, Left: l.node, Right: right, Cond: and(conds), Out: joinSchema(kind, ls, right.Schema())}
	out := &Project{Input: j}
	for i := range ls {
		out.Exprs = append(out.Exprs, columnOf(j.Out, i))
		out.Out = append(out.Out, j.Out[i])
	}
	inner := sub.Schema()
	for i, e := range p.outs {
		e = retypeColumns(overBoth(e, width), j.Out)
		out.Exprs = append(out.Exprs, e)
		out.Out = append(out.Out, Field{inner[i].Name, e.Type()})
	}
	r := b.alias(relationOf(&Values{Out: out.Out[width:]}, "", catalog.Path{}), x.Alias)
	if r == nil {
		return nil
	}
	var n Node = out
	if out.identity() {
		n = j
	}
	return b.lateralOn(combine(n, l, r, out.Out), spec, kind, parent)
}

// temporalJoin is JOIN t FOR SYSTEM_TIME AS OF left.time ON ...
func (b *Binder) temporalJoin(l *relation, x *ast.TableName, spec joinSpec, parent *scope) *relation {
	kind := joinKinds[spec.kind]
	if kind != Inner && kind != Left {
		b.failf(spec.pos, "FOR SYSTEM_TIME AS OF can only be joined by INNER JOIN or LEFT JOIN")
		return nil
	}
	r := b.alias(b.namedTable(x.Path, x.Hints), x.Alias)
	e := b.newScope(l, parent).in("FOR SYSTEM_TIME AS OF").expr(x.AsOf)
	if r == nil || e == nil {
		return nil
	}
	left := l.node
	c, ok := e.(*expr.Column)
	if !ok || c.Of.Attribute == column.NoAttribute {
		call, isCall := e.(*expr.Call)
		if !isCall || call.Func.Name != "PROCTIME" {
			b.failf(x.AsOf.Position(), "FOR SYSTEM_TIME AS OF expects a time attribute of the table before it, got %s", e.Type())
			return nil
		}
		n, places := extend(left, []expr.Expr{e})
		left, c = n, columnOf(n.Schema(), places[0])
		wider := *l
		wider.node = n
		l = &wider
	}
	both := b.joined(l, r, spec, parent)
	if both == nil {
		return nil
	}
	j, ok := both.node.(*Join)
	if !ok || j.Cond == nil {
		b.failf(spec.pos, "FOR SYSTEM_TIME AS OF needs a condition that compares with the key of %s", r.sources[0].name)
		return nil
	}
	both.node = &TemporalJoin{Kind: kind, Left: left, Right: r.node, Time: c.Index, Cond: j.Cond, Out: j.Out}
	return both
}

// stateHints reads STATE_TTL('table' = 'time', ...).
func (b *Binder) stateHints(hints []ast.Hint) {
	for _, h := range hints {
		if h.Name != "STATE_TTL" {
			continue
		}
		b.ttl = map[string]time.Duration{}
		for _, a := range h.Args {
			lit, ok := a.Value.(*ast.Literal)
			if !a.HasKey || !ok {
				b.failf(h.Pos, "STATE_TTL takes 'table' = 'time', ...")
				continue
			}
			d, ok := parseTTL(lit.Text)
			if !ok {
				b.failf(lit.Pos, "cannot read '%s' as a length of time", lit.Text).WithHint("write '1d', '12h', '30min', '10s' or '500ms'")
			}
			b.ttl[a.Key] = d
		}
	}
}

var ttlUnits = map[string]time.Duration{"": time.Millisecond, "ms": time.Millisecond, "milli": time.Millisecond, "s": time.Second,
	"sec": time.Second, "second": time.Second, "m": time.Minute, "min": time.Minute, "minute": time.Minute, "h": time.Hour,
	"hour": time.Hour, "d": 24 * time.Hour, "day": 24 * time.Hour}

// parseTTL reads a length of time as Flink's configuration writes it.
func parseTTL(text string) (time.Duration, bool) {
	text = strings.ToLower(strings.TrimSpace(text))
	digits := strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyz ")
	n, err := strconv.ParseInt(digits, 10, 32)
	word := strings.TrimSpace(text[len(digits):])
	unit, ok := ttlUnits[word]
	if !ok {
		unit, ok = ttlUnits[strings.TrimSuffix(word, "s")]
	}
	return time.Duration(n) * unit, ok && err == nil
}

// ttlOf is the hint for a side of a join that is one table.
func (b *Binder) ttlOf(r *relation) time.Duration {
	if len(r.sources) != 1 {
		return 0
	}
	return b.ttl[r.sources[0].name]
}
