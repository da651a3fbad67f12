package expr

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/flottio/flott/column"
)

// maxMadeBytes bounds a text that a function makes of a shorter one: REPEAT, LPAD.
const maxMadeBytes = 64 << 20

var errMadeTooLong = fmt.Errorf("the text would be longer than %d bytes", maxMadeBytes)

var textEditFuncs = []*Func{
	strict("REPLACE", "text text text", gives(textType), rowwise(func(r *row) error {
		s := r.text(0)
		if !strings.Contains(s, r.text(1)) {
			return r.setText(s)
		}
		return r.setText(strings.ReplaceAll(s, r.text(1), r.text(2)))
	})),
	strict("OVERLAY", "text text int int?", sumOfLengths2, rowwise(overlay)),
	fails(strict("LPAD", "text int text", mayGive(textType), rowwise(func(r *row) error { return pad(r, true) }))),
	fails(strict("RPAD", "text int text", mayGive(textType), rowwise(func(r *row) error { return pad(r, false) }))),
	fails(strict("REPEAT", "text int", gives(textType), rowwise(func(r *row) error {
		s, n := r.text(0), max(r.whole(1), 0)
		if int64(len(s))*n > maxMadeBytes {
			return errMadeTooLong
		}
		return r.setText(strings.Repeat(s, int(n)))
	}))),
	strict("REVERSE", "text", gives(textType), rowwise(func(r *row) error { return r.setBytes(appendReversed(r.free(), r.text(0))) })),
	strict("ASCII", "text", gives(intType), rowwise(func(r *row) error {
		s := r.text(0)
		if s == "" {
			return r.setWhole(0)
		}
		return r.setWhole(int64(int8(s[0])))
	})),
	strict("CHR", "long", gives(textType), rowwise(func(r *row) error {
		if r.whole(0) < 0 {
			return r.setText("")
		}
		return r.setBytes(utf8.AppendRune(r.free(), rune(r.whole(0)&255)))
	})),
	strict("TRANSLATE", "text text text", gives(textType), rowwise(translate)),
	{Name: "ELT", Resolve: resolveElt, Kernel: eltKernel},
	{Name: "SPLIT_INDEX", Strict: true, Kernel: splitIndexKernel,
		Resolve: takes("SPLIT_INDEX", "text text int | text whole int", mayGive(textType))},
	strict("TO_BASE64", "text | bin", gives(textType), rowwise(func(r *row) error {
		return r.setBytes(base64.StdEncoding.AppendEncode(r.free(), []byte(r.text(0))))
	})),
	fails(strict("FROM_BASE64", "text", gives(textType), rowwise(fromBase64))),
	fails(strict("ENCODE", "text text", gives(bytesType), rowwise(func(r *row) error {
		b, err := encodeText(r.free(), r.text(0), r.text(1))
		if err != nil {
			return err
		}
		return r.setBytes(b)
	}))),
	fails(strict("DECODE", "bin text", gives(textType), rowwise(func(r *row) error {
		b, err := decodeText(r.free(), r.text(0), r.text(1))
		if err != nil {
			return err
		}
		return r.setBytes(b)
	}))),
	strict("IS_VALID_UTF8", "bin", gives(boolType), rowwise(func(r *row) error { return r.setBool(utf8.ValidString(r.text(0))) })),
	strict("MAKE_VALID_UTF8", "bin", gives(textType), rowwise(func(r *row) error { return r.setBytes(appendValid(r.free(), r.text(0))) })),
	lenient("IS_ALPHA", "text | num", mustGive(boolType), rowwise(isAlpha)),
	lenient("IS_DIGIT", "text | num", mustGive(boolType), rowwise(isDigits)),
	lenient("IS_DECIMAL", "text | num", mustGive(boolType), rowwise(isDecimal)),
}

func sumOfLengths2(args []Arg, types []column.Type) (column.Type, error) {
	t, err := sumOfLengths(args, types)
	return varying(t), err
}

// overlay puts text 1 in place of the characters from place 2 on: as many as it has, or as argument 3 says.
func overlay(r *row) error {
	s, with := r.text(0), r.text(1)
	from := r.whole(2)
	count := r.wholeOr(3, int64(utf8.RuneCountInString(with)))
	chars := int64(utf8.RuneCountInString(s))
	if from <= 0 || from > chars {
		return r.setText(s)
	}
	start := runeOffset(s, from-1)
	end := len(s)
	if count >= 0 && from-1+count < chars {
		end = start + runeOffset(s[start:], count)
	}
	b := append(r.free(), s[:start]...)
	return r.setBytes(append(append(b, with...), s[end:]...))
}

func pad(r *row, left bool) error {
	s, n, fill := r.text(0), r.whole(1), r.text(2)
	if n < 0 || fill == "" {
		return r.null()
	}
	missing := n - int64(utf8.RuneCountInString(s))
	if missing <= 0 {
		return r.setText(s[:runeOffset(s, n)])
	}
	if missing*4 > maxMadeBytes {
		return errMadeTooLong
	}
	b := r.free()
	if !left {
		b = append(b, s...)
	}
	width := int64(utf8.RuneCountInString(fill))
	for ; missing > 0; missing -= width {
		b = append(b, fill[:runeOffset(fill, missing)]...)
	}
	if left {
		b = append(b, s...)
	}
	return r.setBytes(b)
}

// translate replaces each character of text 1 by the one in its place in text 2, or by nothing where that is shorter.
func translate(r *row) error {
	s, from, to := r.text(0), r.text(1), r.text(2)
	if from == "" {
		return r.setText(s)
	}
	b := r.free()
	for _, c := range s {
		at := strings.IndexRune(from, c)
		if at < 0 {
			b = utf8.AppendRune(b, c)
			continue
		}
		rest := to[runeOffset(to, int64(utf8.RuneCountInString(from[:at]))):]
		if rest != "" {
			x, _ := utf8.DecodeRuneInString(rest)
			b = utf8.AppendRune(b, x)
		}
	}
	return r.setBytes(b)
}

func resolveElt(args []Arg) (Signature, error) {
	sig, err := takes("ELT", "whole text text* | whole bin bin*", mayGive(textType))(args)
	if err != nil {
		return sig, err
	}
	if l := args[0].Literal; l != nil {
		if x, ok := wholeValue(l.Value); ok && x < 0 {
			return sig, fmt.Errorf("the index must be a whole number from 0 on, got %d", x)
		}
	}
	t, ok := CommonType(sig.Args[1:])
	if !ok {
		return sig, fmt.Errorf("the expressions have no common type: %s", typeList(sig.Args[1:]))
	}
	for i := range sig.Args[1:] {
		sig.Args[i+1] = t
	}
	sig.Result = t.Nullable(true)
	return sig, nil
}

func eltKernel(*Site) (Kernel, error) {
	return rowKernelOf(func(r *row) error {
		if r.isNull(0) {
			return r.null()
		}
		k := r.whole(0)
		if k < 1 || k >= int64(len(r.args)) || r.isNull(int(k)) {
			return r.null()
		}
		return r.setText(r.text(int(k)))
	}), nil
}

// splitIndexKernel: the separator is a text, or the code of a character from 1 to 255.
func splitIndexKernel(s *Site) (Kernel, error) {
	code := s.Type(1).IsInteger()
	var buf [4]byte
	return func(e *Eval, args []*column.Vector, n int, out *column.Vector) error {
		out.Resize(n)
		at := args[2].I32[:n]
		for i, text := range args[0].Str[:n] {
			if e.Skip(i) {
				continue
			}
			var sep string
			if !code {
				sep = args[1].Str[i]
			} else if c := integerAt(args[1], i); c > 0 && c <= 255 {
				sep = string(utf8.AppendRune(buf[:0], rune(c)))
			} else {
				out.SetNull(i)
				continue
			}
			part, ok := splitAt(text, sep, int(at[i]))
			if !ok {
				out.SetNull(i)
				continue
			}
			out.Str[i] = part
		}
		return nil
	}, nil
}

// splitAt is the part of a text behind n separators. An empty text has no parts; an empty separator is any white space.
func splitAt(s, sep string, n int) (part string, ok bool) {
	if n < 0 || s == "" {
		return "", false
	}
	if sep == "" {
		return splitSpace(s, n)
	}
	for ; n > 0; n-- {
		at := strings.Index(s, sep)
		if at < 0 {
			return "", false
		}
		s = s[at+len(sep):]
	}
	if at := strings.Index(s, sep); at >= 0 {
		s = s[:at]
	}
	return s, true
}

func splitSpace(s string, n int) (part string, ok bool) {
	from := 0
	for i, c := range s {
		if c > ' ' && c != 0x85 && c != 0xa0 {
			continue
		}
		if n == 0 {
			return s[from:i], true
		}
		n--
		from = i + utf8.RuneLen(c)
	}
	return s[from:], n == 0
}

// fromBase64 takes texts with and without padding.
func fromBase64(r *row) error {
	s := strings.TrimRight(r.text(0), "=")
	b, err := base64.RawStdEncoding.AppendDecode(r.free(), []byte(s))
	if err != nil {
		return fmt.Errorf("%.60q is not base64: %w", r.text(0), err)
	}
	return r.setBytes(b)
}

var errCharset = errors.New("must be one of US-ASCII, ISO-8859-1, UTF-8, UTF-16BE, UTF-16LE, UTF-16")

// charsetOf finds a character set by one of its names.
func charsetOf(name string) (string, error) {
	switch upper := strings.ToUpper(name); upper {
	case "US-ASCII", "ASCII", "ISO-8859-1", "UTF-8", "UTF-16BE", "UTF-16LE", "UTF-16":
		return upper, nil
	case "UTF8":
		return "UTF-8", nil
	case "LATIN1", "ISO8859_1", "ISO8859-1":
		return "ISO-8859-1", nil
	}
	return "", fmt.Errorf("the character set %.40q %w", name, errCharset)
}

func encodeText(dst []byte, s, charset string) ([]byte, error) {
	set, err := charsetOf(charset)
	if err != nil {
		return nil, err
	}
	limit := rune(0x7f)
	switch set {
	case "UTF-8":
		return append(dst, s...), nil
	case "UTF-16":
		dst = append(dst, 0xfe, 0xff)
		set = "UTF-16BE"
	case "ISO-8859-1":
		limit = 0xff
	}
	for _, c := range s {
		if !strings.HasPrefix(set, "UTF-16") {
			if c > limit {
				c = '?'
			}
			dst = append(dst, byte(c))
			continue
		}
		for _, u := range utf16.AppendRune(nil, c) {
			if set == "UTF-16BE" {
				dst = append(dst, byte(u>>8), byte(u))
			} else {
				dst = append(dst, byte(u), byte(u>>8))
			}
		}
	}
	return dst, nil
}

func decodeText(dst []byte, s, charset string) ([]byte, error) {
	set, err := charsetOf(charset)
	if err != nil {
		return nil, err
	}
	switch set {
	case "UTF-8":
		return appendValid(dst, s), nil
	case "UTF-16":
		set = "UTF-16BE"
		if strings.HasPrefix(s, "\xff\xfe") {
			set = "UTF-16LE"
		}
		if set == "UTF-16LE" || strings.HasPrefix(s, "\xfe\xff") {
			s = s[2:]
		}
	case "US-ASCII", "ASCII", "ISO-8859-1":
		for i := 0; i < len(s); i++ {
			c := rune(s[i])
			if c > 0x7f && set != "ISO-8859-1" {
				c = utf8.RuneError
			}
			dst = utf8.AppendRune(dst, c)
		}
		return dst, nil
	}
	units := make([]uint16, 0, len(s)/2)
	for i := 0; i+1 < len(s); i += 2 {
		u := uint16(s[i])<<8 | uint16(s[i+1])
		if set == "UTF-16LE" {
			u = u>>8 | u<<8
		}
		units = append(units, u)
	}
	dst = append(dst, string(utf16.Decode(units))...)
	if len(s)%2 == 1 {
		dst = utf8.AppendRune(dst, utf8.RuneError)
	}
	return dst, nil
}

// appendValid puts U+FFFD in place of each longest part of a sequence that is not UTF-8, as the Unicode standard recommends.
func appendValid(dst []byte, s string) []byte {
	for i := 0; i < len(s); {
		c, size := utf8.DecodeRuneInString(s[i:])
		if c == utf8.RuneError && size == 1 {
			dst = utf8.AppendRune(dst, utf8.RuneError)
			i += brokenSequence(s[i:])
			continue
		}
		dst = append(dst, s[i:i+size]...)
		i += size
	}
	return dst
}

// brokenSequence is how many bytes one U+FFFD stands for. A surrogate in three bytes is one mistake.
func brokenSequence(s string) int {
	if len(s) >= 3 && s[0] == 0xed && s[1] >= 0xa0 && s[1] <= 0xbf && s[2]&0xc0 == 0x80 {
		return 3
	}
	low, high, need := byte(0x80), byte(0xbf), 0
	switch c := s[0]; {
	case c >= 0xc2 && c <= 0xdf:
		need = 1
	case c >= 0xe0 && c <= 0xef:
		need = 2
		if c == 0xe0 {
			low = 0xa0
		}
	case c >= 0xf0 && c <= 0xf4:
		need = 3
		if c == 0xf0 {
			low = 0x90
		} else if c == 0xf4 {
			high = 0x8f
		}
	}
	n := 1
	for n <= need && n < len(s) && s[n] >= low && s[n] <= high {
		n++
		low, high = 0x80, 0xbf
	}
	return n
}

// The tests of conditional functions: NULL and the empty text do not pass.
func isAlpha(r *row) error {
	return r.setBool(!r.isNull(0) && r.args[0].Store == column.Strings && allRunes(r.text(0), isLetter))
}

func isDigits(r *row) error {
	if r.isNull(0) || r.args[0].Store != column.Strings {
		return r.setBool(!r.isNull(0) && r.args[0].Type.IsInteger() && r.whole(0) >= 0)
	}
	return r.setBool(allRunes(r.text(0), isDigit))
}

func isDecimal(r *row) error {
	if r.isNull(0) || r.args[0].Store != column.Strings {
		return r.setBool(!r.isNull(0))
	}
	_, ok := parseFloat(r.text(0), 64)
	return r.setBool(ok)
}
