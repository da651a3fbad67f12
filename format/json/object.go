package json

import (
	"reflect"
	"strconv"
	"strings"
	"unsafe"
)

// seenFields bounds the fields for which object keeps its marks on the stack; wider structs cost an allocation a record.
const seenFields = 256

// object reads a struct. Records of one stream nearly always have their fields in the same order, so after each field the next one
// is guessed to be what came next the last time; a right guess is one or two comparisons of words, name, quotes and colon included.
func (d *decoder) object(o *op, p unsafe.Pointer, i int) int {
	if i >= len(d.data) || d.data[i] != '{' {
		return d.null(i, "an object")
	}
	if !d.enter() {
		return d.tooDeep(i)
	}
	var few [seenFields / 64]uint64
	seen := few[:]
	if len(o.fields) > seenFields {
		seen = make([]uint64, (len(o.fields)+63)/64)
	}
	start, before := i, o.first
	i = d.space(i + 1)
	if i < len(d.data) && d.data[i] == '}' {
		return d.objectEnd(o, seen, start, i)
	}
	for {
		at := i
		n := int(d.follows[before])
		if n < len(o.fields) && o.fields[n].key.at(d.data, i) {
			i += len(o.fields[n].key.text)
		} else if n, i = d.fieldName(o, i, before); i == failed {
			return failed
		}
		i = d.space(i)
		if n < 0 {
			if i = d.skip(i); i == failed {
				return failed
			}
		} else {
			f := &o.fields[n]
			before = f.id
			if i = d.field(f, p, i, at, d.mark(seen, n)); i == failed {
				return d.in(f.name)
			}
		}
		if i < len(d.data) && d.data[i] == ',' { // the usual case, without calls
			i = d.space(i + 1)
			continue
		}
		more := false
		if i, more = d.next(i, '}', "an object"); i == failed {
			return failed
		} else if !more {
			return d.objectEnd(o, seen, start, i)
		}
	}
}

// mark notes that field n came and reports whether it had come before.
func (d *decoder) mark(seen []uint64, n int) bool {
	word, bit := &seen[n/64], uint64(1)<<(n%64)
	again := *word&bit != 0
	*word |= bit
	return again
}

// objectEnd ends the object that began at start; its closing brace is at i.
func (d *decoder) objectEnd(o *op, seen []uint64, start, i int) int {
	d.depth--
	for w, need := range o.need {
		if need&^seen[w] == 0 {
			continue
		}
		var missing []string
		for n := range o.fields {
			if f := &o.fields[n]; f.required && seen[n/64]&(1<<(n%64)) == 0 {
				missing = append(missing, `"`+f.name+`"`)
			}
		}
		return d.fail(start, "missing "+plural(len(missing), "field ", "fields ")+strings.Join(missing, ", "), "", "")
	}
	return i + 1
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// field reads the value of f at i. at is the position of its name.
func (d *decoder) field(f *structField, p unsafe.Pointer, i, at int, again bool) int {
	for n := range f.via {
		p = reach(p, f.via[n].Offset, f.via[n].Elem)
	}
	p = unsafe.Add(p, f.offset)
	if again {
		if !d.options.duplicatesAllow {
			return d.fail(at, "duplicate field", "", "")
		}
		reflect.NewAt(f.op.typ, p).Elem().SetZero()
	}
	if f.required && !f.op.nullable && d.isNull(i) {
		return d.fail(i, "null in a required field", "", "")
	}
	if f.quoted && !d.isNull(i) {
		return d.quoted(f.op, p, i)
	}
	return d.value(f.op, p, i)
}

// reach follows the embedded pointer at offset, allocating what it points to.
func reach(p unsafe.Pointer, offset uintptr, elem reflect.Type) unsafe.Pointer {
	pointer := (*unsafe.Pointer)(unsafe.Add(p, offset))
	if *pointer == nil {
		*pointer = reflect.New(elem).UnsafePointer()
	}
	return *pointer
}

// quoted reads a number or bool that stands in a string.
func (d *decoder) quoted(o *op, p unsafe.Pointer, i int) int {
	if i >= len(d.data) || d.data[i] != '"' || d.isNull(i+1) {
		return d.unexpected(i, "a string that holds a number or bool")
	}
	end := d.value(o, p, i+1)
	if end == failed {
		return failed
	}
	if end >= len(d.data) || d.data[end] != '"' {
		return d.unexpected(i, "a string that holds a number or bool")
	}
	return end + 1
}

// fieldName reads a name and its colon where the guess was wrong. n is negative for unknown fields.
func (d *decoder) fieldName(o *op, i, before int) (n, end int) {
	name, end := d.name(i)
	if end == failed {
		return 0, failed
	}
	n, known := o.byName[string(name)]
	if !known {
		var folded [64]byte
		n, known = o.folded[string(appendFolded(folded[:0], name))]
	}
	if known {
		d.follows[before] = uint16(n)
	} else if n = -1; d.options.refuseUnknown {
		unknown := string(name)
		d.fail(i, "unknown field", "", "")
		return 0, d.in(unknown)
	}
	return n, d.colon(end)
}

func (d *decoder) name(i int) ([]byte, int) {
	if i >= len(d.data) {
		return nil, d.fail(i, "unexpected end of the record", "a field name", "")
	}
	if d.data[i] != '"' {
		return nil, d.fail(i, "malformed JSON", "a field name in quotes", d.token(i))
	}
	return d.text(i)
}

func (d *decoder) colon(i int) int {
	i = d.space(i)
	if i >= len(d.data) {
		return d.fail(i, "unexpected end of the record", "':' after a field name", "")
	}
	if d.data[i] != ':' {
		return d.fail(i, "malformed JSON", "':' after a field name", d.token(i))
	}
	return i + 1
}

// next reads what follows a member of an object or array: a comma (more; the position is at the next member) or the closing
// bracket (the position is at the bracket).
func (d *decoder) next(i int, closing byte, of string) (at int, more bool) {
	i = d.space(i)
	if i >= len(d.data) {
		return d.fail(i, "unexpected end of the record in "+of, "',' or '"+string(closing)+"'", ""), false
	}
	switch d.data[i] {
	case ',':
		return d.space(i + 1), true
	case closing:
		return i, false
	}
	return d.fail(i, "malformed JSON", "',' or '"+string(closing)+"'", d.token(i)), false
}

func (d *decoder) enter() bool {
	d.depth++
	return d.depth <= d.options.maxDepth
}

func (d *decoder) tooDeep(i int) int {
	return d.fail(i, "nested too deeply (raise the limit with MaxDepth)", "at most "+strconv.Itoa(d.options.maxDepth)+" levels", "")
}
