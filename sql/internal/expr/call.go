package expr

import (
	"fmt"
	"strings"
	"time"
	"unsafe"

	"github.com/flottio/flott/column"
)

// This file is what the library of functions is written in: signatures as words, results by rule, kernels row by row, and memory for texts.

// param is one argument: what may stand there, and the type it is cast to.
type param struct {
	word  string // for messages: <CHARACTER_STRING>
	match func(t column.Type) (as column.Type, ok bool)
}

// form is one way to call a function.
type form struct {
	params []param
	least  int  // arguments that cannot be left out
	more   bool // the last may come any number of times
}

// resultOf is the type of a call. types are those that the arguments are cast to.
type resultOf func(args []Arg, types []column.Type) (column.Type, error)

// paramWords are the words of signatures. NULL fits all of them.
var paramWords = map[string]param{
	"any":   {"<ANY>", func(t column.Type) (column.Type, bool) { return t, true }},
	"text":  {"<CHARACTER_STRING>", keeps(column.StringType(), column.Type.IsText)},
	"bin":   {"<BINARY_STRING>", keeps(column.BytesType(), column.Type.IsBinary)},
	"num":   {"<NUMERIC>", keeps(column.Of(column.Int), column.Type.IsNumeric)},
	"whole": {"<INTEGER_NUMERIC>", keeps(column.Of(column.Int), column.Type.IsInteger)},
	"exact": {"<EXACT_NUMERIC>", keeps(column.Of(column.Int), func(t column.Type) bool { return t.IsInteger() || t.ID == column.Decimal })},
	"int":   {"<INTEGER>", becomes(column.Of(column.Int), column.Type.IsInteger)},
	"long":  {"<INTEGER_NUMERIC>", becomes(column.Of(column.BigInt), column.Type.IsInteger)},
	"float": {"<NUMERIC>", becomes(column.Of(column.Double), column.Type.IsNumeric)},
	"bool":  {"<BOOLEAN>", keeps(column.Of(column.Boolean), func(t column.Type) bool { return t.ID == column.Boolean })},
	"array": {"<ARRAY>", only(column.Array)},
	"map":   {"<MAP>", only(column.Map)},
	"ms":    {"<MULTISET>", only(column.Multiset)},
	"bits":  {"<BITMAP>", keeps(column.Of(column.Bitmap), func(t column.Type) bool { return t.ID == column.Bitmap })},
	"point": {"<DATETIME>", keeps(column.TimestampType(3), column.Type.IsTemporal)},
	"stamp": {"<TIMESTAMP>", keeps(column.TimestampType(3), column.Type.IsTimestamp)},
	"span":  {"<DATETIME_INTERVAL>", keeps(column.Of(column.IntervalMillis), column.Type.IsInterval)},
	"word":  {"<SYMBOL>", keeps(column.StringType(), func(t column.Type) bool { return t.IsText() || t.ID == column.Symbol })},
}

// keeps takes what ok allows as it is; a bare NULL becomes one of type null.
func keeps(null column.Type, ok func(column.Type) bool) func(column.Type) (column.Type, bool) {
	return func(t column.Type) (column.Type, bool) {
		if t.ID == column.Null {
			return null, true
		}
		t.Attribute = column.NoAttribute
		return t, ok(t)
	}
}

// becomes casts what ok allows.
func becomes(to column.Type, ok func(column.Type) bool) func(column.Type) (column.Type, bool) {
	return func(t column.Type) (column.Type, bool) {
		return to.Nullable(!t.NotNull), t.ID == column.Null || ok(t)
	}
}

func only(id column.ID) func(column.Type) (column.Type, bool) {
	return func(t column.Type) (column.Type, bool) { return t, t.ID == id }
}

// takes reads forms: words divided by spaces, "?" behind what can be left out, "*" behind what may come any number of times or not at all,
// "|" between forms.
func takes(name, forms string, result resultOf) func([]Arg) (Signature, error) {
	var fs []form
	for f := range strings.SplitSeq(forms, "|") {
		var x form
		for w := range strings.FieldsSeq(f) {
			bare := strings.TrimRight(w, "?*")
			p, ok := paramWords[bare]
			if !ok {
				panic("BUG: expr: signature of " + name + ": no word " + bare)
			}
			x.params = append(x.params, p)
			x.more = strings.HasSuffix(w, "*")
			if bare == w {
				x.least++
			}
		}
		fs = append(fs, x)
	}
	return func(args []Arg) (Signature, error) {
		for _, f := range fs {
			if types, ok := f.accept(args); ok {
				t, err := result(args, types)
				return Signature{types, t}, err
			}
		}
		return Signature{}, mismatch(name, fs, args)
	}
}

func (f *form) accept(args []Arg) ([]column.Type, bool) {
	if len(args) < f.least || len(args) > len(f.params) && !f.more {
		return nil, false
	}
	types := make([]column.Type, len(args))
	for i, a := range args {
		p := f.params[min(i, len(f.params)-1)]
		t, ok := p.match(a.Type)
		if !ok {
			return nil, false
		}
		types[i] = t.Nullable(!a.Type.NotNull)
	}
	return types, true
}

func mismatch(name string, fs []form, args []Arg) error {
	var forms []string
	for _, f := range fs {
		var words []string
		for i, p := range f.params {
			w := p.word
			if i >= f.least {
				w = "[" + w + "]"
			}
			if f.more && i == len(f.params)-1 {
				w += "..."
			}
			words = append(words, w)
		}
		forms = append(forms, name+"("+strings.Join(words, ", ")+")")
	}
	types := make([]column.Type, len(args))
	for i, a := range args {
		types[i] = a.Type
	}
	return fmt.Errorf("takes %s, got (%s)", strings.Join(forms, " or "), typeList(types))
}

// gives is a fixed type that is NULL where an argument can be.
func gives(t column.Type) resultOf {
	return func(args []Arg, _ []column.Type) (column.Type, error) { return t.Nullable(anyNullable(args)), nil }
}

// mayGive is a fixed type that can always be NULL; mustGive one that never is.
func mayGive(t column.Type) resultOf {
	return func([]Arg, []column.Type) (column.Type, error) { return t.Nullable(true), nil }
}

func mustGive(t column.Type) resultOf {
	return func([]Arg, []column.Type) (column.Type, error) { return t.Nullable(false), nil }
}

// givesArg is the type of an argument.
func givesArg(k int) resultOf {
	return func(args []Arg, types []column.Type) (column.Type, error) {
		return types[k].Nullable(anyNullable(args)), nil
	}
}

// givesVarying is the type of a text or byte string without its fixed length.
func givesVarying(k int) resultOf {
	return func(args []Arg, types []column.Type) (column.Type, error) {
		return varying(types[k]).Nullable(anyNullable(args)), nil
	}
}

func varying(t column.Type) column.Type {
	switch t.ID {
	case column.Char:
		t.ID = column.Varchar
	case column.Binary:
		t.ID = column.Varbinary
	}
	return t
}

var (
	textType   = column.StringType()
	bytesType  = column.BytesType()
	boolType   = column.Of(column.Boolean)
	intType    = column.Of(column.Int)
	longType   = column.Of(column.BigInt)
	doubleType = column.Of(column.Double)
)

// strict makes a function that is NULL where an argument is.
func strict(name, forms string, result resultOf, kernel func(*Site) (Kernel, error)) *Func {
	return &Func{Name: name, Strict: true, Resolve: takes(name, forms, result), Kernel: kernel}
}

// lenient makes a function that sees NULL arguments.
func lenient(name, forms string, result resultOf, kernel func(*Site) (Kernel, error)) *Func {
	return &Func{Name: name, Resolve: takes(name, forms, result), Kernel: kernel}
}

// fails marks a function that has no result for some values.
func fails(f *Func) *Func {
	f.Fails = true
	return f
}

// alias is the function by another name.
func alias(name string, f *Func) *Func {
	c := *f
	c.Name = name
	return &c
}

// row is one row of a call that is evaluated row by row. The kernel's result is not nested: every row sets it once.
type row struct {
	e    *Eval
	args []*column.Vector
	out  *column.Vector
	i    int
	mem  *arena
}

// rowwise is the Kernel of a function that is rare enough for a call per row.
func rowwise(f func(r *row) error) func(*Site) (Kernel, error) {
	return func(*Site) (Kernel, error) { return rowKernelOf(f), nil }
}

func rowKernelOf(f func(r *row) error) Kernel {
	r := &row{mem: &arena{}}
	return func(e *Eval, args []*column.Vector, n int, out *column.Vector) error {
		out.Resize(n)
		r.e, r.args, r.out = e, args, out
		for i := range n {
			if e.Skip(i) {
				continue
			}
			r.i = i
			if err := f(r); err != nil {
				return err
			}
		}
		return nil
	}
}

func (r *row) has(k int) bool      { return k < len(r.args) }
func (r *row) isNull(k int) bool   { return r.args[k].IsNull(r.i) }
func (r *row) text(k int) string   { return r.args[k].Str[r.i] }
func (r *row) whole(k int) int64   { return integerAt(r.args[k], r.i) }
func (r *row) float(k int) float64 { return r.args[k].F64[r.i] }
func (r *row) bool(k int) bool     { return r.args[k].Bool[r.i] }

// textOr and wholeOr read an argument that may have been left out.
func (r *row) textOr(k int, missing string) string {
	if r.has(k) {
		return r.text(k)
	}
	return missing
}

func (r *row) wholeOr(k int, missing int64) int64 {
	if r.has(k) {
		return r.whole(k)
	}
	return missing
}

func (r *row) null() error {
	r.out.SetNull(r.i)
	return nil
}

func (r *row) setText(s string) error {
	r.out.Str[r.i] = s
	return nil
}

// setBytes keeps what was appended to r.free().
func (r *row) setBytes(b []byte) error { return r.setText(r.mem.keep(b)) }

func (r *row) free() []byte { return r.mem.space() }

func (r *row) setWhole(x int64) error {
	setInteger(r.out, r.i, x)
	return nil
}

func (r *row) setFloat(x float64) error {
	r.out.F64[r.i] = x
	return nil
}

func (r *row) setBool(x bool) error {
	r.out.Bool[r.i] = x
	return nil
}

// arenaBytes is how much memory is taken at once for the texts that a kernel makes.
const arenaBytes = 32 << 10

// arena is memory for texts. It is written once: what was kept is never written again, so views of it stay good for as long as someone
// holds them.
type arena struct{ left []byte }

// space returns an empty slice to append one text to.
func (a *arena) space() []byte {
	if cap(a.left) < 64 {
		a.left = make([]byte, 0, arenaBytes)
	}
	return a.left
}

// keep makes a text of what was appended to space().
func (a *arena) keep(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	a.left = b[len(b):]
	return unsafe.String(&b[0], len(b))
}

// zone is the session's time zone; UTC if nobody set one.
func (e *Env) zone() *time.Location {
	if e == nil || e.Zone == nil {
		return time.UTC
	}
	return e.Zone
}
