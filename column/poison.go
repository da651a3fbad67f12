package column

// Poison overwrites the values with what cannot be mistaken for data, unless the vector is shared: builds with the tag invariants do it
// to what was handed over or released.
func (v *Vector) Poison() {
	if v.shared {
		return
	}
	for i := range v.I32 {
		v.I32[i] = -0x24242424
	}
	for i := range v.I64 {
		v.I64[i] = -0x2424242424242424
	}
	for i := range v.F64 {
		v.F64[i] = -0x2424242424242424
	}
	for i := range v.Str {
		v.Str[i] = "\xDB\xDB POISON"
	}
	for _, k := range v.Kids {
		k.Poison()
	}
}
