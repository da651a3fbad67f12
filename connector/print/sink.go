// Package print is a sink that writes records as lines for people to read, to the standard output by default. After a restart lines are
// written again: at least once.
//
// It imports public packages only, never the engine's.
package print

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"

	"github.com/flottio/flott"
)

// Sink writes one line per record: a string as it is, a fmt.Stringer as it says, everything else as by fmt's %+v. With more than one
// subtask lines begin with the subtask's number from 1, as in "2> ".
func Sink[T any](opts ...Option) flott.Sink[T] {
	s := &sink[T]{}
	for _, o := range opts {
		o(&s.cfg)
	}
	if s.cfg.out == nil {
		s.cfg.out = os.Stdout
	}
	return s
}

// Option changes how Sink prints.
type Option func(*options)

type options struct {
	out  io.Writer
	name string
}

// To writes to w; lines of several subtasks never mix.
func To(w io.Writer) Option { return func(o *options) { o.out = w } }

// Stderr writes to the standard error.
func Stderr() Option { return To(os.Stderr) }

// Name begins every line with name, as in "clicks:2> " or "clicks> ".
func Name(name string) Option { return func(o *options) { o.name = name } }

type sink[T any] struct{ cfg options }

// printing keeps lines of all print sinks of a process from mixing: several may share an output.
var printing sync.Mutex

// Check implements flott.Sink.
func (s *sink[T]) Check() error { return nil }

// NewWriter implements flott.Sink.
func (s *sink[T]) NewWriter(ctx flott.WriterContext, _ [][]byte) (flott.Writer[T], error) {
	return &writer[T]{out: s.cfg.out, prefix: prefix(s.cfg.name, ctx)}, nil
}

type writer[T any] struct {
	out    io.Writer
	prefix string
	buf    []byte
}

// bufferKeepBytes bounds the buffer that is kept from batch to batch.
const bufferKeepBytes = 1 << 20

// Write implements flott.Writer: the lines of a batch are written at once.
func (w *writer[T]) Write(b *flott.Batch[T]) error {
	w.buf = w.buf[:0]
	for i := range b.Rows {
		w.buf = append(w.buf, w.prefix...)
		w.buf = appendRecord(w.buf, &b.Rows[i])
		w.buf = append(w.buf, '\n')
	}
	printing.Lock()
	_, err := w.out.Write(w.buf)
	printing.Unlock()
	if cap(w.buf) > bufferKeepBytes {
		w.buf = nil
	}
	if err != nil {
		return fmt.Errorf("printing %d records: %w", len(b.Rows), err)
	}
	return nil
}

func appendRecord[T any](dst []byte, v *T) []byte {
	switch x := any(v).(type) {
	case *string:
		return append(dst, *x...)
	case *[]byte:
		return append(dst, *x...)
	case *int64:
		return strconv.AppendInt(dst, *x, 10)
	case *int:
		return strconv.AppendInt(dst, int64(*x), 10)
	case fmt.Stringer:
		return append(dst, x.String()...)
	}
	return fmt.Appendf(dst, "%+v", *v)
}

// Prepare implements flott.Writer: everything is written already.
func (w *writer[T]) Prepare(flott.Preparation) (flott.Flush, error) { return nil, nil }

// Close implements flott.Writer.
func (w *writer[T]) Close() error { return nil }
