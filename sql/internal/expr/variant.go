package expr

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/flottio/flott/column"
)

// A VARIANT is kept as its JSON text, without spaces.
var variantFuncs = []*Func{
	fails(strict("PARSE_JSON", "text bool?", gives(column.Of(column.Variant)), rowwise(func(r *row) error {
		b, err := variantOf(r)
		if err != nil {
			return fmt.Errorf("failed to parse json string: %.200q: %w", r.text(0), err)
		}
		return r.setBytes(b)
	}))),
	strict("TRY_PARSE_JSON", "text bool?", mayGive(column.Of(column.Variant)), rowwise(func(r *row) error {
		b, err := variantOf(r)
		if err != nil {
			return r.null()
		}
		return r.setBytes(b)
	})),
	variantItem,
}

// variantItem is what ITEM of a VARIANT is: v['field'], v[index] from 1. It is NULL where there is no such part.
var variantItem = &Func{Name: "VARIANT_ITEM", Strict: true, Resolve: resolveVariantItem, Kernel: rowwise(func(r *row) error {
	n, err := parseJSON(r.text(0))
	if err != nil {
		return err
	}
	var found *jsonNode
	if r.args[1].Store == column.Strings {
		found = n.get(r.text(1))
	} else if at := r.whole(1); n.kind == jsonArray && at >= 1 && at <= int64(len(n.kids)) {
		found = n.kids[at-1]
	}
	if found == nil {
		return r.null()
	}
	return r.setBytes(found.append(r.free(), false))
})}

func resolveVariantItem(args []Arg) (Signature, error) {
	if len(args) != 2 || args[0].Type.ID != column.Variant {
		return Signature{}, errors.New("expects VARIANT")
	}
	t := args[1].Type
	if !t.IsText() && !t.IsInteger() {
		return Signature{}, fmt.Errorf("a VARIANT is indexed by a character string or a whole number, got %s", t)
	}
	return Signature{[]column.Type{args[0].Type, t}, column.Of(column.Variant).Nullable(true)}, nil
}

// variantOf reads argument 0; argument 1 allows keys that come twice.
func variantOf(r *row) ([]byte, error) {
	j := &jsonReader{s: r.text(0), unique: !r.has(1) || !r.bool(1)}
	n, err := j.document()
	if err == nil && j.i < len(j.s) {
		err = j.unexpected()
	}
	if err == nil {
		err = finite(n)
	}
	if err != nil {
		return nil, err
	}
	return n.append(r.free(), false), nil
}

func finite(n *jsonNode) error {
	if n.kind == jsonNumber {
		if f, _ := strconv.ParseFloat(n.text, 64); math.IsInf(f, 0) {
			return fmt.Errorf("the number %.40s is too large", n.text)
		}
	}
	for _, kid := range n.kids {
		if err := finite(kid); err != nil {
			return err
		}
	}
	return nil
}

func init() {
	castHooks[column.Variant] = castVariant
	castHooks[column.Bitmap] = castBitmap
}

// castVariant gives the value of a scalar: a number as any number, a text as what it says for times, and everything as a text.
func castVariant(from, to column.Type) func(string) (any, error) {
	if from.ID != column.Variant || to.Elem != nil || to.ID == column.Row || to.IsInterval() || to.ID == column.Bitmap {
		return nil
	}
	return func(value string) (any, error) {
		n, err := parseJSON(value)
		if err != nil {
			return nil, err
		}
		fits := false
		switch n.kind {
		case jsonNull:
			return nil, nil
		case jsonText:
			fits = to.IsText() || to.IsTemporal() || to.IsBinary()
		case jsonNumber:
			fits = to.IsNumeric() || to.IsText()
		case jsonTrue, jsonFalse:
			fits = to.IsText() || to.ID == column.Boolean
		default:
			fits = to.IsText()
			n = &jsonNode{kind: jsonText, text: value}
		}
		if !fits {
			return nil, fmt.Errorf("the VARIANT holds %.60s", value)
		}
		text := n.text
		if n.kind == jsonNumber {
			text = n.numberText()
		}
		return CastValue(text, textType, to.Nullable(true), &Env{})
	}
}
