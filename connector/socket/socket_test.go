package socket

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flottio/flott"
	"github.com/flottio/flott/connector/internal/harness"
	"github.com/flottio/flott/format"
	"github.com/flottio/flott/internal/record"
)

type lineFormat struct{ headers int }

func (lineFormat) Name() string                                { return "lines" }
func (lineFormat) Check() error                                { return nil }
func (lineFormat) NewDecoder() (format.Decoder[string], error) { return lineCodec{}, nil }
func (lineFormat) NewEncoder() (format.Encoder[string], error) { return lineCodec{}, nil }
func (lineFormat) NewFramer() format.Framer                    { return format.Lines(true, 100<<10) }
func (lineFormat) Separator() []byte                           { return []byte("\n") }
func (lineFormat) Header() []byte                              { return nil }
func (l lineFormat) HeaderRecords() int                        { return l.headers }
func (lineFormat) Splittable() bool                            { return true }

type lineCodec struct{}

func (lineCodec) Decode(rec []byte, v *string) error {
	if at := bytes.Index(rec, []byte("bad")); at >= 0 {
		return format.NewError(rec, at, "no good")
	}
	*v = string(rec)
	return nil
}

func (lineCodec) Append(dst []byte, v *string) ([]byte, error) { return append(dst, *v...), nil }

func listen(t *testing.T, address string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// freePort returns an address at which nobody listens.
func freePort(t *testing.T) string {
	l := listen(t, "127.0.0.1:0")
	defer l.Close()
	return l.Addr().String()
}

func accept(t *testing.T, l net.Listener) net.Conn {
	t.Helper()
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// steps reads until n records are there or the source ends.
func steps(t *testing.T, j *harness.Job[string], n int) error {
	t.Helper()
	for len(j.Read) < n {
		status, err := j.Step(0)
		if err != nil || status == flott.End {
			return err
		}
		if status != flott.Idle || len(j.Read) >= n {
			continue
		}
		select {
		case <-j.Contexts[0].Woken:
		case <-time.After(20 * time.Second):
			t.Fatalf("nothing came; read %q", j.Read)
		}
	}
	return nil
}

func newJob(t *testing.T, s flott.Source[string]) *harness.Job[string] {
	t.Helper()
	j := &harness.Job[string]{Source: s, NewBatch: record.NewRows[string]}
	if err := errors.Join(s.Check(), j.Start(t.Context(), 1)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	return j
}

// TestSource reads over a connection that is cut anywhere, with a bad record, and again from a second connection.
func TestSource(t *testing.T) {
	l := listen(t, "127.0.0.1:0")
	j := newJob(t, Source(l.Addr().String(), lineFormat{}))
	if s, err := j.Step(0); s != flott.NeedSplit || err != nil {
		t.Fatal(s, err)
	}
	c := accept(t, l)
	io.WriteString(c, "one\ntw")
	steps(t, j, 1)
	io.WriteString(c, "o\na bad one\nthree\nfour without end")
	steps(t, j, 3)
	c.Close()
	if err := steps(t, j, 4); err != nil {
		t.Fatal(err)
	}
	c = accept(t, l)
	long := strings.Repeat("x", 90<<10)
	fmt.Fprintf(c, "five\n\n \n%s\n%s%s\n\nsix\n", long, long, long)
	if err := steps(t, j, 7); err != nil {
		t.Fatal(err)
	}
	if want := []string{"one", "two", "three", "four without end", "five", long, "six"}; !slices.Equal(j.Read, want) {
		t.Errorf("read %.200q", j.Read)
	}
	bad := j.Contexts[0].Bad
	if len(bad) != 2 || string(bad[0].Raw) != "a bad one" || bad[0].Column != 3 || bad[0].Split != l.Addr().String() || bad[0].Offset != 8 {
		t.Errorf("bad records %+v", bad)
	}
	if err := j.Snapshot(); err != nil {
		t.Fatal(err)
	}
	again := &harness.Job[string]{Source: j.Source, NewBatch: record.NewRows[string]}
	*again = *j
	if err := again.Start(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	if s, err := again.Step(0); s != flott.NeedSplit || err != nil {
		t.Fatal(s, err)
	}
	io.WriteString(accept(t, l), "seven\n")
	steps(t, again, 8)
	if again.Read[7] != "seven" {
		t.Errorf("after a restart: %q", again.Read[7:])
	}
	again.Step(1)
	if s, _ := again.Step(1); s != flott.End {
		t.Errorf("the other subtask says %v", s)
	}
	again.Close()
}

// TestStartOrder starts the job before the server.
func TestStartOrder(t *testing.T) {
	address := freePort(t)
	j := newJob(t, Source(address, lineFormat{}, EndOnClose()))
	j.Step(0)
	l := listen(t, address)
	c := accept(t, l)
	io.WriteString(c, "one\ntwo")
	c.Close()
	if err := steps(t, j, 100); err != nil || !slices.Equal(j.Read, []string{"one", "two"}) {
		t.Errorf("%q %v", j.Read, err)
	}
	if !j.Source.Bounded() || len(j.Contexts[0].Done) != 1 {
		t.Errorf("bounded %v, done %v", j.Source.Bounded(), j.Contexts[0].Done)
	}
}

// TestBrokenOff rejects the half of a record that came before the connection was reset.
func TestBrokenOff(t *testing.T) {
	l := listen(t, "127.0.0.1:0")
	j := newJob(t, Source(l.Addr().String(), lineFormat{}, EndOnClose()))
	j.Step(0)
	c := accept(t, l)
	io.WriteString(c, "one\nhalf")
	steps(t, j, 1)
	c.(*net.TCPConn).SetLinger(0)
	c.Close()
	if err := steps(t, j, 100); err != nil {
		t.Fatal(err)
	}
	bad := j.Contexts[0].Bad
	if len(bad) != 1 || string(bad[0].Raw) != "half" || !strings.Contains(bad[0].Err.Error(), "broke off in the middle") {
		t.Errorf("%+v", bad)
	}
}

func TestNoServer(t *testing.T) {
	address := freePort(t)
	j := newJob(t, Source(address, lineFormat{}, RetryFor(time.Millisecond)))
	err := steps(t, j, 1)
	if err == nil || !strings.Contains(err.Error(), "socket "+address+" cannot be used (2 attempts in ") || !strings.Contains(err.Error(), "nc -lk") {
		t.Errorf("error %v", err)
	}
	err = Source("localhost", lineFormat{}, RetryFor(-1)).Check()
	if err == nil || !strings.Contains(err.Error(), `"localhost" must be HOST:PORT`) || !strings.Contains(err.Error(), "RetryFor(-1ns)") {
		t.Errorf("Check: %v", err)
	}
}

// TestHeldBack bounds what a source that is not read keeps.
func TestHeldBack(t *testing.T) {
	l := listen(t, "127.0.0.1:0")
	j := newJob(t, Source(l.Addr().String(), lineFormat{}, EndOnClose()))
	j.Step(0)
	c := accept(t, l)
	const lines = 1 << 20
	go func() {
		defer c.Close()
		for i := range lines / 1024 {
			if _, err := io.WriteString(c, strings.Repeat(fmt.Sprintf("%015d\n", i), 1024)); err != nil {
				return
			}
		}
	}()
	if err := steps(t, j, lines+1); err != nil || len(j.Read) != lines {
		t.Errorf("%d records, %v", len(j.Read), err)
	}
}

func batch(lines ...string) *flott.Batch[string] {
	b := record.NewRows[string]()
	b.Rows = append(b.Rows, lines...)
	return b
}

func newWriter(t *testing.T, address string, opts ...Option) (flott.Writer[string], *harness.Writing) {
	t.Helper()
	s := Sink(address, lineFormat{}, opts...)
	ctx := &harness.Writing{Ctx: t.Context(), Subtasks: 1, Woken: make(chan struct{}, 1)}
	w, err := s.NewWriter(ctx, nil)
	if err := errors.Join(err, s.Check()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w, ctx
}

func flush(t *testing.T, w flott.Writer[string]) error {
	t.Helper()
	f, err := w.Prepare(flott.Preparation{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = f(t.Context())
	return err
}

// TestSink sends, holds back its input while nobody reads, and connects again.
func TestSink(t *testing.T) {
	l := listen(t, "127.0.0.1:0")
	w, ctx := newWriter(t, l.Addr().String())
	if err := flush(t, w); err != nil { // nothing to send: no connection
		t.Fatal(err)
	}
	if err := w.Write(batch("one", "two")); err != nil {
		t.Fatal(err)
	}
	c := accept(t, l)
	if err := flush(t, w); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 8)
	if _, err := io.ReadFull(c, buf); err != nil || string(buf) != "one\ntwo\n" {
		t.Fatalf("%q %v", buf, err)
	}
	n := 0
	for big := strings.Repeat("x", 63<<10); w.(flott.Ready).Ready() && n < 10000; n++ {
		if err := w.Write(batch(big)); err != nil {
			t.Fatal(err)
		}
	}
	if n == 10000 {
		t.Fatal("the sink is never full")
	}
	total := make(chan int64)
	go func() {
		got, _ := io.Copy(io.Discard, io.LimitReader(c, int64(n)*(63<<10+1)))
		total <- got
	}()
	if err := flush(t, w); err != nil {
		t.Fatal(err)
	}
	if got := <-total; got != int64(n)*(63<<10+1) || !w.(flott.Ready).Ready() {
		t.Errorf("received %d bytes of %d records", got, n)
	}
	<-ctx.Woken
	c.(*net.TCPConn).SetLinger(0)
	c.Close()
	// The connection is found broken by a write at the latest the second time; then there is another one.
	done := make(chan net.Conn)
	go func() {
		c, _ := l.Accept()
		done <- c
	}()
	for {
		if err := w.Write(batch("again")); err != nil {
			t.Fatal(err)
		}
		if err := flush(t, w); err != nil {
			t.Fatal(err)
		}
		select {
		case c = <-done:
			defer c.Close()
		default:
			continue
		}
		break
	}
	if _, err := io.ReadFull(c, buf[:6]); err != nil || string(buf[:6]) != "again\n" {
		t.Errorf("%q %v", buf[:6], err)
	}
}

func TestSinkWithoutServer(t *testing.T) {
	address := freePort(t)
	w, _ := newWriter(t, address, RetryFor(time.Millisecond))
	if err := w.Write(batch("one")); err != nil {
		t.Fatal(err)
	}
	if err := flush(t, w); err == nil || !strings.Contains(err.Error(), "socket "+address+" cannot be used") {
		t.Errorf("flush: %v", err)
	}
	if err := w.Write(batch("two")); err == nil {
		t.Error("written after the server was given up")
	}
	// Closing ends the attempts to connect.
	w2, _ := newWriter(t, address)
	w2.Write(batch("one"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f, _ := w2.Prepare(flott.Preparation{})
	if _, err := f(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("flush of a checkpoint that was given up: %v", err)
	}
}
