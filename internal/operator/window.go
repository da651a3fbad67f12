package operator

import (
	"fmt"
	"math"
	"time"
)

// Windows says into which windows records fall. Times are milliseconds. The zero value is not valid: Check.
type Windows struct {
	Kind WindowKind
	// Size is the length of tumbling and sliding windows, Slide how far apart two of them start (tumbling: Size), Gap the silence that
	// ends a session.
	Size, Slide, Gap time.Duration
	// Offset moves where tumbling and sliding windows start, from the epoch; it is less than a slide in either direction.
	Offset time.Duration
	// ProcessingTime puts records into windows by when they are processed.
	ProcessingTime bool
	// Count makes a global window of a key fire, and start anew, at every so many records; 0: only at the end of input. Other
	// triggers, and evictors, will stand beside it.
	Count int64
}

// WindowKind is the shape of windows.
type WindowKind uint8

// The kinds of window.
const (
	WindowTumbling WindowKind = iota + 1
	WindowSliding
	WindowSession
	WindowGlobal
)

// EventTime reports whether the windows close by watermarks.
func (w Windows) EventTime() bool { return !w.ProcessingTime && w.Kind != WindowGlobal }

// Check returns everything that is wrong with the windows.
func (w Windows) Check(lateness time.Duration) (problems []string) {
	bad := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	length := func(what string, d time.Duration) {
		if d <= 0 || d%time.Millisecond != 0 {
			bad("%s of windows is %v: it must be positive and in whole milliseconds", what, d)
		}
	}
	switch w.Kind {
	case WindowTumbling:
		length("the size", w.Size)
	case WindowSliding:
		length("the size", w.Size)
		length("the slide", w.Slide)
	case WindowSession:
		length("the gap", w.Gap)
	case WindowGlobal:
	default:
		bad("no windows given: use Tumbling, Sliding, Session or Global")
	}
	fixed := w.Kind == WindowTumbling || w.Kind == WindowSliding
	switch {
	case w.Offset != 0 && !fixed:
		bad("an offset of %v: only tumbling and sliding windows have one", w.Offset)
	case fixed && w.Offset != 0 && len(problems) == 0 && (w.Offset.Abs() >= w.Slide || w.Offset%time.Millisecond != 0):
		bad("an offset of %v: it must be less than %v, in whole milliseconds", w.Offset, w.Slide)
	}
	if lateness < 0 || lateness%time.Millisecond != 0 {
		bad("an allowed lateness of %v: it must not be negative, and in whole milliseconds", lateness)
	}
	if lateness > 0 && !w.EventTime() {
		bad("an allowed lateness of %v: only event time windows know late records", lateness)
	}
	if w.Count < 0 {
		bad("a count trigger of %d records: at least 1 is needed", w.Count)
	}
	if w.Count > 0 && w.Kind != WindowGlobal {
		bad("a count trigger of %d records: only global windows can have one yet", w.Count)
	}
	return problems
}

// grid is the arithmetic of tumbling and sliding windows. Panes are the spans between two neighbouring places where a window starts or
// ends: every window is a run of whole panes, and every record is kept in one pane only.
//
// All arithmetic saturates: windows at the ends of time are shorter, not elsewhere (E10 ✗ FLINK-31632). The pane that holds the least
// time begins there.
type grid struct {
	size, slide, pane int64
	offset            int64 // in [0, slide)
	// gaps says that slide > size: there are times in no window, and pane = size is only where the windows are.
	gaps bool
}

func newGrid(w Windows) grid {
	g := grid{size: w.Size.Milliseconds(), slide: w.Slide.Milliseconds()}
	g.offset = floorMod(w.Offset.Milliseconds(), g.slide)
	g.pane = gcd(g.size, g.slide)
	if g.slide > g.size {
		g.gaps, g.pane = true, g.size
	}
	return g
}

// since is how far t is behind the last place t' <= t with t' = offset mod step. step is slide or pane; both divide the grid.
func (g *grid) since(t, step int64) int64 {
	r := floorMod(t, step) - g.offset%step
	if r < 0 {
		r += step
	}
	return r
}

// paneOf returns the pane that t falls into; ok is false between two windows with a gap.
func (g *grid) paneOf(t int64) (start, end int64, ok bool) {
	if g.gaps {
		r := g.since(t, g.slide)
		return satAdd(t, -r), satAdd(t, g.size-r), r < g.size
	}
	r := g.since(t, g.pane)
	return satAdd(t, -r), satAdd(t, g.pane-r), true
}

// firstEnd is the end of the first window that holds the pane, lastEnd of the last.
func (g *grid) firstEnd(paneEnd int64) int64 {
	if g.gaps || g.size == g.pane {
		return paneEnd
	}
	// The window's end is the first place >= paneEnd that is a multiple of slide from the ends of windows.
	return g.endFrom(paneEnd)
}

func (g *grid) lastEnd(paneStart, paneEnd int64) int64 {
	if g.gaps || g.size == g.pane {
		return paneEnd
	}
	// The last window that holds the pane starts at the last start <= paneStart. A pane cut off at the least time starts inside.
	return satAdd(paneStart, g.size-g.since(paneStart, g.slide))
}

// endFrom is the first end of a window that is at or after t. REQUIRES: no gaps.
func (g *grid) endFrom(t int64) int64 {
	// Ends are at offset + size mod slide: the distance from t up to the next one.
	r := floorMod(t, g.slide) - (g.offset+g.size%g.slide)%g.slide
	if r > 0 {
		r -= g.slide
	}
	return satAdd(t, -r)
}

// nextEnd is the end after end.
func (g *grid) nextEnd(end int64) int64 { return satAdd(end, g.slide) }

func floorMod(a, m int64) int64 {
	r := a % m
	if r < 0 {
		r += m
	}
	return r
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// satAdd adds and stays at the ends of time instead of wrapping around.
func satAdd(a, b int64) int64 {
	c := a + b
	if (a^c)&(b^c) < 0 {
		if a < 0 {
			return math.MinInt64
		}
		return math.MaxInt64
	}
	return c
}
