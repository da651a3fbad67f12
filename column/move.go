package column

// Gather appends to dst, which is of the same storage, the values at the given positions.
func (v *Vector) Gather(dst *Vector, at []int32) {
	from := dst.Len
	switch v.Store {
	case Bools:
		dst.Bool = gather(dst.Bool, v.Bool, at)
	case Int8s:
		dst.I8 = gather(dst.I8, v.I8, at)
	case Int16s:
		dst.I16 = gather(dst.I16, v.I16, at)
	case Int32s:
		dst.I32 = gather(dst.I32, v.I32, at)
	case Int64s:
		dst.I64 = gather(dst.I64, v.I64, at)
	case Float32s:
		dst.F32 = gather(dst.F32, v.F32, at)
	case Float64s:
		dst.F64 = gather(dst.F64, v.F64, at)
	case Int128s:
		dst.I128 = gather(dst.I128, v.I128, at)
	case Strings:
		dst.Str = gather(dst.Str, v.Str, at)
	case Lists, Maps:
		v.gatherNested(dst, at)
	case Structs:
		for k := range v.Kids {
			v.Kids[k].Gather(dst.Kids[k], at)
		}
	}
	dst.grown(len(at))
	if v.Valid == nil || v.Store == None {
		return
	}
	valid := dst.NeedValid()
	for j, i := range at {
		if !v.Valid.Get(int(i)) {
			valid.Clear(from + j)
		}
	}
}

func gather[E any](dst, src []E, at []int32) []E {
	from := len(dst)
	dst = extend(dst, len(at))
	to := dst[from:]
	to = to[:len(at)]
	for j, i := range at {
		to[j] = src[i]
	}
	return dst
}

func (v *Vector) gatherNested(dst *Vector, at []int32) {
	end := dst.Off[len(dst.Off)-1]
	var inner []int32
	for _, i := range at {
		for e := v.Off[i]; e < v.Off[i+1]; e++ {
			inner = append(inner, e)
		}
		end += v.Off[i+1] - v.Off[i]
		dst.Off = append(dst.Off, end)
	}
	for k := range v.Kids {
		v.Kids[k].Gather(dst.Kids[k], inner)
	}
}

// Slice appends the values [from, to) to dst, which is of the same storage.
func (v *Vector) Slice(dst *Vector, from, to int) {
	start := dst.Len
	switch v.Store {
	case Bools:
		dst.Bool = appendTo(dst.Bool, v.Bool[from:to])
	case Int8s:
		dst.I8 = appendTo(dst.I8, v.I8[from:to])
	case Int16s:
		dst.I16 = appendTo(dst.I16, v.I16[from:to])
	case Int32s:
		dst.I32 = appendTo(dst.I32, v.I32[from:to])
	case Int64s:
		dst.I64 = appendTo(dst.I64, v.I64[from:to])
	case Float32s:
		dst.F32 = appendTo(dst.F32, v.F32[from:to])
	case Float64s:
		dst.F64 = appendTo(dst.F64, v.F64[from:to])
	case Int128s:
		dst.I128 = appendTo(dst.I128, v.I128[from:to])
	case Strings:
		dst.Str = appendTo(dst.Str, v.Str[from:to])
	case Lists, Maps:
		shift := dst.Off[len(dst.Off)-1] - v.Off[from]
		for i := from; i < to; i++ {
			dst.Off = append(dst.Off, v.Off[i+1]+shift)
		}
		for k := range v.Kids {
			v.Kids[k].Slice(dst.Kids[k], int(v.Off[from]), int(v.Off[to]))
		}
	case Structs:
		for k := range v.Kids {
			v.Kids[k].Slice(dst.Kids[k], from, to)
		}
	}
	dst.grown(to - from)
	if v.Valid == nil || v.Store == None {
		return
	}
	valid := dst.NeedValid()
	for i := from; i < to; i++ {
		if !v.Valid.Get(i) {
			valid.Clear(start + i - from)
		}
	}
}

func appendTo[E any](dst, src []E) []E {
	from := len(dst)
	dst = extend(dst, len(src))
	copy(dst[from:], src)
	return dst
}

// Clone returns a copy that shares no memory but the bytes of strings, which nobody writes.
func (v *Vector) Clone() *Vector {
	c := New(v.Type)
	v.Slice(c, 0, v.Len)
	return c
}

// Repeat appends n copies of value i of src.
func (v *Vector) Repeat(src *Vector, i, n int) {
	at := make([]int32, n)
	for j := range at {
		at[j] = int32(i)
	}
	src.Gather(v, at)
}
