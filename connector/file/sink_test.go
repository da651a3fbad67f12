package file

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/flottio/flott"
	"github.com/flottio/flott/internal/record"
)

// writeCtx is a WriterContext.
type writeCtx struct {
	job, attempt string
	subtask      int
	now          int64
}

func (c *writeCtx) Context() context.Context { return context.Background() }
func (c *writeCtx) UID() string              { return "out" }
func (c *writeCtx) JobID() string            { return c.job }
func (c *writeCtx) Attempt() string          { return c.attempt }
func (c *writeCtx) Subtask() int             { return c.subtask }
func (c *writeCtx) Parallelism() int         { return 1 }
func (c *writeCtx) Now() int64               { return c.now }
func (c *writeCtx) Wake()                    {}

func batch(lines ...string) *flott.Batch[string] {
	b := record.NewRows[string]()
	b.Rows = append(b.Rows, lines...)
	return b
}

type testSink struct {
	t    *testing.T
	sink *sink[string]
	ctx  *writeCtx
	w    flott.Writer[string]
}

func newTestSink(t *testing.T, dir string, opts ...SinkOption) *testSink {
	return &testSink{t: t, sink: Sink(dir, lineFormat{}, opts...).(*sink[string]), ctx: &writeCtx{job: "job", attempt: "1", now: 1}}
}

func (s *testSink) recovered(r flott.Recovery) error {
	r.UID, r.JobID, r.Attempt = "out", s.ctx.job, s.ctx.attempt
	return s.sink.Recover(context.Background(), r)
}

func (s *testSink) open(restored ...[]byte) {
	s.t.Helper()
	var err error
	if s.w, err = s.sink.NewWriter(s.ctx, restored); err != nil {
		s.t.Fatal(err)
	}
}

func (s *testSink) write(lines ...string) {
	s.t.Helper()
	if err := s.w.Write(batch(lines...)); err != nil {
		s.t.Fatal(err)
	}
}

func (s *testSink) checkpoint(p flott.Preparation) flott.Prepared {
	s.t.Helper()
	flush, err := s.w.Prepare(p)
	if err != nil {
		s.t.Fatal(err)
	}
	done, err := flush(context.Background())
	if err != nil {
		s.t.Fatal(err)
	}
	return done
}

func (s *testSink) commit(c [][]byte) {
	s.t.Helper()
	if err := s.sink.Commit(context.Background(), c); err != nil {
		s.t.Fatal(err)
	}
}

// content returns the finished files as "name: content" without what differs from run to run, and the number of hidden ones.
func content(t *testing.T, dir string) (finished []string, hidden int) {
	t.Helper()
	filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		if strings.HasPrefix(e.Name(), ".") {
			hidden++
			return nil
		}
		data, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		finished = append(finished, rel+": "+strings.ReplaceAll(string(data), "\n", "|"))
		return err
	})
	return finished, hidden
}

func want(t *testing.T, dir string, hidden int, patterns ...string) {
	t.Helper()
	got, h := content(t, dir)
	if h != hidden || len(got) != len(patterns) {
		t.Fatalf("finished %q and %d hidden files, want %q and %d", got, h, patterns, hidden)
	}
	for i, g := range got {
		if ok, _ := filepath.Match(patterns[i], g); !ok {
			t.Fatalf("finished %q, want %q", got, patterns)
		}
	}
}

// TestRollOnCheckpoint follows one file from hidden to finished on a real disk.
func TestRollOnCheckpoint(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "out")
	s := newTestSink(t, dir)
	if err := errors.Join(s.sink.Check(), s.recovered(flott.Recovery{})); err != nil {
		t.Fatal(err)
	}
	s.open()
	s.write("one", "two")
	want(t, dir, 1)
	p := s.checkpoint(flott.Preparation{Checkpoint: 1})
	s.write("three")
	want(t, dir, 2)
	s.commit(p.Committables)
	s.commit(p.Committables)
	want(t, dir, 1, "part-0-????????????-0.lines: one|two|")
	if p.State != nil || len(p.Committables) != 1 {
		t.Errorf("%+v", p)
	}
	if err := s.w.Close(); err != nil {
		t.Fatal(err)
	}
	want(t, dir, 0, "part-0-*-0.lines: one|two|") // nothing named the second file: Close took it away
}

// TestContinued lets a file go on over checkpoints, crashes, and restores: at the recorded length, with another writer, and from a savepoint.
func TestContinued(t *testing.T) {
	dir := t.TempDir()
	s := newTestSink(t, dir, RollOnCheckpoint(false))
	s.open()
	s.write("one")
	p1 := s.checkpoint(flott.Preparation{Checkpoint: 1})
	s.write("two")
	other := newTestSink(t, dir, RollOnCheckpoint(false))
	other.ctx.subtask = 1
	other.open()
	other.write("three")
	p2 := other.checkpoint(flott.Preparation{Checkpoint: 1})
	other.write("four")
	if len(p1.Committables)+len(p2.Committables) != 0 || p1.State == nil {
		t.Fatalf("%+v", p1)
	}
	s.w.Close()
	other.w.Close()
	want(t, dir, 2)

	s.ctx.attempt = "2"
	if err := s.recovered(flott.Recovery{Restored: true, States: [][]byte{p1.State, p2.State}}); err != nil {
		t.Fatal(err)
	}
	s.open(p1.State, p2.State)
	s.write("again two")
	p := s.checkpoint(flott.Preparation{Checkpoint: 2, Savepoint: true})
	if p.State != nil || len(p.Committables) != 2 {
		t.Fatalf("a savepoint has %d committables and state %s", len(p.Committables), p.State)
	}
	s.write("last")
	end := s.checkpoint(flott.Preparation{Checkpoint: 3, Last: true})
	s.commit(append(p.Committables, end.Committables...))
	s.w.Close()
	want(t, dir, 0, "part-0-*: one|again two|", "part-0-*: last|", "part-1-*: three|")
	// The savepoint can still be restored: what it contains is finished already.
	if err := s.recovered(flott.Recovery{Restored: true, Committables: p.Committables}); err != nil {
		t.Error(err)
	}
	// Not so the first checkpoint, whose file was finished later.
	_, err := s.sink.NewWriter(s.ctx, [][]byte{p1.State})
	if err == nil || !strings.Contains(err.Error(), "a later checkpoint has finished it as") {
		t.Errorf("error %v", err)
	}
}

// TestLost meets files that are missing, short or changed although a checkpoint contains them.
func TestLost(t *testing.T) {
	dir := t.TempDir()
	s := newTestSink(t, dir)
	s.open()
	s.write("one", "two")
	p := s.checkpoint(flott.Preparation{Checkpoint: 7})
	pend, _ := decodePending(p.Committables[0])
	hidden := filepath.Join(dir, pend.Hidden)
	expect := func(text string) {
		t.Helper()
		err := s.recovered(flott.Recovery{Restored: true, Committables: p.Committables})
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("got %v, want %q", err, text)
		}
	}
	os.Truncate(hidden, 3)
	expect("2 records of checkpoint 7 are lost: " + hidden + " has 3 bytes, the checkpoint recorded 8")
	os.Truncate(hidden, 100)
	expect("has 100 bytes, the checkpoint recorded 8: another run of the job")
	os.Truncate(hidden, 8)
	write(t, filepath.Join(dir, pend.Final), "foreign")
	expect("exists already beside")
	os.Remove(filepath.Join(dir, pend.Final))
	os.Remove(hidden)
	expect("2 records of checkpoint 7 are lost: neither " + hidden)
	accept := newTestSink(t, dir, AcknowledgeLost(pend.Final))
	if err := accept.recovered(flott.Recovery{Restored: true, Committables: p.Committables}); err != nil {
		t.Errorf("acknowledged: %v", err)
	}

	s = newTestSink(t, dir, RollOnCheckpoint(false))
	s.open()
	s.write("one", "two")
	p = s.checkpoint(flott.Preparation{Checkpoint: 8})
	s.w.Close()
	st, _ := decodeState(p.State)
	hidden = filepath.Join(dir, st.Files[0].Hidden)
	reopen := func(text string) {
		t.Helper()
		_, err := s.sink.NewWriter(s.ctx, [][]byte{p.State})
		if err == nil || !strings.Contains(err.Error(), text) || !strings.Contains(err.Error(), hidden) {
			t.Errorf("got %v, want %q", err, text)
		}
	}
	os.WriteFile(hidden, []byte("one\ntwX\nmore"), 0o666)
	reopen("its first 8 bytes have the digest")
	os.Truncate(hidden, 5)
	reopen("it has 5 bytes, the checkpoint recorded 8: data was lost")
	os.Remove(hidden)
	reopen("2 records that the checkpoint contains are lost")
}

// TestRecoverLeavesOthersAlone removes this sink's leftovers and nothing else.
func TestRecoverLeavesOthersAlone(t *testing.T) {
	dir := t.TempDir()
	mine := owner("job", "out")
	keep := []string{".part-0-x-0.lines." + owner("job", "other") + hiddenSuffix, ".part-0-x-0.lines." + owner("job2", "out") + hiddenSuffix,
		"part-0-x-0.lines", ".hidden", "a/part-0-x-1.lines", "part-0-x-0.lines." + mine + hiddenSuffix}
	for _, k := range keep {
		write(t, filepath.Join(dir, k), "x")
	}
	write(t, filepath.Join(dir, ".part-0-x-0.lines."+mine+hiddenSuffix), "x")
	write(t, filepath.Join(dir, "a/b/.part-3-x-0.lines."+mine+hiddenSuffix), "x")
	outside := write(t, filepath.Join(t.TempDir(), ".part-3-x-0.lines."+mine+hiddenSuffix), "x")
	os.Symlink(filepath.Dir(outside), filepath.Join(dir, "link"))
	s := newTestSink(t, dir)
	if err := s.recovered(flott.Recovery{}); err != nil {
		t.Fatal(err)
	}
	var left []string
	filepath.WalkDir(dir, func(p string, e os.DirEntry, _ error) error {
		if e.Type().IsRegular() {
			rel, _ := filepath.Rel(dir, p)
			left = append(left, rel)
		}
		return nil
	})
	slices.Sort(keep)
	slices.Sort(left)
	if !slices.Equal(left, keep) {
		t.Errorf("left %q\nwant %q", left, keep)
	}
	if _, err := os.Stat(outside); err != nil {
		t.Error("a link was followed:", err)
	}
}

// TestLiveWriter refuses to recover while another process writes under the same job and uid, and removes nothing.
func TestLiveWriter(t *testing.T) {
	dir := t.TempDir()
	live := newTestSink(t, dir)
	live.open()
	live.write("one")
	defer live.w.Close()
	mine := write(t, filepath.Join(dir, ".part-0-aaa-0.lines."+owner("job", "out")+hiddenSuffix), "leftover")
	s := newTestSink(t, dir)
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	err := s.sink.Recover(ctx, flott.Recovery{UID: "out", JobID: "job"})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Recover did not wait: %v", err)
	}
	files, _ := filepath.Glob(filepath.Join(dir, ".part-0-[0-9a-f]*"))
	h, err := localDisk{}.Continue(files[len(files)-1])
	if len(files) != 2 || !(errors.Is(err, errLocked) || h != nil) {
		t.Fatalf("%q %v", files, err)
	}
	if h != nil {
		h.Close()
	}
	if _, err := os.Stat(mine); err != nil {
		t.Errorf("a leftover was removed although a job is running: %v", err)
	}
}

func TestRolling(t *testing.T) {
	dir := t.TempDir()
	s := newTestSink(t, dir, RollOnCheckpoint(false), RollSize(8), RollInterval(time.Second), RollInactivity(100*time.Millisecond))
	s.open()
	s.write("aaa", "bbb", "ccc", "ddd", "e")
	tick := func(now int64) {
		t.Helper()
		s.ctx.now = now
		if err := s.w.(flott.Ticker).Tick(now); err != nil {
			t.Fatal(err)
		}
	}
	tick(90)
	s.write("f")
	tick(190) // 100 ms after the last write
	for now := int64(200); now <= 1300; now += 50 {
		s.write("g"[:now%2])
		tick(now)
	}
	p := s.checkpoint(flott.Preparation{Checkpoint: 1, Last: true})
	s.commit(p.Committables)
	s.w.Close()
	got, hidden := content(t, dir)
	for i := range got {
		got[i] = got[i][strings.Index(got[i], ": ")+2:]
	}
	if hidden != 0 || len(got) < 6 || !slices.Equal(got[:3], []string{"aaa|bbb|", "ccc|ddd|", "e|f|"}) || got[3] != "||||||||" {
		t.Errorf("%d hidden, finished %q", hidden, got)
	}
}

func TestBuckets(t *testing.T) {
	dir := t.TempDir()
	s := newTestSink(t, dir, Bucket(func(v *string) string { return (*v)[:strings.Index(*v, ":")] }))
	s.open()
	s.write("a:1", "b/c:2", "a:3", ":4")
	p := s.checkpoint(flott.Preparation{Checkpoint: 1})
	s.commit(p.Committables)
	want(t, dir, 0, "a/part-*: a:1|a:3|", "b/c/part-*: b/c:2|", "part-*: :4|")
	for _, bad := range []string{"../x:", "/x:", ".x:", "a/.x:", "a//b:", "a/:", "a/../b:", "\x00:"} {
		if err := s.w.Write(batch(bad)); err == nil || !strings.Contains(err.Error(), "bucket "+strconv.Quote(bad[:len(bad)-1])) {
			t.Errorf("bucket %q: %v", bad, err)
		}
	}
	s.w.Close()

	byTime := newTestSink(t, dir, BucketByTime("2006-01-02/15"), RollOnCheckpoint(false))
	byTime.open()
	byTime.write("x")
	byTime.ctx.now = 3600_000
	if err := byTime.w.(flott.Ticker).Tick(3600_000); err != nil { // the hour is over: its file is not kept open
		t.Fatal(err)
	}
	if p = byTime.checkpoint(flott.Preparation{Checkpoint: 1}); len(p.Committables) != 1 || !strings.Contains(string(p.Committables[0]), "1970-01-01/00/part-0") {
		t.Errorf("%q", p.Committables)
	}
	byTime.w.Close()
}

// TestManyBuckets keeps the number of open files bounded.
func TestManyBuckets(t *testing.T) {
	disk := newMemDisk(rand.New(rand.NewPCG(1, 1)))
	disk.dirs["/out"] = true
	s := newTestSink(t, "/out", Bucket(func(v *string) string { return *v }))
	s.sink.disk, s.sink.spawn = disk, func(f func()) { f() }
	s.open()
	for i := range 3 * openFilesMax {
		s.ctx.now++
		s.write("b" + strconv.Itoa(i))
	}
	p := s.checkpoint(flott.Preparation{Checkpoint: 1})
	s.commit(p.Committables)
	if disk.maxOpens > openFilesMax || len(disk.files) != 3*openFilesMax || disk.opens != 0 {
		t.Errorf("%d files open at a time, %d files, %d still open", disk.maxOpens, len(disk.files), disk.opens)
	}
}

func TestCompressedSink(t *testing.T) {
	for _, by := range []Compression{Gzip, Zstd} {
		dir := t.TempDir()
		s := newTestSink(t, dir, Compress(by), RollOnCheckpoint(false))
		s.open()
		var lines []string
		for i := range 3000 {
			lines = append(lines, "line "+strconv.Itoa(i))
		}
		for c := range slices.Chunk(lines, 500) {
			s.write(c...)
		}
		p := s.checkpoint(flott.Preparation{Checkpoint: 1})
		s.commit(p.Committables)
		s.w.Close()
		got, err := drive(t, Source(dir, lineFormat{}), &readCtx{}, 0)
		if err != nil || !slices.Equal(got, lines) || p.State != nil {
			t.Errorf("%v: %d records, %v", by, len(got), err)
		}
	}
}

// TestCheckSink names every bad option, and a directory that cannot be written.
func TestCheckSink(t *testing.T) {
	err := Sink("", lineFormat{}, RollSize(0), RollInterval(0), RollInactivity(-1), Suffix("a/b"), Compress(9),
		Bucket(func(*int) string { return "" }), BucketByTime("2006")).Check()
	for _, text := range []string{"RollSize(0)", "RollInterval(0s)", "RollInactivity(-1ns)", `Suffix("a/b")`, "Compress(9)", "the directory is empty",
		"Bucket takes a func(*int) string, but the records are string", "exclude each other"} {
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("Check does not say %q: %v", text, err)
		}
	}
	file := write(t, filepath.Join(t.TempDir(), "f"), "")
	if err := Sink(filepath.Join(file, "sub"), lineFormat{}).Check(); err == nil || !strings.Contains(err.Error(), "ot a directory") {
		t.Errorf("below a file: %v", err)
	}
	disk := newMemDisk(nil)
	disk.readOnly = true
	s := newTestSink(t, t.TempDir())
	s.sink.disk = disk
	if err := s.sink.Check(); !errors.Is(err, syscall.EROFS) || !strings.Contains(err.Error(), "mount it writable") || !strings.Contains(err.Error(), s.sink.dir) {
		t.Errorf("read-only: %v", err)
	}
}

// TestFailingDisk runs out of space and fails to sync: the writer says which file and what to do, and prepares nothing any more.
func TestFailingDisk(t *testing.T) {
	disk := newMemDisk(rand.New(rand.NewPCG(1, 1)))
	disk.dirs["/out"] = true
	s := newTestSink(t, "/out")
	s.sink.disk = disk
	s.open()
	s.write("one")
	disk.freeBytes = 2
	_, err := s.w.Prepare(flott.Preparation{Checkpoint: 1})
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "/out/.part-0-") || !strings.Contains(err.Error(), "free space there") {
		t.Errorf("disk full: %v", err)
	}
	if err := s.w.Write(batch("two")); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("written after a failure: %v", err)
	}
	s.w.Close()
	disk.freeBytes, disk.syncErr = -1, syscall.EIO
	s.open()
	s.write("one")
	flush, err := s.w.Prepare(flott.Preparation{Checkpoint: 1})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // a second sync must not succeed either (A18.1)
		if _, err = flush(context.Background()); !errors.Is(err, syscall.EIO) {
			t.Errorf("failing sync: %v", err)
		}
		disk.syncErr = nil
	}
	if _, err := s.w.Prepare(flott.Preparation{Checkpoint: 2}); !errors.Is(err, syscall.EIO) {
		t.Errorf("prepared after a failed sync: %v", err)
	}
	if err := s.w.Close(); err != nil || disk.opens != 0 {
		t.Errorf("%v, %d open", err, disk.opens)
	}
}

// TestUnwritableRecord fails on a record that cannot be encoded and leaves nothing of it.
func TestUnwritableRecord(t *testing.T) {
	s := newTestSink(t, t.TempDir())
	s.open()
	defer s.w.Close()
	if err := s.w.Write(batch("one", "unwritable")); err == nil || !strings.Contains(err.Error(), "encoding record unwritable for "+s.sink.dir) {
		t.Errorf("error %v", err)
	}
}

// TestSinkState refuses states and committables that are damaged or lead out of the directory.
func TestSinkState(t *testing.T) {
	s := newTestSink(t, t.TempDir())
	for _, c := range []string{"", "{", `{"v":2}`, `{"v":1,"hidden":"../x","final":"y"}`, `{"v":1,"hidden":"x","final":"/y"}`} {
		if err := s.sink.Commit(context.Background(), [][]byte{[]byte(c)}); err == nil {
			t.Errorf("committable %q was taken", c)
		}
	}
	for _, c := range []string{"", "{", `{"v":2}`, `{"v":1,"files":[{"hidden":"../x","final":"y"}]}`, `{"v":1,"files":[{"hidden":"x","final":"y","length":-1}]}`} {
		if _, err := s.sink.NewWriter(s.ctx, [][]byte{[]byte(c)}); err == nil {
			t.Errorf("state %q was taken", c)
		}
	}
}

func BenchmarkSink(b *testing.B) {
	s := Sink(b.TempDir(), lineFormat{}, RollOnCheckpoint(false)).(*sink[string])
	w, err := s.NewWriter(&writeCtx{job: "job", attempt: "1", now: 1}, nil)
	if err != nil {
		b.Fatal(err)
	}
	rows := batch(slices.Repeat([]string{strings.Repeat("x", 99)}, 1000)...)
	b.SetBytes(100000)
	b.ReportAllocs()
	for range b.N {
		if err := w.Write(rows); err != nil {
			b.Fatal(err)
		}
	}
	w.Close()
}
