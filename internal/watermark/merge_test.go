package watermark

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"pgregory.net/rapid"
)

func TestMergeScripts(t *testing.T) {
	datadriven.Walk(t, "testdata/merge", func(t *testing.T, path string) {
		var m *Merge
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			var out strings.Builder
			switch d.Cmd {
			case "new":
				var n int
				d.ScanArgs(t, "inputs", &n)
				at := None
				if d.HasArg("at") {
					d.ScanArgs(t, "at", &at)
				}
				m = NewMergeAt(n, at)
			case "restart": // through a snapshot
				m = Restore(m.Snapshot(nil), m.Now())
			case "run":
				for line := range strings.Lines(d.Input) {
					fmt.Fprintf(&out, "%-12s -> %s\n", strings.TrimSpace(line), apply(t, m, strings.Fields(line)))
				}
				return out.String()
			default:
				d.Fatalf(t, "unknown command %s", d.Cmd)
			}
			return show(m) + "\n"
		})
	})
}

func apply(t *testing.T, m *Merge, f []string) string {
	in, err := strconv.Atoi(f[0])
	if err != nil {
		t.Fatal(err)
	}
	var c Change
	switch f[1] {
	case "idle":
		c = m.BecomeIdle(in)
	case "active":
		c = m.BecomeActive(in)
	case "end":
		c = m.End(in)
	case "max":
		c.Watermark, c.Advanced = m.Watermark(in, End)
	default:
		wm, err := strconv.ParseInt(f[1], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		c.Watermark, c.Advanced = m.Watermark(in, wm)
	}
	s := "-"
	if c.Advanced {
		s = "watermark " + name(c.Watermark)
	}
	if c.BecameIdle {
		s += " idle"
	}
	if c.Resumed {
		s += " active"
	}
	return strings.TrimPrefix(s, "- ")
}

func show(m *Merge) string {
	s := "out " + name(m.Now())
	if m.Idle() {
		s += " idle"
	}
	return s
}

func name(t int64) string {
	switch t {
	case None:
		return "none"
	case End:
		return "END"
	}
	return strconv.FormatInt(t, 10)
}

// dumb is the rules of Merge by the book: everything recomputed over all inputs after every event.
type dumb struct {
	wm               []int64
	idle, ended, lag []bool
	out              int64
}

func (d *dumb) recompute() {
	open, active, least, most := 0, 0, int64(math.MaxInt64), None
	part := 0
	for i := range d.wm {
		most = max(most, d.wm[i])
		if d.ended[i] {
			continue
		}
		open++
		if d.idle[i] {
			continue
		}
		active++
		if d.lag[i] && d.wm[i] < d.out {
			continue
		}
		d.lag[i] = false
		part++
		least = min(least, d.wm[i])
	}
	switch {
	case open == 0:
		d.out = End
	case active == 0:
		d.out = max(d.out, most)
	case part > 0:
		d.out = max(d.out, least)
	}
}

func (d *dumb) isIdle() bool {
	open := false
	for i := range d.wm {
		if !d.ended[i] {
			open = true
			if !d.idle[i] {
				return false
			}
		}
	}
	return open
}

func TestMergeAgreesWithTheDumbOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 4).Draw(t, "inputs")
		m := NewMerge(n)
		d := &dumb{make([]int64, n), make([]bool, n), make([]bool, n), make([]bool, n), None}
		for i := range d.wm {
			d.wm[i] = None
		}
		wasIdle := false
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			i := rapid.IntRange(0, n-1).Draw(t, "input")
			before := m.Now()
			c := Change{Watermark: before}
			switch op := rapid.IntRange(0, 9).Draw(t, "op"); op {
			case 0:
				c = m.End(i)
				d.ended[i] = true
			case 1, 2:
				c = m.BecomeIdle(i)
				d.idle[i] = true
			case 3, 4:
				c = m.BecomeActive(i)
				if d.idle[i] {
					d.idle[i], d.lag[i] = false, true
				}
			case 5:
				m = Restore(m.Snapshot(nil), m.Now())
			default:
				wm := rapid.Int64Range(0, 20).Draw(t, "t")
				c.Watermark, c.Advanced = m.Watermark(i, wm)
				if !d.ended[i] {
					d.wm[i] = max(d.wm[i], wm)
				}
				c.BecameIdle, c.Resumed = m.Idle() && !wasIdle, !m.Idle() && wasIdle && m.Now() != End
			}
			d.recompute()
			if m.Now() != d.out || m.Idle() != d.isIdle() {
				t.Fatalf("%s, the dumb one says %s idle=%v", show(m), name(d.out), d.isIdle())
			}
			if m.Now() < before || c.Watermark != m.Now() || c.Advanced != (m.Now() > before) {
				t.Fatalf("%v after %s", c, name(before))
			}
			ended := m.Now() == End
			if c.BecameIdle != (m.Idle() && !wasIdle) || c.Resumed != (!m.Idle() && wasIdle && !ended) {
				t.Fatalf("%+v, was idle %v, is idle %v", c, wasIdle, m.Idle())
			}
			wasIdle = m.Idle()
		}
	})
}

func TestBounded(t *testing.T) {
	for _, c := range []struct {
		delay time.Duration
		times []int64
		want  int64
	}{
		{0, nil, None},
		{5 * time.Second, nil, None},
		{0, []int64{100}, 99},
		{5 * time.Second, []int64{10_000}, 4_999},
		{5 * time.Second, []int64{10_000, 3_000}, 4_999},
		{time.Microsecond, []int64{100}, 98}, // rounded up to 1 ms
		{-time.Second, []int64{100}, 99},
		{time.Hour, []int64{math.MinInt64 + 5}, None}, // saturates
		{0, []int64{math.MaxInt64}, math.MaxInt64 - 1},
		{math.MaxInt64, []int64{-100}, -100 - 9_223_372_036_855 - 1},
	} {
		g := NewBounded(c.delay)
		for _, ts := range c.times {
			g.Observe(ts)
		}
		if got := g.Watermark(); got != c.want {
			t.Errorf("delay %v after %v: %d, want %d", c.delay, c.times, got, c.want)
		}
	}
	g := NewMonotonous()
	g.Observe(7)
	if g.Watermark() != 6 {
		t.Errorf("monotonous after 7: %d, want 6", g.Watermark())
	}
}

func TestIdleness(t *testing.T) {
	d := NewIdleness(10 * time.Second)
	at := func(s int) time.Duration { return time.Duration(s) * time.Second }
	var story []string
	see := func(s int, what string, did bool) { story = append(story, fmt.Sprintf("%ds %s %v", s, what, did)) }
	see(5, "check", d.Check(at(5)))
	see(14, "check", d.Check(at(14)))
	see(15, "check", d.Check(at(15)))
	see(16, "check", d.Check(at(16)))
	see(20, "record", d.Activity(at(20)))
	see(21, "record", d.Activity(at(21)))
	see(30, "check", d.Check(at(30)))
	see(31, "check", d.Check(at(31)))
	want := "5s check false,14s check false,15s check true,16s check false,20s record true,21s record false,30s check false,31s check true"
	if got := strings.Join(story, ","); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	never := NewIdleness(0)
	if never.Check(0) || never.Check(math.MaxInt64) {
		t.Error("a detector without timeout has reported idle")
	}
}

func TestMergeAllocatesNothing(t *testing.T) {
	m := NewMerge(4)
	ts := int64(0)
	if n := testing.AllocsPerRun(100, func() {
		ts++
		for i := range 4 {
			m.Watermark(i, ts)
			m.BecomeIdle(i)
			m.BecomeActive(i)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
