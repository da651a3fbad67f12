package flotttest

import (
	"fmt"
	"math/rand/v2"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/flottio/flott"
)

// Record is a record of a scripted source.
type Record[T any] struct {
	Value T
	// Time is the event time in milliseconds since the epoch, flott.NoTime for none. The job keeps it with flott.SourceTimes.
	Time int64
	// Pause is how long the split is silent before the record, in processing time.
	Pause time.Duration
}

// At makes a record with an event time.
func At[T any](ms int64, v T) Record[T] { return Record[T]{Value: v, Time: ms} }

// After makes the record wait for a pause.
func (r Record[T]) After(pause time.Duration) Record[T] {
	r.Pause = pause
	return r
}

// Script is a bounded source that reads given records from splits, each in order. How splits are assigned and where batches are cut is drawn
// from Seed. The zero Script has no records.
type Script[T any] struct {
	// Splits hold the records.
	Splits [][]Record[T]
	// Seed draws the cuts of batches and which of a reader's splits comes next; 0 fills batches and reads one split after another.
	Seed uint64
	// MaxBatch bounds a batch in records; 0 means no bound of its own.
	MaxBatch int
	// OneAtATime gives a reader one split after another, as for files. Otherwise it gets at once all that it will ever have, as for a log with
	// partitions, and event time goes with the slowest of them.
	OneAtATime bool

	// fullBatches lets MaxBatch alone say where batches are cut; panics makes reading fail once.
	fullBatches bool
	panics      *panics
}

// Records makes a scripted source of one split.
func Records[T any](records ...Record[T]) Script[T] { return Script[T]{Splits: [][]Record[T]{records}} }

// FromSlice makes a scripted source of n splits, dealing out the values in turn, without event times.
func FromSlice[T any](n int, values ...T) Script[T] {
	s := Script[T]{Splits: make([][]Record[T], n)}
	for i, v := range values {
		s.Splits[i%n] = append(s.Splits[i%n], Record[T]{Value: v, Time: flott.NoTime})
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
	e := &scriptEnumerator{ctx: ctx, oneAtATime: s.OneAtATime}
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

const splitPrefix = "split-"

func splitID(i int) string { return splitPrefix + strconv.Itoa(i) }

func splitNumber(id string) (int, error) {
	n, err := strconv.Atoi(strings.TrimPrefix(id, splitPrefix))
	if err != nil {
		return 0, fmt.Errorf("split %q is not of a script", id)
	}
	return n, nil
}

type scriptEnumerator struct {
	ctx        flott.EnumeratorContext
	oneAtATime bool
	left       []flott.Split
}

func (e *scriptEnumerator) Start() error { return nil }

func (e *scriptEnumerator) Return(splits []flott.Split) error {
	e.left = append(e.left, splits...)
	sort.Slice(e.left, func(i, j int) bool {
		a, _ := splitNumber(e.left[i].ID)
		b, _ := splitNumber(e.left[j].ID)
		return a < b
	})
	return nil
}

func (e *scriptEnumerator) Request(subtask int) error {
	if !e.oneAtATime {
		return e.assignAll(subtask)
	}
	if len(e.left) == 0 {
		e.ctx.NoMoreSplits(subtask)
		return nil
	}
	x := e.left[0]
	e.left = e.left[1:]
	e.ctx.Assign(subtask, x)
	return nil
}

func (e *scriptEnumerator) assignAll(subtask int) error {
	kept := e.left[:0]
	for _, x := range e.left {
		n, err := splitNumber(x.ID)
		if err != nil {
			return err
		}
		if n%e.ctx.Parallelism() == subtask {
			e.ctx.Assign(subtask, x)
		} else {
			kept = append(kept, x)
		}
	}
	e.left = kept
	e.ctx.NoMoreSplits(subtask)
	return nil
}

func (e *scriptEnumerator) Snapshot() ([]byte, error) {
	var b []byte
	for _, x := range e.left {
		b = append(append(b, x.ID...), '@')
		b = append(append(b, x.Position...), ' ')
	}
	if b == nil {
		b = []byte{}
	}
	return b, nil
}

func (e *scriptEnumerator) Complete(int64) error { return nil }
func (e *scriptEnumerator) Close() error         { return nil }

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
	open     []int32 // numbers of the splits not read to their end
	all      bool
}

type scriptSplit struct {
	number, next int
	// silent is the processing time until which a pause lasts; 0 when it has not begun.
	silent int64
}

func (r *scriptReader[T]) Assign(splits []flott.Split) error {
	for _, s := range splits {
		n, err := splitNumber(s.ID)
		if err != nil || n >= len(r.script.Splits) {
			return fmt.Errorf("there is no %s", s.ID)
		}
		x := scriptSplit{number: n}
		if len(s.Position) > 0 {
			if x.next, err = strconv.Atoi(string(s.Position)); err != nil {
				return fmt.Errorf("position %q of %s: %w", s.Position, s.ID, err)
			}
		}
		r.open = append(r.open, int32(len(r.assigned)))
		r.assigned = append(r.assigned, x)
	}
	return nil
}

func (r *scriptReader[T]) NoMoreSplits() { r.all = true }

func (r *scriptReader[T]) Read(b *flott.Batch[T]) (flott.ReadStatus, error) {
	for i := 0; i < len(r.open); {
		if s := &r.assigned[r.open[i]]; s.next == len(r.script.Splits[s.number]) {
			r.ctx.SplitDone(r.open[i])
			r.open = append(r.open[:i], r.open[i+1:]...)
			continue
		}
		i++
	}
	if len(r.open) == 0 {
		if r.all {
			return flott.End, nil
		}
		return flott.NeedSplit, nil
	}
	first := 0
	if r.rng != nil && len(r.open) > 1 {
		first = r.rng.IntN(len(r.open))
	}
	for i := range r.open {
		number := r.open[(first+i)%len(r.open)]
		if n := r.length(&r.assigned[number], b.Cap()); n > 0 {
			r.script.panics.count(n)
			r.fill(b, number, n)
			return flott.More, nil
		}
	}
	return flott.Idle, nil
}

// length is how many records of the split can be read now: up to the next pause.
func (r *scriptReader[T]) length(s *scriptSplit, most int) int {
	rows := r.script.Splits[s.number][s.next:]
	if p := rows[0].Pause; p > 0 {
		now := r.ctx.Now()
		if s.silent == 0 {
			s.silent = now + p.Milliseconds()
		}
		if now < s.silent {
			return 0
		}
	}
	n := min(len(rows), most)
	if r.script.MaxBatch > 0 {
		n = min(n, r.script.MaxBatch)
	}
	if r.rng != nil && !r.script.fullBatches {
		n = min(n, 1+r.rng.IntN(8))
	}
	for i := 1; i < n; i++ {
		if rows[i].Pause > 0 {
			return i
		}
	}
	return n
}

func (r *scriptReader[T]) fill(b *flott.Batch[T], number int32, n int) {
	s := &r.assigned[number]
	for _, x := range r.script.Splits[s.number][s.next : s.next+n] {
		b.Append(x.Value, x.Time, x.Time != flott.NoTime)
	}
	b.Head.Split = number
	s.next += n
	s.silent = 0
}

func (r *scriptReader[T]) Snapshot() ([]flott.Split, error) {
	var splits []flott.Split
	for _, i := range r.open {
		s := r.assigned[i]
		splits = append(splits, flott.Split{ID: splitID(s.number), Position: strconv.AppendInt(nil, int64(s.next), 10)})
	}
	return splits, nil
}

func (r *scriptReader[T]) Close() error { return nil }
