package flotttest_test

import (
	"errors"
	"math/rand/v2"

	"github.com/flottio/flott"
	"github.com/flottio/flott/flotttest"
)

// trouble makes the functions of a graph panic or return errors, wherever they are: sources, sinks and everything between. The zero trouble
// makes none.
type trouble struct {
	left, every, next int
	rng               *rand.Rand
}

var errTrouble = errors.New("injected: a function failed")

func newTrouble(k knobs) *trouble {
	x := &trouble{left: k.Failures, every: k.FailureEvery, rng: rand.New(rand.NewPCG(k.Seed, 0xbad))}
	if x.left > 0 {
		x.draw()
	}
	return x
}

func (x *trouble) draw() { x.next = 1 + x.rng.IntN(2*x.every) }

// may fails now and then; called by functions that can return an error, which may panic all the same.
func (x *trouble) may() error {
	if x.left == 0 {
		return nil
	}
	if x.next--; x.next > 0 {
		return nil
	}
	x.left--
	x.draw()
	if x.rng.IntN(2) == 0 {
		panic("injected: a function panics")
	}
	return errTrouble
}

// must is may for functions that can only panic.
func (x *trouble) must() {
	if err := x.may(); err != nil {
		panic(err)
	}
}

func (t *trial) kept(e event) bool {
	t.trouble.must()
	return !e.Drop
}

func (t *trial) keyOf(e event) int64 {
	t.trouble.must()
	return e.Key
}

func (t *trial) add(sum, e event) event {
	t.trouble.must()
	return add(sum, e)
}

// may puts trouble in front of a function.
func may[T any](x *trouble, f func(T) error) func(T) error {
	return func(v T) error {
		if err := x.may(); err != nil {
			return err
		}
		return f(v)
	}
}

// troubledSource is a source whose readers fail now and then.
type troubledSource struct {
	flott.Source[event]
	x *trouble
}

func (s troubledSource) NewReader(ctx flott.ReaderContext) (flott.Reader[event], error) {
	r, err := s.Source.NewReader(ctx)
	return troubledReader{r, s.x}, err
}

type troubledReader struct {
	flott.Reader[event]
	x *trouble
}

func (r troubledReader) Read(b *flott.Batch[event]) (flott.ReadStatus, error) {
	if err := r.x.may(); err != nil {
		return flott.End, err
	}
	return r.Reader.Read(b)
}

// troubledSink is a ledger whose writers fail now and then. What it has committed is counted for the trial.
type troubledSink[T any] struct {
	*flotttest.Ledger[T]
	x *trouble
}

// into ends a stream of the trial in its ledger.
func into[T any](t *trial, s flott.Stream[T], out *flotttest.Ledger[T]) {
	t.committed = func() int { return len(out.Records()) }
	s.To("out", troubledSink[T]{out, t.trouble})
}

func (s troubledSink[T]) NewWriter(ctx flott.WriterContext, restored [][]byte) (flott.Writer[T], error) {
	w, err := s.Ledger.NewWriter(ctx, restored)
	return troubledWriter[T]{w, s.x}, err
}

type troubledWriter[T any] struct {
	flott.Writer[T]
	x *trouble
}

func (w troubledWriter[T]) Write(b *flott.Batch[T]) error {
	if err := w.x.may(); err != nil {
		return err
	}
	return w.Writer.Write(b)
}

func (w troubledWriter[T]) Prepare(p flott.Preparation) (flott.Flush, error) {
	if err := w.x.may(); err != nil {
		return nil, err
	}
	return w.Writer.Prepare(p)
}
