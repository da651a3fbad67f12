package task

import (
	"github.com/flottio/flott/internal/network"
	"github.com/flottio/flott/internal/record"
)

// edge is the sending side of one edge: it spreads batches over the receiving subtasks and keeps what does not fit in its outbox.
//
// Invariant: while the outbox is not empty the task takes no input, so the outbox holds at most what one input, or one piece of a
// control pass, has made.
type edge struct {
	spec EdgeSpec
	// open holds a batch that is being filled for each receiver, nil when there is none.
	open []record.Batch
	// outbox holds, for each receiver, elements that its queue had no place for.
	outbox  [][]record.Element
	waiting int // elements in outbox
	route   []int32
	at      [][]int32
	mark    int64
	idle    bool
}

func newEdge(s EdgeSpec) *edge {
	n := len(s.Queues)
	return &edge{spec: s, open: make([]record.Batch, n), outbox: make([][]record.Element, n), at: make([][]int32, n), mark: record.NoTime}
}

// emit takes ownership of the batch.
func (e *edge) emit(b record.Batch) error {
	only, each, err := e.spec.Partitioner.Route(b, e.route[:0])
	if err != nil {
		return err
	}
	if each != nil {
		e.route = each
		e.scatter(b, each)
		return nil
	}
	if only != network.Broadcast {
		e.add(only, b)
		return nil
	}
	last := len(e.spec.Queues) - 1
	for i := range last {
		e.add(i, b.Clone())
	}
	e.add(last, b)
	return nil
}

// add gives a whole batch to one receiver. A small one is merged with its neighbours, so that a selective filter does not
// make the rest of the job pay for each batch what it should pay for each record.
func (e *edge) add(to int, b record.Batch) {
	open := e.open[to]
	if open == nil {
		if b.Full() {
			e.send(to, record.Element{Kind: record.KindBatch, Batch: b})
			return
		}
		e.open[to] = b
		return
	}
	if open.Len()+b.Len() > 1024 || b.Full() {
		e.flush(to)
		e.add(to, b)
		return
	}
	b.Slice(open, 0, b.Len())
	b.Release()
	if open.Full() {
		e.flush(to)
	}
}

func (e *edge) scatter(b record.Batch, each []int32) {
	at := e.at
	for i := range at {
		at[i] = at[i][:0]
	}
	for i, to := range each {
		at[to] = append(at[to], int32(i))
	}
	for to, rows := range at {
		if len(rows) == 0 {
			continue
		}
		if len(rows) == b.Len() {
			e.add(to, b)
			return
		}
		if e.open[to] == nil {
			e.open[to] = b.Fresh()
		}
		b.Gather(e.open[to], rows)
		if e.open[to].Full() {
			e.flush(to)
		}
	}
	b.Release()
}

// flush sends the batch that is being filled for a receiver.
func (e *edge) flush(to int) {
	if b := e.open[to]; b != nil {
		e.open[to] = nil
		e.send(to, record.Element{Kind: record.KindBatch, Batch: b})
	}
}

func (e *edge) flushAll() {
	for to := range e.open {
		e.flush(to)
	}
}

// control sends an element other than a batch to every receiver, behind all records emitted before.
func (e *edge) control(x record.Element) {
	for to := range e.spec.Queues {
		e.flush(to)
		e.send(to, x)
	}
}

// watermark passes event time and idleness on, if they changed.
func (e *edge) watermark(mark int64, idle bool) {
	if idle != e.idle {
		e.idle = idle
		e.control(record.Element{Kind: record.KindStatus, Idle: idle})
	}
	if mark > e.mark {
		e.mark = mark
		e.control(record.Element{Kind: record.KindWatermark, Time: mark})
	}
}

func (e *edge) send(to int, x record.Element) {
	if len(e.outbox[to]) == 0 && e.spec.Queues[to].Push(x) {
		return
	}
	e.outbox[to] = append(e.outbox[to], x)
	e.waiting++
}

// drain moves the outbox into the queues; false when something is left.
func (e *edge) drain() bool {
	if e.waiting == 0 {
		return true
	}
	for to, box := range e.outbox {
		n := 0
		for n < len(box) && e.spec.Queues[to].Push(box[n]) {
			box[n].Batch = nil
			n++
		}
		e.waiting -= n
		if n == len(box) {
			e.outbox[to] = box[:0]
		} else {
			e.outbox[to] = append(box[:0], box[n:]...)
		}
	}
	return e.waiting == 0
}
