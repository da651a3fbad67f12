package file

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"sync/atomic"

	"github.com/flottio/flott"
)

// flush is what has to become durable before a snapshot is acknowledged. It runs beside the task's goroutine and touches nothing of
// the writer but its outputs, which lock themselves, and failed.
type flush struct {
	w        *fileSet
	ended    []flushFile
	going    []flushFile
	dirs     []string
	prepared flott.Prepared
	done     atomic.Bool
}

type flushFile struct {
	out  *output
	path string
}

// Prepare writes everything out, and ends or records every open file.
func (w *fileSet) Prepare(p flott.Preparation) (flott.Flush, error) {
	if err := w.failed.Load(); err != nil {
		return nil, *err
	}
	f := &flush{w: w, dirs: slices.Sorted(maps.Keys(w.unsynced))}
	complete, err := w.endPartitions(p.Last)
	if err != nil {
		return nil, err
	}
	var state writerState
	if w.sink.cfg.rollOnCheckpoint || p.Savepoint || p.Last {
		err = w.endAll()
	} else {
		err = w.record(f, &state)
	}
	if err != nil {
		return nil, err
	}
	if state.Partitions = maps.Clone(w.begun); len(state.Files)+len(state.Partitions) > 0 {
		f.prepared.State = encodeState(state)
	}
	for _, e := range w.ended {
		f.ended = append(f.ended, flushFile{e.out, e.path})
		f.prepared.Committables = append(f.prepared.Committables, encodePending(pending{
			Hidden: e.hidden, Final: e.final, Length: e.length, Records: e.records, Checkpoint: p.Checkpoint, Dir: w.sink.dir,
		}))
	}
	for _, bucket := range complete {
		f.prepared.Committables = append(f.prepared.Committables, encodePending(pending{
			Final: path.Join(bucket, w.sink.cfg.partitions.SuccessFile), Checkpoint: p.Checkpoint, Dir: w.sink.dir, Partition: true,
		}))
	}
	w.ended = nil
	clear(w.unsynced)
	w.flushes = append(slices.DeleteFunc(w.flushes, func(f *flush) bool { return f.done.Load() }), f)
	return f.run, nil
}

// endAll ends every open part; the flush makes them durable. A savepoint must contain no file that goes on: the job goes on too
// and would finish it, and the savepoint could not be restored any more.
func (w *fileSet) endAll() error {
	for _, name := range w.buckets() {
		p := w.parts[name]
		delete(w.parts, name)
		w.ended = append(w.ended, p)
		if err := p.end(); err != nil {
			return w.broken(p, err)
		}
	}
	return nil
}

// record puts the open parts into the state, as long as they are now.
func (w *fileSet) record(f *flush, state *writerState) error {
	for _, name := range w.buckets() {
		p := w.parts[name]
		if err := p.drain(); err != nil {
			return w.broken(p, err)
		}
		p.prepared = true
		f.going = append(f.going, flushFile{p.out, p.path})
		state.Files = append(state.Files, unfinished{
			Hidden: p.hidden, Final: p.final, Bucket: p.bucket, Length: p.length, Digest: p.digest.Sum64(), Records: p.records,
		})
	}
	return nil
}

// run implements flott.Flush. After an error the writer refuses everything: the committables of this barrier would be missing from all
// later ones.
func (f *flush) run(ctx context.Context) (flott.Prepared, error) {
	defer f.done.Store(true)
	if err := f.sync(ctx); err != nil {
		err = fmt.Errorf("flushing the file sink %s: %w", f.w.sink.dir, err)
		f.w.failed.CompareAndSwap(nil, &err)
		return flott.Prepared{}, err
	}
	return f.prepared, nil
}

func (f *flush) sync(ctx context.Context) error {
	for _, e := range f.ended {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := e.out.finish(); err != nil {
			return fmt.Errorf("file %s: %w", e.path, err)
		}
	}
	for _, g := range f.going {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := g.out.sync(); err != nil {
			return fmt.Errorf("file %s: %w", g.path, err)
		}
	}
	for _, d := range f.dirs {
		if err := f.w.sink.disk.SyncDir(d); err != nil {
			return fmt.Errorf("making the names in %s durable: %w", d, advise(err))
		}
	}
	return nil
}
