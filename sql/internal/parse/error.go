package parse

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/flottio/flott/sql/internal/ast"
)

// Error is a mistake in the text of a script.
type Error struct {
	Pos ast.Pos
	// Message is set for mistakes that are not "found this, expected that".
	Message string
	// Found is the word at Pos as written.
	Found string
	// Expected are the keywords and kinds of things that could have stood there, in the order in which they were tried.
	Expected []string
	// Hint is what is probably meant; empty if nothing is near.
	Hint string
	// Line is the text of the line at Pos.
	Line string

	want   string
	length int // of what was found, in bytes
}

const shownExpected = 8

// Summary is the message without line and caret.
func (e *Error) Summary() string {
	var b strings.Builder
	fmt.Fprintf(&b, "line %d, column %d: ", e.Pos.Line, e.Pos.Col)
	if e.Message != "" {
		b.WriteString(e.Message)
	} else {
		fmt.Fprintf(&b, "unexpected %s", e.Found)
		if want := e.wanted(); want != "" {
			b.WriteString(", expected " + want)
		}
	}
	if e.Hint != "" {
		b.WriteString(" (" + e.Hint + ")")
	}
	return b.String()
}

func (e *Error) wanted() string {
	words := e.Expected
	if e.want != "" && (len(words) == 0 || len(words) > shownExpected) {
		return e.want
	}
	more := ""
	if len(words) > shownExpected {
		words, more = words[:shownExpected], ", ..."
	}
	shown := make([]string, len(words))
	for i, w := range words {
		shown[i] = quoteWord(w)
	}
	if n := len(shown); n > 1 && more == "" {
		return strings.Join(shown[:n-1], ", ") + " or " + shown[n-1]
	}
	return strings.Join(shown, ", ") + more
}

// Error renders the mistake with its line and a caret below.
func (e *Error) Error() string {
	return e.Summary() + "\n" + Excerpt(e.Line, int(e.Pos.Col), e.length)
}

const excerptChars = 120

// Excerpt is a line of a script with a caret below the character col (from 1) and as many more as length has. Long lines are cut around
// the caret. Later stages use it for their own errors.
func Excerpt(line string, col, length int) string {
	if col > excerptChars { // only the neighbourhood of the caret is worth decoding
		at := len(line)
		for i := range line {
			if col--; col == excerptChars {
				at = i
				break
			}
		}
		line = line[at:]
	}
	line = line[:min(len(line), 4*utf8.UTFMax*excerptChars)]
	chars := []rune(strings.ReplaceAll(line, "\t", " "))
	at := max(0, min(col-1, len(chars)))
	from := 0
	if at > excerptChars-20 {
		from = at - excerptChars/2
	}
	to := min(len(chars), from+excerptChars)
	n := max(1, min(length, to-at))
	return "  " + string(chars[from:to]) + "\n  " + strings.Repeat(" ", at-from) + strings.Repeat("^", n)
}

// LineAt returns the line of the script that holds the position, without its end.
func LineAt(src string, pos ast.Pos) string {
	at := min(int(pos.Offset), len(src))
	from := strings.LastIndexByte(src[:at], '\n') + 1
	to := strings.IndexByte(src[at:], '\n')
	if to < 0 {
		to = len(src) - at
	}
	return strings.TrimRight(src[from:at+to], "\r")
}

// Errors are the mistakes of a script, at most one for each statement, in order.
type Errors []*Error

// Error joins the messages.
func (e Errors) Error() string {
	parts := make([]string, len(e))
	for i, err := range e {
		parts[i] = err.Error()
	}
	return strings.Join(parts, "\n")
}

// Unwrap returns the mistakes one by one.
func (e Errors) Unwrap() []error {
	all := make([]error, len(e))
	for i, err := range e {
		all[i] = err
	}
	return all
}

// finish fills in what only makes sense once the statement is given up.
func (p *parser) finish(e *Error) {
	e.Line = LineAt(p.src, e.Pos)
	e.length = utf8.RuneCountInString(p.src[e.Pos.Offset:min(len(p.src), int(e.Pos.Offset)+e.length)])
	words := make([]string, 0, len(e.Expected))
	for _, w := range e.Expected {
		if !slices.Contains(words, w) {
			words = append(words, w)
		}
	}
	e.Expected = words
	if e.Message == "" {
		e.Hint = p.hint(e)
	}
}

// hint finds the keyword that was probably meant: for the word at hand, or for the one before it, as in SELECT a FORM t, where FORM was
// read as an alias and t is where it goes wrong.
func (p *parser) hint(e *Error) string {
	if p.toks[p.errAt].kind == tWord {
		if near := Nearest(e.Found, e.Expected); near != "" && !strings.EqualFold(near, e.Found) {
			return "did you mean " + near + "?"
		}
	}
	if p.errAt == 0 {
		return ""
	}
	prev := p.toks[p.errAt-1]
	if near := Nearest(p.text(prev), misspelt); prev.kind == tWord && prev.kw == "" && near != "" {
		return "did you mean " + near + " instead of " + p.text(prev) + "?"
	}
	return ""
}

// misspelt are the words that are read as names when they are misspelt.
var misspelt = []string{"FROM", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "JOIN", "LEFT", "RIGHT", "INNER", "UNION", "SELECT", "WITH",
	"PARTITION", "WINDOW", "OFFSET", "VALUES", "BETWEEN", "INTERVAL", "CREATE", "TABLE", "INSERT",
	"VARCHAR", "DECIMAL", "TIMESTAMP", "CHAR", "ARRAY", "ROW", "MAP", "CAST", "EXISTS"}

func quoteWord(w string) string {
	if w != "" && !isWordStart(w[0]) {
		return "'" + w + "'"
	}
	return w
}

// Nearest returns the candidate that the word is most likely a misspelling of, ignoring case; empty if none is near.
func Nearest(word string, candidates []string) string {
	best, bestDistance := "", max(1, len(word)/3)
	if len(word) < 2 {
		return ""
	}
	upper := strings.ToUpper(word)
	for _, c := range candidates {
		if len(c) < 2 || len(c) > len(word)+bestDistance || len(word) > len(c)+bestDistance {
			continue
		}
		if d := distance(upper, strings.ToUpper(c)); d < bestDistance || d == bestDistance && best == "" {
			best, bestDistance = c, d
		}
	}
	return best
}

// distance counts insertions, deletions, replacements and swaps of neighbours between a and b.
func distance(a, b string) int {
	rows := [3][]int{make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)}
	for j := range rows[1] {
		rows[1][j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, prev, cur := rows[(i+2)%3], rows[i%3], rows[(i+1)%3]
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], before[j-2]+1)
			}
		}
	}
	return rows[(len(a)+1)%3][len(b)]
}
