package checkpoint

import (
	"testing"

	"pgregory.net/rapid"
)

// The promise of at-least-once: a snapshot of n is taken only when every input has delivered n or ended, ids go up, nobody is
// blocked, and a checkpoint that every input delivers, with none given up, is taken.
func TestTrackKeepsItsPromise(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 4).Draw(t, "inputs")
		queues := drawInputs(t, n)
		tr := NewTrack(n, None)
		delivered, ended, given, cancelled := map[ID]map[int]bool{}, map[int]bool{}, map[ID]bool{}, map[ID]bool{}
		var last ID
		taken := map[ID]bool{}
		left := 0
		for _, q := range queues {
			left += len(q)
		}
		for ; left > 0; left-- {
			i := rapid.IntRange(0, n-1).Draw(t, "input")
			for len(queues[i]) == 0 {
				i = (i + 1) % n
			}
			e := queues[i][0]
			queues[i] = queues[i][1:]
			var acts []TaskAction
			switch e.kind {
			case "barrier":
				if delivered[e.id] == nil {
					delivered[e.id] = map[int]bool{}
				}
				delivered[e.id][i] = true
				acts = tr.Barrier(nil, i, e.id, Options{})
			case "cancel":
				cancelled[e.id] = true
				acts = tr.Cancel(nil, i, e.id)
			case "end":
				ended[i] = true
				acts = tr.End(nil, i)
			}
			for _, a := range acts {
				switch a.Kind {
				case Snapshot:
					if a.ID <= last {
						t.Fatalf("snapshot %d after %d", a.ID, last)
					}
					for i := range n {
						if !ended[i] && !delivered[a.ID][i] {
							t.Fatalf("snapshot %d before input %d has delivered it", a.ID, i)
						}
					}
					last, taken[a.ID] = a.ID, true
				case ForwardCancel:
					if given[a.ID] || taken[a.ID] {
						t.Fatalf("cancel marker %d after another or after its snapshot", a.ID)
					}
					given[a.ID] = true
				case Block, UnblockAll:
					t.Fatalf("at-least-once has asked for %v", a)
				}
			}
		}
		for id, by := range delivered {
			whole := !cancelled[id]
			for i := range n {
				whole = whole && (ended[i] || by[i])
			}
			if whole && !taken[id] && id > last {
				t.Fatalf("checkpoint %d was delivered by all but never taken (last %d)", id, last)
			}
		}
	})
}

func TestTrackIsBounded(t *testing.T) {
	tr := NewTrack(2, None)
	for id := ID(1); id <= 10*maxTrackedIDs; id++ {
		tr.Barrier(nil, 0, id, Options{})
		if len(tr.pending) > maxTrackedIDs {
			t.Fatalf("%d ids pending", len(tr.pending))
		}
	}
	if a := tr.Barrier(nil, 1, 10*maxTrackedIDs-maxTrackedIDs, Options{}); len(a) != 1 || a[0].Kind != Drop {
		t.Errorf("a barrier of an id that was pushed out gives %v, want it dropped", a)
	}
	if a := tr.Barrier(nil, 1, 10*maxTrackedIDs-maxTrackedIDs+1, Options{}); len(a) != 1 || a[0].Kind != Snapshot {
		t.Errorf("a barrier of the oldest pending id gives %v, want its snapshot", a)
	}
}

func TestTrackAllocatesNothingWhenWarm(t *testing.T) {
	tr := NewTrack(100, None)
	acts := make([]TaskAction, 0, 8)
	id := ID(0)
	round := func() {
		id++
		for i := range 100 {
			acts = tr.Barrier(acts[:0], i, id, Options{})
		}
	}
	round()
	if n := testing.AllocsPerRun(100, round); n != 0 {
		t.Errorf("%v allocations per checkpoint", n)
	}
}
