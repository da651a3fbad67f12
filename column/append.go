package column

// AppendInt appends a number to a vector of whole numbers of up to 64 bits, cut to its width as Java's casts do; to one of 128 bits it is widened, a
// boolean is true unless it is 0.
func (v *Vector) AppendInt(x int64) {
	switch v.Store {
	case Bools:
		v.Bool = append(v.Bool, x != 0)
	case Int8s:
		v.I8 = append(v.I8, int8(x))
	case Int16s:
		v.I16 = append(v.I16, int16(x))
	case Int32s:
		v.I32 = append(v.I32, int32(x))
	case Int64s:
		v.I64 = append(v.I64, x)
	case Int128s:
		v.I128 = append(v.I128, Int128From(x))
	default:
		panic("BUG: column: a whole number for a column of type " + v.Type.String())
	}
	v.grown(1)
}

// AppendFloat appends a number to a vector of floats.
func (v *Vector) AppendFloat(x float64) {
	switch v.Store {
	case Float32s:
		v.F32 = append(v.F32, float32(x))
	case Float64s:
		v.F64 = append(v.F64, x)
	default:
		panic("BUG: column: a float for a column of type " + v.Type.String())
	}
	v.grown(1)
}

// AppendInt128 appends a number to a vector of decimals, which has room for it.
func (v *Vector) AppendInt128(x Int128) {
	switch v.Store {
	case Int64s:
		v.I64 = append(v.I64, int64(x.Lo))
	case Int128s:
		v.I128 = append(v.I128, x)
	default:
		panic("BUG: column: a long number for a column of type " + v.Type.String())
	}
	v.grown(1)
}

// Zeros appends n zero values, none NULL but the fields of rows, for the caller to overwrite.
func (v *Vector) Zeros(n int) { v.zeros(n) }

// AppendString appends text or bytes. Their memory is shared.
func (v *Vector) AppendString(x string) {
	v.Str = append(v.Str, x)
	v.grown(1)
}

// AppendValid appends nothing but counts a value whose storage the caller has appended to: elements and Off of a list or map, fields of a struct.
func (v *Vector) AppendValid() { v.grown(1) }

// One marks a value as there that was just appended to the slice of its storage: with append, these two are how a decoder writes a column
// row by row.
func (v *Vector) One() {
	v.Len++
	if v.Valid != nil {
		v.oneMore()
	}
}

func (v *Vector) oneMore() {
	if len(v.Valid) < words(v.Len) {
		v.Valid = append(v.Valid, 0)
	}
	v.Valid.Set(v.Len - 1)
}

// AppendText adds a value to a vector of text or bytes. The vector keeps s.
func (v *Vector) AppendText(s string) {
	v.Str = append(v.Str, s)
	v.One()
}

// Null appends a NULL.
func (v *Vector) Null() { v.Nulls(1) }

// Reserve makes room for n more values of fixed width, so that appending them does not move what is there.
func (v *Vector) Reserve(n int) {
	switch v.Store {
	case Bools:
		v.Bool = reserve(v.Bool, n)
	case Int8s:
		v.I8 = reserve(v.I8, n)
	case Int16s:
		v.I16 = reserve(v.I16, n)
	case Int32s:
		v.I32 = reserve(v.I32, n)
	case Int64s:
		v.I64 = reserve(v.I64, n)
	case Float32s:
		v.F32 = reserve(v.F32, n)
	case Float64s:
		v.F64 = reserve(v.F64, n)
	case Int128s:
		v.I128 = reserve(v.I128, n)
	case Strings:
		v.Str = reserve(v.Str, n)
	case Structs:
		for _, k := range v.Kids {
			k.Reserve(n)
		}
	}
}

func reserve[E any](s []E, n int) []E { return extend(s, n)[:len(s)] }

// EndList ends a list or map whose elements were appended to the kids.
func (v *Vector) EndList() {
	v.Off = append(v.Off, int32(v.Kids[0].Len))
	v.One()
}

// Truncate keeps the first n values. The kids of a struct that is half written may be longer or shorter than the struct: they are cut, too.
func (v *Vector) Truncate(n int) {
	if v.Store == Structs {
		for _, k := range v.Kids {
			k.Truncate(min(n, k.Len))
		}
	}
	if v.Store == Lists || v.Store == Maps {
		// Also elements of a value that was never ended.
		v.Off = v.Off[:n+1]
		for _, k := range v.Kids {
			k.Truncate(min(int(v.Off[n]), k.Len))
		}
	}
	if n >= v.Len {
		return
	}
	v.Len = n
	v.Bool, v.I8, v.I16, v.I32, v.I64 = cut(v.Bool, n), cut(v.I8, n), cut(v.I16, n), cut(v.I32, n), cut(v.I64, n)
	v.F32, v.F64, v.I128, v.Str = cut(v.F32, n), cut(v.F64, n), cut(v.I128, n), cut(v.Str, n)
	if v.Valid != nil {
		v.Valid = v.Valid[:words(n)]
	}
}

func cut[E any](s []E, n int) []E { return s[:min(n, len(s))] }

// Truncate keeps the first n rows, also when some columns have one more already.
func (b *Batch) Truncate(n int) {
	for _, v := range b.Cols {
		v.Truncate(min(n, v.Len))
	}
	if b.Kinds != nil {
		b.Kinds = b.Kinds[:n]
	}
	b.N = n
}

// Records is the number of rows, for metrics: the record of a table's source or sink is a batch.
func (b *Batch) Records() int { return b.N }

// Clone returns a copy that shares no memory but the bytes of strings, which nobody writes.
func (b *Batch) Clone() *Batch {
	c := NewBatch(b.Types())
	b.Slice(&c, 0, b.N)
	return &c
}

// Reserve makes room for n more rows.
func (b *Batch) Reserve(n int) {
	for _, v := range b.Cols {
		v.Reserve(n)
	}
}
