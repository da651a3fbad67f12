package ast

// ObjectKind is what CREATE, ALTER and DROP are about.
type ObjectKind uint8

// The kinds of objects.
const (
	TableObject ObjectKind = iota
	ViewObject
	DatabaseObject
	CatalogObject
	FunctionObject
	ModelObject
	MaterializedTableObject
	ConnectionObject
	JobObject
)

var objectNames = [...]string{"TABLE", "VIEW", "DATABASE", "CATALOG", "FUNCTION", "MODEL", "MATERIALIZED TABLE", "CONNECTION", "JOB"}

// String is the keyword.
func (k ObjectKind) String() string { return objectNames[k] }

// CreateTable is CREATE [OR REPLACE] [TEMPORARY] TABLE, and REPLACE TABLE, of all forms.
type CreateTable struct {
	Pos
	Temporary   bool
	OrReplace   bool // CREATE OR REPLACE TABLE
	Replace     bool // REPLACE TABLE
	IfNotExists bool
	Name        Path
	Elements    TableElements
	// Names are the columns of CREATE TABLE t (a, b) AS SELECT, which gives only their order.
	Names         []Name
	Comment       *String       // may be nil
	Distribution  *Distribution // may be nil
	PartitionedBy []Name
	Options       []Option
	Like          *TableLike // may be nil
	As            *Query     // may be nil
}

// TableElements are what stands in the parentheses of a table, each list in its written order.
type TableElements struct {
	Columns     []*ColumnDef
	Constraints []*Constraint
	Watermarks  []*WatermarkDef
	// Distribution is set in ALTER TABLE only.
	Distribution *Distribution
}

// ColumnDef is a column: physical if only Type is set, computed if Computed is, of metadata if Metadata is.
type ColumnDef struct {
	Pos
	Name     Path // of more than one part in ALTER TABLE, for a nested field
	Type     *TypeName
	Computed Expr
	Metadata *Metadata
	// Constraint is PRIMARY KEY or UNIQUE written at the column; may be nil.
	Constraint *Constraint
	Comment    *String // may be nil
	// First and After are the place in ALTER TABLE.
	First bool
	After Path
}

// Metadata is METADATA [FROM 'key'] [VIRTUAL].
type Metadata struct {
	Pos
	From    *String // may be nil
	Virtual bool
}

// Constraint is [CONSTRAINT Name] PRIMARY KEY|UNIQUE (Columns) [[NOT] ENFORCED]. Columns is empty at a column.
type Constraint struct {
	Pos
	Name        Name // Text is empty if there is none
	Unique      bool // UNIQUE, which is parsed and refused later; otherwise PRIMARY KEY
	Columns     []Name
	Enforcement Enforcement
}

// Enforcement is what was written behind a constraint.
type Enforcement uint8

// The enforcements; the zero value is that nothing was written.
const (
	EnforcementDefault Enforcement = iota
	Enforced
	NotEnforced
)

// WatermarkDef is WATERMARK FOR Column AS X.
type WatermarkDef struct {
	Pos
	Column Path
	X      Expr
}

// Distribution is DISTRIBUTED [BY [HASH|RANGE] (Columns)] [INTO n BUCKETS].
type Distribution struct {
	Pos
	Kind    string // HASH, RANGE or empty
	Columns []Name
	Buckets int // 0 if not written
}

// TableLike is LIKE Table (options).
type TableLike struct {
	Pos
	Table   Path
	Options []LikeOption
}

// LikeOption is INCLUDING|EXCLUDING|OVERWRITING What, both in upper case.
type LikeOption struct {
	Pos
	Action, What string
}

// CreateView is CREATE [TEMPORARY] VIEW.
type CreateView struct {
	Pos
	Temporary, OrReplace, IfNotExists bool
	Name                              Path
	Columns                           []ViewColumn
	Comment                           *String // may be nil
	Query                             *Query
}

// ViewColumn is a column's name in a view.
type ViewColumn struct {
	Name    Name
	Comment *String // may be nil
}

// CreateCatalog is CREATE CATALOG.
type CreateCatalog struct {
	Pos
	IfNotExists bool
	Name        Name
	Comment     *String // may be nil
	Options     []Option
}

// CreateDatabase is CREATE DATABASE.
type CreateDatabase struct {
	Pos
	IfNotExists bool
	Name        Path
	Comment     *String // may be nil
	Options     []Option
}

// CreateFunction is CREATE [TEMPORARY [SYSTEM]] FUNCTION.
type CreateFunction struct {
	Pos
	Temporary, System, IfNotExists bool
	Name                           Path
	Class                          String
	Language                       string       // in upper case; empty if not written
	Using                          []UsingEntry // USING JAR 'path', ...
	Options                        []Option
}

// UsingEntry is JAR|FILE|ARCHIVE|ARTIFACT 'path' behind USING.
type UsingEntry struct {
	Pos
	Kind string
	Path String
}

// CreateModel is CREATE [TEMPORARY] MODEL Name INPUT (...) OUTPUT (...) [COMMENT] WITH (...).
type CreateModel struct {
	Pos
	Temporary, OrReplace, IfNotExists bool
	Name                              Path
	Input, Output                     []*ColumnDef
	Comment                           *String // may be nil
	Options                           []Option
	As                                *Query // may be nil
}

// CreateMaterializedTable is CREATE [OR ALTER] MATERIALIZED TABLE.
type CreateMaterializedTable struct {
	Pos
	OrAlter       bool
	IfNotExists   bool
	Name          Path
	Elements      TableElements
	Names         []Name
	Comment       *String // may be nil
	Distribution  *Distribution
	PartitionedBy []Name
	Options       []Option
	Freshness     *Interval // may be nil
	RefreshMode   string    // FULL, CONTINUOUS or empty
	StartMode     *StartMode
	As            *Query
}

// StartMode is START_MODE = Kind[(X)].
type StartMode struct {
	Pos
	Kind string
	X    Expr // may be nil
}

// CreateConnection is CREATE [TEMPORARY [SYSTEM]] CONNECTION.
type CreateConnection struct {
	Pos
	Temporary, System, IfNotExists bool
	Name                           Path
	Comment                        *String // may be nil
	Options                        []Option
}

// Drop is DROP of any kind.
type Drop struct {
	Pos
	Kind              ObjectKind
	Temporary, System bool
	IfExists          bool
	Name              Path
	Cascade           bool
	Restrict          bool
}

// Alter is ALTER of any kind.
type Alter struct {
	Pos
	Kind              ObjectKind
	Temporary, System bool // of ALTER FUNCTION
	IfExists          bool
	Name              Path
	Action            AlterAction
}

// AlterAction is what ALTER does.
type AlterAction interface {
	Node
	alter()
}

// RenameTo is RENAME TO Name.
type RenameTo struct {
	Pos
	Name Path
}

// RenameColumn is RENAME From TO To.
type RenameColumn struct {
	Pos
	From Path
	To   Name
}

// AddElements is ADD (...) and MODIFY (...).
type AddElements struct {
	Pos
	Modify   bool
	Elements TableElements
}

// DropColumns is DROP (a, b).
type DropColumns struct {
	Pos
	Columns []Path
}

// DropElement is DROP PRIMARY KEY, DROP CONSTRAINT Name, DROP WATERMARK, DROP DISTRIBUTION.
type DropElement struct {
	Pos
	What string // those keywords
	Name Name   // of CONSTRAINT
}

// SetOptions is SET ('k' = 'v').
type SetOptions struct {
	Pos
	Options []Option
}

// ResetOptions is RESET ('k').
type ResetOptions struct {
	Pos
	Keys []String
}

// SetComment is COMMENT 'text'.
type SetComment struct {
	Pos
	Comment String
}

// AddPartitions is ADD [IF NOT EXISTS] PARTITION (...) [WITH (...)] ...
type AddPartitions struct {
	Pos
	IfNotExists bool
	Partitions  []PartitionSpec
}

// PartitionSpec is a partition with its options.
type PartitionSpec struct {
	Pos
	Values  []PartitionValue
	Options []Option
}

// DropPartitions is DROP [IF EXISTS] PARTITION (...), PARTITION (...).
type DropPartitions struct {
	Pos
	IfExists   bool
	Partitions []PartitionSpec
}

// RenamePartition is PARTITION (...) RENAME TO PARTITION (...).
type RenamePartition struct {
	Pos
	From, To []PartitionValue
}

// AsQuery is AS Query, of views and materialized tables.
type AsQuery struct {
	Pos
	Query     *Query
	StartMode *StartMode // may be nil
}

// SetFunction is AS 'class' [LANGUAGE l].
type SetFunction struct {
	Pos
	Class    String
	Language string
}

// Suspend is SUSPEND of a materialized table.
type Suspend struct{ Pos }

// Resume is RESUME [WITH (...)] of a materialized table.
type Resume struct {
	Pos
	Options []Option
}

// Refresh is REFRESH [PARTITION (...)] of a materialized table.
type Refresh struct {
	Pos
	Partition []PartitionValue
}

// SetFreshness is SET FRESHNESS = interval and SET REFRESH_MODE = mode of a materialized table.
type SetFreshness struct {
	Pos
	Freshness   *Interval // may be nil
	RefreshMode string
}

func (*CreateTable) statement()             {}
func (*CreateView) statement()              {}
func (*CreateCatalog) statement()           {}
func (*CreateDatabase) statement()          {}
func (*CreateFunction) statement()          {}
func (*CreateModel) statement()             {}
func (*CreateMaterializedTable) statement() {}
func (*CreateConnection) statement()        {}
func (*Drop) statement()                    {}
func (*Alter) statement()                   {}

func (*RenameTo) alter()        {}
func (*RenameColumn) alter()    {}
func (*AddElements) alter()     {}
func (*DropColumns) alter()     {}
func (*DropElement) alter()     {}
func (*SetOptions) alter()      {}
func (*ResetOptions) alter()    {}
func (*SetComment) alter()      {}
func (*AddPartitions) alter()   {}
func (*DropPartitions) alter()  {}
func (*RenamePartition) alter() {}
func (*AsQuery) alter()         {}
func (*SetFunction) alter()     {}
func (*Suspend) alter()         {}
func (*Resume) alter()          {}
func (*Refresh) alter()         {}
func (*SetFreshness) alter()    {}
