// Package record is what travels on an edge: a closed set of elements (batch, watermark, barrier, status, end of data) and the
// two kinds of batch: Rows[T] for the typed API; columns for SQL come beside it behind the same interface.
//
// It owns no goroutine and no policy. Anyone inside the engine may import it.
package record

import "math"

// NoTime is the event time of a record that has none, and the watermark before the first one.
const NoTime = math.MinInt64

// MaxWatermark says that no record will ever follow: the end of event time.
const MaxWatermark = math.MaxInt64

// Batch is records moved together. Ownership moves with it: whoever hands a batch to Emit, Push or Process never touches it again.
// In builds with the tag invariants the handed-over batch is poisoned (see Handover), so that a violation shows at once.
//
// A batch is used by one goroutine at a time.
type Batch interface {
	// Len is the number of records.
	Len() int
	// Header gives event times and key hashes; never nil.
	Header() *Header
	// Bytes estimates the memory held, for queues bounded in bytes.
	Bytes() int
	// Fresh returns an empty batch of the same kind.
	Fresh() Batch
	// Clone returns a copy that shares nothing that either owner may write.
	Clone() Batch
	// Gather appends the records at the given positions to dst, which is of the same kind.
	Gather(dst Batch, at []int32)
	// Slice appends the records [from, to) to dst.
	Slice(dst Batch, from, to int)
	// Full reports whether a writer should hand the batch over now.
	Full() bool
	// At describes one record for an error message; never on a hot path.
	At(i int) any
	// Release gives the memory back; the batch is dead afterwards.
	Release()
	// poison overwrites the content with values that cannot be mistaken for data.
	poison()
}

// Header holds what the engine knows of each record without knowing its type.
type Header struct {
	// Times are event times in milliseconds since the epoch; empty when the records have none, else as long as the batch.
	Times []int64
	// Hashes are hashes of the records' keys; empty before the first keyBy, else as long as the batch. Computed once, by the
	// partitioner or the first keyed operator, and carried along.
	Hashes []uint64
	// Split is the reader's number of the split that all records of the batch come from; 0 beyond the source.
	Split int32
}

// takesTimes prepares h, the header of a batch with so many records, for records with the header of src: times are kept
// if either side has any.
func (h *Header) takesTimes(records int, src *Header) bool {
	if len(src.Times) == 0 {
		return false
	}
	h.fill(records)
	return true
}

// takesHashes is the same for hashes, which are kept only if both sides have them: they can be computed again.
func (h *Header) takesHashes(records int, src *Header) bool {
	if len(src.Hashes) == 0 || len(h.Hashes) != records {
		h.Hashes = h.Hashes[:0]
		return false
	}
	return true
}

// pad fills up the times of records that came without, if the batch has times at all.
func (h *Header) pad(records int) {
	if len(h.Times) > 0 {
		h.fill(records)
	}
}

func (h *Header) fill(records int) {
	for len(h.Times) < records {
		h.Times = append(h.Times, NoTime)
	}
}

// Handover returns the batch to hand to the next owner. With the tag invariants that is a copy, and the one that the
// caller still holds is poisoned: "whoever hands over a batch never touches it again" cannot be broken unnoticed.
func Handover(b Batch) Batch {
	return handover(b)
}
