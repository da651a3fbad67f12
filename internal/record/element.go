package record

import "github.com/flottio/flott/internal/checkpoint"

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

// Barrier separates the records of checkpoint ID from those that follow. Its options travel with it (A6.1).
type Barrier struct {
	ID      checkpoint.ID
	Options checkpoint.Options
}
