package flott_test

import (
	"testing"

	"github.com/flottio/flott"
	"github.com/flottio/flott/flotttest"
)

// A keyed process function that reads and writes its state costs no allocation per record.
func TestKeyedProcessDoesNotAllocatePerRecord(t *testing.T) {
	run := func(n int) float64 {
		in := make([]click, n)
		for i := range in {
			in[i] = click{URL: []string{"a", "b", "c", "d"}[i%4], N: int64(i)}
		}
		src := flotttest.FromSlice(1, in...)
		return testing.AllocsPerRun(3, func() {
			_, err := flotttest.Simulate(flotttest.Options{Seed: 1}, func(env *flott.Env) {
				s := flott.From(env, "in", src.Source())
				k := flott.KeyBy(s, func(c click) string { return c.URL })
				flott.KeyedProcess(k, "count", func(k *flott.KeyedContext[string, click]) func(click) error {
					count := flott.NewValue[int64](k, "n")
					return func(c click) error {
						count.Set(count.Get() + 1)
						if c.N < 0 {
							k.Emit(c)
						}
						return nil
					}
				}).To("out", flotttest.NewLedger[click]())
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
	const less, more = 20_000, 120_000
	if perRecord := (run(more) - run(less)) / (more - less); perRecord > 0.01 {
		t.Errorf("%.3f allocations per record", perRecord)
	}
}
