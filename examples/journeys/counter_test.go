package journeys

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/flottio/flott"
)

// counter is a source as users write one: it keeps its offset in operator state. Split i of n gives number{i, 1} over and over.
type counter struct {
	splits int
	// each is how many records a split has.
	each int
	// pauseAt, if positive, is the offset at which a split stops giving records for good; it then makes a file named after it in dir.
	pauseAt int
	dir     string
}

func (c counter) Check() error  { return nil }
func (c counter) Bounded() bool { return true }

func (c counter) NewEnumerator(ctx flott.EnumeratorContext, restored []byte) (flott.Enumerator, error) {
	e := &counterEnumerator{ctx: ctx}
	if restored == nil {
		for i := range c.splits {
			e.free = append(e.free, flott.Split{ID: strconv.Itoa(i), Position: []byte("0")})
		}
	}
	return e, nil
}

// counterEnumerator gives every reader its share of the splits at once, so that its state is whether it has done so: a restored one has.
type counterEnumerator struct {
	ctx  flott.EnumeratorContext
	free []flott.Split
}

func (e *counterEnumerator) Start() error {
	for i, s := range e.free {
		e.ctx.Assign(i%e.ctx.Parallelism(), s)
	}
	e.free = nil
	for i := range e.ctx.Parallelism() {
		e.ctx.NoMoreSplits(i)
	}
	return nil
}

func (e *counterEnumerator) Return(splits []flott.Split) error {
	e.free = append(e.free, splits...)
	return nil
}

func (e *counterEnumerator) Request(int) error         { return nil }
func (e *counterEnumerator) Snapshot() ([]byte, error) { return []byte("given out"), nil }
func (e *counterEnumerator) Complete(int64) error      { return nil }
func (e *counterEnumerator) Close() error              { return nil }

func (c counter) NewReader(ctx flott.ReaderContext) (flott.Reader[number], error) {
	return &counterReader{counter: c, ctx: ctx}, nil
}

type counterReader struct {
	counter
	ctx  flott.ReaderContext
	mine []counterSplit
	last bool
	next int // the split whose turn it is
}

type counterSplit struct {
	key, offset  int
	done, paused bool
}

func (r *counterReader) Assign(splits []flott.Split) error {
	for _, s := range splits {
		key, err := strconv.Atoi(s.ID)
		if err != nil {
			return err
		}
		offset, err := strconv.Atoi(string(s.Position))
		if err != nil {
			return fmt.Errorf("offset of split %s: %w", s.ID, err)
		}
		r.mine = append(r.mine, counterSplit{key: key, offset: offset})
	}
	return nil
}

func (r *counterReader) NoMoreSplits() { r.last = true }

func (r *counterReader) Read(b *flott.Batch[number]) (flott.ReadStatus, error) {
	open := 0
	for range r.mine {
		i := r.next
		r.next = (r.next + 1) % len(r.mine)
		s := &r.mine[i]
		switch {
		case s.done:
		case s.offset == r.each:
			s.done = true
			r.ctx.SplitDone(int32(i))
		case r.pauseAt > 0 && s.offset == r.pauseAt:
			open++
			if !s.paused {
				s.paused = true
				if err := os.WriteFile(filepath.Join(r.dir, strconv.Itoa(s.key)), nil, 0o600); err != nil {
					return flott.More, err
				}
			}
		default:
			for range min(7, b.Cap()) {
				if s.offset == r.each || r.pauseAt > 0 && s.offset == r.pauseAt {
					break
				}
				b.Append(number{int64(s.key), 1}, flott.NoTime, false)
				s.offset++
			}
			b.Head.Split = int32(i)
			return flott.More, nil
		}
	}
	if open == 0 && r.last {
		return flott.End, nil
	}
	return flott.Idle, nil
}

func (r *counterReader) Snapshot() ([]flott.Split, error) {
	var splits []flott.Split
	for _, s := range r.mine {
		if !s.done {
			splits = append(splits, flott.Split{ID: strconv.Itoa(s.key), Position: []byte(strconv.Itoa(s.offset))})
		}
	}
	return splits, nil
}

func (r *counterReader) Close() error { return nil }
