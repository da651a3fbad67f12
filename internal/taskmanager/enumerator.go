package taskmanager

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/flottio/flott/internal/checkpoint"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/task"
)

// enumerator runs the enumerator of one source: every call comes as a letter, one at a time (A10.7). Between the snapshot for a
// checkpoint and the order to send its barriers a valve holds back what it assigns, so that each split is in exactly one of
// the enumerator's state and a reader's (A10.2).
type enumerator struct {
	uid     string
	name    string
	impl    Enumerator
	readers []*task.Task
	post    func(func() error) // runs a letter on the enumerator's goroutine, in order
	work    func(work func(context.Context) error, done func(error) error)
	after   func(delayMs int64, f func() error)
	ctx     context.Context
	// times are the greatest event times seen in returned splits, until they are assigned again.
	times map[string]int64
	// begun are those of times in whose splits a record with an event time was read. Until they are with readers again no reader's watermark
	// moves (A6.9): a job with fewer readers than before reads some of them later than others, and must not find their records late.
	begun   int
	holding bool
	// orders are for the readers, by subtask, from the call of the enumerator that is under way.
	orders []orders
	// held are the orders that the closed valve keeps back, and closed the checkpoint it is closed for.
	held   []func()
	closed checkpoint.ID
}

// orders are what a reader gets at the end of one call of the enumerator.
type orders struct {
	splits []operator.SplitState
	noMore bool
}

// create makes the enumerator from its state and the splits that readers held.
func (e *enumerator) create(n *Node, state []byte, returned []operator.SplitState) error {
	e.times = map[string]int64{}
	var user []byte
	if state != nil {
		var err error
		if user, err = e.decode(state); err != nil {
			return fmt.Errorf("source %q: reading the enumerator's state: %w", e.name, err)
		}
	}
	splits := make([]operator.Split, len(returned))
	for i, s := range returned {
		if _, twice := e.times[s.ID]; twice {
			return fmt.Errorf("source %q: split %q is in the snapshot twice", e.name, s.ID)
		}
		splits[i], e.times[s.ID] = s.Split, s.MaxTime
	}
	e.orders = make([]orders, len(e.readers))
	e.hold()
	defer e.deliver()
	impl, err := n.Enumerator(enumeratorContext{e}, user)
	if err != nil {
		return fmt.Errorf("source %q: %w", e.name, err)
	}
	e.impl = impl
	if len(returned) == 0 {
		return nil
	}
	if err := impl.Return(splits); err != nil {
		return fmt.Errorf("source %q: taking back splits: %w", e.name, err)
	}
	return nil
}

// letter posts a call of the enumerator; its error says which source it is of.
func (e *enumerator) letter(f func() error) {
	e.post(func() error {
		if err := f(); err != nil {
			return fmt.Errorf("source %q: %w", e.name, err)
		}
		return nil
	})
}

// hold keeps back all readers' watermarks if splits that were begun wait for a reader.
func (e *enumerator) hold() {
	for _, t := range e.times {
		if t != operator.NoTime {
			e.begun++
		}
	}
	if e.begun > 0 {
		e.holdReaders(true)
	}
}

// deliver gives the readers what the enumerator has decided in one call, all splits of a reader at once: between two of them it could read
// the one, and event time would run ahead of the other.
func (e *enumerator) deliver() {
	for i := range e.orders {
		o := &e.orders[i]
		if len(o.splits) > 0 {
			e.readers[i].Assign(o.splits)
		}
		if o.noMore {
			e.readers[i].NoMoreSplits()
		}
		*o = orders{}
	}
	if e.holding && e.begun == 0 { // behind the assignments
		e.holdReaders(false)
	}
}

func (e *enumerator) holdReaders(held bool) {
	e.holding = held
	for _, r := range e.readers {
		r.HoldWatermark(held)
	}
}

// snapshot closes the valve and returns the state.
func (e *enumerator) snapshot(id checkpoint.ID) ([]byte, error) {
	e.closed = id
	user, err := e.impl.Snapshot()
	if err != nil {
		return nil, fmt.Errorf("source %q: taking the enumerator's snapshot: %w", e.name, err)
	}
	return e.encode(user), nil
}

// open opens the valve of checkpoint id, or of any older one.
func (e *enumerator) open(id checkpoint.ID) {
	if e.closed == checkpoint.None || e.closed > id {
		return
	}
	e.closed = checkpoint.None
	held := e.held
	e.held = nil
	for _, f := range held {
		f()
	}
}

func (e *enumerator) order(f func()) {
	if e.closed != checkpoint.None {
		e.held = append(e.held, f)
		return
	}
	f()
}

func (e *enumerator) encode(user []byte) []byte {
	b := binary.AppendUvarint(nil, uint64(len(user)))
	b = append(b, user...)
	for _, id := range sortedKeys(e.times) {
		s := operator.SplitState{Split: operator.Split{ID: id}, MaxTime: e.times[id]}
		x := s.Append(nil)
		b = binary.AppendUvarint(b, uint64(len(x)))
		b = append(b, x...)
	}
	return b
}

func (e *enumerator) decode(b []byte) (user []byte, err error) {
	next := func() ([]byte, error) {
		l, n := binary.Uvarint(b)
		if n <= 0 || l > uint64(len(b)-n) {
			return nil, fmt.Errorf("length beyond the %d bytes there are", len(b))
		}
		x := b[n : n+int(l)]
		b = b[n+int(l):]
		return x, nil
	}
	if user, err = next(); err != nil {
		return nil, err
	}
	for len(b) > 0 {
		x, err := next()
		if err != nil {
			return nil, err
		}
		s, err := operator.DecodeSplit(x)
		if err != nil {
			return nil, err
		}
		e.times[s.ID] = s.MaxTime
	}
	return user, nil
}

// enumeratorContext is the EnumeratorContext of an enumerator.
type enumeratorContext struct{ e *enumerator }

func (c enumeratorContext) Context() context.Context { return c.e.ctx }
func (c enumeratorContext) Parallelism() int         { return len(c.e.readers) }

func (c enumeratorContext) Assign(subtask int, s operator.Split) {
	c.e.order(func() {
		t, known := c.e.times[s.ID]
		if !known {
			t = operator.NoTime
		}
		delete(c.e.times, s.ID)
		o := &c.e.orders[subtask]
		o.splits = append(o.splits, operator.SplitState{Split: s, MaxTime: t})
		if t != operator.NoTime {
			c.e.begun--
		}
	})
}

func (c enumeratorContext) NoMoreSplits(subtask int) {
	c.e.order(func() { c.e.orders[subtask].noMore = true })
}

func (c enumeratorContext) Async(work func(context.Context) (any, error), done func(any, error) error) {
	var result any
	c.e.work(func(ctx context.Context) (err error) {
		result, err = work(ctx)
		return err
	}, func(err error) error { return done(result, err) })
}

func (c enumeratorContext) After(delayMs int64, f func() error) {
	c.e.after(delayMs, func() error {
		err := f()
		c.e.deliver()
		return err
	})
}
