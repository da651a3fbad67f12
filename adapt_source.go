package flott

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/record"
	"github.com/flottio/flott/internal/taskmanager"
)

// sourceOperator runs a Reader as the head of a task. It keeps the splits' positions and event times in operator state.
type sourceOperator[T any] struct {
	source   Source[T]
	strategy *operator.WatermarkStrategy[T]
	drop     bool
	dead     int // output of the dead letters, 0 for none

	ctx     *operator.Context
	reader  Reader[T]
	fresh   *record.Rows[T]
	marks   *operator.SplitMarks[T]
	silence operator.Silence
	numbers map[string]int  // number of a split by its id
	cursor  operator.Cursor // in the batch that gets event times
	reading bool
	letters *record.Rows[BadInput]
	stopped bool
	reject  error
}

// Open implements operator.Operator.
func (s *sourceOperator[T]) Open(c *operator.Context) (err error) {
	s.ctx, s.fresh = c, record.NewRows[T]()
	s.numbers = map[string]int{}
	s.marks = operator.NewSplitMarks(s.strategy, c.Restored.Watermark)
	if s.strategy != nil {
		s.silence = operator.NewSilence(s.strategy.Idle, c.Now())
	}
	s.reader, err = s.source.NewReader(readerContext[T]{s})
	return err
}

// Process implements operator.Operator; a source has no input.
func (s *sourceOperator[T]) Process(int, record.Batch) error {
	return errors.New("BUG: a source has no input")
}

// Poll implements operator.Source.
func (s *sourceOperator[T]) Poll() (operator.SourceStatus, error) {
	if s.stopped {
		return operator.SourceIdle, nil
	}
	b := s.fresh.Get()
	s.reading = true
	status, err := s.reader.Read(b)
	s.reading = false
	if err == nil {
		err = s.reject
	}
	if err != nil {
		return 0, err
	}
	n := b.Len()
	s.ctx.Counters.In.Add(b.Records())
	if n > 0 {
		if err := s.marks.Stamp(b, &s.cursor); err != nil {
			return 0, err
		}
		b.Head.Split = 0
		s.silence.Activity(s.ctx.Now())
		if err := s.ctx.Out[0].Emit(b); err != nil {
			return 0, err
		}
	} else {
		b.Release()
	}
	if s.letters != nil && s.letters.Len() > 0 {
		l := s.letters
		s.letters = l.Get()
		if err := s.ctx.Out[s.dead].Emit(l); err != nil {
			return 0, err
		}
	}
	switch status {
	case More:
		return operator.SourceMore, nil
	case Idle:
		return operator.SourceIdle, nil
	case NeedSplit:
		return operator.SourceNeedsSplit, nil
	case End:
		return operator.SourceEnd, nil
	}
	return 0, fmt.Errorf("BUG: the reader returned status %d", status)
}

// Current implements operator.Describer.
func (s *sourceOperator[T]) Current() (any, bool) { return s.cursor.Current() }

// Place implements operator.Placer.
func (s *sourceOperator[T]) Place() string {
	if l, ok := s.reader.(Locator); ok && s.reading {
		return l.Location()
	}
	return ""
}

// Assign implements operator.Source.
func (s *sourceOperator[T]) Assign(splits []operator.SplitState) error {
	plain := make([]Split, len(splits))
	for i, x := range splits {
		if _, twice := s.numbers[x.ID]; twice {
			return fmt.Errorf("BUG: split %q was assigned twice", x.ID)
		}
		s.numbers[x.ID] = len(s.numbers)
		s.marks.Add(x.MaxTime)
		plain[i] = x.Split
	}
	return s.reader.Assign(plain)
}

// NoMoreSplits implements operator.Source.
func (s *sourceOperator[T]) NoMoreSplits() { s.reader.NoMoreSplits() }

// HoldWatermark implements operator.Source.
func (s *sourceOperator[T]) HoldWatermark(held bool) { s.marks.Hold(held) }

// Stop implements operator.Source.
func (s *sourceOperator[T]) Stop() { s.stopped = true }

// Progress implements operator.Source.
func (s *sourceOperator[T]) Progress() (done, total int64) {
	if p, ok := s.reader.(Progressor); ok {
		return p.Progress()
	}
	return 0, 0
}

// Watermark implements operator.WatermarkSource.
func (s *sourceOperator[T]) Watermark() (int64, bool) { return s.marks.Watermark(), s.silence.Idle() }

// NextTick implements operator.Clocked.
func (s *sourceOperator[T]) NextTick() int64 { return s.silence.NextTick() }

// Tick implements operator.Clocked.
func (s *sourceOperator[T]) Tick(now int64) (bool, error) {
	s.silence.Tick(now)
	return false, nil
}

// Snapshot implements operator.Snapshotter.
func (s *sourceOperator[T]) Snapshot(operator.Checkpoint) (operator.Saved, operator.Flush, error) {
	splits, err := s.reader.Snapshot()
	if err != nil {
		return operator.Saved{}, nil, err
	}
	list := operator.ListState{Name: taskmanager.SplitsState, Mode: operator.Union} // union: a restore hands all splits back to the enumerator
	for _, x := range splits {
		number, known := s.numbers[x.ID]
		if !known {
			return operator.Saved{}, nil, fmt.Errorf("BUG: the reader holds split %q, which it was not assigned", x.ID)
		}
		st := operator.SplitState{Split: x, MaxTime: s.marks.MaxTime(number)}
		list.Elements = append(list.Elements, st.Append(nil))
	}
	return operator.Saved{Lists: []operator.ListState{list}}, nil, nil
}

// Close implements operator.Operator.
func (s *sourceOperator[T]) Close() error {
	if s.reader == nil {
		return nil
	}
	return s.reader.Close()
}

// readerContext is the ReaderContext of a sourceOperator.
type readerContext[T any] struct{ s *sourceOperator[T] }

func (c readerContext[T]) Context() context.Context { return c.s.ctx.Ctx }
func (c readerContext[T]) Subtask() int             { return c.s.ctx.Subtask }
func (c readerContext[T]) Parallelism() int         { return c.s.ctx.Parallelism }
func (c readerContext[T]) Now() int64               { return c.s.ctx.Now() }
func (c readerContext[T]) Wake()                    { c.s.ctx.Wake() }
func (c readerContext[T]) SplitDone(number int32)   { c.s.marks.Done(number) }

// Reject implements ReaderContext: the policy for input that cannot be decoded.
func (c readerContext[T]) Reject(r BadRecord) error {
	s := c.s
	s.ctx.Counters.In.Add(1)
	switch {
	case s.dead > 0:
		s.ctx.Counters.DeadLetters.Add(1)
		if s.letters == nil {
			s.letters = record.NewRows[BadInput]()
		}
		s.letters.Append(BadInput{
			Source: s.ctx.UID, Split: printable(r.Split), Offset: r.Offset, Line: r.Line, Column: r.Column,
			Reason: printable(r.Err.Error()), Raw: printable(string(r.Raw[:min(len(r.Raw), maxDeadLetterBytes)])),
		}, NoTime, false)
		return nil
	case s.drop:
		s.ctx.Counters.Dropped.Add(1)
		return nil
	}
	s.reject = operator.Permanent(&badInputError{r})
	return s.reject
}

// Drop implements DropCounter.
func (c readerContext[T]) Drop(n int) {
	c.s.ctx.Counters.In.Add(n)
	c.s.ctx.Counters.Dropped.Add(n)
}

// printable replaces what is not UTF-8. Bad input is bad for that reason, too, or is cut off within a character, and a sink that cannot write
// its letter would fail at it again after every restart.
func printable(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// maxDeadLetterBytes bounds how much of the raw input a dead letter keeps.
const maxDeadLetterBytes = 64 << 10

// badInputError is input that could not be decoded when the policy is to fail. Reading it again would fail again.
type badInputError struct{ r BadRecord }

func (e *badInputError) Error() string {
	at := e.r.Split
	switch {
	case e.r.Line > 0 && e.r.Column > 0:
		at += fmt.Sprintf(":%d:%d", e.r.Line, e.r.Column)
	case e.r.Line > 0:
		at += fmt.Sprintf(":%d", e.r.Line)
	default:
		at += fmt.Sprintf(" at offset %d", e.r.Offset)
	}
	return fmt.Sprintf("%s: %v\n  %s\nread its DeadLetters() or call DropBadInput() on the source to go on without such input",
		at, e.r.Err, operator.Shorten(string(e.r.Raw)))
}

func (e *badInputError) Unwrap() error { return e.r.Err }
