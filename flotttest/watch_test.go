package flotttest_test

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/flottio/flott/internal/checkpoint"
	"github.com/flottio/flott/internal/network"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/record"
	"github.com/flottio/flott/internal/sim"
	"github.com/flottio/flott/internal/task"
	"github.com/flottio/flott/internal/taskmanager"
)

func millis(n int64) time.Duration { return time.Duration(n) * time.Millisecond }

// watch checks what travels on the edges of one attempt, and the balance at the end.
type watch struct {
	// prompt says that no event is late: every split is read from the beginning of each attempt.
	prompt bool
	// tardy says that events may be late whatever the engine does.
	tardy  bool
	queues map[*network.Queue]*watched
	// begun are the splits that were being read at the restored checkpoint: what is left of them must not become late by the restore.
	begun [2 * maxSplits]bool
}

// watched is what one queue has carried.
type watched struct {
	source  bool
	mark    int64
	barrier checkpoint.ID
	ended   bool
	records int
	seq     [2 * maxSplits][keysOfEvents]int32 // the next that may come
}

func (w *watch) hooks() sim.Hooks { return sim.Hooks{Opened: w.opened, Sent: w.sent, Ended: w.end} }

// opened takes the event times that the attempt starts from.
func (w *watch) opened(a *taskmanager.Attempt, plan *checkpoint.RestorePlan) error {
	w.queues = map[*network.Queue]*watched{}
	if err := w.noteBegun(plan); err != nil {
		return err
	}
	for _, t := range a.Tasks {
		t.Publish()
		gauges := t.Gauges()
		t.Edges(func(e *task.EdgeSpec, _ int, q *network.Queue) {
			x := &watched{source: t.IsSource(), mark: gauges[e.Operator].Out.Load()}
			if plan != nil {
				x.barrier = plan.Checkpoint
			}
			w.queues[q] = x
		})
	}
	return nil
}

func (w *watch) noteBegun(plan *checkpoint.RestorePlan) error {
	if plan == nil {
		w.begun = [2 * maxSplits]bool{}
		return nil
	}
	for _, o := range plan.Operators {
		if o.Enumerator == nil || o.UID == "rules" {
			continue
		}
		for _, l := range o.Subtasks[0].Lists { // union state: all of it is there
			for _, b := range l.State.Elements {
				s, err := operator.DecodeSplit(b)
				if err != nil {
					return err
				}
				n, err := strconv.Atoi(strings.TrimPrefix(s.ID, "split-"))
				if err != nil {
					return err
				}
				if o.UID == "right" {
					n += maxSplits
				}
				w.begun[n] = w.begun[n] || s.MaxTime != operator.NoTime
			}
		}
	}
	return nil
}

func (w *watch) sent(s *sim.Sent) error {
	x := w.queues[s.Queue]
	if err := w.element(x, s.Element); err != nil {
		return fmt.Errorf("%s to subtask %d: %w", s.Edge.Name, s.Receiver, err)
	}
	return nil
}

func (w *watch) element(x *watched, e *record.Element) error {
	switch e.Kind {
	case record.KindBatch:
		return w.batch(x, e.Batch)
	case record.KindWatermark:
		// The first one after a restore may be the one that the checkpoint holds.
		if e.Time < x.mark || x.ended {
			return fmt.Errorf("watermark %d behind watermark %d, ended %v", e.Time, x.mark, x.ended)
		}
		x.mark = e.Time
	case record.KindBarrier, record.KindCancel:
		if e.Barrier.ID <= x.barrier {
			return fmt.Errorf("barrier %d behind barrier %d", e.Barrier.ID, x.barrier)
		}
		x.barrier = e.Barrier.ID
	case record.KindEnd:
		if x.ended {
			return fmt.Errorf("a second end")
		}
		x.ended = true
	}
	return nil
}

func (w *watch) batch(x *watched, b record.Batch) error {
	if x.ended {
		return fmt.Errorf("records behind the end")
	}
	x.records += b.Len()
	for i, at := range b.Header().Times {
		if w.prompt && at <= x.mark && at != record.NoTime {
			return fmt.Errorf("record %+v of time %d behind watermark %d", b.At(i), at, x.mark)
		}
	}
	rows, ok := b.(*record.Rows[event])
	if !ok {
		return nil
	}
	for i, e := range rows.Rows {
		if at := b.Header().Times; !w.tardy && x.source && e.Key != ruleKey && w.begun[e.Split] && at[i] <= x.mark {
			return fmt.Errorf("record %+v of time %d, of a split begun before the restore, behind watermark %d", e, at[i], x.mark)
		}
		if e.Drop || e.Key == ruleKey {
			continue
		}
		next := &x.seq[e.Split][e.Key]
		if e.Seq < *next {
			return fmt.Errorf("event %d of split %d and key %d behind event %d", e.Seq, e.Split, e.Key, *next-1)
		}
		*next = e.Seq + 1
	}
	return nil
}

// manyOut begins the name of operators that do not make one record of each.
const manyOut = "many"

// end checks that nothing was left anywhere, and that every operator's counters add up (D14).
func (w *watch) end(a *taskmanager.Attempt) error {
	received := map[*network.Queue]bool{}
	for _, t := range a.Tasks {
		_, subtask, name := t.Place()
		for _, g := range t.Gauges() {
			c := g.Counters
			in, out := c.In.Load(), c.Out.Load()+c.Dropped.Load()+c.Late.Load()+c.DeadLetters.Load()
			if in != out && g.Name != manyOut {
				return fmt.Errorf("operator %q, subtask %d: %d records in, %d out, dropped, late and dead letters", g.Name, subtask, in, out)
			}
		}
		head := t.Gauges()[0].Counters.In.Load()
		got := 0
		t.Inputs(func(q *network.Queue) {
			received[q] = true
			got += w.queues[q].records
		})
		if n := int64(got); n != head && n > 0 {
			return fmt.Errorf("task %q, subtask %d: %d records were sent to it, it took %d", name, subtask, n, head)
		}
	}
	for q, x := range w.queues {
		if !x.ended || !received[q] { // what is left behind the end is barriers
			return fmt.Errorf("an edge of the job that has ended did not")
		}
	}
	return nil
}
