package codec

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/flottio/flott/schema"
)

// UnsupportedError says why a Go type has no codec.
type UnsupportedError struct {
	Type     reflect.Type
	Use      string   // "value" or "key"
	Problems []string // each begins with the path of the field
}

// Error lists all problems, one a line.
func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("deriving the codec of %s %s: it cannot be turned into bytes:\n  %s", e.Use, e.Type, strings.Join(e.Problems, "\n  "))
}

// EvolutionError says why bytes written under one schema cannot be read into a Go type.
type EvolutionError struct {
	Type     reflect.Type // nil when only schemas were compared
	Written  *schema.Type
	Current  *schema.Type
	Problems []string // each begins with the path of the field
}

// Error lists all problems and shows both schemas.
func (e *EvolutionError) Error() string {
	as := ""
	if e.Type != nil {
		as = fmt.Sprintf(" as %s", e.Type)
	}
	return fmt.Sprintf("reading stored values%s: the type has changed in a way that cannot be read:\n  %s\n%s\n"+
		"Give the changed field a new name, or go back to its old type.", as, strings.Join(e.Problems, "\n  "),
		schema.Compare("written", e.Written, "now", e.Current))
}

// MarshalError is what Append panics with when a custom type fails to marshal itself.
type MarshalError struct {
	Type reflect.Type
	Err  error
}

// Error names the type.
func (e *MarshalError) Error() string {
	return fmt.Sprintf("encoding a %s by its own method: %v", e.Type, e.Err)
}

// Unwrap returns the error of the custom type.
func (e *MarshalError) Unwrap() error { return e.Err }
