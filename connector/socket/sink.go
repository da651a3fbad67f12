package socket

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/flottio/flott"
	"github.com/flottio/flott/format"
)

// pendingMaxBytes is what may wait to be sent by a subtask; beyond it the input is held back.
const pendingMaxBytes = 1 << 20

// Sink sends records to a TCP server, HOST:PORT, over one connection per subtask. A checkpoint waits until everything before it was handed
// to the operating system; more nobody can promise. When a connection breaks, what was being sent is sent again.
func Sink[T any](address string, f format.Format[T], opts ...Option) flott.Sink[T] {
	s := &sink[T]{address: address, format: f, cfg: options{retryFor: DefaultRetryFor}}
	for _, o := range opts {
		o(&s.cfg)
	}
	return s
}

type sink[T any] struct {
	address string
	format  format.Format[T]
	cfg     options
}

var (
	_ flott.Ready     = (*writer[int])(nil)
	_ flott.Sink[int] = (*sink[int])(nil)
)

// Check implements flott.Sink.
func (s *sink[T]) Check() error { return errors.Join(check(s.address, &s.cfg), s.format.Check()) }

// NewWriter implements flott.Sink. It connects when there is something to send.
func (s *sink[T]) NewWriter(ctx flott.WriterContext, _ [][]byte) (flott.Writer[T], error) {
	enc, err := s.format.NewEncoder()
	if err != nil {
		return nil, err
	}
	w := &writer[T]{ctx: ctx, enc: enc, sep: s.format.Separator()}
	w.link = &link{dial: dialer{address: s.address, retryFor: s.cfg.retryFor}, header: s.format.Header(), wake: ctx.Wake, work: make(chan struct{}, 1)}
	w.link.mu.progress = make(chan struct{})
	return w, nil
}

// writer encodes on the task's goroutine; its link sends.
type writer[T any] struct {
	ctx  flott.WriterContext
	enc  format.Encoder[T]
	sep  []byte
	buf  []byte
	link *link
	stop context.CancelFunc
	done chan struct{}
}

// Write implements flott.Writer.
func (w *writer[T]) Write(b *flott.Batch[T]) error {
	w.buf = w.buf[:0]
	for i := range b.Rows {
		var err error
		if w.buf, err = w.enc.Append(w.buf, &b.Rows[i]); err != nil {
			return flott.Permanent(fmt.Errorf("encoding record %.300s for socket %s: %w", fmt.Sprint(b.Rows[i]), w.link.dial.address, err))
		}
		w.buf = append(w.buf, w.sep...)
	}
	if w.done == nil {
		ctx, stop := context.WithCancel(w.ctx.Context())
		w.stop, w.done = stop, make(chan struct{})
		go func() {
			defer close(w.done)
			w.link.run(ctx)
		}()
	}
	return w.link.add(w.buf)
}

// Ready implements flott.Ready.
func (w *writer[T]) Ready() bool {
	w.link.mu.Lock()
	defer w.link.mu.Unlock()
	return len(w.link.mu.pending) < pendingMaxBytes || w.link.mu.err != nil
}

// Prepare implements flott.Writer.
func (w *writer[T]) Prepare(flott.Preparation) (flott.Flush, error) {
	w.link.mu.Lock()
	upTo := w.link.mu.added
	w.link.mu.Unlock()
	return func(ctx context.Context) (flott.Prepared, error) { return flott.Prepared{}, w.link.wait(ctx, upTo) }, nil
}

// Close implements flott.Writer. What was not flushed is dropped.
func (w *writer[T]) Close() error {
	if w.done != nil {
		w.stop()
		<-w.done
	}
	return nil
}

// link sends bytes over a connection that it makes again when it breaks.
type link struct {
	dial   dialer
	header []byte
	wake   func()
	work   chan struct{}
	mu     struct {
		sync.Mutex
		pending     []byte // not yet taken by run
		added, sent int64
		err         error
		progress    chan struct{} // closed when sent or err changes
	}
}

func (l *link) add(data []byte) error {
	l.mu.Lock()
	l.mu.pending = append(l.mu.pending, data...)
	l.mu.added += int64(len(data))
	err := l.mu.err
	l.mu.Unlock()
	select {
	case l.work <- struct{}{}:
	default:
	}
	return err
}

// wait returns when upTo bytes are sent.
func (l *link) wait(ctx context.Context, upTo int64) error {
	for {
		l.mu.Lock()
		sent, err, progress := l.mu.sent, l.mu.err, l.mu.progress
		l.mu.Unlock()
		if err != nil || sent >= upTo {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-progress:
		}
	}
}

// run sends until the context ends or the server is away for too long.
func (l *link) run(ctx context.Context) {
	var conn net.Conn
	defer func() {
		if conn != nil {
			_ = conn.Close() // everything that counts was handed over
		}
	}()
	var sending []byte
	for {
		l.mu.Lock()
		sending, l.mu.pending = l.mu.pending, sending[:0]
		l.mu.Unlock()
		if len(sending) == 0 {
			select {
			case <-ctx.Done():
				return
			case <-l.work:
			}
			continue
		}
		l.wake()
		var err error
		if conn, err = l.send(ctx, conn, sending); err != nil {
			l.report(0, err)
			return
		}
		l.report(len(sending), nil)
	}
}

// send writes all of data to one connection, a new one if it breaks.
func (l *link) send(ctx context.Context, conn net.Conn, data []byte) (net.Conn, error) {
	for {
		if conn == nil {
			var err error
			if conn, err = l.dial.connect(ctx); err != nil {
				return nil, err
			}
			if _, err = write(ctx, conn, l.header); err != nil {
				_ = conn.Close() // its error says less than this one
				conn = nil
				if err := l.dial.failed(err); err != nil {
					return nil, err
				}
				continue
			}
		}
		n, err := write(ctx, conn, data)
		if err == nil {
			l.dial.good()
			return conn, nil
		}
		_ = conn.Close() // its error says less than this one
		conn = nil
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if n > 0 {
			l.dial.good()
		}
		if err := l.dial.failed(err); err != nil {
			return nil, err
		}
	}
}

func write(ctx context.Context, conn net.Conn, data []byte) (int, error) {
	if len(data) == 0 {
		return 0, nil
	}
	release := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) }) // ends a write that waits
	defer release()
	return conn.Write(data)
}

func (l *link) report(sent int, err error) {
	l.mu.Lock()
	l.mu.sent += int64(sent)
	l.mu.err = err
	close(l.mu.progress)
	l.mu.progress = make(chan struct{})
	l.mu.Unlock()
	l.wake()
}
