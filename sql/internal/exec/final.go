package exec

import (
	"strings"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/record"
)

// Final folds a changelog as long as the input lasts, and gives the rows that are left when it ends, in the order in which they first came:
// batch mode's results. It keeps them in memory and has no state in checkpoints: batch jobs begin anew.
type Final struct {
	Types []column.Type

	out   operator.Output
	count *operator.Counters
	codec column.RowCodec
	key   []byte
	at    map[string]int // place in rows
	rows  []finalRow
	next  int // of Finish
}

// finalRow is an encoded row and how often it is there: less than 0 while more were taken back than came.
type finalRow struct {
	bytes string
	n     int
}

// Open implements operator.Operator.
func (f *Final) Open(c *operator.Context) error {
	f.out, f.count = c.Out[0], c.Counters
	f.codec = column.RowCodec{Types: f.Types, Canonical: true}
	f.at = map[string]int{}
	return nil
}

// Process implements operator.Operator.
func (f *Final) Process(_ int, b record.Batch) error {
	in := b.(*record.Columns)
	f.count.In.Add(in.N)
	for i := range in.N {
		f.key = f.codec.Append(f.key[:0], in.Cols, i)
		at, known := f.at[string(f.key)]
		if !known {
			at = len(f.rows)
			key := strings.Clone(string(f.key))
			f.at[key] = at
			f.rows = append(f.rows, finalRow{bytes: key})
		}
		if in.Kind(i).Adds() {
			f.rows[at].n++
		} else {
			f.rows[at].n--
		}
	}
	in.Release()
	return nil
}

// Finish implements operator.Finisher: a batch with each call.
func (f *Final) Finish() (more bool, err error) {
	f.at = nil
	out := record.NewColumns(f.Types)
	for f.next < len(f.rows) && !out.Full() {
		r := &f.rows[f.next]
		if r.n <= 0 {
			f.next++
			continue
		}
		if _, err := f.codec.Decode(r.bytes, out.Cols); err != nil {
			return false, err
		}
		out.N++
		r.n--
	}
	if out.N == 0 {
		out.Release()
		return false, nil
	}
	f.count.Out.Add(out.N)
	return f.next < len(f.rows), f.out.Emit(out)
}

// Close implements operator.Operator.
func (f *Final) Close() error { return nil }
