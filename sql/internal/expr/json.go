package expr

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/flottio/flott/column"
)

// JSON functions. The binder writes the clauses behind the arguments, each that was written as a SYMBOL literal, some with a value behind:
//
//	'RETURNING', NULL of the type
//	'WITHOUT WRAPPER', 'WITH WRAPPER', 'WITH CONDITIONAL WRAPPER'
//	'NULL ON EMPTY', 'ERROR ON EMPTY', 'EMPTY ARRAY ON EMPTY', 'EMPTY OBJECT ON EMPTY', 'DEFAULT ON EMPTY' and the value; ON ERROR alike,
//	and 'TRUE', 'FALSE', 'UNKNOWN ON ERROR' of JSON_EXISTS
//	'NULL ON NULL', 'ABSENT ON NULL', of JSON_OBJECT(k, v, ...) and JSON_ARRAY(v, ...)
//
// x IS JSON [VALUE|SCALAR|ARRAY|OBJECT] is "IS JSON ..."(x), with NOT "IS NOT JSON ..."(x).
var jsonFuncs = []*Func{
	{Name: "JSON_EXISTS", Strict: true, Fails: true, Resolve: resolveJSONPath("JSON_EXISTS", boolType), Kernel: jsonExistsKernel},
	{Name: "JSON_VALUE", Fails: true, Resolve: resolveJSONPath("JSON_VALUE", textType), Kernel: jsonValueKernel},
	{Name: "JSON_QUERY", Fails: true, Resolve: resolveJSONPath("JSON_QUERY", textType), Kernel: jsonQueryKernel},
	{Name: "JSON_OBJECT", Resolve: resolveJSONObject, Special: compileJSONMaker(jsonObjectKernel)},
	{Name: "JSON_ARRAY", Resolve: resolveJSONArray, Special: compileJSONMaker(jsonArrayKernel)},
	jsonFunc,
	strict("JSON_STRING", "any", gives(textType), func(s *Site) (Kernel, error) {
		if err := jsonable(s.Type(0)); err != nil {
			return nil, err
		}
		return rowKernelOf(func(r *row) error { return r.setBytes(appendJSON(r.free(), r.args[0], r.i)) }), nil
	}),
	strict("JSON_QUOTE", "text", gives(textType), rowwise(func(r *row) error { return r.setBytes(appendQuoted(r.free(), r.text(0), true)) })),
	strict("JSON_UNQUOTE", "text", gives(textType), rowwise(func(r *row) error { return r.setText(unquoteJSON(r.text(0))) })),
	isJSON("VALUE", func(*jsonNode) bool { return true }), isNotJSON("VALUE", func(*jsonNode) bool { return true }),
	isJSON("SCALAR", (*jsonNode).scalar), isNotJSON("SCALAR", (*jsonNode).scalar),
	isJSON("ARRAY", isJSONArray), isNotJSON("ARRAY", isJSONArray),
	isJSON("OBJECT", isJSONObject), isNotJSON("OBJECT", isJSONObject),
}

func isJSONArray(n *jsonNode) bool  { return n.kind == jsonArray }
func isJSONObject(n *jsonNode) bool { return n.kind == jsonObject }

func isJSON(kind string, ok func(*jsonNode) bool) *Func { return jsonTest("IS JSON "+kind, ok, true) }

func isNotJSON(kind string, ok func(*jsonNode) bool) *Func {
	return jsonTest("IS NOT JSON "+kind, ok, false)
}

func jsonTest(name string, ok func(*jsonNode) bool, want bool) *Func {
	return strict(name, "text", gives(boolType), rowwise(func(r *row) error {
		n, err := parseJSON(r.text(0))
		return r.setBool((err == nil && ok(n)) == want)
	}))
}

// documents reads a document and walks a path, both of which are mostly those of the row or of the call before.
type documents struct {
	paths map[string]*jsonPath
	text  string
	doc   *jsonNode
	err   error
}

func newDocuments(s *Site) (*documents, error) {
	d := &documents{paths: map[string]*jsonPath{}}
	if v, ok := constantOf(s.Args[1], s.Env); ok {
		if text, isText := v.(string); isText {
			p, err := compileJSONPath(text)
			if err != nil {
				return nil, err
			}
			d.paths[text] = p
		}
	}
	return d, nil
}

// find returns what a path finds: nil is nothing, an error what a strict path missed or a document that is none.
func (d *documents) find(doc, path string) (n *jsonNode, lax bool, err error) {
	p := d.paths[path]
	if p == nil {
		if p, err = compileJSONPath(path); err != nil {
			return nil, false, err
		}
		if len(d.paths) >= maxPatterns {
			clear(d.paths)
		}
		d.paths[strings.Clone(path)] = p
	}
	if d.doc == nil && d.err == nil || d.text != doc {
		d.text = doc
		d.doc, d.err = parseJSON(doc)
	}
	if d.err != nil {
		return nil, p.lax, d.err
	}
	n, missing := p.read(d.doc)
	if missing && !p.lax {
		return nil, false, fmt.Errorf("the path %q leads nowhere", path)
	}
	if n != nil && n.kind == jsonNull {
		n = nil
	}
	return n, p.lax, nil
}

func jsonExistsKernel(s *Site) (Kernel, error) {
	d, err := newDocuments(s)
	onError := siteClauses(s).onError
	return rowKernelOf(func(r *row) error {
		n, _, err := d.find(r.text(0), r.text(1))
		switch {
		case err == nil:
			return r.setBool(n != nil)
		case onError == "ERROR":
			return fmt.Errorf("JSON_EXISTS: %w", err)
		case onError == "UNKNOWN":
			return r.null()
		}
		return r.setBool(onError == "TRUE")
	}), err
}

// jsonClauses are the clauses of a call; defaults are the places of the values of DEFAULT.
type jsonClauses struct {
	returning                    column.Type
	wrapper, onEmpty, onError    string
	defaultEmpty, defaultOnError int
}

// readClauses reads what stands behind document and path.
func readClauses(args []Arg) (c jsonClauses, err error) {
	for i := 2; i < len(args); i++ {
		w := wordOf(args[i].Literal)
		what, on, _ := strings.Cut(w, " ON ")
		takesValue := w == "RETURNING" || what == "DEFAULT"
		if takesValue && i+1 == len(args) {
			return c, fmt.Errorf("BUG: nothing behind %s", w)
		}
		switch {
		case w == "RETURNING":
			c.returning = args[i+1].Type
		case strings.HasSuffix(w, "WRAPPER"):
			c.wrapper = strings.TrimSuffix(w, " WRAPPER")
		case on == "EMPTY":
			c.onEmpty, c.defaultEmpty = what, i+1
		case on == "ERROR":
			c.onError, c.defaultOnError = what, i+1
		default:
			return c, fmt.Errorf("does not know the clause %q", w)
		}
		if takesValue {
			i++
		}
	}
	return c, nil
}

func siteClauses(s *Site) jsonClauses {
	args := make([]Arg, len(s.Args))
	for i, a := range s.Args {
		args[i].Type = a.Type()
		args[i].Literal, _ = a.(*Literal)
	}
	c, _ := readClauses(args)
	return c
}

// resolveJSONPath resolves JSON_VALUE, JSON_QUERY and JSON_EXISTS.
func resolveJSONPath(name string, result column.Type) func([]Arg) (Signature, error) {
	plain := takes(name, "text text", mayGive(result))
	return func(args []Arg) (Signature, error) {
		sig, err := plain(args[:min(len(args), 2)])
		if err != nil {
			return sig, err
		}
		c, err := readClauses(args)
		if err != nil {
			return sig, err
		}
		for _, a := range args[2:] {
			sig.Args = append(sig.Args, a.Type)
		}
		if c.returning.ID != column.Null {
			sig.Result = c.returning.Nullable(true)
		}
		switch name {
		case "JSON_VALUE":
			return sig, returnedValue(&sig, args, c)
		case "JSON_QUERY":
			return sig, returnedQuery(sig.Result, c)
		}
		return sig, nil
	}
}

func returnedValue(sig *Signature, args []Arg, c jsonClauses) error {
	t := sig.Result
	if !t.IsText() && !t.IsNumeric() && t.ID != column.Boolean {
		return fmt.Errorf("does not return %s", t)
	}
	for _, x := range []struct {
		what string
		k    int
	}{{c.onEmpty, c.defaultEmpty}, {c.onError, c.defaultOnError}} {
		if x.what != "DEFAULT" || t.IsText() || args[x.k].Type.ID == column.Null {
			continue
		}
		if err := CastAllowed(args[x.k].Type, t, true); err != nil {
			return fmt.Errorf("the default value: %w", err)
		}
		sig.Args[x.k] = t.Nullable(!args[x.k].Type.NotNull)
	}
	return nil
}

func returnedQuery(t column.Type, c jsonClauses) error {
	array := t.ID == column.Array && t.Elem.IsText()
	switch {
	case !t.IsText() && !array:
		return fmt.Errorf("returns STRING or ARRAY<STRING>, not %s", t)
	case array && (c.onEmpty == "EMPTY OBJECT" || c.onError == "EMPTY OBJECT"):
		return errors.New("cannot give EMPTY OBJECT where it returns an ARRAY")
	}
	return nil
}

func jsonValueKernel(s *Site) (Kernel, error) {
	d, err := newDocuments(s)
	c := siteClauses(s)
	out := s.Result
	var cast func(text string) (any, error)
	if !out.IsText() {
		cast = func(text string) (any, error) { return CastValue(text, textType, out, s.Env) }
	}
	instead := func(r *row, what string, k int, err error) error {
		switch what {
		case "ERROR":
			return fmt.Errorf("JSON_VALUE: %w", err)
		case "DEFAULT":
			return r.setDefault(k)
		}
		return r.null()
	}
	return rowKernelOf(func(r *row) error {
		if r.isNull(0) || r.isNull(1) {
			return r.null()
		}
		n, lax, err := d.find(r.text(0), r.text(1))
		switch {
		case err != nil:
			return instead(r, c.onError, c.defaultOnError, err)
		case n == nil || lax && !n.scalar():
			return instead(r, c.onEmpty, c.defaultEmpty, errors.New("the path finds no scalar value"))
		case !n.scalar():
			return instead(r, c.onError, c.defaultOnError, errors.New("the path finds an array or an object, not a scalar value"))
		}
		text := n.text
		if n.kind == jsonNumber {
			text = n.numberText()
		}
		if cast == nil {
			return r.setText(text)
		}
		v, err := cast(text)
		if err != nil {
			return instead(r, c.onError, c.defaultOnError, err)
		}
		return r.setAny(v)
	}), err
}

// setDefault is the result of DEFAULT: argument k, as a text for text results.
func (r *row) setDefault(k int) error {
	v := r.args[k]
	switch {
	case v.IsNull(r.i):
		return r.null()
	case !r.out.Type.IsText():
		return r.setAny(v.At(r.i))
	}
	return r.setText(javaText(r.e, v, r.i))
}

// setAny stores a value as Vector.At gives it.
func (r *row) setAny(x any) error {
	v, i := r.out, r.i
	switch x := x.(type) {
	case nil:
		return r.null()
	case bool:
		v.Bool[i] = x
	case int8:
		v.I8[i] = x
	case int16:
		v.I16[i] = x
	case int32:
		v.I32[i] = x
	case int64:
		v.I64[i] = x
	case float32:
		v.F32[i] = x
	case float64:
		v.F64[i] = x
	case column.Int128:
		v.I128[i] = x
	case string:
		v.Str[i] = x
	}
	return nil
}

func jsonQueryKernel(s *Site) (Kernel, error) {
	d, err := newDocuments(s)
	c := siteClauses(s)
	list := s.Result.ID == column.Array
	// query finds the value; nil with an empty error is NULL.
	query := func(r *row) (*jsonNode, error) {
		instead := func(what string, err error) (*jsonNode, error) {
			switch what {
			case "ERROR":
				return nil, fmt.Errorf("JSON_QUERY: %w", err)
			case "EMPTY ARRAY", "EMPTY":
				return &jsonNode{kind: jsonArray}, nil
			case "EMPTY OBJECT":
				return &jsonNode{kind: jsonObject}, nil
			}
			return nil, nil
		}
		if r.isNull(0) || r.isNull(1) {
			return nil, nil
		}
		n, lax, err := d.find(r.text(0), r.text(1))
		if err != nil {
			return instead(c.onError, err)
		}
		if n != nil && (c.wrapper == "WITH" || c.wrapper == "WITH CONDITIONAL" && n.kind != jsonArray) {
			n = &jsonNode{kind: jsonArray, kids: []*jsonNode{n}}
		}
		switch {
		case n == nil || lax && n.scalar():
			return instead(c.onEmpty, errors.New("the path finds no array or object"))
		case n.scalar():
			return instead(c.onError, errors.New("the path finds a scalar value, not an array or an object"))
		case list && n.kind != jsonArray:
			return instead(c.onError, errors.New("the path finds an object, which is no array"))
		}
		return n, nil
	}
	if list {
		return listwise(func(r *row, out *column.Vector) (bool, error) {
			n, err := query(r)
			if n == nil || err != nil {
				return false, err
			}
			for _, kid := range n.kids {
				switch kid.kind {
				case jsonNull:
					out.Nulls(1)
				case jsonText:
					out.Append(kid.text)
				default:
					out.Append(string(kid.append(nil, false)))
				}
			}
			return true, nil
		}), err
	}
	return rowKernelOf(func(r *row) error {
		n, err := query(r)
		switch {
		case err != nil:
			return err
		case n == nil:
			return r.null()
		}
		return r.setBytes(n.append(r.free(), false))
	}), err
}

// unquoteJSON decodes a text in quotes. What does not begin with a JSON value, or has a wrong escape, stays as it is.
func unquoteJSON(s string) string {
	r := &jsonReader{s: s}
	if r.space(); len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return s
	}
	if _, err := r.value(); err != nil {
		return s
	}
	inner := s[1 : len(s)-1]
	if strings.IndexByte(inner, '\\') < 0 {
		return inner
	}
	var b []byte
	for i := 0; i < len(inner); {
		if inner[i] != '\\' || i+1 == len(inner) {
			b = append(b, inner[i])
			i++
			continue
		}
		var n int
		var err error
		if b, n, err = appendUnescaped(b, inner[i:]); err != nil {
			return s
		}
		i += n
	}
	return string(b)
}

// appendJSON writes value i of a vector. Rows and maps are objects with their keys in order, bytes base64, times ISO 8601.
func appendJSON(b []byte, v *column.Vector, i int) []byte {
	if v.IsNull(i) {
		return append(b, "null"...)
	}
	switch v.Type.ID {
	case column.Boolean:
		return strconv.AppendBool(b, v.Bool[i])
	case column.Char, column.Varchar:
		return appendQuoted(b, v.Str[i], false)
	case column.Binary, column.Varbinary:
		b = base64.StdEncoding.AppendEncode(append(b, '"'), []byte(v.Str[i]))
		return append(b, '"')
	case column.Variant:
		return append(b, v.Str[i]...)
	case column.Timestamp, column.TimestampLTZ:
		sec, nano := momentAt(v, i)
		b = appendISO(append(b, '"'), sec, nano, false)
		if v.Type.ID == column.TimestampLTZ {
			b = append(b, 'Z')
		}
		return append(b, '"')
	case column.Date:
		return append(appendDate(append(b, '"'), int64(v.I32[i])), '"')
	case column.Time:
		b = appendClock(append(b, '"'), int64(v.I32[i]/1000))
		return append(appendFraction(b, int64(v.I32[i]%1000)*1_000_000), '"')
	case column.Row:
		n := &jsonNode{kind: jsonObject}
		for k, kid := range v.Kids {
			n.keys = append(n.keys, v.Type.Fields[k].Name)
			n.kids = append(n.kids, &jsonNode{kind: jsonWritten, text: string(appendJSON(nil, kid, i))})
		}
		return n.append(b, true)
	case column.Array:
		b = append(b, '[')
		for e := int(v.Off[i]); e < int(v.Off[i+1]); e++ {
			if e > int(v.Off[i]) {
				b = append(b, ',')
			}
			b = appendJSON(b, v.Kids[0], e)
		}
		return append(b, ']')
	case column.Map, column.Multiset:
		n := &jsonNode{kind: jsonObject}
		for e := int(v.Off[i]); e < int(v.Off[i+1]); e++ {
			key := "null"
			if !v.Kids[0].IsNull(e) {
				key = v.Kids[0].Str[e]
			}
			n.keys = append(n.keys, key)
			n.kids = append(n.kids, &jsonNode{kind: jsonWritten, text: string(appendJSON(nil, v.Kids[1], e))})
		}
		return n.append(b, true)
	case column.IntervalMonths, column.IntervalMillis:
		return append(AppendText(append(b, '"'), v, i, time.UTC), '"')
	}
	return AppendText(b, v, i, time.UTC) // numbers
}

// jsonable reports why values of a type have no JSON form.
func jsonable(t column.Type) error {
	switch t.ID {
	case column.Map, column.Multiset:
		key, value := t.MapTypes()
		if !key.IsText() {
			return fmt.Errorf("the keys of a JSON object must be character strings, got %s", t)
		}
		return jsonable(value)
	case column.Array:
		return jsonable(*t.Elem)
	case column.Row:
		for _, f := range t.Fields {
			if err := jsonable(f.Type); err != nil {
				return err
			}
		}
	case column.Bitmap, column.Raw, column.Descriptor:
		return fmt.Errorf("values of type %s have no JSON form", t)
	}
	return nil
}
