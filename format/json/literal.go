package json

import "encoding/binary"

// literal is a text to compare input with: in one or two comparisons of words where it has up to 16 bytes, as nearly all
// field names do.
type literal struct {
	text  string
	first uint64 // the first 8 bytes
	mask  uint64 // which of them count
	last  uint64 // the last 8 bytes, of texts of 8 bytes and more
}

func newLiteral(text string) literal {
	var b [8]byte
	n := copy(b[:], text)
	l := literal{text: text, first: binary.LittleEndian.Uint64(b[:]), mask: ^uint64(0)}
	if n < 8 {
		l.mask = 1<<(8*n) - 1
	} else {
		l.last = binary.LittleEndian.Uint64([]byte(text[len(text)-8:]))
	}
	return l
}

// at reports whether the literal stands at data[i:].
func (l *literal) at(data []byte, i int) bool {
	n := len(l.text)
	if i+max(n, 8) > len(data) {
		return i+n <= len(data) && string(data[i:i+n]) == l.text
	}
	if (binary.LittleEndian.Uint64(data[i:])^l.first)&l.mask != 0 {
		return false
	}
	if n <= 8 {
		return true
	}
	if n <= 16 {
		return binary.LittleEndian.Uint64(data[i+n-8:]) == l.last
	}
	return string(data[i:i+n]) == l.text
}
