package physical

import (
	"github.com/flottio/flott/sql/internal/plan"
)

// windowed says that rows belong to windows, and where the windows' bounds are. A place of -1 says that the column was left out.
type windowed struct {
	spec             plan.Window
	proctime         bool
	local            bool // of TIMESTAMP_LTZ
	start, end, time int
}

// mapped follows the columns through a projection; nil if start or end are lost.
func (w *windowed) mapped(to []int) *windowed {
	if w == nil {
		return nil
	}
	m := *w
	at := func(i int) int {
		if i < 0 {
			return -1
		}
		return to[i]
	}
	m.start, m.end, m.time = at(w.start), at(w.end), at(w.time)
	if m.start < 0 && m.end < 0 && m.time < 0 {
		return nil
	}
	return &m
}
