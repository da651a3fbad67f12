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

// Error is what is wrong with a statement, at a place in it; Errors are several.
type (
	Error  = catalog.Error
	Errors = catalog.Errors
)

// Binder gives names of a tree their meaning and makes logical nodes of it. It collects what is wrong instead of stopping at the first
// mistake. A Binder is for one statement and one goroutine.
type Binder struct {
	Session *catalog.Session
	// Zone is table.local-time-zone; nil is UTC.
	Zone *time.Location
	// Batch says that inputs end: windows take any timestamp then, not only time attributes.
	Batch bool

	errs  []*Error
	ctes  []*cte
	views map[*Table]Node          // bound once; nil while it is being bound
	ttl   map[string]time.Duration // of STATE_TTL hints, by table
}

// cte is a table of WITH.
type cte struct {
	name  string
	node  Node
	outer bool // it may not be seen: bound while its own query is
}

// fail records a mistake.
func (b *Binder) fail(e *Error) { b.errs = append(b.errs, e) }

func (b *Binder) failf(pos ast.Pos, format string, args ...any) *Error {
	e := catalog.Errorf(pos, format, args...)
	b.fail(e)
	return e
}

// notYet records something that is read but cannot run yet.
func (b *Binder) notYet(pos ast.Pos, what string) { b.failf(pos, "%s is not supported yet", what) }

// result returns the node, or all that was wrong in the order of the text.
func (b *Binder) result(n Node) (Node, error) {
	if err := b.Err(); err != nil {
		return nil, err
	}
	return n, nil
}

// Err returns what was wrong so far; nil if nothing was.
func (b *Binder) Err() error {
	if len(b.errs) == 0 {
		return nil
	}
	slices.SortStableFunc(b.errs, func(x, y *Error) int { return int(x.Pos.Offset - y.Pos.Offset) })
	errs := slices.CompactFunc(b.errs, func(x, y *Error) bool { return x.Pos == y.Pos && x.Message == y.Message })
	return Errors(errs)
}

// Query binds a query. The error is of type Errors.
func (b *Binder) Query(q *ast.Query) (Node, error) {
	return b.result(b.query(q, nil))
}

// relation is a table expression that was bound: a node, and how its columns can be named.
type relation struct {
	node Node
	// columns are what * means and what names without a table are looked up in.
	columns []named
	// sources are the tables that names can be qualified by.
	sources []source
}

// named is a column that can be named; x is over the node's columns.
type named struct {
	name string
	x    expr.Expr
}

// source is a table, view, subquery or function in FROM.
type source struct {
	name    string
	path    catalog.Path // zero with an alias and for what is no table
	columns []named
}

func columnOf(s Schema, i int) *expr.Column {
	return &expr.Column{Index: i, Of: s[i].Type, Name: s[i].Name}
}

func namedColumns(s Schema) []named {
	out := make([]named, len(s))
	for i := range s {
		out[i] = named{s[i].Name, columnOf(s, i)}
	}
	return out
}

// relationOf is a node under a name.
func relationOf(n Node, name string, path catalog.Path) *relation {
	cols := namedColumns(n.Schema())
	return &relation{node: n, columns: cols, sources: []source{{name, path, cols}}}
}

// mapColumns applies f to what every column stands for.
func (r *relation) mapColumns(f func(expr.Expr) expr.Expr) {
	apply := func(cols []named) []named {
		out := make([]named, len(cols))
		for i, c := range cols {
			out[i] = named{c.name, f(c.x)}
		}
		return out
	}
	r.columns = apply(r.columns)
	sources := make([]source, len(r.sources))
	for i, s := range r.sources {
		sources[i] = source{s.name, s.path, apply(s.columns)}
	}
	r.sources = sources
}

// scope is what expressions of one SELECT can see.
type scope struct {
	b      *Binder
	rel    *relation
	parent *scope // of the query around
	// clause names the part of the query that is being bound, for errors.
	clause string
	// group collects aggregates; nil where there can be none. overs collects window functions; nil where there can be none.
	group  *grouping
	overs  *overs
	inAgg  bool
	noSubs bool // no subqueries here
	// aliases are the SELECT list's names, for ORDER BY and QUALIFY, and as a last resort for GROUP BY and HAVING.
	aliases []named
	lambda  []named
	pos     map[*expr.Column]ast.Pos
	windows []ast.NamedWindow
}

func (b *Binder) newScope(rel *relation, parent *scope) *scope {
	return &scope{b: b, rel: rel, parent: parent, pos: map[*expr.Column]ast.Pos{}}
}

// in returns the scope for another part of the query.
func (s *scope) in(clause string) *scope {
	t := *s
	t.clause = clause
	return &t
}

// outer is a column of a query around: Level 1 is the next one.
type outer struct {
	level int
	col   *expr.Column
}

// Type implements expr.Expr.
func (o *outer) Type() column.Type { return o.col.Of }

// String implements expr.Expr.
func (o *outer) String() string { return fmt.Sprintf("outer%d.%s", o.level, o.col) }

// hasOuter reports whether e reads columns of a query around.
func hasOuter(e expr.Expr) bool {
	found := false
	expr.Walk(e, func(e expr.Expr) bool {
		switch e := e.(type) {
		case *outer:
			found = true
		case *subRef:
			found = found || e.escapes()
		}
		return !found
	})
	return found
}

// plural is "1 column", "2 columns".
func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func quoteNames(names []string) string { return strings.Join(names, ", ") }
