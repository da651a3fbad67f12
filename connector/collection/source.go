// Package collection is a source of values that are in memory: for tests, examples and small look-up streams. It keeps its place over
// restarts, so it is exactly once as long as the job is built with the same values again.
//
// It imports public packages only, never the engine's.
package collection

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/flottio/flott"
)

// Of returns a bounded source of the values, in order, read by one subtask.
func Of[T any](values ...T) flott.Source[T] { return Source(values) }

// Source returns a bounded source of the values. They must not be changed afterwards, and what they point to must not be changed by the
// job. Without options one subtask reads them in order.
func Source[T any](values []T, opts ...Option) flott.Source[T] {
	s := &source[T]{values: values, chunk: max(1, len(values))}
	for _, o := range opts {
		o(&s.cfg)
	}
	if s.cfg.chunk > 0 {
		s.chunk = s.cfg.chunk
	}
	return s
}

// Option changes how Source reads.
type Option func(*options)

type options struct {
	chunk int
	errs  []error
}

// ChunkSize cuts the values into pieces of n that subtasks read side by side; order then holds within a piece only.
func ChunkSize(n int) Option {
	return func(o *options) {
		if n <= 0 {
			o.errs = append(o.errs, fmt.Errorf("collection: ChunkSize(%d): must be positive", n))
		}
		o.chunk = n
	}
}

// source implements flott.Source. A split is a chunk: its ID is the index of its first value, its position the index of the next one
// and the number of all values, to notice that the job was built with others.
type source[T any] struct {
	values []T
	chunk  int
	cfg    options
}

func (s *source[T]) Check() error  { return errors.Join(s.cfg.errs...) }
func (s *source[T]) Bounded() bool { return true }

func (s *source[T]) NewEnumerator(ctx flott.EnumeratorContext, restored []byte) (flott.Enumerator, error) {
	e := &enumerator{ctx: ctx, chunk: s.chunk, total: len(s.values)}
	if len(restored) == 0 {
		return e, nil
	}
	numbers, err := numbers(restored)
	if err != nil || len(numbers)%3 != 2 {
		return nil, errors.New("restoring a collection source: its state is damaged")
	}
	if err := checkTotal(numbers[0], len(s.values)); err != nil {
		return nil, err
	}
	e.next = min(numbers[1], len(s.values))
	for c := range slices.Chunk(numbers[2:], 3) {
		e.returned = append(e.returned, chunk{c[0], c[1], c[2]}.encode(len(s.values)))
	}
	return e, nil
}

func checkTotal(recorded, now int) error {
	if recorded != now {
		return fmt.Errorf("restoring a collection source: it had %d values when the checkpoint was taken and has %d now: "+
			"build the job with the same values, or start without the checkpoint", recorded, now)
	}
	return nil
}

func (s *source[T]) NewReader(ctx flott.ReaderContext) (flott.Reader[T], error) {
	return &reader[T]{ctx: ctx, values: s.values}, nil
}

// enumerator gives out one chunk per request.
type enumerator struct {
	ctx          flott.EnumeratorContext
	chunk, total int
	next         int // first value that is not given out
	returned     []flott.Split
}

func (e *enumerator) Start() error { return nil }

func (e *enumerator) Return(splits []flott.Split) error {
	e.returned = append(e.returned, splits...)
	return nil
}

func (e *enumerator) Request(subtask int) error {
	switch {
	case len(e.returned) > 0:
		e.ctx.Assign(subtask, e.returned[0])
		e.returned = e.returned[1:]
	case e.next < e.total:
		e.ctx.Assign(subtask, chunk{e.next, e.next, min(e.next+e.chunk, e.total)}.encode(e.total))
		e.next = min(e.next+e.chunk, e.total)
	default:
		e.ctx.NoMoreSplits(subtask)
	}
	return nil
}

// Snapshot includes the returned chunks that nobody has asked for yet.
func (e *enumerator) Snapshot() ([]byte, error) {
	out := binary.AppendUvarint(nil, uint64(e.total))
	out = binary.AppendUvarint(out, uint64(e.next))
	for _, s := range e.returned {
		c, err := decode(s, e.total)
		if err != nil {
			return nil, err
		}
		for _, n := range []int{c.from, c.at, c.to} {
			out = binary.AppendUvarint(out, uint64(n))
		}
	}
	return out, nil
}

func (e *enumerator) Complete(int64) error { return nil }
func (e *enumerator) Close() error         { return nil }

// chunk is a range of values and the next one to read.
type chunk struct{ from, at, to int }

func (c chunk) encode(total int) flott.Split {
	var position []byte
	for _, n := range []int{c.from, c.at, c.to, total} {
		position = binary.AppendUvarint(position, uint64(n))
	}
	return flott.Split{ID: strconv.Itoa(c.from), Position: position}
}

func decode(s flott.Split, total int) (chunk, error) {
	v, err := numbers(s.Position)
	if err != nil || len(v) != 4 || v[0] > v[1] || v[1] > v[2] || v[2] > v[3] {
		return chunk{}, fmt.Errorf("restoring a collection source: the position of split %q is damaged", s.ID)
	}
	return chunk{v[0], v[1], v[2]}, checkTotal(v[3], total)
}

// numbers decodes a sequence of counts.
func numbers(data []byte) (list []int, err error) {
	for len(data) > 0 {
		v, n := binary.Uvarint(data)
		if n <= 0 || v > math.MaxInt32<<16 {
			return nil, errors.New("damaged number")
		}
		list, data = append(list, int(v)), data[n:]
	}
	return list, nil
}

// reader reads its chunks one after the other.
type reader[T any] struct {
	ctx    flott.ReaderContext
	values []T
	chunks []chunk
	number int // of the chunk being read, in the order of Assign
	noMore bool
}

// Assign implements flott.Reader.
func (r *reader[T]) Assign(splits []flott.Split) error {
	for _, s := range splits {
		c, err := decode(s, len(r.values))
		if err != nil {
			return err
		}
		r.chunks = append(r.chunks, c)
	}
	return nil
}

// NoMoreSplits implements flott.Reader.
func (r *reader[T]) NoMoreSplits() { r.noMore = true }

// Read implements flott.Reader. That a chunk is read to its end is said in the call after: the engine then has its records.
func (r *reader[T]) Read(b *flott.Batch[T]) (flott.ReadStatus, error) {
	for r.number < len(r.chunks) && r.chunks[r.number].at == r.chunks[r.number].to {
		r.ctx.SplitDone(int32(r.number))
		r.number++
	}
	if r.number == len(r.chunks) {
		if r.noMore {
			return flott.End, nil
		}
		return flott.NeedSplit, nil
	}
	c := &r.chunks[r.number]
	n := max(0, min(c.to-c.at, b.Cap()-len(b.Rows)))
	b.Rows = append(b.Rows, r.values[c.at:c.at+n]...)
	b.Head.Split = int32(r.number)
	c.at += n
	return flott.More, nil
}

// Snapshot implements flott.Reader.
func (r *reader[T]) Snapshot() ([]flott.Split, error) {
	var all []flott.Split
	for _, c := range r.chunks[r.number:] {
		if c.at < c.to {
			all = append(all, c.encode(len(r.values)))
		}
	}
	return all, nil
}

// SplitName implements flott.SplitNamer.
func (r *reader[T]) SplitName(number int32) string { return strconv.Itoa(r.chunks[number].from) }

// Progress implements flott.Progressor, in values.
func (r *reader[T]) Progress() (done, total int64) {
	for _, c := range r.chunks {
		done += int64(c.at - c.from)
		total += int64(c.to - c.from)
	}
	return done, total
}

// Close implements flott.Reader.
func (r *reader[T]) Close() error { return nil }
