package operator

import (
	"math"
	"slices"

	"github.com/flottio/flott/internal/record"
	"github.com/flottio/flott/internal/state"
)

// SessionWindows puts the records of a key into one window as long as no gap lies between them.
//
// A record is a window from its time to its time + gap; windows of a key that overlap or touch are merged, so a late record may join two
// sessions. A session fires when the watermark passes its end. Looking for those must not cost a look at every key: a queue holds one
// entry per session, at a time that is not after the next thing that can happen to it. Extending a session leaves its entry
// alone; when the entry comes up too early it is put back at the new time. Entries are told from stale ones by Session.Due.
//
// Invariant: for each session there is exactly one entry in the queue with its key and at = Due, and Due <= its next time of action.
type SessionWindows[K comparable, T, A, O any] struct {
	WindowPlan[K, T, A, O]
	Cursor
	ctx           *Context
	out           windowOutput[K, T, A, O]
	temp          accumulators[A]
	gap, lateness int64
	table         *state.Table[K, Sessions[A]]
	queue         dueQueue[K]
	wm            int64
	vals          []*Sessions[A]
	empty         []int // rows of the batch whose keys may have no session
	list          []Session[A]
	lists         [][]Session[A] // empty ones: see keepMore

	next    []due[K] // taken from the queue
	keys    []K
	hashes  []uint64
	one     [1]K
	oneHash [1]uint64
	oneVal  [1]*Sessions[A]
}

// Session is one window of a key, from Start to End.
type Session[A any] struct {
	Start, End int64
	// Due is where its entry stands in the queue.
	Due int64
	// Fired says that it has fired as it is now.
	Fired bool
	Acc   A
}

// Sessions are the windows of one key by Start; nearly always there is one.
type Sessions[A any] struct {
	Any  bool
	One  Session[A]
	More []Session[A]
}

func (s *Session[A]) span() Span { return Span{s.Start, s.End} }

// Open implements Operator.
func (o *SessionWindows[K, T, A, O]) Open(c *Context) error {
	o.ctx, o.gap, o.lateness = c, o.Windows.Gap.Milliseconds(), o.Lateness.Milliseconds()
	if err := o.Keys.Init(); err != nil {
		return err
	}
	d, err := state.Describe[K, Sessions[A]]()
	if err != nil {
		return err
	}
	if o.table, err = state.RegisterTable(c.Backend, c.UID, windowState, d); err != nil || c.DeclareOnly {
		return err
	}
	o.temp = accumulators[A]{start: o.Function.Start}
	o.out = newWindowOutput(c, &o.Function, o.Late)
	o.wm = windowWatermark(c)
	if o.Windows.ProcessingTime {
		o.wm = NoTime
	}
	return o.restore()
}

// restore builds the queue.
func (o *SessionWindows[K, T, A, O]) restore() error {
	keys, vals := make([]K, scanRows), make([]*Sessions[A], scanRows)
	for cursor, first := uint64(0), true; first || cursor != 0; first = false {
		n, next, err := o.table.Scan(cursor, keys, vals)
		if err != nil {
			return err
		}
		for i, v := range vals[:n] {
			h := o.table.Hash(&keys[i])
			if v.Any {
				o.queue.push(due[K]{v.One.Due, h, keys[i]})
			}
			for j := range v.More {
				o.queue.push(due[K]{v.More[j].Due, h, keys[i]})
			}
		}
		cursor = next
	}
	return nil
}

// Process implements Operator.
func (o *SessionWindows[K, T, A, O]) Process(_ int, b record.Batch) error {
	in := b.(*record.Rows[T])
	keys, hashes := o.Keys.Find(in, o.ctx.KeyGroups, o.ctx.MaxParallelism)
	var times []int64
	now := max(o.ctx.Now(), satAdd(o.wm, 1)) // a clock that goes back does not make records late
	if !o.Windows.ProcessingTime {
		var err error
		if times, err = timesOf(in); err != nil {
			return err
		}
	}
	o.vals = pointers(o.vals, len(keys))
	if err := o.table.Upsert(keys, hashes, o.vals); err != nil {
		return err
	}
	o.begin(in)
	for i, v := range o.vals {
		o.at = i
		t := now
		if times != nil {
			if t = times[i]; t == NoTime {
				return errNoEventTime
			}
		}
		if err := o.add(v, due[K]{t, hashes[i], keys[i]}, in.Rows[i]); err != nil {
			return err
		}
		if !v.Any {
			o.empty = append(o.empty, i)
		}
	}
	o.end()
	if err := o.forget(keys, hashes); err != nil {
		return err
	}
	in.Release()
	return o.out.flush()
}

// forget removes the keys that were looked up for nothing but late records.
func (o *SessionWindows[K, T, A, O]) forget(keys []K, hashes []uint64) error {
	for _, i := range o.empty {
		v, err := o.table.Get(keys[i], hashes[i])
		if err != nil {
			return err
		}
		if v == nil || v.Any {
			continue
		}
		if _, err := o.table.Delete(keys[i], hashes[i]); err != nil {
			return err
		}
	}
	o.empty = o.empty[:0]
	return nil
}

// add puts one record, of the key and time in d, into its session.
func (o *SessionWindows[K, T, A, O]) add(v *Sessions[A], d due[K], row T) error {
	t, end := d.at, satAdd(d.at, o.gap)
	switch {
	case !v.Any:
		if o.isLate(end) {
			o.out.tooLate(row, t)
			return nil
		}
		v.Any = true
		o.begins(&v.One, end, d)
		o.Function.Add(&v.One.Acc, row)
		return o.settle(&v.One, d)
	case len(v.More) == 0 && t <= v.One.End && end >= v.One.Start:
		v.One.Start, v.One.End = min(v.One.Start, t), max(v.One.End, end)
		o.Function.Add(&v.One.Acc, row)
		return o.settle(&v.One, d)
	}
	return o.merge(v, d, row)
}

func (o *SessionWindows[K, T, A, O]) isLate(end int64) bool {
	return satAdd(satAdd(end, -1), o.lateness) <= o.wm
}

// begins makes *s a session without records, and its entry in the queue.
func (o *SessionWindows[K, T, A, O]) begins(s *Session[A], end int64, d due[K]) {
	s.Start, s.End, s.Fired = d.at, end, false
	s.Due = satAdd(end, -1)
	if s.Due <= o.wm {
		s.Due = satAdd(s.Due, o.lateness)
	}
	o.temp.fresh(&s.Acc)
	o.queue.push(due[K]{s.Due, d.hash, d.key})
}

// settle fires a session that the watermark has passed at once, and sees to it that another fires in time.
func (o *SessionWindows[K, T, A, O]) settle(s *Session[A], d due[K]) error {
	fireAt := s.span().MaxTime()
	if s.Fired = fireAt <= o.wm; s.Fired {
		return o.out.fire(d.key, s.span(), &s.Acc)
	}
	if s.Due > fireAt {
		s.Due = fireAt
		o.queue.push(due[K]{fireAt, d.hash, d.key})
	}
	return nil
}

// merge is add for a key with several sessions, or one that the record does not belong to.
func (o *SessionWindows[K, T, A, O]) merge(v *Sessions[A], d due[K], row T) error {
	t, end := d.at, satAdd(d.at, o.gap)
	list := append(append(o.list[:0], v.One), v.More...)
	into := -1
	kept := list[:0]
	for i := range list {
		s := &list[i]
		apart := t > s.End || end < s.Start
		if apart || into < 0 {
			if !apart {
				into = len(kept)
			}
			kept = append(kept, *s)
			continue
		}
		m := &kept[into]
		m.End, m.Due = max(m.End, s.End), min(m.Due, s.Due)
		o.Function.Merge(&m.Acc, &s.Acc)
	}
	if into < 0 {
		if o.isLate(end) {
			o.out.tooLate(row, t)
			return nil
		}
		into = len(kept)
		for into > 0 && kept[into-1].Start > t {
			into--
		}
		kept = slices.Insert(kept, into, Session[A]{})
		o.begins(&kept[into], end, d)
	}
	m := &kept[into]
	m.Start, m.End = min(m.Start, t), max(m.End, end)
	o.Function.Add(&m.Acc, row)
	err := o.settle(m, d)
	v.One = kept[0]
	o.keepMore(v, kept[1:])
	o.list = kept[:0]
	return err
}

// Advance implements Advancer.
func (o *SessionWindows[K, T, A, O]) Advance(wm int64) (more bool, err error) {
	if o.Windows.ProcessingTime && wm != record.MaxWatermark {
		return false, nil
	}
	return o.advance(wm)
}

// NextTick implements Clocked.
func (o *SessionWindows[K, T, A, O]) NextTick() int64 {
	if !o.Windows.ProcessingTime || len(o.queue) == 0 {
		return math.MaxInt64
	}
	return satAdd(o.queue[0].at, 1)
}

// Tick implements Clocked.
func (o *SessionWindows[K, T, A, O]) Tick(now int64) (more bool, err error) {
	return o.advance(satAdd(now, -1))
}

func (o *SessionWindows[K, T, A, O]) advance(wm int64) (more bool, err error) {
	for n := 0; n < fireRowsMax; n += len(o.next) {
		if err := o.pop(wm); err != nil {
			return false, err
		}
		if len(o.next) == 0 {
			o.wm = max(o.wm, wm)
			return false, o.out.flush()
		}
		for _, d := range o.next {
			// What was put back into the queue meanwhile may come before the rest.
			for len(o.queue) > 0 && o.queue[0].at < d.at {
				if err := o.act(o.queue.pop(), wm); err != nil {
					return false, err
				}
			}
			if err := o.act(d, wm); err != nil {
				return false, err
			}
		}
	}
	return true, o.out.flush()
}

// pop takes the next due entries out of the queue, and looks up their keys together only so that they are in the processor's cache when
// each is acted upon: what is done for one may move the others.
func (o *SessionWindows[K, T, A, O]) pop(wm int64) error {
	o.next, o.keys, o.hashes = o.next[:0], o.keys[:0], o.hashes[:0]
	for len(o.next) < popMax && len(o.queue) > 0 && o.queue[0].at <= wm {
		d := o.queue.pop()
		o.next, o.keys, o.hashes = append(o.next, d), append(o.keys, d.key), append(o.hashes, d.hash)
	}
	if len(o.next) == 0 {
		return nil
	}
	o.vals = pointers(o.vals, len(o.next))
	return o.table.Find(o.keys, o.hashes, o.vals)
}

// popMax is how many entries are taken from the queue at once.
const popMax = 64

// act does what is due for the session of a queue's entry, if it is not stale.
func (o *SessionWindows[K, T, A, O]) act(d due[K], wm int64) error {
	// Find, unlike Get, does not move the key to the heap.
	o.one[0], o.oneHash[0] = d.key, d.hash
	if err := o.table.Find(o.one[:], o.oneHash[:], o.oneVal[:]); err != nil || o.oneVal[0] == nil {
		return err
	}
	v := o.oneVal[0]
	at := v.find(d.at)
	if at < 0 {
		return nil
	}
	s := v.at(at)
	next, fired := s.span().MaxTime(), s.Fired
	if !fired && next <= wm {
		fired = true
		if err := o.out.fire(d.key, s.span(), &s.Acc); err != nil {
			return err
		}
	}
	if fired {
		next = satAdd(next, o.lateness)
		if next <= wm {
			return o.remove(v, at, d)
		}
	}
	if err := o.table.Upsert(o.one[:], o.oneHash[:], o.oneVal[:]); err != nil {
		return err
	}
	s = o.oneVal[0].at(at)
	s.Fired, s.Due = fired, next
	o.queue.push(due[K]{next, d.hash, d.key})
	return nil
}

// remove takes session at of a key away.
func (o *SessionWindows[K, T, A, O]) remove(v *Sessions[A], at int, d due[K]) error {
	if len(v.More) == 0 {
		_, err := o.table.Delete(d.key, d.hash)
		return err
	}
	v, err := o.table.UpsertOne(d.key, d.hash)
	if err != nil {
		return err
	}
	if at == 0 {
		v.One, at = v.More[0], 1
	}
	o.keepMore(v, slices.Delete(v.More, at-1, at))
	return nil
}

// keepMore makes more the sessions of a key behind its first. Lists come from those that other keys had: that a key has a second session for a
// while, until its first has closed, must not cost an allocation.
func (o *SessionWindows[K, T, A, O]) keepMore(v *Sessions[A], more []Session[A]) {
	if len(more) > 0 && cap(v.More) == 0 && len(o.lists) > 0 {
		last := len(o.lists) - 1
		v.More, o.lists[last], o.lists = o.lists[last], nil, o.lists[:last]
	}
	v.More = append(v.More[:0], more...)
	clear(v.More[len(v.More):cap(v.More)])
	if len(more) == 0 && cap(v.More) > 0 {
		if len(o.lists) < listsMax && cap(v.More) <= listMax {
			o.lists = append(o.lists, v.More)
		}
		v.More = nil
	}
}

// listsMax bounds how many lists of sessions are kept for keys to come, listMax how long they are.
const (
	listsMax = 1024
	listMax  = 8
)

// find is the number of the session whose entry stands at a time, or -1.
func (s *Sessions[A]) find(at int64) int {
	for i := range 1 + len(s.More) {
		if s.at(i).Due == at {
			return i
		}
	}
	return -1
}

func (s *Sessions[A]) at(i int) *Session[A] {
	if i == 0 {
		return &s.One
	}
	return &s.More[i-1]
}

// Current implements Describer.
func (o *SessionWindows[K, T, A, O]) Current() (rec any, ok bool) {
	return firstWorking(&o.Keys, &o.Cursor)
}

// Place implements Placer.
func (o *SessionWindows[K, T, A, O]) Place() string { return o.out.place() }

// Close implements Operator.
func (o *SessionWindows[K, T, A, O]) Close() error { return nil }
