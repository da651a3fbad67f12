//go:build !invariants

package record

func (r *Rows[T]) poison()         {}
func (r *Rows[T]) poisonReleased() {}
func checkAlive(bool)              {}

func (c *Columns) poison()   {}
func (c *Columns) scribble() {}
