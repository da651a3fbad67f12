package exec

import (
	"encoding/binary"
	"fmt"
	"math"
	"unsafe"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/schema"
	"github.com/flottio/flott/sql/internal/expr"
)

// framer moves a frame over the rows of a partition.
type framer struct {
	Frame
	fold  *fold
	calls []overCall
	codec *column.RowCodec
	in    []column.Type
	// back is how many rows before the current one LAG and ranks look at.
	back  int
	total bool // the end of the partition is known
	ranks bool
}

// overCall is a call in the order of the output.
type overCall struct {
	AggCall
	fold   int // its place in the fold; -1: a function of positions
	offset int // of LAG and LEAD
	column int // that they read; the default's column, or -1
	other  int
}

// frameState is where the frame of a partition stands.
type frameState struct {
	rows []overRow // that are still needed
	// The accumulators hold the rows [lo, hi) of them, and with a frame from the start all before.
	lo, hi      int
	before      int64 // rows of the partition before rows[0]
	rank, dense int64 // of the last row
	words       []uint64
	objs        objects
}

func (s *frameState) isFresh() bool { return len(s.rows) == 0 && s.before == 0 }

func (f *framer) open(o *OverAggregate) error {
	f.Frame, f.codec, f.in = o.Frame, &o.codec, o.In
	f.total = o.Mode == OverChanges || o.Mode == OverFinal
	if !f.total && (f.ToEnd || f.End > 0) {
		return fmt.Errorf("a frame that ends behind the current row needs rows that have not come: over time it must end at CURRENT ROW")
	}
	if f.total && !f.Rows && (!f.FromStart && f.Start != 0 || !f.ToEnd && f.End != 0) {
		return fmt.Errorf("RANGE with an offset is supported over a time attribute only")
	}
	var folded []AggCall
	for _, c := range o.Calls {
		call := overCall{AggCall: c, fold: -1, column: -1, other: -1}
		if c.Func.New != nil {
			call.fold = len(folded)
			folded = append(folded, c)
		} else if err := f.place(&call); err != nil {
			return err
		}
		f.calls = append(f.calls, call)
	}
	var err error
	f.fold, err = newFold(foldSpec{env: o.Env, calls: folded, retract: !f.FromStart})
	return err
}

// place prepares a function of positions.
func (f *framer) place(c *overCall) error {
	switch name := c.Func.Name; name {
	case "ROW_NUMBER":
	case "RANK", "DENSE_RANK":
		f.back, f.ranks = max(f.back, 1), true
	case "LAG", "LEAD":
		if name == "LEAD" && !f.total {
			return fmt.Errorf("LEAD needs rows that have not come: it is not supported over time")
		}
		c.offset = 1
		if len(c.Args) > 1 {
			n, _ := expr.Whole(c.Args[1])
			c.offset = int(min(n, math.MaxInt32))
		}
		if col, ok := c.Args[0].(*expr.Column); ok {
			c.column = col.Index
		} else {
			return fmt.Errorf("%s expects a column", name)
		}
		if len(c.Args) > 2 {
			if col, ok := c.Args[2].(*expr.Column); ok {
				c.other = col.Index
			}
		}
		f.back = max(f.back, c.offset)
	case "NTILE", "CUME_DIST", "PERCENT_RANK":
		if !f.total {
			return fmt.Errorf("%s needs all rows of a partition: it is not supported over time", name)
		}
		f.ranks = true
	default:
		return fmt.Errorf("BUG: exec: %s is no function over a window", name)
	}
	return nil
}

func (f *framer) schema() *schema.Type {
	t := f.fold.schema()
	t.Fields = append(t.Fields, f.fold.objectSchema().Fields...)
	return t
}

func (f *framer) fresh(s *frameState) {
	*s = frameState{words: make([]uint64, f.fold.words)}
	for _, a := range f.fold.objects {
		s.objs.list = append(s.objs.list, a.New())
	}
}

// expires is the time at which nothing of the partition is needed any more, if no row comes.
func (f *framer) expires(s *frameState) int64 {
	if f.Rows || f.FromStart || f.total || f.back > 0 || len(s.rows) == 0 {
		return math.MaxInt64
	}
	for _, c := range f.calls {
		if c.fold < 0 {
			return math.MaxInt64
		}
	}
	return satAdd(s.rows[len(s.rows)-1].time, -f.Start)
}

// pass is one run of a framer over rows.
type pass struct {
	*framer
	*frameState
	all  []overRow
	in   column.Batch
	work folding
	row  [1]int32
}

// advance computes the rows that follow: it appends them to out, their columns first, then the results.
func (f *framer) advance(s *frameState, next []overRow, out *column.Batch, results int) error {
	p := pass{framer: f, frameState: s, all: append(s.rows[:len(s.rows):len(s.rows)], next...)}
	p.in = column.NewBatch(f.in)
	defer p.in.Release()
	for _, r := range p.all {
		if _, err := f.codec.Decode(r.row, p.in.Cols); err != nil {
			return err
		}
	}
	n := len(p.all)
	p.in.N = n
	at, objs := make([]unsafe.Pointer, n), make([]unsafe.Pointer, n)
	for i := range at {
		at[i], objs[i] = unsafe.Pointer(&s.words[0]), unsafe.Pointer(&s.objs)
	}
	p.work = folding{in: &p.in, at: at, objs: objs, signs: make([]int64, n)}
	for i := len(s.rows); i < n; i++ {
		if err := p.move(i); err != nil {
			return err
		}
		for c := range f.calls {
			if err := p.result(&f.calls[c], i, out.Cols[results+c]); err != nil {
				return err
			}
		}
	}
	for c, v := range p.in.Cols {
		v.Slice(out.Cols[c], len(s.rows), n)
	}
	if out.N += len(next); out.Kinds != nil {
		out.Kinds = append(out.Kinds, make([]schema.RowKind, len(next))...)
	}
	p.keep()
	return nil
}

func same(a, b *overRow) bool { return a.time == b.time && a.key == b.key }

// peersEnd is the place behind the last peer of row i, peersStart that of the first.
func (p *pass) peersEnd(i int) int {
	j := i + 1
	for j < len(p.all) && same(&p.all[i], &p.all[j]) {
		j++
	}
	return j
}

func (p *pass) peersStart(i int) int {
	for i > 0 && same(&p.all[i], &p.all[i-1]) {
		i--
	}
	return i
}

// bounds is the frame of row i.
func (p *pass) bounds(i int) (lo, hi int) {
	n := len(p.all)
	if p.Rows {
		lo, hi = max(0, i+int(p.Start)), max(0, min(n, i+int(p.End)+1))
	} else {
		lo, hi = p.lo, p.peersEnd(i)
		if p.Start == 0 && !p.FromStart {
			lo = p.peersStart(i)
		}
		for p.Start < 0 && lo < i && p.all[lo].time < satAdd(p.all[i].time, p.Start) {
			lo++
		}
	}
	if p.FromStart {
		lo = 0
	}
	if p.ToEnd {
		hi = n
	}
	return min(lo, n), hi
}

// move brings the accumulators to the frame of row i.
func (p *pass) move(i int) error {
	lo, hi := p.bounds(i)
	for p.hi < hi {
		if err := p.add(p.hi, 1); err != nil {
			return err
		}
		p.hi++
	}
	for p.lo < lo {
		if p.lo < p.hi {
			if err := p.add(p.lo, -1); err != nil {
				return err
			}
		}
		p.lo++
		p.hi = max(p.hi, p.lo)
	}
	switch pos := p.before + int64(i); {
	case !p.ranks:
	case i > 0 && same(&p.all[i], &p.all[i-1]):
	default:
		p.rank, p.dense = pos+1, p.dense+1
	}
	return nil
}

func (p *pass) add(i int, sign int64) error {
	p.row[0], p.work.signs[i] = int32(i), sign
	p.work.rows = p.row[:]
	p.words[0] += uint64(sign)
	if len(p.all) == 1 { // a fold takes as many rows as places for a whole batch
		p.work.rows = p.fold.all(1)
	}
	return p.fold.update(&p.work)
}

// result appends the result of a call for row i.
func (p *pass) result(c *overCall, i int, out *column.Vector) error {
	if c.fold >= 0 {
		return p.fold.result(c.fold, p.work.at[:1], p.work.objs[:1], out)
	}
	pos, n := p.before+int64(i), p.before+int64(len(p.all))
	switch c.Func.Name {
	case "ROW_NUMBER":
		out.AppendInt(pos + 1)
	case "RANK":
		out.AppendInt(p.rank)
	case "DENSE_RANK":
		out.AppendInt(p.dense)
	case "CUME_DIST":
		out.AppendFloat(float64(p.peersEnd(i)) / float64(n))
	case "PERCENT_RANK":
		share := 0.0
		if n > 1 {
			share = float64(p.rank-1) / float64(n-1)
		}
		out.AppendFloat(share)
	case "NTILE":
		buckets, _ := expr.Whole(c.Args[0])
		out.AppendInt(ntile(pos, n, buckets))
	case "LAG":
		p.neighbour(c, i, i-c.offset, out)
	case "LEAD":
		p.neighbour(c, i, i+c.offset, out)
	}
	return nil
}

// ntile is the bucket of row pos of n: the first ones take one row more.
func ntile(pos, n, buckets int64) int64 {
	size, more := n/buckets, n%buckets
	if pos < more*(size+1) {
		return pos/(size+1) + 1
	}
	return more + (pos-more*(size+1))/max(size, 1) + 1
}

func (p *pass) neighbour(c *overCall, i, j int, out *column.Vector) {
	switch {
	case j >= 0 && j < len(p.all):
		p.in.Cols[c.column].Slice(out, j, j+1)
	case c.other >= 0:
		p.in.Cols[c.other].Slice(out, i, i+1)
	case len(c.Args) > 2:
		l, _ := c.Args[2].(*expr.Literal)
		out.Append(l.Value)
	default:
		out.Nulls(1)
	}
}

// keep drops the rows that no frame needs.
func (p *pass) keep() {
	from := max(0, len(p.all)-p.back)
	if !p.FromStart {
		from = min(from, p.lo)
	}
	p.rows = append([]overRow(nil), p.all[from:]...)
	p.before += int64(from)
	p.lo, p.hi = max(0, p.lo-from), p.hi-from
}

// encode appends a partition's state.
func (o *OverAggregate) encode(dst []byte, s *overState) []byte {
	dst = binary.AppendVarint(dst, s.due)
	for _, rows := range [][]overRow{s.pending, s.rows} {
		dst = binary.AppendUvarint(dst, uint64(len(rows)))
		for _, r := range rows {
			dst = binary.AppendVarint(dst, r.time)
			dst = append(binary.AppendUvarint(dst, uint64(len(r.key))), r.key...)
			dst = append(binary.AppendUvarint(dst, uint64(len(r.row))), r.row...)
		}
	}
	for _, x := range []int64{int64(s.lo), int64(s.hi), s.before, s.rank, s.dense} {
		dst = binary.AppendVarint(dst, x)
	}
	for _, w := range s.words {
		dst = binary.LittleEndian.AppendUint64(dst, w)
	}
	for _, x := range s.objs.list {
		b := x.Append(nil)
		dst = append(binary.AppendUvarint(dst, uint64(len(b))), b...)
	}
	return dst
}

func (o *OverAggregate) decode(src []byte, s *overState) (int, error) {
	o.fresh(s)
	r := byteReader{src: src}
	s.due = r.varint()
	for _, rows := range []*[]overRow{&s.pending, &s.rows} {
		for range r.count() {
			*rows = append(*rows, overRow{r.varint(), string(r.bytes()), string(r.bytes())})
		}
	}
	s.lo, s.hi, s.before, s.rank, s.dense = int(r.varint()), int(r.varint()), r.varint(), r.varint(), r.varint()
	for i := range s.words {
		s.words[i] = r.word()
	}
	for _, x := range s.objs.list {
		b := r.bytes()
		if r.failed {
			break
		}
		if err := x.Decode(b); err != nil {
			return 0, err
		}
	}
	if r.failed {
		return 0, errShortState
	}
	return r.at, nil
}

// byteReader reads what may be damaged: after the end it gives zeros and has failed.
type byteReader struct {
	src    []byte
	at     int
	failed bool
}

func (r *byteReader) varint() int64 {
	x, n := binary.Varint(r.src[r.at:])
	if n <= 0 {
		r.failed = true
		return 0
	}
	r.at += n
	return x
}

func (r *byteReader) count() int {
	x, n := binary.Uvarint(r.src[r.at:])
	if n <= 0 || x > uint64(len(r.src)-r.at-n) {
		r.failed = true
		return 0
	}
	r.at += n
	return int(x)
}

func (r *byteReader) bytes() []byte {
	n := r.count()
	b := r.src[r.at : r.at+n]
	r.at += n
	return b
}

func (r *byteReader) word() uint64 {
	if len(r.src)-r.at < 8 {
		r.failed = true
		return 0
	}
	r.at += 8
	return binary.LittleEndian.Uint64(r.src[r.at-8:])
}
