package operator

import (
	"slices"

	"github.com/flottio/flott/internal/record"
)

// Cursor is where an operator stands in the batch it works on, so that the error of a panicking function can show the record. It costs one store
// per record. The zero value is at rest.
type Cursor struct {
	batch record.Batch
	at    int
}

// Current implements Describer.
func (c *Cursor) Current() (rec any, ok bool) {
	if c.batch == nil || c.at >= c.batch.Len() {
		return nil, false
	}
	return c.batch.At(c.at), true
}

// Begin takes that work on a batch begins; At that it is at a record; End that it is done.
func (c *Cursor) Begin(b record.Batch) { c.batch, c.at = b, 0 }

// At: see Begin.
func (c *Cursor) At(i int) { c.at = i }

// End: see Begin.
func (c *Cursor) End() { c.batch = nil }

// standAt is at the first record of a time: the one that a user's watermark generator is asked about.
func (c *Cursor) standAt(b record.Batch, times []int64, t int64) {
	c.begin(b)
	c.at = max(0, slices.Index(times, t))
}

// firstWorking is the record in work of the first that has one.
func firstWorking(of ...Describer) (rec any, ok bool) {
	for _, d := range of {
		if rec, ok = d.Current(); ok {
			return rec, ok
		}
	}
	return nil, false
}

func (c *Cursor) begin(b record.Batch) { c.batch, c.at = b, 0 }
func (c *Cursor) end()                 { c.batch = nil }
