package expr

import (
	"errors"
	"fmt"
	"time"

	"github.com/flottio/flott/column"
)

// caster fills out, which is empty and of the target type, with the first n values of in. It leaves what NULL becomes to its caller.
type caster func(r *castRun, in, out *column.Vector, n int)

// castRun is one run of a caster: it collects the values that could not be cast.
type castRun struct {
	zone   *time.Location
	failed []int32 // places, ascending, each once
	reason string  // of the first, when it is not the value's own text
}

// fail notes that value i of in has no value in the target type. NULLs are nobody's failure.
func (r *castRun) fail(in *column.Vector, i int) {
	if !in.IsNull(i) {
		r.failed = append(r.failed, int32(i))
	}
}

// CastHook makes the casts of types that belong to other families (VARIANT, BITMAP). It returns nil for pairs that do not exist.
type CastHook func(from, to column.Type) func(value string) (any, error)

var castHooks = map[column.ID]CastHook{}

// castFails reports whether a cast may fail for some value.
func castFails(from, to column.Type) bool {
	switch {
	case from.ID == column.Null:
		return false
	case from.IsText():
		return !to.IsText() && !to.IsBinary()
	case from.IsBinary():
		return to.IsText()
	case from.ID == column.Float || from.ID == column.Double:
		return to.ID == column.Decimal
	case from.Elem != nil && to.Elem != nil:
		return castFails(*from.Elem, *to.Elem) || from.Key != nil && to.Key != nil && castFails(*from.Key, *to.Key)
	case from.ID == column.Row && to.ID == column.Row:
		for i := range min(len(from.Fields), len(to.Fields)) {
			if castFails(from.Fields[i].Type, to.Fields[i].Type) {
				return true
			}
		}
	}
	return castHooks[from.ID] != nil || castHooks[to.ID] != nil
}

// castKernel makes the loop of a cast, and says whether it may fail.
func castKernel(s *Site, try bool) (k Kernel, fails bool, err error) {
	from, to := s.Type(0), s.Result
	env := s.Env
	if env == nil {
		env = &Env{}
	}
	c, err := makeCast(from, to, env)
	if err != nil {
		return nil, false, err
	}
	run := &castRun{zone: env.Zone}
	lenient := try || env.LegacyCast
	return func(_ *Eval, args []*column.Vector, n int, out *column.Vector) error {
		run.failed, run.reason = run.failed[:0], ""
		c(run, args[0], out, n)
		if len(run.failed) == 0 {
			return nil
		}
		if !lenient {
			return castError(args[0], int(run.failed[0]), to, run)
		}
		for _, i := range run.failed {
			out.SetNull(int(i))
		}
		return nil
	}, castFails(from, to) && !lenient, nil
}

func castError(in *column.Vector, i int, to column.Type, run *castRun) error {
	text := FormatIn(in.At(i), in.Type, run.zone)
	if len(text) > 200 {
		text = text[:200] + "..."
	}
	reason := run.reason
	if reason != "" {
		reason = ": " + reason
	}
	return fmt.Errorf("casting %q of type %s to %s failed%s; TRY_CAST gives NULL instead", text, in.Type.Nullable(true), to.Nullable(true), reason)
}

// CastValue casts one value; ParseValue reads a text as CAST does, and the forms of Format for intervals.
func CastValue(value any, from, to column.Type, env *Env) (any, error) {
	if value == nil {
		return nil, nil
	}
	k, _, err := castKernel(&Site{Args: []Expr{&Literal{Value: value, Of: from}}, Result: to, Env: env}, false)
	if err != nil {
		return nil, err
	}
	in, out := column.New(from), column.New(to)
	defer in.Release()
	defer out.Release()
	in.Append(value)
	if err := k(&Eval{Env: env}, []*column.Vector{in}, 1, out); err != nil {
		return nil, err
	}
	return column.CloneValue(out.At(0)), nil
}

// ParseValue is the reverse of Format for what is not nested: "NULL" is NULL.
func ParseValue(text string, t column.Type) (any, error) {
	if text == "NULL" {
		return nil, nil
	}
	return CastValue(text, column.StringType(), t, &Env{Zone: time.UTC})
}

var errNoCast = errors.New("no such cast")

// makeCast finds the loop for a pair of types.
func makeCast(from, to column.Type, env *Env) (caster, error) {
	var c caster
	switch {
	case from.ID == column.Null:
		return func(_ *castRun, _, out *column.Vector, n int) { out.Nulls(n) }, nil
	case castHooks[from.ID] != nil || castHooks[to.ID] != nil:
		c = hookedCast(from, to)
	case to.IsText():
		c = castToText(from, to, env)
	case to.IsBinary():
		c = castToBinary(from, to, env)
	case from.IsText():
		c = castFromText(to)
	case to.Elem != nil || to.ID == column.Row:
		return castNested(from, to, env)
	case to.IsNumeric() || to.ID == column.Boolean:
		c = castToNumber(from, to)
	case to.IsTemporal():
		c = castToTime(from, to)
	case to.IsInterval():
		c = castToInterval(from, to)
	case from.Storage() == to.Storage() && from.ID == to.ID:
		c = copyCast
	}
	if c == nil || CastAllowed(from, to, true) != nil {
		return nil, fmt.Errorf("casting %s to %s: %w", from, to, errNoCast)
	}
	return c, nil
}

// copyCast is for types that store their values alike.
func copyCast(_ *castRun, in, out *column.Vector, n int) { in.Slice(out, 0, n) }

func hookedCast(from, to column.Type) caster {
	hook := castHooks[from.ID]
	if hook == nil {
		hook = castHooks[to.ID]
	}
	if from.ID == to.ID {
		return copyCast
	}
	f := hook(from, to)
	if f == nil {
		return nil
	}
	return func(r *castRun, in, out *column.Vector, n int) {
		for i := range n {
			if in.IsNull(i) {
				out.Nulls(1)
				continue
			}
			v, err := f(in.Str[i])
			if err != nil {
				if len(r.failed) == 0 {
					r.reason = err.Error()
				}
				r.fail(in, i)
				out.Nulls(1)
				continue
			}
			out.Append(v)
		}
	}
}

// castNested casts elements, entries and fields. Where one fails, the whole value does.
func castNested(from, to column.Type, env *Env) (caster, error) {
	var parts []caster
	add := func(f, t column.Type) error {
		c, err := makeCast(f, t, env)
		parts = append(parts, c)
		return err
	}
	var err error
	switch {
	case from.ID != to.ID || len(from.Fields) != len(to.Fields):
		return nil, fmt.Errorf("casting %s to %s: %w", from, to, errNoCast)
	case to.ID == column.Array:
		err = add(*from.Elem, *to.Elem)
	case to.ID == column.Row:
		for i := range to.Fields {
			err = errors.Join(err, add(from.Fields[i].Type, to.Fields[i].Type))
		}
	default:
		fk, fv := from.MapTypes()
		tk, tv := to.MapTypes()
		err = errors.Join(add(fk, tk), add(fv, tv))
	}
	if err != nil {
		return nil, err
	}
	return func(r *castRun, in, out *column.Vector, n int) {
		inner := n
		if in.Off != nil {
			inner = int(in.Off[n])
			out.Off = append(out.Off[:0], in.Off[:n+1]...)
		}
		sub := castRun{zone: r.zone}
		bad := make(map[int32]bool)
		for k, c := range parts {
			sub.failed = sub.failed[:0]
			kid := in.Kids[k]
			c(&sub, kid, out.Kids[k], inner)
			restrictTo(out.Kids[k], kid)
			for _, e := range sub.failed {
				bad[e] = true
				out.Kids[k].SetNull(int(e))
			}
		}
		out.Len = n
		failParents(r, in, bad, n)
	}, nil
}

// restrictTo makes NULL what is NULL in the source.
func restrictTo(out, in *column.Vector) {
	switch {
	case in.Store == column.None:
	case in.Valid != nil:
		out.Restrict(in.Valid)
	}
}

func failParents(r *castRun, in *column.Vector, bad map[int32]bool, n int) {
	if len(bad) == 0 {
		return
	}
	for i := range n {
		from, to := int32(i), int32(i)+1
		if in.Off != nil {
			from, to = in.Off[i], in.Off[i+1]
		}
		for e := from; e < to; e++ {
			if bad[e] {
				r.fail(in, i)
				break
			}
		}
	}
}
