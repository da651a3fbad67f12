package expr

import (
	"fmt"
	"time"

	"github.com/flottio/flott/column"
)

// Func is a scalar function or operator.
type Func struct {
	// Name is the SQL name in upper case, or the operator's symbol.
	Name string
	// Resolve judges a call: it returns the types that the arguments are cast to and the type of the result, or an error that says what
	// is wrong ("expects a number, got STRING"), to which the binder adds name and position.
	Resolve func(args []Arg) (Signature, error)
	// Kernel makes the loop for one call. Mandatory unless Special.
	Kernel func(s *Site) (Kernel, error)
	// Strict: the result is NULL where an argument is. The compiler sets the validity; the kernel sees zero values there and must not
	// fail on them (Eval.Skip tells), and may make more values NULL.
	Strict bool
	// Volatility says how long a result may be kept.
	Volatility Volatility
	// Special functions evaluate their arguments themselves, where and if they need them (CASE, AND, COALESCE).
	Special func(c *compiler, call *Call) (evaluator, error)
	// Fails: the kernel may return an error for a value. Such a call is not evaluated for rows that a CASE or AND has ruled out.
	Fails bool
	// Safe reports that a call with these arguments cannot fail although Fails is set: a constant divisor, a constant pattern. May be nil.
	Safe func(args []Expr) bool
	// Lenient: a text that is compared with a time and is none counts as NULL, as in Flink.
	Lenient bool
}

// Volatility says how long a function's result for the same arguments may be kept.
type Volatility uint8

// The volatilities.
const (
	Immutable Volatility = iota // for ever: constants are folded
	Stable                      // for the query in batch mode, for the record in streaming: CURRENT_TIMESTAMP
	Volatile                    // never: RAND, UUID
)

// Arg is an argument as Resolve sees it.
type Arg struct {
	Type column.Type
	// Literal is the constant, if it is one.
	Literal *Literal
}

// Signature is what a call takes and gives.
type Signature struct {
	Args   []column.Type
	Result column.Type
}

// Site is one call being compiled.
type Site struct {
	Args   []Expr // literals among them can be compiled into the kernel
	Result column.Type
	Env    *Env
}

// Type is the type of argument i.
func (s *Site) Type(i int) column.Type { return s.Args[i].Type() }

// Constant returns argument i if it is a literal that is not NULL.
func (s *Site) Constant(i int) (value any, ok bool) {
	l, ok := s.Args[i].(*Literal)
	if !ok || l.Value == nil {
		return nil, false
	}
	return l.Value, true
}

// Kernel fills out, which is empty, with n values. The arguments have at least n values, not to be changed. It must set Len, by
// out.Resize(n) or by appending.
type Kernel func(e *Eval, args []*column.Vector, n int, out *column.Vector) error

// Env is what expressions know of the session; fixed when a job is compiled.
type Env struct {
	Zone *time.Location // table.local-time-zone
	// Batch says that CURRENT_TIMESTAMP and its kind are those of the query's start.
	Batch bool
	// LegacyCast is table.exec.legacy-cast-behaviour.
	LegacyCast bool
	Start      time.Time
	Database   string
	Catalog    string
	User       string
}

// Eval is what an evaluation knows of the moment: one per operator, set before each batch. It is used by one goroutine.
type Eval struct {
	Env *Env
	// NowMs is processing time.
	NowMs int64
	// Watermark is event time so far; math.MinInt64 before the first.
	Watermark int64
	// Valid is the validity that the compiler has computed for a strict call, nil for all: a kernel that could fail on the zero value
	// of a NULL looks here.
	Valid column.Bits
}

// Skip reports whether row i of a strict call is NULL anyway.
func (e *Eval) Skip(i int) bool { return e.Valid != nil && !e.Valid.Get(i) }

// registry holds the functions by name. It is filled by package variables' initialisation through All and read-only afterwards.
var registry = func() map[string]*Func {
	m := map[string]*Func{}
	for _, list := range All {
		for _, f := range list {
			if m[f.Name] != nil {
				panic("BUG: expr: function " + f.Name + " twice")
			}
			m[f.Name] = f
		}
	}
	return m
}()

// Lookup returns the function of a name in upper case, nil if there is none.
func Lookup(name string) *Func { return registry[name] }

// Names returns the names of all functions, for errors and completion.
func Names() []string {
	names := make([]string, 0, len(registry))
	for n := range registry {
		names = append(names, n)
	}
	return names
}

// NewCall resolves a call and casts its arguments.
func NewCall(f *Func, args ...Expr) (*Call, error) {
	view := make([]Arg, len(args))
	for i, a := range args {
		view[i].Type = a.Type()
		view[i].Literal, _ = a.(*Literal)
	}
	sig, err := f.Resolve(view)
	if err != nil {
		return nil, err
	}
	if len(sig.Args) != len(args) {
		return nil, fmt.Errorf("BUG: %s resolved %d of %d arguments", f.Name, len(sig.Args), len(args))
	}
	cast := make([]Expr, len(args))
	for i, a := range args {
		cast[i] = Coerce(a, sig.Args[i])
		if f.Lenient && a.Type().IsText() && sig.Args[i].IsTemporal() {
			cast[i] = &Cast{Arg: a, Of: sig.Args[i].Nullable(true), Try: true}
			if f.Strict {
				sig.Result.NotNull = false
			}
		}
	}
	return &Call{Func: f, Args: cast, Of: sig.Result}, nil
}

// Coerce returns e as a value of type t, by a cast if its type is another; the nullability of e stays.
func Coerce(e Expr, t column.Type) Expr {
	from := e.Type()
	if from.Same(t) {
		return e
	}
	t.NotNull = from.NotNull
	if l, ok := e.(*Literal); ok && l.Value == nil {
		return &Literal{Of: t.Nullable(true)}
	}
	return &Cast{Arg: e, Of: t}
}
