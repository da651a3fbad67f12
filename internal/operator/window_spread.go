package operator

import "github.com/flottio/flott/internal/record"

// spread sorts the records of one batch by pane: records of neighbouring panes come mixed, as far as they are out of order, and a table
// works at its speed only on vectors.
type spread[K comparable, A any] struct {
	slots  []slot[K, A]
	slotOf []int32 // by row
	sorted bool    // rows of one slot lie together
	keys   []K
	hashes []uint64
	accs   []*A
	from   []int32 // row by sorted place
}

// slot is one pane, or one span without, that the batch has records of.
type slot[K comparable, A any] struct {
	span
	pane *pane[K, A]
	fate fate
	n    int32
	next int32
}

// vector is a batch with its keys.
type vector[K comparable, T any] struct {
	in     *record.Rows[T]
	keys   []K
	hashes []uint64
}

// sort finds the slot of each record. Records that are not simply kept are dealt with here, and taken out of the vector.
func (o *PaneWindows[K, T, A, O]) sort(first slot[K, A], v *vector[K, T]) error {
	s, times := &o.spread, v.in.Head.Times
	clear(s.slots)
	s.slots = append(s.slots[:0], first)
	if cap(s.slotOf) < len(times) {
		s.slotOf = make([]int32, 2*len(times))
	}
	slotOf := s.slotOf[:len(times)]
	last, odd := int32(0), first.fate != kept
	s.sorted = true
	for i, t := range times {
		if !s.slots[last].has(t) {
			before := last
			if last = s.find(t); last < 0 {
				fresh, err := o.classify(t)
				if err != nil {
					o.at = i
					return err
				}
				last = int32(len(s.slots))
				s.slots = append(s.slots, fresh)
				odd = odd || fresh.fate != kept
			}
			s.sorted = s.sorted && last > before
		}
		slotOf[i] = last
		s.slots[last].n++
	}
	if odd {
		return o.sift(v)
	}
	return nil
}

func (s *spread[K, A]) find(t int64) int32 {
	for i := range s.slots {
		if s.slots[i].has(t) {
			return int32(i)
		}
	}
	return -1
}

// sift deals with the records that are not simply kept, and closes up the others.
func (o *PaneWindows[K, T, A, O]) sift(v *vector[K, T]) error {
	s, in := &o.spread, v.in
	w := 0
	for i := range in.Rows {
		at := s.slotOf[i]
		switch p := &s.slots[at]; p.fate {
		case kept:
			in.Rows[w], v.keys[w], v.hashes[w], s.slotOf[w] = in.Rows[i], v.keys[i], v.hashes[i], at
			w++
		case refire:
			o.at = i
			if err := o.refire(p.pane, in.Rows[i], v.keys[i], v.hashes[i]); err != nil {
				return err
			}
		case late:
			o.out.tooLate(in.Rows[i], in.Head.Times[i])
		case outside: // as in Flink: late if it is behind the watermark, else of no interest
			if t := in.Head.Times[i]; satAdd(t, o.lateness) <= o.fired {
				o.out.tooLate(in.Rows[i], t)
			} else {
				o.ctx.Counters.Dropped.Add(1)
			}
		}
	}
	in.Rows, in.Head.Times, in.Head.Hashes = in.Rows[:w], in.Head.Times[:0], in.Head.Hashes[:w]
	v.keys, v.hashes = v.keys[:w], v.hashes[:w]
	for i := range s.slots {
		if s.slots[i].fate != kept {
			s.slots[i].n = 0
		}
	}
	return nil
}

// upsert finds the accumulator of every row. Pointers into one table stay good while others are called.
func (s *spread[K, A]) upsert(keys []K, hashes []uint64, accs []*A) error {
	at := int32(0)
	for i := range s.slots {
		s.slots[i].next = at
		at += s.slots[i].n
	}
	if s.sorted {
		return s.upsertSlots(keys, hashes, accs)
	}
	n := len(keys)
	if cap(s.keys) < n {
		s.keys, s.hashes, s.accs, s.from = make([]K, 2*n), make([]uint64, 2*n), make([]*A, 2*n), make([]int32, 2*n)
	}
	ks, hs, from := s.keys[:n], s.hashes[:n], s.from[:n]
	for i, slot := range s.slotOf[:n] {
		p := &s.slots[slot]
		to := p.next
		p.next++
		ks[to], hs[to], from[to] = keys[i], hashes[i], int32(i)
	}
	for i := range s.slots {
		s.slots[i].next -= s.slots[i].n
	}
	if err := s.upsertSlots(ks, hs, s.accs[:n]); err != nil {
		return err
	}
	for to, i := range from {
		accs[i] = s.accs[to]
	}
	return nil
}

func (s *spread[K, A]) upsertSlots(keys []K, hashes []uint64, accs []*A) error {
	for i := range s.slots {
		p := &s.slots[i]
		if p.n == 0 {
			continue
		}
		if err := p.pane.table.Upsert(keys[p.next:p.next+p.n], hashes[p.next:p.next+p.n], accs[p.next:p.next+p.n]); err != nil {
			return err
		}
	}
	return nil
}
