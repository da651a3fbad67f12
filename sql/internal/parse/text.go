package parse

import (
	"encoding/hex"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/flottio/flott/sql/internal/ast"
)

// text is the token as written.
func (p *parser) text(t token) string { return p.src[t.pos.Offset:t.end] }

// quotedName is the content of `...`.
func unquote(s string, quote string) string {
	s = s[1 : len(s)-1]
	if strings.Contains(s, quote) {
		return strings.ReplaceAll(s, quote+quote, quote)
	}
	return s
}

// stringLiteral takes the string at the current token, with those on the following lines that continue it.
func (p *parser) stringLiteral() *ast.Literal {
	t := p.tok()
	lit := p.oneString(t)
	p.next()
	for p.tok().kind == tString && p.text(p.tok())[0] == '\'' && p.tok().pos.Line > t.pos.Line && lit.Kind == ast.StringLit {
		t = p.tok()
		lit.Text += unquote(p.text(t), "'")
		p.next()
	}
	if s := p.text(t); s[0] == 'U' || s[0] == 'u' {
		escape := `\`
		if p.accept("UESCAPE") {
			e := p.tok()
			escape = p.plainString("the escape character").Text
			if utf8.RuneCountInString(escape) != 1 && p.err == nil {
				p.failAt(e, "UESCAPE takes one character")
			}
		}
		if p.err == nil {
			lit.Text = p.unicodeEscapes(t, lit.Text, escape)
		}
	}
	return lit
}

func (p *parser) oneString(t token) *ast.Literal {
	s := p.text(t)
	lit := &ast.Literal{Pos: t.pos, Kind: ast.StringLit}
	open := strings.IndexByte(s, '\'')
	body := s[open:]
	switch s[0] {
	case 'x', 'X':
		lit.Kind = ast.BytesLit
		b, err := hex.DecodeString(unquote(body, "'"))
		if err != nil {
			p.failAt(t, "X'...' takes an even number of hexadecimal digits")
		}
		lit.Text = string(b)
	case 'e', 'E':
		lit.Text = p.backslashes(t, body[1:len(body)-1])
	case '_':
		lit.Charset = strings.ToUpper(s[1:open])
		lit.Text = unquote(body, "'")
	default:
		lit.Text = unquote(body, "'")
	}
	return lit
}

// unicodeEscapes resolves \0041 and \+010FFFF.
func (p *parser) unicodeEscapes(t token, s, escape string) string {
	var b strings.Builder
	for {
		at := strings.Index(s, escape)
		if at < 0 {
			return b.String() + s
		}
		b.WriteString(s[:at])
		s = s[at+len(escape):]
		if strings.HasPrefix(s, escape) {
			b.WriteString(escape)
			s = s[len(escape):]
			continue
		}
		from, n := 0, 4
		if strings.HasPrefix(s, "+") {
			from, n = 1, 6
		}
		if len(s) < from+n {
			p.failAt(t, "U&'...': "+escape+" takes four hexadecimal digits")
			return ""
		}
		r, err := strconv.ParseUint(s[from:from+n], 16, 32)
		if err != nil || r > utf8.MaxRune {
			p.failAt(t, "U&'...': "+escape+" takes four hexadecimal digits")
			return ""
		}
		b.WriteRune(rune(r))
		s = s[from+n:]
	}
}

var simpleEscapes = map[byte]byte{'n': '\n', 't': '\t', 'r': '\r', 'b': '\b', 'f': '\f', '\\': '\\', '\'': '\'', '"': '"'}

// backslashes resolves the escapes of E'...'.
func (p *parser) backslashes(t token, s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\'' {
			i++ // two quotes are one
			b.WriteByte('\'')
			continue
		}
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		if c, ok := simpleEscapes[s[i]]; ok {
			b.WriteByte(c)
			continue
		}
		n := map[byte]int{'x': 2, 'u': 4, 'U': 8}[s[i]]
		if n == 0 || i+n >= len(s) {
			p.failAt(t, `E'...': unknown escape \`+string(rune(s[i])))
			return ""
		}
		r, err := strconv.ParseUint(s[i+1:i+1+n], 16, 32)
		if err != nil || r > utf8.MaxRune {
			p.failAt(t, `E'...': \`+string(rune(s[i]))+" takes hexadecimal digits")
			return ""
		}
		b.WriteRune(rune(r))
		i += n
	}
	return b.String()
}
