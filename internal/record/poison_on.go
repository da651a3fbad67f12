//go:build invariants

package record

import (
	"unsafe"

	"github.com/flottio/flott/internal/invariant"
)

// poisonByte fills flat rows that no one may read any more: as an int64 it is a huge negative number, as a float a NaN-like one.
const poisonByte = 0xDB

// poison makes the batch useless for whoever kept it. It is not put back into the pool: its slices stay poisoned.
func (r *Rows[T]) poison() {
	r.scribble()
	r.dead = true
	r.Rows = r.Rows[:0:0]
	r.Head = Header{}
}

func (r *Rows[T]) poisonReleased() {
	r.scribble()
}

func (r *Rows[T]) scribble() {
	if r.flat && len(r.Rows) > 0 {
		var zero T
		b := unsafe.Slice((*byte)(unsafe.Pointer(&r.Rows[0])), len(r.Rows)*int(unsafe.Sizeof(zero)))
		for i := range b {
			b[i] = poisonByte
		}
	} else {
		clear(r.Rows)
	}
	for i := range r.Head.Times {
		r.Head.Times[i] = -0x2424242424242424
	}
	for i := range r.Head.Hashes {
		r.Head.Hashes[i] = 0xDBDBDBDBDBDBDBDB
	}
}

func checkAlive(dead bool) {
	invariant.Check(!dead, "a batch was used after it was handed over or released")
}

// poison makes the batch useless for whoever kept it; its memory is not used again.
func (c *Columns) poison() {
	c.scribble()
	c.dead = true
	c.Cols, c.Kinds, c.N = nil, nil, 0
	c.Head = Header{}
}

func (c *Columns) scribble() {
	for _, v := range c.Cols {
		if v != nil {
			v.Poison()
		}
	}
	for i := range c.Head.Hashes {
		c.Head.Hashes[i] = 0xDBDBDBDBDBDBDBDB
	}
}
