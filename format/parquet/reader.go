package parquet

import (
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"
	parquetformat "github.com/parquet-go/parquet-go/format"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/format"
)

// fileReader reads the wanted fields of a file, row group by row group.
type fileReader struct {
	file   *parquet.File
	fields []*node // nil: the file does not have it
	leaves []*leaf
	groups []parquet.RowGroup
	next   int   // row group
	left   int64 // rows of the open one
	arena  format.Arena
}

// node is a wanted value in the file.
type node struct {
	first *leaf // of those below it: their levels say whether it is there
	all   []*leaf
	def   int // definition level from which on it is there
	rep   int // of a list: repetition level of further elements
	elems int // of a list: definition level from which on it has elements
	kids  []*node
	leaf  *leaf // nil: it has kids
}

// OpenFile implements format.FileFormat.
func (f *fileFormat) OpenFile(in io.ReaderAt, size int64, fields []int) (format.FileReader, error) {
	file, err := openFile(in, size)
	if err != nil {
		return nil, fmt.Errorf("it is no Parquet file, or damaged: %w", err)
	}
	r := &fileReader{file: file, groups: file.RowGroups()}
	var errs []error
	for _, at := range fields {
		c := file.Root().Column(f.fields[at].Name)
		if c == nil {
			r.fields = append(r.fields, nil)
			continue
		}
		n, err := r.node(f.fields[at].Type, c)
		if err != nil {
			errs = append(errs, fmt.Errorf("column %s: %w", f.fields[at].Name, err))
		}
		r.fields = append(r.fields, n)
	}
	return r, errors.Join(errs...)
}

// openFile makes errors of what damaged files make the library panic with.
func openFile(in io.ReaderAt, size int64) (file *parquet.File, err error) {
	defer recovered(&err)
	return parquet.OpenFile(in, size, parquet.SkipBloomFilters(true), parquet.SkipPageIndex(true))
}

func recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%v", p)
	}
}

// node finds a type's values in a column of the file.
func (r *fileReader) node(t column.Type, c *parquet.Column) (*node, error) {
	n := &node{def: c.MaxDefinitionLevel()}
	add := func(t column.Type, c *parquet.Column) error {
		kid, err := r.node(t, c)
		if err != nil {
			return err
		}
		n.kids = append(n.kids, kid)
		n.all = append(n.all, kid.all...)
		return nil
	}
	switch t.ID {
	case column.Array:
		list, elem := listOf(c)
		if elem == nil {
			return nil, fmt.Errorf("the file has no list there, but %s", c)
		}
		n.rep, n.elems = list.MaxRepetitionLevel(), list.MaxDefinitionLevel()
		if err := add(*t.Elem, elem); err != nil {
			return nil, fmt.Errorf("elements: %w", err)
		}
	case column.Map, column.Multiset:
		if len(c.Columns()) != 1 || len(c.Columns()[0].Columns()) != 2 || !c.Columns()[0].Repeated() {
			return nil, fmt.Errorf("the file has no map there, but %s", c)
		}
		pairs := c.Columns()[0]
		n.rep, n.elems = pairs.MaxRepetitionLevel(), pairs.MaxDefinitionLevel()
		key, value := t.MapTypes()
		if err := errors.Join(add(key, pairs.Columns()[0]), add(value, pairs.Columns()[1])); err != nil {
			return nil, err
		}
	case column.Row:
		for _, f := range t.Fields {
			kid := c.Column(f.Name)
			if kid == nil {
				n.kids = append(n.kids, nil)
			} else if err := add(f.Type, kid); err != nil {
				return nil, fmt.Errorf("field %s: %w", f.Name, err)
			}
		}
		if len(n.all) == 0 {
			return nil, fmt.Errorf("the file has none of its fields, but %s", c)
		}
	default:
		if !c.Leaf() {
			return nil, fmt.Errorf("the table says %s, the file has %s", t, c)
		}
		l, err := r.newLeaf(t, c)
		if err != nil {
			return nil, err
		}
		n.leaf, n.all = l, []*leaf{l}
	}
	n.first = n.all[0]
	return n, nil
}

// listOf finds the repeated group and the elements of a list, also in the two-level form of old writers.
func listOf(c *parquet.Column) (list, elem *parquet.Column) {
	if c.Repeated() {
		return c, c
	}
	if len(c.Columns()) != 1 || !c.Columns()[0].Repeated() {
		return nil, nil
	}
	list = c.Columns()[0]
	if list.Leaf() || len(list.Columns()) != 1 {
		return list, list
	}
	return list, list.Columns()[0]
}

// Rows implements format.FileReader.
func (r *fileReader) Rows() int64 { return r.file.NumRows() }

// SeekRow implements format.FileReader.
func (r *fileReader) SeekRow(row int64) (err error) {
	defer recovered(&err)
	if err := r.Close(); err != nil {
		return err
	}
	r.left = 0
	for r.next = 0; r.next < len(r.groups); {
		n := r.groups[r.next].NumRows()
		if row < n {
			return r.open(row)
		}
		row -= n
		r.next++
	}
	if row > 0 {
		return errors.New("the file has fewer rows than were read before: it was changed")
	}
	return nil
}

// open begins the next row group at a row.
func (r *fileReader) open(row int64) error {
	g := r.groups[r.next]
	r.next++
	r.left = g.NumRows() - row
	chunks := g.ColumnChunks()
	for _, l := range r.leaves {
		if err := l.open(chunks[l.column].Pages(), row); err != nil {
			return err
		}
	}
	return nil
}

// Read implements format.FileReader.
func (r *fileReader) Read(b *column.Batch, n int) (rows int, err error) {
	defer recovered(&err)
	for r.left == 0 {
		if r.next == len(r.groups) {
			return 0, nil
		}
		if err := errors.Join(r.Close(), r.open(0)); err != nil {
			return 0, err
		}
	}
	n = int(min(int64(n), r.left))
	for i, f := range r.fields {
		v := b.Cols[i]
		switch {
		case f == nil:
			v.Nulls(n)
		case f.leaf != nil && f.leaf.maxRep == 0:
			err = f.leaf.many(v, n)
		default:
			for range n {
				if err = f.read(v); err != nil {
					break
				}
			}
		}
		if err != nil {
			return 0, err
		}
	}
	r.left -= int64(n)
	b.N += n
	return n, nil
}

// read appends the next value of the node to v.
func (n *node) read(v *column.Vector) error {
	if n.leaf != nil {
		return n.leaf.one(v)
	}
	_, def, err := n.first.levels()
	if err != nil {
		return err
	}
	if n.elems == 0 {
		return n.readRow(v, def)
	}
	if def < n.elems {
		if def < n.def || n.def == n.elems {
			v.Null()
		} else {
			v.EndList()
		}
		return n.skip()
	}
	for {
		for k, kid := range n.kids {
			if err := kid.read(v.Kids[k]); err != nil {
				return err
			}
		}
		rep, _, err := n.first.levels()
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if err != nil || rep < n.rep {
			v.EndList()
			return nil
		}
	}
}

func (n *node) readRow(v *column.Vector, def int) error {
	if def < n.def {
		v.Null()
		return n.skip()
	}
	for k, kid := range n.kids {
		if kid == nil {
			v.Kids[k].Null()
		} else if err := kid.read(v.Kids[k]); err != nil {
			return err
		}
	}
	v.One()
	return nil
}

// skip passes over one entry of every leaf: that which says that the value is not there.
func (n *node) skip() error {
	for _, l := range n.all {
		if _, err := l.next(); err != nil {
			return err
		}
	}
	return nil
}

// Close implements format.FileReader.
func (r *fileReader) Close() error {
	var errs []error
	for _, l := range r.leaves {
		errs = append(errs, l.close())
	}
	return errors.Join(errs...)
}

// logical is a column's logical type; nil if it has none.
func logical(c *parquet.Column) *parquetformat.LogicalType { return c.Type().LogicalType() }
