package jobmanager

import (
	"errors"
	"testing"
)

// Only failures of one text in a row count, one for each attempt, whatever stands in their stacks.
func TestRecurrence(t *testing.T) {
	var r recurrence
	for i, c := range []struct {
		attempt, text string
		want          int
	}{
		{"r-1", "operator a, record 7: boom\nf(0x1)", 1}, {"r-1", "operator b: cancelled", 0}, {"r-2", "operator a, record 7: boom\nf(0x2)", 2},
		{"r-3", "operator a, record 7: boom\nf(0x3)", 3}, {"r-4", "operator a, record 8: boom", 1}, {"r-5", "operator a, record 7: boom", 1},
	} {
		if got := r.observe(c.attempt, Failure{User, errors.New(c.text)}); got != c.want {
			t.Errorf("step %d: %d in a row, want %d", i, got, c.want)
		}
	}
	for n, want := range map[int]string{1: "1st", 2: "2nd", 3: "3rd", 4: "4th", 11: "11th", 12: "12th", 22: "22nd", 113: "113th"} {
		if got := ordinal(n); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
}
