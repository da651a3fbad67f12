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

// JSON functions. The binder writes (symbols are STRING literals in upper case, a type is a NULL literal of it):
//
//	JSON_EXISTS(doc, path [x ON ERROR])  as JSON_EXISTS(doc, path [, 'TRUE' | 'FALSE' | 'UNKNOWN' | 'ERROR'])
//	JSON_VALUE(...)  as JSON_VALUE(doc, path), or with all clauses, the missing ones by default:
//	    JSON_VALUE(doc, path, onEmpty, defaultOnEmpty, onError, defaultOnError, NULL of the returned type)
//	    where onX is 'NULL', 'ERROR' or 'DEFAULT', and the default NULL unless it is 'DEFAULT'. No RETURNING is STRING.
//	JSON_QUERY(...)  as JSON_QUERY(doc, path), or JSON_QUERY(doc, path, wrapper, onEmpty, onError, NULL of the returned type)
//	    where wrapper is 'WITHOUT', 'CONDITIONAL' or 'UNCONDITIONAL' and onX 'NULL', 'ERROR', 'EMPTY ARRAY' or 'EMPTY OBJECT'.
//	JSON_OBJECT(KEY k VALUE v, ...)      as JSON_OBJECT('NULL' | 'ABSENT', k, v, ...)
//	JSON_ARRAY(v, ...)                   as JSON_ARRAY('NULL' | 'ABSENT', v, ...); nothing written is ABSENT there and NULL above
//	x IS [NOT] JSON [VALUE|SCALAR|ARRAY|OBJECT]  as "IS [NOT] JSON VALUE"(x) and so on
var jsonFuncs = []*Func{
	fails(strict("JSON_EXISTS", "text text word?", mayGive(boolType), jsonExistsKernel)),
	{Name: "JSON_VALUE", Fails: true, Resolve: resolveJSONValue, Kernel: jsonValueKernel},
	{Name: "JSON_QUERY", Fails: true, Resolve: resolveJSONQuery, Kernel: jsonQueryKernel},
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
	onError := "FALSE"
	if len(s.Args) > 2 {
		onError = literalWord(s, 2)
	}
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

func resolveJSONValue(args []Arg) (Signature, error) {
	if len(args) == 2 {
		return takes("JSON_VALUE", "text text", mayGive(textType))(args)
	}
	sig, err := takes("JSON_VALUE", "text text word any word any any", mayGive(textType))(args)
	if err != nil || len(args) != 7 {
		return sig, errors.Join(err, argumentCount(args, 7))
	}
	t := args[6].Type
	switch {
	case t.ID == column.Null:
		t = textType
	case !t.IsText() && !t.IsNumeric() && t.ID != column.Boolean:
		return sig, fmt.Errorf("JSON_VALUE does not return %s", t)
	}
	for _, k := range []int{3, 5} {
		if from := args[k].Type; from.ID != column.Null && !t.IsText() {
			if err := CastAllowed(from, t, true); err != nil {
				return sig, fmt.Errorf("the default of JSON_VALUE: %w", err)
			}
			sig.Args[k] = t.Nullable(!from.NotNull)
		}
	}
	sig.Args[6], sig.Result = t.Nullable(true), t.Nullable(true)
	return sig, nil
}

func argumentCount(args []Arg, n int) error {
	if len(args) != n {
		return fmt.Errorf("BUG: %d arguments in place of %d", len(args), n)
	}
	return nil
}

func jsonValueKernel(s *Site) (Kernel, error) {
	d, err := newDocuments(s)
	onEmpty, onError := "NULL", "NULL"
	if len(s.Args) > 2 {
		onEmpty, onError = literalWord(s, 2), literalWord(s, 4)
	}
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
			return instead(r, onError, 5, err)
		case n == nil || lax && !n.scalar():
			return instead(r, onEmpty, 3, errors.New("the path finds no scalar value"))
		case !n.scalar():
			return instead(r, onError, 5, errors.New("the path finds an array or an object, not a scalar value"))
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
			return instead(r, onError, 5, err)
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

func resolveJSONQuery(args []Arg) (Signature, error) {
	if len(args) == 2 {
		return takes("JSON_QUERY", "text text", mayGive(textType))(args)
	}
	sig, err := takes("JSON_QUERY", "text text word word word any", mayGive(textType))(args)
	if err != nil || len(args) != 6 {
		return sig, errors.Join(err, argumentCount(args, 6))
	}
	t := args[5].Type
	switch {
	case t.ID == column.Null:
		t = textType
	case t.IsText() || t.ID == column.Array && t.Elem.IsText():
	default:
		return sig, fmt.Errorf("JSON_QUERY returns STRING or ARRAY<STRING>, not %s", t)
	}
	if t.ID == column.Array && (wordOf(args[3].Literal) == "EMPTY OBJECT" || wordOf(args[4].Literal) == "EMPTY OBJECT") {
		return sig, errors.New("JSON_QUERY cannot give EMPTY OBJECT where it returns an ARRAY")
	}
	sig.Result = t.Nullable(true)
	return sig, nil
}

func jsonQueryKernel(s *Site) (Kernel, error) {
	d, err := newDocuments(s)
	wrapper, onEmpty, onError := "WITHOUT", "NULL", "NULL"
	if len(s.Args) > 2 {
		wrapper, onEmpty, onError = literalWord(s, 2), literalWord(s, 3), literalWord(s, 4)
	}
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
			return instead(onError, err)
		}
		if n != nil && (wrapper == "UNCONDITIONAL" || wrapper == "CONDITIONAL" && n.kind != jsonArray) {
			n = &jsonNode{kind: jsonArray, kids: []*jsonNode{n}}
		}
		switch {
		case n == nil || lax && n.scalar():
			return instead(onEmpty, errors.New("the path finds no array or object"))
		case n.scalar():
			return instead(onError, errors.New("the path finds a scalar value, not an array or an object"))
		case list && n.kind != jsonArray:
			return instead(onError, errors.New("the path finds an object, which is no array"))
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
