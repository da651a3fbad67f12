package statetest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/flottio/flott/internal/state"
	"github.com/flottio/flott/schema"
)

var orderedPlace = state.OrderedPlace{UID: "op", Name: "o", Slots: 1, Record: schema.Scalar(schema.Bytes)}

// orderedModel is the same in slices.
type orderedModel map[int64][]orderedRow

type orderedRow struct {
	key, row string
	slot     int64
}

func (m orderedModel) clone() orderedModel {
	c := orderedModel{}
	for k, v := range m {
		c[k] = slices.Clone(v)
	}
	return c
}

func (m orderedModel) find(k int64, key string) int {
	return slices.IndexFunc(m[k], func(r orderedRow) bool { return r.key == key })
}

type orderedRig struct {
	t     testing.TB
	rng   *rand.Rand
	b     *state.Backend
	o     *state.Ordered[int64]
	hash  func(int64) uint64
	model orderedModel
}

func registerOrdered(t testing.TB, b *state.Backend) *state.Ordered[int64] {
	t.Helper()
	d := describe[int64, struct{}](t)
	o, err := state.RegisterOrdered(b, orderedPlace, d)
	must(t, err)
	return o
}

// ordered runs a random history beside the model: keys with few records and with thousands, snapshots that are restored on the other backend.
func ordered(t *testing.T, seed uint64, open, other Opener) {
	rng := rand.New(rand.NewPCG(seed, 77))
	b := one(t, open)
	r := &orderedRig{t: t, rng: rng, b: b, o: registerOrdered(t, b), hash: intHash(t), model: orderedModel{}}
	for step := range 60 {
		r.step(step%20 >= 14)
		must(t, r.b.Maintain())
		if step%20 != 10 {
			continue
		}
		s, err := r.b.Snapshot()
		must(t, err)
		then := r.model.clone()
		r.step(false) // what is written after the snapshot is not in it
		r.step(true)
		var buf bytes.Buffer
		_, err = s.Write(&buf)
		must(t, err)
		s.Release()
		next := open
		if rng.IntN(2) == 0 {
			next = other
		}
		c := one(t, next, buf.Bytes())
		restored := &orderedRig{t: t, rng: rng, b: c, o: registerOrdered(t, c), hash: r.hash, model: then}
		restored.check()
		r.check()
		if rng.IntN(2) == 0 {
			r = restored
		}
	}
	r.check()
}

// step changes some keys; removing prefers what makes keys smaller.
func (r *orderedRig) step(removing bool) {
	n := 1 + r.rng.IntN(60)
	keys, hashes := make([]int64, n), make([]uint64, n)
	for i := range keys {
		keys[i] = r.rng.Int64N(1 + r.rng.Int64N(40))
		hashes[i] = r.hash(keys[i])
	}
	must(r.t, r.o.At(keys, hashes, state.Add))
	for i, k := range keys {
		for range 1 + r.rng.IntN(12) {
			r.one(i, k, removing)
		}
	}
	must(r.t, r.o.Done())
}

// insert adds a row to the model, behind those of equal keys.
func (r *orderedRig) insert(k int64, row orderedRow) {
	at, _ := slices.BinarySearchFunc(r.model[k], row.key, func(x orderedRow, key string) int {
		if x.key <= key {
			return -1
		}
		return 1
	})
	r.model[k] = slices.Insert(r.model[k], at, row)
}

func (r *orderedRig) one(i int, k int64, removing bool) {
	key := fmt.Sprintf("%04d", r.rng.IntN(400))
	switch d := r.rng.IntN(100); {
	case d < 50 && !removing:
		row := strings.Repeat("x", r.rng.IntN(200)) + fmt.Sprint(r.rng.IntN(1000))
		rec, err := r.o.Insert(i, []byte(key), []byte(row))
		must(r.t, err)
		slot := r.rng.Int64()
		rec.SetSlot(0, slot)
		r.insert(k, orderedRow{key, row, slot})
	case d < 85:
		if len(r.model[k]) > 0 && r.rng.IntN(3) > 0 {
			key = r.model[k][r.rng.IntN(len(r.model[k]))].key
		}
		ok, err := r.o.Remove(i, []byte(key))
		must(r.t, err)
		at := r.model.find(k, key)
		if ok != (at >= 0) {
			r.t.Fatalf("removing %s of key %d: %v, the model has it at %d", key, k, ok, at)
		}
		if ok {
			r.model[k] = slices.Delete(r.model[k], at, at+1)
		}
	case d < 88:
		if n := len(r.model[k]); n > 0 && r.rng.IntN(2) == 0 {
			rec, err := r.o.Last(i)
			must(r.t, err)
			if string(rec.Row()) != r.model[k][n-1].row {
				r.t.Fatalf("the last record of key %d is %q, want %v", k, rec, r.model[k][n-1])
			}
			must(r.t, r.o.RemoveLast(i))
			r.model[k] = r.model[k][:n-1]
		} else if n > 0 {
			x := r.model[k][r.rng.IntN(n)]
			ok, err := r.o.RemoveRow(i, []byte(x.key), []byte(x.row))
			must(r.t, err)
			if !ok {
				r.t.Fatalf("%v of key %d is not there", x, k)
			}
			at := slices.IndexFunc(r.model[k], func(y orderedRow) bool { return y.key == x.key && y.row == x.row })
			r.model[k] = slices.Delete(r.model[k], at, at+1)
		}
	case d < 97:
		rec, err := r.o.Get(i, []byte(key))
		must(r.t, err)
		at := r.model.find(k, key)
		if (rec != nil) != (at >= 0) {
			r.t.Fatalf("getting %s of key %d: %v, the model has it at %d", key, k, rec, at)
		}
		if rec != nil {
			r.model[k][at].slot = r.rng.Int64()
			rec.SetSlot(0, r.model[k][at].slot)
		}
	case d < 99:
		must(r.t, r.o.RemoveBefore(i, []byte(key)))
		r.model[k] = slices.DeleteFunc(r.model[k], func(x orderedRow) bool { return x.key < key })
	case d < 100 && r.rng.IntN(2) == 0:
		n := min(len(r.model[k]), r.rng.IntN(100))
		must(r.t, r.o.RemoveFirst(i, int64(n)))
		r.model[k] = r.model[k][n:]
	case removing:
		must(r.t, r.o.Clear(i))
		delete(r.model, k)
	}
}

// check compares everything, and looks from the middle.
func (r *orderedRig) check() {
	r.t.Helper()
	there := 0
	for k := range int64(40) {
		if len(r.model[k]) > 0 {
			there++
		}
		must(r.t, r.o.At([]int64{k}, []uint64{r.hash(k)}, state.Read))
		if got := r.o.Len(0); got != int64(len(r.model[k])) {
			r.t.Fatalf("key %d has %d records, want %d", k, got, len(r.model[k]))
		}
		from := fmt.Sprintf("%04d", r.rng.IntN(400))
		first, _ := slices.BinarySearchFunc(r.model[k], from, func(x orderedRow, key string) int { return strings.Compare(x.key, key) })
		r.compare(k, "", r.model[k])
		r.compare(k, from, r.model[k][first:])
		rec, err := r.o.Floor(0, []byte(from))
		must(r.t, err)
		end := first
		for end < len(r.model[k]) && r.model[k][end].key == from {
			end++
		}
		if (rec != nil) != (end > 0) || rec != nil && string(rec.Row()) != r.model[k][end-1].row {
			r.t.Fatalf("key %d: the last up to %s is %q, want number %d", k, from, rec, end)
		}
	}
	if r.o.Keys() != there {
		r.t.Fatalf("%d keys, want %d", r.o.Keys(), there)
	}
}

func (r *orderedRig) compare(k int64, from string, want []orderedRow) {
	r.t.Helper()
	c, err := r.o.Seek(0, []byte(from))
	must(r.t, err)
	for n := 0; ; n++ {
		rec, err := c.Next()
		must(r.t, err)
		if rec == nil {
			if n != len(want) {
				r.t.Fatalf("key %d from %q: %d records, want %d", k, from, n, len(want))
			}
			return
		}
		if n == len(want) {
			r.t.Fatalf("key %d from %q: more than %d records", k, from, n)
		}
		if got := (orderedRow{string(rec.Key(1)), string(rec.Row()), rec.Slot(0)}); got != want[n] {
			r.t.Fatalf("key %d from %q, record %d: %v, want %v", k, from, n, got, want[n])
		}
	}
}

// orderedSweep removes the keys that were not touched for a time.
func orderedSweep(t *testing.T, open, _ Opener) {
	o, h := registerOrdered(t, one(t, open)), intHash(t)
	for k := range int64(3000) {
		must(t, o.At([]int64{k}, []uint64{h(k)}, state.Add))
		for range 1 + k%40 {
			_, err := o.Insert(0, []byte("key"), []byte(strings.Repeat("row", 20)))
			must(t, err)
		}
		o.Stamp(0, k)
		must(t, o.Done())
	}
	for ended := false; !ended; {
		var err error
		ended, err = o.Sweep(2000)
		must(t, err)
	}
	if o.Keys() != 1000 {
		t.Fatalf("%d keys are left, want 1000", o.Keys())
	}
}

// orderedInOrder adds records behind one another: parts stay full, and none is written twice.
func orderedInOrder(t *testing.T, open, _ Opener) {
	o, h := registerOrdered(t, one(t, open)), intHash(t)
	const rows = 5000
	for i := range rows {
		must(t, o.At([]int64{1}, []uint64{h(1)}, state.Add))
		_, err := o.Insert(0, nil, []byte(fmt.Sprintf("row %d", i)))
		must(t, err)
		must(t, o.Done())
	}
	must(t, o.At([]int64{1}, []uint64{h(1)}, state.Read))
	c, err := o.Seek(0, nil)
	must(t, err)
	for i := range rows {
		rec, err := c.Next()
		must(t, err)
		if rec == nil || string(rec.Row()) != fmt.Sprintf("row %d", i) {
			t.Fatalf("record %d is %q", i, rec)
		}
	}
}
