package jobmanager

import (
	"testing"
	"time"
)

// A job is up from when it runs until it does not, then down until it runs again, and neither once it is over.
func TestSnapshotTimes(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var s Snapshot
	for i, c := range []struct {
		status   Status
		up, down int // second of, -1 none
	}{
		{StatusRestoring, -1, -1}, {StatusRunning, 1, -1}, {StatusStopping, 1, -1}, {StatusFailing, -1, 3}, {StatusRestarting, -1, 3},
		{StatusRestoring, -1, 3}, {StatusRunning, 6, -1}, {StatusFinishing, 6, -1}, {StatusFinished, -1, -1},
	} {
		next := Snapshot{Status: c.status}
		next.times(&s, start.Add(time.Duration(i)*time.Second))
		s = next
		for _, x := range []struct {
			name string
			got  time.Time
			want int
		}{{"up", s.RunningSince, c.up}, {"down", s.DownSince, c.down}} {
			want := time.Time{}
			if x.want >= 0 {
				want = start.Add(time.Duration(x.want) * time.Second)
			}
			if !x.got.Equal(want) {
				t.Errorf("second %d, %v: %s since %v, want %v", i, c.status, x.name, x.got, want)
			}
		}
	}
}
