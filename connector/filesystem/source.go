package filesystem

import (
	"path/filepath"
	"regexp"
	"slices"

	"github.com/flottio/flott"
	"github.com/flottio/flott/column"
	"github.com/flottio/flott/connector/file"
	"github.com/flottio/flott/sql/table"
)

// source reads the table. What is pushed down makes it anew.
type source struct {
	flott.Source[*column.Batch]
	table.Own
	layout  *layout
	columns file.Columns
	opts    []file.SourceOption
	pattern *regexp.Regexp // nil: all
	filters []table.Comparison
	wanted  []int
}

var (
	_ table.Source          = (*source)(nil)
	_ table.FilterPusher    = (*source)(nil)
	_ table.LimitPusher     = (*source)(nil)
	_ table.WatermarkPusher = (*source)(nil)
)

// Mode implements table.Source.
func (s *source) Mode() table.Mode { return table.InsertOnly }

// Project implements table.Source.
func (s *source) Project(columns []int) {
	s.wanted = columns
	s.build()
}

// PushFilter implements table.FilterPusher: files of other partitions are left out.
func (s *source) PushFilter(f []table.Comparison) {
	for _, c := range f {
		if c.Op == "=" && slices.Contains(s.layout.keys, c.Column) {
			s.filters = append(s.filters, c)
		}
	}
	s.build()
}

// PushLimit implements table.LimitPusher.
func (s *source) PushLimit(rows int64) {
	s.columns.Limit = rows
	s.build()
}

// PushWatermark implements table.WatermarkPusher.
func (s *source) PushWatermark(column int, delayMs, everyMs int64) {
	s.columns.NewCutter = func() file.Cutter {
		c := table.NewCutter(column, delayMs, everyMs)
		return &c
	}
	s.build()
}

func (s *source) build() {
	l, c := s.layout, s.columns
	c.Fields, c.Types, c.Order = nil, nil, nil
	var extras []int // places in wanted
	for at, i := range s.wanted {
		if stored := slices.Index(l.stored, i); stored >= 0 {
			c.Fields = append(c.Fields, stored)
			c.Types = append(c.Types, l.def.Columns[i].Type)
			c.Order = append(c.Order, at)
		} else {
			extras = append(extras, at)
		}
	}
	for _, at := range extras {
		c.Types = append(c.Types, s.typeOf(s.wanted[at]))
		c.Order = append(c.Order, at)
	}
	if len(extras) > 0 {
		c.Extra = func(f file.File) ([]any, error) { return s.extra(extras, f) }
	}
	if c.Order == nil {
		c.Order = []int{}
	}
	opts := s.opts
	if s.pattern != nil || len(s.filters) > 0 {
		opts = append(slices.Clone(opts), file.Filter(s.matches))
	}
	s.Source = file.ColumnSource(l.dir, c, opts...)
}

func (s *source) typeOf(i int) column.Type {
	if n := len(s.layout.def.Columns); i >= n {
		return s.layout.def.Metadata[i-n].Type
	}
	return s.layout.def.Columns[i].Type
}

// extra is what a file's rows have in common: partition values and metadata.
func (s *source) extra(places []int, f file.File) ([]any, error) {
	values := make([]any, len(places))
	for k, at := range places {
		i := s.wanted[at]
		if n := len(s.layout.def.Columns); i >= n {
			values[k] = metadataOf(s.layout.def.Metadata[i-n].Key, f)
			continue
		}
		v, err := s.layout.value(i, f.Path)
		if err != nil {
			return nil, err
		}
		values[k] = v
	}
	return values, nil
}

// matches reports whether a file is of the table, and of the partitions that are asked for. A path without partitions is left for the reader to
// complain about.
func (s *source) matches(path string) bool {
	if s.pattern != nil {
		abs, err := filepath.Abs(path)
		if err != nil || !s.pattern.MatchString(filepath.ToSlash(abs)) {
			return false
		}
	}
	for _, c := range s.filters {
		if v, err := s.layout.value(c.Column, path); err == nil && v != c.Value {
			return false
		}
	}
	return true
}
