package operator

import "github.com/flottio/flott/internal/record"

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

func (c *Cursor) begin(b record.Batch) { c.batch, c.at = b, 0 }
func (c *Cursor) end()                 { c.batch = nil }
