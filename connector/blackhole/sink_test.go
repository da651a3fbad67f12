package blackhole

import (
	"sync/atomic"
	"testing"

	"github.com/flottio/flott/connector/internal/harness"
	"github.com/flottio/flott/internal/record"
)

func TestCount(t *testing.T) {
	var n atomic.Int64
	for _, s := range []int{0, 1} {
		w, err := Sink[int](Count(&n)).NewWriter(&harness.Writing{Index: s, Subtasks: 2}, nil)
		if err != nil {
			t.Fatal(err)
		}
		b := record.NewRows[int]()
		b.Rows = append(b.Rows, 1, 2, 3)
		if err := w.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	if n.Load() != 6 {
		t.Errorf("counted %d", n.Load())
	}
}
