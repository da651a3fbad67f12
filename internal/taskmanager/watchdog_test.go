package taskmanager

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Nothing is said before the cancellation; afterwards a warning at every interval, and at the timeout the word that gives the job up, once.
func TestWatchdog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said bytes.Buffer
		stuck := make(chan error, 4)
		w := &watchdog{interval: 10 * time.Second, timeout: 35 * time.Second, log: slog.New(slog.NewTextHandler(&said, nil)),
			stuck: func(err error) { stuck <- err }}
		cancelled, ended, release, gone := make(chan struct{}), make(chan struct{}), make(chan struct{}), make(chan struct{})
		go func() {
			defer close(gone)
			defer w.enter(`task "map"`)()
			<-release
		}()
		watched := make(chan struct{})
		go func() {
			defer close(watched)
			w.watch(cancelled, ended)
		}()
		time.Sleep(time.Hour) //lint:ignore sleep the clock is synctest's
		synctest.Wait()
		if said.Len() > 0 || w.waiting() != nil {
			t.Fatalf("said before the cancellation: %s", &said)
		}
		close(cancelled)
		synctest.Wait()
		time.Sleep(34 * time.Second) //lint:ignore sleep the clock is synctest's
		synctest.Wait()
		if n := strings.Count(said.String(), `task \"map\"`); n != 3 || !strings.Contains(said.String(), "TestWatchdog") {
			t.Errorf("%d warnings, want 3 with the stack:\n%s", n, &said)
		}
		if got := w.waiting(); len(got) != 1 || got[0] != `task "map"` {
			t.Errorf("waiting for %q", got)
		}
		if len(stuck) != 0 {
			t.Errorf("given up too early: %v", <-stuck)
		}
		time.Sleep(time.Minute) //lint:ignore sleep the clock is synctest's
		synctest.Wait()
		if len(stuck) != 1 {
			t.Fatalf("given up %d times, want once", len(stuck))
		}
		if err := <-stuck; !strings.Contains(err.Error(), "watchdog_test.go") {
			t.Errorf("the stack is not told: %v", err)
		}
		close(release)
		<-gone
		if w.waiting() != nil {
			t.Errorf("waiting for %q after its end", w.waiting())
		}
		close(ended)
		<-watched
	})
}
