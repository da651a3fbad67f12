package parse

import (
	"strings"

	"github.com/flottio/flott/sql/internal/ast"
)

// shows are the forms of SHOW. Those with a table behind FROM or the name have of set.
var shows = []struct {
	words string
	of    showOf
}{
	{"CURRENT CATALOG", ofNothing}, {"CURRENT DATABASE", ofNothing}, {"CATALOGS", ofNothing}, {"DATABASES", ofOptional},
	{"TABLES", ofOptional}, {"VIEWS", ofOptional}, {"MATERIALIZED TABLES", ofOptional}, {"USER FUNCTIONS", ofOptional},
	{"FUNCTIONS", ofOptional}, {"PROCEDURES", ofOptional}, {"MODELS", ofOptional}, {"CONNECTIONS", ofOptional},
	{"COLUMNS", ofRequired}, {"PARTITIONS", ofName}, {"FULL MODULES", ofNothing}, {"MODULES", ofNothing}, {"JARS", ofNothing},
	{"JOBS", ofNothing}, {"CREATE MATERIALIZED TABLE", ofName}, {"CREATE TABLE", ofName}, {"CREATE VIEW", ofName},
	{"CREATE CATALOG", ofName}, {"CREATE DATABASE", ofName}, {"CREATE MODEL", ofName}, {"CREATE FUNCTION", ofName},
}

type showOf uint8

const (
	ofNothing  showOf = iota
	ofOptional        // [FROM|IN name]
	ofRequired        // FROM|IN name
	ofName            // name
)

func (p *parser) show() ast.Statement {
	s := &ast.Show{Pos: p.tok().pos}
	p.next()
	for _, form := range shows {
		if !p.acceptSeq(strings.Split(form.words, " ")...) {
			continue
		}
		s.What = form.words
		switch {
		case form.of == ofName:
			s.Of = p.path("a name")
			if form.words == "PARTITIONS" && p.accept("PARTITION") {
				s.Partition = p.partition()
			}
		case form.of == ofRequired || form.of == ofOptional && (p.is("FROM") || p.is("IN")):
			s.In = p.one("FROM", "IN") == "IN"
			s.Of = p.path("a name")
		}
		p.showLike(s)
		return s
	}
	if p.at("CREATE") {
		p.next()
		for _, w := range []string{"TABLE", "VIEW", "CATALOG", "MATERIALIZED TABLE", "MODEL", "DATABASE", "FUNCTION"} {
			p.note(w)
		}
	}
	p.fail("what to show")
	return s
}

func (p *parser) showLike(s *ast.Show) {
	if p.at("NOT") && (p.peekIs(1, "LIKE") || p.peekIs(1, "ILIKE")) {
		p.next()
		s.Not = true
	}
	s.ILike = p.at("ILIKE")
	if p.accept("LIKE") || p.accept("ILIKE") {
		pattern := p.plainString("a pattern")
		s.Like = &pattern
	}
}

var described = map[string]ast.ObjectKind{"CATALOG": ast.CatalogObject, "DATABASE": ast.DatabaseObject, "FUNCTION": ast.FunctionObject,
	"MODEL": ast.ModelObject, "TABLE": ast.TableObject, "JOB": ast.JobObject}

func (p *parser) describeObject() ast.Statement {
	s := &ast.Describe{Pos: p.tok().pos}
	p.next()
	n := p.peek(1)
	if kind, ok := described[p.tok().kw]; ok && p.tok().kind == tWord && (n.kind == tWord || n.kind == tQuoted || n.kind == tString) {
		s.Kind = kind
		p.next()
	}
	if s.Kind == ast.JobObject {
		s.Job = p.plainString("the id of a job")
		return s
	}
	if n := p.peek(1); p.at("EXTENDED") && (n.kind == tWord || n.kind == tQuoted) {
		s.Extended = true
		p.next()
	}
	s.Name = p.path("a name")
	return s
}
