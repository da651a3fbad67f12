package network

import (
	"sync/atomic"

	"github.com/flottio/flott/internal/record"
)

// Limits of one queue between two subtasks. A full queue holds its writer back; nothing is ever dropped.
const (
	// maxQueueElements bounds the ring; a power of two.
	maxQueueElements = 32
	// MaxQueueBytes is the default bound on the bytes of batches in a queue. One batch always fits into an empty queue.
	MaxQueueBytes = 4 << 20
)

// Queue is the local edge between one sending and one receiving subtask: a ring with a single writer and a single reader, bounded in
// elements and bytes. Batches change owner; nothing is copied or serialised.
//
// Each side writes one atomic, its end of the ring, and keeps a view of the other's end that it renews only when it has to: a hand-over
// costs two locked instructions and, as long as neither side is full or empty, a cache line moves once for a run of elements. The
// bytes in use are the sender's own count: what has been taken follows from how far head has come.
type Queue struct {
	ring [maxQueueElements]record.Element

	_        [64]byte
	tail     atomic.Uint64 // next to write; written by the sender
	seenHead uint64        // the sender's last view of head
	inUse    int64         // bytes of [seenHead, tail)
	size     [maxQueueElements]int32
	_        [64]byte
	head     atomic.Uint64 // next to read; written by the receiver
	seenTail uint64        // the receiver's last view of tail
	_        [64]byte

	maxElements uint64
	maxBytes    int64
	receiver    *Waker
	sender      *Waker
}

// NewQueue returns an empty queue; maxBytes 0 means MaxQueueBytes.
func NewQueue(sender, receiver *Waker, maxBytes int64) *Queue {
	if maxBytes <= 0 {
		maxBytes = MaxQueueBytes
	}
	return &Queue{maxElements: maxQueueElements, maxBytes: maxBytes, receiver: receiver, sender: sender}
}

// Limit lowers the bound on elements, for tests of backpressure; 0 leaves it. Before the first Push.
func (q *Queue) Limit(elements int) {
	if elements > 0 {
		q.maxElements = uint64(min(elements, maxQueueElements))
	}
}

// Push hands the element over, or returns false when the queue is full: then the element is still the caller's.
// Only the sender calls it.
func (q *Queue) Push(e record.Element) bool {
	t := q.tail.Load()
	if t-q.seenHead >= q.maxElements {
		q.look()
		if t-q.seenHead >= q.maxElements {
			return false
		}
	}
	n := int32(0)
	if e.Kind == record.KindBatch {
		n = int32(min(e.Batch.Bytes(), 1<<30))
		if q.inUse > 0 && q.inUse+int64(n) > q.maxBytes {
			q.look()
			if q.inUse > 0 && q.inUse+int64(n) > q.maxBytes {
				return false
			}
		}
		q.inUse += int64(n)
		e.Batch = record.Handover(e.Batch)
	}
	q.ring[t%maxQueueElements] = e
	q.size[t%maxQueueElements] = n
	q.tail.Store(t + 1)
	q.receiver.Wake()
	return true
}

// look renews the sender's view of what was taken.
func (q *Queue) look() {
	h := q.head.Load()
	for ; q.seenHead != h; q.seenHead++ {
		q.inUse -= int64(q.size[q.seenHead%maxQueueElements])
	}
}

// Pop takes the oldest element. Only the receiver calls it.
func (q *Queue) Pop() (record.Element, bool) {
	h := q.head.Load()
	if h == q.seenTail {
		q.seenTail = q.tail.Load()
		if h == q.seenTail {
			return record.Element{}, false
		}
	}
	slot := &q.ring[h%maxQueueElements]
	e := *slot
	slot.Batch = nil
	q.head.Store(h + 1)
	// Half empty, not one place free: a sender that waits for output is woken for a run of pushes, not for each. The view of
	// tail is never ahead of tail: when it says more than half, it is so.
	if q.seenTail-(h+1) <= q.maxElements/2 {
		q.seenTail = q.tail.Load()
		if q.seenTail-(h+1) <= q.maxElements/2 {
			q.sender.Wake()
		}
	}
	return e, true
}

// Len is the number of elements waiting; exact for sender and receiver, a moment's view for others.
func (q *Queue) Len() int { return int(q.tail.Load() - q.head.Load()) }

// Empty reports whether nothing waits.
func (q *Queue) Empty() bool { return q.tail.Load() == q.head.Load() }

// Fullness is the share of the element bound in use, for the backpressure metric.
func (q *Queue) Fullness() float64 { return float64(q.Len()) / float64(q.maxElements) }
