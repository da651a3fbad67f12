package operator

import (
	"fmt"
	"math"
	"sort"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// TestWindowStories runs testdata/windows: one story of the semantics a file. Commands:
//
//	open windows=tumbling|sliding|session|global size= slide= gap= offset= lateness= count= [processing-time] [late] [list]
//	send key@time=number ...    records, one batch
//	watermark T | end           what event time has reached
//	tick T                      processing time
//	restore parallelism=N       snapshot, then start anew from it
//
// All times are milliseconds. "min" and "max" are the ends of int64.
func TestWindowStories(t *testing.T) {
	datadriven.Walk(t, "testdata/windows", func(t *testing.T, path string) {
		var r *rig
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "open":
				r = openStory(t, d)
				return ""
			case "send":
				var rows []reading
				for _, a := range d.CmdArgs {
					rows = append(rows, storyRow(t, a.String()))
				}
				return told(r, r.send(rows...))
			case "watermark":
				return told(r, r.advance(storyTime(t, d.CmdArgs[0].String())))
			case "end":
				return told(r, r.advance(math.MaxInt64))
			case "tick":
				return told(r, r.tick(storyTime(t, d.CmdArgs[0].String())))
			case "restore":
				var n int
				d.ScanArgs(t, "parallelism", &n)
				r.restore(n)
				return fmt.Sprintf("%d subtasks\n", n)
			}
			t.Fatalf("%s: unknown command %q", d.Pos, d.Cmd)
			return ""
		})
	})
}

func openStory(t *testing.T, d *datadriven.TestData) *rig {
	kinds := map[string]WindowKind{"tumbling": WindowTumbling, "sliding": WindowSliding, "session": WindowSession, "global": WindowGlobal}
	var kind string
	d.ScanArgs(t, "windows", &kind)
	n := func(name string) (v int64) {
		d.MaybeScanArgs(t, name, &v)
		return v
	}
	w := Windows{
		Kind: kinds[kind], Size: ms(n("size")), Slide: ms(n("slide")), Gap: ms(n("gap")), Offset: ms(n("offset")), Count: n("count"),
		ProcessingTime: d.HasArg("processing-time"),
	}
	if w.Kind == WindowTumbling {
		w.Slide = w.Size
	}
	late := 0
	if d.HasArg("late") {
		late = 1
	}
	plan := sumsPlan(w, n("lateness"), late)
	if d.HasArg("list") {
		plan = listPlan(w, n("lateness"), late)
	}
	r := newRig(t, 1, plan)
	r.timed = w.EventTime()
	return r
}

func storyTime(t *testing.T, s string) int64 {
	switch s {
	case "min":
		return math.MinInt64
	case "max":
		return math.MaxInt64
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func storyRow(t *testing.T, s string) reading {
	key, rest, _ := strings.Cut(s, "@")
	at, n, ok := strings.Cut(rest, "=")
	if !ok {
		t.Fatalf("a record is key@time=number, not %q", s)
	}
	v, err := strconv.Atoi(n)
	if err != nil {
		t.Fatal(err)
	}
	return reading{key, storyTime(t, at), int64(v)}
}

// told prints what came out: results in the order of their windows as they came, keys sorted among results of one window.
func told(r *rig, got []string) string {
	var b strings.Builder
	at := func(s string) string { return s[strings.Index(s, " "):strings.Index(s, ")")] }
	for i := 0; i < len(got); {
		j := i + 1
		for j < len(got) && at(got[j]) == at(got[i]) {
			j++
		}
		sort.Strings(got[i:j])
		i = j
	}
	for _, s := range got {
		fmt.Fprintln(&b, s)
	}
	for _, s := range r.takeLate() {
		fmt.Fprintln(&b, "late", s)
	}
	if n := r.drops.Late.Load(); n > 0 {
		fmt.Fprintln(&b, "late and counted:", n)
	}
	if n := r.drops.Dropped.Load(); n > 0 {
		fmt.Fprintln(&b, "dropped:", n)
	}
	r.drops = Counters{}
	if b.Len() == 0 {
		return "nothing\n"
	}
	return b.String()
}
