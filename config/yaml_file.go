package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Limits on a configuration file; one beyond them is no configuration.
const (
	maxFileBytes       = 1 << 20
	maxYAMLDepth       = 32
	maxYAMLValuesCount = 10_000

	maxYAMLOpenBrackets = 1000
)

// yamlReader flattens one YAML document into a set.
type yamlReader struct {
	set     *Set
	source  string
	anchors map[string]ast.Node
	values  int // visited so far; aliases count each time, which bounds their expansion
}

// readYAML takes a document of flat keys, nested keys, or both. A sequence of scalars is a list.
func (s *Set) readYAML(source string, content []byte) {
	file, err := parseYAML(content)
	if err != nil {
		origin, message := Origin{Source: source}, err.Error()
		var syntax *yaml.SyntaxError
		if errors.As(err, &syntax) {
			message = syntax.Message
			if t := syntax.Token; t != nil && t.Position != nil {
				origin.Line, origin.Column = t.Position.Line, t.Position.Column
			}
		}
		s.problem(BadSource, origin, "", "not YAML: "+message)
		return
	}
	r := &yamlReader{set: s, source: source, anchors: map[string]ast.Node{}}
	documents := 0
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if _, comment := doc.Body.(*ast.CommentGroupNode); comment {
			continue
		}
		if documents++; documents > 1 {
			s.problem(BadSource, r.origin(doc.Body.GetToken()), "", "a second YAML document; expected one")
			return
		}
		r.top(doc.Body)
	}
}

// parseYAML turns a panic of the parser on hostile input into an error.
func parseYAML(content []byte) (file *ast.File, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the parser gave up: %v", p)
		}
	}()
	if deepFlow(content) {
		return nil, fmt.Errorf("more than %d brackets are open at once", maxYAMLOpenBrackets)
	}
	return parser.ParseBytes(content, 0, parser.AllowDuplicateMapKey()) // file() names a key set twice
}

// deepFlow reports whether so many brackets are open at once that the parser, whose time grows with the square, would not come back. It does
// not look at quotes: no value of a configuration has that many.
func deepFlow(content []byte) bool {
	open := 0
	for _, c := range content {
		switch c {
		case '[', '{':
			if open++; open > maxYAMLOpenBrackets {
				return true
			}
		case ']', '}':
			open = max(0, open-1)
		}
	}
	return false
}

func (r *yamlReader) top(node ast.Node) {
	switch node.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		r.walk("", Origin{}, node, 0)
	case *ast.NullNode:
	default:
		r.set.problem(BadSource, r.origin(node.GetToken()), "", `expected "key: value" or nested keys`)
	}
}

func (r *yamlReader) origin(t *token.Token) Origin {
	if t == nil || t.Position == nil {
		return Origin{Source: r.source}
	}
	return Origin{Source: r.source, Line: t.Position.Line, Column: t.Position.Column}
}

// walk visits the value of key; keyOrigin is where its last part was written.
func (r *yamlReader) walk(key string, keyOrigin Origin, node ast.Node, depth int) {
	if r.values++; depth > maxYAMLDepth || r.values > maxYAMLValuesCount {
		if r.values <= maxYAMLValuesCount+1 {
			r.set.problem(BadSource, keyOrigin, key,
				fmt.Sprintf("too deep or too large: at most %d levels and %d values", maxYAMLDepth, maxYAMLValuesCount))
		}
		r.values = max(r.values, maxYAMLValuesCount+1)
		return
	}
	switch n := node.(type) {
	case *ast.MappingNode:
		for _, pair := range n.Values {
			r.pair(key, pair, depth)
		}
	case *ast.MappingValueNode:
		r.pair(key, n, depth)
	case *ast.AnchorNode:
		r.anchors[n.Name.GetToken().Value] = n.Value
		r.walk(key, keyOrigin, n.Value, depth+1)
	case *ast.AliasNode:
		target, ok := r.anchors[n.Value.GetToken().Value]
		if !ok {
			r.set.problem(BadSource, r.origin(n.GetToken()), key, fmt.Sprintf("no anchor &%s before this line", n.Value.GetToken().Value))
			return
		}
		r.walk(key, keyOrigin, target, depth+1)
	case *ast.TagNode:
		r.walk(key, keyOrigin, n.Value, depth+1)
	case *ast.SequenceNode:
		r.list(key, keyOrigin, n)
	default:
		text, ok := scalarText(node)
		if !ok {
			r.set.problem(BadSource, keyOrigin, key, "has no value; write one or remove the line")
			return
		}
		r.set.put(LayerFile, written{key: key, value: text, keyOrigin: keyOrigin, valueOrigin: r.origin(node.GetToken())})
	}
}

func (r *yamlReader) pair(prefix string, pair *ast.MappingValueNode, depth int) {
	keyOrigin := r.origin(pair.Key.GetToken())
	if pair.Key.IsMergeKey() {
		r.set.problem(BadSource, keyOrigin, prefix, "merge keys (<<) are not supported; write the keys out")
		return
	}
	name := strings.TrimSpace(pair.Key.GetToken().Value)
	if prefix != "" {
		name = prefix + "." + name
	}
	r.walk(name, keyOrigin, pair.Value, depth+1)
}

func (r *yamlReader) list(key string, keyOrigin Origin, n *ast.SequenceNode) {
	elements := make([]string, 0, len(n.Values))
	for _, v := range n.Values {
		text, ok := scalarText(v)
		if !ok {
			r.set.problem(BadSource, r.origin(v.GetToken()), key, "expected a list of plain values")
			return
		}
		elements = append(elements, text)
	}
	r.values += len(elements)
	r.set.put(LayerFile, written{key: key, value: Lists.Format(elements), keyOrigin: keyOrigin, valueOrigin: r.origin(n.GetToken())})
}

// scalarText is a scalar as its author wrote it (a number keeps its form), without quotes.
func scalarText(node ast.Node) (string, bool) {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return strings.TrimSpace(n.GetToken().Value), true
	}
	return "", false
}
