package state

// TTL is a time to live for the entries of a state. The zero value has none. The times that calls pass as now are of one kind, processing
// or event time, which the caller chose; they need not grow.
type TTL struct {
	// Ms is how long an entry lives after it was last touched, in milliseconds; 0: for ever.
	Ms int64
	// OnRead: reading an entry begins its life anew, as writing always does.
	OnRead bool
	// ReturnExpired gives out what has expired as long as it has not been cleaned up.
	ReturnExpired bool
}

// cells is what all kinds of keyed state stand on: a table, of values or, with a time to live, of values with a stamp. Expired entries
// are not given out, not written to snapshots, and removed by a sweep that looks at a few entries in every call.
type cells[K comparable, V any] struct {
	plain *Table[K, V]        // without a time to live
	timed *Table[K, Timed[V]] // with one
	ttl   TTL
	nowMs int64 // of the last call
	init  func(k *K, v *V)
	// sweep
	cursor    uint64
	sweptAtMs int64 // when the last sweep began
	sweeping  bool
	keys      []K
	at        []*Timed[V]
	found     []*Timed[V]
	// expire removes an entry that has expired. keepExpired: entries lead to one another, snapshots must hold them all.
	expire      func(k *K, hash uint64) error
	keepExpired bool
}

// sweepEntries is how many entries a call for one key sweeps; a call for n keys sweeps n more. sweepsPerLife bounds how often all of a
// state is gone through.
const (
	sweepEntries  = 8
	sweepEachMax  = 1024
	sweepsPerLife = 4
)

// Place says which state is registered.
type Place struct {
	UID  string // of the operator
	Name string // of the state
	TTL  TTL
}

// registerCells adds keyed state to an operator and restores it.
func registerCells[K comparable, V any](b *Backend, r Place, d Descriptor[K, V]) (*cells[K, V], error) {
	ttl := r.TTL
	if ttl.Ms <= 0 {
		t, err := RegisterTable(b, r.UID, r.Name, d)
		return &cells[K, V]{plain: t}, err
	}
	c := &cells[K, V]{ttl: ttl, init: d.Init, nowMs: b.cfg.NowMs, keys: make([]K, sweepEachMax), at: make([]*Timed[V], sweepEachMax)}
	td := Descriptor[K, Timed[V]]{
		KeyHash: d.KeyHash, Mix: d.Mix, Equal: d.Equal, Keep: d.Keep, Keys: d.Keys, Values: timedFormat(d.Values, b.cfg.NowMs),
	}
	if d.Init != nil {
		td.Init = func(k *K, v *Timed[V]) { d.Init(k, &v.Value) }
	}
	c.timed = makeTable(b, td, b.prefix())
	c.expire = func(k *K, hash uint64) error {
		_, err := c.timed.Delete(*k, hash)
		return err
	}
	c.sweptAtMs = b.cfg.NowMs
	return c, b.register(&timedState[K, V]{
		tableState: tableState[K, Timed[V]]{
			StateInfo: StateInfo{UID: r.UID, Name: r.Name, Kind: KindTable, Keys: d.Keys.Schema, Values: td.Values.Schema}, table: c.timed,
		},
		cells: c,
	})
}

// timedState leaves out of its snapshots what has expired.
type timedState[K comparable, V any] struct {
	tableState[K, Timed[V]]
	cells *cells[K, V]
}

func (s *timedState[K, V]) freeze() (frozenState, error) {
	now, ttl := s.cells.nowMs, s.cells.ttl
	if s.cells.keepExpired {
		return freezeTable(s.table, nil, nil)
	}
	return freezeTable(s.table, nil, func(v *Timed[V]) bool { return ttl.over(v.StampMs, now) })
}

// over says that what was stamped at then has expired at now. The sums saturate.
func (t TTL) over(then, now int64) bool {
	end := then + t.Ms
	return end >= then && end <= now
}

func (c *cells[K, V]) len() int {
	if c.timed != nil {
		return c.timed.Len()
	}
	return c.plain.Len()
}

// get returns the value of k for reading, nil when it is absent or has expired.
func (c *cells[K, V]) get(k K, hash uint64, nowMs int64) (*V, error) {
	if c.timed == nil {
		return c.plain.Get(k, hash)
	}
	if err := c.sweep(1, nowMs); err != nil {
		return nil, err
	}
	v, err := c.timed.get(k, hash, c.ttl.OnRead)
	if err != nil {
		return nil, err
	}
	return c.read(v, nowMs), nil
}

// read is what a reader sees of an entry.
func (c *cells[K, V]) read(v *Timed[V], nowMs int64) *V {
	if v == nil || !c.isRead(&v.StampMs, nowMs) {
		return nil
	}
	return &v.Value
}

// isRead reports whether a reader sees the entry with that stamp (nil: without a time to live), and begins its life anew if reading does.
func (c *cells[K, V]) isRead(stampMs *int64, nowMs int64) bool {
	if stampMs == nil {
		return true
	}
	if c.ttl.over(*stampMs, nowMs) {
		return c.ttl.ReturnExpired
	}
	if c.ttl.OnRead {
		*stampMs = nowMs
	}
	return true
}

// raw returns an entry with its stamp, expired or not, for a kind whose entries lead to one another. It does not sweep.
func (c *cells[K, V]) raw(k K, hash uint64, write bool) (v *V, stampMs *int64, err error) {
	if c.timed == nil {
		v, err = c.plain.get(k, hash, write)
		return v, nil, err
	}
	t, err := c.timed.get(k, hash, write)
	if t == nil || err != nil {
		return nil, nil, err
	}
	return &t.Value, &t.StampMs, nil
}

// upsertRaw returns an entry for writing, as it was, and begins its life anew. It does not sweep.
func (c *cells[K, V]) upsertRaw(k K, hash uint64, nowMs int64) (*V, error) {
	if c.timed == nil {
		return c.plain.UpsertOne(k, hash)
	}
	t, err := c.timed.UpsertOne(k, hash)
	if err != nil {
		return nil, err
	}
	t.StampMs = nowMs
	return &t.Value, nil
}

// upsert returns the value of k for writing, fresh when it was absent or has expired.
func (c *cells[K, V]) upsert(k K, hash uint64, nowMs int64) (*V, error) {
	if c.timed == nil {
		return c.plain.UpsertOne(k, hash)
	}
	if err := c.sweep(1, nowMs); err != nil {
		return nil, err
	}
	n := c.timed.Len()
	v, err := c.timed.UpsertOne(k, hash)
	if err != nil {
		return nil, err
	}
	if c.timed.Len() == n {
		c.revive(&c.timed.held, v, nowMs) // the key: UpsertOne holds it
	}
	v.StampMs = nowMs
	return &v.Value, nil
}

// revive makes an expired value new.
func (c *cells[K, V]) revive(k *K, v *Timed[V], nowMs int64) {
	if !c.ttl.over(v.StampMs, nowMs) {
		return
	}
	var zero V
	v.Value = zero
	if c.init != nil {
		c.init(k, &v.Value)
	}
}

// set writes a value.
func (c *cells[K, V]) set(k K, hash uint64, v V, nowMs int64) error {
	p, err := c.upsert(k, hash, nowMs)
	if err == nil {
		*p = v
	}
	return err
}

func (c *cells[K, V]) delete(k K, hash uint64) (bool, error) {
	if c.timed != nil {
		return c.timed.Delete(k, hash)
	}
	return c.plain.Delete(k, hash)
}

// upsertAll and findAll are Table.Upsert and Table.Find.
func (c *cells[K, V]) upsertAll(keys []K, hashes []uint64, vals []*V, nowMs int64) error {
	if c.timed == nil {
		return c.plain.Upsert(keys, hashes, vals)
	}
	if err := c.sweep(len(keys), nowMs); err != nil {
		return err
	}
	at := c.scratch(len(keys))
	if err := c.timed.Upsert(keys, hashes, at); err != nil {
		return err
	}
	for i, v := range at {
		if v.StampMs != nowMs {
			c.revive(&keys[i], v, nowMs) // one that is new has a stamp of 0: making it new again does no harm
			v.StampMs = nowMs
		}
		vals[i] = &v.Value
	}
	return nil
}

func (c *cells[K, V]) findAll(keys []K, hashes []uint64, vals []*V, nowMs int64) error {
	if c.timed == nil {
		return c.plain.Find(keys, hashes, vals)
	}
	if err := c.sweep(len(keys), nowMs); err != nil {
		return err
	}
	at := c.scratch(len(keys))
	if err := c.timed.findAll(keys, hashes, at, c.ttl.OnRead); err != nil {
		return err
	}
	for i, v := range at {
		vals[i] = c.read(v, nowMs)
	}
	return nil
}

func (c *cells[K, V]) scratch(n int) []*Timed[V] {
	if cap(c.found) < n {
		c.found = make([]*Timed[V], n)
	}
	return c.found[:n]
}

// sweep looks at some entries and removes those that have expired. A sweep of all begins when a part of a life has gone by.
func (c *cells[K, V]) sweep(calls int, nowMs int64) error {
	if c.timed == nil {
		return nil
	}
	c.nowMs = nowMs
	if !c.sweeping {
		if nowMs-c.sweptAtMs < max(1, c.ttl.Ms/sweepsPerLife) {
			return nil
		}
		c.sweeping, c.sweptAtMs, c.cursor = true, nowMs, 0
	}
	most := min(sweepEntries+calls, sweepEachMax)
	n, next, err := c.timed.Scan(c.cursor, c.keys[:most], c.at[:most])
	if err != nil {
		return err
	}
	c.cursor, c.sweeping = next, next != 0
	expired := c.keys[:0] // the values must be looked at before anything is deleted
	for i := range n {
		if c.ttl.over(c.at[i].StampMs, nowMs) {
			expired = append(expired, c.keys[i])
		}
	}
	for i := range expired {
		if err := c.expireOne(&expired[i], nowMs); err != nil {
			return err
		}
	}
	return nil
}

// expireOne looks again before it removes: a scan of a store sees entries as they were when it began.
func (c *cells[K, V]) expireOne(k *K, nowMs int64) error {
	hash := c.timed.Hash(k)
	v, err := c.timed.Get(*k, hash)
	if v == nil || err != nil || !c.ttl.over(v.StampMs, nowMs) {
		return err
	}
	return c.expire(k, hash)
}
