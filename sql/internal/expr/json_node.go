package expr

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// jsonKind says what a JSON value is.
type jsonKind uint8

const (
	jsonNull jsonKind = iota
	jsonFalse
	jsonTrue
	jsonNumber
	jsonText
	jsonArray
	jsonObject
	jsonWritten // text is JSON already
)

// jsonNode is a JSON value. text is the decoded text or the digits of a number; keys are those of an object, in its order.
type jsonNode struct {
	kind jsonKind
	text string
	keys []string
	kids []*jsonNode
}

// maxJSONDepth bounds the nesting of a document, and with it the stack.
const maxJSONDepth = 1000

var errJSONDepth = fmt.Errorf("more than %d levels of nesting", maxJSONDepth)

type jsonReader struct {
	s string
	i int
	// unique refuses a key that comes twice; otherwise the last one counts.
	unique bool
	depth  int
}

// parseJSON reads one document and nothing behind it.
func parseJSON(s string) (*jsonNode, error) {
	r := &jsonReader{s: s}
	n, err := r.document()
	if err == nil && r.i < len(s) {
		err = r.unexpected()
	}
	return n, err
}

func (r *jsonReader) document() (*jsonNode, error) {
	r.space()
	n, err := r.value()
	r.space()
	return n, err
}

func (r *jsonReader) space() {
	for r.i < len(r.s) && (r.s[r.i] == ' ' || r.s[r.i] == '\t' || r.s[r.i] == '\n' || r.s[r.i] == '\r') {
		r.i++
	}
}

func (r *jsonReader) unexpected() error {
	before := r.s[:r.i]
	line := strings.Count(before, "\n") + 1
	col := r.i - strings.LastIndexByte(before, '\n')
	if r.i >= len(r.s) {
		return fmt.Errorf("not valid JSON: it ends at line: %d, column: %d", line, col)
	}
	return fmt.Errorf("not valid JSON: unexpected %q at line: %d, column: %d", r.s[r.i], line, col)
}

func (r *jsonReader) peek() byte {
	if r.i < len(r.s) {
		return r.s[r.i]
	}
	return 0
}

func (r *jsonReader) value() (*jsonNode, error) {
	switch c := r.peek(); {
	case c == '{' || c == '[':
		if r.depth++; r.depth > maxJSONDepth {
			return nil, errJSONDepth
		}
		defer func() { r.depth-- }()
		if c == '{' {
			return r.object()
		}
		return r.array()
	case c == '"':
		s, err := r.text()
		return &jsonNode{kind: jsonText, text: s}, err
	case c == '-' || c >= '0' && c <= '9':
		return r.number()
	}
	for _, w := range []struct {
		word string
		kind jsonKind
	}{{"true", jsonTrue}, {"false", jsonFalse}, {"null", jsonNull}} {
		if strings.HasPrefix(r.s[r.i:], w.word) {
			r.i += len(w.word)
			return &jsonNode{kind: w.kind, text: w.word}, nil
		}
	}
	return nil, r.unexpected()
}

func (r *jsonReader) array() (*jsonNode, error) {
	n := &jsonNode{kind: jsonArray}
	r.i++
	if r.space(); r.peek() == ']' {
		r.i++
		return n, nil
	}
	for {
		v, err := r.document()
		if err != nil {
			return nil, err
		}
		n.kids = append(n.kids, v)
		switch r.peek() {
		case ',':
			r.i++
		case ']':
			r.i++
			return n, nil
		default:
			return nil, r.unexpected()
		}
	}
}

func (r *jsonReader) object() (*jsonNode, error) {
	n := &jsonNode{kind: jsonObject}
	var places map[string]int // of many keys
	r.i++
	if r.space(); r.peek() == '}' {
		r.i++
		return n, nil
	}
	for {
		if r.space(); r.peek() != '"' {
			return nil, r.unexpected()
		}
		key, err := r.text()
		if err != nil {
			return nil, err
		}
		if r.space(); r.peek() != ':' {
			return nil, r.unexpected()
		}
		r.i++
		v, err := r.document()
		if err != nil {
			return nil, err
		}
		if places == nil && len(n.keys) > 8 {
			places = map[string]int{}
			for i, k := range n.keys {
				places[k] = i
			}
		}
		if err := n.put(key, v, places, r.unique); err != nil {
			return nil, err
		}
		switch r.peek() {
		case ',':
			r.i++
		case '}':
			r.i++
			return n, nil
		default:
			return nil, r.unexpected()
		}
	}
}

func (n *jsonNode) put(key string, v *jsonNode, places map[string]int, unique bool) error {
	at := -1
	if places != nil {
		if p, ok := places[key]; ok {
			at = p
		}
		places[key] = max(at, len(n.keys))
		if at >= 0 {
			places[key] = at
		}
	} else {
		at = slices.Index(n.keys, key)
	}
	switch {
	case at >= 0 && unique:
		return fmt.Errorf("the key %.60q comes twice in an object", key)
	case at >= 0:
		n.kids[at] = v
	default:
		n.keys, n.kids = append(n.keys, key), append(n.kids, v)
	}
	return nil
}

func (r *jsonReader) number() (*jsonNode, error) {
	from := r.i
	digits := func() bool {
		start := r.i
		for r.i < len(r.s) && r.s[r.i] >= '0' && r.s[r.i] <= '9' {
			r.i++
		}
		return r.i > start
	}
	if r.peek() == '-' {
		r.i++
	}
	lead := r.i
	if !digits() || r.s[lead] == '0' && r.i > lead+1 {
		return nil, r.unexpected()
	}
	if r.peek() == '.' {
		if r.i++; !digits() {
			return nil, r.unexpected()
		}
	}
	if c := r.peek(); c == 'e' || c == 'E' {
		r.i++
		if c := r.peek(); c == '+' || c == '-' {
			r.i++
		}
		if !digits() {
			return nil, r.unexpected()
		}
	}
	return &jsonNode{kind: jsonNumber, text: r.s[from:r.i]}, nil
}

func (r *jsonReader) text() (string, error) {
	r.i++
	from := r.i
	for r.i < len(r.s) && r.s[r.i] != '"' && r.s[r.i] != '\\' && r.s[r.i] >= ' ' {
		r.i++
	}
	if r.peek() == '"' {
		r.i++
		return r.s[from : r.i-1], nil
	}
	b := []byte(r.s[from:r.i])
	for r.i < len(r.s) {
		switch c := r.s[r.i]; {
		case c == '"':
			r.i++
			return string(b), nil
		case c == '\\':
			var n int
			var err error
			if b, n, err = appendUnescaped(b, r.s[r.i:]); err != nil {
				return "", err
			}
			r.i += n
		case c < ' ':
			return "", r.unexpected()
		default:
			b = append(b, c)
			r.i++
		}
	}
	return "", r.unexpected()
}

var errJSONEscape = errors.New("not valid JSON: a wrong escape in a text")

// appendUnescaped decodes the escape that s begins with and returns its length.
func appendUnescaped(b []byte, s string) ([]byte, int, error) {
	if len(s) < 2 {
		return b, 0, errJSONEscape
	}
	if at := strings.IndexByte(`"\/bfnrt`, s[1]); at >= 0 {
		return append(b, "\"\\/\b\f\n\r\t"[at]), 2, nil
	}
	c, ok := unicodeEscape(s)
	if !ok {
		return b, 0, errJSONEscape
	}
	if utf16.IsSurrogate(c) {
		if low, ok := unicodeEscape(s[6:]); ok {
			if pair := utf16.DecodeRune(c, low); pair != utf8.RuneError {
				return utf8.AppendRune(b, pair), 12, nil
			}
		}
		c = utf8.RuneError
	}
	return utf8.AppendRune(b, c), 6, nil
}

func unicodeEscape(s string) (rune, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	x, err := strconv.ParseUint(s[2:6], 16, 16)
	return rune(x), err == nil
}

// appendQuoted writes a text as JSON. ascii escapes everything that is not ASCII too.
func appendQuoted(b []byte, s string, ascii bool) []byte {
	b = append(b, '"')
	for i := 0; i < len(s); {
		c := s[i]
		if at := strings.IndexByte("\"\\\b\f\n\r\t", c); at >= 0 {
			b = append(b, '\\', `"\bfnrt`[at])
			i++
			continue
		}
		if c < ' ' {
			b = append(b, "\\u00"...)
			b = append(b, upperHex[c>>4], upperHex[c&15])
			i++
			continue
		}
		if c < utf8.RuneSelf || !ascii {
			b = append(b, c)
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		for _, u := range utf16.AppendRune(nil, r) {
			b = append(b, '\\', 'u')
			for shift := 12; shift >= 0; shift -= 4 {
				b = append(b, "0123456789abcdef"[u>>shift&15])
			}
		}
		i += size
	}
	return append(b, '"')
}

// append writes the value without spaces; sorted orders the keys of objects, by UTF-16 as Java does.
func (n *jsonNode) append(b []byte, sorted bool) []byte {
	switch n.kind {
	case jsonText:
		return appendQuoted(b, n.text, false)
	case jsonNumber:
		return append(b, n.numberText()...)
	case jsonArray:
		b = append(b, '[')
		for i, kid := range n.kids {
			if i > 0 {
				b = append(b, ',')
			}
			b = kid.append(b, sorted)
		}
		return append(b, ']')
	case jsonObject:
		order := make([]int, len(n.keys))
		for i := range order {
			order[i] = i
		}
		if sorted {
			slices.SortStableFunc(order, func(x, y int) int { return compareJava(n.keys[x], n.keys[y]) })
		}
		b = append(b, '{')
		for i, at := range order {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendQuoted(b, n.keys[at], false), ':')
			b = n.kids[at].append(b, sorted)
		}
		return append(b, '}')
	}
	return append(b, n.text...)
}

// compareJava orders texts by UTF-16 units: characters beyond the first plane come before those from U+E000 on.
func compareJava(a, b string) int {
	for a != "" && b != "" {
		x, n := utf8.DecodeRuneInString(a)
		y, m := utf8.DecodeRuneInString(b)
		if x != y {
			if (x > 0xffff) != (y > 0xffff) {
				hx, hy := x, y
				if x > 0xffff {
					hx = 0xd800
				} else {
					hy = 0xd800
				}
				return int(hx - hy)
			}
			return int(x - y)
		}
		a, b = a[n:], b[m:]
	}
	return len(a) - len(b)
}

// numberText is a number as Java prints it: whole numbers as they are, others as a DOUBLE.
func (n *jsonNode) numberText() string {
	if !strings.ContainsAny(n.text, ".eE") {
		if n.text == "-0" {
			return "0"
		}
		return n.text
	}
	f, _ := strconv.ParseFloat(n.text, 64)
	if math.IsInf(f, 0) {
		return n.text
	}
	return string(AppendFloat(nil, f, 64))
}

// scalar reports whether the value is no array and no object.
func (n *jsonNode) scalar() bool { return n.kind < jsonArray }

// get is the value of a key; nil if there is none.
func (n *jsonNode) get(key string) *jsonNode {
	if i := slices.Index(n.keys, key); i >= 0 && n.kind == jsonObject {
		return n.kids[i]
	}
	return nil
}
