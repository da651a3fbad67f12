package checkpoint

import (
	"slices"
	"time"

	"github.com/flottio/flott/internal/invariant"
)

// request is a wish for a checkpoint, waiting for its turn.
type request struct {
	id        RequestID // 0: ours
	options   Options
	directory string
	since     time.Duration
	final     bool // because tasks have ended (A8.2)
}

// rank orders requests: savepoints first, then what a user wants or tasks wait for, then periodic ones (A2.1).
func (r request) rank() int {
	switch {
	case r.options.Kind == Savepoint:
		return 0
	case r.id != 0 || r.final:
		return 1
	}
	return 2
}

func (r request) periodic() bool { return r.rank() == 2 }

// ofUser reports whether somebody outside waits for the answer. Only these are bounded by maxQueuedRequests: ours are few, and
// users' must not push them out.
func (r request) ofUser() bool { return r.id > 0 }

func (c *Coordinator) request(e Request) {
	r := request{id: e.ID, options: e.Options, directory: e.Directory, since: c.now}
	switch {
	case e.ID == 0:
		invariant.Bug("a request without an id")
	case e.Options.Stop != GoOn && e.Options.Kind != Savepoint:
		invariant.Bug("request %d would stop the job without a savepoint", e.ID)
	case !c.running():
		c.refuse(r, CoordinatorStopped, "")
	default:
		c.enqueue(r)
	}
}

// withdraw takes a request back that has not begun. What has begun goes on: its files are being written, and for a savepoint
// that stops the job the sources may have stopped.
func (c *Coordinator) withdraw(e Withdraw) {
	at := slices.IndexFunc(c.queue, func(r request) bool { return r.id == e.ID })
	if at < 0 {
		return
	}
	r := c.queue[at]
	c.queue = slices.Delete(c.queue, at, at+1)
	c.refuse(r, Withdrawn, "")
}

func (c *Coordinator) queuedOfUsers() (n int) {
	for _, r := range c.queue {
		if r.ofUser() {
			n++
		}
	}
	return n
}

// enqueue puts r behind those of the same rank. When there are too many of users the least important of them gives way; that is
// r itself if it is no more important than the last (A2.1).
func (c *Coordinator) enqueue(r request) {
	if r.ofUser() && c.queuedOfUsers() == maxQueuedRequests {
		at := len(c.queue) - 1
		for !c.queue[at].ofUser() {
			at--
		}
		last := c.queue[at]
		if last.rank() <= r.rank() {
			c.refuse(r, TooManyRequests, "")
			return
		}
		c.queue = slices.Delete(c.queue, at, at+1)
		c.refuse(last, TooManyRequests, "")
	}
	at := len(c.queue)
	for at > 0 && c.queue[at-1].rank() > r.rank() {
		at--
	}
	c.queue = slices.Insert(c.queue, at, r)
}

// refuse answers a request that never began.
func (c *Coordinator) refuse(r request, reason Reason, cause string) {
	c.stats.skip(reason, cause)
	if r.id != 0 {
		c.do(Reply{r.id, Result{Reason: reason, Cause: cause}})
	}
}

func (c *Coordinator) interval() time.Duration {
	if c.inBacklog && c.config.BacklogInterval != 0 {
		return c.config.BacklogInterval // NoBacklogCheckpoints is negative
	}
	return c.config.Interval
}

// rearm sets the next periodic beginning one interval from now.
func (c *Coordinator) rearm() {
	c.periodicAt = never
	if i := c.interval(); i > 0 && c.started {
		c.periodicAt = c.now + i
	}
}

func (c *Coordinator) setBacklog(reading bool) {
	if reading != c.inBacklog {
		c.inBacklog = reading
		c.rearm()
	}
}

// maybeRequestPeriodic makes the periodic request if its time has come. Only one waits at a time: those that would pile up
// behind a slow checkpoint are the same wish.
func (c *Coordinator) maybeRequestPeriodic() {
	if !c.running() || c.now < c.periodicAt {
		return
	}
	if c.now < c.pauseUntil { // too early: once more when the pause is over (A2.3)
		c.stats.skip(TooEarly, "")
		c.periodicAt = c.pauseUntil
		return
	}
	c.periodicAt += c.interval()
	if c.periodicAt <= c.now {
		c.periodicAt = c.now + c.interval()
	}
	if !slices.ContainsFunc(c.queue, request.periodic) {
		c.enqueue(request{since: c.now})
	}
}

// needsFinal reports whether tasks wait for a checkpoint that is not under way: all tasks that still run have ended, or
// some have and no periodic checkpoint will come for them (A8.2).
func (c *Coordinator) needsFinal() bool {
	var since ID // the greatest of endedAt not yet covered
	running := false
	for _, subtasks := range c.tasks {
		for _, s := range subtasks {
			switch s.phase {
			case taskWaiting:
				return false
			case taskRunning:
				running = true
			case taskEnded:
				if s.endedAt > c.latest {
					since = max(since, s.endedAt)
				}
			}
		}
	}
	if since == None || running && c.periodicAt != never {
		return false
	}
	for _, p := range c.pending {
		if p.id >= since && p.options.Kind == Periodic {
			return false
		}
	}
	return true
}

func (c *Coordinator) maybeRequestFinal() {
	if !c.running() || c.now < c.finalAt || !c.needsFinal() {
		return
	}
	for _, r := range c.queue {
		if r.options.Kind == Periodic {
			return
		}
	}
	c.enqueue(request{final: true, since: c.now})
}
