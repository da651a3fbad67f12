package network

import "github.com/flottio/flott/internal/record"

// Sent is the number of elements ever pushed. A simulation asks between two steps, when neither side is at work.
func (q *Queue) Sent() uint64 { return q.tail.Load() }

// Taken is the number of elements ever popped; as Sent.
func (q *Queue) Taken() uint64 { return q.head.Load() }

// At is the n-th element pushed, from 0, while it waits in the queue: Taken() <= n < Sent(). As Sent.
func (q *Queue) At(n uint64) *record.Element {
	if n < q.Taken() || n >= q.Sent() {
		panic("BUG: an element that does not wait in the queue")
	}
	return &q.ring[n%maxQueueElements]
}
