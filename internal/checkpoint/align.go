package checkpoint

import (
	"fmt"

	"github.com/flottio/flott/internal/invariant"
)

// Align aligns the barriers of one subtask with n inputs: EXACTLY_ONCE (A4).
//
//	input 0  ..a..b..|n|..c..d..      blocked here until input 1 has delivered n
//	input 1  ..x..y..z..w..|n|..      read on; snapshot when |n| comes out
//
// Problem. The snapshot of checkpoint n must hold the effect of every record before barrier n, on every input, and of none
// behind it. Barriers arrive at different moments, may be overtaken by newer ones, cancelled, or never come.
//
// Idea. An input that has delivered barrier n is not read any further (flow control holds its sender, A4.5; nothing is put
// aside and fed back). When all open inputs have delivered it, the cut is clean: snapshot, and read all of them again.
//
// A subtask is in one of two states: quiet, or aligning `current`. IDs only go up; `current` is the greatest one seen in any
// shape, and once it has been snapshotted or given up, nothing can bring it back.
//
//	              barrier n of the first input            barrier of the last open input / it ends
//	quiet(m<n) ------------------------------> aligning n --------------------------------> quiet(n): Snapshot
//	     |                                        |
//	     | cancel n, or barrier n after abort n   | cancel n, abort n, barrier or cancel of a newer one, Close
//	     v                                        v
//	quiet(n): ForwardCancel                    quiet(n): UnblockAll, ForwardCancel
//
// Whoever gives n up sends a cancel marker downstream in place of the barrier, so that nobody there waits for it (A3.0, A3.1).
//
// Invariant: an input is blocked only while aligning, and only if it has delivered the barrier of `current`.
// Invariant: one barrier at most is emitted downstream per id: Snapshot(n) and ForwardCancel(n) exclude each other, and the
// ids of both together strictly increase.
//
// Rejected: counting barriers instead of remembering who delivered (an end and a barrier of the same input would count
// twice, A5.1); asserting that an overtaken id was begun here (✗ FLINK-21104).
//
// Memory is allocated by NewAlign only. An Align belongs to its task's goroutine.
type Align struct {
	inputs    []alignInput
	open      int     // inputs that have not ended
	current   ID      // greatest id begun, snapshotted or given up
	aligning  bool    // current waits for inputs
	waiting   int     // open inputs that have not delivered current; meaningful while aligning
	options   Options // of current, while aligning
	aborted   idSet   // greater than current, given up by the coordinator before any barrier came (A3.2)
	notReady  Reason  // why barriers are answered with a cancel marker; NoReason while the task runs
	lastSent  ID      // invariants only: last id sent downstream as barrier or cancel marker
	delivered int     // invariants only: blocked inputs
}

type alignInput struct {
	ended     bool
	delivered bool // has delivered the barrier of current: blocked
}

// TaskAction is what Align and Track ask their task to do. The task carries out actions in order, before it takes another
// element.
type TaskAction struct {
	Kind    TaskActionKind
	Input   int     // Block, Drop
	ID      ID      // all but Block and UnblockAll
	Options Options // Snapshot
	Reason  Reason  // Decline
}

// TaskActionKind is the closed set of what Align and Track ask for.
type TaskActionKind uint8

const (
	// Block: read no further element from Input.
	Block TaskActionKind = iota + 1
	// UnblockAll: read all inputs again.
	UnblockAll
	// Snapshot: send the barrier of ID downstream and take the subtask's snapshot, in the order of A3.
	Snapshot
	// ForwardCancel: send the cancel marker of ID downstream, in the place of its barrier.
	ForwardCancel
	// Decline: tell the coordinator that this subtask will not acknowledge ID, and why.
	Decline
	// Drop: the barrier of ID that came from Input is obsolete; the input is read on (A4.3). To be counted.
	Drop
)

// String returns the action as tests and traces show it.
func (a TaskAction) String() string {
	switch a.Kind {
	case Block:
		return fmt.Sprintf("block %d", a.Input)
	case UnblockAll:
		return "unblock all"
	case Snapshot:
		return fmt.Sprintf("snapshot %d (%v)", a.ID, a.Options)
	case ForwardCancel:
		return fmt.Sprintf("forward cancel %d", a.ID)
	case Decline:
		return fmt.Sprintf("decline %d: %v", a.ID, a.Reason)
	case Drop:
		return fmt.Sprintf("drop barrier %d of %d", a.ID, a.Input)
	}
	return fmt.Sprintf("TaskAction(%d)", a.Kind)
}

// NewAlign returns an Align for a subtask with this many inputs (0 for a source, which knows only Trigger and Abort), which
// remembers at most maxAborted ids that were aborted before their barrier came: the job's max concurrent checkpoints.
// restored is the id the job was restored from; anything up to it is obsolete. None for a fresh start.
func NewAlign(inputs, maxAborted int, restored ID) *Align {
	return &Align{
		inputs:   make([]alignInput, inputs),
		open:     inputs,
		current:  restored,
		aborted:  newIDSet(maxAborted),
		lastSent: restored,
	}
}

// Blocked reports whether the input may not be read.
func (a *Align) Blocked(input int) bool { return a.inputs[input].delivered }

// Aligning returns the id the subtask waits for, None if it is quiet.
func (a *Align) Aligning() ID {
	if a.aligning {
		return a.current
	}
	return None
}

// Barrier takes the barrier of id from an input that is not blocked. An input at its end may still deliver barriers, while
// its sender waits for its last checkpoint (A8.2): they belong to no record any more, and have the effect of Trigger.
func (a *Align) Barrier(dst []TaskAction, input int, id ID, o Options) []TaskAction {
	a.mustBeReadable(input, "barrier", id)
	known := id <= a.current
	dst, begun := a.begin(dst, id, o)
	ended := a.inputs[input].ended
	switch {
	case !begun || ended && known:
		return append(dst, TaskAction{Kind: Drop, Input: input, ID: id})
	case ended && a.waiting > 0:
		return dst
	}
	invariant.Check(o == a.options, "barrier %d of input %d says %v, others %v", id, input, o, a.options)
	if a.waiting <= 1 {
		return a.complete(dst)
	}
	a.waiting--
	a.inputs[input].delivered = true
	a.delivered++
	return append(dst, TaskAction{Kind: Block, Input: input})
}

// Trigger takes the coordinator's order to begin id here: the subtask is a source, or has no running predecessor (A8.1).
// Inputs that are still open will deliver nothing but their end, which counts; the order waits for them, so that no record
// between here and the end is missed.
func (a *Align) Trigger(dst []TaskAction, id ID, o Options) []TaskAction {
	dst, begun := a.begin(dst, id, o)
	if begun && a.waiting == 0 {
		return a.complete(dst)
	}
	return dst
}

// Cancel takes the cancel marker of id from an input: the barrier of id will never come from there (A4.4).
func (a *Align) Cancel(dst []TaskAction, input int, id ID) []TaskAction {
	a.mustBeReadable(input, "cancel marker", id)
	switch {
	case id < a.current || id == a.current && !a.aligning:
		return dst // it was snapshotted or given up before
	case id == a.current:
		return a.giveUp(dst, CancelMarker)
	}
	// This input has gone past whatever older one we wait for.
	if a.aligning {
		dst = a.giveUp(dst, NewerBarrier)
	}
	reason := CancelMarker
	if a.aborted.has(id) {
		reason = NoReason // the coordinator knows
	}
	a.moveTo(id)
	return a.cancelDownstream(dst, reason)
}

// End takes the end of an input's data: whatever is waited for counts as delivered there (A4.2, A8). The sender may go on
// delivering barriers and cancel markers.
func (a *Align) End(dst []TaskAction, input int) []TaskAction {
	a.mustBeReadable(input, "end", a.current)
	if a.inputs[input].ended {
		invariant.Bug("input %d has ended twice", input)
	}
	a.inputs[input].ended = true
	a.open--
	if !a.aligning {
		return dst
	}
	if a.waiting == 1 {
		return a.complete(dst)
	}
	a.waiting--
	return dst
}

// Abort takes from the coordinator that it has given id up. It may come before, during or after the barrier (A2.10). The
// task's own running snapshot of id, if any, is not this machine's affair.
func (a *Align) Abort(dst []TaskAction, id ID) []TaskAction {
	switch {
	case id > a.current:
		a.aborted.add(id)
	case id == a.current && a.aligning:
		return a.giveUp(dst, NoReason) // it knows: no decline
	}
	return dst
}

// Close takes that the task is leaving the running state (or has not reached it), for the given reason, TaskClosing or
// TaskNotReady. What is being aligned is given up, and each barrier from now on is answered with a cancel marker, so that
// nobody downstream waits for ever (A3.1). Ready reverts it.
func (a *Align) Close(dst []TaskAction, reason Reason) []TaskAction {
	invariant.Check(reason != NoReason, "closing without a reason")
	a.notReady = reason
	if a.aligning {
		return a.giveUp(dst, reason)
	}
	return dst
}

// Ready takes that the task runs.
func (a *Align) Ready() { a.notReady = NoReason }

// begin makes id the one being aligned and reports whether it is: true also if it was already.
func (a *Align) begin(dst []TaskAction, id ID, o Options) ([]TaskAction, bool) {
	if id == a.current && a.aligning {
		return dst, true
	}
	if id <= a.current {
		return dst, false
	}
	if a.aligning {
		dst = a.giveUp(dst, NewerBarrier)
	}
	wasAborted := a.aborted.has(id)
	a.moveTo(id)
	switch {
	case wasAborted:
		return a.cancelDownstream(dst, NoReason), false
	case a.notReady != NoReason:
		return a.cancelDownstream(dst, a.notReady), false
	}
	a.aligning, a.options, a.waiting = true, o, a.open
	return dst, true
}

// moveTo makes id current, neither begun nor blocking anything.
func (a *Align) moveTo(id ID) {
	a.current = id
	a.aborted.forgetThrough(id)
}

// complete ends the alignment of current with a snapshot.
func (a *Align) complete(dst []TaskAction) []TaskAction {
	a.sent(a.current)
	a.aligning = false
	dst = append(dst, TaskAction{Kind: Snapshot, ID: a.current, Options: a.options})
	return a.unblock(dst)
}

// giveUp ends the alignment of current without one. With NoReason the coordinator is not told.
func (a *Align) giveUp(dst []TaskAction, reason Reason) []TaskAction {
	a.aligning = false
	return a.unblock(a.cancelDownstream(dst, reason))
}

func (a *Align) cancelDownstream(dst []TaskAction, reason Reason) []TaskAction {
	a.sent(a.current)
	dst = append(dst, TaskAction{Kind: ForwardCancel, ID: a.current})
	if reason != NoReason {
		dst = append(dst, TaskAction{Kind: Decline, ID: a.current, Reason: reason})
	}
	return dst
}

// unblock asks for all inputs again, after the barrier or cancel marker is on its way: what they bring belongs behind it.
func (a *Align) unblock(dst []TaskAction) []TaskAction {
	if a.delivered == 0 {
		return dst
	}
	for i := range a.inputs {
		a.inputs[i].delivered = false
	}
	a.delivered = 0
	return append(dst, TaskAction{Kind: UnblockAll})
}

func (a *Align) sent(id ID) {
	invariant.Check(id > a.lastSent, "checkpoint %d goes downstream after %d", id, a.lastSent)
	a.lastSent = id
}

func (a *Align) mustBeReadable(input int, what string, id ID) {
	if a.inputs[input].delivered {
		invariant.Bug("%s (checkpoint %d) came from input %d, which is blocked", what, id, input)
	}
}

// idSet is a small ordered set of ids with a bound: when full, the least is forgotten, since ids only go up.
type idSet struct {
	ids []ID // ascending; capacity is the bound
}

func newIDSet(bound int) idSet { return idSet{ids: make([]ID, 0, max(1, bound))} }

func (s *idSet) has(id ID) bool {
	for _, x := range s.ids {
		if x == id {
			return true
		}
	}
	return false
}

func (s *idSet) add(id ID) {
	if s.has(id) {
		return
	}
	if len(s.ids) == cap(s.ids) {
		if id < s.ids[0] {
			return
		}
		s.ids = s.ids[:copy(s.ids, s.ids[1:])]
	}
	i := len(s.ids)
	s.ids = append(s.ids, id)
	for ; i > 0 && s.ids[i-1] > id; i-- {
		s.ids[i] = s.ids[i-1]
	}
	s.ids[i] = id
}

func (s *idSet) forgetThrough(id ID) {
	n := 0
	for n < len(s.ids) && s.ids[n] <= id {
		n++
	}
	s.ids = s.ids[:copy(s.ids, s.ids[n:])]
}
