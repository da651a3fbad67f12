package task

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/flottio/flott/internal/checkpoint"
	"github.com/flottio/flott/internal/network"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/record"
)

// rig is one task between queues that the test writes and reads, with an environment that does nothing by itself.
type rig struct {
	t    *testing.T
	task *Task
	in   []*network.Queue
	out  []*network.Queue
	op   *probe
	log  []string
	now  int64
	work []func()
}

// probe is an operator that writes down what happens to it and passes records on, each so many times.
type probe struct {
	r       *rig
	out     operator.Output
	times   int
	fires   int // calls of Advance that each watermark takes
	left    int
	mark    int64
	tick    int64
	holding bool
	fail    error
	flush   error
}

func (p *probe) note(format string, args ...any) {
	p.r.log = append(p.r.log, fmt.Sprintf(format, args...))
}

func (p *probe) Open(c *operator.Context) error {
	p.out = c.Out[0]
	return nil
}

func (p *probe) Process(input int, b record.Batch) error {
	rows := b.(*record.Rows[int64])
	p.note("port %d: %v", input, rows.Rows)
	if p.fail != nil {
		return p.fail
	}
	for range p.times {
		if err := p.out.Emit(b.Clone()); err != nil {
			return err
		}
	}
	b.Release()
	return nil
}

func (p *probe) Advance(wm int64) (bool, error) {
	if p.mark != wm {
		p.mark, p.left = wm, p.fires
	}
	p.left--
	p.note("advance %s", text(wm))
	return p.left > 0, nil
}

func (p *probe) NextTick() int64 { return p.tick }

func (p *probe) Tick(now int64) (bool, error) {
	p.note("tick %d", now)
	p.tick = math.MaxInt64
	return false, nil
}

func (p *probe) Finish() (bool, error) {
	p.note("finish")
	return false, p.out.Emit(rows(99))
}

func (p *probe) Snapshot(c operator.Checkpoint) (operator.Saved, operator.Flush, error) {
	p.note("snapshot %d last=%v", c.ID, c.Last)
	return operator.Saved{}, func(context.Context) (operator.Saved, error) {
		p.note("flush %d", c.ID)
		return operator.Saved{}, p.flush
	}, nil
}

func (p *probe) Complete(id checkpoint.ID) error {
	p.note("complete %d", id)
	return nil
}

func (p *probe) Settled() bool { return true }
func (p *probe) Holding() bool { return p.holding }
func (p *probe) Close() error  { return nil }

// Now implements Env, as what follows.
func (r *rig) Now() int64 { return r.now }

func (r *rig) Go(work func(context.Context) error, done func(error)) {
	r.work = append(r.work, func() { done(work(context.Background())) })
}

func (r *rig) WriteState(context.Context, checkpoint.ID, string, func(io.Writer) error) (Handle, error) {
	return Handle{}, errors.New("the probe has no keyed state")
}

func (r *rig) Report(x Report) {
	kinds := map[ReportKind]string{ReportAck: "ack", ReportDecline: "decline", ReportDrained: "drained", ReportSettled: "settled", ReportFailed: "failed"}
	s := kinds[x.Kind]
	if x.Checkpoint != 0 {
		s += fmt.Sprintf(" %d", x.Checkpoint)
	}
	if x.Snapshot != nil {
		s += fmt.Sprintf(" finished=%v", x.Snapshot.Finished)
	}
	r.log = append(r.log, "report "+s)
}

func newRig(t *testing.T, inputs, outputs int, change ...func(*Spec, *probe)) *rig {
	r := &rig{t: t}
	r.op = &probe{r: r, times: 1, fires: 1, mark: record.NoTime, tick: math.MaxInt64}
	spec := Spec{Name: "probe", Parallelism: 1, MaxParallelism: 128, Waker: network.NewWaker(), ExactlyOnce: true, MaxConcurrent: 2,
		Operators: []OperatorSpec{{UID: "probe", Name: "probe", Parent: -1, Outputs: 1, New: func() operator.Operator { return r.op }}}}
	for range inputs {
		q := network.NewQueue(nil, spec.Waker, 0)
		r.in = append(r.in, q)
		spec.Inputs = append(spec.Inputs, InputSpec{Queue: q})
	}
	for range outputs {
		q := network.NewQueue(spec.Waker, nil, 0)
		r.out = append(r.out, q)
	}
	if outputs > 0 {
		spec.Edges = []EdgeSpec{{Name: "out", Partitioner: network.ToAll{}, Queues: r.out}}
	}
	for _, f := range change {
		f(&spec, r.op)
	}
	r.task = New(spec, r)
	if err := r.task.Open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.task.Close(); err != nil {
			t.Error(err)
		}
	})
	r.run()
	r.log = nil
	return r
}

func text(ms int64) string {
	switch ms {
	case record.MaxWatermark:
		return "end"
	case record.NoTime:
		return "none"
	}
	return fmt.Sprint(ms)
}

func rows(values ...int64) record.Batch {
	b := record.NewRows[int64]()
	for _, v := range values {
		b.Append(v, 0, false)
	}
	return b
}

// send pushes elements given as words: numbers are records, w5 a watermark, b1 a barrier, s1 one of a stop with a savepoint, c1 a cancelled one,
// idle, active, end.
func (r *rig) send(input int, words string) {
	r.t.Helper()
	for w := range strings.FieldsSeq(words) {
		var n int64
		_, _ = fmt.Sscan(strings.TrimLeft(w, "wbsc"), &n)
		e := record.Element{Kind: record.KindBatch}
		switch {
		case w == "idle", w == "active":
			e = record.Element{Kind: record.KindStatus, Idle: w == "idle"}
		case w == "end":
			e.Kind = record.KindEnd
		case w[0] == 'w':
			e = record.Element{Kind: record.KindWatermark, Time: n}
		case w[0] == 'b', w[0] == 's', w[0] == 'c':
			e = record.Element{Kind: record.KindBarrier, Barrier: record.Barrier{ID: checkpoint.ID(n)}}
			if w[0] == 'c' {
				e.Kind = record.KindCancel
			}
			if w[0] == 's' {
				e.Barrier.Options = checkpoint.Options{Kind: checkpoint.Savepoint, Stop: checkpoint.Suspend}
			}
		default:
			e.Batch = rows(n)
		}
		if !r.in[input].Push(e) {
			r.t.Fatalf("input %d is full at %s", input, w)
		}
	}
}

// run steps the task until it waits, and returns why.
func (r *rig) run() Status {
	for range 10_000 {
		if s := r.task.Step(); s != Ready {
			return s
		}
	}
	r.t.Fatal("the task never waits")
	return Ready
}

// elsewhere does the work that the task has given away, and lets it hear of it.
func (r *rig) elsewhere() {
	for len(r.work) > 0 {
		w := r.work[0]
		r.work = r.work[1:]
		w()
		r.run()
	}
}

// sent takes what lies in an output, in the words of send.
func (r *rig) sent(output int) string {
	var words []string
	for {
		e, ok := r.out[output].Pop()
		if !ok {
			return strings.Join(words, " ")
		}
		switch e.Kind {
		case record.KindBatch:
			for _, v := range e.Batch.(*record.Rows[int64]).Rows {
				words = append(words, fmt.Sprint(v))
			}
		case record.KindWatermark:
			words = append(words, "w"+text(e.Time))
		case record.KindStatus:
			words = append(words, map[bool]string{true: "idle", false: "active"}[e.Idle])
		case record.KindBarrier:
			words = append(words, fmt.Sprintf("b%d", e.Barrier.ID))
		case record.KindCancel:
			words = append(words, fmt.Sprintf("c%d", e.Barrier.ID))
		case record.KindEnd:
			words = append(words, "end")
		}
	}
}

func (r *rig) wantSent(output int, want string) {
	r.t.Helper()
	if got := r.sent(output); got != want {
		r.t.Errorf("output %d: %q, want %q", output, got, want)
	}
}

func (r *rig) wantLog(want ...string) {
	r.t.Helper()
	if !slices.Equal(r.log, want) {
		r.t.Errorf("log:\n  %s\nwant:\n  %s", strings.Join(r.log, "\n  "), strings.Join(want, "\n  "))
	}
	r.log = nil
}

func TestGateTakesInputsInTurn(t *testing.T) {
	r := newRig(t, 3, 1)
	r.send(0, "1 2 3")
	r.send(2, "21 22")
	r.run()
	r.wantLog("port 0: [1]", "port 0: [21]", "port 0: [2]", "port 0: [22]", "port 0: [3]")
}

func TestAlignmentBlocksAnInput(t *testing.T) {
	r := newRig(t, 2, 1)
	r.send(0, "1 b1 2 3")
	r.send(1, "11")
	r.run()
	r.wantSent(0, "1 11")
	if r.in[0].Len() != 2 {
		t.Errorf("%d elements are left in the blocked input, want 2", r.in[0].Len())
	}
	r.send(1, "12 b1 13")
	r.run()
	r.wantSent(0, "12 b1 2 13 3")
}

func TestAtLeastOnceBlocksNothing(t *testing.T) {
	r := newRig(t, 2, 1, func(s *Spec, _ *probe) { s.ExactlyOnce = false })
	r.send(0, "1 b1 2 3")
	r.send(1, "11")
	r.run()
	r.wantSent(0, "1 11 2 3")
	r.send(1, "b1 12")
	r.run()
	r.wantSent(0, "b1 12")
}

func TestCancelledBarrierUnblocks(t *testing.T) {
	r := newRig(t, 2, 1)
	r.send(0, "b1 1")
	r.run()
	r.wantSent(0, "")
	r.send(1, "c1 11")
	r.run()
	r.wantSent(0, "c1 1 11")
	if strings.Contains(fmt.Sprint(r.log), "snapshot") {
		t.Errorf("a snapshot was taken: %v", r.log)
	}
}

// The order of A3: barrier behind all records, snapshot between two elements, flush elsewhere, then the acknowledgement, once.
func TestSnapshotOrder(t *testing.T) {
	r := newRig(t, 1, 1)
	r.send(0, "1 b1 2 b2")
	r.run()
	r.wantLog("port 0: [1]", "snapshot 1 last=false", "port 0: [2]", "snapshot 2 last=false")
	r.wantSent(0, "1 b1 2 b2")
	if len(r.work) != 1 {
		t.Fatalf("%d uploads at once, want 1: they are in order", len(r.work))
	}
	r.elsewhere()
	r.wantLog("flush 1", "report ack 1 finished=false", "flush 2", "report ack 2 finished=false")
}

// A flush that fails is fatal only where the sink says so; else the checkpoint is declined and the task goes on.
func TestFailedUploadDeclines(t *testing.T) {
	r := newRig(t, 1, 1, func(_ *Spec, p *probe) { p.flush = errors.New("disk full") })
	r.send(0, "b1")
	r.run()
	r.elsewhere()
	r.wantLog("snapshot 1 last=false", "flush 1", "report decline 1")
	r.send(0, "1")
	r.run()
	r.wantSent(0, "b1 1")
}

// A full queue holds its writer back: the rest waits in the outbox, and no input is taken until that is empty.
func TestBackpressure(t *testing.T) {
	r := newRig(t, 1, 1, func(s *Spec, p *probe) {
		s.Edges[0].Queues[0].Limit(1)
		s.Edges[0].Partitioner = network.Forward{}
		p.fires = 1
	})
	r.send(0, "1 w5 2 b1 3 4")
	if s := r.run(); s != WaitOutput {
		t.Fatalf("status %d, want WaitOutput", s)
	}
	r.wantLog("port 0: [1]", "advance 5")
	if n := r.in[0].Len(); n != 4 {
		t.Errorf("%d elements are left in the input, want 4", n)
	}
	if s := r.run(); s != WaitOutput || len(r.log) > 0 {
		t.Errorf("status %d without room, %v", s, r.log)
	}
	var all []string
	for range 20 {
		all = append(all, strings.Fields(r.sent(0))...)
		r.run()
	}
	if got := strings.Join(all, " "); got != "1 w5 2 b1 3 4" {
		t.Errorf("%q came out", got)
	}
}

// One receiver that does not take holds back the task, and the other still gets what it is owed.
func TestOneFullOutputHoldsTheTask(t *testing.T) {
	r := newRig(t, 1, 2, func(s *Spec, _ *probe) { s.Edges[0].Queues[0].Limit(1) })
	r.send(0, "w1 w2 w3")
	if s := r.run(); s != WaitOutput {
		t.Fatalf("status %d", s)
	}
	r.wantSent(1, "w1 w2")
	r.wantSent(0, "w1")
	r.run()
	r.wantSent(0, "w2")
	r.run()
	r.wantSent(1, "w3")
}

// An operator that holds takes nothing, but letters are read.
func TestHoldingOperator(t *testing.T) {
	r := newRig(t, 1, 1)
	r.op.holding = true
	r.send(0, "1")
	r.task.Complete(3)
	if s := r.run(); s != WaitOutput {
		t.Errorf("status %d", s)
	}
	r.wantLog("complete 3")
	r.op.holding = false
	r.run()
	r.wantLog("port 0: [1]")
}

// Letters come in order; those behind one that starts a control pass wait for its end.
func TestMailboxOrder(t *testing.T) {
	r := newRig(t, 1, 1, func(_ *Spec, p *probe) { p.fires = 3 })
	note := func(s string) func() error {
		return func() error { r.log = append(r.log, s); return nil }
	}
	r.task.mail.post(note("first"))
	r.task.mail.post(func() error { r.task.advance(7); return nil })
	r.task.mail.post(note("behind the pass"))
	r.task.mail.post(note("last"))
	r.run()
	r.wantLog("first", "advance 7", "advance 7", "advance 7", "behind the pass", "last")
	r.task.mail.close()
	if r.task.Complete(1) {
		t.Error("a closed mailbox took a letter")
	}
}

func TestTickWhenDue(t *testing.T) {
	r := newRig(t, 1, 1)
	r.op.tick = 50
	r.run()
	r.wantLog()
	r.now = 60
	r.run()
	r.wantLog("tick 60")
}

// A8: the last watermark, then the flush of operators, then the end; and barriers are still served, whose snapshots say so.
func TestEndOfDataThenBarriers(t *testing.T) {
	r := newRig(t, 2, 1)
	r.send(0, "w5 end")
	r.run()
	r.wantLog()
	r.send(1, "w3 1 end")
	r.run()
	r.wantLog("advance 3", "port 0: [1]", "advance end", "finish", "report drained")
	r.wantSent(0, "w3 1 wend 99 end")
	r.send(0, "b4")
	r.send(1, "b4")
	r.run()
	r.elsewhere()
	r.wantLog("snapshot 4 last=true", "flush 4", "report ack 4 finished=true")
	r.wantSent(0, "b4")
	r.task.Settled()
	r.run()
	r.wantLog("report settled")
}

// What had flushed before the checkpoint does not flush again (A8.6).
func TestFinishedTaskDoesNotFlushTwice(t *testing.T) {
	r := newRig(t, 1, 1, func(s *Spec, _ *probe) { s.Finished = true })
	r.send(0, "end")
	r.run()
	r.wantLog("advance end", "report drained")
	r.wantSent(0, "wend end")
}

// After the barrier that stops the job nothing fires any more (A9.2).
func TestStopWithSavepoint(t *testing.T) {
	r := newRig(t, 1, 1)
	r.op.tick = 10
	r.send(0, "1 s1")
	r.run()
	r.now = 100
	r.run()
	r.elsewhere()
	r.wantLog("port 0: [1]", "snapshot 1 last=true", "flush 1", "report ack 1 finished=false")
}

// An idle input holds back no watermark; only when all are idle is the output.
func TestIdleStatus(t *testing.T) {
	r := newRig(t, 2, 1)
	r.send(0, "w10")
	r.run()
	r.wantSent(0, "")
	r.send(1, "idle")
	r.run()
	r.wantSent(0, "w10")
	r.send(0, "idle")
	r.run()
	r.wantSent(0, "idle")
	r.send(1, "active w20")
	r.run()
	r.wantSent(0, "active w20")
}

// A failure names the operator, is reported once, and ends the task.
func TestFailureEndsTheTask(t *testing.T) {
	r := newRig(t, 1, 1, func(_ *Spec, p *probe) { p.fail = errors.New("no good") })
	r.send(0, "1 2")
	if s := r.run(); s != Ended {
		t.Errorf("status %d", s)
	}
	r.wantLog("port 0: [1]", "report failed")
	if err := r.task.err; err == nil || !strings.Contains(err.Error(), `operator "probe"`) || !strings.Contains(err.Error(), "no good") {
		t.Error(err)
	}
}
