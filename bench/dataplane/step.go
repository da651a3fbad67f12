package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/flottio/flott/bench/measure"
	"github.com/flottio/flott/internal/checkpoint"
	"github.com/flottio/flott/internal/network"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/record"
	"github.com/flottio/flott/internal/task"
)

// stepSource emits its input and ends.
type stepSource struct {
	left, size int
	fresh      *record.Rows[click]
	out        operator.Output
	at         int
}

func (s *stepSource) Open(c *operator.Context) error {
	s.out, s.fresh = c.Out[0], record.NewRows[click]()
	return nil
}

func (s *stepSource) Process(int, record.Batch) error { return nil }
func (s *stepSource) Close() error                    { return nil }

func (s *stepSource) Poll() (operator.SourceStatus, error) {
	if s.left == 0 {
		return operator.SourceEnd, nil
	}
	if s.at+s.size > len(clicks) {
		s.at = 0
	}
	k := min(s.size, s.left)
	s.left -= k
	b := s.fresh.Get()
	b.Rows = append(b.Rows, clicks[s.at:s.at+k]...)
	s.at += k
	return operator.SourceMore, s.out.Emit(b)
}

func (s *stepSource) Watermark() (int64, bool)           { return record.NoTime, false }
func (s *stepSource) Assign([]operator.SplitState) error { return nil }
func (s *stepSource) NoMoreSplits()                      {}
func (s *stepSource) Stop()                              {}
func (s *stepSource) Progress() (done, total int64)      { return 0, 0 }

// stepSink is the end of the chain as an operator.
type stepSink struct{ builtSum }

func (s *stepSink) Open(*operator.Context) error        { return nil }
func (s *stepSink) Process(_ int, b record.Batch) error { return s.Emit(b) }
func (s *stepSink) Close() error                        { return nil }
func (s *stepSink) Finish() (more bool, err error)      { sum = s.total; return false, nil }

// stepEnv is the task's surroundings: a clock and nothing else.
type stepEnv struct{ failed error }

func (*stepEnv) Now() int64 { return time.Now().UnixMilli() }

func (*stepEnv) Go(work func(context.Context) error, done func(error)) {
	done(work(context.Background()))
}

func (*stepEnv) WriteState(context.Context, checkpoint.ID, string, func(io.Writer) error) (task.Handle, error) {
	return task.Handle{}, fmt.Errorf("nothing is stored here")
}

func (e *stepEnv) Report(r task.Report) {
	if r.Kind == task.ReportFailed {
		e.failed = r.Err
	}
}

// stepped runs the chain as a task; stop is called after each step.
func stepped(n, size int, stop func(task.Status) bool) {
	env := &stepEnv{}
	operators := []operator.Operator{
		&stepSource{left: n, size: size}, &operator.Map[click, click]{F: triple}, &operator.Filter[click]{F: odd},
		&operator.Map[click, int64]{F: score}, &stepSink{},
	}
	spec := task.Spec{Name: "bench", Parallelism: 1, MaxParallelism: maxParallelism, Waker: network.NewWaker()}
	for i, o := range operators {
		spec.Operators = append(spec.Operators, task.OperatorSpec{
			UID: fmt.Sprint(i), Name: fmt.Sprint(i), Parent: i - 1, Outputs: 1, New: func() operator.Operator { return o },
		})
	}
	t := task.New(spec, env)
	must(t.Open())
	for !stop(t.Step()) {
	}
	must(env.failed)
	must(t.Close())
}

// freeRunning is what a task would be that loops over its input and cannot be stopped between two batches.
func freeRunning(n, size int) {
	end := &builtSum{}
	source := &stepSource{left: n, size: size}
	open(source, next{builtChain(end)})
	for {
		s, err := source.Poll()
		must(err)
		if s == operator.SourceEnd {
			break
		}
	}
	sum = end.total
}

func stepCases() []measure.Case      { return stepCasesOf(512) }
func smallStepCases() []measure.Case { return stepCasesOf(16) }

func stepCasesOf(size int) []measure.Case {
	until := func(s task.Status) bool { return s != task.Ready }
	yielding := make(chan struct{}, 1)
	return []measure.Case{
		{Name: "loop that cannot be stepped (no mailbox, clock, timers, outbox, recover, counters)", Run: func(n int) { freeRunning(n, size) }},
		{Name: "**task.Step per batch**", Run: func(n int) { stepped(n, size, until) }},
		{Name: "task.Step per batch, scheduled over a Go channel (a pool of workers)", Run: func(n int) {
			stepped(n, size, func(s task.Status) bool {
				yielding <- struct{}{}
				<-yielding
				return until(s)
			})
		}},
	}
}
