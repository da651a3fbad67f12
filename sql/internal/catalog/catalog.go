package catalog

import (
	"maps"
	"slices"
	"strings"

	"github.com/flottio/flott/sql/internal/ast"
	"github.com/flottio/flott/sql/internal/expr"
)

// Names of the catalog and database that every session begins in.
const (
	DefaultCatalog  = "default_catalog"
	DefaultDatabase = "default_database"
)

// InMemoryType is the 'type' of catalogs that live as long as the session.
const InMemoryType = "generic_in_memory"

// Session is what names mean in a session: its catalogs, its temporary objects, which shadow those of catalogs, and what is current. Names of
// catalogs, databases, tables and columns are case-sensitive, those of functions are not. It is used by one goroutine.
type Session struct {
	// Catalog and Database are current.
	Catalog, Database string

	catalogs  map[string]*Catalog
	temporary map[Path]*Table
	functions map[string]*Function // temporary system functions, by upper-case name
	tempFuncs map[Path]*Function   // temporary functions of a database; the name is in lower case
	classes   map[string]*Function // what CREATE FUNCTION ... AS 'class' can name
}

// Path is a resolved name.
type Path struct{ Catalog, Database, Name string }

// String is the path as messages write it.
func (p Path) String() string { return p.Catalog + "." + p.Database + "." + p.Name }

// Catalog is a set of databases.
type Catalog struct {
	Name      string
	Comment   string
	Options   map[string]string
	databases map[string]*Database
}

// Database is a set of tables, views and functions.
type Database struct {
	Name      string
	Comment   string
	Options   map[string]string
	tables    map[string]*Table
	functions map[string]*Function // by lower-case name
}

// Function is a function that a session declared or a program registered.
type Function struct {
	Catalog, Database, Name string // Catalog and Database are empty for a system function
	Class, Language         string
	Temporary               bool
	// What it is: exactly one is set once its class is known.
	Scalar *expr.Func
	Agg    *expr.Agg
	Table  *expr.TableFunc
}

// NewSession has the default catalog and database.
func NewSession() *Session {
	s := &Session{
		Catalog: DefaultCatalog, Database: DefaultDatabase, catalogs: map[string]*Catalog{}, temporary: map[Path]*Table{},
		functions: map[string]*Function{}, tempFuncs: map[Path]*Function{}, classes: map[string]*Function{},
	}
	s.catalogs[DefaultCatalog] = newCatalog(DefaultCatalog, DefaultDatabase, map[string]string{"type": InMemoryType})
	return s
}

func newCatalog(name, database string, options map[string]string) *Catalog {
	c := &Catalog{Name: name, Options: options, databases: map[string]*Database{}}
	c.databases[database] = newDatabase(database)
	return c
}

func newDatabase(name string) *Database {
	return &Database{Name: name, tables: map[string]*Table{}, functions: map[string]*Function{}}
}

// Catalogs returns the names of all catalogs, sorted.
func (s *Session) Catalogs() []string { return slices.Sorted(maps.Keys(s.catalogs)) }

// Databases returns the names of a catalog's databases, sorted; nil if there is no such catalog.
func (s *Session) Databases(catalog string) []string {
	c := s.catalogs[catalog]
	if c == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(c.databases))
}

// LookupCatalog returns a catalog; nil if there is none.
func (s *Session) LookupCatalog(name string) *Catalog { return s.catalogs[name] }

// LookupDatabase returns a database; nil if there is none.
func (s *Session) LookupDatabase(catalog, database string) *Database {
	if c := s.catalogs[catalog]; c != nil {
		return c.databases[database]
	}
	return nil
}

// Tables returns the tables and views of a database, temporary ones in place of those they shadow, sorted by name.
func (s *Session) Tables(catalog, database string) []*Table {
	found := map[string]*Table{}
	if d := s.LookupDatabase(catalog, database); d != nil {
		maps.Copy(found, d.tables)
	}
	for p, t := range s.temporary {
		if p.Catalog == catalog && p.Database == database {
			found[p.Name] = t
		}
	}
	out := slices.Collect(maps.Values(found))
	slices.SortFunc(out, func(a, b *Table) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// Lookup returns the table or view of a path; nil if there is none. Temporary ones come first.
func (s *Session) Lookup(p Path) *Table {
	if t := s.temporary[p]; t != nil {
		return t
	}
	if d := s.LookupDatabase(p.Catalog, p.Database); d != nil {
		return d.tables[p.Name]
	}
	return nil
}

// Temporary returns the temporary table or view of a path; nil if there is none.
func (s *Session) Temporary(p Path) *Table { return s.temporary[p] }

// Qualify completes a name of one to three parts by what is current.
func (s *Session) Qualify(name ast.Path) (Path, *Error) {
	p := Path{s.Catalog, s.Database, name.Last().Text}
	switch len(name) {
	case 3:
		p.Catalog, p.Database = name[0].Text, name[1].Text
	case 2:
		p.Database = name[0].Text
	case 1:
	default:
		return p, Errorf(name.Position(), "a name has at most three parts: catalog.database.name, %s has %d",
			strings.Join(name.Strings(), "."), len(name))
	}
	return p, nil
}

// Resolve finds a table or view by its name, or says what is missing and what is near.
func (s *Session) Resolve(name ast.Path) (*Table, *Error) {
	p, err := s.Qualify(name)
	if err != nil {
		return nil, err
	}
	if t := s.Lookup(p); t != nil {
		return t, nil
	}
	if err := s.missing(p, name); err != nil {
		return nil, err
	}
	var names []string
	for _, t := range s.Tables(p.Catalog, p.Database) {
		names = append(names, t.Name)
	}
	e := Errorf(name.Last().Pos, "there is no table or view %s in database %s.%s", p.Name, p.Catalog, p.Database)
	return nil, e.Near(p.Name, names)
}

// missing says if the catalog or database of a path does not exist.
func (s *Session) missing(p Path, name ast.Path) *Error {
	if s.catalogs[p.Catalog] == nil {
		return Errorf(name.Position(), "there is no catalog %s", p.Catalog).Near(p.Catalog, s.Catalogs())
	}
	if s.LookupDatabase(p.Catalog, p.Database) == nil {
		pos := name.Position()
		if len(name) == 3 {
			pos = name[1].Pos
		}
		e := Errorf(pos, "there is no database %s in catalog %s", p.Database, p.Catalog)
		return e.Near(p.Database, s.Databases(p.Catalog))
	}
	return nil
}

// Function finds a function of the session by its name: temporary system functions, then temporary ones and those of the database. nil: none.
func (s *Session) Function(name ast.Path) *Function {
	if len(name) == 1 {
		if f := s.functions[strings.ToUpper(name[0].Text)]; f != nil {
			return f
		}
	}
	p, err := s.Qualify(name)
	if err != nil {
		return nil
	}
	return s.LookupFunction(p)
}

// LookupFunction returns the function of a path; nil if there is none.
func (s *Session) LookupFunction(p Path) *Function {
	p.Name = strings.ToLower(p.Name)
	if f := s.tempFuncs[p]; f != nil {
		return f
	}
	if d := s.LookupDatabase(p.Catalog, p.Database); d != nil {
		return d.functions[p.Name]
	}
	return nil
}

// Functions returns the session's own functions as they are seen from the current database, sorted by name.
func (s *Session) Functions() []*Function {
	found := map[string]*Function{}
	if d := s.LookupDatabase(s.Catalog, s.Database); d != nil {
		maps.Copy(found, d.functions)
	}
	for p, f := range s.tempFuncs {
		if p.Catalog == s.Catalog && p.Database == s.Database {
			found[p.Name] = f
		}
	}
	for _, f := range s.functions {
		found[strings.ToLower(f.Name)] = f
	}
	out := slices.Collect(maps.Values(found))
	slices.SortFunc(out, func(a, b *Function) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// RegisterSystem makes a function known under its name everywhere in the session, before built-in ones.
func (s *Session) RegisterSystem(f *Function) { s.functions[strings.ToUpper(f.Name)] = f }

// RegisterClass makes a function known under the class that CREATE FUNCTION names.
func (s *Session) RegisterClass(class string, f *Function) { s.classes[class] = f }

// Class returns the function of a class; nil if the program has registered none.
func (s *Session) Class(class string) *Function { return s.classes[class] }
