// Package all lists the connectors that come with Flott.
package all

import (
	"github.com/flottio/flott/connector/blackhole"
	"github.com/flottio/flott/connector/datagen"
	"github.com/flottio/flott/connector/filesystem"
	"github.com/flottio/flott/connector/nexmark"
	"github.com/flottio/flott/connector/print"
	"github.com/flottio/flott/sql/table"
)

// Tables are the table connectors, by the names that CREATE TABLE's option 'connector' takes.
var Tables = table.NewRegistry(blackhole.Table{}, datagen.Table{}, filesystem.Factory{}, nexmark.Factory{}, print.Table{})
