package taskmanager

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/flottio/flott/internal/checkpoint"
	"github.com/flottio/flott/internal/task"
)

// Storage stores the files of checkpoints; jobmanager's blob store implements it.
type Storage interface {
	WriteState(ctx context.Context, id checkpoint.ID, name string, write func(io.Writer) error) (task.Handle, error)
}

// Events is where a Cluster reports to. Its methods do not block, and may be called from any goroutine.
type Events interface {
	// Deployed says that the attempt runs; err that it could not be built or opened.
	Deployed(attempt string, err error)
	Reported(r task.Report)
	// Failed says that an enumerator of the attempt failed.
	Failed(attempt string, err error)
	EnumeratorsSnapshotted(attempt string, id checkpoint.ID, states map[string][]byte, err error)
	// Stuck says that something of a cancelled attempt does not end. Ended may never come.
	Stuck(attempt string, err error)
	// Ended says that nothing of the attempt runs any more: no goroutine, no open file.
	Ended(attempt string, err error)
}

// Cluster runs one attempt of a job at a time with a goroutine for each task.
type Cluster struct {
	Job     *Job
	Storage Storage
	Events  Events
	Log     *slog.Logger // nil: nothing is logged
	// Wall is what processing time begins with in each attempt; nil means time.Now.
	Wall    func() time.Time
	running atomic.Pointer[process]
}

// process is a running attempt.
type process struct {
	cluster *Cluster
	wall    int64     // the wall clock when it started, in milliseconds
	started time.Time // for the monotonic clock
	attempt atomic.Pointer[Attempt]
	id      string
	ctx     context.Context
	cancel  context.CancelFunc
	work    sync.WaitGroup // everything that Go has under way
	letters chan func() error
	dog     watchdog
}

// maxLetters bounds the letters waiting for the enumerators.
const maxLetters = 4096

// Deploy starts an attempt. The outcome is Events.Deployed.
func (c *Cluster) Deploy(id string, r *Restored) {
	ctx, cancel := context.WithCancel(context.Background())
	p := &process{cluster: c, wall: c.wall(), started: time.Now(), id: id, ctx: ctx, cancel: cancel, letters: make(chan func() error, maxLetters)}
	p.dog.interval, p.dog.timeout = c.Job.Settings.CancellationInterval, c.Job.Settings.CancellationTimeout
	p.dog.stuck = func(err error) { c.Events.Stuck(id, err) }
	if p.dog.log = c.Log; c.Log == nil {
		p.dog.log = slog.New(slog.DiscardHandler)
	}
	c.running.Store(p)
	go p.run(r)
}

func (c *Cluster) wall() int64 {
	if c.Wall == nil {
		return time.Now().UnixMilli()
	}
	return c.Wall().UnixMilli()
}

// Attempt is the running attempt, nil if there is none; for metrics.
func (c *Cluster) Attempt() *Attempt {
	if p := c.running.Load(); p != nil {
		return p.attempt.Load()
	}
	return nil
}

// Waiting says what of a cancelled attempt has not ended yet.
func (c *Cluster) Waiting() []string {
	if p := c.running.Load(); p != nil {
		return p.dog.waiting()
	}
	return nil
}

// Cancel ends the attempt; Events.Ended says when nothing of it runs any more.
func (c *Cluster) Cancel(id string) {
	if p := c.running.Load(); p != nil && p.id == id {
		p.cancel()
	}
}

// on runs f if the attempt is the running one and was built.
func (c *Cluster) on(id string, f func(*Attempt)) {
	if p := c.running.Load(); p != nil && p.id == id {
		if a := p.attempt.Load(); a != nil {
			f(a)
		}
	}
}

// SnapshotEnumerators asks for the enumerators' states; the answer is an event.
func (c *Cluster) SnapshotEnumerators(attempt string, id checkpoint.ID) {
	c.on(attempt, func(a *Attempt) {
		a.SnapshotEnumerators(id, func(states map[string][]byte, err error) {
			c.Events.EnumeratorsSnapshotted(attempt, id, states, err)
		})
	})
}

// Trigger sends the order for barriers to all sources.
func (c *Cluster) Trigger(attempt string, id checkpoint.ID, o checkpoint.Options) {
	c.on(attempt, func(a *Attempt) { a.Trigger(id, o) })
}

// Complete notifies everyone of a complete checkpoint.
func (c *Cluster) Complete(attempt string, id checkpoint.ID) {
	c.on(attempt, func(a *Attempt) { a.Complete(id) })
}

// Abort notifies everyone of a checkpoint that was given up.
func (c *Cluster) Abort(attempt string, id checkpoint.ID) {
	c.on(attempt, func(a *Attempt) { a.Abort(id) })
}

// AskSettled asks every task to report once its commits are done.
func (c *Cluster) AskSettled(attempt string) {
	c.on(attempt, func(a *Attempt) { a.AskSettled() })
}

// run builds, opens and runs the attempt, and cleans up after it.
func (p *process) run(r *Restored) {
	ended := make(chan struct{})
	var watching, tasks sync.WaitGroup
	watching.Go(func() { p.dog.watch(p.ctx.Done(), ended) })
	leave := p.dog.enter("the opening of the operators")
	a, err := p.start(r)
	leave()
	p.cluster.Events.Deployed(p.id, err)
	if err == nil {
		for _, t := range a.Tasks {
			tasks.Go(func() {
				defer p.dog.enter(t.Title())()
				_ = t.Run(p.ctx) // its error was reported
			})
		}
		leave = p.dog.enter("an enumerator of splits")
		p.serve()
		leave()
	}
	<-p.ctx.Done()
	tasks.Wait()
	p.work.Wait()
	if a != nil {
		leave = p.dog.enter("the closing of the operators")
		err = errors.Join(err, a.Close())
		leave()
	}
	close(ended)
	watching.Wait()
	p.cluster.Events.Ended(p.id, err)
}

func (p *process) start(r *Restored) (*Attempt, error) {
	// Whatever backend this attempt has: the process that was killed may have had the other.
	if err := sweepScratch(p.cluster.Job.Settings.LocalDir, p.cluster.Job.ID, p.id); err != nil {
		return nil, err
	}
	a, err := Build(p.ctx, p.cluster.Job, p.id, r, p)
	if err != nil {
		return a, errors.Join(err, r.close())
	}
	if err := a.Recover(p.ctx, r); err != nil {
		return a, err
	}
	if err := a.Open(r); err != nil {
		return a, err
	}
	p.attempt.Store(a)
	return a, nil
}

// serve runs the enumerators' letters until the attempt is cancelled.
func (p *process) serve() {
	for {
		select {
		case f := <-p.letters:
			if err := f(); err != nil {
				p.cluster.Events.Failed(p.id, err)
			}
		case <-p.ctx.Done():
			return
		}
	}
}

// Now implements task.Env. It is the wall clock at the start of the attempt and what has passed since by the monotonic clock, so that
// processing time never stands still, jumps or goes backwards while the attempt runs, whatever is done to the wall clock. (Flink reads the
// wall clock each time: there, records of one task may be put into windows in another order than they came in.) The next attempt asks the
// wall clock again, and may begin earlier than this one ended.
func (p *process) Now() int64 { return p.wall + time.Since(p.started).Milliseconds() }

// Go implements task.Env.
func (p *process) Go(work func(context.Context) error, done func(error)) {
	p.work.Go(func() {
		defer p.dog.enter("work in the background: a flush, a commit, or writing state")()
		done(work(p.ctx))
	})
}

// WriteState implements task.Env.
func (p *process) WriteState(ctx context.Context, id checkpoint.ID, name string, write func(io.Writer) error) (task.Handle, error) {
	return p.cluster.Storage.WriteState(ctx, id, name, write)
}

// Report implements task.Env.
func (p *process) Report(r task.Report) {
	if r.Kind == task.ReportNeedsSplit {
		p.attempt.Load().Request(r.Task, r.Subtask)
		return
	}
	p.cluster.Events.Reported(r)
}

// Post implements Host.
func (p *process) Post(f func() error) {
	select {
	case p.letters <- f:
	case <-p.ctx.Done():
	}
}

// After implements Host.
func (p *process) After(delayMs int64, f func() error) {
	p.work.Go(func() {
		t := time.NewTimer(time.Duration(delayMs) * time.Millisecond)
		defer t.Stop()
		select {
		case <-t.C:
			p.Post(f)
		case <-p.ctx.Done():
		}
	})
}
