package operator

import "github.com/flottio/flott/internal/record"

// SplitMarks makes the watermark of a source from those of its splits: the least of the splits that are being read, never falling.
type SplitMarks[T any] struct {
	strategy *WatermarkStrategy[T]
	splits   []splitMark
	open     int
	mark     int64
	held     bool
	behind   bool // mark would have moved while held
}

type splitMark struct {
	marker  marker
	maxTime int64
	done    bool
}

// NewSplitMarks returns marks that start at the restored watermark. strategy nil: no event time.
func NewSplitMarks[T any](s *WatermarkStrategy[T], restored int64) *SplitMarks[T] {
	return &SplitMarks[T]{strategy: s, mark: restored}
}

// Add takes a new split, with the greatest event time seen in it so far.
func (m *SplitMarks[T]) Add(maxTime int64) {
	s := splitMark{maxTime: maxTime}
	if m.strategy != nil {
		s.marker = newMarker(m.strategy)
		s.marker.observe(maxTime)
	}
	m.splits = append(m.splits, s)
	m.open++
}

// Stamp gives the batch event times and notes them for its split. at follows the record in work.
func (m *SplitMarks[T]) Stamp(b *record.Rows[T], at *Cursor) error {
	if m.strategy == nil {
		return nil
	}
	top, err := m.strategy.Stamp(b, at)
	if err != nil {
		return err
	}
	s := &m.splits[b.Head.Split]
	s.maxTime = max(s.maxTime, top)
	if m.strategy.Generate != nil {
		at.standAt(b, b.Head.Times, top)
	}
	s.marker.observe(top)
	at.end()
	m.settle()
	return nil
}

// Done takes that a split is read to its end. The last split's mark stays: what comes next may be older.
func (m *SplitMarks[T]) Done(number int32) {
	if s := &m.splits[number]; !s.done {
		s.done = true
		if m.open--; m.open > 0 {
			m.settle()
		}
	}
}

// MaxTime is the greatest event time seen in a split.
func (m *SplitMarks[T]) MaxTime(number int) int64 { return m.splits[number].maxTime }

// Watermark is that of the source.
func (m *SplitMarks[T]) Watermark() int64 { return m.mark }

// Hold keeps the watermark where it is, until it is called with false. After a restore that is while splits that were being read wait for a
// reader: their records must not become late because they are read later than others now.
func (m *SplitMarks[T]) Hold(held bool) {
	m.held = held
	if !held && m.behind {
		m.behind = false
		m.settle()
	}
}

func (m *SplitMarks[T]) settle() {
	if m.held {
		m.behind = true
		return
	}
	least := int64(record.MaxWatermark)
	for i := range m.splits {
		if s := &m.splits[i]; !s.done {
			least = min(least, s.marker.watermark())
		}
	}
	if least != record.MaxWatermark {
		m.mark = max(m.mark, least)
	}
}
