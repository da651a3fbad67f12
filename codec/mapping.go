package codec

import (
	"bytes"
	"encoding/binary"
	"reflect"
	"slices"
	"sync"
	"unsafe"
)

// mapping encodes maps of one type. Entries are written one after another, then brought into the order of their keys' bytes.
type mapping struct {
	typ       reflect.Type
	key, elem encoder
	typed     typedMap  // nil: through reflection
	scratch   sync.Pool // *mapScratch
}

// mapScratch is the memory for one map on its way to bytes or back.
type mapScratch struct {
	self    unsafe.Pointer // the map's word: a map is a pointer
	m       reflect.Value  // the map at &self
	key     reflect.Value  // one entry's memory
	elem    reflect.Value
	iter    *reflect.MapIter
	entries []mapEntry
	order   []byte
}

// mapEntry is where an entry is in the bytes: key at [start:split], value at [split:end].
type mapEntry struct{ start, split, end int }

func newMapping(n *node) *mapping {
	m := &mapping{typ: n.typ, key: compileEncoder(n.key), elem: compileEncoder(n.elem), typed: typedMapOf(n.typ)}
	m.scratch.New = func() any { return newMapScratch(n.typ) }
	return m
}

func newMapScratch(t reflect.Type) *mapScratch {
	s := &mapScratch{key: reflect.New(t.Key()).Elem(), elem: reflect.New(t.Elem()).Elem(), iter: new(reflect.MapIter)}
	s.m = reflect.NewAt(t, unsafe.Pointer(&s.self)).Elem()
	return s
}

// release forgets what belongs to the caller.
func (s *mapScratch) release(pool *sync.Pool) {
	s.iter.Reset(reflect.Value{})
	s.key.SetZero()
	s.elem.SetZero()
	s.self = nil
	pool.Put(s)
}

func (m *mapping) append(dst []byte, self unsafe.Pointer) []byte {
	if self == nil {
		return append(dst, 0)
	}
	s := m.scratch.Get().(*mapScratch)
	defer s.release(&m.scratch)
	s.self, s.entries = self, s.entries[:0]
	dst = binary.AppendUvarint(dst, uint64(s.m.Len())+1)
	start := len(dst)
	if m.typed != nil {
		dst = m.typed.append(dst, m, s)
	} else {
		s.iter.Reset(s.m)
		for s.iter.Next() {
			s.key.SetIterKey(s.iter)
			s.elem.SetIterValue(s.iter)
			dst = m.entry(dst, s, s.key.Addr().UnsafePointer(), s.elem.Addr().UnsafePointer())
		}
	}
	return s.sort(dst, start)
}

func (m *mapping) entry(dst []byte, s *mapScratch, key, elem unsafe.Pointer) []byte {
	e := mapEntry{start: len(dst)}
	dst = m.key.append(dst, key)
	e.split = len(dst)
	dst = m.elem.append(dst, elem)
	e.end = len(dst)
	s.entries = append(s.entries, e)
	return dst
}

// sort brings the entries at dst[start:] into order.
func (s *mapScratch) sort(dst []byte, start int) []byte {
	compare := func(a, b mapEntry) int {
		if c := bytes.Compare(dst[a.start:a.split], dst[b.start:b.split]); c != 0 {
			return c
		}
		return bytes.Compare(dst[a.split:a.end], dst[b.split:b.end]) // NaN may be a key several times
	}
	if slices.IsSortedFunc(s.entries, compare) {
		return dst
	}
	slices.SortFunc(s.entries, compare)
	s.order = s.order[:0]
	for _, e := range s.entries {
		s.order = append(s.order, dst[e.start:e.end]...)
	}
	copy(dst[start:], s.order)
	return dst
}

// mapDecoder decodes maps of one type.
type mapDecoder struct {
	typ       reflect.Type
	key, elem *decoder
	typed     typedMap
	scratch   sync.Pool
}

func newMapDecoder(n *node, key, elem *decoder) *mapDecoder {
	m := &mapDecoder{typ: n.typ, key: key, elem: elem, typed: typedMapOf(n.typ)}
	m.scratch.New = func() any { return newMapScratch(n.typ) }
	return m
}

func (d *decoder) mapping(i int, src []byte, pos int, q unsafe.Pointer) (int, error) {
	m := d.steps[i].m
	n, next := lengthOrNil(src, pos, m.key.min+m.elem.min)
	if next < 0 {
		return d.fail(i, src, pos, "a wrong length")
	}
	if n < 0 {
		*(*unsafe.Pointer)(q) = nil
		return next, nil
	}
	self, got, next, err := m.entries(src, next, n)
	if err != nil {
		return next, err
	}
	if got != n {
		return d.fail(i, src, pos, "a map with the same key twice")
	}
	*(*unsafe.Pointer)(q) = self
	return next, nil
}

// entries reads n entries and returns the map, and how many entries it has.
func (m *mapDecoder) entries(src []byte, pos, n int) (self unsafe.Pointer, got, next int, err error) {
	if m.typed != nil {
		return m.typed.decode(src, pos, n, m)
	}
	s := m.scratch.Get().(*mapScratch)
	defer s.release(&m.scratch)
	v := reflect.MakeMapWithSize(m.typ, n)
	key, elem := s.key.Addr().UnsafePointer(), s.elem.Addr().UnsafePointer()
	for range n {
		if m.key.sparse {
			s.key.SetZero()
		}
		if m.elem.sparse {
			s.elem.SetZero()
		}
		if pos, err = m.key.run(src, pos, key); err != nil {
			return nil, 0, pos, err
		}
		if pos, err = m.elem.run(src, pos, elem); err != nil {
			return nil, 0, pos, err
		}
		v.SetMapIndex(s.key, s.elem)
	}
	return v.UnsafePointer(), v.Len(), pos, nil
}

// typedMap is the same for the common maps, without reflection.
type typedMap interface {
	append(dst []byte, m *mapping, s *mapScratch) []byte
	decode(src []byte, pos, n int, m *mapDecoder) (self unsafe.Pointer, got, next int, err error)
}

// typed stands for every map type whose keys are hashed and laid out as K and whose values are laid out as V.
type typed[K comparable, V any] struct{}

func (typed[K, V]) append(dst []byte, m *mapping, s *mapScratch) []byte {
	for k, v := range *(*map[K]V)(unsafe.Pointer(&s.self)) {
		dst = m.entry(dst, s, unsafe.Pointer(&k), unsafe.Pointer(&v))
	}
	return dst
}

func (typed[K, V]) decode(src []byte, pos, n int, m *mapDecoder) (unsafe.Pointer, int, int, error) {
	entries := make(map[K]V, n)
	var err error
	for range n {
		var k K
		var v V
		if pos, err = m.key.run(src, pos, unsafe.Pointer(&k)); err != nil {
			return nil, 0, pos, err
		}
		if pos, err = m.elem.run(src, pos, unsafe.Pointer(&v)); err != nil {
			return nil, 0, pos, err
		}
		entries[k] = v
	}
	return *(*unsafe.Pointer)(unsafe.Pointer(&entries)), len(entries), pos, nil
}

// typedMapOf returns the fast way for string and integer keys and string and number values, or nil.
func typedMapOf(t reflect.Type) typedMap {
	var column int
	switch k := t.Elem().Kind(); {
	case k == reflect.String:
		column = 0
	case k >= reflect.Int && k <= reflect.Uint64 || k == reflect.Float32 || k == reflect.Float64:
		column = map[uintptr]int{8: 1, 4: 2}[t.Elem().Size()]
	}
	if column == 0 && t.Elem().Kind() != reflect.String {
		return nil
	}
	var row int
	switch k := t.Key().Kind(); {
	case k == reflect.String:
		row = 0
	case k >= reflect.Int && k <= reflect.Uint64 && t.Key().Size() == 8:
		row = 1
	case k >= reflect.Int && k <= reflect.Uint64 && t.Key().Size() == 4:
		row = 2
	default:
		return nil
	}
	return [3][3]typedMap{
		{typed[string, string]{}, typed[string, uint64]{}, typed[string, uint32]{}},
		{typed[uint64, string]{}, typed[uint64, uint64]{}, typed[uint64, uint32]{}},
		{typed[uint32, string]{}, typed[uint32, uint64]{}, typed[uint32, uint32]{}},
	}[row][column]
}
