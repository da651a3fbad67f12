package network

import "github.com/flottio/flott/internal/record"

// Partitioner chooses the output of each record of a batch. One per sending subtask and edge: it may keep state.
type Partitioner interface {
	// Route returns either one output for the whole batch (at == nil) or fills at with the output of each record.
	Route(b record.Batch, at []int32) (only int, each []int32, err error)
}

// Broadcast as the only output means: every output gets the batch.
const Broadcast = -1

// Forward sends everything to one output: the same subtask of the next operator, or subtask 0 (global).
type Forward struct{ To int }

// Route implements Partitioner.
func (f Forward) Route(record.Batch, []int32) (int, []int32, error) { return f.To, nil, nil }

// ToAll sends every batch to every output.
type ToAll struct{}

// Route implements Partitioner.
func (ToAll) Route(record.Batch, []int32) (int, []int32, error) { return Broadcast, nil, nil }

// Rebalance sends whole batches round robin, so that each output gets its share without touching records.
type Rebalance struct {
	n, next int
}

// NewRebalance starts with another output for each sender, so that the first batches of all do not meet at one.
func NewRebalance(receivers, subtask int) *Rebalance {
	return &Rebalance{n: receivers, next: subtask % receivers}
}

// Route implements Partitioner.
func (r *Rebalance) Route(record.Batch, []int32) (int, []int32, error) {
	to := r.next
	if r.next++; r.next >= r.n {
		r.next = 0
	}
	return to, nil, nil
}

// Shuffle sends each record to an output drawn from a seeded generator.
type Shuffle struct {
	N    int
	Seed uint64
}

// Route implements Partitioner.
func (s *Shuffle) Route(b record.Batch, at []int32) (int, []int32, error) {
	for range b.Len() {
		// splitmix64
		s.Seed += 0x9e3779b97f4a7c15
		z := s.Seed
		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9
		z = (z ^ (z >> 27)) * 0x94d049bb133111eb
		z ^= z >> 31
		at = append(at, int32((z>>32)*uint64(s.N)>>32))
	}
	return 0, at, nil
}

// Hash sends each record to the subtask that owns its key group. Hashes fills in the keys' hashes where the batch has none.
type Hash struct {
	// Hashes returns the batch's key hashes, computing them once.
	Hashes func(b record.Batch) []uint64
	// Table maps key group to output; its length is the max parallelism.
	Table []uint16
	N     int
	// Working is the record whose key is being asked for, for errors; may be nil.
	Working func() (rec any, ok bool)
}

// Current implements operator.Describer.
func (h *Hash) Current() (rec any, ok bool) {
	if h.Working == nil {
		return nil, false
	}
	return h.Working()
}

// Route implements Partitioner.
func (h *Hash) Route(b record.Batch, at []int32) (int, []int32, error) {
	hashes := h.Hashes(b)
	if h.N == 1 {
		return 0, nil, nil
	}
	n := uint64(len(h.Table))
	if n&(n-1) == 0 {
		mask := n - 1
		table := h.Table[:n]
		for _, x := range hashes {
			at = append(at, int32(table[x&mask]))
		}
		return 0, at, nil
	}
	for _, x := range hashes {
		at = append(at, int32(h.Table[x%n]))
	}
	return 0, at, nil
}

// Custom asks the user's function for each record's output.
type Custom struct {
	// Choose fills at with an output in [0, N) for each record.
	Choose func(b record.Batch, at []int32) ([]int32, error)
	// Working is the record in work, for errors.
	Working func() (rec any, ok bool)
}

// Current implements operator.Describer.
func (c *Custom) Current() (rec any, ok bool) { return c.Working() }

// Route implements Partitioner.
func (c *Custom) Route(b record.Batch, at []int32) (int, []int32, error) {
	at, err := c.Choose(b, at)
	return 0, at, err
}
