package catalog

import (
	"fmt"
	"strings"

	"github.com/flottio/flott/sql/internal/ast"
	"github.com/flottio/flott/sql/internal/parse"
)

// Error is what is wrong with a statement, at a place in it.
type Error struct {
	Pos ast.Pos
	// Length is of what is underlined, in characters; 0: one.
	Length  int
	Message string
	// Hint is what is probably meant, or what to do; may be empty.
	Hint string
}

// Errorf makes an error at a place.
func Errorf(pos ast.Pos, format string, args ...any) *Error {
	return &Error{Pos: pos, Message: fmt.Sprintf(format, args...)}
}

// Near adds the candidate that the word is probably a misspelling of, and how long the underlined word is.
func (e *Error) Near(word string, candidates []string) *Error {
	e.Length = len([]rune(word))
	near := parse.Nearest(word, candidates)
	if near == "" {
		near = sameBeginning(word, candidates)
	}
	if near != "" && near != word {
		e.Hint = "did you mean " + near + "?"
	}
	return e
}

// sameBeginning is the candidate that begins like at least half of the word, as location_clicks does for locationstream.
func sameBeginning(word string, candidates []string) string {
	best, length := "", max(3, (len(word)+1)/2-1)
	for _, c := range candidates {
		n := 0
		for n < len(c) && n < len(word) && (c[n]|0x20) == (word[n]|0x20) {
			n++
		}
		if n > length {
			best, length = c, n
		}
	}
	return best
}

// WithHint adds what is probably meant, or what to do.
func (e *Error) WithHint(format string, args ...any) *Error {
	e.Hint = fmt.Sprintf(format, args...)
	return e
}

// Error is the message with line and column.
func (e *Error) Error() string {
	s := e.Message
	if e.Pos.Valid() {
		s = fmt.Sprintf("line %d, column %d: %s", e.Pos.Line, e.Pos.Col, e.Message)
	}
	if e.Hint != "" {
		s += " (" + e.Hint + ")"
	}
	return s
}

// Render is the message with the line of the script it is about and a caret below.
func (e *Error) Render(script string) string {
	if !e.Pos.Valid() {
		return e.Error()
	}
	return e.Error() + "\n" + parse.Excerpt(parse.LineAt(script, e.Pos), int(e.Pos.Col), e.Length)
}

// Errors are all that is wrong with a statement, in the order of the text.
type Errors []*Error

// Error joins the messages.
func (e Errors) Error() string {
	parts := make([]string, len(e))
	for i, err := range e {
		parts[i] = err.Error()
	}
	return strings.Join(parts, "\n")
}

// Unwrap returns the errors one by one.
func (e Errors) Unwrap() []error {
	all := make([]error, len(e))
	for i, err := range e {
		all[i] = err
	}
	return all
}

// Render is Error with the lines of the script.
func (e Errors) Render(script string) string {
	parts := make([]string, len(e))
	for i, err := range e {
		parts[i] = err.Render(script)
	}
	return strings.Join(parts, "\n")
}
