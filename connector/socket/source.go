package socket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/flottio/flott"
	"github.com/flottio/flott/format"
)

const (
	// chunkBytes is read from the connection at a time, and queueChunks wait at most for the reader: then the server is held back.
	chunkBytes  = 64 << 10
	queueChunks = 16
	// bufferMaxBytes bounds what a record may make the buffer grow to; the format's own limit is usually far below.
	bufferMaxBytes = 1 << 30
)

// Source reads records from a TCP server, HOST:PORT, with one subtask. At most once. It connects again when the connection ends, so
// it has no end, unless EndOnClose is given.
func Source[T any](address string, f format.Format[T], opts ...Option) flott.Source[T] {
	s := &source[T]{address: address, format: f, cfg: options{retryFor: DefaultRetryFor}}
	for _, o := range opts {
		o(&s.cfg)
	}
	return s
}

type source[T any] struct {
	address string
	format  format.Format[T]
	cfg     options
}

// Check implements flott.Source.
func (s *source[T]) Check() error { return errors.Join(check(s.address, &s.cfg), s.format.Check()) }

// Bounded implements flott.Source.
func (s *source[T]) Bounded() bool { return s.cfg.endOnClose }

// NewEnumerator implements flott.Source.
func (s *source[T]) NewEnumerator(ctx flott.EnumeratorContext, restored []byte) (flott.Enumerator, error) {
	e := &enumerator{ctx: ctx}
	if len(restored) == 0 || restored[0] == splitHere {
		e.splits = []flott.Split{{ID: s.address}}
	}
	return e, nil
}

// NewReader implements flott.Source.
func (s *source[T]) NewReader(ctx flott.ReaderContext) (flott.Reader[T], error) {
	dec, err := s.format.NewDecoder()
	if err != nil {
		return nil, err
	}
	return &reader[T]{ctx: ctx, source: s, dec: dec}, nil
}

// What the enumerator's state says of the one split.
const (
	splitGiven = 1
	splitHere  = 2
)

// enumerator gives the connection to the subtask that asks first. The others end.
type enumerator struct {
	ctx    flott.EnumeratorContext
	splits []flott.Split
}

func (e *enumerator) Start() error { return nil }

func (e *enumerator) Return(splits []flott.Split) error {
	e.splits = append(e.splits, splits...)
	return nil
}

func (e *enumerator) Request(subtask int) error {
	for _, s := range e.splits {
		e.ctx.Assign(subtask, s)
	}
	e.splits = nil
	e.ctx.NoMoreSplits(subtask)
	return nil
}

func (e *enumerator) Snapshot() ([]byte, error) {
	if len(e.splits) > 0 {
		return []byte{splitHere}, nil
	}
	return []byte{splitGiven}, nil
}

func (e *enumerator) Complete(int64) error { return nil }
func (e *enumerator) Close() error         { return nil }

// arrival is what the connection's goroutine hands to the reader.
type arrival struct {
	data []byte
	// end: the connection ended, with err if it broke off.
	end bool
	err error
	// fatal: no more connections.
	fatal error
}

// reader frames and decodes on the task's goroutine what a goroutine of its own receives.
type reader[T any] struct {
	ctx    flott.ReaderContext
	source *source[T]
	dec    format.Decoder[T]
	split  *flott.Split
	noMore bool
	ended  bool

	framer  format.Framer
	headers int
	buf     []byte
	r, w    int
	closing *arrival // the connection has ended: what is left in buf is its last record
	at      int64    // bytes consumed, for messages

	queue chan arrival
	free  chan []byte
	stop  context.CancelFunc
	done  chan struct{}
}

// Assign implements flott.Reader.
func (r *reader[T]) Assign(splits []flott.Split) error {
	if len(splits) == 0 {
		return nil
	}
	r.split = &splits[0]
	r.buf = make([]byte, chunkBytes)
	r.queue = make(chan arrival, queueChunks)
	r.free = make(chan []byte, queueChunks+1)
	r.done = make(chan struct{})
	ctx, stop := context.WithCancel(r.ctx.Context())
	r.stop = stop
	r.begin()
	go r.receive(ctx)
	return nil
}

// begin prepares for a new connection.
func (r *reader[T]) begin() {
	r.framer = r.source.format.NewFramer()
	r.headers = r.source.format.HeaderRecords()
	r.r, r.w, r.closing = 0, 0, nil
}

// NoMoreSplits implements flott.Reader.
func (r *reader[T]) NoMoreSplits() { r.noMore = true }

// Read implements flott.Reader.
func (r *reader[T]) Read(b *flott.Batch[T]) (flott.ReadStatus, error) {
	if r.split == nil || r.ended {
		if r.noMore {
			return flott.End, nil
		}
		return flott.NeedSplit, nil
	}
	for len(b.Rows) < b.Cap() {
		record, advance, err := r.framer.Next(r.buf[r.r:r.w], r.closing != nil)
		if record == nil && err == nil && advance > 0 {
			r.r += advance
			r.at += int64(advance)
			continue
		}
		if record == nil && err == nil {
			if status, wait, err := r.more(); wait || err != nil {
				return status, err
			}
			continue
		}
		if err := r.take(b, record, err); err != nil {
			return flott.More, err
		}
		r.r += advance
		r.at += int64(advance)
	}
	return flott.More, nil
}

// take decodes one record.
func (r *reader[T]) take(b *flott.Batch[T], record []byte, err error) error {
	if r.headers > 0 {
		r.headers--
		if h, ok := r.dec.(format.HeaderDecoder); ok && err == nil {
			err = h.DecodeHeader(record)
		}
		if err != nil {
			return fmt.Errorf("reading the header from socket %s: %w", r.source.address, err)
		}
		return nil
	}
	if err == nil && r.closing != nil && r.closing.err != nil {
		// Everything before was framed before the end was seen: this is the rest.
		err = fmt.Errorf("the connection broke off in the middle of it: %w", r.closing.err)
	}
	if err == nil {
		n := len(b.Rows)
		b.Rows = append(b.Rows, *new(T))
		if err = r.dec.Decode(record, &b.Rows[n]); err == nil {
			return nil
		}
		b.Rows = b.Rows[:n]
	}
	bad := flott.BadRecord{Split: r.source.address, Offset: r.at, Raw: record, Err: err}
	var f *format.Error
	if errors.As(err, &f) {
		bad.Column = f.Column
	}
	return r.ctx.Reject(bad)
}

// more takes what has arrived. wait: nothing has, or the source is at its end.
func (r *reader[T]) more() (status flott.ReadStatus, wait bool, err error) {
	if r.closing != nil {
		r.begin()
		if r.source.cfg.endOnClose {
			r.ended = true
			r.ctx.SplitDone(0)
			return flott.More, true, nil
		}
	}
	var a arrival
	select {
	case a = <-r.queue:
	default:
		return flott.Idle, true, nil
	}
	if a.fatal != nil {
		return flott.More, true, a.fatal
	}
	if a.end {
		r.closing = &a
		return flott.More, false, nil
	}
	err = r.keep(a.data)
	r.free <- a.data[:chunkBytes]
	return flott.More, err != nil, err
}

// keep adds data to what is not consumed yet.
func (r *reader[T]) keep(data []byte) error {
	if len(r.buf)-r.w < len(data) {
		copy(r.buf, r.buf[r.r:r.w])
		r.r, r.w = 0, r.w-r.r
	}
	if need := r.w + len(data); need > len(r.buf) {
		if need > bufferMaxBytes {
			return fmt.Errorf("socket %s: a record is longer than %d bytes", r.source.address, bufferMaxBytes)
		}
		r.buf = append(r.buf, make([]byte, max(need-len(r.buf), len(r.buf)))...)
	}
	r.w += copy(r.buf[r.w:], data)
	return nil
}

// receive connects and reads until the context ends, or the server is away for too long, or has closed with EndOnClose.
func (r *reader[T]) receive(ctx context.Context) {
	defer close(r.done)
	d := dialer{address: r.source.address, retryFor: r.source.cfg.retryFor}
	for {
		conn, err := d.connect(ctx)
		if err != nil {
			if ctx.Err() == nil {
				r.hand(ctx, arrival{fatal: err})
			}
			return
		}
		release := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) }) // ends a read that waits
		any, err := r.read(ctx, conn)
		release()
		_ = conn.Close() // nothing was written
		if ctx.Err() != nil {
			return
		}
		end := arrival{end: true}
		if err != io.EOF {
			end.err = err
		}
		r.hand(ctx, end)
		if r.source.cfg.endOnClose {
			return
		}
		if any {
			d.good()
		}
		if err := d.failed(err); err != nil && !any {
			r.hand(ctx, arrival{fatal: err})
			return
		}
	}
}

// read hands over what comes until the connection ends; any: something came.
func (r *reader[T]) read(ctx context.Context, conn io.Reader) (any bool, err error) {
	for {
		var buf []byte
		select {
		case buf = <-r.free:
		default:
			buf = make([]byte, chunkBytes)
		}
		n, err := conn.Read(buf)
		if n > 0 {
			any = true
			if !r.hand(ctx, arrival{data: buf[:n]}) {
				return any, ctx.Err()
			}
		}
		if err != nil {
			return any, err
		}
	}
}

func (r *reader[T]) hand(ctx context.Context, a arrival) bool {
	select {
	case r.queue <- a:
		r.ctx.Wake()
		return true
	case <-ctx.Done():
		return false
	}
}

// Snapshot implements flott.Reader: there is no position in a socket.
func (r *reader[T]) Snapshot() ([]flott.Split, error) {
	if r.split == nil || r.ended {
		return nil, nil
	}
	return []flott.Split{*r.split}, nil
}

// SplitName implements flott.SplitNamer.
func (r *reader[T]) SplitName(int32) string { return r.source.address }

// Close implements flott.Reader.
func (r *reader[T]) Close() error {
	if r.stop != nil {
		r.stop()
		<-r.done
	}
	return nil
}
