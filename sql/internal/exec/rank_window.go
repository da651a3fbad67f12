package exec

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/record"
	"github.com/flottio/flott/internal/state"
)

// WindowRank is Top-N of each window, emitted when it ends: of rows that are only added, with the columns of a window table function. With To 1 it
// is window deduplication.
type WindowRank struct {
	In []column.Type
	// Partition are the columns of PARTITION BY, End (window_end) among them.
	Partition []int
	End       int
	Order     []SortKey
	From, To  int64
	// Number adds the place as the last column, a BIGINT.
	Number bool
	// LastOfEqual lets the later of rows that are equal in the order win: the last row by time. For To 1.
	LastOfEqual bool

	core timedRunner
}

// Out are the types of the output.
func (r *WindowRank) Out() []column.Type {
	out := slices.Clone(r.In)
	if r.Number {
		out = append(out, column.Of(column.BigInt).Nullable(false))
	}
	return out
}

// Open implements operator.Operator.
func (r *WindowRank) Open(c *operator.Context) (err error) {
	switch keyWords(typesAt(r.In, r.Partition), nil) {
	case 0:
		r.core, err = openWindowRank[string](r, c)
	case 1:
		r.core, err = openWindowRank[[1]uint64](r, c)
	default:
		r.core, err = openWindowRank[[2]uint64](r, c)
	}
	return err
}

// Process implements operator.Operator.
func (r *WindowRank) Process(input int, b record.Batch) error {
	return r.core.process(input, b.(*record.Columns))
}

// Advance implements operator.Advancer.
func (r *WindowRank) Advance(wm int64) (more bool, err error) { return r.core.fire(wm) }

// Close implements operator.Operator.
func (r *WindowRank) Close() error { return nil }

// windowRankCore uses the rows, keys and timers of the left side of a join by time.
type windowRankCore[K comparable] struct {
	*WindowRank
	timedJoin[K]
	numbers []int64
	pos     []int32
}

func openWindowRank[K comparable](r *WindowRank, c *operator.Context) (core *windowRankCore[K], err error) {
	core = &windowRankCore[K]{WindowRank: r}
	safe := make([]bool, len(r.Partition))
	for i := range safe {
		safe[i] = true
	}
	side := TimedSide{Types: r.In, Keys: r.Partition, Time: r.End}
	core.timedJoin, err = openTimed[K](c, timedSpec{
		sides: [2]TimedSide{side, {}}, safe: safe, out: r.Out(), kind: fmt.Sprint("first of windows by ", r.Order),
	})
	return core, err
}

func (c *windowRankCore[K]) process(_ int, in *record.Columns) error {
	c.count.In.Add(in.N)
	c.readTimes(0, in)
	c.keyed.take(in, c.Partition)
	rows := c.rows[0]
	if err := rows.At(c.keyed.keys, c.keyed.hashes, state.Add); err != nil {
		return err
	}
	for i := range in.N {
		if c.times[i]-1 <= c.mark {
			c.count.Late.Add(1)
			continue
		}
		if rows.Len(i) == 0 {
			if err := c.timers.Register(c.keyed.keys[i], c.keyed.hashes[i], c.times[i]-1); err != nil {
				return err
			}
		}
		if err := c.add(in, i); err != nil {
			return err
		}
	}
	in.Release()
	return rows.Done()
}

// add keeps row i of the batch if it is among the first.
func (c *windowRankCore[K]) add(in *record.Columns, i int) error {
	rows := c.rows[0]
	c.sortKey = appendSortKeys(c.sortKey[:0], c.Order, in.Cols, i)
	if rows.Len(i) >= c.To {
		last, err := rows.Last(i)
		if err != nil {
			return err
		}
		order := bytes.Compare(last.Key(0), c.sortKey)
		if order < 0 || order == 0 && !c.LastOfEqual {
			return nil
		}
		if err := rows.RemoveLast(i); err != nil {
			return err
		}
	}
	c.row = c.codecs[0].Append(c.row[:0], in.Cols, i)
	_, err := rows.Insert(i, c.sortKey, c.row)
	return err
}

func (c *windowRankCore[K]) fire(upTo int64) (more bool, err error) {
	c.mark = upTo
	return c.fireAll(upTo, c.end)
}

// end emits the rows of one partition of a window.
func (c *windowRankCore[K]) end(x state.Timer[K]) error {
	if err := c.at(0, x, state.Change); err != nil {
		return err
	}
	rows := c.rows[0]
	cur, err := rows.Seek(0, nil)
	if err != nil {
		return err
	}
	c.texts, c.numbers = c.texts[:0], c.numbers[:0]
	for n := int64(1); ; n++ {
		rec, err := cur.Next()
		if err != nil {
			return err
		}
		if rec == nil {
			break
		}
		if n >= c.From {
			c.texts, c.numbers = append(c.texts, view(rec.Row())), append(c.numbers, n)
		}
	}
	if err := c.write(); err != nil {
		return err
	}
	if err := rows.Clear(0); err != nil {
		return err
	}
	return rows.Done()
}

func (c *windowRankCore[K]) write() (err error) {
	n := len(c.texts)
	if n == 0 {
		return nil
	}
	c.out.kinds(nil, n)
	b := c.out.get()
	if c.pos, err = c.codecs[0].DecodeAll(c.texts, b.Cols[:len(c.In)], c.pos); err != nil {
		return err
	}
	if c.Number {
		v := b.Cols[len(c.In)]
		v.I64 = append(v.I64, c.numbers...)
		v.Len += n
	}
	b.N += n
	return nil
}
