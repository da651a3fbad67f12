package checkpoint

import (
	"math/bits"

	"github.com/flottio/flott/internal/invariant"
)

// maxTrackedIDs bounds the checkpoints a Track waits for at once (A5.1).
const maxTrackedIDs = 50

// Track notices when every input of a subtask has delivered the barrier of a checkpoint, and never blocks one:
// AT_LEAST_ONCE (A5). It takes the same events as Align and asks for the same actions, Block and UnblockAll excepted.
//
//	input 0  ..a..b..|n|..c..d..      c and d may be in the snapshot of n, and come again after a restore:
//	input 1  ..x..y..z..w..|n|..      records, watermarks and timers may repeat (A5.3)
//
// Idea. For each id a set of the inputs that have delivered it. The set that is full first wins: snapshot, and everything
// older is forgotten, since its barriers would be behind this one.
//
// An id that was cancelled or aborted keeps its place all the same until a newer one is taken: else a straggler could bring it
// back (A5.2).
//
// Invariant: ids in pending strictly increase and are all greater than done.
// Invariant: no set in pending is full, except those of aborted ids and of ids that nobody has begun.
//
// A Track belongs to its task's goroutine. It allocates when more ids are pending than ever before.
type Track struct {
	inputs   int
	ended    inputSet
	done     ID          // nothing up to here begins any more
	pending  []trackedID // ascending
	free     []inputSet  // of ids gone
	notReady Reason
	lastSent ID // invariants only: last id snapshotted
}

type trackedID struct {
	id        ID
	seen      inputSet // has delivered it, or has ended
	options   Options
	begun     bool // a barrier or a trigger has come: options are known
	aborted   bool // cancelled or aborted: no snapshot
	forwarded bool // and its cancel marker is on its way downstream
}

// NewTrack returns a Track for a subtask with this many inputs. restored is the id the job was restored from; None for a
// fresh start.
func NewTrack(inputs int, restored ID) *Track {
	return &Track{inputs: inputs, ended: newInputSet(inputs), done: restored, lastSent: restored}
}

// Barrier takes the barrier of id from an input, which may have ended (see Align.Barrier).
func (t *Track) Barrier(dst []TaskAction, input int, id ID, o Options) []TaskAction {
	if t.inputs == 1 && id > t.newest() && t.notReady == NoReason { // the fast path (A5.2): only for what is newer than all
		return t.snapshot(dst, id, o, len(t.pending))
	}
	at := t.find(id)
	if at < 0 {
		return append(dst, TaskAction{Kind: Drop, Input: input, ID: id})
	}
	p := &t.pending[at]
	p.begun, p.options = true, o
	p.seen.add(input)
	if t.notReady != NoReason && !p.aborted {
		p.aborted = true
		dst = append(dst, TaskAction{Kind: Decline, ID: id, Reason: t.notReady})
	}
	return t.settle(t.forward(dst, p), at)
}

// Trigger takes the coordinator's order to begin id at this subtask, which has no inputs or none with a running predecessor
// (A8.1).
func (t *Track) Trigger(dst []TaskAction, id ID, o Options) []TaskAction {
	at := t.find(id)
	if at < 0 {
		return dst
	}
	p := &t.pending[at]
	p.begun, p.options = true, o
	if t.notReady != NoReason && !p.aborted {
		p.aborted = true
		dst = append(dst, TaskAction{Kind: Decline, ID: id, Reason: t.notReady})
	}
	return t.settle(t.forward(dst, p), at)
}

// Cancel takes the cancel marker of id from an input: the barrier of id will never come from there.
func (t *Track) Cancel(dst []TaskAction, input int, id ID) []TaskAction {
	at := t.find(id)
	if at < 0 {
		return dst
	}
	p := &t.pending[at]
	p.seen.add(input)
	if !p.aborted {
		p.aborted = true
		dst = append(dst, TaskAction{Kind: Decline, ID: id, Reason: CancelMarker})
	}
	p.begun = true
	return t.settle(t.forward(dst, p), at)
}

// End takes the end of an input's data. Every pending id counts it as delivered; those that are complete by that are taken in order.
func (t *Track) End(dst []TaskAction, input int) []TaskAction {
	if t.ended.has(input) {
		invariant.Bug("input %d has ended twice", input)
	}
	t.ended.add(input)
	for i := range t.pending {
		t.pending[i].seen.add(input)
	}
	for at := 0; at < len(t.pending); {
		before := len(t.pending)
		if dst = t.settle(dst, at); len(t.pending) == before {
			at++
		} else {
			at = 0
		}
	}
	return dst
}

// Abort takes from the coordinator that it has given id up.
func (t *Track) Abort(dst []TaskAction, id ID) []TaskAction {
	at := t.find(id)
	if at < 0 {
		return dst
	}
	p := &t.pending[at]
	p.aborted = true
	return t.forward(dst, p)
}

// Close takes that the task leaves the running state: what is pending is declined, and so is each barrier from now on.
func (t *Track) Close(dst []TaskAction, reason Reason) []TaskAction {
	invariant.Check(reason != NoReason, "closing without a reason")
	t.notReady = reason
	for i := range t.pending {
		p := &t.pending[i]
		if p.begun && !p.aborted {
			p.aborted = true
			dst = t.forward(append(dst, TaskAction{Kind: Decline, ID: p.id, Reason: reason}), p)
		}
	}
	return dst
}

// Ready takes that the task runs.
func (t *Track) Ready() { t.notReady = NoReason }

// Blocked is always false.
func (t *Track) Blocked(int) bool { return false }

// settle takes the id at this place if every input has delivered it.
func (t *Track) settle(dst []TaskAction, at int) []TaskAction {
	p := &t.pending[at]
	if !p.begun || p.aborted || p.seen.n < t.inputs {
		return dst
	}
	return t.snapshot(dst, p.id, p.options, at+1)
}

// snapshot takes id, and forgets the first n pending ones with it.
func (t *Track) snapshot(dst []TaskAction, id ID, o Options, n int) []TaskAction {
	invariant.Check(id > t.lastSent, "snapshot %d comes after %d", id, t.lastSent)
	t.lastSent = id
	t.forget(n)
	t.done = id
	return append(dst, TaskAction{Kind: Snapshot, ID: id, Options: o})
}

// forward sends the cancel marker of an aborted id downstream, once, as soon as the id has come by in-band: earlier it would
// overtake the barriers of older ids.
func (t *Track) forward(dst []TaskAction, p *trackedID) []TaskAction {
	if !p.aborted || !p.begun || p.forwarded {
		return dst
	}
	p.forwarded = true
	return append(dst, TaskAction{Kind: ForwardCancel, ID: p.id})
}

// find returns the place of id in pending, made if id is new; -1 if it is obsolete.
func (t *Track) find(id ID) int {
	if id <= t.done {
		return -1
	}
	at := len(t.pending)
	for at > 0 && t.pending[at-1].id >= id {
		at--
	}
	if at < len(t.pending) && t.pending[at].id == id {
		return at
	}
	if len(t.pending) == maxTrackedIDs {
		if at == 0 {
			return -1 // older than fifty that are pending: it is the one to give way
		}
		t.forget(1)
		at--
	}
	t.pending = append(t.pending, trackedID{})
	copy(t.pending[at+1:], t.pending[at:])
	t.pending[at] = trackedID{id: id, seen: t.newSet()}
	return at
}

func (t *Track) newest() ID {
	if n := len(t.pending); n > 0 {
		return t.pending[n-1].id
	}
	return t.done
}

// forget removes the n oldest ids for good.
func (t *Track) forget(n int) {
	for _, p := range t.pending[:n] {
		t.free = append(t.free, p.seen)
		t.done = p.id
	}
	t.pending = t.pending[:copy(t.pending, t.pending[n:])]
}

func (t *Track) newSet() inputSet {
	s := newInputSet(0)
	if n := len(t.free); n > 0 {
		s, t.free = t.free[n-1], t.free[:n-1]
	}
	return s.copyOf(t.ended)
}

// inputSet is a set of inputs with its size.
type inputSet struct {
	words []uint64
	n     int
}

func newInputSet(inputs int) inputSet { return inputSet{words: make([]uint64, (inputs+63)/64)} }

func (s *inputSet) has(i int) bool { return s.words[i/64]>>(i%64)&1 == 1 }

func (s *inputSet) add(i int) {
	if !s.has(i) {
		s.words[i/64] |= 1 << (i % 64)
		s.n++
	}
}

// copyOf returns a copy of o that reuses the memory of s.
func (s inputSet) copyOf(o inputSet) inputSet {
	s.words = append(s.words[:0], o.words...)
	s.n = o.n
	if invariant.Enabled {
		n := 0
		for _, w := range s.words {
			n += bits.OnesCount64(w)
		}
		invariant.Check(n == s.n, "a set of %d inputs says it has %d", n, s.n)
	}
	return s
}
