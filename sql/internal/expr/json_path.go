package expr

import (
	"fmt"
	"strconv"
	"strings"
)

// jsonPath is a compiled path: "lax $.a", "strict $.a[0]", or without a mode, which is strict as in Flink. Its language is that of the library that
// Flink uses: $ and @, .name, ['a', 'b'], [0], [-1], [0,1], [1:3], *, .., filters [?(...)] and length(), size().
type jsonPath struct {
	lax   bool
	steps []pathStep
	// many: the result is the list of all that was found, even of nothing.
	many bool
}

type pathKind uint8

const (
	pathKeys pathKind = iota
	pathAll
	pathIndexes
	pathSlice
	pathDeep // everything below, itself too
	pathFilter
	pathLength
)

type pathStep struct {
	kind     pathKind
	keys     []string
	indexes  []int
	from, to *int
	filter   pathTest
}

// pathTest decides whether a value passes a filter.
type pathTest func(root, at *jsonNode) bool

type pathReader struct {
	s string
	i int
}

func compileJSONPath(text string) (*jsonPath, error) {
	p := &jsonPath{}
	body := strings.TrimSpace(text)
	mode, rest, _ := strings.Cut(body, " ")
	switch strings.ToLower(mode) {
	case "lax":
		p.lax, body = true, strings.TrimSpace(rest)
	case "strict":
		body = strings.TrimSpace(rest)
	}
	if !strings.HasPrefix(body, "$") {
		body = "$." + body
	}
	r := &pathReader{s: body, i: 1}
	var err error
	p.steps, err = r.steps("")
	if err != nil || r.i < len(body) {
		return nil, fmt.Errorf("the JSON path %q is wrong at character %d", text, strings.Index(text, body)+r.i+1)
	}
	p.many = manyResults(p.steps)
	return p, nil
}

func manyResults(steps []pathStep) bool {
	for _, s := range steps {
		if s.kind == pathAll || s.kind == pathDeep || s.kind == pathFilter || s.kind == pathSlice || len(s.keys) > 1 || len(s.indexes) > 1 {
			return true
		}
	}
	return false
}

func (r *pathReader) peek() byte {
	if r.i < len(r.s) {
		return r.s[r.i]
	}
	return 0
}

func (r *pathReader) space() {
	for r.peek() == ' ' {
		r.i++
	}
}

func (r *pathReader) accept(token string) bool {
	if strings.HasPrefix(r.s[r.i:], token) {
		r.i += len(token)
		return true
	}
	return false
}

func (r *pathReader) wrong() error { return fmt.Errorf("at %d", r.i) }

// steps reads until the end, or in a filter until a character that no step begins with.
func (r *pathReader) steps(stop string) ([]pathStep, error) {
	var out []pathStep
	for r.i < len(r.s) && strings.IndexByte(stop, r.peek()) < 0 {
		switch {
		case r.accept(".."):
			out = append(out, pathStep{kind: pathDeep})
			if r.peek() == '[' {
				continue
			}
		case r.accept("."):
			if r.peek() == '[' {
				continue
			}
		case r.peek() == '[':
			s, err := r.bracket()
			if err != nil {
				return nil, err
			}
			out = append(out, s)
			continue
		default:
			return nil, r.wrong()
		}
		if r.accept("*") {
			out = append(out, pathStep{kind: pathAll})
			continue
		}
		from := r.i
		for r.i < len(r.s) && strings.IndexByte(".[ ()"+stop, r.peek()) < 0 {
			r.i++
		}
		name := r.s[from:r.i]
		switch {
		case name == "":
			return nil, r.wrong()
		case r.accept("()"):
			if name != "length" && name != "size" {
				return nil, r.wrong()
			}
			out = append(out, pathStep{kind: pathLength})
		default:
			out = append(out, pathStep{kind: pathKeys, keys: []string{name}})
		}
	}
	return out, nil
}

func (r *pathReader) bracket() (s pathStep, err error) {
	r.i++
	r.space()
	switch c := r.peek(); {
	case c == '*':
		r.i++
		s.kind = pathAll
	case c == '\'' || c == '"':
		for {
			key, ok := r.quoted()
			if !ok {
				return s, r.wrong()
			}
			s.keys = append(s.keys, key)
			if r.space(); !r.accept(",") {
				break
			}
			r.space()
		}
	case c == '?':
		r.i++
		r.space()
		if !r.accept("(") {
			return s, r.wrong()
		}
		s.kind = pathFilter
		if s.filter, err = r.anyOf(); err != nil {
			return s, err
		}
		if r.space(); !r.accept(")") {
			return s, r.wrong()
		}
	default:
		if err := r.places(&s); err != nil {
			return s, err
		}
	}
	if r.space(); !r.accept("]") {
		return s, r.wrong()
	}
	return s, nil
}

func (r *pathReader) quoted() (string, bool) {
	q := r.peek()
	if q != '\'' && q != '"' {
		return "", false
	}
	var b []byte
	for r.i++; r.i < len(r.s); r.i++ {
		switch c := r.s[r.i]; {
		case c == q:
			r.i++
			return string(b), true
		case c == '\\' && r.i+1 < len(r.s):
			r.i++
			b = append(b, r.s[r.i])
		default:
			b = append(b, c)
		}
	}
	return "", false
}

func (r *pathReader) whole() *int {
	from := r.i
	if r.peek() == '-' {
		r.i++
	}
	for r.peek() >= '0' && r.peek() <= '9' {
		r.i++
	}
	n, err := strconv.Atoi(r.s[from:r.i])
	if err != nil {
		r.i = from
		return nil
	}
	return &n
}

// places reads indexes and slices.
func (r *pathReader) places(s *pathStep) error {
	s.kind = pathIndexes
	s.from = r.whole()
	if r.space(); r.accept(":") {
		s.kind = pathSlice
		r.space()
		s.to = r.whole()
		return nil
	}
	if s.from == nil {
		return r.wrong()
	}
	s.indexes = []int{*s.from}
	for r.accept(",") {
		r.space()
		n := r.whole()
		if n == nil {
			return r.wrong()
		}
		s.indexes = append(s.indexes, *n)
		r.space()
	}
	return nil
}

// read is what the path finds: nil for nothing, with missing set where a step had nowhere to go (an error for strict paths).
func (p *jsonPath) read(root *jsonNode) (found *jsonNode, missing bool) {
	at := []*jsonNode{root}
	many := false
	for _, s := range p.steps {
		var next []*jsonNode
		for _, n := range at {
			next = s.apply(next, root, n)
		}
		if many = many || manyResults([]pathStep{s}); len(next) == 0 && !many {
			return nil, true
		}
		at = next
	}
	if p.many {
		return &jsonNode{kind: jsonArray, kids: at}, false
	}
	return at[0], false
}

func (s *pathStep) apply(out []*jsonNode, root, n *jsonNode) []*jsonNode {
	switch s.kind {
	case pathKeys:
		if len(s.keys) == 1 {
			if v := n.get(s.keys[0]); v != nil {
				out = append(out, v)
			}
			return out
		}
		part := &jsonNode{kind: jsonObject}
		for _, k := range s.keys {
			if v := n.get(k); v != nil {
				part.keys, part.kids = append(part.keys, k), append(part.kids, v)
			}
		}
		return append(out, part)
	case pathAll:
		return append(out, n.kids...)
	case pathIndexes:
		for _, i := range s.indexes {
			if i < 0 {
				i += len(n.kids)
			}
			if n.kind == jsonArray && i >= 0 && i < len(n.kids) {
				out = append(out, n.kids[i])
			}
		}
	case pathSlice:
		if n.kind == jsonArray {
			from, to := sliceEnd(s.from, 0, len(n.kids)), sliceEnd(s.to, len(n.kids), len(n.kids))
			for i := from; i < to; i++ {
				out = append(out, n.kids[i])
			}
		}
	case pathDeep:
		out = append(out, n)
		for _, kid := range n.kids {
			out = s.apply(out, root, kid)
		}
	case pathFilter:
		kids := n.kids
		if n.kind == jsonObject {
			kids = []*jsonNode{n}
		}
		for _, kid := range kids {
			if s.filter(root, kid) {
				out = append(out, kid)
			}
		}
	case pathLength:
		if !n.scalar() {
			out = append(out, &jsonNode{kind: jsonNumber, text: strconv.Itoa(len(n.kids))})
		}
	}
	return out
}

func sliceEnd(x *int, missing, n int) int {
	switch {
	case x == nil:
		return missing
	case *x < 0:
		return max(*x+n, 0)
	}
	return min(*x, n)
}

// anyOf reads a || b, all of a && b, and comparisons.
func (r *pathReader) anyOf() (pathTest, error) {
	left, err := r.allOf()
	for err == nil {
		if r.space(); !r.accept("||") {
			return left, nil
		}
		var right pathTest
		a := left
		right, err = r.allOf()
		left = func(root, at *jsonNode) bool { return a(root, at) || right(root, at) }
	}
	return nil, err
}

func (r *pathReader) allOf() (pathTest, error) {
	left, err := r.test()
	for err == nil {
		if r.space(); !r.accept("&&") {
			return left, nil
		}
		var right pathTest
		a := left
		right, err = r.test()
		left = func(root, at *jsonNode) bool { return a(root, at) && right(root, at) }
	}
	return nil, err
}

func (r *pathReader) test() (pathTest, error) {
	r.space()
	switch {
	case r.accept("!"):
		t, err := r.test()
		return func(root, at *jsonNode) bool { return !t(root, at) }, err
	case r.accept("("):
		t, err := r.anyOf()
		if r.space(); err == nil && !r.accept(")") {
			err = r.wrong()
		}
		return t, err
	}
	left, err := r.operand()
	if err != nil {
		return nil, err
	}
	r.space()
	for _, op := range []string{"==", "!=", "<=", ">=", "<", ">"} {
		if !r.accept(op) {
			continue
		}
		r.space()
		right, err := r.operand()
		return func(root, at *jsonNode) bool { return compareJSON(left(root, at), right(root, at), op) }, err
	}
	return func(root, at *jsonNode) bool { return left(root, at) != nil }, nil
}

// operand reads @.path, $.path or a literal.
func (r *pathReader) operand() (func(root, at *jsonNode) *jsonNode, error) {
	c := r.peek()
	if c == '@' || c == '$' {
		r.i++
		steps, err := r.steps(" =!<>&|)")
		p := &jsonPath{steps: steps, many: manyResults(steps)}
		return func(root, at *jsonNode) *jsonNode {
			if c == '$' {
				at = root
			}
			found, _ := p.read(at)
			return found
		}, err
	}
	var value *jsonNode
	if c == '\'' || c == '"' {
		s, ok := r.quoted()
		if !ok {
			return nil, r.wrong()
		}
		value = &jsonNode{kind: jsonText, text: s}
	} else {
		j := &jsonReader{s: r.s, i: r.i}
		var err error
		if value, err = j.value(); err != nil {
			return nil, r.wrong()
		}
		r.i = j.i
	}
	return func(_, _ *jsonNode) *jsonNode { return value }, nil
}

func compareJSON(a, b *jsonNode, op string) bool {
	if a == nil || b == nil {
		return op == "!=" && a != b
	}
	var c int
	switch {
	case a.kind == jsonNumber && b.kind == jsonNumber:
		x, _ := strconv.ParseFloat(a.text, 64)
		y, _ := strconv.ParseFloat(b.text, 64)
		c = compareFloat(x, y)
	case a.kind == jsonText && b.kind == jsonText:
		c = strings.Compare(a.text, b.text)
	case op == "==" || op == "!=":
		if a.kind != b.kind || string(a.append(nil, true)) != string(b.append(nil, true)) {
			c = 1
		}
	default:
		return false
	}
	switch op {
	case "==":
		return c == 0
	case "!=":
		return c != 0
	case "<":
		return c < 0
	case "<=":
		return c <= 0
	case ">":
		return c > 0
	}
	return c >= 0
}
