package expr

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/flottio/flott/column"
)

// jsonFunc is JSON(text): its text is put into the JSON around it as it is. It stands within JSON_OBJECT and JSON_ARRAY only.
var jsonFunc = &Func{Name: "JSON", Resolve: takes("JSON", "text", gives(textType)), Kernel: func(*Site) (Kernel, error) {
	return nil, errors.New("is only supported inside JSON_ARRAY() or as a VALUE of JSON_OBJECT()")
}}

// jsonRaw is what a JSON function within another one becomes: it reads the text and writes it without spaces, keys in order.
var jsonRaw = fails(strict("JSON", "text", mayGive(textType), rowwise(func(r *row) error {
	s := r.text(0)
	if trimmed(s) == "" {
		return r.null()
	}
	n, err := parseJSON(s)
	if err != nil {
		return fmt.Errorf("invalid JSON string in JSON(value) function: %.200q: %w", s, err)
	}
	return r.setBytes(n.append(r.free(), true))
})))

// memberCount is how many arguments are members: a last symbol says what becomes of NULL.
func memberCount(args []Arg) int {
	if n := len(args); n > 0 && args[n-1].Type.ID == column.Symbol {
		return n - 1
	}
	return len(args)
}

func resolveJSONObject(args []Arg) (Signature, error) {
	n := memberCount(args)
	if n%2 != 0 {
		return Signature{}, errors.New("takes pairs of key and value")
	}
	sig := Signature{Result: textType.Nullable(false)}
	for i, a := range args {
		sig.Args = append(sig.Args, a.Type)
		switch {
		case i == n:
		case i%2 == 1:
			if err := jsonable(a.Type); err != nil {
				return sig, err
			}
		default:
			if _, ok := literalText(a); !ok {
				return sig, fmt.Errorf("key %d of a JSON object must be a character string literal that is not NULL", i/2+1)
			}
		}
	}
	return sig, nil
}

func resolveJSONArray(args []Arg) (Signature, error) {
	sig := Signature{Result: textType.Nullable(false)}
	for i, a := range args {
		sig.Args = append(sig.Args, a.Type)
		if i < memberCount(args) {
			if err := jsonable(a.Type); err != nil {
				return sig, err
			}
		}
	}
	return sig, nil
}

// splitMembers returns the arguments that are members and what was written about NULL.
func splitMembers(s *Site) (n int, absent string) {
	n = len(s.Args)
	if n > 0 && s.Type(n-1).ID == column.Symbol {
		n--
		absent, _, _ = strings.Cut(literalWord(s, n), " ")
	}
	return n, absent
}

// compileJSONMaker makes an ordinary call of it, with the arguments marked that are JSON already.
func compileJSONMaker(kernel func(s *Site, raw []bool) (Kernel, error)) func(*compiler, *Call) (evaluator, error) {
	return func(c *compiler, call *Call) (evaluator, error) {
		args := slices.Clone(call.Args)
		raw := make([]bool, len(args))
		canFail := false
		for i, a := range args {
			inner, ok := a.(*Call)
			if !ok {
				continue
			}
			switch inner.Func.Name {
			case "JSON":
				args[i] = &Call{Func: jsonRaw, Args: inner.Args, Of: inner.Of}
				raw[i], canFail = true, true
			case "JSON_OBJECT", "JSON_ARRAY":
				raw[i] = true
			}
		}
		plain := &Func{Name: call.Func.Name, Resolve: call.Func.Resolve, Fails: canFail,
			Kernel: func(s *Site) (Kernel, error) { return kernel(s, raw) }}
		return c.compileCall(&Call{Func: plain, Args: args, Of: call.Of})
	}
}

func appendMember(b []byte, v *column.Vector, i int, raw bool) []byte {
	if raw && !v.IsNull(i) {
		return append(b, v.Str[i]...)
	}
	return appendJSON(b, v, i)
}

// jsonMember is a key, how it is written, and the argument that is its value.
type jsonMember struct {
	key    string
	quoted []byte
	arg    int
}

// jsonObjectKernel writes the members in the order of their keys, as Flink does; of a key that comes twice the last.
func jsonObjectKernel(s *Site, raw []bool) (Kernel, error) {
	n, nulls := splitMembers(s)
	absent := nulls == "ABSENT"
	var list []jsonMember
	for i := 0; i < n; i += 2 {
		key, _ := s.Args[i].(*Literal).Value.(string)
		list = slices.DeleteFunc(list, func(m jsonMember) bool { return m.key == key })
		list = append(list, jsonMember{key, append(appendQuoted(nil, key, false), ':'), i + 1})
	}
	slices.SortFunc(list, func(a, b jsonMember) int { return compareJava(a.key, b.key) })
	return rowKernelOf(func(r *row) error {
		b, first := append(r.free(), '{'), true
		for _, m := range list {
			if absent && r.isNull(m.arg) {
				continue
			}
			if !first {
				b = append(b, ',')
			}
			b, first = append(b, m.quoted...), false
			b = appendMember(b, r.args[m.arg], r.i, raw[m.arg])
		}
		return r.setBytes(append(b, '}'))
	}), nil
}

func jsonArrayKernel(s *Site, raw []bool) (Kernel, error) {
	n, nulls := splitMembers(s)
	absent := nulls != "NULL"
	return rowKernelOf(func(r *row) error {
		b, first := append(r.free(), '['), true
		for k := range n {
			if absent && r.isNull(k) {
				continue
			}
			if !first {
				b = append(b, ',')
			}
			b, first = appendMember(b, r.args[k], r.i, raw[k]), false
		}
		return r.setBytes(append(b, ']'))
	}), nil
}
