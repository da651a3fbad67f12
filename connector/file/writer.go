package file

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/flottio/flott"
	"github.com/flottio/flott/format"
)

const (
	// drainBytes is how much encoded data is handed to the operating system at a time.
	drainBytes = 64 << 10
	// openFilesMax bounds the files open for writing; a record for one bucket more finishes the file that rested longest.
	openFilesMax = 256
	// closingMax bounds files being made durable in the background; the writer waits beyond that.
	closingMax = 4
	// verifyBytes is how much of a file is read at a time to compare its digest.
	verifyBytes = 256 << 10
)

// fileSet is the files of one subtask's writer.
//
// A file goes: parts (open) -> ended (rolled; no record follows) -> a committable of the next barrier. All are hidden until Commit.
//
// Invariant: a file's name is unique over all attempts, so a part never meets a file of another attempt but those that a snapshot gave it.
type fileSet struct {
	sink    *target
	ctx     flott.WriterContext
	sep     []byte
	header  []byte
	owner   string
	unique  string
	counter int

	parts    map[string]*part
	ended    []*part
	unsynced map[string]bool  // directories with new entries
	begun    map[string]int64 // partitions not told to be complete: when their first record came
	waterMs  int64
	flushes  []*flush

	closing   sync.WaitGroup
	closeSlot chan struct{}
	failed    atomic.Pointer[error] // of a flush: files are lost, nothing may be prepared any more
}

// writer writes values.
type writer[T any] struct {
	fileSet
	enc    format.Encoder[T]
	bucket func(*T) string
}

// NewWriter opens the files that the states name, cut to what their checkpoint contains.
func (s *sink[T]) NewWriter(ctx flott.WriterContext, restored [][]byte) (flott.Writer[T], error) {
	enc, err := s.format.NewEncoder()
	if err != nil {
		return nil, err
	}
	w := &writer[T]{enc: enc}
	if s.cfg.bucket != nil {
		w.bucket = s.cfg.bucket.(func(*T) string) // Check has refused everything else
	}
	if err := w.begin(&s.target, ctx, restored); err != nil {
		return nil, err
	}
	return w, nil
}

// begin opens the files that the states name.
func (w *fileSet) begin(s *target, ctx flott.WriterContext, restored [][]byte) error {
	*w = fileSet{
		sink: s, ctx: ctx, sep: s.records.Separator(), header: s.records.Header(), owner: owner(ctx.JobID(), ctx.UID()),
		parts: map[string]*part{}, begun: map[string]int64{}, waterMs: math.MinInt64, unsynced: map[string]bool{},
		closeSlot: make(chan struct{}, closingMax),
	}
	w.unique = fmt.Sprintf("%012x", xxh3.HashString(w.owner+ctx.Attempt())>>16)
	for _, data := range restored {
		state, err := decodeState(data)
		if err == nil {
			err = w.restore(state)
		}
		if err != nil {
			return errors.Join(err, w.Close())
		}
	}
	return nil
}

// restore takes over the files of one old writer. Of several for a bucket one goes on, the others end as they are.
func (w *fileSet) restore(state writerState) error {
	for bucket, at := range state.Partitions {
		if was, ok := w.begun[bucket]; !ok || at < was {
			w.begun[bucket] = at
		}
	}
	for _, f := range state.Files {
		p, err := w.reopen(f)
		if err != nil {
			return fmt.Errorf("restoring the unfinished file %s: %w", w.sink.at(f.Hidden), err)
		}
		cfg := &w.sink.cfg
		_, taken := w.parts[p.bucket]
		fits := cfg.compression == None && strings.HasSuffix(f.Final, cfg.suffix) && len(w.parts) < openFilesMax
		if taken || !fits {
			w.ended = append(w.ended, p)
			continue
		}
		w.parts[p.bucket] = p
	}
	return nil
}

func (w *fileSet) reopen(f unfinished) (*part, error) {
	s := w.sink
	_, exists, err := s.disk.Size(s.at(f.Hidden))
	if err != nil {
		return nil, advise(err)
	}
	if !exists {
		if _, finished, _ := s.disk.Size(s.at(f.Final)); finished {
			return nil, fmt.Errorf("a later checkpoint has finished it as %s: restoring this one would write its records twice; "+
				"restore from a newer checkpoint, or remove that file", s.at(f.Final))
		}
		return nil, &lostError{fmt.Sprintf("it does not exist: %d records that the checkpoint contains are lost", f.Records)}
	}
	h, err := s.continueFile(w.ctx.Context(), s.at(f.Hidden))
	if err != nil {
		return nil, err
	}
	p := &part{
		bucket: f.Bucket, hidden: f.Hidden, final: f.Final, path: s.at(f.Hidden), out: &output{h: h}, length: f.Length,
		digest: xxh3.New(), records: f.Records, openedMs: w.ctx.Now(), touchedMs: w.ctx.Now(), prepared: true,
	}
	if err := cut(p, f); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return p, nil
}

// cut verifies the part of the file that the checkpoint contains and removes the rest.
func cut(p *part, f unfinished) error {
	size, err := p.out.h.Size()
	if err != nil {
		return err
	}
	if size < f.Length {
		return &lostError{fmt.Sprintf("it has %d bytes, the checkpoint recorded %d: data was lost after it had been made durable", size, f.Length)}
	}
	buf := make([]byte, verifyBytes)
	for at := int64(0); at < f.Length; {
		n, err := p.out.h.ReadAt(buf[:min(int64(len(buf)), f.Length-at)], at)
		if n == 0 && err != nil {
			return fmt.Errorf("reading it at offset %d: %w", at, err)
		}
		p.digest.Write(buf[:n])
		at += int64(n)
	}
	if got := p.digest.Sum64(); got != f.Digest {
		return fmt.Errorf("its first %d bytes have the digest %016x, the checkpoint recorded %016x: it was changed by something else, "+
			"or by a run of the job that was restored from an older checkpoint", f.Length, got, f.Digest)
	}
	if size == f.Length {
		return nil
	}
	if err := p.out.h.Truncate(f.Length); err != nil {
		return fmt.Errorf("cutting it from %d to %d bytes: %w", size, f.Length, advise(err))
	}
	return nil
}

// Write implements flott.Writer.
func (w *writer[T]) Write(b *flott.Batch[T]) error {
	if err := w.failed.Load(); err != nil {
		return *err
	}
	now := w.ctx.Now()
	name := ""
	if layout := w.sink.cfg.bucketLayout; layout != "" {
		name = time.UnixMilli(now).UTC().Format(layout)
	}
	var p *part
	for i := range b.Rows {
		row := &b.Rows[i]
		if w.bucket != nil {
			name = w.bucket(row)
		}
		if p == nil || p.bucket != name {
			var err error
			if p, err = w.part(name, now); err != nil {
				return err
			}
		}
		if err := w.append(p, row); err != nil {
			return err
		}
		if len(p.buf) < drainBytes && p.filled() < w.sink.cfg.rollBytes {
			continue
		}
		rolled, err := w.drain(p)
		if err != nil {
			return err
		}
		if rolled {
			p = nil
		}
	}
	return nil
}

// append encodes one record into the part's buffer.
func (w *writer[T]) append(p *part, row *T) error {
	buf, err := w.enc.Append(p.buf, row)
	if err != nil {
		return flott.Permanent(fmt.Errorf("encoding record %s for %s as %s: %w", excerpt(row), w.sink.at(p.final), w.sink.records.Name(), err))
	}
	p.buf = append(buf, w.sep...)
	p.records++
	return nil
}

// excerptBytes bounds a record's text in an error.
const excerptBytes = 300

func excerpt[T any](row *T) string {
	text := fmt.Sprintf("%+v", *row)
	if len(text) > excerptBytes {
		return text[:excerptBytes] + "..."
	}
	return text
}

// drain hands a part's buffer on and rolls the part when it is large enough.
func (w *fileSet) drain(p *part) (rolled bool, err error) {
	if err := p.drain(); err != nil {
		return false, w.broken(p, err)
	}
	if p.filled() < w.sink.cfg.rollBytes {
		return false, nil
	}
	return true, w.roll(p)
}

// part returns the open part of a bucket.
func (w *fileSet) part(bucket string, now int64) (*part, error) {
	if p := w.parts[bucket]; p != nil {
		p.touchedMs = now
		return p, nil
	}
	if err := checkBucket(bucket); err != nil {
		return nil, err
	}
	if _, begun := w.begun[bucket]; !begun && w.sink.cfg.partitions != nil {
		w.begun[strings.Clone(bucket)] = now
	}
	if len(w.parts) >= openFilesMax {
		if err := w.roll(w.longestResting()); err != nil {
			return nil, err
		}
	}
	p, err := w.open(strings.Clone(bucket), now)
	if err != nil {
		return nil, fmt.Errorf("making a file in %s: %w", w.sink.at(bucket), advise(err))
	}
	w.parts[p.bucket] = p
	return p, nil
}

func checkBucket(bucket string) error {
	if bucket == "" {
		return nil
	}
	ok := filepath.IsLocal(filepath.FromSlash(bucket)) && path.Clean(bucket) == bucket && !strings.Contains(bucket, "\x00")
	for element := range strings.SplitSeq(bucket, "/") {
		ok = ok && !strings.HasPrefix(element, ".")
	}
	if !ok {
		return fmt.Errorf("bucket %q of a record is no clean path below the sink's directory: it must be relative, without empty elements, "+
			"and none may begin with a dot", bucket)
	}
	return nil
}

func (w *fileSet) open(bucket string, now int64) (*part, error) {
	s := w.sink
	if err := s.disk.MkdirAll(s.at(bucket)); err != nil {
		return nil, err
	}
	w.unsyncedUpTo(bucket)
	p := &part{bucket: bucket, openedMs: now, touchedMs: now}
	for {
		ext := s.cfg.suffix + s.cfg.compression.suffix()
		p.place(s.dir, finalName(w.ctx.Subtask(), w.unique, w.counter, ext), w.owner)
		w.counter++
		_, exists, err := s.disk.Size(s.at(p.final))
		if err != nil {
			return nil, err
		}
		if !exists {
			break
		}
	}
	h, err := s.disk.Create(p.path)
	if err != nil {
		return nil, err
	}
	p.out = &output{h: h}
	if !s.cfg.rollOnCheckpoint {
		p.digest = xxh3.New()
	}
	if s.cfg.whole != nil {
		p.rows, err = s.cfg.whole.NewFile(p)
	} else {
		p.packer, err = s.cfg.compression.compress(p)
	}
	if err != nil {
		p.out.abandon()
		return nil, err
	}
	p.buf = append(make([]byte, 0, 4<<10), w.header...)
	return p, nil
}

// unsyncedUpTo marks the directories from the bucket's up to the sink's: also one that exists may be what another writer, or an attempt
// that crashed, made without its becoming durable.
func (w *fileSet) unsyncedUpTo(bucket string) {
	for b := bucket; ; b = path.Dir(b) {
		if b == "." {
			b = ""
		}
		w.unsynced[w.sink.at(b)] = true
		if b == "" {
			return
		}
	}
}

func (w *fileSet) longestResting() *part {
	var oldest *part
	for _, p := range w.parts {
		if oldest == nil || p.touchedMs < oldest.touchedMs || p.touchedMs == oldest.touchedMs && p.bucket < oldest.bucket {
			oldest = p
		}
	}
	return oldest
}

// roll ends an open part. It becomes durable in the background and visible with the checkpoint of the next barrier.
func (w *fileSet) roll(p *part) error {
	delete(w.parts, p.bucket)
	w.ended = append(w.ended, p)
	if err := p.end(); err != nil {
		return w.broken(p, err)
	}
	w.closeSlot <- struct{}{}
	w.closing.Add(1)
	w.sink.spawn(func() {
		defer w.closing.Done()
		defer func() { <-w.closeSlot }()
		_ = p.out.finish() // the flush asks again and gets the same error
	})
	return nil
}

// broken remembers an error after which the files' content is not known: nothing may be prepared any more.
func (w *fileSet) broken(p *part, err error) error {
	err = fmt.Errorf("file %s: %w", p.path, err)
	w.failed.CompareAndSwap(nil, &err)
	return err
}

// Tick rolls files that are old enough or were not written to for long enough.
func (w *fileSet) Tick(nowMs int64) error {
	cfg := &w.sink.cfg
	if cfg.rollIntervalMs == 0 && cfg.rollInactivityMs == 0 && cfg.bucketLayout == "" {
		return nil
	}
	for _, name := range w.buckets() {
		p := w.parts[name]
		old := cfg.rollIntervalMs > 0 && nowMs-p.openedMs >= cfg.rollIntervalMs
		rested := cfg.rollInactivityMs > 0 && nowMs-p.touchedMs >= cfg.rollInactivityMs
		past := cfg.bucketLayout != "" && time.UnixMilli(nowMs).UTC().Format(cfg.bucketLayout) != p.bucket
		if old || rested || past {
			if err := w.roll(p); err != nil {
				return err
			}
		}
	}
	return nil
}

// buckets returns the names of the open buckets in order.
func (w *fileSet) buckets() []string { return sortedKeys(w.parts) }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// Close gives everything back. What no snapshot names is removed; the rest is for the recovery.
func (w *fileSet) Close() error {
	w.closing.Wait()
	var errs []error
	for _, name := range w.buckets() {
		errs = append(errs, w.drop(w.parts[name]))
	}
	for _, p := range w.ended {
		errs = append(errs, w.drop(p))
	}
	for _, f := range w.flushes {
		for _, e := range f.ended {
			e.out.abandon()
		}
	}
	w.parts, w.ended, w.flushes = nil, nil, nil
	return errors.Join(errs...)
}

func (w *fileSet) drop(p *part) error {
	p.out.abandon()
	if p.prepared {
		return nil
	}
	if err := w.sink.disk.Remove(p.path); err != nil {
		return fmt.Errorf("removing the unfinished file %s: %w", p.path, err)
	}
	return nil
}
