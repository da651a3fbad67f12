package checkpoint

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"pgregory.net/rapid"
)

// barriers is what Align and Track have in common.
type barriers interface {
	Barrier(dst []TaskAction, input int, id ID, o Options) []TaskAction
	Trigger(dst []TaskAction, id ID, o Options) []TaskAction
	Cancel(dst []TaskAction, input int, id ID) []TaskAction
	End(dst []TaskAction, input int) []TaskAction
	Abort(dst []TaskAction, id ID) []TaskAction
	Close(dst []TaskAction, reason Reason) []TaskAction
	Ready()
	Blocked(input int) bool
}

func TestAlignScripts(t *testing.T) { barrierScripts(t, "testdata/align") }
func TestTrackScripts(t *testing.T) { barrierScripts(t, "testdata/track") }

// Scripts: `new inputs=2 [restored=7]`, then `run` with one event a line:
// "0 barrier 5", "0 cancel 5", "0 end", "trigger 5", "abort 5", "close", "not-ready", "ready".
func barrierScripts(t *testing.T, dir string) {
	datadriven.Walk(t, dir, func(t *testing.T, path string) {
		var m barriers
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "new":
				n, restored := 0, int64(0)
				d.ScanArgs(t, "inputs", &n)
				if d.HasArg("restored") {
					d.ScanArgs(t, "restored", &restored)
				}
				if m = NewTrack(n, ID(restored)); strings.HasSuffix(dir, "align") {
					m = NewAlign(n, 2, ID(restored))
				}
				return ""
			case "run":
				var out strings.Builder
				for line := range strings.Lines(d.Input) {
					var shown []string
					for _, a := range applyEvent(t, m, strings.Fields(line)) {
						shown = append(shown, a.String())
					}
					if len(shown) == 0 {
						shown = []string{"-"}
					}
					fmt.Fprintf(&out, "%-12s -> %s\n", strings.TrimSpace(line), strings.Join(shown, ", "))
				}
				return out.String()
			}
			d.Fatalf(t, "unknown command %s", d.Cmd)
			return ""
		})
	})
}

func applyEvent(t *testing.T, m barriers, f []string) []TaskAction {
	num := func(s string) int {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatalf("%v in %v", err, f)
		}
		return n
	}
	switch f[0] {
	case "trigger":
		return m.Trigger(nil, ID(num(f[1])), Options{})
	case "abort":
		return m.Abort(nil, ID(num(f[1])))
	case "close":
		return m.Close(nil, TaskClosing)
	case "not-ready":
		return m.Close(nil, TaskNotReady)
	case "ready":
		m.Ready()
		return nil
	}
	in := num(f[0])
	switch f[1] {
	case "barrier":
		return m.Barrier(nil, in, ID(num(f[2])), Options{})
	case "savepoint":
		return m.Barrier(nil, in, ID(num(f[2])), Options{Kind: Savepoint, Stop: Drain})
	case "cancel":
		return m.Cancel(nil, in, ID(num(f[2])))
	case "end":
		return m.End(nil, in)
	}
	t.Fatalf("unknown event %v", f)
	return nil
}

// dumbAlign is the rules of A4 over the whole history, nothing kept up to date.
type dumbAlign struct {
	delivered map[ID]map[int]bool // by barrier
	triggered map[ID]bool
	ended     map[int]bool
	dead      map[ID]bool // snapshotted, cancelled, aborted after begin
	aborted   map[ID]bool // by the coordinator
	highest   ID          // seen in-band
	out       []string    // what goes downstream, in order
}

func newDumbAlign() *dumbAlign {
	return &dumbAlign{map[ID]map[int]bool{}, map[ID]bool{}, map[int]bool{}, map[ID]bool{}, map[ID]bool{}, 0, nil}
}

func (d *dumbAlign) begun(id ID) bool { return len(d.delivered[id]) > 0 || d.triggered[id] }

func (d *dumbAlign) cancel(id ID) {
	if !d.dead[id] {
		d.dead[id] = true
		d.out = append(d.out, fmt.Sprintf("cancel %d", id))
	}
}

// inBand takes that an id came by: every older one that is begun will never complete.
func (d *dumbAlign) inBand(id ID) (alive bool) {
	for old := ID(1); old < id; old++ {
		if d.begun(old) {
			d.cancel(old)
		}
		d.dead[old] = true
	}
	if d.aborted[id] && id > d.highest {
		d.cancel(id)
	}
	d.highest = max(d.highest, id)
	return !d.dead[id]
}

func (d *dumbAlign) settle(inputs int) {
	for id := ID(1); id <= d.highest; id++ {
		if d.dead[id] || !d.begun(id) {
			continue
		}
		all := true
		for i := range inputs {
			all = all && (d.ended[i] || d.delivered[id][i])
		}
		if all {
			d.dead[id] = true
			d.out = append(d.out, fmt.Sprintf("snapshot %d", id))
		}
	}
}

func (d *dumbAlign) blocked(i int) bool {
	for id, by := range d.delivered {
		if by[i] && !d.dead[id] && !d.ended[i] {
			return true
		}
	}
	return false
}

// inBandEvent is a barrier, a cancel marker or the end in an input's sequence.
type inBandEvent struct {
	kind string
	id   ID
}

func drawInputs(t *rapid.T, n int) [][]inBandEvent {
	queues := make([][]inBandEvent, n)
	for i := range queues {
		ended := false
		for id := ID(1); id <= 6; id++ {
			switch rapid.IntRange(0, 9).Draw(t, "element") {
			case 0:
				queues[i] = append(queues[i], inBandEvent{"cancel", id})
			case 1: // overtaken: nothing of this id comes
			case 2:
				if !ended { // barriers may still follow
					ended = true
					queues[i] = append(queues[i], inBandEvent{"end", 0})
				}
				fallthrough
			default:
				queues[i] = append(queues[i], inBandEvent{"barrier", id})
			}
		}
	}
	return queues
}

func TestAlignAgreesWithTheDumbOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 4).Draw(t, "inputs")
		queues := drawInputs(t, n)
		a, d := NewAlign(n, 8, None), newDumbAlign()
		var out []string
		for step := 0; ; step++ {
			var ready []int
			for i := range queues {
				if len(queues[i]) > 0 && !a.Blocked(i) {
					ready = append(ready, i)
				}
			}
			if len(ready) == 0 {
				break
			}
			var acts []TaskAction
			if rapid.IntRange(0, 7).Draw(t, "from coordinator") == 0 {
				id := ID(rapid.IntRange(1, 6).Draw(t, "abort"))
				acts = a.Abort(nil, id)
				d.aborted[id] = true
				if d.begun(id) && !d.dead[id] {
					d.cancel(id)
				}
			} else {
				i := ready[rapid.IntRange(0, len(ready)-1).Draw(t, "input")]
				e := queues[i][0]
				queues[i] = queues[i][1:]
				switch e.kind {
				case "barrier":
					acts = a.Barrier(nil, i, e.id, Options{})
					if d.inBand(e.id) {
						if d.delivered[e.id] == nil {
							d.delivered[e.id] = map[int]bool{}
						}
						d.delivered[e.id][i] = true
					}
				case "cancel":
					acts = a.Cancel(nil, i, e.id)
					if d.inBand(e.id) {
						d.cancel(e.id)
					}
				case "end":
					acts = a.End(nil, i)
					d.ended[i] = true
				}
			}
			d.settle(n)
			out = append(out, downstream(acts)...)
			if got, want := fmt.Sprint(out), fmt.Sprint(d.out); got != want {
				t.Fatalf("downstream gets %s, the dumb one sends %s", got, want)
			}
			for i := range n {
				if a.Blocked(i) != d.blocked(i) {
					t.Fatalf("input %d blocked: %v, the dumb one says %v", i, a.Blocked(i), d.blocked(i))
				}
			}
		}
		for i, q := range queues { // blocked for good only for a barrier that some input has really not delivered
			if len(q) > 0 && a.Aligning() == None {
				t.Fatalf("input %d is held, but nothing is being aligned", i)
			}
		}
	})
}

// downstream returns what actions send to the outputs.
func downstream(acts []TaskAction) (out []string) {
	for _, x := range acts {
		switch x.Kind {
		case Snapshot:
			out = append(out, fmt.Sprintf("snapshot %d", x.ID))
		case ForwardCancel:
			out = append(out, fmt.Sprintf("cancel %d", x.ID))
		}
	}
	return out
}

func TestAlignAllocatesNothing(t *testing.T) {
	a := NewAlign(8, 2, None)
	acts := make([]TaskAction, 0, 32)
	id := ID(0)
	if n := testing.AllocsPerRun(100, func() {
		id++
		for i := range 8 {
			acts = a.Barrier(acts[:0], i, id, Options{})
		}
		a.Abort(acts[:0], id+2)
	}); n != 0 {
		t.Errorf("%v allocations per checkpoint", n)
	}
}

func TestAlignMisusePanics(t *testing.T) {
	for name, f := range map[string]func(a *Align){
		"barrier on a blocked input":  func(a *Align) { a.Barrier(nil, 0, 1, Options{}); a.Barrier(nil, 0, 2, Options{}) },
		"two ends":                    func(a *Align) { a.End(nil, 0); a.End(nil, 0) },
		"cancel from a blocked input": func(a *Align) { a.Barrier(nil, 0, 1, Options{}); a.Cancel(nil, 0, 1) },
	} {
		func() {
			defer func() {
				if r := recover(); r == nil || !strings.HasPrefix(fmt.Sprint(r), "BUG: ") {
					t.Errorf("%s: %v", name, r)
				}
			}()
			f(NewAlign(2, 1, None))
		}()
	}
}

func BenchmarkAlign(b *testing.B) {
	a := NewAlign(8, 1, None)
	acts := make([]TaskAction, 0, 32)
	for n := range b.N {
		for i := range 8 {
			acts = a.Barrier(acts[:0], i, ID(n+1), Options{})
		}
	}
}
