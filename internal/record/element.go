package record

// Kind says what an element of an edge is. The set is closed: a switch over it is exhaustive.
type Kind uint8

// The kinds of element.
const (
	KindBatch     Kind = iota + 1
	KindWatermark      // no record with event time <= Time follows on this input
	KindStatus         // the input became idle or active again
	KindBarrier        // separates the records of one checkpoint from those of the next
	KindCancel         // the barrier's checkpoint is given up: it will not come on this input
	KindEnd            // no element follows on this input
)

// Element is one unit on an edge. Control travels in-band and in order with the records.
type Element struct {
	Kind    Kind
	Idle    bool    // KindStatus
	Time    int64   // KindWatermark: event time in milliseconds
	Batch   Batch   // KindBatch
	Barrier Barrier // KindBarrier, KindCancel
}

// Barrier separates the records of checkpoint ID from those that follow.
type Barrier struct {
	ID int64
	// Savepoint says that the user owns the result; sinks commit nothing for an intermediate one (A9.1).
	Savepoint bool
	// Stop says that no record follows the barrier: stop-with-savepoint (A9.2).
	Stop bool
	// Drain says that event time ended before the barrier; only with Stop.
	Drain bool
}
