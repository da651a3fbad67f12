package column

import (
	"math/bits"
	"sync"
	"unsafe"
)

// Storage says which slice of a Vector holds its values.
type Storage uint8

// The storages.
const (
	None Storage = iota // NULL: no values at all
	Bools
	Int8s
	Int16s
	Int32s // INT, DATE (days since the epoch), TIME (milliseconds of the day), INTERVAL of months
	Int64s // BIGINT, short DECIMAL (unscaled), TIMESTAMP up to 6 digits (see Unit), INTERVAL of milliseconds
	Float32s
	Float64s
	Int128s // long DECIMAL (unscaled), TIMESTAMP of 7 to 9 digits (nanoseconds since the epoch)
	Strings // text and bytes
	Lists   // ARRAY
	Maps    // MAP and MULTISET (element -> INT)
	Structs // ROW
	storageCount
)

// Storage returns where values of the type are kept.
func (t Type) Storage() Storage {
	switch t.ID {
	case Null:
		return None
	case Boolean:
		return Bools
	case TinyInt:
		return Int8s
	case SmallInt:
		return Int16s
	case Int, Date, Time, IntervalMonths:
		return Int32s
	case BigInt, IntervalMillis:
		return Int64s
	case Float:
		return Float32s
	case Double:
		return Float64s
	case Decimal:
		if t.Precision <= shortDecimalPrecision {
			return Int64s
		}
		return Int128s
	case Timestamp, TimestampLTZ:
		if t.Precision <= 6 {
			return Int64s
		}
		return Int128s
	case Array:
		return Lists
	case Map, Multiset:
		return Maps
	case Row:
		return Structs
	}
	return Strings
}

// Vector is the values of one column. Exactly one of its slices is in use, by Storage, with Len elements; NULL is a cleared bit of Valid
// over a zero value. The zero Vector is not usable: New.
//
// The slices are open so that kernels are plain loops. Who changes Len through them keeps Valid and Len in step; AppendX methods do.
type Vector struct {
	Type  Type
	Store Storage
	Len   int
	// Valid is nil when no value is NULL; else it has a bit for each value.
	Valid Bits

	Bool []bool
	I8   []int8
	I16  []int16
	I32  []int32
	I64  []int64
	F32  []float32
	F64  []float64
	I128 []Int128
	// Str are views: bytes may be shared with other vectors and with the buffer they were decoded from. State must clone them.
	Str []string
	// Off has Len+1 elements for lists and maps: value i has the elements [Off[i], Off[i+1]) of Kids.
	Off []int32
	// Kids are the elements of a list, keys and values of a map, fields of a struct.
	Kids []*Vector

	validMemory Bits // kept for the next use
	shared      bool
}

var pools [storageCount]sync.Pool

// New returns an empty vector of the type.
func New(t Type) *Vector {
	s := t.Storage()
	v, _ := pools[s].Get().(*Vector)
	if v == nil {
		v = &Vector{Store: s}
	}
	v.Type = t
	switch s {
	case Lists:
		v.Off = append(v.Off[:0], 0)
		v.Kids = append(v.Kids[:0], New(*t.Elem))
	case Maps:
		v.Off = append(v.Off[:0], 0)
		key, value := t.MapTypes()
		v.Kids = append(v.Kids[:0], New(key), New(value))
	case Structs:
		v.Kids = v.Kids[:0]
		for i := range t.Fields {
			v.Kids = append(v.Kids, New(t.Fields[i].Type))
		}
	}
	return v
}

// MapTypes are the types of key and value of a MAP, and of element and count of a MULTISET.
func (t Type) MapTypes() (key, value Type) {
	if t.ID == Multiset {
		return *t.Elem, Of(Int).Nullable(false)
	}
	return *t.Key, *t.Elem
}

// Share makes the vector read-only and lets it belong to several batches: Release leaves it to the garbage collector from then on.
func (v *Vector) Share() *Vector {
	v.shared = true
	for _, k := range v.Kids {
		k.Share()
	}
	return v
}

// Release gives the memory back; the vector is dead afterwards. Shared vectors are left alone.
func (v *Vector) Release() {
	if v == nil || v.shared {
		return
	}
	for _, k := range v.Kids {
		k.Release()
	}
	clear(v.Kids)
	v.Kids = v.Kids[:0] // before Reset, which goes through them
	v.Reset()
	pools[v.Store].Put(v)
}

// Reset empties the vector and keeps its memory.
func (v *Vector) Reset() {
	v.Len = 0
	if v.Valid != nil {
		v.validMemory, v.Valid = v.Valid[:0], nil
	}
	v.Bool, v.I8, v.I16, v.I32, v.I64 = v.Bool[:0], v.I8[:0], v.I16[:0], v.I32[:0], v.I64[:0]
	v.F32, v.F64, v.I128, v.Str = v.F32[:0], v.F64[:0], v.I128[:0], v.Str[:0]
	if v.Store == Lists || v.Store == Maps {
		v.Off = append(v.Off[:0], 0)
	}
	for _, k := range v.Kids {
		k.Reset()
	}
}

// Resize makes the vector n long, all valid, with whatever values were there before: the caller writes every one. For storages without
// nesting.
func (v *Vector) Resize(n int) {
	v.Len = n
	if v.Valid != nil {
		v.validMemory, v.Valid = v.Valid[:0], nil
	}
	switch v.Store {
	case Bools:
		v.Bool = resize(v.Bool, n)
	case Int8s:
		v.I8 = resize(v.I8, n)
	case Int16s:
		v.I16 = resize(v.I16, n)
	case Int32s:
		v.I32 = resize(v.I32, n)
	case Int64s:
		v.I64 = resize(v.I64, n)
	case Float32s:
		v.F32 = resize(v.F32, n)
	case Float64s:
		v.F64 = resize(v.F64, n)
	case Int128s:
		v.I128 = resize(v.I128, n)
	case Strings:
		v.Str = resize(v.Str, n)
	}
}

func resize[E any](s []E, n int) []E {
	if cap(s) < n {
		return make([]E, n, max(n, BatchRows))
	}
	return s[:n]
}

// NeedValid makes Valid explicit, so that bits can be cleared.
func (v *Vector) NeedValid() Bits {
	if v.Valid == nil {
		v.Valid = growBits(v.validMemory, words(v.Len))
		v.Valid.SetRange(0, v.Len)
	}
	return v.Valid
}

func growBits(b Bits, n int) Bits {
	if cap(b) < n {
		return make(Bits, n, max(n, words(BatchRows)))
	}
	b = b[:n]
	clear(b)
	return b
}

// IsNull reports whether value i is NULL.
func (v *Vector) IsNull(i int) bool { return v.Store == None || v.Valid != nil && !v.Valid.Get(i) }

// SetNull makes value i NULL and zero: the fields of a NULL row are NULL, so that a field can be read without its row.
func (v *Vector) SetNull(i int) {
	if v.Store == None {
		return
	}
	v.NeedValid().Clear(i)
	switch v.Store {
	case Bools:
		v.Bool[i] = false
	case Int8s:
		v.I8[i] = 0
	case Int16s:
		v.I16[i] = 0
	case Int32s:
		v.I32[i] = 0
	case Int64s:
		v.I64[i] = 0
	case Float32s:
		v.F32[i] = 0
	case Float64s:
		v.F64[i] = 0
	case Int128s:
		v.I128[i] = Int128{}
	case Strings:
		v.Str[i] = ""
	case Structs:
		for _, k := range v.Kids {
			k.SetNull(i)
		}
	}
}

// HasNulls reports whether a value is NULL.
func (v *Vector) HasNulls() bool {
	return v.Store == None && v.Len > 0 || v.Valid != nil && v.Valid.Ones(v.Len) < v.Len
}

// grown keeps Valid in step after n valid values were appended.
func (v *Vector) grown(n int) {
	from := v.Len
	v.Len += n
	if v.Valid == nil {
		return
	}
	for len(v.Valid) < words(v.Len) {
		v.Valid = append(v.Valid, 0)
	}
	v.Valid.SetRange(from, v.Len)
}

// Nulls appends n NULLs.
func (v *Vector) Nulls(n int) {
	from := v.Len
	v.zeros(n)
	if v.Store == None {
		return
	}
	valid := v.NeedValid()
	for i := from; i < v.Len; i++ {
		valid.Clear(i)
	}
}

// zeros appends n zero values.
func (v *Vector) zeros(n int) {
	switch v.Store {
	case Bools:
		v.Bool = zeros(v.Bool, n)
	case Int8s:
		v.I8 = zeros(v.I8, n)
	case Int16s:
		v.I16 = zeros(v.I16, n)
	case Int32s:
		v.I32 = zeros(v.I32, n)
	case Int64s:
		v.I64 = zeros(v.I64, n)
	case Float32s:
		v.F32 = zeros(v.F32, n)
	case Float64s:
		v.F64 = zeros(v.F64, n)
	case Int128s:
		v.I128 = zeros(v.I128, n)
	case Strings:
		v.Str = zeros(v.Str, n)
	case Lists, Maps:
		for range n {
			v.Off = append(v.Off, v.Off[len(v.Off)-1])
		}
	case Structs:
		for _, k := range v.Kids {
			k.Nulls(n)
		}
	}
	v.grown(n)
}

func zeros[E any](s []E, n int) []E {
	from := len(s)
	s = extend(s, n)
	clear(s[from:])
	return s
}

// extend makes s longer by n; a new slice has room for a full batch.
func extend[E any](s []E, n int) []E {
	if len(s)+n > cap(s) {
		grown := make([]E, len(s), max(len(s)+n, BatchRows, 2*cap(s)))
		copy(grown, s)
		s = grown
	}
	return s[:len(s)+n]
}

// Bytes estimates the memory of the values.
func (v *Vector) Bytes() int {
	n := len(v.Bool) + len(v.I8) + 2*len(v.I16) + 4*len(v.I32) + 8*len(v.I64) + 4*len(v.F32) + 8*len(v.F64) + 16*len(v.I128) +
		8*len(v.Valid) + 4*len(v.Off)
	if len(v.Str) > 0 {
		// The first and the last stand for all: this is a bound of a queue, not an account.
		mean := (len(v.Str[0]) + len(v.Str[len(v.Str)-1])) / 2
		n += len(v.Str) * (int(unsafe.Sizeof("")) + mean)
	}
	for _, k := range v.Kids {
		n += k.Bytes()
	}
	return n
}

// Restrict makes every value NULL whose bit in keep is not set, and zero: the validity of a strict function.
func (v *Vector) Restrict(keep Bits) {
	for w := range words(v.Len) {
		missing := ^keep[w]
		for missing != 0 {
			i := w<<6 + bits.TrailingZeros64(missing)
			if i >= v.Len {
				break
			}
			v.SetNull(i)
			missing &= missing - 1
		}
	}
}
