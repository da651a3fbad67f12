package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/flottio/flott/column"
)

// dataType is a type as the function cases write it: "ROW(FIELD(a, INT()), STRING().notNull)".
type dataType struct {
	name    string
	args    []dataType
	notNull bool
	quirk   bool // something in it is not said: nullable as a type, a class
}

// parseType reads a type. Names of fields are taken as they are.
func parseType(s string) (dataType, error) {
	p := typeReader{s: strings.TrimSpace(s)}
	t := p.read()
	if p.bad || strings.TrimSpace(p.s) != "" {
		return t, fmt.Errorf("the case's type %q cannot be read", s)
	}
	return t, nil
}

type typeReader struct {
	s   string
	bad bool
}

func (p *typeReader) read() dataType {
	p.s = strings.TrimLeft(p.s, " ")
	end := strings.IndexAny(p.s, "(),")
	if end < 0 {
		end = len(p.s)
	}
	t := dataType{name: strings.TrimSpace(p.s[:end])}
	p.s = p.s[end:]
	if !strings.HasPrefix(p.s, "(") {
		return t
	}
	p.s = strings.TrimLeft(p.s[1:], " ")
	if t.name == "FIELD" { // a name may hold anything but a comma
		name, rest, ok := strings.Cut(p.s, ", ")
		if !ok {
			p.bad = true
			return t
		}
		t.args, p.s = append(t.args, dataType{name: name}), rest
	}
	for !p.bad && !strings.HasPrefix(p.s, ")") {
		t.args = append(t.args, p.read())
		p.s = strings.TrimPrefix(strings.TrimLeft(p.s, " "), ",")
		if p.s == "" {
			p.bad = true
		}
	}
	p.s = strings.TrimPrefix(p.s, ")")
	for _, suffix := range []string{".notNull", ".nullable"} {
		if rest, ok := strings.CutPrefix(p.s, suffix); ok {
			p.s, t.notNull = rest, suffix == ".notNull"
		}
	}
	return t
}

// sql is the type in SQL; ok is false for what SQL has no type for.
func (t dataType) sql() (text string, ok bool) {
	var inner []string
	ok = true
	for i, a := range t.args {
		if _, err := strconv.Atoi(a.name); err == nil {
			inner = append(inner, a.name)
			continue
		}
		name := "f" + strconv.Itoa(i)
		if a.name == "FIELD" && len(a.args) == 2 {
			name, a = a.args[0].name, a.args[1]
		}
		part, fine := a.sql()
		ok = ok && fine
		if t.name == "ROW" {
			part = "`" + strings.ReplaceAll(name, "`", "``") + "` " + part
		}
		inner = append(inner, part)
	}
	list := strings.Join(inner, ", ")
	switch t.name {
	case "ROW", "ARRAY", "MAP", "MULTISET":
		text = t.name + "<" + list + ">"
	case "INTERVAL":
		text = intervals[t.args[0].name]
		ok = text != ""
	case "TIMESTAMP_WITH_LOCAL_TIME_ZONE":
		text = "TIMESTAMP_LTZ(" + list + ")"
	case "nullable", "notNull", "STRUCTURED":
		return "", false
	default:
		text = t.name
		if list != "" {
			text += "(" + list + ")"
		}
	}
	if t.notNull {
		text += " NOT NULL"
	}
	return text, ok
}

var intervals = map[string]string{"MONTH": "INTERVAL MONTH", "YEAR": "INTERVAL YEAR", "DAY": "INTERVAL DAY", "HOUR": "INTERVAL HOUR",
	"MINUTE": "INTERVAL MINUTE", "SECOND": "INTERVAL SECOND"}

// normal is a type without what printing an interval or a field's comment adds.
func normal(t column.Type) column.Type {
	t.Interval, t.Attribute = "", column.NoAttribute
	if t.Elem != nil {
		e := normal(*t.Elem)
		t.Elem = &e
	}
	if t.Key != nil {
		k := normal(*t.Key)
		t.Key = &k
	}
	if t.Fields != nil {
		t.Fields = slices.Clone(t.Fields)
		for i := range t.Fields {
			t.Fields[i] = column.Field{Name: t.Fields[i].Name, Type: normal(t.Fields[i].Type)}
		}
	}
	return t
}
