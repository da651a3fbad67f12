package journeys

import (
	"errors"
	"testing"

	"github.com/flottio/flott"
	"github.com/flottio/flott/connector/collection"
	"github.com/flottio/flott/flotttest"
)

// fragile is a user's type whose own codec fails at 13.
type fragile struct {
	n    int64
	mode string
}

func (f fragile) MarshalBinary() ([]byte, error) {
	if f.n == 13 && f.mode == "panics" {
		panic("13 cannot be written")
	}
	if f.n == 13 {
		return nil, errors.New("13 cannot be written")
	}
	return []byte{byte(f.n)}, nil
}

func (f *fragile) UnmarshalBinary(data []byte) error {
	f.n = int64(data[0])
	return nil
}

// A codec of the user that panics or fails while state is frozen, or later while it is written beside the task, fails the job with the operator
// and what it said, and never takes the process with it (P6).
func TestCodecPanics(t *testing.T) {
	for _, backend := range []string{"hashmap", "rocksdb"} {
		for _, mode := range []string{"panics", "fails"} {
			t.Run(backend+" "+mode, func(t *testing.T) {
				_, err := run(t, "codec", func(env *flott.Env) {
					s := flott.From(env, "numbers", collection.Of[int64](1, 13, 2))
					k := flott.KeyBy(s, func(n int64) int64 { return n })
					flott.KeyedProcess(k, "last", func(k *flott.KeyedContext[int64, int64]) func(int64) error {
						last := flott.NewValue[fragile](k, "last")
						return func(n int64) error {
							last.Set(fragile{n, mode})
							return nil
						}
					}).To("out", flotttest.NewLedger[int64]())
				}, "state.backend.type="+backend, "execution.checkpointing.interval=1 h", "restart-strategy.type=none",
					"io.tmp.dirs="+t.TempDir())
				if err == nil {
					t.Fatal("the job did not fail")
				}
				says(t, err.Error(), "13 cannot be written", "last", "subtask 1 of 1")
			})
		}
	}
}
