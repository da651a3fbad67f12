package parse

import (
	"errors"
	"fmt"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/sql/internal/ast"
)

// typeWords are the types of one word with their canonical names.
var typeWords = map[string]string{"CHAR": "CHAR", "CHARACTER": "CHAR", "VARCHAR": "VARCHAR", "STRING": "STRING", "BINARY": "BINARY",
	"VARBINARY": "VARBINARY", "BYTES": "BYTES", "BOOLEAN": "BOOLEAN", "DECIMAL": "DECIMAL", "DEC": "DECIMAL", "NUMERIC": "DECIMAL",
	"TINYINT": "TINYINT", "SMALLINT": "SMALLINT", "INT": "INT", "INTEGER": "INT", "BIGINT": "BIGINT", "FLOAT": "FLOAT", "REAL": "FLOAT",
	"DOUBLE": "DOUBLE", "DATE": "DATE", "TIME": "TIME", "TIMESTAMP": "TIMESTAMP", "TIMESTAMP_LTZ": "TIMESTAMP_LTZ",
	"INTERVAL": "INTERVAL", "ARRAY": "ARRAY", "MAP": "MAP", "MULTISET": "MULTISET", "ROW": "ROW", "RAW": "RAW", "NULL": "NULL",
	"VARIANT": "VARIANT", "BITMAP": "BITMAP", "STRUCTURED": "STRUCTURED", "DESCRIPTOR": "DESCRIPTOR"}

// typeName takes a type with what stands behind it: NOT NULL, ARRAY, MULTISET.
func (p *parser) typeName() *ast.TypeName {
	pos := p.tok().pos
	if !p.enter() {
		return &ast.TypeName{Pos: pos, Name: "NULL"}
	}
	defer p.leave()
	t := p.bareType()
	for n := 0; p.link(n); n++ {
		switch {
		case p.acceptSeq("NOT", "NULL"):
			t.Null = ast.WrittenNotNull
		case p.at("NULL") && !p.peekIs(1, "ON"): // RETURNING INT NULL ON EMPTY
			p.next()
			t.Null = ast.WrittenNull
		case p.at("ARRAY"), p.at("MULTISET"):
			t = &ast.TypeName{Pos: pos, Name: p.tok().kw, Elem: t}
			p.next()
		default:
			return t
		}
	}
	return t
}

func (p *parser) bareType() *ast.TypeName {
	w := p.tok()
	t := &ast.TypeName{Pos: w.pos, Name: typeWords[w.kw]}
	if w.kind != tWord && w.kind != tQuoted {
		p.note("a type")
		p.fail("a type")
		return t
	}
	if t.Name == "" || w.kind == tQuoted {
		t.Name = ""
		t.Path = p.path("a type")
		return t
	}
	p.next()
	switch t.Name {
	case "DOUBLE":
		p.accept("PRECISION")
	case "CHAR", "BINARY":
		if p.accept("VARYING") {
			t.Name = "VAR" + t.Name
		}
		p.typeParams(t, 1)
	case "VARCHAR", "VARBINARY":
		p.typeParams(t, 1)
	case "DECIMAL":
		p.typeParams(t, 2)
	case "TIME", "TIMESTAMP", "TIMESTAMP_LTZ":
		p.timeType(t)
	case "INTERVAL":
		q := p.qualifier()
		t.Qual = &q
	case "ARRAY", "MULTISET", "MAP":
		p.expect("<")
		t.Elem = p.typeName()
		if t.Name == "MAP" {
			p.expect(",")
			t.Key, t.Elem = t.Elem, p.typeName()
		}
		p.expect(">")
	case "ROW", "STRUCTURED":
		p.rowType(t)
	case "RAW":
		p.expect("(")
		t.Strings = append(t.Strings, p.plainString("the class"))
		if p.accept(",") {
			t.Strings = append(t.Strings, p.plainString("the serializer"))
		}
		p.expect(")")
	}
	return t
}

func (p *parser) typeParams(t *ast.TypeName, most int) {
	if !p.at("(") {
		return
	}
	p.next()
	for {
		t.Params = append(t.Params, p.integer("a number"))
		if len(t.Params) == most || !p.accept(",") {
			break
		}
	}
	p.expect(")")
}

func (p *parser) timeType(t *ast.TypeName) {
	p.typeParams(t, 1)
	switch {
	case p.acceptSeq("WITHOUT", "TIME", "ZONE"):
	case t.Name == "TIMESTAMP" && p.acceptSeq("WITH", "LOCAL", "TIME", "ZONE"):
		t.Name = "TIMESTAMP_LTZ"
	case t.Name == "TIMESTAMP" && p.acceptSeq("WITH", "TIME", "ZONE"):
		t.Name = "TIMESTAMP WITH TIME ZONE"
	}
}

// rowType takes <a INT 'comment', ...> or (a INT, ...), and the class of STRUCTURED.
func (p *parser) rowType(t *ast.TypeName) {
	end := ">"
	switch {
	case p.at("<>"): // ROW<>
		p.next()
		return
	case p.at("("):
		end = ")"
		p.next()
	default:
		p.expect("<")
	}
	if t.Name == "STRUCTURED" {
		t.Strings = append(t.Strings, p.plainString("the class"))
		if !p.accept(",") {
			p.expect(end)
			return
		}
	}
	for !p.at(end) {
		f := ast.TypeField{Name: p.name("the name of a field")}
		f.Type = p.typeName()
		if p.tok().kind == tString {
			c := p.plainString("a comment")
			f.Comment = &c
		}
		t.Fields = append(t.Fields, f)
		if !p.accept(",") || p.err != nil {
			break
		}
	}
	p.expect(end)
}

// ParseType reads the text of a type: "ROW<a INT NOT NULL, b ARRAY<STRING>>".
func ParseType(text string) (column.Type, error) {
	p := newParser(text)
	t := p.typeName()
	if err := p.end(func(p *parser) { p.typeName() }); err != nil {
		return column.Type{}, err
	}
	return ResolveType(t)
}

// ErrTypeNotSupported is wrapped by the errors of ResolveType about types that exist but have no values here.
var ErrTypeNotSupported = errors.New("type not supported yet")

// TypeError is a type that cannot be.
type TypeError struct {
	Pos ast.Pos
	Err error
}

// Error returns the message.
func (e *TypeError) Error() string {
	return fmt.Sprintf("line %d, column %d: %v", e.Pos.Line, e.Pos.Col, e.Err)
}

// Unwrap returns the cause.
func (e *TypeError) Unwrap() error { return e.Err }

var simpleTypes = map[string]column.ID{"BOOLEAN": column.Boolean, "TINYINT": column.TinyInt, "SMALLINT": column.SmallInt,
	"INT": column.Int, "BIGINT": column.BigInt, "FLOAT": column.Float, "DOUBLE": column.Double, "DATE": column.Date, "NULL": column.Null,
	"VARIANT": column.Variant, "BITMAP": column.Bitmap, "DESCRIPTOR": column.Descriptor, "STRING": column.Varchar,
	"BYTES": column.Varbinary, "CHAR": column.Char, "VARCHAR": column.Varchar, "BINARY": column.Binary, "VARBINARY": column.Varbinary,
	"DECIMAL": column.Decimal, "TIME": column.Time, "TIMESTAMP": column.Timestamp, "TIMESTAMP_LTZ": column.TimestampLTZ, "RAW": column.Raw,
	"ARRAY": column.Array, "MULTISET": column.Multiset, "MAP": column.Map, "ROW": column.Row, "STRUCTURED": column.Row}

// ResolveType gives the logical type of a written one, or a *TypeError. It is the only place where types are checked.
func ResolveType(t *ast.TypeName) (column.Type, error) {
	var out column.Type
	var err error
	switch t.Name {
	case "INTERVAL":
		out, err = intervalType(t.Qual)
	default:
		id, ok := simpleTypes[t.Name]
		if !ok {
			return out, unknownType(t)
		}
		out = column.Of(id)
		err = typeParameters(t, &out)
	}
	if err != nil {
		var typed *TypeError
		if errors.As(err, &typed) {
			return column.Type{}, err
		}
		return column.Type{}, &TypeError{Pos: t.Pos, Err: err}
	}
	out.NotNull = t.Null == ast.WrittenNotNull
	return out, nil
}

func unknownType(t *ast.TypeName) error {
	if len(t.Path) == 0 {
		return &TypeError{Pos: t.Pos, Err: fmt.Errorf("%s: %w", t.Name, ErrTypeNotSupported)}
	}
	name := t.Path.Last().Text
	names := make([]string, 0, len(typeWords))
	for w := range typeWords {
		names = append(names, w)
	}
	err := fmt.Errorf("unknown type %s", name)
	if near := Nearest(name, sorted(names)); near != "" {
		err = fmt.Errorf("unknown type %s (did you mean %s?)", name, near)
	}
	return &TypeError{Pos: t.Pos, Err: err}
}

// typeParameters checks and fills in lengths, precisions and the types inside.
func typeParameters(t *ast.TypeName, out *column.Type) error {
	for i, n := range t.Params {
		switch {
		case out.ID == column.Decimal && i == 0:
			if n < 1 || n > column.MaxDecimalPrecision {
				return fmt.Errorf("the precision of DECIMAL is 1 to %d, not %d", column.MaxDecimalPrecision, n)
			}
			out.Precision = int32(n)
		case out.ID == column.Decimal:
			if n > int(out.Precision) {
				return fmt.Errorf("the scale of DECIMAL is 0 to its precision %d, not %d", out.Precision, n)
			}
			out.Scale = int8(n)
		case out.ID == column.Time || out.IsTimestamp():
			if n > column.MaxTimePrecision {
				return fmt.Errorf("the precision of %s is 0 to %d, not %d", t.Name, column.MaxTimePrecision, n)
			}
			out.Precision = int32(n)
		default:
			if n < 1 {
				return fmt.Errorf("the length of %s is at least 1", t.Name)
			}
			out.Precision = int32(n)
		}
	}
	if len(t.Params) == 0 && (t.Name == "VARCHAR" || t.Name == "VARBINARY") {
		// Flink's VARCHAR without a length in DDL has no limit, unlike its type system's VARCHAR(1).
		out.Precision = column.MaxLength
	}
	return insideTypes(t, out)
}

func insideTypes(t *ast.TypeName, out *column.Type) error {
	if t.Key != nil {
		key, err := ResolveType(t.Key)
		if err != nil {
			return err
		}
		out.Key = &key
	}
	if t.Elem != nil {
		elem, err := ResolveType(t.Elem)
		if err != nil {
			return err
		}
		out.Elem = &elem
	}
	seen := make(map[string]bool, len(t.Fields))
	for _, f := range t.Fields {
		if seen[f.Name.Text] {
			return &TypeError{Pos: f.Name.Pos, Err: fmt.Errorf("%s has the field %s twice", t.Name, f.Name.Text)}
		}
		seen[f.Name.Text] = true
		ft, err := ResolveType(f.Type)
		if err != nil {
			return err
		}
		field := column.Field{Name: f.Name.Text, Type: ft}
		if f.Comment != nil {
			field.Comment = f.Comment.Text
		}
		out.Fields = append(out.Fields, field)
	}
	return nil
}

const (
	maxIntervalPrecision = 10
	maxYearPrecision     = 4
	maxDayPrecision      = 6
)

func intervalType(q *ast.Qualifier) (column.Type, error) {
	id, digits := column.IntervalMillis, maxIntervalPrecision
	switch q.From {
	case ast.Year, ast.Quarter, ast.Month:
		id, digits = column.IntervalMonths, maxYearPrecision
	case ast.Day, ast.Week:
		digits = maxDayPrecision
	}
	to := q.To
	if to == ast.NoUnit {
		to = q.From
	}
	switch {
	case id == column.IntervalMonths && to > ast.Month:
		return column.Type{}, fmt.Errorf("an interval has years and months, or days to seconds, not %s TO %s", q.From, to)
	case q.Precision > digits || q.Precision == 0:
		return column.Type{}, fmt.Errorf("the precision of INTERVAL %s is 1 to %d, not %d", q.From, digits, q.Precision)
	case q.Fraction > column.MaxTimePrecision:
		return column.Type{}, fmt.Errorf("the fraction of INTERVAL SECOND has 0 to %d digits, not %d", column.MaxTimePrecision, q.Fraction)
	}
	t := column.Of(id)
	t.Interval = ast.Print(q)
	return t, nil
}
