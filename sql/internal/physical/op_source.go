package physical

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/sql/internal/catalog"
	"github.com/flottio/flott/sql/internal/exec"
	"github.com/flottio/flott/sql/internal/expr"
	"github.com/flottio/flott/sql/internal/plan"
	"github.com/flottio/flott/sql/table"
)

// sourceOp reads a table.
type sourceOp struct {
	scan *plan.Scan
	src  table.Source
	mark *mark // nil: no event time
}

func (s *sourceOp) path() string {
	t := s.scan.Table
	return t.Catalog + "." + t.Database + "." + t.Name
}

// scan makes the source of a table, and what turns its rows into a changelog that others can take.
func (t *translator) scan(l *plan.Scan, m *mark) (*Node, error) {
	s := &sourceOp{scan: l, mark: m}
	def, err := t.definition(l.Table, l.Hints)
	if err != nil {
		return nil, err
	}
	if s.src, err = t.set.Connectors.Source(def); err != nil {
		return nil, err
	}
	s.push(l)
	n := &Node{Op: s, Out: l.Out, Kinds: Inserts, Bounded: s.src.Bounded(), rows: s.path() + optionText(l.Hints) + pushedText(l)}
	if n.Parallelism, err = parallelism(def, "scan.parallelism", s.src); err != nil {
		return nil, err
	}
	for _, f := range l.Out {
		n.cols = append(n.cols, s.path()+"."+f.Name)
	}
	if m != nil {
		n.Out = slices.Clone(l.Out)
		for i := range n.Out {
			n.Out[i].Type.Attribute = m.out[i].Type.Attribute
		}
	}
	key, hasKey := s.primaryKey()
	if hasKey {
		n.Unique = []Key{key}
	}
	switch s.src.Mode() {
	case table.InsertOnly:
		return t.add(n), nil
	case table.Retract:
		n.Kinds, n.Upsert = all, n.Unique
		return t.add(n), nil
	}
	if !hasKey {
		return nil, fmt.Errorf("table %s makes upserts: its PRIMARY KEY must be among the columns that are read", s.path())
	}
	n.Kinds, n.Upsert = all&^Befores, n.Unique
	return t.normalize(t.add(n), key), nil
}

// push tells the source what is wanted of it.
func (s *sourceOp) push(l *plan.Scan) {
	place := s.places()
	if p, ok := s.src.(table.PathProjector); ok && l.Paths != nil {
		paths := make([][]int, len(l.Paths))
		for i, path := range l.Paths {
			paths[i] = append([]int{place[path[0]]}, path[1:]...)
		}
		p.ProjectPaths(paths)
	} else {
		columns := make([]int, len(l.Columns))
		for i, c := range l.Columns {
			columns[i] = place[c]
		}
		s.src.Project(columns)
	}
	if p, ok := s.src.(table.FilterPusher); ok && len(l.Pushed) > 0 {
		pushed := make([]table.Comparison, len(l.Pushed))
		for i, c := range l.Pushed {
			pushed[i] = table.Comparison{Column: place[c.Column], Op: c.Op, Value: c.Value}
		}
		p.PushFilter(pushed)
	}
	if p, ok := s.src.(table.LimitPusher); ok && l.Limit > 0 {
		p.PushLimit(l.Limit)
	}
}

// places says, for each column of the table, its place as the connector counts: physical columns, then metadata.
func (s *sourceOp) places() []int {
	place := make([]int, len(s.scan.Table.Columns))
	physical := 0
	for i, c := range s.scan.Table.Columns {
		if isPhysical(c) {
			place[i] = physical
			physical++
		}
	}
	for i, c := range s.scan.Table.Columns {
		if c.Metadata != "" {
			place[i] = physical
			physical++
		}
	}
	return place
}

func isPhysical(c catalog.Column) bool { return c.Computed == nil && c.Metadata == "" }

// primaryKey is the key among the columns that are read.
func (s *sourceOp) primaryKey() (Key, bool) {
	var key []int
	for _, name := range s.scan.Table.PrimaryKey {
		at := slices.IndexFunc(s.scan.Out, func(f plan.Field) bool { return f.Name == name })
		if at < 0 || s.scan.Paths != nil && len(s.scan.Paths[at]) > 1 {
			return nil, false
		}
		key = append(key, at)
	}
	return makeKey(key...), len(key) > 0
}

func pushedText(l *plan.Scan) string {
	if len(l.Pushed) == 0 {
		return ""
	}
	parts := make([]string, len(l.Pushed))
	for i, c := range l.Pushed {
		parts[i] = l.Table.Columns[c.Column].Name + " " + c.Op
		if !strings.HasPrefix(c.Op, "IS") {
			parts[i] += " " + fmt.Sprint(c.Value)
		}
	}
	return ", filter=[" + strings.Join(parts, " AND ") + "]"
}

func optionText(o map[string]string) string {
	if len(o) == 0 {
		return ""
	}
	parts := make([]string, 0, len(o))
	for _, k := range slices.Sorted(maps.Keys(o)) {
		parts = append(parts, k+"="+o[k])
	}
	return ", hints=[" + strings.Join(parts, ", ") + "]"
}

func (s *sourceOp) name() string { return "TableSourceScan" }

func (s *sourceOp) describe(n *Node) string {
	t := s.scan.Table
	text := fmt.Sprintf("TableSourceScan(table=[[%s, %s, %s", t.Catalog, t.Database, t.Name)
	if pushed := pushedText(s.scan); pushed != "" {
		text += pushed
	}
	if s.mark != nil {
		text += ", watermark=[" + plan.Text(s.mark.expr, s.scan.Out) + "]"
	}
	if s.scan.Limit > 0 {
		text += fmt.Sprintf(", limit=[%d]", s.scan.Limit)
	}
	return text + "]], fields=[" + fieldNames(n.Out) + "]" + optionText(s.scan.Hints) + ")"
}

func (s *sourceOp) needsBefore(*Node, int, bool) bool { return false }

func (s *sourceOp) stateful() bool { return true }

func (s *sourceOp) attach(b *builder, n *Node) error {
	stream, err := b.source(n, s)
	if err != nil {
		return err
	}
	types := n.Out.Types()
	b.attached(n, stream, func() operator.Operator { return &exec.Unwrap{Types: types} })
	return nil
}

// definition is a table as its connector sees it.
func (t *translator) definition(c *catalog.Table, hints map[string]string) (*table.Definition, error) {
	d := &table.Definition{Path: c.Catalog + "." + c.Database + "." + c.Name, Options: map[string]string{}, Zone: t.set.Env.Zone, Batch: t.set.Batch}
	for k, v := range c.Options {
		d.Options[k] = v
	}
	for k, v := range hints {
		d.Options[k] = v
	}
	at := map[string]int{}
	for _, col := range c.Columns {
		switch {
		case col.Metadata != "":
			d.Metadata = append(d.Metadata, table.Metadata{Key: col.Metadata, Type: col.Type})
		case col.Computed == nil:
			at[col.Name] = len(d.Columns)
			d.Columns = append(d.Columns, table.Column{Name: col.Name, Type: col.Type})
		}
	}
	for _, names := range []struct {
		from []string
		to   *[]int
		what string
	}{{c.PrimaryKey, &d.PrimaryKey, "PRIMARY KEY"}, {c.PartitionedBy, &d.PartitionKeys, "PARTITIONED BY"}} {
		for _, name := range names.from {
			i, ok := at[name]
			if !ok {
				return nil, fmt.Errorf("table %s: %s names the column %s, which is not a physical column", d.Path, names.what, name)
			}
			*names.to = append(*names.to, i)
		}
	}
	return d, nil
}

// parallelism is that of a table's source or sink: what the option says, or what the connector wants; 0 is the job's.
func parallelism(d *table.Definition, option string, connector any) (int, error) {
	if text, ok := d.Options[option]; ok {
		n, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil || n < 1 {
			return 0, fmt.Errorf("table %s: '%s' = '%s': expected a whole number of at least 1", d.Path, option, text)
		}
		return n, nil
	}
	if p, ok := connector.(table.Paralleler); ok {
		return p.Parallelism(), nil
	}
	return 0, nil
}

// mark is a table's watermark over the columns that its source makes.
type mark struct {
	expr expr.Expr
	out  plan.Schema // of the scan, with the rowtime marked
	// time is the place of the rowtime if it is a column as it is, -1 if it is computed.
	time int
}

// watermark puts the declaration of event time at the source, where splits are told apart.
func (t *translator) watermark(l *plan.Watermark) (*Node, error) {
	scan, project := l.Input, (*plan.Project)(nil)
	if p, ok := scan.(*plan.Project); ok {
		scan, project = p.Input, p
	}
	s, ok := scan.(*plan.Scan)
	if !ok {
		return nil, notYet("a WATERMARK over something that is no table")
	}
	m := &mark{expr: l.Expr, out: slices.Clone(s.Out), time: -1}
	rowtime := expr.Expr(&expr.Column{Index: l.Time, Of: l.Out[l.Time].Type})
	if project != nil {
		m.expr, rowtime = substitute(l.Expr, project.Exprs), project.Exprs[l.Time]
	}
	if c, ok := rowtime.(*expr.Column); ok {
		m.time = c.Index
		m.out[c.Index].Type.Attribute = column.Rowtime
	}
	m.expr = expr.Coerce(m.expr, m.expr.Type())
	if t.set.Batch {
		m.expr = nil
	}
	n, err := t.scan(s, m)
	if err != nil {
		return nil, err
	}
	if project == nil {
		return n, nil
	}
	return t.calc(n, nil, project.Exprs, l.Out), nil
}

// substitute puts expressions in the place of the columns.
func substitute(e expr.Expr, by []expr.Expr) expr.Expr {
	return expr.Map(e, func(c *expr.Column) expr.Expr { return by[c.Index] })
}
