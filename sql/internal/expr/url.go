package expr

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/flottio/flott/column"
)

// urlFuncs: what is not a URL, or not an address, gives NULL.
var urlFuncs = []*Func{
	strict("PARSE_URL", "text text text?", mayGive(textType), rowwise(func(r *row) error {
		part, ok := urlPart(r.text(0), r.text(1), r.textOr(2, ""), r.has(2))
		if !ok {
			return r.null()
		}
		return r.setText(part)
	})),
	strict("URL_ENCODE", "text", mayGive(textType), rowwise(func(r *row) error { return r.setBytes(appendURLEncoded(r.free(), r.text(0))) })),
	lenient("URL_DECODE", "text bool?", mayGive(textType), rowwise(urlDecode)),
	strict("INET_ATON", "text", mayGive(longType), rowwise(inetAton)),
	strict("INET_NTOA", "whole", mayGive(textType), rowwise(inetNtoa)),
}

// urlPart splits a URL as java.net.URL does.
func urlPart(s, part, key string, keyed bool) (string, bool) {
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok || scheme == "" {
		return "", false
	}
	rest, ref, hasRef := strings.Cut(rest, "#")
	file := rest
	authority, hasAuthority := "", strings.HasPrefix(rest, "//")
	if hasAuthority {
		authority = rest[2:]
		end := strings.IndexAny(authority, "/?")
		if end < 0 {
			end = len(authority)
		}
		authority, file = authority[:end], authority[end:]
	}
	path, query, hasQuery := strings.Cut(file, "?")
	user, host, hasUser := cutLast(authority, "@")
	if keyed && part != "QUERY" {
		return "", false
	}
	switch part {
	case "PROTOCOL":
		return scheme, true
	case "HOST":
		if !hasUser {
			host = authority
		}
		if at := strings.LastIndexByte(host, ':'); at >= 0 && !strings.HasSuffix(host, "]") {
			host = host[:at]
		}
		return host, true
	case "PATH":
		return path, true
	case "QUERY":
		if keyed {
			return queryValue(query, key)
		}
		return query, hasQuery
	case "REF":
		return ref, hasRef
	case "FILE":
		return file, true
	case "AUTHORITY":
		return authority, hasAuthority
	case "USERINFO":
		return user, hasUser
	}
	return "", false
}

func cutLast(s, sep string) (before, after string, found bool) {
	at := strings.LastIndex(s, sep)
	if at < 0 {
		return "", s, false
	}
	return s[:at], s[at+len(sep):], true
}

func queryValue(query, key string) (string, bool) {
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		if k, v, ok := strings.Cut(pair, "="); ok && k == key {
			return v, true
		}
	}
	return "", false
}

// appendURLEncoded encodes as HTML forms do.
func appendURLEncoded(dst []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '-', c == '*', c == '_':
			dst = append(dst, c)
		case c == ' ':
			dst = append(dst, '+')
		default:
			dst = append(dst, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return dst
}

// maxDecodes bounds the repeated decoding of one text.
const maxDecodes = 100

// urlDecode decodes once, or until nothing changes.
func urlDecode(r *row) error {
	if r.isNull(0) {
		return r.null()
	}
	again := r.has(1) && !r.isNull(1) && r.bool(1)
	s := r.text(0)
	for n := 0; n < maxDecodes; n++ {
		d, err := url.QueryUnescape(s)
		if err != nil {
			if n == 0 {
				return r.null()
			}
			break
		}
		if d == s {
			break
		}
		if s = d; !again {
			break
		}
	}
	return r.setText(s)
}

// inetAton takes 1 to 4 numbers of 0 to 255: the last one is the lowest byte, those before it the highest.
func inetAton(r *row) error {
	parts := strings.Split(r.text(0), ".")
	if len(parts) > 4 {
		return r.null()
	}
	var x int64
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 10, 8)
		if err != nil || !allDigits(p) {
			return r.null()
		}
		place := 3 - i
		if i == len(parts)-1 {
			place = 0
		}
		x |= int64(n) << (8 * place)
	}
	return r.setWhole(x)
}

func inetNtoa(r *row) error {
	x := r.whole(0)
	if x < 0 || x > 1<<32-1 {
		return r.null()
	}
	b := r.free()
	for shift := 24; shift >= 0; shift -= 8 {
		b = strconv.AppendInt(b, x>>shift&255, 10)
		if shift > 0 {
			b = append(b, '.')
		}
	}
	return r.setBytes(b)
}

// listwise is the kernel of a function whose result is a list that f appends the elements of to out, element by element; false is NULL.
func listwise(f func(r *row, out *column.Vector) (ok bool, err error)) Kernel {
	r := &row{mem: &arena{}}
	return func(e *Eval, args []*column.Vector, n int, out *column.Vector) error {
		r.e, r.args, r.out = e, args, out
		elements := out.Kids[0]
		var nulls []int32
		for i := range n {
			r.i = i
			if !e.Skip(i) {
				ok, err := f(r, elements)
				if err != nil {
					return err
				}
				if !ok {
					nulls = append(nulls, int32(i))
				}
			}
			out.Off = append(out.Off, int32(elements.Len))
		}
		out.Len = n
		for _, i := range nulls {
			out.SetNull(int(i))
		}
		return nil
	}
}
