package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/flottio/flott"
	"github.com/flottio/flott/format"
	"github.com/flottio/flott/internal/record"
)

// lineFormat reads and writes lines as they are; with a header it hands the header to every decoder. A line "bad..." cannot be decoded.
type lineFormat struct {
	headers int
	max     int
	whole   bool
}

func (lineFormat) Name() string                                  { return "lines" }
func (lineFormat) Check() error                                  { return nil }
func (l lineFormat) NewDecoder() (format.Decoder[string], error) { return &lineCodec{}, nil }
func (l lineFormat) NewEncoder() (format.Encoder[string], error) { return &lineCodec{}, nil }
func (l lineFormat) NewFramer() format.Framer                    { return format.Lines(true, l.max) }
func (lineFormat) Separator() []byte                             { return []byte("\n") }
func (lineFormat) Header() []byte                                { return nil }
func (l lineFormat) HeaderRecords() int                          { return l.headers }
func (l lineFormat) Splittable() bool                            { return !l.whole }

type lineCodec struct{ header string }

func (c *lineCodec) DecodeHeader(record []byte) error {
	c.header = string(record) + ":"
	return nil
}

func (c *lineCodec) Decode(record []byte, v *string) error {
	if at := bytes.Index(record, []byte("bad")); at >= 0 {
		return format.NewError(record, at, "no good")
	}
	*v = c.header + strings.TrimSuffix(string(record), "\r")
	return nil
}

func (c *lineCodec) Append(dst []byte, v *string) ([]byte, error) {
	if *v == "unwritable" {
		return dst, errors.New("cannot be written")
	}
	return append(dst, *v...), nil
}

// enumCtx is an EnumeratorContext that runs everything at once, but After: the test calls later.
type enumCtx struct {
	t        testing.TB
	parallel int
	assigned [][]flott.Split
	noMore   []bool
	later    []func() error
	err      error
	given    int
	told     bool
}

func newEnumCtx(t testing.TB, parallel int) *enumCtx {
	return &enumCtx{t: t, parallel: parallel, assigned: make([][]flott.Split, parallel), noMore: make([]bool, parallel)}
}

func (c *enumCtx) Context() context.Context { return context.Background() }
func (c *enumCtx) Parallelism() int         { return c.parallel }
func (c *enumCtx) Assign(subtask int, s flott.Split) {
	c.assigned[subtask] = append(c.assigned[subtask], s)
}
func (c *enumCtx) NoMoreSplits(subtask int) { c.noMore[subtask] = true }
func (c *enumCtx) Async(work func(context.Context) (any, error), done func(any, error) error) {
	c.err = errors.Join(c.err, done(work(context.Background())))
}
func (c *enumCtx) After(_ int64, f func() error) { c.later = append(c.later, f) }

// readCtx is a ReaderContext that collects bad records.
type readCtx struct {
	bad  []flott.BadRecord
	fail bool
	done []int32
}

func (c *readCtx) Context() context.Context { return context.Background() }
func (c *readCtx) Subtask() int             { return 0 }
func (c *readCtx) Parallelism() int         { return 1 }
func (c *readCtx) Wake()                    {}
func (c *readCtx) Now() int64               { return 1 }
func (c *readCtx) SplitDone(n int32)        { c.done = append(c.done, n) }
func (c *readCtx) Reject(b flott.BadRecord) error {
	b.Raw = bytes.Clone(b.Raw)
	c.bad = append(c.bad, b)
	if c.fail {
		return fmt.Errorf("%s:%d:%d: %w: %s", b.Split, b.Line, b.Column, b.Err, b.Raw)
	}
	return nil
}

// drive runs a source with one subtask to its end (or to its idling) and returns the records. every > 0 takes a snapshot of everything after that many
// reads and goes on with a new enumerator and reader.
func drive(t *testing.T, src flott.Source[string], ctx *readCtx, every int) ([]string, error) {
	t.Helper()
	var out []string
	var state []byte
	var held []flott.Split
	for {
		ec := newEnumCtx(t, 1)
		e, err := src.NewEnumerator(ec, state)
		if err != nil {
			return out, err
		}
		if held != nil {
			if err := e.Return(held); err != nil {
				return out, err
			}
		}
		if err := errors.Join(e.Start(), ec.err); err != nil {
			return out, err
		}
		r, err := src.NewReader(ctx)
		if err != nil {
			return out, err
		}
		again, err := driveReader(e, ec, r, every, &out)
		if err == nil && again {
			held, err = r.Snapshot()
			if state, _ = e.Snapshot(); err == nil {
				err = r.Close()
			}
			if held == nil {
				held = []flott.Split{}
			}
			if err == nil {
				continue
			}
		}
		return out, errors.Join(err, r.Close())
	}
}

func driveReader(e flott.Enumerator, ec *enumCtx, r flott.Reader[string], every int, out *[]string) (again bool, err error) {
	for reads := 0; ; {
		b := record.NewRows[string]()
		status, err := r.Read(b)
		if err != nil {
			return false, err
		}
		*out = append(*out, b.Rows...)
		b.Release()
		switch status {
		case flott.More:
			reads++
		case flott.End:
			return false, nil
		case flott.NeedSplit:
			if err := errors.Join(e.Request(0), ec.err); err != nil {
				return false, err
			}
			if ec.given == len(ec.assigned[0]) && !ec.noMore[0] {
				return false, nil // unbounded: nothing to read now
			}
		}
		if new := ec.assigned[0][ec.given:]; len(new) > 0 {
			ec.given = len(ec.assigned[0])
			if err := r.Assign(new); err != nil {
				return false, err
			}
		}
		if ec.noMore[0] && !ec.told {
			ec.told = true
			r.NoMoreSplits()
		}
		if every > 0 && reads >= every {
			return true, nil
		}
	}
}

func write(t testing.TB, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func gzipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write([]byte(text))
	w.Close()
	return b.String()
}

func zstded(text string) string {
	var b bytes.Buffer
	w, _ := zstd.NewWriter(&b)
	w.Write([]byte(text))
	w.Close()
	return b.String()
}

var files = map[string]string{
	"plain":              "one\ntwo\nthree\n",
	"no last newline":    "one\ntwo\nthree",
	"crlf":               "one\r\ntwo\r\nthree\r\n",
	"blank lines":        "\n\none\n\n\n  \ntwo\n\n\n\n\nthree\n\n",
	"one long":           "a\n" + strings.Repeat("x", 50) + "\nb\n",
	"only blank":         "\n\n\n\n",
	"empty":              "",
	"single newline":     "\n",
	"one byte":           "a",
	"blank then no line": "a\n\n\n\nx",
}

// TestSplitSizes reads small files cut at every possible place: each record comes exactly once, whatever the size of the splits, with and
// without a header, with and without restores between any two reads.
func TestSplitSizes(t *testing.T) {
	for name, text := range files {
		for headers := range 2 {
			path := write(t, filepath.Join(t.TempDir(), "f.txt"), text)
			f := lineFormat{headers: headers}
			want, err := drive(t, Source(path, f), &readCtx{}, 0)
			if err != nil {
				t.Fatal(err)
			}
			if plain := wantLines(text, headers); !slices.Equal(want, plain) {
				t.Fatalf("%s, %d headers: got %q, want %q", name, headers, want, plain)
			}
			for size := int64(1); size <= int64(len(text))+1; size++ {
				for _, every := range []int{0, 1, 3} {
					got, err := drive(t, Source(path, f, SplitSize(size)), &readCtx{}, every)
					if err != nil || !slices.Equal(got, want) {
						t.Fatalf("%s, %d headers, splits of %d bytes, restored every %d reads: got %q (%v), want %q",
							name, headers, size, every, got, err, want)
					}
				}
			}
		}
	}
}

func wantLines(text string, headers int) []string {
	var out []string
	header := ""
	for _, l := range strings.Split(text, "\n") {
		if strings.TrimSpace(l) == "" {
			continue
		}
		l = strings.TrimSuffix(l, "\r")
		if headers > 0 && header == "" {
			// Decode cuts the carriage return of the record only.
			header = l + ":"
			if strings.Contains(text, l+"\r\n") {
				header = l + "\r:"
			}
			continue
		}
		out = append(out, header+l)
	}
	return out
}

func TestCompressed(t *testing.T) {
	var text strings.Builder
	for i := range 20000 {
		fmt.Fprintf(&text, "line %d\n", i)
	}
	want := wantLines(text.String(), 0)
	half := len(text.String()) / 2
	for name, content := range map[string]string{
		"a.gz": gzipped(text.String()), "a.zst": zstded(text.String()),
		"two.gz": gzipped(text.String()[:half]) + gzipped(text.String()[half:]),
	} {
		path := write(t, filepath.Join(t.TempDir(), name), content)
		for every := range 3 {
			got, err := drive(t, Source(path, lineFormat{}, SplitSize(100)), &readCtx{}, every)
			if err != nil || !slices.Equal(got, want) {
				t.Fatalf("%s, every %d: %d records, error %v", name, every, len(got), err)
			}
		}
	}
}

func TestDamagedCompressed(t *testing.T) {
	text := strings.Repeat("some line that is repeated\n", 5000)
	for name, whole := range map[string]string{"a.gz": gzipped(text), "a.zst": zstded(text)} {
		for _, n := range []int{0, 1, 5, len(whole) / 2, len(whole) - 1} {
			if n == 0 && name == "a.zst" {
				continue // an empty file is an empty zstd stream
			}
			path := write(t, filepath.Join(t.TempDir(), name), whole[:n])
			_, err := drive(t, Source(path, lineFormat{}), &readCtx{}, 0)
			if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "cut off or damaged behind plain byte") {
				t.Errorf("%s cut to %d of %d bytes: error %v", name, n, len(whole), err)
			}
		}
	}
}

// TestBadRecords finds file, line, column and text of a bad line, also behind a restore, in a later split and in compressed files.
func TestBadRecords(t *testing.T) {
	text := "one\n\ntwo\nth bad ree\nfour\nbad\n"
	dir := t.TempDir()
	for _, path := range []string{
		write(t, filepath.Join(dir, "a.txt"), text), write(t, filepath.Join(dir, "a.gz"), gzipped(text)), write(t, filepath.Join(dir, "a.zst"), zstded(text)),
	} {
		for size := int64(1); size <= int64(len(text)); size++ {
			for every := range 3 {
				ctx := &readCtx{}
				got, err := drive(t, Source(path, lineFormat{}, SplitSize(size)), ctx, every)
				if err != nil || !slices.Equal(got, []string{"one", "two", "four"}) {
					t.Fatalf("%s: %q %v", path, got, err)
				}
				want := "[" + path + " 9 4:4 th bad ree][" + path + " 25 6:1 bad]"
				var all strings.Builder
				for _, b := range ctx.bad {
					fmt.Fprintf(&all, "[%s %d %d:%d %s]", b.Split, b.Offset, b.Line, b.Column, b.Raw)
				}
				if all.String() != want {
					t.Fatalf("splits of %d, restored every %d:\n got %s\nwant %s", size, every, &all, want)
				}
			}
		}
	}
	_, err := drive(t, Source(filepath.Join(dir, "a.txt"), lineFormat{}), &readCtx{fail: true}, 0)
	if err == nil || !strings.Contains(err.Error(), "a.txt:4:4:") || !strings.Contains(err.Error(), "th bad ree") {
		t.Errorf("error %v", err)
	}
}

func TestRecordTooLong(t *testing.T) {
	long := strings.Repeat("x", 600<<10)
	path := write(t, filepath.Join(t.TempDir(), "a.txt"), "one\n"+long+"\ntwo\n"+long+"\n"+long)
	for _, size := range []int64{1 << 30, 100 << 10, 30000} {
		ctx := &readCtx{}
		got, err := drive(t, Source(path, lineFormat{max: 1000}, SplitSize(size)), ctx, 0)
		if err != nil || !slices.Equal(got, []string{"one", "two"}) || len(ctx.bad) != 3 {
			t.Fatalf("splits of %d: %q, %d bad, %v", size, got, len(ctx.bad), err)
		}
		for i, b := range ctx.bad {
			if b.Line != []int{2, 4, 5}[i] || !strings.Contains(b.Err.Error(), "614400 bytes") {
				t.Errorf("%d: line %d offset %d, %v", i, b.Line, b.Offset, b.Err)
			}
		}
		if ctx.bad[0].Offset != 4 {
			t.Errorf("offset %d", ctx.bad[0].Offset)
		}
	}
	got, err := drive(t, Source(path, lineFormat{}), &readCtx{}, 0)
	if err != nil || len(got) != 5 || got[1] != long {
		t.Errorf("%d records, %v", len(got), err)
	}
}

func TestGlob(t *testing.T) {
	dir := t.TempDir()
	for _, f := range []string{"a.txt", "b.txt", "c.csv", ".hidden.txt", "sub/d.txt", "sub/deep/e.txt", "sub/.x/f.txt", "_tmp/g.txt", "h[1].txt"} {
		write(t, filepath.Join(dir, f), filepath.Base(f))
	}
	link := func(from, to string) {
		if err := os.Symlink(from, filepath.Join(dir, to)); err != nil {
			t.Fatal(err)
		}
	}
	link(filepath.Join(dir, "a.txt"), "link.txt")
	link(dir, "sub/circle")
	link(filepath.Join(dir, "nowhere"), "dangling.txt")
	for pattern, want := range map[string]string{
		"*.txt":        "a.txt b.txt h[1].txt link.txt",
		"a.txt":        "a.txt",
		"h[1].txt":     "h[1].txt", // a file of that very name
		"**/*.txt":     "_tmp/g.txt a.txt b.txt h[1].txt link.txt sub/d.txt sub/deep/e.txt",
		"sub/**":       "sub/d.txt sub/deep/e.txt",
		"":             "a.txt b.txt c.csv h[1].txt link.txt sub/d.txt sub/deep/e.txt",
		"*/d.txt":      "sub/d.txt",
		"[ab].*":       "a.txt b.txt",
		".*.txt":       ".hidden.txt",
		"none*":        "",
		"missing.txt":  "",
		"sub/../a.txt": "a.txt",
	} {
		files, err := list([]string{filepath.Join(dir, pattern), filepath.Join(dir, pattern)})
		var names []string
		for _, f := range files {
			rel, _ := filepath.Rel(dir, f.Path)
			names = append(names, rel)
		}
		if got := strings.Join(names, " "); err != nil || got != want {
			t.Errorf("%q: got %q (%v), want %q", pattern, got, err, want)
		}
	}
	if _, err := list([]string{"/dev/null"}); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("device: %v", err)
	}
}

func TestNoFile(t *testing.T) {
	pattern := filepath.Join(t.TempDir(), "*.json")
	_, err := drive(t, Source(pattern, lineFormat{}), &readCtx{}, 0)
	if err == nil || !strings.Contains(err.Error(), "no file matches "+pattern) {
		t.Errorf("error %v", err)
	}
	if got, err := drive(t, Source(pattern, lineFormat{}, AllowNone()), &readCtx{}, 0); err != nil || got != nil {
		t.Errorf("%q %v", got, err)
	}
	if err := Source("[", lineFormat{}, SplitSize(0), Monitor(0)).Check(); err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("Check: %v", err)
	}
}

// TestChangedFile changes a file between finding and reading it.
func TestChangedFile(t *testing.T) {
	old := time.Unix(1000, 0)
	for name, c := range map[string]struct {
		change func(path string) error
		want   string
		lines  int
	}{
		"vanished": {os.Remove, "has vanished since it was found (recorded 8 bytes", 0},
		"shrunk":   {func(p string) error { return os.Truncate(p, 3) }, "has shrunk since it was found: recorded 8 bytes", 0},
		"rewritten": {func(p string) error { return os.WriteFile(p, []byte("x\ny\nz\nab"), 0o666) },
			"was written to since it was found: recorded 8 bytes", 0},
		"replaced": {func(p string) error {
			return errors.Join(os.WriteFile(p+"2", []byte("a new and longer file\n"), 0o666), os.Rename(p+"2", p))
		}, "was replaced by another file", 0},
		"directory": {func(p string) error { return errors.Join(os.Remove(p), os.Mkdir(p, 0o777)) }, "is no longer a regular file", 0},
		"grown": {func(p string) error {
			f, err := os.OpenFile(p, os.O_APPEND|os.O_WRONLY, 0)
			if err == nil {
				_, err = f.WriteString("more\nlast\n")
				err = errors.Join(err, f.Close())
			}
			return err
		}, "", 3},
	} {
		path := write(t, filepath.Join(t.TempDir(), "f"), "one\ntwo\n")
		if name == "grown" {
			write(t, path, "one\ntwo\nth") // the line being written is completed, later ones are not read
		}
		os.Chtimes(path, old, old)
		src := Source(path, lineFormat{})
		ec, ctx := newEnumCtx(t, 1), &readCtx{}
		e, _ := src.NewEnumerator(ec, nil)
		e.Start()
		r, _ := src.NewReader(ctx)
		if err := c.change(path); err != nil {
			t.Fatal(err)
		}
		var out []string
		_, err := driveReader(e, ec, r, 0, &out)
		r.Close()
		if c.want == "" && (err != nil || len(out) != c.lines || out[2] != "thmore") {
			t.Errorf("%s: %q %v", name, out, err)
		}
		if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path)) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// TestShrinkWhileReading cuts a file that is open.
func TestShrinkWhileReading(t *testing.T) {
	path := write(t, filepath.Join(t.TempDir(), "f"), strings.Repeat("a line\n", 200000))
	src := Source(path, lineFormat{})
	ec := newEnumCtx(t, 1)
	e, _ := src.NewEnumerator(ec, nil)
	e.Start()
	r, _ := src.NewReader(&readCtx{})
	var out []string
	if _, err := driveReader(e, ec, r, 3, &out); err != nil {
		t.Fatal(err)
	}
	os.Truncate(path, 1000)
	_, err := driveReader(e, ec, r, 0, &out)
	r.Close()
	if err == nil || !strings.Contains(err.Error(), "has shrunk while it was read: it ends at byte 1000, recorded were 1400000 bytes") {
		t.Errorf("error %v", err)
	}
}

// TestMonitor finds new files, also after a restore, and reads each once.
func TestMonitor(t *testing.T) {
	dir := t.TempDir()
	src := Source(filepath.Join(dir, "*"), lineFormat{}, Monitor(time.Second), SplitSize(2))
	write(t, filepath.Join(dir, "a"), "a1\na2\n")
	ec := newEnumCtx(t, 1)
	e, err := src.NewEnumerator(ec, nil)
	if err != nil {
		t.Fatal(err)
	}
	e.Start()
	r, _ := src.NewReader(&readCtx{})
	var out []string
	driveReader(e, ec, r, 0, &out)
	write(t, filepath.Join(dir, "b"), "b1\nb2\n")
	if err := ec.later[0](); err != nil || len(ec.later) != 2 || len(ec.assigned[0]) < 3 {
		t.Fatalf("%v, %d timers, %d splits", err, len(ec.later), len(ec.assigned[0]))
	}
	write(t, filepath.Join(dir, "c"), "c1\n")
	state, _ := e.Snapshot()
	ec2 := newEnumCtx(t, 1)
	e2, err := src.NewEnumerator(ec2, state)
	if err != nil {
		t.Fatal(err)
	}
	if err := e2.Return(ec.assigned[0][len(ec.assigned[0])-1:]); err != nil {
		t.Fatal(err)
	}
	e2.Start()
	r2, _ := src.NewReader(&readCtx{})
	driveReader(e2, ec2, r2, 0, &out)
	if want := []string{"a1", "a2", "b1", "b2", "c1"}; !slices.Equal(out, want) || ec2.noMore[0] || src.Bounded() {
		t.Errorf("got %q, want %q", out, want)
	}
}

// A restored reader gets its share of the splits that were being read at once, in the order of the paths: one that waits with the enumerator would
// not hold back event time.
func TestReturnedSplitsAreSharedOut(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		write(t, filepath.Join(dir, name), "x\ny\n")
	}
	src := Source(dir, lineFormat{})
	ec := newEnumCtx(t, 4)
	e, err := src.NewEnumerator(ec, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Start(); err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		if err := e.Request(3 - i); err != nil { // not in the order of the subtasks
			t.Fatal(err)
		}
	}
	state, err := e.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	ec2 := newEnumCtx(t, 2)
	e2, err := src.NewEnumerator(ec2, state)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(e2.Return(slices.Concat(ec.assigned...)), e2.Start(), e2.Request(1), e2.Request(0)); err != nil {
		t.Fatal(err)
	}
	for subtask, want := range [][]string{{"c", "d"}, {"a", "b"}} {
		var got []string
		for _, s := range ec2.assigned[subtask] {
			x, err := decodeSplit(s)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, filepath.Base(x.Path))
		}
		if !slices.Equal(got, want) {
			t.Errorf("subtask %d got %v, want %v", subtask, got, want)
		}
	}
}

// TestEnumeratorState cuts and damages the state: it is refused or restores, and never panics or allocates without bound.
func TestEnumeratorState(t *testing.T) {
	dir := t.TempDir()
	for i := range 20 {
		write(t, filepath.Join(dir, "file"+strconv.Itoa(i)), strings.Repeat("x\n", i+1))
	}
	src := Source(dir, lineFormat{}, SplitSize(3))
	ec := newEnumCtx(t, 3)
	e, _ := src.NewEnumerator(ec, nil)
	e.Start()
	for i := range 4 {
		e.Request(i % 3)
	}
	state, _ := e.Snapshot()
	for n := 1; n < len(state); n++ {
		if _, err := src.NewEnumerator(newEnumCtx(t, 1), state[:n]); err == nil {
			t.Fatalf("state cut to %d of %d bytes was taken", n, len(state))
		}
		damaged := bytes.Clone(state)
		damaged[n] ^= 0xff
		src.NewEnumerator(newEnumCtx(t, 1), damaged)
	}
	// The rest, with another split size, has every record once.
	again := Source(dir, lineFormat{}, SplitSize(7))
	held := slices.Concat(ec.assigned...)
	ec2 := newEnumCtx(t, 1)
	e2, err := again.NewEnumerator(ec2, state)
	if err != nil {
		t.Fatal(err)
	}
	e2.Return(held)
	e2.Start()
	r, _ := again.NewReader(&readCtx{})
	var out []string
	if _, err := driveReader(e2, ec2, r, 0, &out); err != nil || len(out) != 210 {
		t.Errorf("%d records, %v", len(out), err)
	}
}

func TestProgress(t *testing.T) {
	path := write(t, filepath.Join(t.TempDir(), "f"), strings.Repeat("a line\n", 100000))
	src := Source(path, lineFormat{}, SplitSize(100000))
	ec := newEnumCtx(t, 1)
	e, _ := src.NewEnumerator(ec, nil)
	e.Start()
	r, _ := src.NewReader(&readCtx{})
	var out []string
	driveReader(e, ec, r, 4, &out)
	done, total := r.(flott.Progressor).Progress()
	if done <= 0 || done >= total {
		t.Errorf("%d of %d", done, total)
	}
	driveReader(e, ec, r, 0, &out)
	if done, total = r.(flott.Progressor).Progress(); done != 700000 || total != 700000 || len(out) != 100000 {
		t.Errorf("%d of %d, %d records", done, total, len(out))
	}
}

func BenchmarkSource(b *testing.B) {
	path := write(b, filepath.Join(b.TempDir(), "f"), strings.Repeat(strings.Repeat("x", 99)+"\n", 200000))
	b.SetBytes(20000000)
	b.ReportAllocs()
	for range b.N {
		src := Source[int](path, lengthFormat{})
		ec := newEnumCtx(b, 1)
		e, _ := src.NewEnumerator(ec, nil)
		e.Start()
		e.Request(0)
		r, _ := src.NewReader(&readCtx{})
		r.Assign(ec.assigned[0])
		r.NoMoreSplits()
		n := 0
		for {
			rows := record.NewRows[int]()
			status, err := r.Read(rows)
			if err != nil {
				b.Fatal(err)
			}
			n += rows.Len()
			rows.Release()
			if status == flott.End {
				break
			}
			if status == flott.NeedSplit {
				b.Fatal("needs a split")
			}
		}
		if n != 200000 {
			b.Fatal(n)
		}
	}
}

// lengthFormat decodes a line to its length: the cost is that of framing alone.
type lengthFormat struct{ lineFormat }

func (lengthFormat) NewDecoder() (format.Decoder[int], error) { return lengthCodec{}, nil }
func (lengthFormat) NewEncoder() (format.Encoder[int], error) { return nil, errors.New("cannot write") }

type lengthCodec struct{}

func (lengthCodec) Decode(record []byte, v *int) error { *v = len(record); return nil }
