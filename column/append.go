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
