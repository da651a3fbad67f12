// Package datagen is a source of records that a function makes from their index: the same record for the same index, so that it is
// exactly once over every restart and any parallelism.
//
// It imports public packages only, never the engine's.
package datagen

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/flottio/flott"
)

// Source returns a source of f(0), f(1), ... Without the option Rows it never ends. f must depend on its argument alone and is called
// by several goroutines at once.
//
// Of n splits the k-th makes the indexes k, k+n, k+2n, ...: the subtasks advance side by side, also in event time. With more subtasks
// than before a restart, splits are halved; with fewer, a subtask alternates between its splits.
func Source[T any](f func(i int64) T, opts ...Option) flott.Source[T] {
	s := &source[T]{make: f}
	s.cfg.rows = math.MaxInt64
	for _, o := range opts {
		o(&s.cfg)
	}
	return s
}

// Option changes how Source works.
type Option func(*options)

type options struct {
	rows    int64
	perSec  float64
	atOnce  int
	bounded bool
	errs    []error
}

// Rows ends the source after n records.
func Rows(n int64) Option {
	return func(o *options) {
		if n < 0 {
			o.errs = append(o.errs, fmt.Errorf("datagen: Rows(%d): must not be negative", n))
		}
		o.rows, o.bounded = n, true
	}
}

// AtOnce bounds the records that one call of Read makes, for records that are large. Default: a full batch.
func AtOnce(n int) Option {
	return func(o *options) {
		if n <= 0 {
			o.errs = append(o.errs, fmt.Errorf("datagen: AtOnce(%d): must be positive", n))
		}
		o.atOnce = n
	}
}

// RatePerSecond bounds the records that all subtasks make in a second. What could not be made in time, because the job was held up, is made
// up for at most for one second.
func RatePerSecond(n int64) Option {
	return func(o *options) {
		if n <= 0 || n > 1_000_000_000 {
			o.errs = append(o.errs, fmt.Errorf("datagen: RatePerSecond(%d): must be between 1 and 1,000,000,000", n))
			return
		}
		o.perSec = float64(n)
	}
}

// source implements flott.Source.
type source[T any] struct {
	make func(int64) T
	cfg  options
}

// Check implements flott.Source.
func (s *source[T]) Check() error { return errors.Join(s.cfg.errs...) }

// Bounded implements flott.Source.
func (s *source[T]) Bounded() bool { return s.cfg.bounded }

// NewEnumerator implements flott.Source.
func (s *source[T]) NewEnumerator(ctx flott.EnumeratorContext, restored []byte) (flott.Enumerator, error) {
	e := &enumerator{ctx: ctx, rows: s.cfg.rows}
	if len(restored) == 0 {
		e.splits = []stride{{next: 0, step: 1}}
		return e, nil
	}
	for rest := restored[1:]; len(rest) > 0; {
		var st stride
		var err error
		if st, rest, err = decode(rest); err != nil {
			return nil, err
		}
		e.splits = append(e.splits, st)
	}
	return e, nil
}

// NewReader implements flott.Source.
func (s *source[T]) NewReader(ctx flott.ReaderContext) (flott.Reader[T], error) {
	return &reader[T]{ctx: ctx, make: s.make, rows: s.cfg.rows, atOnce: s.cfg.atOnce, pace: pace{perSec: s.cfg.perSec}}, nil
}

// stride is a split: the indexes next, next+step, ...
type stride struct{ next, step int64 }

func (s stride) append(out []byte) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(out, uint64(s.next)), uint64(s.step))
}

func (s stride) split() flott.Split {
	return flott.Split{ID: strconv.FormatInt(s.next%s.step, 10) + "/" + strconv.FormatInt(s.step, 10), Position: s.append(nil)}
}

func decode(data []byte) (s stride, rest []byte, err error) {
	next, n := binary.Uvarint(data)
	step, m := binary.Uvarint(data[max(0, n):])
	if n <= 0 || m <= 0 || next > math.MaxInt64 || step == 0 || step > math.MaxInt64 {
		return s, nil, errors.New("restoring a datagen source: its position is damaged")
	}
	return stride{int64(next), int64(step)}, data[n+m:], nil
}

// divide cuts a split into n.
func (s stride) divide(n int64) []stride {
	all := make([]stride, n)
	for i := range all {
		all[i] = stride{s.next + int64(i)*s.step, s.step * n}
	}
	return all
}

// splitsMax bounds the step between a split's indexes: one with a larger step is not divided any more.
const splitsMax = 1 << 16

// enumerator gives every subtask its splits at once.
type enumerator struct {
	ctx    flott.EnumeratorContext
	rows   int64
	splits []stride // not given out
}

// Start implements flott.Enumerator.
func (e *enumerator) Start() error {
	parallel := e.ctx.Parallelism()
	if n := len(e.splits); n > 0 && n < parallel {
		each := int64((parallel + n - 1) / n)
		var all []stride
		for _, s := range e.splits {
			if s.step >= splitsMax {
				each = 1
			}
			all = append(all, s.divide(each)...)
		}
		e.splits = all
	}
	for i, s := range e.splits {
		if s.next < e.rows {
			e.ctx.Assign(i%parallel, s.split())
		}
	}
	e.splits = nil
	for i := range parallel {
		e.ctx.NoMoreSplits(i)
	}
	return nil
}

// Return implements flott.Enumerator.
func (e *enumerator) Return(splits []flott.Split) error {
	for _, fs := range splits {
		s, _, err := decode(fs.Position)
		if err != nil {
			return err
		}
		e.splits = append(e.splits, s)
	}
	return nil
}

// Request implements flott.Enumerator: everything is given out already.
func (e *enumerator) Request(int) error { return nil }

// Snapshot implements flott.Enumerator. It is never empty: that would be a fresh start.
func (e *enumerator) Snapshot() ([]byte, error) {
	out := []byte{1}
	for _, s := range e.splits {
		out = s.append(out)
	}
	return out, nil
}

// Complete implements flott.Enumerator.
func (e *enumerator) Complete(int64) error { return nil }

// Close implements flott.Enumerator.
func (e *enumerator) Close() error { return nil }

// reader makes the records of its splits, a batch of each in turn.
type reader[T any] struct {
	ctx    flott.ReaderContext
	make   func(int64) T
	rows   int64
	splits []stride // in the order of Assign
	done   []bool   // the engine knows that the split is at its end
	turn   int
	left   int // splits that are not done
	noMore bool
	atOnce int // 0: no bound
	pace   pace
	made   int64
	total  int64
	batch  *flott.Batch[T] // being filled, from row first on
	first  int
}

// Assign implements flott.Reader.
func (r *reader[T]) Assign(splits []flott.Split) error {
	for _, fs := range splits {
		s, _, err := decode(fs.Position)
		if err != nil {
			return err
		}
		r.splits = append(r.splits, s)
		r.done = append(r.done, false)
		r.left++
		if s.next < r.rows {
			r.total += (r.rows-1-s.next)/s.step + 1
		}
	}
	return nil
}

// NoMoreSplits implements flott.Reader.
func (r *reader[T]) NoMoreSplits() { r.noMore = true }

// Read implements flott.Reader. The end of a split is told in a later call: the engine then has its records.
func (r *reader[T]) Read(b *flott.Batch[T]) (flott.ReadStatus, error) {
	for r.left > 0 {
		r.turn = (r.turn + 1) % len(r.splits)
		s := &r.splits[r.turn]
		if s.next < r.rows {
			return r.fill(b, s)
		}
		if !r.done[r.turn] {
			r.done[r.turn] = true
			r.left--
			r.ctx.SplitDone(int32(r.turn))
		}
	}
	if r.noMore {
		return flott.End, nil
	}
	return flott.NeedSplit, nil
}

func (r *reader[T]) fill(b *flott.Batch[T], s *stride) (flott.ReadStatus, error) {
	n := min(int64(b.Cap()-len(b.Rows)), (r.rows-1-s.next)/s.step+1)
	if r.atOnce > 0 {
		n = min(n, int64(r.atOnce))
	}
	if r.pace.perSec > 0 {
		// Of the source's rate every split has the share of its indexes.
		if n = r.pace.take(r.ctx.Now(), n, r.share()); n == 0 {
			r.turn = (r.turn - 1 + len(r.splits)) % len(r.splits)
			r.pace.wake(r.ctx.Wake)
			return flott.Idle, nil
		}
	}
	next, step, f := s.next, s.step, r.make
	r.batch, r.first = b, len(b.Rows)
	for range n {
		b.Rows = append(b.Rows, f(next))
		next += step
	}
	if next < s.next {
		return flott.More, errors.New("datagen: the indexes are used up") // after 2^63 records
	}
	s.next, r.batch = next, nil
	r.made += n
	b.Head.Split = int32(r.turn)
	return flott.More, nil
}

// share is the part of all indexes that this subtask's splits make.
func (r *reader[T]) share() float64 {
	sum := 0.0
	for i, s := range r.splits {
		if !r.done[i] {
			sum += 1 / float64(s.step)
		}
	}
	return sum
}

// Snapshot implements flott.Reader.
func (r *reader[T]) Snapshot() ([]flott.Split, error) {
	var all []flott.Split
	for _, s := range r.splits {
		if s.next < r.rows {
			all = append(all, s.split())
		}
	}
	return all, nil
}

// Location implements flott.Locator: the index that the user's function was called with.
func (r *reader[T]) Location() string {
	if r.batch == nil {
		return ""
	}
	s := r.splits[r.turn]
	return "index " + strconv.FormatInt(s.next+int64(len(r.batch.Rows)-r.first)*s.step, 10)
}

// SplitName implements flott.SplitNamer.
func (r *reader[T]) SplitName(number int32) string { return r.splits[number].split().ID }

// Progress implements flott.Progressor, in records; nothing is known of an endless source.
func (r *reader[T]) Progress() (done, total int64) {
	if r.rows == math.MaxInt64 {
		return 0, 0
	}
	return r.made, r.total
}

// Close implements flott.Reader.
func (r *reader[T]) Close() error {
	r.pace.stop()
	return nil
}
