// Package task runs one chain of operators: one goroutine, one gate, one mailbox, one backend of keyed state. Everybody else sends it a
// message. A task is steppable: Step takes at most one batch or one event, and never blocks, so that a production driver (Run)
// and a seeded simulation call the same code.
//
// It decides nothing about checkpoints: barriers are aligned by internal/checkpoint, and completeness is the JobManager's.
package task

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/flottio/flott/internal/checkpoint"
	"github.com/flottio/flott/internal/keygroup"
	"github.com/flottio/flott/internal/network"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/record"
	"github.com/flottio/flott/internal/state"
	"github.com/flottio/flott/internal/watermark"
)

// Spec is everything a task is built from.
type Spec struct {
	// ID is the number of the chain in the plan; Name is for people.
	ID             int
	Name           string
	JobID, Attempt string
	Subtask        int
	Parallelism    int
	MaxParallelism int
	Operators      []OperatorSpec
	Inputs         []InputSpec
	Edges          []EdgeSpec
	Waker          *network.Waker
	Backend        *state.Backend
	// ExactlyOnce aligns barriers; false is at-least-once.
	ExactlyOnce bool
	// MaxConcurrent is the number of checkpoints that may be under way; RestoredID the one the job was restored from.
	MaxConcurrent int
	RestoredID    checkpoint.ID
	// BufferTimeoutMs is how long a batch that is not full may wait while the task is busy; 0: not at all.
	BufferTimeoutMs int64
	// IsRestored, Restored (by uid) and Finished (every old subtask had reached its end) come from the restored checkpoint.
	IsRestored bool
	Restored   map[string]operator.Restored
	Finished   bool
}

// Env is what a task needs of the process around it. Tests and the simulation have their own.
type Env interface {
	// Now is processing time in milliseconds since the epoch.
	Now() int64
	// Go runs work off the task's goroutine and brings done back through post; a task never waits for it.
	Go(work func(context.Context) error, done func(error))
	// WriteState stores a file of checkpoint id durably and returns its handle. Called off the task's goroutine.
	WriteState(ctx context.Context, id checkpoint.ID, name string, write func(io.Writer) error) (Handle, error)
	// Report tells the JobManager. It does not block.
	Report(Report)
}

// Handle names a stored file of a checkpoint: relative path, length in bytes, SHA-256.
type Handle struct {
	Path   string
	Length int64
	Digest [32]byte
}

// Status is what a step says: whether to step again at once, and if not, what for.
type Status uint8

// What Step returns.
const (
	Ready Status = iota
	WaitInput
	WaitOutput
	Ended
)

// Task is one subtask of one chain in one attempt.
type Task struct {
	spec  Spec
	env   Env
	ctx   context.Context
	stop  context.CancelFunc
	chain chain
	gate  *gate
	marks *watermark.Merge
	align aligner
	mail  mailbox

	ending    ending
	stopped   bool // no record is read any more: stop-with-savepoint
	requested bool // a split was asked for
	now       int64
	flushAt   int64
	ended     bool
	err       error
	lanes     []*lane
	uploads   *lane
	cancelled atomic.Bool
	settling  bool
	frozen    []*state.Snapshot // being written
	obsolete  operator.Counter  // barriers dropped as obsolete (A4.3)
	busy      Busy
}

// ending says how far the end of input has been carried out.
type ending uint8

const (
	endNone  ending = iota
	endMark         // the last watermark goes through the chain
	endFlush        // operators flush
	endDone         // the end was forwarded; only barriers follow
)

// New builds a task. Open must follow.
func New(spec Spec, env Env) *Task {
	t := &Task{spec: spec, env: env}
	t.ctx, t.stop = context.WithCancel(context.Background())
	t.mail.waker = spec.Waker
	for _, s := range spec.Operators {
		t.chain.links = append(t.chain.links, newLink(s))
	}
	for _, s := range spec.Edges {
		t.chain.edges = append(t.chain.edges, newEdge(s))
	}
	t.chain.source, _ = t.chain.links[0].op.(operator.Source)
	t.chain.mark = record.NoTime
	t.gate = newGate(spec.Inputs)
	t.uploads = &lane{task: t}
	return t
}

// Open opens the operators, with their state. It may read files; it is called off the task's goroutine, before Step.
func (t *Task) Open() (err error) {
	defer func() {
		if isPanic(err) {
			err = t.located(err)
		}
	}()
	defer t.rescue(&err)
	t.now = t.env.Now()
	if err := t.chain.open(t.ctx, t); err != nil {
		return t.located(err)
	}
	head := t.chain.links[0]
	if n := len(t.gate.inputs); n > 0 {
		t.marks = watermark.NewMergeAt(n, head.in)
		t.chain.mark = head.in
	}
	t.align = newAligner(len(t.gate.inputs), &t.spec)
	t.chain.begin(passWatermark)
	return nil
}

// context makes what an operator gets at Open.
func (t *Task) context(ctx context.Context, i int, r operator.Restored) *operator.Context {
	l := t.chain.links[i]
	own := &lane{task: t, of: l}
	t.lanes = append(t.lanes, own)
	return &operator.Context{
		Ctx: ctx, JobID: t.spec.JobID, Attempt: t.spec.Attempt, UID: l.spec.UID, Name: l.spec.Name,
		Subtask: t.spec.Subtask, Parallelism: t.spec.Parallelism, MaxParallelism: t.spec.MaxParallelism,
		KeyGroups: keygroup.RangeOf(t.spec.Subtask, t.spec.MaxParallelism, t.spec.Parallelism),
		Out:       t.chain.outputs(i), Backend: t.spec.Backend, Restored: r, Counters: &l.counters,
		Now: func() int64 { return t.now }, Wake: t.spec.Waker.Wake,
		Later:   own.add,
		Request: t.request,
	}
}

func (t *Task) request() {
	if !t.requested {
		t.requested = true
		t.env.Report(Report{Kind: ReportNeedsSplit, Task: t.spec.ID, Subtask: t.spec.Subtask, Attempt: t.spec.Attempt})
	}
}

// Step does at most one thing: a piece of a control pass, the letters in the mailbox, one element of an input, one batch of a source.
func (t *Task) Step() (s Status) {
	if t.ended {
		return Ended
	}
	var err error
	func() {
		defer t.rescue(&err)
		s, err = t.step()
	}()
	if err != nil {
		t.fail(err)
		return Ended
	}
	return s
}

func (t *Task) step() (Status, error) {
	t.now, t.chain.at = t.env.Now(), nil
	if !t.drain() {
		return WaitOutput, nil
	}
	if t.chain.busy() {
		return Ready, t.pass()
	}
	if letters := t.mail.take(); len(letters) > 0 {
		return Ready, t.read(letters)
	}
	if t.now >= t.flushAt {
		t.flushAt = t.now + max(1, t.spec.BufferTimeoutMs)
		t.flush()
		t.publish()
	}
	if t.ending < endDone && !t.stopped && t.chain.nextTick() <= t.now {
		t.chain.now = t.now
		t.chain.begin(passTick)
		return Ready, nil
	}
	return t.input()
}

// input takes the next batch or event.
func (t *Task) input() (Status, error) {
	if t.chain.holding() {
		t.flush()
		return WaitOutput, nil
	}
	if t.chain.source != nil {
		return t.poll()
	}
	i, e, ok := t.gate.take()
	if !ok {
		return t.idle()
	}
	if err := t.element(i, e); err != nil {
		return Ready, err
	}
	return Ready, t.settleMarks()
}

// idle is called when the input has run dry: what waits for company is sent now, so that an idle job has no latency.
func (t *Task) idle() (Status, error) {
	t.flush()
	if t.waiting() {
		return Ready, nil
	}
	t.publish()
	return WaitInput, nil
}

func (t *Task) poll() (Status, error) {
	if t.stopped || t.ending != endNone {
		return t.idle()
	}
	t.chain.at = t.chain.links[0]
	s, err := t.chain.source.Poll()
	if err != nil {
		return Ready, wrap(t.chain.links[0], err)
	}
	if err := t.settleMarks(); err != nil {
		return Ready, err
	}
	switch s {
	case operator.SourceMore:
		return Ready, nil
	case operator.SourceNeedsSplit:
		t.request()
	case operator.SourceEnd:
		t.end()
		return Ready, nil
	}
	if t.chain.busy() {
		return Ready, nil
	}
	return t.idle()
}

func (t *Task) element(input int, e record.Element) error {
	switch e.Kind {
	case record.KindBatch:
		return t.batch(t.gate.inputs[input].Port, e.Batch)
	case record.KindWatermark:
		if wm, advanced := t.marks.Watermark(input, e.Time); advanced {
			t.advance(wm)
		}
	case record.KindStatus:
		c := t.marks.BecomeActive
		if e.Idle {
			c = t.marks.BecomeIdle
		}
		t.change(c(input))
	case record.KindBarrier:
		return t.act(t.align.Barrier(nil, input, e.Barrier.ID, e.Barrier.Options))
	case record.KindCancel:
		return t.act(t.align.Cancel(nil, input, e.Barrier.ID))
	case record.KindEnd:
		t.gate.ended[input] = true
		t.gate.open--
		t.change(t.marks.End(input))
		if t.gate.open == 0 {
			t.end()
		}
	default:
		return fmt.Errorf("BUG: element of unknown kind %d", e.Kind)
	}
	return nil
}

func (t *Task) batch(port int, b record.Batch) error {
	head := t.chain.links[0]
	head.counters.In.Add(record.Count(b))
	t.chain.at = head
	if err := head.op.Process(port, b); err != nil {
		return wrap(head, err)
	}
	return nil
}

func (t *Task) change(c watermark.Change) {
	if c.BecameIdle || c.Resumed {
		t.chain.links[0].idle = c.BecameIdle
		t.advance(t.chain.mark)
	}
	if c.Advanced {
		t.advance(c.Watermark)
	}
}

// advance starts to carry event time through the chain.
func (t *Task) advance(wm int64) {
	t.chain.mark = max(t.chain.mark, wm)
	if !t.chain.busy() {
		t.chain.begin(passWatermark)
	}
}

// settleMarks starts a pass when an assigner or the source has a new watermark.
func (t *Task) settleMarks() error {
	if !t.chain.busy() && t.chain.marksChanged() {
		t.chain.begin(passWatermark)
	}
	return nil
}

// end starts the end of input: last watermark, then flush, then forward.
func (t *Task) end() {
	if t.ending != endNone {
		return
	}
	t.ending = endMark
	t.advance(record.MaxWatermark)
}

// pass runs a piece of the control pass, and when it is through, does what comes after it.
func (t *Task) pass() error {
	more, err := t.chain.run()
	if err != nil || more {
		return err
	}
	for _, e := range t.chain.edges {
		l := t.chain.links[e.spec.Operator]
		e.watermark(l.out, l.idle)
	}
	switch t.ending {
	case endMark:
		t.ending = endFlush
		if t.spec.Finished {
			// Every subtask had flushed before the checkpoint: it must not happen twice (A8.6 ✗ FLINK-25920).
			return t.pass()
		}
		t.chain.begin(passFinish)
	case endFlush:
		t.ending = endDone
		for _, e := range t.chain.edges {
			e.control(record.Element{Kind: record.KindEnd})
		}
		t.report(Report{Kind: ReportDrained})
	}
	return nil
}

func (t *Task) drain() bool {
	ok := true
	for _, e := range t.chain.edges {
		if !e.drain() {
			ok = false
		}
	}
	return ok
}

func (t *Task) waiting() bool {
	for _, e := range t.chain.edges {
		if e.waiting > 0 {
			return true
		}
	}
	return false
}

func (t *Task) flush() {
	for _, e := range t.chain.edges {
		e.flushAll()
	}
}

func (t *Task) read(letters []func() error) error {
	for i, f := range letters {
		if err := f(); err != nil {
			return err
		}
		if t.chain.busy() && i+1 < len(letters) {
			// The letter started a control pass: the others wait for its end, in order.
			rest := letters[i+1:]
			t.mail.mu.Lock()
			t.mail.mu.letters = append(append([]func() error(nil), rest...), t.mail.mu.letters...)
			t.mail.waiting.Store(true)
			t.mail.mu.Unlock()
			return nil
		}
	}
	return nil
}

func (t *Task) report(r Report) {
	r.Task, r.Subtask, r.Attempt = t.spec.ID, t.spec.Subtask, t.spec.Attempt
	t.env.Report(r)
}

func (t *Task) fail(err error) {
	t.ended, t.err = true, t.located(err)
	t.report(Report{Kind: ReportFailed, Err: t.err})
}

// Close releases everything; called once, on the task's goroutine or after it has ended. It waits for nothing: the process waits for the
// work that Env.Go has under way (A3.3).
func (t *Task) Close() (err error) {
	t.ended = true
	t.stop()
	t.mail.close()
	defer t.rescue(&err)
	err = t.chain.close()
	for len(t.frozen) > 0 {
		t.release(t.frozen[0])
	}
	if t.spec.Backend != nil {
		err = errors.Join(err, t.spec.Backend.Close())
	}
	return err
}

// Title names the task for people. Any goroutine may call it.
func (t *Task) Title() string {
	return fmt.Sprintf("task %q, subtask %d of %d", t.spec.Name, t.spec.Subtask+1, t.spec.Parallelism)
}

// Describe says where the task stands, for a report of a job that does not move.
func (t *Task) Describe() string {
	waiting, queued := 0, 0
	for _, e := range t.chain.edges {
		waiting += e.waiting
	}
	for _, in := range t.gate.inputs {
		queued += in.Queue.Len()
	}
	return fmt.Sprintf("%s/%d ending=%d pass=%d outbox=%d queued=%d blocked=%v requested=%v", t.spec.Name, t.spec.Subtask, t.ending, t.chain.pass,
		waiting, queued, t.gate.blocked, t.requested)
}
