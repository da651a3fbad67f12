package operator

import (
	"github.com/flottio/flott/internal/invariant"
	"github.com/flottio/flott/internal/state"
)

// rolling keeps the sums of sliding windows from one firing to the next.
//
// Problem: to merge the panes of a window anew each time one fires costs size/slide lookups and merges per key and firing. Running totals from
// which old panes are subtracted would need an accumulator that can be inverted, which a minimum cannot be.
//
// Idea: two stacks of panes, for all keys at once. Panes enter the back: there each key has one sum of all of them. When a pane is to leave that is
// in the back, the back becomes the front: from the newest pane to the oldest each is merged before what the key has as its front sum, and keeps
// the sum that was there before. So the front sum is that of all panes in front, and a pane leaves by putting back what it kept. A window
// is front + back. Each accumulator of a pane is looked up once, merged twice and put back once, however many windows hold it.
//
// It is scratch: made from the panes' tables, never in a snapshot, forgotten when a late record changes a pane that it holds. It takes
// sizeof(A) + 8 bytes per key and pane beside the panes themselves, and sizeof(K) + 2*sizeof(A) + 8 and a slot of the table ids per key.
//
// Invariant: a sum's panes counts the parts that point to it. Parts of panes[:front] hold the sum in front before their pane, others what
// their pane has. Values are merged in the order of time.
type rolling[K comparable, A any] struct {
	ids   *state.Table[K, uint32] // number + 1 of the key's sum
	sums  [][]rollingSum[K, A]    // pages
	used  uint32                  // numbers given out, free ones included
	free  []uint32
	panes []rollingPane[A] // ascending; all of the last window that fired
	front int
	flip  int // panes in the back that are to go to the front still: panes[:flip]
	merge func(acc, from *A)

	next  int // part of the pane, or sum, that the firing in progress stands at
	spare [][]rollingPart[A]
	refs  []*uint32
	whole A
}

type rollingSum[K comparable, A any] struct {
	key             K
	front, back     A
	panes           uint32
	inFront, inBack bool
}

type rollingPane[A any] struct {
	start int64
	parts []rollingPart[A]
}

type rollingPart[A any] struct {
	acc A
	id  uint32
	had bool // in front: the key had a sum in front before
}

const (
	rollingPage  = 512
	rollingSpare = 2 // lists of parts that are kept for panes to come
)

func newRolling[K comparable, A any](d state.Descriptor[K, A], merge func(acc, from *A)) *rolling[K, A] {
	return &rolling[K, A]{
		ids:   state.NewTable(state.Descriptor[K, uint32]{KeyHash: d.KeyHash, Equal: d.Equal}),
		merge: merge, refs: make([]*uint32, scanRows),
	}
}

func (r *rolling[K, A]) sum(id uint32) *rollingSum[K, A] {
	return &r.sums[id/rollingPage][id%rollingPage]
}

// holds reports whether the sums are made of a pane that starts at start, or later.
func (r *rolling[K, A]) holds(start int64) bool {
	return r != nil && len(r.panes) > 0 && start <= r.panes[len(r.panes)-1].start
}

// forget empties the sums.
func (r *rolling[K, A]) forget() error {
	for i := range r.panes {
		r.recycle(r.panes[i].parts)
	}
	clear(r.panes)
	clear(r.sums)
	r.panes, r.sums, r.free, r.used, r.front, r.flip, r.next = r.panes[:0], r.sums[:0], r.free[:0], 0, 0, 0, 0
	return r.ids.Clear()
}

func (r *rolling[K, A]) recycle(parts []rollingPart[A]) {
	if len(r.spare) < rollingSpare {
		clear(parts)
		r.spare = append(r.spare, parts[:0])
	}
}

// room is an empty list for n parts.
func (r *rolling[K, A]) room(n int) []rollingPart[A] {
	if last := len(r.spare) - 1; last >= 0 {
		parts := r.spare[last]
		r.spare = r.spare[:last]
		if cap(parts) >= n {
			return parts
		}
	}
	return make([]rollingPart[A], 0, n+n/8)
}

// drop takes out the panes before start, as far as merges goes.
func (r *rolling[K, A]) drop(start int64, merges *int) (done bool, err error) {
	for len(r.panes) > 0 && r.panes[0].start < start {
		parts := r.panes[0].parts
		from := r.next
		r.next = min(len(parts), from+*merges)
		*merges -= r.next - from
		for i := from; i < r.next; i++ {
			if err := r.takeOut(&parts[i]); err != nil {
				return false, err
			}
		}
		if r.next < len(parts) {
			return false, nil
		}
		r.next = 0
		r.recycle(parts)
		copy(r.panes, r.panes[1:])
		last := len(r.panes) - 1
		r.panes[last] = rollingPane[A]{}
		r.panes = r.panes[:last]
		if r.front == 0 {
			r.flip = last
		}
		r.front = max(r.front-1, 0)
	}
	return true, nil
}

// takeOut undoes what the first pane did to a sum.
func (r *rolling[K, A]) takeOut(p *rollingPart[A]) error {
	s := r.sum(p.id)
	if s.panes--; s.panes == 0 {
		_, err := r.ids.Delete(s.key, r.ids.Hash(&s.key))
		*s = rollingSum[K, A]{}
		r.free = append(r.free, p.id)
		return err
	}
	if r.front > 0 {
		s.front, s.inFront = p.acc, p.had
	} else {
		s.inBack = false // the flip makes it anew
	}
	return nil
}

// turn brings the back to the front, the newest pane first.
func (r *rolling[K, A]) turn(merges *int) (done bool) {
	for r.flip > 0 {
		parts := r.panes[r.flip-1].parts
		from := r.next
		r.next = min(len(parts), from+*merges)
		*merges -= r.next - from
		for i := from; i < r.next; i++ {
			p := &parts[i]
			s := r.sum(p.id)
			if p.had = s.inFront; p.had {
				r.merge(&p.acc, &s.front)
			}
			s.front, p.acc = p.acc, s.front
			s.inFront, s.inBack = true, false
		}
		if r.next < len(parts) {
			return false
		}
		r.next = 0
		if r.flip--; r.flip == 0 {
			r.front = len(r.panes)
		}
	}
	return true
}

// begin starts to add a pane to the back.
func (r *rolling[K, A]) begin(start int64, entries int) {
	if invariant.Enabled && len(r.panes) > 0 {
		invariant.Check(r.panes[len(r.panes)-1].start < start, "a pane at %d comes to the sums of a sliding window after a later one", start)
	}
	r.panes = append(r.panes, rollingPane[A]{start, r.room(entries)})
}

// add adds accumulators of the last pane.
func (r *rolling[K, A]) add(keys []K, hashes []uint64, accs []*A) error {
	refs := r.refs[:len(keys)]
	if err := r.ids.Upsert(keys, hashes, refs); err != nil {
		return err
	}
	p := &r.panes[len(r.panes)-1]
	for i, ref := range refs {
		if *ref == 0 {
			*ref = r.give(keys[i]) + 1
		}
		id := *ref - 1
		s := r.sum(id)
		s.panes++
		p.parts = append(p.parts, rollingPart[A]{acc: *accs[i], id: id})
		if s.inBack {
			r.merge(&s.back, accs[i])
		} else {
			s.back, s.inBack = *accs[i], true
		}
	}
	return nil
}

// give makes a sum for a key.
func (r *rolling[K, A]) give(key K) (id uint32) {
	if last := len(r.free) - 1; last >= 0 {
		id = r.free[last]
		r.free = r.free[:last]
	} else {
		id = r.used
		if r.used++; id%rollingPage == 0 {
			r.sums = append(r.sums, make([]rollingSum[K, A], rollingPage))
		}
	}
	r.sum(id).key = key
	return id
}

// total is the window's accumulator of a sum, good until the next call.
func (r *rolling[K, A]) total(s *rollingSum[K, A]) *A {
	switch {
	case !s.inBack:
		r.whole = s.front
	case !s.inFront:
		r.whole = s.back
	default:
		r.whole = s.front
		r.merge(&r.whole, &s.back)
	}
	return &r.whole
}

// stepRolling is step for sliding windows whose sums roll.
func (o *PaneWindows[K, T, A, O]) stepRolling(rows, merges *int) (done bool, err error) {
	f, r := &o.firing, o.rolling
	if done, err = r.drop(f.window.Start, merges); !done || err != nil {
		return false, err
	}
	if !r.turn(merges) {
		return false, nil
	}
	for len(f.todo) > 0 {
		if *merges <= 0 {
			return false, nil
		}
		p, n := f.todo[0], 0
		if f.cursor == 0 {
			r.begin(p.start, p.table.Len())
		}
		for first := true; first || f.cursor != 0; first = false {
			if *merges <= 0 {
				return false, nil
			}
			if n, f.cursor, err = p.table.Scan(f.cursor, f.keys, f.vals); err != nil {
				return false, err
			}
			*merges -= n
			o.Keys.Codec.HashAll(f.keys[:n], f.hashes)
			if err = r.add(f.keys[:n], f.hashes[:n], f.vals[:n]); err != nil {
				return false, err
			}
		}
		f.todo = f.todo[1:]
	}
	return o.emitRolling(rows)
}

// emitRolling emits the sums.
func (o *PaneWindows[K, T, A, O]) emitRolling(rows *int) (done bool, err error) {
	r, w := o.rolling, o.firing.window
	for ; r.next < int(r.used); r.next++ {
		s := r.sum(uint32(r.next))
		if s.panes == 0 {
			continue
		}
		if *rows == 0 {
			return false, nil
		}
		*rows--
		if err := o.out.fire(s.key, w, r.total(s)); err != nil {
			return false, err
		}
	}
	r.next = 0
	return true, nil
}
