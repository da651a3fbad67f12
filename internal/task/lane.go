package task

import (
	"context"

	"github.com/flottio/flott/internal/operator"
)

// maxLane bounds the work waiting in one lane. It grows with checkpoints that are not finished, of which the coordinator allows few.
const maxLane = 1024

// lane runs work off the task's goroutine in order, one at a time, and brings each result back before the next starts. Owned by the task's
// goroutine.
type lane struct {
	task    *Task
	of      *link // whose work it is; nil: the whole task's
	waiting []errand
	running bool
}

type errand struct {
	work func(context.Context) error
	done func(error) error
}

// add queues work; done runs on the task's goroutine and its error fails the task.
func (l *lane) add(work func(context.Context) error, done func(error) error) {
	l.waiting = append(l.waiting, errand{work, done})
	if len(l.waiting) > maxLane {
		l.task.fail(operator.Errorf("more than %d pieces of work wait in the background", maxLane))
		return
	}
	l.next()
}

func (l *lane) next() {
	if l.running || len(l.waiting) == 0 {
		return
	}
	l.running = true
	e := l.waiting[0]
	l.waiting = l.waiting[1:]
	work := func(ctx context.Context) (err error) {
		defer l.task.rescue(&err) // a user's codec, writer or committer may panic here as everywhere else
		return e.work(ctx)
	}
	l.task.env.Go(work, func(err error) {
		l.task.mail.post(func() error {
			l.running = false
			if isPanic(err) {
				l.task.chain.at = l.of
				return err // nothing to retry or to decline; Close releases what the work held
			}
			l.next()
			err := e.done(err)
			l.task.checkSettled()
			return err
		})
	})
}
