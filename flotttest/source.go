package flotttest

import (
	"fmt"
	"math/rand/v2"
	"sort"
	"strings"

	"github.com/flottio/flott"
)

// Record is a record of a scripted source with its event time in milliseconds, flott.NoTime for none.
type Record[T any] struct {
	Value T
	Time  int64
}

// Script is a source that reads given records from splits. Each split is read in order; how splits are assigned, and where batches
// are cut, follows the seed of the run.
type Script[T any] struct {
	// Splits hold the records.
	Splits [][]Record[T]
	// Seed draws the cuts of batches; 0 fills batches.
	Seed uint64
	// MaxBatch bounds a batch; 0 means no bound of its own.
	MaxBatch int
	// GiveTwice is a deliberate bug for tests of the tests: the first split is assigned to two readers.
	GiveTwice bool
}

// FromSlice makes a scripted source of n splits, dealing out the values in turn, without event times.
func FromSlice[T any](n int, values ...T) Script[T] {
	s := Script[T]{Splits: make([][]Record[T], n)}
	for i, v := range values {
		s.Splits[i%n] = append(s.Splits[i%n], Record[T]{v, flott.NoTime})
	}
	return s
}

// Source returns the script as a source.
func (s Script[T]) Source() flott.Source[T] { return s }

// Check implements flott.Source.
func (s Script[T]) Check() error { return nil }

// Bounded implements flott.Source.
func (s Script[T]) Bounded() bool { return true }

// NewEnumerator implements flott.Source.
func (s Script[T]) NewEnumerator(ctx flott.EnumeratorContext, restored []byte) (flott.Enumerator, error) {
	e := &scriptEnumerator[T]{script: s, ctx: ctx}
	if restored == nil {
		for i := range s.Splits {
			e.left = append(e.left, flott.Split{ID: splitID(i)})
		}
		return e, nil
	}
	for _, id := range strings.Fields(string(restored)) {
		id, position, _ := strings.Cut(id, "@")
		x := flott.Split{ID: id}
		if position != "" {
			x.Position = []byte(position)
		}
		e.left = append(e.left, x)
	}
	return e, nil
}

func splitID(i int) string { return fmt.Sprintf("split-%03d", i) }

type scriptEnumerator[T any] struct {
	script Script[T]
	ctx    flott.EnumeratorContext
	left   []flott.Split
	given  bool
}

func (e *scriptEnumerator[T]) Start() error { return nil }

func (e *scriptEnumerator[T]) Return(splits []flott.Split) error {
	e.left = append(e.left, splits...)
	sort.Slice(e.left, func(i, j int) bool { return e.left[i].ID < e.left[j].ID })
	return nil
}

func (e *scriptEnumerator[T]) Request(subtask int) error {
	if len(e.left) == 0 {
		e.ctx.NoMoreSplits(subtask)
		return nil
	}
	x := e.left[0]
	if !e.script.GiveTwice || e.given {
		e.left = e.left[1:]
	}
	e.given = true
	e.ctx.Assign(subtask, x)
	return nil
}

func (e *scriptEnumerator[T]) Snapshot() ([]byte, error) {
	ids := make([]string, len(e.left))
	for i, x := range e.left {
		ids[i] = x.ID
		if len(x.Position) > 0 {
			ids[i] += "@" + string(x.Position)
		}
	}
	return []byte(strings.Join(ids, " ")), nil
}

func (e *scriptEnumerator[T]) Complete(int64) error { return nil }
func (e *scriptEnumerator[T]) Close() error         { return nil }

// NewReader implements flott.Source.
func (s Script[T]) NewReader(ctx flott.ReaderContext) (flott.Reader[T], error) {
	r := &scriptReader[T]{script: s, ctx: ctx}
	if s.Seed != 0 {
		r.rng = rand.New(rand.NewPCG(s.Seed, uint64(ctx.Subtask())))
	}
	return r, nil
}

type scriptReader[T any] struct {
	script   Script[T]
	ctx      flott.ReaderContext
	rng      *rand.Rand
	assigned []scriptSplit
	at       int // the split being read
	all      bool
}

type scriptSplit struct {
	number, next int
}

func (r *scriptReader[T]) Assign(splits []flott.Split) error {
	for _, s := range splits {
		var x scriptSplit
		if _, err := fmt.Sscanf(s.ID, "split-%d", &x.number); err != nil || x.number >= len(r.script.Splits) {
			return fmt.Errorf("there is no %s", s.ID)
		}
		if len(s.Position) > 0 {
			if _, err := fmt.Sscanf(string(s.Position), "%d", &x.next); err != nil {
				return fmt.Errorf("position %q of %s: %w", s.Position, s.ID, err)
			}
		}
		r.assigned = append(r.assigned, x)
	}
	return nil
}

func (r *scriptReader[T]) NoMoreSplits() { r.all = true }

func (r *scriptReader[T]) Read(b *flott.Batch[T]) (flott.ReadStatus, error) {
	for r.at < len(r.assigned) && r.assigned[r.at].next == len(r.script.Splits[r.assigned[r.at].number]) {
		r.ctx.SplitDone(int32(r.at))
		r.at++
	}
	if r.at == len(r.assigned) {
		if r.all {
			return flott.End, nil
		}
		return flott.NeedSplit, nil
	}
	s := &r.assigned[r.at]
	rows := r.script.Splits[s.number][s.next:]
	n := min(len(rows), b.Cap())
	if r.script.MaxBatch > 0 {
		n = min(n, r.script.MaxBatch)
	}
	if r.rng != nil {
		n = min(n, 1+r.rng.IntN(8))
	}
	for _, x := range rows[:n] {
		b.Append(x.Value, x.Time, x.Time != flott.NoTime)
	}
	b.Head.Split = int32(r.at)
	s.next += n
	return flott.More, nil
}

func (r *scriptReader[T]) Snapshot() ([]flott.Split, error) {
	var splits []flott.Split
	for _, s := range r.assigned[min(r.at, len(r.assigned)):] {
		splits = append(splits, flott.Split{ID: splitID(s.number), Position: []byte(fmt.Sprint(s.next))})
	}
	return splits, nil
}

func (r *scriptReader[T]) Close() error { return nil }
