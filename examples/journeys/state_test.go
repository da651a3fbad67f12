package journeys

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/flottio/flott"
	"github.com/flottio/flott/flotttest"
)

// crashing are runs that crash and are restored at other parallelism, one for each seed.
func crashing(seed uint64) flotttest.Options {
	return flotttest.Options{Seed: seed, Parallelism: 2, OtherParallelism: 3, CheckpointEvery: 40, Crashes: 3, CrashEvery: 150}
}

const seeds = 40

// countInState is journey J5's function: per key a value state my-state, read, add one, update, emit.
func countInState(k *flott.KeyedContext[int64, number]) func(number) error {
	mine := flott.NewValue[int64](k, "my-state")
	return func(v number) error {
		n := mine.Get()
		n++
		mine.Set(n)
		k.Emit(number{v.Key, n})
		return nil
	}
}

// Journey J5: keyed value state in a process function, with a source that keeps its offset in operator state, under crashes.
func TestJ5StateInProcessFunction(t *testing.T) {
	for seed := range uint64(seeds) {
		out := flotttest.NewLedger[number]()
		_, err := flotttest.Simulate(crashing(seed), func(env *flott.Env) {
			s := flott.From(env, "offsets", counter{splits: 5, each: 60})
			flott.KeyedProcess(flott.KeyBy(s, keyOf), "count", countInState).To("out", out)
		})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) { runningCounts(t, out.Records(), 300, 5) })
	}
}

// The same on both backends, in real time.
func TestJ5StateOnBackends(t *testing.T) {
	for _, backend := range []string{"hashmap", "rocksdb"} {
		t.Run(backend, func(t *testing.T) {
			out := flotttest.NewLedger[number]()
			_, err := run(t, "state", func(env *flott.Env) {
				s := flott.From(env, "offsets", counter{splits: 5, each: 6000})
				flott.KeyedProcess(flott.KeyBy(s, keyOf), "count", countInState).To("out", out)
			}, "state.backend.type="+backend, "parallelism.default=2", "execution.checkpointing.interval=10 ms")
			if err != nil {
				t.Fatal(err)
			}
			runningCounts(t, out.Records(), 30_000, 5)
		})
	}
}

// perWindow is what a window's process function emits: how many windows of the key there were so far, and how many records this one has.
type perWindow struct{ Key, Windows, Records int64 }

// State of a window's process function is per key and outlives the window.
func TestJ5StateInWindowFunction(t *testing.T) {
	var in []flotttest.Record[number]
	for i := range 400 {
		in = append(in, flotttest.At(int64(i)*100, number{int64(i % 4), 1})) // 10 records of each key in four seconds
	}
	var want []string
	for key := range int64(4) {
		for w := range int64(10) {
			want = append(want, fmt.Sprint(perWindow{key, w + 1, 10}))
		}
	}
	slices.Sort(want)
	for seed := range uint64(seeds) {
		out := flotttest.NewLedger[perWindow]()
		script := flotttest.Records(in...)
		script.Seed = seed + 1
		_, err := flotttest.Simulate(crashing(seed), func(env *flott.Env) {
			s := flott.From(env, "in", script.Source(), flott.SourceTimes[number]())
			w := flott.KeyBy(s, keyOf).Window(flott.Tumbling(4 * time.Second))
			flott.WindowProcess(w, "windows", func(k *flott.KeyedContext[int64, perWindow]) func(flott.Window, []number) error {
				windows := flott.NewValue[int64](k, "my-state")
				return func(_ flott.Window, records []number) error {
					windows.Update(func(n int64) int64 { return n + 1 })
					k.Emit(perWindow{k.Key(), windows.Get(), int64(len(records))})
					return nil
				}
			}).To("out", out)
		})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		var got []string
		for _, p := range out.Records() {
			got = append(got, fmt.Sprint(p))
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d: got %v, want %v", seed, got, want)
		}
	}
}

// A value that has not been written for its time to live is gone: the count begins anew.
func TestJ5TimeToLive(t *testing.T) {
	for _, c := range []struct {
		name   string
		option flott.StateOption
		in     []flotttest.Record[number]
		want   []int64
	}{
		{"processing time", flott.TTL(10 * time.Second), []flotttest.Record[number]{
			flotttest.At(0, number{1, 1}), flotttest.At(0, number{1, 1}).After(6 * time.Second),
			flotttest.At(0, number{1, 1}).After(6 * time.Second), flotttest.At(0, number{1, 1}).After(11 * time.Second),
		}, []int64{1, 2, 3, 1}},
		{"event time", flott.EventTimeTTL(time.Second), []flotttest.Record[number]{
			flotttest.At(1000, number{1, 1}), flotttest.At(1900, number{1, 1}), flotttest.At(2800, number{1, 1}), flotttest.At(3900, number{1, 1}),
		}, []int64{1, 2, 3, 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for seed := range uint64(seeds) {
				out := flotttest.NewLedger[number]()
				_, err := flotttest.Simulate(flotttest.Options{Seed: seed, Parallelism: 1, CheckpointEvery: 20}, func(env *flott.Env) {
					s := flott.From(env, "in", flotttest.Records(c.in...).Source(), flott.SourceTimes[number]())
					flott.KeyedProcess(flott.KeyBy(s, keyOf), "count", func(k *flott.KeyedContext[int64, number]) func(number) error {
						mine := flott.NewValue[int64](k, "my-state", c.option)
						return func(v number) error {
							mine.Set(mine.Get() + 1)
							k.Emit(number{v.Key, mine.Get()})
							return nil
						}
					}).To("out", out)
				})
				if err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
				var got []int64
				for _, r := range out.Records() {
					got = append(got, r.N)
				}
				if !slices.Equal(got, c.want) {
					t.Fatalf("seed %d: counts %v, want %v", seed, got, c.want)
				}
			}
		})
	}
}

// buffering is a sink as users write one: it sends records out ten at a time, and keeps those that wait in operator state. What was sent
// after the checkpoint is sent again after a failure: at least once.
type buffering struct {
	mu struct {
		*sync.Mutex
		sent *[]number
	}
}

func newBuffering() *buffering {
	b := &buffering{}
	b.mu.Mutex, b.mu.sent = &sync.Mutex{}, &[]number{}
	return b
}

const bufferRows = 10

func (s *buffering) Check() error { return nil }

func (s *buffering) NewWriter(_ flott.WriterContext, restored [][]byte) (flott.Writer[number], error) {
	w := &bufferingWriter{sink: s}
	for _, state := range restored {
		var waiting []number
		if err := json.Unmarshal(state, &waiting); err != nil {
			return nil, err
		}
		w.waiting = append(w.waiting, waiting...)
	}
	return w, nil
}

type bufferingWriter struct {
	sink    *buffering
	waiting []number
}

func (w *bufferingWriter) Write(b *flott.Batch[number]) error {
	w.waiting = append(w.waiting, b.Rows...)
	for len(w.waiting) >= bufferRows {
		w.send(bufferRows)
	}
	return nil
}

func (w *bufferingWriter) send(n int) {
	w.sink.mu.Lock()
	defer w.sink.mu.Unlock()
	*w.sink.mu.sent = append(*w.sink.mu.sent, w.waiting[:n]...)
	w.waiting = slices.Clone(w.waiting[n:])
}

func (w *bufferingWriter) Prepare(p flott.Preparation) (flott.Flush, error) {
	if p.Last {
		w.send(len(w.waiting))
	}
	state, err := json.Marshal(w.waiting)
	return func(context.Context) (flott.Prepared, error) { return flott.Prepared{State: state}, nil }, err
}

func (w *bufferingWriter) Close() error { return nil }

func TestJ5BufferingSink(t *testing.T) {
	for seed := range uint64(seeds) {
		for _, crashes := range []int{0, 3} {
			sink := newBuffering()
			o := crashing(seed)
			o.Crashes = crashes
			_, err := flotttest.Simulate(o, func(env *flott.Env) {
				s := flott.From(env, "offsets", counter{splits: 5, each: 61})
				flott.KeyedProcess(flott.KeyBy(s, keyOf), "count", countInState).To("buffer", sink)
			})
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			seen := map[number]int{}
			for _, n := range *sink.mu.sent {
				seen[n]++
			}
			for _, n := range expectedCounts(305, 5) {
				if seen[n] == 0 || crashes == 0 && seen[n] != 1 {
					t.Fatalf("seed %d, %d crashes: %v was sent %d times", seed, crashes, n, seen[n])
				}
			}
			if len(seen) != 305 {
				t.Fatalf("seed %d: %d distinct records were sent, want 305", seed, len(seen))
			}
		}
	}
}
