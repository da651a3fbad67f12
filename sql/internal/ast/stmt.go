package ast

// Statement is anything that ends with a semicolon.
type Statement interface {
	Node
	statement()
}

// QueryStmt is a query as a statement.
type QueryStmt struct {
	Pos
	Query *Query
}

// Insert is INSERT INTO|OVERWRITE Table [PARTITION (...)] [(Columns)] Source [ON CONFLICT DO ...].
type Insert struct {
	Pos
	Overwrite  bool
	Table      Path
	Hints      []Hint
	Partition  []PartitionValue
	Columns    []Path // of more than one part for a nested field
	Source     *Query
	OnConflict ConflictAction
}

// ConflictAction is the ON CONFLICT clause.
type ConflictAction uint8

// What happens on a conflict of keys; the zero value is that nothing was written.
const (
	ConflictDefault ConflictAction = iota
	ConflictError
	ConflictNothing
	ConflictDeduplicate
)

// PartitionValue is column = Value of PARTITION (...); Value is nil where only the column is written.
type PartitionValue struct {
	Pos
	Column Name
	Value  Expr
}

// Update is UPDATE Table SET ... [WHERE].
type Update struct {
	Pos
	Table Path
	Hints []Hint
	Alias *Alias // may be nil
	Set   []Assignment
	Where Expr // may be nil
}

// Assignment is Column = X.
type Assignment struct {
	Pos
	Column Path
	X      Expr
}

// Delete is DELETE FROM Table [WHERE].
type Delete struct {
	Pos
	Table Path
	Hints []Hint
	Alias *Alias // may be nil
	Where Expr   // may be nil
}

// Truncate is TRUNCATE TABLE Table.
type Truncate struct {
	Pos
	Table Path
}

// StatementSet is EXECUTE STATEMENT SET BEGIN ...; END, whose statements run as one job; without EXECUTE it stands in EXPLAIN and
// COMPILE PLAN.
type StatementSet struct {
	Pos
	Statements []Statement
}

// BeginStatementSet is BEGIN STATEMENT SET: the statements up to EndStatementSet run as one job.
type BeginStatementSet struct{ Pos }

// EndStatementSet is END.
type EndStatementSet struct{ Pos }

// Execute is EXECUTE statement, which is the statement itself.
type Execute struct {
	Pos
	Statement Statement
}

// Explain is EXPLAIN [details] Statement.
type Explain struct {
	Pos
	// Details are ESTIMATED_COST, CHANGELOG_MODE, PLAN_ADVICE, JSON_EXECUTION_PLAN, in upper case and the written order.
	Details   []Name
	Statement Statement
}

// CompilePlan is COMPILE PLAN 'path' FOR Statement, or COMPILE AND EXECUTE PLAN.
type CompilePlan struct {
	Pos
	Path        String
	IfNotExists bool
	Execute     bool
	Statement   Statement // an *Insert or a *StatementSet
}

// ExecutePlan is EXECUTE PLAN 'path'.
type ExecutePlan struct {
	Pos
	Path String
}

// Describe is DESCRIBE [CATALOG|DATABASE|FUNCTION|MODEL|JOB] [EXTENDED] Name. Kind is TableObject without a keyword.
type Describe struct {
	Pos
	Kind     ObjectKind
	Extended bool
	Name     Path
	Job      String // of JobObject
}

// Show is SHOW What [FROM|IN Path] [[NOT] LIKE|ILIKE 'pattern'].
type Show struct {
	Pos
	// What is the keywords in upper case: "TABLES", "CURRENT CATALOG", "CREATE TABLE", "COLUMNS", "PARTITIONS", "USER FUNCTIONS",
	// "FULL MODULES", "MATERIALIZED TABLES", "CREATE MATERIALIZED TABLE" and so on.
	What string
	// Of is what it is about: the table of COLUMNS, PARTITIONS and CREATE TABLE, the database or catalog of TABLES; empty if not written.
	Of Path
	// In says that IN was written and not FROM.
	In        bool
	Partition []PartitionValue // of PARTITIONS
	Not       bool
	ILike     bool
	Like      *String // may be nil
}

// UseKind is what USE changes.
type UseKind uint8

// The kinds of USE.
const (
	UseDatabase UseKind = iota
	UseCatalog
	UseModules
)

// Use is USE [catalog.]database, USE CATALOG catalog, USE MODULES a, b.
type Use struct {
	Pos
	Kind    UseKind
	Name    Path
	Modules []Name
}

// Set is SET 'Key' = 'Value'; Key is empty for SET alone, which lists everything. Quotes are optional.
type Set struct {
	Pos
	Key, Value       string
	KeyPos, ValuePos Pos
}

// Reset is RESET 'Key'; Key is empty for all.
type Reset struct {
	Pos
	Key    string
	KeyPos Pos
}

// LoadModule is LOAD MODULE Name [WITH (...)].
type LoadModule struct {
	Pos
	Name    Name
	Options []Option
}

// UnloadModule is UNLOAD MODULE Name.
type UnloadModule struct {
	Pos
	Name Name
}

// Jar is ADD JAR 'path' and REMOVE JAR 'path'.
type Jar struct {
	Pos
	Remove bool
	Path   String
}

// StopJob is STOP JOB 'id' [WITH SAVEPOINT] [WITH DRAIN].
type StopJob struct {
	Pos
	Job                      String
	WithSavepoint, WithDrain bool
}

// Analyze is ANALYZE TABLE Table [PARTITION (...)] COMPUTE STATISTICS [FOR COLUMNS a, b | FOR ALL COLUMNS].
type Analyze struct {
	Pos
	Table      Path
	Partition  []PartitionValue
	Columns    []Name
	AllColumns bool
}

// CallProcedure is CALL procedure(args).
type CallProcedure struct {
	Pos
	Call *Call
}

// Shell is a command of the shell: QUIT, EXIT, HELP, CLEAR, in upper case. HISTORY and the like are not statements.
type Shell struct {
	Pos
	Command string
}

func (*QueryStmt) statement()         {}
func (*Insert) statement()            {}
func (*Update) statement()            {}
func (*Delete) statement()            {}
func (*Truncate) statement()          {}
func (*StatementSet) statement()      {}
func (*BeginStatementSet) statement() {}
func (*EndStatementSet) statement()   {}
func (*Execute) statement()           {}
func (*Explain) statement()           {}
func (*CompilePlan) statement()       {}
func (*ExecutePlan) statement()       {}
func (*Describe) statement()          {}
func (*Show) statement()              {}
func (*Use) statement()               {}
func (*Set) statement()               {}
func (*Reset) statement()             {}
func (*LoadModule) statement()        {}
func (*UnloadModule) statement()      {}
func (*Jar) statement()               {}
func (*StopJob) statement()           {}
func (*Analyze) statement()           {}
func (*CallProcedure) statement()     {}
func (*Shell) statement()             {}
