package metrics

import (
	"math"
	"sync/atomic"
)

// cacheLineBytes is the distance at which two words do not slow each other down; 128 because processors fetch lines in pairs.
const cacheLineBytes = 128

// Counter is a number that only grows. One goroutine writes it, any may read it. The zero value is ready and counts from 0.
type Counter struct {
	value atomic.Uint64
	sum   uint64 // what value was last set to; the writer's own copy
	_     [cacheLineBytes - 16]byte
}

// Add counts n more. Only the owning goroutine may call it: it is a store, not an atomic addition. Call it once a batch.
func (c *Counter) Add(n uint64) {
	c.sum += n
	c.value.Store(c.sum)
}

// Restore sets the counter to what a snapshot holds. Only the owning goroutine may call it.
func (c *Counter) Restore(n uint64) {
	c.sum = n
	c.value.Store(n)
}

// Value returns the count. Any goroutine may call it.
func (c *Counter) Value() uint64 { return c.value.Load() }

// Gauge is a whole number that goes up and down. Any goroutine may write and read it; the last writer wins. The zero value is 0.
type Gauge struct {
	value atomic.Int64
	_     [cacheLineBytes - 8]byte
}

// Set replaces the value.
func (g *Gauge) Set(v int64) { g.value.Store(v) }

// Value returns the value.
func (g *Gauge) Value() int64 { return g.value.Load() }

// NoWatermark is the value of a watermark gauge before the first watermark.
const NoWatermark = math.MinInt64
