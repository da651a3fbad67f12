package operator

import "github.com/flottio/flott/internal/record"

// Pass hands on what it gets: a union, or a change of partitioning with nothing else to do.
type Pass struct{ out Output }

// Open implements Operator.
func (p *Pass) Open(c *Context) error {
	p.out = c.Out[0]
	return nil
}

// Process implements Operator.
func (p *Pass) Process(_ int, b record.Batch) error { return p.out.Emit(b) }

// Close implements Operator.
func (p *Pass) Close() error { return nil }

// Discard is an output that nobody reads: what comes is counted and dropped.
type Discard struct{ Dropped *Counter }

// Emit implements Output.
func (d Discard) Emit(b record.Batch) error {
	d.Dropped.Add(b.Len())
	b.Release()
	return nil
}
