// Package network is the edges between tasks: queues inside a process, partitioners that choose the queue. It moves elements and
// ownership of batches; it never looks into a record.
//
// The task package drives it; nothing here starts a goroutine.
package network

import "sync/atomic"

// Waker wakes one sleeping goroutine without a lock on the hot path: a task that runs costs its neighbours one atomic load per
// element.
//
// Protocol of the sleeper: Prepare, look again at everything that could have changed, then either Cancel or receive from C. Protocol of
// the others: change what they change, then Wake. Whichever order the two run in, the change is seen or the signal arrives (A10.10).
//
// The zero value is not usable; NewWaker.
type Waker struct {
	state atomic.Uint32
	// C delivers at most one signal per Prepare.
	C chan struct{}
}

const (
	awake uint32 = iota
	asleep
)

// NewWaker returns a waker of an awake goroutine.
func NewWaker() *Waker { return &Waker{C: make(chan struct{}, 1)} }

// Prepare announces sleep.
func (w *Waker) Prepare() { w.state.Store(asleep) }

// Cancel takes the announcement back. A signal that was sent meanwhile is consumed.
func (w *Waker) Cancel() {
	if !w.state.CompareAndSwap(asleep, awake) {
		<-w.C
	}
}

// Wake signals the sleeper, if it sleeps. Any goroutine may call it.
func (w *Waker) Wake() {
	if w == nil || w.state.Load() == awake {
		return
	}
	if w.state.CompareAndSwap(asleep, awake) {
		w.C <- struct{}{}
	}
}
