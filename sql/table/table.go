// Package table is what a table connector is made of: a Factory by name, which makes sources and sinks of column batches from a table's
// definition. Everything about splits, positions, two phases and bad input is as for flott.Source and flott.Sink; one record of such a source
// is a batch of rows.
package table

import (
	"context"
	"time"

	"github.com/flottio/flott"
	"github.com/flottio/flott/column"
	"github.com/flottio/flott/schema"
)

// Definition is a table as a connector sees it: names resolved, types final.
type Definition struct {
	// Path is catalog.database.name, for messages.
	Path string
	// Columns are the physical columns in order.
	Columns []Column
	// Metadata are the metadata columns that the table declares, by the connector's key.
	Metadata      []Metadata
	PrimaryKey    []int // places in Columns
	PartitionKeys []int
	Options       map[string]string
	// Session is what the session says: time zone, runtime mode, parallelism.
	Zone  *time.Location
	Batch bool
}

// Column is a physical column.
type Column struct {
	Name string
	Type column.Type
}

// Metadata is a declared metadata column.
type Metadata struct {
	Key  string
	Type column.Type
}

// Factory makes the sources and sinks of one connector.
type Factory interface {
	// Name is the value of 'connector'.
	Name() string
	// Options are the keys it knows, for errors and completion; a key that ends in "*" is a prefix.
	Options() []Option
}

// Option is one option of a connector or format.
type Option struct {
	Key, Default, Doc string
	Required          bool
}

// SourceFactory is implemented by connectors that can be read.
type SourceFactory interface {
	Factory
	// Source checks the options, all problems at once, and returns the source. Nothing is opened.
	Source(d *Definition) (Source, error)
}

// SinkFactory is implemented by connectors that can be written.
type SinkFactory interface {
	Factory
	// Sink checks the options, all problems at once, and returns the sink. Nothing is opened. mode is what the query makes.
	Sink(d *Definition, mode Mode) (Sink, error)
}

// Mode is the set of row kinds of a changelog.
type Mode uint8

// The modes.
const (
	// InsertOnly has +I only.
	InsertOnly Mode = iota
	// Upsert has +I, +U and -D by key, without -U.
	Upsert
	// Retract has all kinds.
	Retract
)

// Source reads a table. A record is a batch of rows of one split, not to be used by the reader again. The reader makes batches of about
// column.BatchRows rows and hands over one in a call of Read.
type Source interface {
	flott.Source[*column.Batch]
	// Mode is what the rows are.
	Mode() Mode
	// Project says which columns are wanted: places in the definition's Columns, those from len(Columns) on being Metadata. Called once,
	// before anything runs; the batches then have exactly these, in this order.
	Project(columns []int)
}

// PathProjector is implemented by sources that can leave out fields of rows. It is called instead of Project.
type PathProjector interface {
	// ProjectPaths gives what is wanted: a place as for Project, then the places of fields of nested rows. A field of a row that is NULL
	// is NULL.
	ProjectPaths(paths [][]int)
}

// FilterPusher is implemented by sources that can leave out rows. Rows that do not match may still come.
type FilterPusher interface {
	// PushFilter gives the conjuncts that compare a column with a constant.
	PushFilter(f []Comparison)
}

// Comparison is column <op> value; Op is =, <>, <, <=, >, >=, IS NULL or IS NOT NULL.
type Comparison struct {
	Column int
	Op     string
	Value  any // as column.Vector.At returns it
}

// LimitPusher is implemented by sources that can stop early.
type LimitPusher interface{ PushLimit(rows int64) }

// Paralleler is implemented by sources and sinks with a parallelism of their own; 0 is the job's.
type Paralleler interface{ Parallelism() int }

// Lookup is implemented by sources that can be asked for the rows of a key: lookup joins.
type Lookup interface {
	// NewLookup returns a client that is used by one goroutine of the engine's lane for blocking work.
	NewLookup(keys []int) (LookupClient, error)
}

// LookupClient finds rows by key.
type LookupClient interface {
	// Find appends the rows of each key (a row of keys) to out, and the place of its key to from.
	Find(ctx context.Context, keys *column.Batch, out *column.Batch, from []int32) ([]int32, error)
	Close() error
}

// Sink writes a table. A record is a batch of rows with their kinds.
type Sink interface {
	flott.Sink[*column.Batch]
	// Mode is what it can take for what the query makes: a query that makes more is refused or materialised.
	Mode(query Mode) Mode
}

// Kinds reports whether a mode contains a row kind.
func (m Mode) Kinds(k schema.RowKind) bool {
	switch m {
	case InsertOnly:
		return k == schema.Insert
	case Upsert:
		return k != schema.UpdateBefore
	}
	return true
}
