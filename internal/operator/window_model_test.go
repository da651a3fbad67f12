package operator

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/flottio/flott/internal/state"
	"github.com/flottio/flott/internal/state/pebblestate"
)

var windowSeed = flag.Uint64("window.seed", 0, "run only this seed of TestWindowsAgainstReference")

func ms(n int64) time.Duration { return time.Duration(n) * time.Millisecond }

// TestWindowsAgainstReference runs random jobs, with records out of order and late, snapshots and restores at other parallelism at any step,
// and compares every step's results with a model that does everything the simplest way.
func TestWindowsAgainstReference(t *testing.T) {
	if *windowSeed != 0 {
		compareWithReference(t, *windowSeed, false)
		compareWithReference(t, *windowSeed, true)
		return
	}
	seeds := map[bool]uint64{false: 400, true: 60}
	if testing.Short() {
		seeds = map[bool]uint64{false: 60, true: 10}
	}
	for _, disk := range []bool{false, true} {
		for seed := uint64(1); seed <= seeds[disk]; seed++ {
			if !t.Run(fmt.Sprintf("disk=%v/seed=%d", disk, seed), func(t *testing.T) { compareWithReference(t, seed, disk) }) {
				t.Fatalf("again with: go test ./internal/operator -run TestWindowsAgainstReference -window.seed %d", seed)
			}
		}
	}
}

// memoryStore is the store of the rocksdb backend, on a disk in memory.
func memoryStore() state.Store {
	s, err := pebblestate.OpenWith("store", pebblestate.Options{FS: vfs.NewMem()})
	if err != nil {
		panic(err)
	}
	return s
}

func storeIf(disk bool) func() state.Store {
	if disk {
		return memoryStore
	}
	return nil
}

func randomWindows(rng *rand.Rand) (Windows, int64) {
	pick := func(from ...int64) int64 { return from[rng.IntN(len(from))] }
	lateness := pick(0, 0, 1, 7, 30)
	size := pick(1, 5, 10, 12, 60)
	switch rng.IntN(4) {
	case 0:
		w := Windows{Kind: WindowTumbling, Size: ms(size), Slide: ms(size)}
		w.Offset = ms(rng.Int64N(2*size-1) - size + 1)
		return w, lateness
	case 1:
		return Windows{Kind: WindowSession, Gap: ms(pick(1, 3, 10, 25))}, lateness
	}
	w := Windows{Kind: WindowSliding, Size: ms(size), Slide: ms(pick(1, 2, 3, 4, 5, 8, 20))}
	w.Offset = ms(rng.Int64N(2*w.Slide.Milliseconds()-1) - w.Slide.Milliseconds() + 1)
	return w, lateness
}

// compareWithReference: with disk the subtasks keep next to nothing in memory, and change the backend at every other restore.
func compareWithReference(t *testing.T, seed uint64, disk bool) {
	rng := rand.New(rand.NewPCG(seed, 7))
	w, lateness := randomWindows(rng)
	plans := []func(Windows, int64, int) func() Operator{sumsPlan, listPlan, reducePlan}
	flavour := rng.IntN(len(plans))
	r := newRigOn(t, 1+rng.IntN(3), plans[flavour](w, lateness, 1), storeIf(disk))
	ref := newReference(w, lateness)
	keys, clock, disorder := 1+rng.IntN(8), rng.Int64N(400)-300, 1+rng.Int64N(40)
	desc := fmt.Sprintf("seed %d: %+v lateness %d function %d", seed, w, lateness, flavour)
	for step := range 60 {
		what := ""
		switch rng.IntN(8) {
		case 0:
			p := 1 + rng.IntN(4)
			what = fmt.Sprint("restore ", p)
			if disk {
				r.store = storeIf(rng.IntN(2) == 0)
			}
			r.restore(p)
		case 1, 2:
			clock += rng.Int64N(30)
			wm := max(ref.wm, clock-rng.Int64N(disorder+1))
			what = fmt.Sprint("watermark ", wm)
			ref.advance(wm)
			compareStep(t, desc, step, what, r.advance(wm), ref.take())
			continue
		default:
			clock += rng.Int64N(8)
			var rows []reading
			for range rng.IntN(30) {
				at := clock - rng.Int64N(disorder)
				if rng.IntN(10) == 0 {
					at -= rng.Int64N(200)
				}
				rows = append(rows, reading{strconv.Itoa(rng.IntN(keys)), at, rng.Int64N(100)})
			}
			what = fmt.Sprint("batch ", rows)
			for _, v := range rows {
				ref.add(v)
			}
			compareStep(t, desc, step, what, r.send(rows...), ref.take())
		}
		compareStep(t, desc, step, what+" (late)", r.takeLate(), ref.takeLate())
	}
	ref.advance(1 << 40)
	compareStep(t, desc, 60, "end", r.advance(1<<40), ref.take())
	if got := int(r.drops.Dropped.Load()); got != ref.dropped {
		t.Fatalf("%s: dropped %d, want %d", desc, got, ref.dropped)
	}
}

// compareStep compares results as sets: keys have no order among each other. Per key they must be equal in order.
func compareStep(t *testing.T, desc string, step int, what string, got, want []string) {
	t.Helper()
	byKey := func(list []string) []string {
		list = slices.Clone(list)
		slices.SortStableFunc(list, func(a, b string) int {
			x, _, _ := strings.Cut(a, " ")
			y, _, _ := strings.Cut(b, " ")
			return strings.Compare(x, y)
		})
		return list
	}
	if g, w := byKey(got), byKey(want); !slices.Equal(g, w) {
		t.Fatalf("%s\nstep %d: %s\ngot\n  %s\nwant\n  %s", desc, step, what, strings.Join(g, "\n  "), strings.Join(w, "\n  "))
	}
}
