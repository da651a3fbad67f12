package expr

import (
	"crypto/md5"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"math"
	"unicode/utf16"

	"github.com/flottio/flott/column"
)

// hashFuncs give hexadecimal digits in lower case.
var hashFuncs = []*Func{
	digestFunc("MD5", func(s []byte) []byte { h := md5.Sum(s); return h[:] }),
	digestFunc("SHA1", func(s []byte) []byte { h := sha1.Sum(s); return h[:] }),
	digestFunc("SHA224", sha224), digestFunc("SHA256", sha256Sum), digestFunc("SHA384", sha384), digestFunc("SHA512", sha512Sum),
	fails(strict("SHA2", "text int | bin int", gives(textType), rowwise(func(r *row) error {
		digest := map[int64]func([]byte) []byte{224: sha224, 256: sha256Sum, 384: sha384, 512: sha512Sum}[r.whole(1)]
		if digest == nil {
			return fmt.Errorf("SHA2 has digests of 224, 256, 384 and 512 bits, not of %d", r.whole(1))
		}
		return r.setBytes(hex.AppendEncode(r.free(), digest([]byte(r.text(0)))))
	}))),
	strict("HASH_CODE", "text | num | bool", gives(intType), rowwise(hashCode)),
	{Name: "UUID", Strict: true, Volatility: Volatile, Resolve: takes("UUID", "", mustGive(column.Type{ID: column.Char, Precision: 36})),
		Kernel: rowwise(newUUID)},
}

func digestFunc(name string, digest func([]byte) []byte) *Func {
	return strict(name, "text | bin", gives(textType), rowwise(func(r *row) error {
		return r.setBytes(hex.AppendEncode(r.free(), digest([]byte(r.text(0)))))
	}))
}

func sha224(s []byte) []byte    { h := sha256.Sum224(s); return h[:] }
func sha256Sum(s []byte) []byte { h := sha256.Sum256(s); return h[:] }
func sha384(s []byte) []byte    { h := sha512.Sum384(s); return h[:] }
func sha512Sum(s []byte) []byte { h := sha512.Sum512(s); return h[:] }

// hashCode is Java's hashCode.
func hashCode(r *row) error {
	v, i := r.args[0], r.i
	var h int32
	switch v.Store {
	case column.Strings:
		for _, u := range utf16.Encode([]rune(v.Str[i])) {
			h = h*31 + int32(u)
		}
	case column.Bools:
		h = 1237
		if v.Bool[i] {
			h = 1231
		}
	case column.Int64s:
		h = int32(v.I64[i] ^ int64(uint64(v.I64[i])>>32))
	case column.Float32s:
		h = int32(math.Float32bits(v.F32[i]))
	case column.Float64s:
		b := math.Float64bits(v.F64[i])
		h = int32(b ^ b>>32)
	case column.Int128s:
		h = int32(v.I128[i].Lo ^ v.I128[i].Lo>>32)
	default:
		h = int32(integerAt(v, i))
	}
	return r.setWhole(int64(h))
}

// newUUID makes a random one: version 4 of RFC 4122.
func newUUID(r *row) error {
	var u [16]byte
	if _, err := rand.Read(u[:]); err != nil {
		return fmt.Errorf("reading random bytes: %w", err)
	}
	u[6], u[8] = u[6]&0x0f|0x40, u[8]&0x3f|0x80
	b := hex.AppendEncode(r.free(), u[:4])
	for _, part := range [][]byte{u[4:6], u[6:8], u[8:10], u[10:]} {
		b = hex.AppendEncode(append(b, '-'), part)
	}
	return r.setBytes(b)
}
