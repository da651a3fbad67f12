package network

import (
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/flottio/flott/internal/record"
)

func numbers(v ...int64) record.Element {
	b := record.NewRows[int64]()
	b.Rows = append(b.Rows, v...)
	return record.Element{Kind: record.KindBatch, Batch: b}
}

// TestQueueAgainstModel pushes and pops at random and compares with a slice: order, fullness in elements, fullness in bytes.
func TestQueueAgainstModel(t *testing.T) {
	const seed, maxBytes = 7, 400
	rng := rand.New(rand.NewPCG(seed, 0))
	q := NewQueue(nil, nil, maxBytes)
	var model []int // bytes of each element that waits
	next, expected, refused := int64(0), int64(0), 0
	for step := range 20_000 {
		if rng.IntN(2+step/2000%2) > 0 {
			e := record.Element{Kind: record.KindWatermark, Time: next}
			bytes := 0
			if rng.IntN(3) > 0 {
				bytes = 8 * (1 + rng.IntN(20))
				v := make([]int64, bytes/8)
				v[0] = next
				e = numbers(v...)
			}
			inUse := 0
			for _, n := range model {
				inUse += n
			}
			fits := len(model) < maxQueueElements && (bytes == 0 || inUse == 0 || inUse+bytes <= maxBytes)
			if got := q.Push(e); got != fits {
				t.Fatalf("seed %d, step %d: Push of %d bytes = %v with %d elements of %d bytes waiting", seed, step, bytes, got, len(model), inUse)
			}
			if fits {
				model = append(model, bytes)
				next++
			} else {
				refused++
			}
			continue
		}
		e, ok := q.Pop()
		if ok != (len(model) > 0) {
			t.Fatalf("seed %d, step %d: Pop = %v with %d elements waiting", seed, step, ok, len(model))
		}
		if !ok {
			continue
		}
		model = model[1:]
		got := e.Time
		if e.Kind == record.KindBatch {
			got = e.Batch.(*record.Rows[int64]).Rows[0]
		}
		if got != expected {
			t.Fatalf("seed %d, step %d: popped %d, want %d", seed, step, got, expected)
		}
		expected++
	}
	if refused == 0 {
		t.Error("the queue was never full: the test shows nothing")
	}
}

// TestQueueWakes moves elements between two goroutines that sleep by the protocol of Waker. A lost signal would stop it for ever.
func TestQueueWakes(t *testing.T) {
	const n = 100_000
	sender, receiver := NewWaker(), NewWaker()
	q := NewQueue(sender, receiver, 1000)
	var all sync.WaitGroup
	all.Go(func() {
		for i := range int64(n) {
			for e := numbers(i, i); !q.Push(e); {
				sender.Prepare()
				if q.Push(e) {
					sender.Cancel()
					break
				}
				<-sender.C
			}
		}
	})
	for i := int64(0); i < n; {
		e, ok := q.Pop()
		if !ok {
			receiver.Prepare()
			if e, ok = q.Pop(); ok {
				receiver.Cancel()
			} else {
				<-receiver.C
				continue
			}
		}
		rows := e.Batch.(*record.Rows[int64])
		if rows.Rows[0] != i || rows.Rows[1] != i {
			t.Fatalf("got %v, want %d twice", rows.Rows, i)
		}
		e.Batch.Release()
		i++
	}
	all.Wait()
}
