package datagen

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/flottio/flott"
	"github.com/flottio/flott/column"
	"github.com/flottio/flott/sql/table"
)

// Table is the table connector 'datagen': rows of random values or sequences, each column as its options say. A value depends on the row's number
// alone, so that rows are exactly once over every restart and any parallelism; only points in time depend on the clock.
type Table struct {
	// Now is the clock in milliseconds since the epoch; nil: this machine's. For tests.
	Now func() int64
}

var _ table.SourceFactory = Table{}

// Name implements table.Factory.
func (Table) Name() string { return "datagen" }

// Options implements table.Factory.
func (Table) Options() []table.Option {
	return []table.Option{
		{Key: "rows-per-second", Default: "10000", Doc: "rows that all subtasks make in a second"},
		{Key: "number-of-rows", Default: "", Doc: "rows in all; without it, and without a sequence, the table never ends"},
		{Key: "fields.*", Doc: "fields.<column>.kind, min, max, max-past, length, var-len, start, end, null-rate"},
	}
}

// fieldOptions are what fields.<column>. may be followed by.
func fieldOptions(name string) []table.Option {
	var all []table.Option
	for _, o := range []table.Option{
		{Key: "kind", Default: "random", Doc: "random or sequence"}, {Key: "min", Doc: "least random number; default: the type's"},
		{Key: "max", Doc: "largest random number; default: the type's"}, {Key: "max-past", Default: "0", Doc: "how far before now random times are"},
		{Key: "length", Default: "100", Doc: "characters, bytes or elements; of collections 3"},
		{Key: "var-len", Default: "false", Doc: "lengths from 1 to length instead of exactly length"},
		{Key: "start", Doc: "first number of the sequence"}, {Key: "end", Doc: "last number of the sequence"},
		{Key: "null-rate", Default: "0", Doc: "share of NULLs from 0 to 1"},
	} {
		o.Key = "fields." + name + "." + o.Key
		all = append(all, o)
	}
	return all
}

// Source implements table.SourceFactory.
func (t Table) Source(d *table.Definition) (table.Source, error) {
	o := table.NewOptions(d, t.Options()[:2]...)
	s := &tableSource{rows: math.MaxInt64, perSecond: o.Int("rows-per-second", 1, 1_000_000_000), now: t.Now}
	s.Own = o.Own("scan.parallelism")
	if s.now == nil {
		s.now = func() int64 { return time.Now().UnixMilli() }
	}
	if o.Given("number-of-rows") {
		s.rows = o.Int("number-of-rows", 0, math.MaxInt64/2)
	}
	for i, c := range d.Columns {
		m := maker{t: c.Type, salt: uint64(i+1) * 0xd1342543de82ef95, now: s.now}
		s.known(o, "fields."+c.Name+".", &m, c)
		s.makers = append(s.makers, m)
	}
	if err := o.Err(); err != nil {
		return nil, err
	}
	var all []int
	for i := range d.Columns {
		all = append(all, i)
	}
	s.Project(all)
	return s, nil
}

// known reads the options of a column, and of the fields of rows.
func (s *tableSource) known(o *table.Options, prefix string, m *maker, c table.Column) {
	name := strings.TrimSuffix(strings.TrimPrefix(prefix, "fields."), ".")
	o.Know(fieldOptions(name)...)
	m.nullRate = uint64(o.Float(prefix+"null-rate", 0, 1) * (1 << 32))
	m.maxPastMs = o.Duration(prefix + "max-past").Milliseconds()
	m.varying = o.Bool(prefix + "var-len")
	if o.OneOf(prefix+"kind", "random", "sequence") == "sequence" {
		s.sequence(o, prefix, m, c)
		return
	}
	m.length = o.Int(prefix+"length", 0, 1<<20)
	if !o.Given(prefix + "length") {
		switch c.Type.ID {
		case column.Array, column.Map, column.Multiset:
			m.length = 3
		case column.Char, column.Binary:
			m.length = int64(c.Type.Precision)
		case column.Varchar, column.Varbinary:
			m.length = min(m.length, int64(c.Type.Precision))
		}
	}
	m.bounds(o, prefix)
	switch c.Type.ID {
	case column.Row:
		for k, f := range c.Type.Fields {
			kid := maker{t: f.Type, salt: m.salt + uint64(k+1)*0x9e3779b97f4a7c15, now: m.now}
			s.known(o, prefix+f.Name+".", &kid, table.Column{Name: c.Name + "." + f.Name, Type: f.Type})
			m.kids = append(m.kids, kid)
		}
	case column.Array, column.Map, column.Multiset:
		parts := []column.Type{*c.Type.Elem}
		if c.Type.ID == column.Map {
			parts = []column.Type{*c.Type.Key, *c.Type.Elem}
		} else if c.Type.ID == column.Multiset {
			parts = append(parts, column.Of(column.Int))
		}
		for k, t := range parts {
			kid := maker{t: t, salt: m.salt + uint64(k+1)*0x9e3779b97f4a7c15, now: m.now, length: 100}
			kid.defaults()
			m.kids = append(m.kids, kid)
		}
	}
	if !supported(c.Type) {
		o.Add(fmt.Errorf("column %s: datagen cannot make values of type %s", c.Name, c.Type))
	}
}

func supported(t column.Type) bool {
	return t.ID >= column.Boolean && t.ID <= column.Row
}

// sequence reads the options of a sequence. It ends the table.
func (s *tableSource) sequence(o *table.Options, prefix string, m *maker, c table.Column) {
	if !c.Type.IsNumeric() && !c.Type.IsText() {
		o.Add(fmt.Errorf("column %s: a sequence has numbers or text, not %s", c.Name, c.Type))
		return
	}
	for _, key := range []string{"start", "end"} {
		if !o.Given(prefix + key) {
			o.Add(fmt.Errorf("'%s%s' is missing: a sequence has 'start' and 'end'", prefix, key))
			return
		}
	}
	m.sequence = true
	m.min = o.Int(prefix+"start", math.MinInt64, math.MaxInt64)
	end := o.Int(prefix+"end", math.MinInt64, math.MaxInt64)
	if end < m.min || uint64(end)-uint64(m.min) >= math.MaxInt64/2 {
		o.Bad(prefix+"end", "at least 'start', and not too far from it")
		return
	}
	s.rows = min(s.rows, end-m.min+1)
}

// tableSource makes rows in blocks.
type tableSource struct {
	flott.Source[*column.Batch]
	table.Own
	makers    []maker
	rows      int64
	perSecond int64
	block     int64 // rows in one
	wanted    []int
	now       func() int64
}

// Mode implements table.Source.
func (s *tableSource) Mode() table.Mode { return table.InsertOnly }

// PushLimit implements table.LimitPusher.
func (s *tableSource) PushLimit(rows int64) {
	s.rows = min(s.rows, rows)
	s.Project(s.wanted)
}

// blocksPerSecond is how often a rate above it makes a block.
const blocksPerSecond = 100

// Project implements table.Source. A block is what the rate makes in a hundredth of a second.
func (s *tableSource) Project(columns []int) {
	s.wanted = columns
	s.block = min(max(1, s.perSecond/blocksPerSecond), column.BatchRows)
	src := &source[*column.Batch]{make: s.rowsOf}
	src.cfg = options{rows: math.MaxInt64, atOnce: 1, perSec: float64(s.perSecond) / float64(s.block)}
	if s.rows < math.MaxInt64/2 {
		src.cfg.rows, src.cfg.bounded = (s.rows+s.block-1)/s.block, true
	}
	s.Source = src
}

// rowsOf makes block n. It is called by several goroutines at once.
func (s *tableSource) rowsOf(n int64) *column.Batch {
	from := n * s.block
	to := from + min(s.block, s.rows-from)
	b := &column.Batch{N: int(to - from)}
	for _, c := range s.wanted {
		v := column.New(s.makers[c].t)
		v.Reserve(b.N)
		for i := from; i < to; i++ {
			s.makers[c].append(v, uint64(i))
		}
		b.Cols = append(b.Cols, v)
	}
	return b
}
