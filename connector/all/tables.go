// Package all is the connectors that tables can name.
package all

import (
	"github.com/flottio/flott"
	"github.com/flottio/flott/column"
	"github.com/flottio/flott/connector/blackhole"
	"github.com/flottio/flott/connector/nexmark"
	"github.com/flottio/flott/connector/print"
	"github.com/flottio/flott/sql/table"
)

// Tables are all connectors.
var Tables = table.NewRegistry(nexmark.Factory{}, sinkFactory{"blackhole", blackhole.Sink[*column.Batch]()},
	sinkFactory{"print", print.Sink[*column.Batch]()})

type sinkFactory struct {
	name string
	sink flott.Sink[*column.Batch]
}

func (s sinkFactory) Name() string            { return s.name }
func (s sinkFactory) Options() []table.Option { return nil }
func (s sinkFactory) Sink(d *table.Definition, _ table.Mode) (table.Sink, error) {
	return sink{s.sink}, table.NewOptions(d).Err()
}

type sink struct{ flott.Sink[*column.Batch] }

func (s sink) Mode(q table.Mode) table.Mode { return q }
