// Package catalog is what names mean: catalogs, databases, tables, views and functions of a session.
package catalog

import (
	"github.com/flottio/flott/column"
	"github.com/flottio/flott/sql/internal/ast"
)

// Table is a table or a view as it was declared. It is not changed once it is in a catalog: ALTER puts another in its place.
type Table struct {
	Catalog, Database, Name string
	Comment                 string
	Columns                 []Column
	// PrimaryKey are names of columns; the engine trusts them (NOT ENFORCED).
	PrimaryKey    []string
	Watermark     *Watermark
	PartitionedBy []string
	Options       map[string]string
	Temporary     bool
	// View is the query of a view, as its author wrote it; nil for a table.
	View *View
}

// Column is a column of a table: physical, unless it is computed or metadata.
type Column struct {
	Name    string
	Type    column.Type // of a computed column: set when the table is created
	Comment string
	// Computed is the expression of a computed column.
	Computed ast.Expr
	// Metadata is the connector's key of a metadata column; Virtual ones are left out of what is written.
	Metadata string
	Virtual  bool
}

// Watermark is WATERMARK FOR Column AS Expr.
type Watermark struct {
	Column string
	Expr   ast.Expr
}

// View is a named query.
type View struct {
	Query   *ast.Query
	Text    string   // as written, for SHOW CREATE VIEW
	Columns []string // names given to its columns; nil: the query's
	// Catalog and Database are those current when it was created: its names are resolved there.
	Catalog, Database string
}
