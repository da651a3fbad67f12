package flotttest

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"sync"

	"github.com/flottio/flott"
	"github.com/flottio/flott/codec"
)

// Ledger is a sink with two-phase commit that keeps what was committed, for a test to look at: each record exactly once, if the engine
// keeps its promise. It may be read once the run has ended. The zero value is not usable; NewLedger.
type Ledger[T any] struct {
	codec  *codec.Codec[T]
	panics *panics // of writing, once; nil: none

	mu struct {
		sync.Mutex
		records   []T
		committed map[string]bool
	}
}

// NewLedger returns an empty ledger; it panics if T cannot be stored.
func NewLedger[T any]() *Ledger[T] {
	c, err := codec.For[T]()
	if err != nil {
		panic(err)
	}
	l := &Ledger[T]{codec: c}
	l.mu.committed = map[string]bool{}
	return l
}

// Records returns what was committed, in the order of commits.
func (l *Ledger[T]) Records() []T {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.mu.records)
}

// Check implements flott.Sink.
func (l *Ledger[T]) Check() error { return nil }

// NewWriter implements flott.Sink.
func (l *Ledger[T]) NewWriter(ctx flott.WriterContext, restored [][]byte) (flott.Writer[T], error) {
	return &ledgerWriter[T]{ledger: l, ctx: ctx}, nil
}

// Commit implements flott.Committer. Committing one again changes nothing.
func (l *Ledger[T]) Commit(_ context.Context, committables [][]byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range committables {
		n, used := binary.Uvarint(c)
		if used <= 0 || uint64(len(c)-used) < n {
			return fmt.Errorf("BUG: a committable of %d bytes", len(c))
		}
		id, body := string(c[used:used+int(n)]), c[used+int(n):]
		if l.mu.committed[id] {
			continue
		}
		l.mu.committed[id] = true
		for len(body) > 0 {
			var v T
			n, err := l.codec.Decode(body, &v)
			if err != nil {
				return err
			}
			body = body[n:]
			l.mu.records = append(l.mu.records, v)
		}
	}
	return nil
}

type ledgerWriter[T any] struct {
	ledger *Ledger[T]
	ctx    flott.WriterContext
	buffer []byte
	number int
}

func (w *ledgerWriter[T]) Write(b *flott.Batch[T]) error {
	w.ledger.panics.count(1)
	for i := range b.Rows {
		w.buffer = w.ledger.codec.Append(w.buffer, &b.Rows[i])
	}
	return nil
}

func (w *ledgerWriter[T]) Prepare(p flott.Preparation) (flott.Flush, error) {
	if len(w.buffer) == 0 {
		return nil, nil
	}
	w.number++
	id := fmt.Sprintf("%s/%s/%d/%d", w.ctx.UID(), w.ctx.Attempt(), w.ctx.Subtask(), w.number)
	c := binary.AppendUvarint(nil, uint64(len(id)))
	c = append(append(c, id...), w.buffer...)
	w.buffer = w.buffer[:0]
	return func(context.Context) (flott.Prepared, error) { return flott.Prepared{Committables: [][]byte{c}}, nil }, nil
}

func (w *ledgerWriter[T]) Close() error { return nil }
