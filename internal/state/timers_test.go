package state_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/flottio/flott/internal/state"
)

// In memory timers of one time come in the order of registration.
func TestTimersInMemoryKeepTheOrderOfRegistration(t *testing.T) {
	b, err := state.NewBackend(state.Config{Groups: state.Groups{End: 16, Max: 16}})
	if err != nil {
		t.Fatal(err)
	}
	d, err := state.Describe[int64, int64]()
	if err != nil {
		t.Fatal(err)
	}
	x, err := state.RegisterTimers[int64](b, "op", "timers")
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for i := range int64(500) {
		k := i * 7919 % 500
		if err := x.Register(k, d.KeyHash(&k), i%3); err != nil {
			t.Fatal(err)
		}
	}
	for at := range int64(3) {
		for i := at; i < 500; i += 3 {
			want = append(want, fmt.Sprint(at, i*7919%500))
		}
	}
	for f, ok, err := x.Pop(10); ok; f, ok, err = x.Pop(10) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(f.TimeMs, f.Key))
	}
	if !slices.Equal(got, want) {
		t.Fatalf("got %v\nwant %v", got, want)
	}
}
