package main

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/flottio/flott/column"
)

// symbolError is a value that is written as code of another program.
type symbolError struct{ text string }

// Error implements error.
func (e symbolError) Error() string { return "the case has a value that is code: " + e.text }

// tagged is a value that JSON has no form for: {"date": "2020-01-01"}. The dollar in front of some names means nothing.
func tagged(x any) (name string, value any, ok bool) {
	m, ok := x.(map[string]any)
	if !ok {
		return "", nil, false
	}
	for k, v := range m {
		if k != "kind" {
			return strings.TrimPrefix(k, "$"), v, true
		}
	}
	return "", nil, false
}

// hasCode reports whether a value, or one in it, is code.
func hasCode(x any) bool {
	switch x := x.(type) {
	case []any:
		for _, e := range x {
			if hasCode(e) {
				return true
			}
		}
	case map[string]any:
		for k, v := range x {
			switch strings.TrimPrefix(k, "$") {
			case "sym", "obj", "lambda":
				return true
			}
			if hasCode(v) {
				return true
			}
		}
	}
	return false
}

// valueOf converts a value of a case to what column.Vector.At returns for the type.
func valueOf(x any, t column.Type) (any, error) {
	if x == nil {
		return nil, nil
	}
	name, inner, isTagged := tagged(x)
	if isTagged {
		switch name {
		case "sym", "obj", "raw", "lambda":
			return nil, symbolError{fmt.Sprint(inner)}
		}
	}
	switch {
	case t.IsInteger() || t.ID == column.IntervalMonths || t.ID == column.IntervalMillis:
		return wholeOf(plainOf(x, inner, isTagged), t)
	case t.IsTemporal():
		return momentOf(name, plainOf(x, inner, isTagged), t)
	case t.IsText() || t.IsBinary():
		return textOf(plainOf(x, inner, isTagged))
	}
	switch t.ID {
	case column.Boolean:
		if b, ok := x.(bool); ok {
			return b, nil
		}
	case column.Float, column.Double:
		f, err := strconv.ParseFloat(fmt.Sprint(plainOf(x, inner, isTagged)), 64)
		if t.ID == column.Float {
			return float32(f), err
		}
		return f, err
	case column.Decimal:
		return decimalOf(fmt.Sprint(plainOf(x, inner, isTagged)), t)
	case column.Array:
		if list, ok := plainOf(x, inner, isTagged).([]any); ok {
			return valuesOf(list, func(int) column.Type { return *t.Elem })
		}
	case column.Row:
		return rowOf(x, t)
	case column.Map, column.Multiset:
		return mapOf(inner, t)
	}
	return nil, fmt.Errorf("%v is no value of type %s", x, t)
}

func plainOf(x, inner any, isTagged bool) any {
	if isTagged {
		return inner
	}
	return x
}

func wholeOf(x any, t column.Type) (any, error) {
	text := fmt.Sprint(x)
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		f, ferr := strconv.ParseFloat(text, 64)
		if ferr != nil || f != math.Trunc(f) {
			return nil, fmt.Errorf("%v is no value of type %s", x, t)
		}
		n = int64(f)
	}
	switch t.ID {
	case column.TinyInt:
		return int8(n), nil
	case column.SmallInt:
		return int16(n), nil
	case column.Int, column.IntervalMonths:
		return int32(n), nil
	}
	return n, nil
}

// textOf is text, or bytes written as text, as numbers, or as characters among numbers.
func textOf(x any) (any, error) {
	switch x := x.(type) {
	case string:
		return x, nil
	case []any:
		var b []byte
		for _, e := range x {
			if s, ok := e.(string); ok {
				b = append(b, s...)
				continue
			}
			n, err := strconv.Atoi(fmt.Sprint(e))
			if err != nil {
				return nil, fmt.Errorf("%v is no byte", e)
			}
			b = append(b, byte(n))
		}
		return string(b), nil
	}
	return nil, fmt.Errorf("%v is no text", x)
}

func decimalOf(text string, t column.Type) (any, error) {
	d, ok, inRange := column.ParseDecimal([]byte(text), t)
	if !ok || !inRange {
		return nil, fmt.Errorf("%s is no value of type %s", text, t)
	}
	v := column.New(t)
	v.AppendDecimal(d)
	return v.At(0), nil
}

// momentOf reads dates, times and timestamps.
func momentOf(name string, x any, t column.Type) (any, error) {
	text := fmt.Sprint(x)
	bad := fmt.Errorf("%s is no value of type %s", text, t)
	switch t.ID {
	case column.Date:
		days, ok := column.ParseDate([]byte(text))
		if !ok {
			return nil, bad
		}
		return int32(days), nil
	case column.Time:
		if strings.Count(text, ":") == 3 { // the fraction behind a third colon
			i := strings.LastIndexByte(text, ':')
			text = text[:i] + "." + text[i+1:]
		}
		sec, nanos, ok := column.ParseTimeOfDay([]byte(text), true)
		if !ok {
			return nil, bad
		}
		return int32(sec*1000 + nanos/1e6), nil
	}
	var sec, nanos int64
	if n, ok := x.(json.Number); ok && name == "instant_ms" {
		ms, err := n.Int64()
		if err != nil {
			return nil, bad
		}
		sec, nanos = ms/1000, ms%1000*1e6
	} else {
		var ok bool
		text = strings.Replace(strings.TrimSuffix(text, "Z"), " ", "T", 1)
		if sec, nanos, ok = column.ParseTimestamp([]byte(text), 'T', true); !ok {
			return nil, bad
		}
		if name == "zoned" {
			_, offset := time.Unix(sec, 0).In(castZone).Zone()
			sec -= int64(offset)
		}
	}
	v := column.New(t)
	if !v.AppendInstant(sec, nanos) {
		return nil, bad
	}
	return v.At(0), nil
}

func valuesOf(list []any, typeOf func(int) column.Type) (any, error) {
	out := make([]any, len(list))
	for i, e := range list {
		var err error
		if out[i], err = valueOf(e, typeOf(i)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// rowOf reads {"row": [...], "kind": "+I"} and {"$row": ["+I", ...]}.
func rowOf(x any, t column.Type) (any, error) {
	_, fields, err := fieldsOf(x)
	if err != nil {
		return nil, err
	}
	if len(fields) != len(t.Fields) {
		return nil, fmt.Errorf("%v has %d fields, %s has %d", x, len(fields), t, len(t.Fields))
	}
	return valuesOf(fields, func(i int) column.Type { return t.Fields[i].Type })
}

// fieldsOf is the kind of a row and its fields.
func fieldsOf(x any) (kind string, fields []any, err error) {
	m, _ := x.(map[string]any)
	if list, ok := m["row"].([]any); ok {
		kind, _ = m["kind"].(string)
		return kind, list, nil
	}
	if list, ok := m["$row"].([]any); ok && len(list) > 0 {
		kind, _ = list[0].(string)
		return kind, list[1:], nil
	}
	return "", nil, fmt.Errorf("%v is no row", x)
}

func mapOf(inner any, t column.Type) (any, error) {
	pairs, ok := inner.([]any)
	if !ok {
		return nil, fmt.Errorf("%v is no value of type %s", inner, t)
	}
	key, value := t.Key, t.Elem
	if t.ID == column.Multiset {
		count := column.Of(column.Int)
		key, value = t.Elem, &count
	}
	var m column.MapValue
	for _, p := range pairs {
		pair, ok := p.([]any)
		if !ok || len(pair) != 2 {
			return nil, fmt.Errorf("%v is no pair of a key and a value", p)
		}
		k, err := valueOf(pair[0], *key)
		if err != nil {
			return nil, err
		}
		v, err := valueOf(pair[1], *value)
		if err != nil {
			return nil, err
		}
		m.Keys, m.Values = append(m.Keys, k), append(m.Values, v)
	}
	return m, nil
}

// printed is a value as rows print it; a map's entries in order, for it has none.
func printed(value any, t column.Type) string {
	v := column.New(t)
	defer v.Release()
	v.Append(sortedMaps(value, t))
	return string(v.AppendPrinted(nil, 0))
}

// sortedMaps orders the entries of maps by their keys' texts.
func sortedMaps(x any, t column.Type) any {
	switch v := x.(type) {
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			if t.ID == column.Array {
				out[i] = sortedMaps(e, *t.Elem)
			} else {
				out[i] = sortedMaps(e, t.Fields[i].Type)
			}
		}
		return out
	case column.MapValue:
		order := make([]int, len(v.Keys))
		for i := range order {
			order[i] = i
		}
		slices.SortFunc(order, func(a, b int) int { return strings.Compare(fmt.Sprint(v.Keys[a]), fmt.Sprint(v.Keys[b])) })
		var out column.MapValue
		for _, i := range order {
			out.Keys, out.Values = append(out.Keys, v.Keys[i]), append(out.Values, v.Values[i])
		}
		return out
	}
	return x
}
