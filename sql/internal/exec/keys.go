package exec

import (
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"unsafe"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/state"
	"github.com/flottio/flott/schema"
)

// keySpec is the columns of a key. The first lead of them decide the key group: a table under (group, distinct value) lies where the group does.
type keySpec struct {
	types []column.Type
	lead  int
	names []string // for the snapshot's schema; nil: numbers
}

// keyWordsMax is how many words a key may have before it is kept as bytes.
const keyWordsMax = 2

// keyLayout says how rows of key columns become keys: words, if each column is a number of up to 64 bits and there are few of them, else the
// bytes of the canonical row codec. In snapshots and stores both are the bytes of the codec, so that a layout may change.
//
// A column that may be NULL needs a bit for it: the highest of its own word if that has room, else one of a further word. Under NULL the word is 0.
type keyLayout struct {
	keySpec
	codec  column.RowCodec
	words  int // 0: bytes
	fields []keyField

	arena []byte
	ends  []int
}

type keyField struct {
	store    column.Storage
	nullWord int // -1: never NULL
	nullBit  uint64
}

func newKeyLayout(s keySpec) *keyLayout {
	l := &keyLayout{keySpec: s, codec: column.RowCodec{Types: s.types, Canonical: true}}
	l.words = max(1, len(s.types))
	wide := false
	for _, t := range s.types {
		switch t.Storage() {
		case column.Bools, column.Int8s, column.Int16s, column.Int32s, column.Float32s:
		case column.Int64s, column.Float64s:
			wide = wide || !t.NotNull
		default:
			l.words = 0
			return l
		}
	}
	if wide {
		l.words++
	}
	if l.words > keyWordsMax {
		l.words = 0
		return l
	}
	for i, t := range s.types {
		f := keyField{store: t.Storage(), nullWord: -1}
		switch {
		case t.NotNull:
		case wide:
			f.nullWord, f.nullBit = l.words-1, 1<<i
		default:
			f.nullWord, f.nullBit = i, 1<<63
		}
		l.fields = append(l.fields, f)
	}
	return l
}

// packWords makes the keys of the first n rows: words that lie l.words apart.
func (l *keyLayout) packWords(cols []*column.Vector, n int, dst []uint64) {
	if len(l.fields) != l.words { // no columns, or a word of flags
		for i := range n {
			dst[i*l.words+l.words-1] = 0
		}
	}
	for c, v := range cols {
		packColumn(v, n, dst[c:], l.words)
		f := &l.fields[c]
		switch {
		case v.Valid == nil:
		case f.nullWord < 0 && v.HasNulls():
			panic("BUG: exec: NULL in a key column that is NOT NULL")
		case f.nullWord >= 0:
			for i := range n {
				if !v.Valid.Get(i) {
					dst[i*l.words+c] = 0
					dst[i*l.words+f.nullWord] |= f.nullBit
				}
			}
		}
	}
}

func packColumn(v *column.Vector, n int, dst []uint64, step int) {
	switch v.Store {
	case column.Bools:
		for i, x := range v.Bool[:n] {
			dst[i*step] = 0
			if x {
				dst[i*step] = 1
			}
		}
	case column.Int8s:
		for i, x := range v.I8[:n] {
			dst[i*step] = uint64(uint8(x))
		}
	case column.Int16s:
		for i, x := range v.I16[:n] {
			dst[i*step] = uint64(uint16(x))
		}
	case column.Int32s:
		for i, x := range v.I32[:n] {
			dst[i*step] = uint64(uint32(x))
		}
	case column.Int64s:
		for i, x := range v.I64[:n] {
			dst[i*step] = uint64(x)
		}
	case column.Float32s:
		for i, x := range v.F32[:n] {
			dst[i*step] = uint64(math.Float32bits(float32(canonical(float64(x)))))
		}
	case column.Float64s:
		for i, x := range v.F64[:n] {
			dst[i*step] = math.Float64bits(canonical(x))
		}
	}
}

// canonical makes equal floats equal bits, as package column does.
func canonical(f float64) float64 {
	switch {
	case f == 0:
		return 0
	case f != f:
		return math.NaN()
	}
	return f
}

// null reports whether column c of a key is NULL.
func (l *keyLayout) null(key []uint64, c int) bool {
	f := &l.fields[c]
	return f.nullWord >= 0 && key[f.nullWord]&f.nullBit != 0
}

// unpackWords appends a key to the columns.
func (l *keyLayout) unpackWords(key []uint64, cols []*column.Vector) {
	for c, v := range cols {
		w := key[c]
		switch {
		case l.null(key, c):
			v.Nulls(1)
		case v.Store == column.Float32s:
			v.AppendFloat(float64(math.Float32frombits(uint32(w))))
		case v.Store == column.Float64s:
			v.AppendFloat(math.Float64frombits(w))
		default:
			v.AppendInt(signed(v.Store, w))
		}
	}
}

// signed is a word as a whole number.
func signed(s column.Storage, w uint64) int64 {
	switch s {
	case column.Int8s:
		return int64(int8(w))
	case column.Int16s:
		return int64(int16(w))
	case column.Int32s:
		return int64(int32(w))
	}
	return int64(w)
}

// hashWords gives the hash of the leading columns, as column.Hash.
func (l *keyLayout) hashWords(key []uint64) uint64 {
	h := uint64(column.HashSeed)
	for c := range l.lead {
		part := l.hashField(key, c)
		if l.lead == 1 {
			return part
		}
		h = column.CombineHash(h, part)
	}
	return h
}

func (l *keyLayout) hashField(key []uint64, c int) uint64 {
	if l.null(key, c) {
		return column.HashNull
	}
	return column.HashWord(uint64(signed(l.fields[c].store, key[c])))
}

// mixWords adds the columns behind the leading ones to a hash.
func (l *keyLayout) mixWords(key []uint64, h uint64) uint64 {
	for c := l.lead; c < len(l.types); c++ {
		h = column.CombineHash(h, l.hashField(key, c))
	}
	return h
}

// appendWords encodes a key as the row codec does.
func (l *keyLayout) appendWords(dst []byte, key []uint64) []byte {
	at := len(dst)
	for range (len(l.types) + 7) / 8 {
		dst = append(dst, 0)
	}
	for c := range l.types {
		w := key[c]
		if l.null(key, c) {
			dst[at+c>>3] |= 1 << (c & 7)
			continue
		}
		switch storeBytes(l.fields[c].store) {
		case 1:
			dst = append(dst, byte(w))
		case 2:
			dst = binary.LittleEndian.AppendUint16(dst, uint16(w))
		case 4:
			dst = binary.LittleEndian.AppendUint32(dst, uint32(w))
		default:
			dst = binary.LittleEndian.AppendUint64(dst, w)
		}
	}
	return dst
}

func storeBytes(s column.Storage) int {
	switch s {
	case column.Bools, column.Int8s:
		return 1
	case column.Int16s:
		return 2
	case column.Int32s, column.Float32s:
		return 4
	}
	return 8
}

var errKey = errors.New("the bytes of a stored key are damaged")

func (l *keyLayout) decodeWords(src []byte, key []uint64) (int, error) {
	clear(key)
	at := (len(l.types) + 7) / 8
	if len(src) < at {
		return 0, errKey
	}
	for c := range l.types {
		f := &l.fields[c]
		if src[c>>3]>>(c&7)&1 == 1 {
			if f.nullWord < 0 {
				return 0, errors.New("a stored key is NULL in a column that is NOT NULL now")
			}
			key[f.nullWord] |= f.nullBit
			continue
		}
		n := storeBytes(f.store)
		if len(src) < at+n {
			return 0, errKey
		}
		var b [8]byte
		copy(b[:], src[at:at+n])
		key[c] |= binary.LittleEndian.Uint64(b[:])
		at += n
	}
	return at, nil
}

// packBytes makes the keys of the first n rows in memory that the next call uses again.
func (l *keyLayout) packBytes(cols []*column.Vector, n int, dst []string) {
	l.arena, l.ends = l.arena[:0], l.ends[:0]
	for i := range n {
		l.arena = l.codec.Append(l.arena, cols, i)
		l.ends = append(l.ends, len(l.arena))
	}
	all, from := unsafe.String(unsafe.SliceData(l.arena), len(l.arena)), 0
	for i, to := range l.ends {
		dst[i] = all[from:to]
		from = to
	}
}

// schema describes the encoded key. Whether a column may be NULL does not matter to it.
func (l *keyLayout) schema() *schema.Type {
	t := &schema.Type{Kind: schema.Struct}
	for i, of := range l.types {
		name := "key " + string(rune('0'+i%10))
		if i >= 10 {
			name = "key " + string(rune('0'+i/10)) + string(rune('0'+i%10))
		}
		if l.names != nil {
			name = l.names[i]
		}
		t.Fields = append(t.Fields, schema.Field{Name: name, Type: &schema.Type{Kind: schema.Custom, Name: of.Nullable(true).String()}})
	}
	return t
}

// describeKeys is the part of a table's descriptor that is about keys. K is an array of words, or string.
func describeKeys[K comparable, V any](l *keyLayout) state.Descriptor[K, V] {
	d := state.Descriptor[K, V]{Keys: state.Format[K]{Schema: l.schema()}}
	if l.words == 0 {
		describeBytes(l, any(&d).(*state.Descriptor[string, V]))
		return d
	}
	d.KeyHash = func(k *K) uint64 { return l.hashWords(wordsOf(k, l.words)) }
	d.Keys.Append = func(dst []byte, k *K) []byte { return l.appendWords(dst, wordsOf(k, l.words)) }
	d.Keys.Decode = func(src []byte, k *K) (int, error) { return l.decodeWords(src, wordsOf(k, l.words)) }
	if l.lead < len(l.types) {
		d.Mix = func(k *K, h uint64) uint64 { return l.mixWords(wordsOf(k, l.words), h) }
	}
	return d
}

func describeBytes[V any](l *keyLayout, d *state.Descriptor[string, V]) {
	d.KeyHash = func(k *string) uint64 {
		lead, _ := l.codec.Hash(*k, l.lead)
		return lead
	}
	d.Keep = func(k *string) { *k = strings.Clone(*k) }
	d.Keys.Append = func(dst []byte, k *string) []byte { return append(dst, *k...) }
	d.Keys.Decode = func(src []byte, k *string) (int, error) {
		n, err := l.codec.Skip(string(src))
		if err == nil {
			*k = string(src[:n])
		}
		return n, err
	}
	if l.lead < len(l.types) {
		d.Mix = func(k *string, h uint64) uint64 {
			_, all := l.codec.Hash(*k, l.lead)
			return column.CombineHash(h, all)
		}
	}
}

// wordsOf is a key, or the first of several, as words.
func wordsOf[K any](k *K, n int) []uint64 { return unsafe.Slice((*uint64)(unsafe.Pointer(k)), n) }

// pack makes the keys of n rows.
func pack[K comparable](l *keyLayout, cols []*column.Vector, n int, dst []K) {
	switch {
	case n == 0:
	case l.words == 0:
		l.packBytes(cols, n, any(dst).([]string))
	default:
		l.packWords(cols, n, wordsOf(&dst[0], n*l.words))
	}
}

// unpack appends keys to the columns. Texts are those of the keys.
func unpack[K comparable](l *keyLayout, keys []K, cols []*column.Vector) error {
	if len(keys) == 0 {
		return nil
	}
	if l.words > 0 {
		all := wordsOf(&keys[0], len(keys)*l.words)
		for i := range keys {
			l.unpackWords(all[i*l.words:(i+1)*l.words], cols)
		}
		return nil
	}
	for _, k := range any(keys).([]string) {
		if _, err := l.codec.Decode(k, cols); err != nil {
			return err
		}
	}
	return nil
}
