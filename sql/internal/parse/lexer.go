package parse

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/flottio/flott/sql/internal/ast"
)

type kind uint8

const (
	tEOF kind = iota
	tWord
	tQuoted // `name`
	tString // '...', with whatever prefix
	tNumber // exact
	tApprox // with an exponent
	tPunct  // the text is in token.kw
	tBad    // nothing of the language; the reason is in token.kw
)

// token is a word of a script. Text is read from the script only when it is needed.
type token struct {
	kind kind
	// kw is the keyword in upper case for a tWord that is one (otherwise empty), the punctuation for tPunct.
	kw  string
	pos ast.Pos
	end int32
}

// Limits on what is read. They are there for texts that are not meant to be SQL; no honest script comes near them.
const (
	MaxScriptBytes = 16 << 20
	MaxTokens      = 2_000_000
	MaxDepth       = 500    // of nesting
	MaxChain       = 10_000 // operators in a row: a + b + c ..., a UNION b UNION c ...
	MaxErrors      = 50     // mistakes that are reported for one script
)

type lexer struct {
	src    string
	i      int
	inHint bool
	toks   []token
	// The position of the byte posAt.
	posAt int
	pos   ast.Pos
}

// lex cuts the script into tokens. The last one is tEOF. What cannot be read becomes a tBad, which is an error once the parser gets there.
func lex(src string) []token {
	l := &lexer{src: src, pos: ast.Pos{Line: 1, Col: 1}, toks: make([]token, 0, len(src)/5+8)}
	if len(src) > MaxScriptBytes {
		l.add(token{kind: tBad, kw: "the script is larger than 16 MiB"}, 0)
		l.add(token{kind: tEOF}, 0)
		return l.toks
	}
	for {
		l.space()
		if l.i >= len(l.src) {
			break
		}
		if len(l.toks) >= MaxTokens {
			l.add(token{kind: tBad, kw: "the script has more than two million words"}, l.i)
			l.i = len(l.src)
			break
		}
		l.token()
	}
	l.add(token{kind: tEOF}, l.i)
	return l.toks
}

// add appends a token that begins at start and ends where the lexer is.
func (l *lexer) add(t token, start int) {
	for ; l.posAt < start; l.posAt++ {
		switch c := l.src[l.posAt]; {
		case c == '\n':
			l.pos.Line++
			l.pos.Col = 1
		case c < 0x80 || c >= 0xC0:
			l.pos.Col++
		}
	}
	l.pos.Offset = int32(start)
	t.pos, t.end = l.pos, int32(l.i)
	l.toks = append(l.toks, t)
}

// space skips blanks and comments. A "//" behind a colon is part of an address in SET, not a comment.
func (l *lexer) space() {
	for l.i < len(l.src) {
		c := l.src[l.i]
		switch {
		case c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f':
			l.i++
		case c == '-' && l.has("--"), c == '/' && l.has("//") && (l.i == 0 || l.src[l.i-1] != ':'):
			n := strings.IndexByte(l.src[l.i:], '\n')
			if n < 0 {
				n = len(l.src) - l.i
			}
			l.i += n
		case c == '/' && l.has("/*") && !l.has("/*+"):
			n := strings.Index(l.src[l.i+2:], "*/")
			if n < 0 {
				start := l.i
				l.i = len(l.src)
				l.add(token{kind: tBad, kw: unclosedComment}, start)
				return
			}
			l.i += n + 4
		case c >= 0x80:
			r, n := utf8.DecodeRuneInString(l.src[l.i:])
			if !unicode.IsSpace(r) && r != '\ufeff' {
				return
			}
			l.i += n
		default:
			return
		}
	}
}

const (
	unclosedComment = "the comment has no end: */ is missing"
	unclosedString  = "the string has no end: ' is missing"
	unclosedName    = "the name has no end: ` is missing"
)

func (l *lexer) has(s string) bool { return strings.HasPrefix(l.src[l.i:], s) }

func (l *lexer) token() {
	start, c := l.i, l.src[l.i]
	switch {
	case isWordStart(c):
		l.word(start)
	case c == '\'':
		l.quoted('\'', tString, unclosedString, start)
	case c == '`':
		l.quoted('`', tQuoted, unclosedName, start)
	case c >= '0' && c <= '9', c == '.' && l.i+1 < len(l.src) && isDigit(l.src[l.i+1]) && !l.afterName():
		l.number(start)
	case c >= 0x80:
		r, n := utf8.DecodeRuneInString(l.src[l.i:])
		if unicode.IsLetter(r) {
			l.word(start)
			return
		}
		l.i += n
		l.add(token{kind: tBad, kw: l.stray(r)}, start)
	default:
		l.punct(start)
	}
}

// stray says what to do about a character that belongs nowhere.
func (l *lexer) stray(r rune) string {
	switch r {
	case '‘', '’', '“', '”', '´':
		return "typographic quote: strings take ' and names take `"
	}
	return "unexpected character " + string(r)
}

// afterName reports whether the previous token touches this one and is something that can have fields.
func (l *lexer) afterName() bool {
	if len(l.toks) == 0 {
		return false
	}
	t := l.toks[len(l.toks)-1]
	return int(t.end) == l.i && (t.kind == tWord || t.kind == tQuoted || t.kind == tPunct && (t.kw == ")" || t.kw == "]"))
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isWordStart(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == '$'
}

func (l *lexer) word(start int) {
	var upper [maxKeyword]byte
	n := 0
	for l.i < len(l.src) {
		c := l.src[l.i]
		if c >= 0x80 {
			r, size := utf8.DecodeRuneInString(l.src[l.i:])
			if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) {
				break
			}
			l.i += size
			n = maxKeyword + 1
			continue
		}
		if !isWordStart(c) && !isDigit(c) {
			break
		}
		if n < maxKeyword {
			if c >= 'a' && c <= 'z' {
				c -= 'a' - 'A'
			}
			upper[n] = c
		}
		n++
		l.i++
	}
	if l.i < len(l.src) && l.prefixed(start) {
		return
	}
	t := token{kind: tWord}
	if n <= maxKeyword {
		t.kw = keywords[string(upper[:n])]
	}
	l.add(t, start)
}

// prefixed reads a string whose prefix was just read: N”, X”, E”, U&” and _charset”.
func (l *lexer) prefixed(start int) bool {
	prefix := l.src[start:l.i]
	switch {
	case l.src[l.i] == '\'' && (len(prefix) == 1 && strings.ContainsAny(prefix, "nNxXeE") || len(prefix) > 1 && prefix[0] == '_'):
	case (prefix == "U" || prefix == "u") && l.has("&'"):
		l.i++
	default:
		return false
	}
	l.quoted('\'', tString, unclosedString, start)
	return true
}

func (l *lexer) quoted(quote byte, k kind, unclosed string, start int) {
	escapes := l.src[start] == 'e' || l.src[start] == 'E'
	for l.i++; l.i < len(l.src); l.i++ {
		if escapes && l.src[l.i] == '\\' {
			l.i++
			continue
		}
		if l.src[l.i] != quote {
			continue
		}
		if l.i+1 < len(l.src) && l.src[l.i+1] == quote {
			l.i++
			continue
		}
		l.i++
		l.add(token{kind: k}, start)
		return
	}
	l.i = len(l.src)
	l.add(token{kind: tBad, kw: unclosed}, start)
}

func (l *lexer) digits() {
	for l.i < len(l.src) && isDigit(l.src[l.i]) {
		l.i++
	}
}

func (l *lexer) number(start int) {
	k := tNumber
	l.digits()
	if l.i < len(l.src) && l.src[l.i] == '.' {
		l.i++
		l.digits()
	}
	if l.i < len(l.src) && (l.src[l.i] == 'e' || l.src[l.i] == 'E') {
		mark := l.i
		l.i++
		if l.i < len(l.src) && (l.src[l.i] == '+' || l.src[l.i] == '-') {
			l.i++
		}
		if l.i < len(l.src) && isDigit(l.src[l.i]) {
			k = tApprox
			l.digits()
		} else {
			l.i = mark
		}
	}
	if l.i < len(l.src) && isWordStart(l.src[l.i]) && l.src[l.i-1] != '.' {
		for l.i < len(l.src) && (isWordStart(l.src[l.i]) || isDigit(l.src[l.i])) {
			l.i++
		}
		l.add(token{kind: tBad, kw: "a name that begins with a digit needs quotes: `" + l.src[start:l.i] + "`"}, start)
		return
	}
	l.add(token{kind: k}, start)
}

var puncts = [...]string{"/*+", "*/", "<>", "<=", ">=", "!=", "||", "=>", "->", "::", "{-", "-}",
	"(", ")", "[", "]", "{", "}", ",", ".", ";", ":", "+", "-", "*", "/", "%", "=", "<", ">", "?", "^", "$", "|"}

func (l *lexer) punct(start int) {
	for _, p := range puncts {
		if p[0] != l.src[l.i] || !l.has(p) || p == "*/" && !l.inHint {
			continue
		}
		l.i += len(p)
		switch p {
		case "/*+":
			l.inHint = true
		case "*/", ";":
			l.inHint = false
		case "!=":
			p = "<>"
		}
		l.add(token{kind: tPunct, kw: p}, start)
		return
	}
	l.i++
	why := "unexpected character " + l.src[start:l.i]
	if l.src[start] == '"' {
		why = "double quotes mean nothing here: strings take '...', names take `...`"
		if end := strings.IndexByte(l.src[l.i:], '"'); end >= 0 {
			l.i += end + 1
		}
	}
	l.add(token{kind: tBad, kw: why}, start)
}
