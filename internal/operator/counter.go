package operator

import "sync/atomic"

// Counter is written by one goroutine, once per batch, and read by any. The zero value is 0.
type Counter struct{ v atomic.Int64 }

// Add adds n without a locked instruction: there is one writer.
func (c *Counter) Add(n int) { c.v.Store(c.v.Load() + int64(n)) }

// Load returns the value.
func (c *Counter) Load() int64 { return c.v.Load() }
