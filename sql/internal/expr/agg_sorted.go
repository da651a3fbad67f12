package expr

import (
	enc "encoding/binary"
	"errors"
	"slices"

	"github.com/flottio/flott/column"
)

// errState is what a damaged state of an aggregate gives.
var errState = errors.New("a stored state of an aggregate is damaged")

// sortedCounts is a multiset of values in their order: how often each sort key is there. A number may be negative while a batch is merged whose
// rows are taken back before they were added. Keys lie in runs of bounded length, so that adding one moves few others.
//
// Invariant: runs are not empty, keys ascend within and between them, no count is 0.
type sortedCounts struct {
	of   column.Type
	runs [][]sortedCount
	buf  []byte
}

type sortedCount struct {
	key string
	n   int64
}

// sortedRunMax is the length at which a run is cut in two.
const sortedRunMax = 256

func (o *sortedCounts) Update(args []*column.Vector, row int, retract bool) error {
	if args[0].IsNull(row) {
		return nil
	}
	o.buf = column.AppendSortKey(o.buf[:0], args[0], row, false, false)
	by := int64(1)
	if retract {
		by = -1
	}
	o.add(o.buf, by)
	return nil
}

// add changes the number of a key; it copies the key if it keeps it.
func (o *sortedCounts) add(key []byte, by int64) {
	r, _ := slices.BinarySearchFunc(o.runs, key, func(run []sortedCount, key []byte) int { return compareKey(run[len(run)-1].key, key) })
	if r == len(o.runs) {
		if r == 0 {
			o.runs = append(o.runs, []sortedCount{{string(key), by}})
			return
		}
		r--
	}
	run := o.runs[r]
	i, found := slices.BinarySearchFunc(run, key, func(c sortedCount, key []byte) int { return compareKey(c.key, key) })
	switch {
	case !found:
		run = slices.Insert(run, i, sortedCount{string(key), by})
	case run[i].n+by != 0:
		run[i].n += by
		return
	default:
		run = slices.Delete(run, i, i+1)
	}
	o.runs[r] = run
	switch {
	case len(run) == 0:
		o.runs = slices.Delete(o.runs, r, r+1)
	case len(run) > sortedRunMax:
		half := slices.Clone(run[len(run)/2:])
		o.runs[r] = run[:len(run)/2]
		o.runs = slices.Insert(o.runs, r+1, half)
	}
}

// compareKey compares without making a string.
func compareKey(a string, b []byte) int {
	switch {
	case a < string(b):
		return -1
	case a == string(b):
		return 0
	}
	return 1
}

// first is the least key that is there, last the greatest.
func (o *sortedCounts) first() (string, bool) {
	for _, run := range o.runs {
		for _, c := range run {
			if c.n > 0 {
				return c.key, true
			}
		}
	}
	return "", false
}

func (o *sortedCounts) last() (string, bool) {
	for r := len(o.runs) - 1; r >= 0; r-- {
		for i := len(o.runs[r]) - 1; i >= 0; i-- {
			if c := o.runs[r][i]; c.n > 0 {
				return c.key, true
			}
		}
	}
	return "", false
}

func (o *sortedCounts) Merge(from Object) error {
	for _, run := range from.(*sortedCounts).runs {
		for _, c := range run {
			o.buf = append(o.buf[:0], c.key...)
			o.add(o.buf, c.n)
		}
	}
	return nil
}

func (o *sortedCounts) Append(dst []byte) []byte {
	for _, run := range o.runs {
		for _, c := range run {
			dst = enc.AppendVarint(dst, c.n)
			dst = append(enc.AppendUvarint(dst, uint64(len(c.key))), c.key...)
		}
	}
	return dst
}

func (o *sortedCounts) Decode(src []byte) error {
	o.runs = nil
	var run []sortedCount
	for len(src) > 0 {
		n, took := enc.Varint(src)
		if took <= 0 {
			return errState
		}
		key, rest, err := takeBytes(src[took:])
		if err != nil {
			return err
		}
		src = rest
		if run = append(run, sortedCount{string(key), n}); len(run) == sortedRunMax/2 {
			o.runs, run = append(o.runs, run), nil
		}
	}
	if len(run) > 0 {
		o.runs = append(o.runs, run)
	}
	return nil
}

// takeBytes reads a length and so many bytes.
func takeBytes(src []byte) (b, rest []byte, err error) {
	n, took := enc.Uvarint(src)
	if took <= 0 || n > uint64(len(src)-took) {
		return nil, nil, errState
	}
	return src[took : took+int(n)], src[took+int(n):], nil
}
