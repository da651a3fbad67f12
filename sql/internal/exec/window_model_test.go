package exec

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/schema"
	"github.com/flottio/flott/sql/internal/expr"
)

const colTime = colLong + 1

var windowTypes = append(slices.Clone(aggTypes), column.Type{ID: column.Timestamp, Precision: 3, Attribute: column.Rowtime})

// modelWindow is one window of one group.
type modelWindow struct {
	key        []any
	start, end int64
	rows       [][]any
}

// windowModel puts rows into windows one by one, as Flink's documentation has it.
type windowModel struct {
	t       testing.TB
	w       Window
	keys    []int
	calls   []AggCall
	wm      int64
	windows []*modelWindow
	late    int
	dropped int
	out     bag
}

// assign gives the windows of a time.
func (m *windowModel) assign(t int64) (list []span) {
	w := m.w
	floor := func(step int64) int64 {
		return int64(math.Floor(float64(t-w.OffsetMs)/float64(step)))*step + w.OffsetMs
	}
	switch w.Kind {
	case Tumble:
		return []span{{floor(w.SizeMs), floor(w.SizeMs) + w.SizeMs}}
	case Hop:
		for s := floor(w.StepMs); s > t-w.SizeMs; s -= w.StepMs {
			list = append(list, span{s, s + w.SizeMs})
		}
	case Cumulate:
		s := floor(w.SizeMs)
		for e := s + w.SizeMs; e > t; e -= w.StepMs {
			list = append(list, span{s, e})
		}
	case Session:
		list = []span{{t, t + w.SizeMs}}
	}
	return list
}

func (m *windowModel) add(c change) {
	row := c.Row
	var key []any
	for _, k := range m.keys {
		key = append(key, row[k])
	}
	list := m.assign(row[colTime].(int64))
	if len(list) == 0 {
		m.dropped++
		return
	}
	if m.w.Kind == Session {
		m.addSession(key, list[0], row)
		return
	}
	fate := 0
	for _, s := range list {
		if s.end-1 <= m.wm {
			continue
		}
		fate++
		i := slices.IndexFunc(m.windows, func(x *modelWindow) bool {
			return printRow(x.key) == printRow(key) && x.start == s.start && x.end == s.end
		})
		if i < 0 {
			i = len(m.windows)
			m.windows = append(m.windows, &modelWindow{key: key, start: s.start, end: s.end})
		}
		x := m.windows[i]
		if c.Kind.Adds() {
			x.rows = append(x.rows, row)
			continue
		}
		at := slices.IndexFunc(x.rows, func(r []any) bool { return printRow(r) == printRow(row) })
		if at < 0 {
			m.t.Fatal("the test takes back what is not there")
		}
		x.rows = slices.Delete(x.rows, at, at+1)
	}
	if fate == 0 {
		m.late++
	}
}

// addSession merges all sessions of the key that the row touches.
func (m *windowModel) addSession(key []any, s span, row []any) {
	merged := &modelWindow{key: key, start: s.start, end: s.end}
	var rest []*modelWindow
	for _, x := range m.windows {
		if printRow(x.key) == printRow(key) && x.start <= merged.end && merged.start <= x.end {
			merged.start, merged.end, merged.rows = min(merged.start, x.start), max(merged.end, x.end), append(merged.rows, x.rows...)
			continue
		}
		rest = append(rest, x)
	}
	if merged.end-1 <= m.wm {
		m.late++
		return
	}
	merged.rows = append(merged.rows, row)
	m.windows = append(rest, merged)
}

func (m *windowModel) advance(wm int64) {
	m.wm = wm
	m.windows = slices.DeleteFunc(m.windows, func(x *modelWindow) bool {
		if x.end-1 > wm {
			return false
		}
		if len(x.rows) > 0 {
			row := slices.Clone(x.key)
			for _, c := range m.calls {
				row = append(row, modelAgg(m.t, c, x.rows))
			}
			m.out[printRow(append(row, x.start, x.end, x.end-1))]++
		}
		return true
	})
}

func windowCalls(t testing.TB) []AggCall {
	return []AggCall{
		aggOf(t, aggTypes, "COUNT", false, -1), aggOf(t, aggTypes, "COUNT", false, colFlag, colText),
		aggOf(t, aggTypes, "COUNT", true, colFlag, colInt), aggOf(t, aggTypes, "SUM", true, -1, colInt),
		aggOf(t, aggTypes, "SUM", false, -1, colDecimal), aggOf(t, aggTypes, "AVG", false, -1, colInt),
		aggOf(t, aggTypes, "MIN", false, -1, colInt), aggOf(t, aggTypes, "MAX", false, -1, colDouble),
		aggOf(t, aggTypes, "MAX", false, -1, colWord), aggOf(t, aggTypes, "MIN", false, -1, colLong),
	}
}

var testWindows = map[string]Window{
	"tumble":     {Kind: Tumble, SizeMs: 10, OffsetMs: 3},
	"hop":        {Kind: Hop, SizeMs: 20, StepMs: 5},
	"hop uneven": {Kind: Hop, SizeMs: 15, StepMs: 10, OffsetMs: -4},
	"hop gaps":   {Kind: Hop, SizeMs: 6, StepMs: 10},
	"cumulate":   {Kind: Cumulate, SizeMs: 30, StepMs: 5, OffsetMs: 2},
	"session":    {Kind: Session, SizeMs: 4},
}

// Windows over random rows, some late, with restores at other parallelisms and on both backends, are those of the model.
func TestWindowAggregateAgainstModel(t *testing.T) {
	for name, w := range testWindows {
		for _, keys := range [][]int{{colBig}, {colBig, colText}, {}} {
			for _, retract := range []bool{false, true} {
				if w.Kind == Session && retract {
					continue // what is taken back does not shrink a session; the model would
				}
				t.Run(fmt.Sprintf("%s,keys=%v,retract=%v", name, keys, retract), func(t *testing.T) {
					for seed := range uint64(6) {
						testWindow(t, w, keys, retract, seed)
					}
				})
			}
		}
	}
}

func windowPlan(t testing.TB, w Window, keys []int, retract bool) func() operator.Operator {
	w.Time = colTime
	columns := []WindowColumn{WindowStart, WindowEnd, WindowTime}
	return func() operator.Operator {
		if w.Kind == Session {
			return &SessionAggregate{Env: utc(), In: windowTypes, Keys: keys, Calls: windowCalls(t), Window: w, Columns: columns}
		}
		return &WindowAggregate{
			Env: utc(), In: windowTypes, Keys: keys, Calls: windowCalls(t), Window: w, Columns: columns, Retracts: retract,
		}
	}
}

func testWindow(t *testing.T, w Window, keys []int, retract bool, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 2))
	m := &windowModel{t: t, w: w, keys: keys, calls: windowCalls(t), wm: math.MinInt64, out: bag{}}
	rig := &aggRig{t: t, types: windowTypes, keys: keys, wm: math.MinInt64, plan: windowPlan(t, w, keys, retract)}
	if seed == 0 {
		rig.store = pebbleStore(t)
	}
	rig.open(1+r.IntN(3), nil)
	defer rig.close()
	got, now := bag{}, int64(0)
	var fresh []change
	for step := range 40 {
		var batch []change
		for range 1 + r.IntN(30) {
			if len(fresh) > 0 && retract && r.IntN(4) == 0 {
				// What is taken back was added after the last watermark: it is in the same windows.
				i := r.IntN(len(fresh))
				batch = append(batch, change{schema.Delete, fresh[i].Row})
				fresh = slices.Delete(fresh, i, i+1)
				continue
			}
			c := change{schema.Insert, append(randomRow(r), now+r.Int64N(40)-15)}
			batch, fresh = append(batch, c), append(fresh, c)
		}
		for _, c := range batch {
			m.add(c)
		}
		got.apply(t, rig.send(batch...))
		if r.IntN(3) == 0 || step == 39 {
			now += r.Int64N(20)
			if step == 39 {
				now = math.MaxInt64
			}
			fresh = nil
			got.apply(t, rig.advance(now))
			m.advance(now)
		}
		if !slices.Equal(got.list(), m.out.list()) {
			t.Fatalf("seed %d, step %d:\n%q\nwant\n%q", seed, step, got.list(), m.out.list())
		}
		if r.IntN(8) == 0 {
			rig.restore(1 + r.IntN(3))
		}
	}
	if late, dropped := rig.counts.Late.Load(), rig.counts.Dropped.Load(); late != int64(m.late) || dropped != int64(m.dropped) {
		t.Fatalf("seed %d: %d late, %d dropped, want %d, %d", seed, late, dropped, m.late, m.dropped)
	}
	if len(got) == 0 {
		t.Fatal("nothing came out")
	}
}

// A window table function gives each row once for each of its windows.
func TestWindowTable(t *testing.T) {
	for name, w := range testWindows {
		t.Run(name, func(t *testing.T) {
			w.Time = colTime
			m := &windowModel{w: w, wm: math.MinInt64}
			columns := []WindowColumn{WindowStart, WindowEnd, WindowTime}
			rig := newAggRig(t, windowTypes, nil, 1, func() operator.Operator {
				if w.Kind == Session {
					return &SessionAggregate{Env: utc(), In: windowTypes, Window: w, Columns: columns, Rows: true}
				}
				return &WindowTable{Env: utc(), In: windowTypes, Window: w, Columns: columns}
			})
			r := rand.New(rand.NewPCG(1, 5))
			var batch []change
			want := bag{}
			for i := range 200 {
				row := append(randomRow(r), r.Int64N(100)-50)
				if i == 7 && w.Kind != Session {
					row[colTime] = nil
				}
				batch = append(batch, change{schema.Insert, row})
				if w.Kind == Session {
					m.addSession(nil, m.assign(row[colTime].(int64))[0], row)
				} else if row[colTime] != nil {
					for _, s := range m.assign(row[colTime].(int64)) {
						want[printRow(append(slices.Clone(row), s.start, s.end, s.end-1))]++
					}
				}
			}
			for _, x := range m.windows {
				for _, row := range x.rows {
					want[printRow(append(slices.Clone(row), x.start, x.end, x.end-1))]++
				}
			}
			got := bag{}
			got.apply(t, rig.send(batch...))
			got.apply(t, rig.advance(math.MaxInt64))
			if !slices.Equal(got.list(), want.list()) {
				t.Fatalf("%q\nwant\n%q", got.list(), want.list())
			}
		})
	}
}

// Windows over instants begin and end by the session's clock, also where it leaps.
func TestWindowsFollowTheClock(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	types := []column.Type{column.LocalTimestampType(3)}
	const day = 86_400_000
	rig := newAggRig(t, types, nil, 1, func() operator.Operator {
		return &WindowAggregate{
			Env: &expr.Env{Zone: zone}, In: types, Calls: []AggCall{aggOf(t, types, "COUNT", false, -1)},
			Window: Window{Kind: Tumble, SizeMs: day}, Columns: []WindowColumn{WindowStart, WindowEnd, WindowTime},
		}
	})
	at := func(s string) int64 {
		x, err := time.ParseInLocation(time.DateTime, s, zone)
		if err != nil {
			t.Fatal(err)
		}
		return x.UnixMilli()
	}
	// The day of 2021-03-28 has 23 hours.
	rig.send(change{Row: []any{at("2021-03-28 00:00:00")}}, change{Row: []any{at("2021-03-28 23:59:59")}}, change{Row: []any{at("2021-03-29 00:00:00")}})
	if got := rig.advance(at("2021-03-29 00:00:00") - 2); len(got) > 0 {
		t.Fatalf("too early: %v", got)
	}
	start := time.Date(2021, 3, 28, 0, 0, 0, 0, time.UTC).UnixMilli()
	want := fmt.Sprint(printRow([]any{2, start, start + day, at("2021-03-29 00:00:00") - 1}))
	if got := rig.advance(at("2021-03-29 00:00:00") - 1); len(got) != 1 || printRow(got[0].Row) != want {
		t.Fatalf("%v, want %s", got, want)
	}
}

// Windows of processing time close by the clock.
func TestWindowsOfProcessingTime(t *testing.T) {
	for _, kind := range []WindowKind{Tumble, Session} {
		rig := newAggRig(t, windowTypes, []int{colFixed}, 1, func() operator.Operator {
			w := Window{Kind: kind, SizeMs: 10, ProcessingTime: true, Time: colTime}
			calls := []AggCall{aggOf(t, aggTypes, "COUNT", false, -1)}
			if kind == Session {
				return &SessionAggregate{Env: utc(), In: windowTypes, Keys: []int{colFixed}, Calls: calls, Window: w}
			}
			return &WindowAggregate{Env: utc(), In: windowTypes, Keys: []int{colFixed}, Calls: calls, Window: w}
		})
		r := rand.New(rand.NewPCG(1, 6))
		row := append(randomRow(r), nil)
		row[colFixed] = int64(7)
		rig.now = 101
		rig.send(change{Row: row}, change{Row: row})
		end := int64(110)
		if kind == Session {
			end = 111
		}
		if got := rig.tick(end - 1); len(got) > 0 {
			t.Fatalf("too early: %v", got)
		}
		if got := printAll(rig.tick(end)); !slices.Equal(got, []string{"+I[7, 2]"}) {
			t.Fatalf("%v", got)
		}
	}
}
