package codec

import (
	"fmt"
	"reflect"
	"sync"
	"unsafe"

	"github.com/zeebo/xxh3"

	"github.com/flottio/flott/internal/invariant"
	"github.com/flottio/flott/schema"
)

// Key is what the engine knows about keys of type K: their canonical bytes, their hash, when two are equal. It is immutable and
// safe for concurrent use. Get one from ForKey.
//
// Two keys are equal if their canonical bytes are (A13.4): all NaN are one key, -0 is +0, and times are equal if they are the same
// instant in whatever location. That differs from Go's == for floats and times.
type Key[K comparable] struct {
	node    *node
	program *keyProgram
	single  keyCode // the only step if K is no struct or array of parts, else keyArray
	plain   bool    // canonical equality is ==
}

var keys sync.Map // reflect.Type -> *Key[K]

// ForKey returns the Key of K, made at the first call and kept. Supported are bool, integers (but uintptr), floats, strings,
// time.Time, and arrays and structs of these; field names and tags are as for For, but no field may be left out, and marshalling methods
// are not used. Anything else is refused with an *UnsupportedError that names all offending fields.
func ForKey[K comparable]() (*Key[K], error) {
	t := reflect.TypeFor[K]()
	if k, ok := keys.Load(t); ok {
		return k.(*Key[K]), nil
	}
	n, err := derive(t, true)
	if err != nil {
		return nil, err
	}
	k := &Key[K]{node: n, program: &keyProgram{typ: t}, single: keyArray, plain: true}
	k.program.add(n, 0, "")
	if s := k.program.steps[0]; n.schema.Kind != schema.Struct && s.code != keyMark && s.code != keyTime {
		k.single = s.code
	}
	k.plain = k.program.plain()
	kept, _ := keys.LoadOrStore(t, k)
	return kept.(*Key[K]), nil
}

// Schema returns the description of the canonical bytes. It must not be changed.
func (k *Key[K]) Schema() *schema.Type { return k.node.schema }

// Append appends the canonical bytes of *v to dst: those of package codec, but with one NaN and one zero. No key's bytes are
// the start of another's. Their order means nothing.
func (k *Key[K]) Append(dst []byte, v *K) []byte {
	return k.program.append(dst, unsafe.Pointer(v))
}

// Decode reads one key from the start of src into *v and returns how many bytes it took. Bytes that are not canonical are
// refused, for a key stored under them would never be found. Otherwise as Codec.Decode.
func (k *Key[K]) Decode(src []byte, v *K) (int, error) {
	return k.program.decode(src, 0, unsafe.Pointer(v))
}

// Hash returns the hash called HashName: the same for equal keys, in every process, on every platform, in every release.
func (k *Key[K]) Hash(v *K) uint64 {
	switch k.single {
	case keyWord:
		return mix(*(*uint64)(unsafe.Pointer(v)))
	case keyString:
		return xxh3.HashString(*(*string)(unsafe.Pointer(v)))
	case keyArray:
		return k.program.hash(hashSeed, unsafe.Pointer(v))
	}
	return k.program.steps[0].hash1(unsafe.Pointer(v))
}

// HashAll writes the hash of keys[i] to out[i]; out must be at least as long as keys.
func (k *Key[K]) HashAll(keys []K, out []uint64) {
	out = out[:len(keys)]
	first := unsafe.Pointer(unsafe.SliceData(keys))
	switch k.single {
	case keyWord:
		for i, v := range unsafe.Slice((*uint64)(first), len(keys)) {
			out[i] = mix(v)
		}
	case keyString:
		for i, v := range unsafe.Slice((*string)(first), len(keys)) {
			out[i] = xxh3.HashString(v)
		}
	case keyInteger:
		k.program.steps[0].hashIntegers(first, out)
	case keyArray:
		for i := range keys {
			out[i] = k.program.hash(hashSeed, unsafe.Pointer(&keys[i]))
		}
	default:
		s := &k.program.steps[0]
		for i := range keys {
			out[i] = s.hash1(unsafe.Pointer(&keys[i]))
		}
	}
}

// hashIntegers hashes the len(out) integers of less than 8 bytes that lie at first.
func (s *keyStep) hashIntegers(first unsafe.Pointer, out []uint64) {
	n := len(out)
	switch {
	case s.n == 4 && s.signed:
		for i, v := range unsafe.Slice((*int32)(first), n) {
			out[i] = mix(uint64(v))
		}
	case s.n == 4:
		for i, v := range unsafe.Slice((*uint32)(first), n) {
			out[i] = mix(uint64(v))
		}
	default:
		for i := range n {
			out[i] = mix(loadInteger(unsafe.Add(first, uintptr(i)*s.n), s.n, s.signed))
		}
	}
}

// Equal reports whether both are the same key.
func (k *Key[K]) Equal(a, b *K) bool {
	if k.plain {
		return *a == *b
	}
	return k.program.equal(unsafe.Pointer(a), unsafe.Pointer(b))
}

func invariantSingle(c keyCode) {
	invariant.Bug("hashing a key: step %d is not a key of its own", c)
}

// fail makes the error of step i.
func (k *keyProgram) fail(i int, src []byte, pos int, what string) (int, error) {
	return pos, fmt.Errorf("decoding key %s: %s%s at byte %d of %d", k.typ, fieldPrefix(k.paths[i]), what, pos, len(src))
}
