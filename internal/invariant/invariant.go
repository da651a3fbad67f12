// Package invariant turns the sentences "Invariant: ..." of this code base into checks that run in builds with the tag
// invariants (all tests and CI) and cost nothing in others.
//
// Anyone may import it; it imports nothing.
package invariant

import "fmt"

// Check panics with "BUG: " and the message unless ok. Compiled away without the tag invariants; arguments that are costly to
// make belong behind if invariant.Enabled.
func Check(ok bool, format string, args ...any) {
	if Enabled && !ok {
		panic("BUG: " + fmt.Sprintf(format, args...))
	}
}

// Bug panics with "BUG: " and the message, in every build: for states that cannot be continued from.
func Bug(format string, args ...any) {
	panic("BUG: " + fmt.Sprintf(format, args...))
}
