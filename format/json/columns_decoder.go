package json

import (
	"github.com/flottio/flott/column"
	"github.com/flottio/flott/format"
	"github.com/flottio/flott/format/internal/scalar"
)

// columnDecoder reads records into columns, one pass over the bytes. It shares the syntax with decoder.
type columnDecoder struct {
	decoder
	o     ColumnOptions
	texts format.Texts
	root  *shape
}

// shape is what is known of an object: its wanted fields, and the names met so far in the order in which they came.
//
// Records of one stream nearly always have their fields in the same order. Each name remembers which one followed it the last time, also
// those that nobody wants: a right guess is one or two comparisons of words, quotes and colon included.
type shape struct {
	fields []shapeField
	byName map[string]int
	met    []metName
	place  map[string]int // in met
}

type shapeField struct {
	name string
	sub  *value
}

// value says how to read a value with elements.
type value struct {
	row  *shape // of a ROW
	elem *value // of ARRAY, MAP and MULTISET
}

type metName struct {
	key   literal
	field int // in fields; -1: nobody wants it
	next  int // in met: what followed it the last time
}

// metMax bounds the names that a shape remembers; behind it every name is looked up.
const metMax = 1024

func newShape(fields []column.Field) *shape {
	s := &shape{byName: map[string]int{}, place: map[string]int{}, met: []metName{{field: -1, next: 1}}}
	for i, f := range fields {
		s.fields = append(s.fields, shapeField{f.Name, newValue(f.Type)})
		s.byName[f.Name] = i
	}
	return s
}

func newValue(t column.Type) *value {
	switch t.ID {
	case column.Row:
		return &value{row: newShape(t.Fields)}
	case column.Array:
		return &value{elem: newValue(*t.Elem)}
	case column.Map, column.Multiset:
		_, elem := t.MapTypes()
		return &value{elem: newValue(elem)}
	}
	return nil
}

// Append implements format.ColumnDecoder.
func (d *columnDecoder) Append(record []byte, b *column.Batch) error {
	d.data, d.depth, d.err = record, 0, nil
	i := d.space(0)
	if i >= len(record) || record[i] != '{' {
		i = d.unexpected(i, "an object")
	} else if i = d.object(d.root, b.Cols[:len(d.root.fields)], b.N, i); i >= 0 {
		if i = d.space(i); i < len(record) {
			i = d.fail(i, "unexpected text after the end of the document", "the end of the record", d.token(i))
		}
	}
	d.data = nil // the record is the caller's again
	if i == failed {
		return d.err
	}
	return nil
}

// object reads the object at i into one more value of each column; row is how many they have.
func (d *columnDecoder) object(s *shape, cols []*column.Vector, row, i int) int {
	if !d.enter() {
		return d.tooDeep(i)
	}
	start := i
	i = d.space(i + 1)
	if i < len(d.data) && d.data[i] == '}' {
		return d.objectEnd(s, cols, row, start, i)
	}
	before := 0
	for {
		next, n := s.met[before].next, 0
		if next < len(s.met) && s.met[next].key.at(d.data, i) {
			i += len(s.met[next].key.text)
			n, before = s.met[next].field, next
		} else if n, before, i = d.fieldName(s, i, before); i == failed {
			return failed
		}
		if i < len(d.data) && d.data[i] <= ' ' {
			i = d.space(i)
		}
		if n < 0 {
			i = d.skipValue(i)
		} else {
			i = d.field(&s.fields[n], cols[n], row, i)
		}
		if i == failed {
			return failed
		}
		if i < len(d.data) && d.data[i] == ',' {
			if i++; i < len(d.data) && d.data[i] <= ' ' {
				i = d.space(i)
			}
			continue
		}
		more := false
		if i, more = d.next(i, '}', "an object"); i == failed {
			return failed
		} else if !more {
			return d.objectEnd(s, cols, row, start, i)
		}
	}
}

// fieldName reads a name where the guess was wrong. before is the name's place among those met; 0, from where nothing is guessed, if it is not
// remembered.
func (d *columnDecoder) fieldName(s *shape, i, before int) (field, place, end int) {
	name, end := d.name(i)
	if end == failed {
		return 0, 0, failed
	}
	field, wanted := s.byName[string(name)]
	if !wanted {
		field = -1
	}
	place, met := s.place[string(name)]
	if end = d.colon(end); end == failed {
		return 0, 0, failed
	}
	if !met && len(s.met) < metMax {
		place = len(s.met)
		s.place[string(name)] = place
		s.met = append(s.met, metName{newLiteral(string(d.data[i:end])), field, place + 1})
	}
	if place > 0 {
		s.met[before].next = place
	}
	return field, place, end
}

// skipValue passes over a value; simple texts and numbers without calls.
func (d *columnDecoder) skipValue(i int) int {
	if i < len(d.data) && d.data[i] == '"' {
		if end := plainEnd(d.data, i+1); end < len(d.data) && d.data[end] == '"' {
			return end + 1
		}
	}
	return d.skip(i)
}

// objectEnd fills the columns whose fields did not come. The closing brace is at i.
func (d *columnDecoder) objectEnd(s *shape, cols []*column.Vector, row, start, i int) int {
	d.depth--
	for n, v := range cols {
		if v.Len > row {
			continue
		}
		if d.o.FailOnMissingField && !d.o.IgnoreParseErrors {
			return d.fail(start, "missing field \""+s.fields[n].name+"\" ('json.fail-on-missing-field' is set)", "", "")
		}
		v.Null()
	}
	return i + 1
}

// field reads the value of a field. Of one that comes again the last value counts.
func (d *columnDecoder) field(f *shapeField, v *column.Vector, row, i int) int {
	if v.Len > row {
		v.Truncate(row)
	}
	depth := d.depth
	end := d.value(f.sub, v, i)
	if end != failed {
		return end
	}
	if !d.o.IgnoreParseErrors {
		return d.in(f.name)
	}
	d.err, d.depth = nil, depth
	if end = d.skip(i); end == failed {
		return d.in(f.name)
	}
	v.Truncate(row)
	v.Null()
	return end
}

// value appends the value at i, which is not white space, to v.
func (d *columnDecoder) value(sub *value, v *column.Vector, i int) int {
	if i < len(d.data) && d.data[i] == 'n' && d.isNull(i) {
		v.Null()
		return i + len("null")
	}
	switch v.Store {
	case column.Int64s, column.Int32s, column.Int16s, column.Int8s:
		if v.Type.IsInteger() {
			return d.integer(v, i)
		}
	case column.Strings:
		if v.Type.IsText() {
			return d.string(v, i)
		}
	case column.Lists:
		return d.list(sub, v, i)
	case column.Maps:
		return d.mapping(sub, v, i)
	case column.Structs:
		return d.row(sub, v, i)
	}
	return d.scalar(v, i)
}

// integer reads a whole number; one with a fraction loses it, and one in quotes is read, too, as Flink does both.
func (d *columnDecoder) integer(v *column.Vector, i int) int {
	first := i
	negative := i < len(d.data) && d.data[i] == '-'
	if negative {
		first++
	}
	magnitude, end, overflow := scalar.Digits(d.data, first)
	if overflow || !d.integerEnds(first, end) {
		return d.scalar(v, i)
	}
	bits := 64
	switch v.Store {
	case column.Int32s:
		bits = 32
	case column.Int16s:
		bits = 16
	case column.Int8s:
		bits = 8
	}
	n, ok := scalar.Signed(magnitude, negative, bits)
	if !ok {
		return d.scalar(v, i)
	}
	format.AppendInteger(v, n)
	return end
}

// string reads a text. Numbers and true and false are their text, objects and arrays their JSON, as in Flink.
func (d *columnDecoder) string(v *column.Vector, i int) int {
	if i < len(d.data) && d.data[i] == '"' {
		text, end := d.text(i)
		if end != failed {
			v.AppendText(d.texts.Arena.Of(text))
		}
		return end
	}
	if i >= len(d.data) || !isValueStart(d.data[i]) {
		return d.unexpected(i, "a string")
	}
	end := d.skip(i)
	if end != failed {
		v.AppendText(d.texts.Arena.Of(d.data[i:end]))
	}
	return end
}

// scalar reads a value of the other types: of its text, with or without quotes.
func (d *columnDecoder) scalar(v *column.Vector, i int) int {
	if i >= len(d.data) {
		return d.fail(i, "unexpected end of the record", "a value", "")
	}
	var text []byte
	end := failed
	switch c := d.data[i]; {
	case c == '"':
		if text, end = d.text(i); end == failed {
			return failed
		}
	case c == '{' || c == '[' || !isValueStart(c):
		return d.unexpected(i, "a value of "+v.Type.Nullable(true).String())
	default:
		if end = d.skip(i); end == failed {
			return failed
		}
		text = d.data[i:end]
		if v.Type.IsInteger() {
			text = whole(text)
		}
		if (c == 't' || c == 'f') != (v.Store == column.Bools) || v.Type.IsTemporal() || v.Type.IsBinary() {
			return d.fail(i, "wrong type", "a value of "+v.Type.Nullable(true).String(), d.token(i))
		}
	}
	if expected := d.texts.Parse(v, text); expected != "" {
		return d.fail(i, "wrong value", expected, d.token(i))
	}
	return end
}

// whole cuts the fraction off a number without exponent.
func whole(text []byte) []byte {
	for i, c := range text {
		switch c {
		case '.':
			for _, c := range text[i+1:] {
				if c-'0' > 9 {
					return text
				}
			}
			return text[:i]
		}
	}
	return text
}

func (d *columnDecoder) list(sub *value, v *column.Vector, i int) int {
	if i >= len(d.data) || d.data[i] != '[' {
		return d.unexpected(i, "an array")
	}
	if !d.enter() {
		return d.tooDeep(i)
	}
	for i = d.space(i + 1); !d.closes(i, ']'); {
		if i = d.value(sub.elem, v.Kids[0], i); i == failed {
			return failed
		}
		more := false
		if i, more = d.next(i, ']', "an array"); i == failed {
			return failed
		} else if !more {
			break
		} else if d.closes(i, ']') {
			return d.fail(i, "malformed JSON", "a value after ','", d.token(i))
		}
	}
	d.depth--
	v.EndList()
	return i + 1
}

func (d *columnDecoder) mapping(sub *value, v *column.Vector, i int) int {
	if i >= len(d.data) || d.data[i] != '{' {
		return d.unexpected(i, "an object")
	}
	if !d.enter() {
		return d.tooDeep(i)
	}
	for i = d.space(i + 1); !d.closes(i, '}'); {
		name, end := d.name(i)
		if end == failed {
			return failed
		}
		v.Kids[0].AppendText(d.texts.Arena.Of(name))
		if i = d.colon(end); i == failed {
			return failed
		}
		if i = d.value(sub.elem, v.Kids[1], d.space(i)); i == failed {
			return failed
		}
		d.dropRepeated(v)
		more := false
		if i, more = d.next(i, '}', "an object"); i == failed {
			return failed
		} else if !more {
			break
		} else if d.closes(i, '}') {
			return d.fail(i, "malformed JSON", "a field name after ','", d.token(i))
		}
	}
	d.depth--
	v.EndList()
	return i + 1
}

// repeatedMax bounds the keys of one map among which a repeated one is looked for one by one.
const repeatedMax = 64

// dropRepeated lets the last of two equal keys count. Large maps are the work of machines, which repeat none.
func (d *columnDecoder) dropRepeated(v *column.Vector) {
	from, last := int(v.Off[v.Len]), v.Kids[0].Len-1
	if last-from > repeatedMax {
		return
	}
	keys := v.Kids[0].Str
	for k := from; k < last; k++ {
		if keys[k] != keys[last] {
			continue
		}
		// The value moves to where the key was first.
		moved := column.New(v.Kids[1].Type)
		v.Kids[1].Slice(moved, from, last+1)
		v.Kids[1].Truncate(from)
		for j := from; j < last; j++ {
			at := j - from
			if j == k {
				at = last - from
			}
			moved.Slice(v.Kids[1], at, at+1)
		}
		moved.Release()
		v.Kids[0].Truncate(last)
		return
	}
}

func (d *columnDecoder) row(sub *value, v *column.Vector, i int) int {
	if i >= len(d.data) || d.data[i] != '{' {
		return d.unexpected(i, "an object")
	}
	if i = d.object(sub.row, v.Kids, v.Len, i); i != failed {
		v.One()
	}
	return i
}
