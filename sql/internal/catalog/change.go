package catalog

import (
	"maps"
	"strings"

	"github.com/flottio/flott/sql/internal/ast"
)

// Exist says what to do if an object exists already, or is missing.
type Exist uint8

// What to do.
const (
	Refuse  Exist = iota
	Ignore        // IF NOT EXISTS, IF EXISTS
	Replace       // OR REPLACE
)

// kindOf names what stands under a name.
func kindOf(t *Table) string {
	if t.View != nil {
		return "view"
	}
	return "table"
}

// Create puts a table or view into its place. name is for errors.
func (s *Session) Create(t *Table, exist Exist, name ast.Path) *Error {
	p := Path{t.Catalog, t.Database, t.Name}
	if t.Temporary {
		if old := s.temporary[p]; old != nil && exist != Replace {
			return existing(old, p, exist, name)
		}
		s.temporary[p] = t
		return nil
	}
	if err := s.missing(p, name); err != nil {
		return err
	}
	d := s.LookupDatabase(p.Catalog, p.Database)
	if old := d.tables[p.Name]; old != nil && (exist != Replace || kindOf(old) != kindOf(t)) {
		return existing(old, p, exist, name)
	}
	d.tables[p.Name] = t
	return nil
}

func existing(old *Table, p Path, exist Exist, name ast.Path) *Error {
	if exist == Ignore {
		return nil
	}
	temporary := ""
	if old.Temporary {
		temporary = "temporary "
	}
	e := Errorf(name.Last().Pos, "%s%s %s exists already", temporary, kindOf(old), p)
	e.Length = len(name.Last().Text)
	return e
}

// Drop takes a table or view away. what is "table" or "view".
func (s *Session) Drop(name ast.Path, what string, temporary, ifExists bool) *Error {
	p, err := s.Qualify(name)
	if err != nil {
		return err
	}
	t := s.Lookup(p)
	if temporary {
		t = s.temporary[p]
	}
	if t == nil {
		if ifExists {
			return nil
		}
		if err := s.missing(p, name); err != nil {
			return err
		}
		var names []string
		for _, t := range s.Tables(p.Catalog, p.Database) {
			names = append(names, t.Name)
		}
		return Errorf(name.Last().Pos, "there is no %s %s", what, p).Near(p.Name, names)
	}
	switch {
	case kindOf(t) != what:
		return Errorf(name.Last().Pos, "%s is a %s", p, kindOf(t)).WithHint("use DROP %s", strings.ToUpper(kindOf(t)))
	case t.Temporary && !temporary:
		return Errorf(name.Last().Pos, "a temporary %s %s exists and hides what is in the catalog", what, p).
			WithHint("drop it first with DROP TEMPORARY %s", strings.ToUpper(what))
	case temporary:
		delete(s.temporary, p)
	default:
		delete(s.LookupDatabase(p.Catalog, p.Database).tables, p.Name)
	}
	return nil
}

// Put replaces a table by its changed version, which may have another name.
func (s *Session) Put(old, t *Table, name ast.Path) *Error {
	from, to := Path{old.Catalog, old.Database, old.Name}, Path{t.Catalog, t.Database, t.Name}
	if from != to && s.Lookup(to) != nil {
		return existing(s.Lookup(to), to, Refuse, name)
	}
	if old.Temporary {
		delete(s.temporary, from)
		s.temporary[to] = t
		return nil
	}
	delete(s.LookupDatabase(from.Catalog, from.Database).tables, from.Name)
	s.LookupDatabase(to.Catalog, to.Database).tables[to.Name] = t
	return nil
}

// UseCatalog makes a catalog current, with its default database.
func (s *Session) UseCatalog(name ast.Name) *Error {
	c := s.catalogs[name.Text]
	if c == nil {
		return Errorf(name.Pos, "there is no catalog %s", name.Text).Near(name.Text, s.Catalogs())
	}
	s.Catalog, s.Database = name.Text, defaultDatabase(c)
	return nil
}

func defaultDatabase(c *Catalog) string {
	if d := c.Options["default-database"]; d != "" {
		return d
	}
	if c.Name == DefaultCatalog {
		return DefaultDatabase
	}
	return "default"
}

// UseDatabase makes a database current: of the current catalog, or of the one that is named.
func (s *Session) UseDatabase(name ast.Path) *Error {
	catalog, database, err := s.databaseOf(name)
	if err != nil {
		return err
	}
	if s.LookupDatabase(catalog, database) == nil {
		return s.missing(Path{Catalog: catalog, Database: database}, append(name[:len(name):len(name)], ast.Name{}))
	}
	s.Catalog, s.Database = catalog, database
	return nil
}

func (s *Session) databaseOf(name ast.Path) (catalog, database string, err *Error) {
	switch len(name) {
	case 1:
		return s.Catalog, name[0].Text, nil
	case 2:
		return name[0].Text, name[1].Text, nil
	}
	return "", "", Errorf(name.Position(), "the name of a database has at most two parts: catalog.database")
}

// CreateCatalog makes a catalog of a type that is known.
func (s *Session) CreateCatalog(c *ast.CreateCatalog) *Error {
	if s.catalogs[c.Name.Text] != nil {
		if c.IfNotExists {
			return nil
		}
		return Errorf(c.Name.Pos, "catalog %s exists already", c.Name.Text)
	}
	options := map[string]string{}
	for _, o := range c.Options {
		options[o.Key] = o.Value
	}
	switch options["type"] {
	case InMemoryType:
	case "":
		return Errorf(c.Name.Pos, "the option 'type' of catalog %s is missing", c.Name.Text).WithHint("known types: '%s'", InMemoryType)
	default:
		return Errorf(c.Name.Pos, "catalogs of type '%s' are not supported yet", options["type"]).WithHint("known types: '%s'", InMemoryType)
	}
	made := &Catalog{Name: c.Name.Text, Options: options, databases: map[string]*Database{}}
	if c.Comment != nil {
		made.Comment = c.Comment.Text
	}
	d := defaultDatabase(made)
	made.databases[d] = newDatabase(d)
	s.catalogs[c.Name.Text] = made
	return nil
}

// DropCatalog takes a catalog away; not the current one.
func (s *Session) DropCatalog(name ast.Name, ifExists bool) *Error {
	if s.catalogs[name.Text] == nil {
		if ifExists {
			return nil
		}
		return Errorf(name.Pos, "there is no catalog %s", name.Text).Near(name.Text, s.Catalogs())
	}
	if name.Text == s.Catalog {
		return Errorf(name.Pos, "catalog %s is in use", name.Text).WithHint("USE CATALOG another one first")
	}
	delete(s.catalogs, name.Text)
	return nil
}

// CreateDatabase makes a database.
func (s *Session) CreateDatabase(c *ast.CreateDatabase) *Error {
	catalog, database, err := s.databaseOf(c.Name)
	if err != nil {
		return err
	}
	in := s.catalogs[catalog]
	if in == nil {
		return Errorf(c.Name.Position(), "there is no catalog %s", catalog).Near(catalog, s.Catalogs())
	}
	if in.databases[database] != nil {
		if c.IfNotExists {
			return nil
		}
		return Errorf(c.Name.Last().Pos, "database %s.%s exists already", catalog, database)
	}
	d := newDatabase(database)
	d.Options = map[string]string{}
	for _, o := range c.Options {
		d.Options[o.Key] = o.Value
	}
	if c.Comment != nil {
		d.Comment = c.Comment.Text
	}
	in.databases[database] = d
	return nil
}

// DropDatabase takes a database away: an empty one, or with cascade any; not the current one.
func (s *Session) DropDatabase(d *ast.Drop) *Error {
	catalog, database, err := s.databaseOf(d.Name)
	if err != nil {
		return err
	}
	in := s.LookupDatabase(catalog, database)
	if in == nil {
		if d.IfExists {
			return nil
		}
		return s.missing(Path{Catalog: catalog, Database: database}, append(d.Name[:len(d.Name):len(d.Name)], ast.Name{}))
	}
	if catalog == s.Catalog && database == s.Database {
		return Errorf(d.Name.Last().Pos, "database %s.%s is in use", catalog, database).WithHint("USE another one first")
	}
	if !d.Cascade && len(in.tables)+len(in.functions) > 0 {
		return Errorf(d.Name.Last().Pos, "database %s.%s is not empty", catalog, database).WithHint("DROP DATABASE ... CASCADE drops all in it")
	}
	delete(s.catalogs[catalog].databases, database)
	return nil
}

// AlterDatabase sets options of a database.
func (s *Session) AlterDatabase(name ast.Path, set map[string]string) *Error {
	catalog, database, err := s.databaseOf(name)
	if err != nil {
		return err
	}
	d := s.LookupDatabase(catalog, database)
	if d == nil {
		return s.missing(Path{Catalog: catalog, Database: database}, append(name[:len(name):len(name)], ast.Name{}))
	}
	if d.Options == nil {
		d.Options = map[string]string{}
	}
	maps.Copy(d.Options, set)
	return nil
}

// AlterCatalog sets and takes away options of a catalog, or its comment.
func (s *Session) AlterCatalog(name ast.Name, set map[string]string, reset []string, comment *string) *Error {
	c := s.catalogs[name.Text]
	if c == nil {
		return Errorf(name.Pos, "there is no catalog %s", name.Text).Near(name.Text, s.Catalogs())
	}
	for _, k := range reset {
		if k == "type" {
			return Errorf(name.Pos, "the option 'type' of a catalog cannot be changed")
		}
	}
	if t, ok := set["type"]; ok && t != c.Options["type"] {
		return Errorf(name.Pos, "the option 'type' of a catalog cannot be changed")
	}
	options := maps.Clone(c.Options)
	maps.Copy(options, set)
	for _, k := range reset {
		delete(options, k)
	}
	c.Options = options
	if comment != nil {
		c.Comment = *comment
	}
	return nil
}

// CreateFunction declares a function. What it does is looked up by its class when it is called.
func (s *Session) CreateFunction(f *Function, system bool, exist Exist, name ast.Path) *Error {
	refuse := func() *Error {
		if exist == Ignore {
			return nil
		}
		return Errorf(name.Last().Pos, "function %s exists already", strings.Join(name.Strings(), "."))
	}
	key := Path{f.Catalog, f.Database, strings.ToLower(f.Name)}
	switch {
	case system:
		if s.functions[strings.ToUpper(f.Name)] != nil {
			return refuse()
		}
		s.functions[strings.ToUpper(f.Name)] = f
	case f.Temporary:
		if s.tempFuncs[key] != nil {
			return refuse()
		}
		s.tempFuncs[key] = f
	default:
		if err := s.missing(Path{f.Catalog, f.Database, f.Name}, name); err != nil {
			return err
		}
		d := s.LookupDatabase(f.Catalog, f.Database)
		if d.functions[key.Name] != nil {
			return refuse()
		}
		d.functions[key.Name] = f
	}
	return nil
}

// DropFunction takes a function away.
func (s *Session) DropFunction(d *ast.Drop) *Error {
	none := func() *Error {
		if d.IfExists {
			return nil
		}
		var names []string
		for _, f := range s.Functions() {
			names = append(names, f.Name)
		}
		return Errorf(d.Name.Last().Pos, "there is no function %s", strings.Join(d.Name.Strings(), ".")).Near(d.Name.Last().Text, names)
	}
	if d.System {
		key := strings.ToUpper(d.Name.Last().Text)
		if s.functions[key] == nil {
			return none()
		}
		delete(s.functions, key)
		return nil
	}
	p, err := s.Qualify(d.Name)
	if err != nil {
		return err
	}
	p.Name = strings.ToLower(p.Name)
	if d.Temporary {
		if s.tempFuncs[p] == nil {
			return none()
		}
		delete(s.tempFuncs, p)
		return nil
	}
	in := s.LookupDatabase(p.Catalog, p.Database)
	if in == nil || in.functions[p.Name] == nil {
		return none()
	}
	delete(in.functions, p.Name)
	return nil
}
