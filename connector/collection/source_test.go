package collection

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/flottio/flott/connector/internal/harness"
	"github.com/flottio/flott/internal/record"
)

func upTo(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// TestEachOnce reads every value once, whole and with restarts at other parallelisms, and in order without chunks.
func TestEachOnce(t *testing.T) {
	for _, n := range []int{0, 1, 10, 5000} {
		for _, chunk := range []int{0, 1, 7, 3000} {
			for every := range 4 {
				if n == 5000 && chunk > 0 && chunk < 100 {
					continue
				}
				var opts []Option
				if chunk > 0 {
					opts = append(opts, ChunkSize(chunk))
				}
				j := &harness.Job[int]{Source: Source(upTo(n), opts...), NewBatch: record.NewRows[int]}
				if err := j.Run(context.Background(), every, 1, 3, 2); err != nil {
					t.Fatal(err)
				}
				if chunk > 0 {
					slices.Sort(j.Read)
				}
				if !slices.Equal(j.Read, upTo(n)) {
					t.Fatalf("%d values in chunks of %d, restarted every %d: read %v", n, chunk, every, j.Read)
				}
			}
		}
	}
}

func TestOtherValues(t *testing.T) {
	j := &harness.Job[int]{Source: Of(upTo(3000)...), NewBatch: record.NewRows[int]}
	j.Start(context.Background(), 1)
	for range 3 {
		j.Step(0)
	}
	if err := j.Snapshot(); err != nil || len(j.Read) == 0 {
		t.Fatal(err)
	}
	j.Source = Of(1, 2, 3)
	if err := j.Start(context.Background(), 1); err == nil || !strings.Contains(err.Error(), "had 3000 values when the checkpoint was taken and has 3 now") {
		t.Errorf("error %v", err)
	}
	if err := Source([]int{1}, ChunkSize(0)).Check(); err == nil {
		t.Error("ChunkSize(0) was taken")
	}
	for _, state := range []string{"\xff", "\x03", "\x03\x01\x01"} {
		if _, err := Of(1, 2, 3).NewEnumerator(harness.NewEnumeration(1), []byte(state)); err == nil {
			t.Errorf("state %q was taken", state)
		}
	}
}
