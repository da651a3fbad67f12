package table

import (
	"math"

	"github.com/flottio/flott/column"
)

// WatermarkPusher is implemented by sources whose readers end a batch before a row that is late because of the rows before it in the same
// batch. Without it a watermark moves from batch to batch only, and no row is ever late among the first two thousand.
type WatermarkPusher interface {
	// PushWatermark says that the watermark is the largest value of a column less delayMs, and that it moves in steps of more than everyMs.
	// column is a place in what Project asked for, of type TIMESTAMP or TIMESTAMP_LTZ with at most 3 digits. Called once, after Project.
	PushWatermark(column int, delayMs, everyMs int64)
}

// Cutter finds the rows at which the batches of one split have to end. The zero value cuts nowhere.
type Cutter struct {
	column           int
	delayMs, everyMs int64
	on, begun        bool
	base             int64 // watermark when the batch began: what is late under it is late in any case
	mark             int64 // last one that a row of the batch would have caused
	top              int64 // largest value less the delay
}

// NewCutter returns the cutter for what PushWatermark was told.
func NewCutter(column int, delayMs, everyMs int64) Cutter {
	return Cutter{column: column, delayMs: delayMs, everyMs: everyMs, on: true}
}

// Begin starts a batch.
func (c *Cutter) Begin() {
	if !c.begun {
		c.begun, c.top = true, math.MinInt64
	}
	c.base, c.mark = c.top, c.top
}

// Late takes row i of the batch, each in turn. true: the batch must end before it, and the row is to be given again after the next Begin.
func (c *Cutter) Late(b *column.Batch, i int) bool {
	if !c.on {
		return false
	}
	v := b.Cols[c.column]
	if i >= v.Len || v.IsNull(i) {
		return false
	}
	t := v.I64[i]
	if t <= c.mark && t > c.base {
		return true
	}
	if mark := t - c.delayMs; mark > c.top {
		c.top = mark
		if c.mark == math.MinInt64 || mark-c.mark > c.everyMs {
			c.mark = mark
		}
	}
	return false
}
