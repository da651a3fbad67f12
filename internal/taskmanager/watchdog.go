package taskmanager

import (
	"bytes"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// watchdog watches the goroutines of an attempt that was cancelled (A17.4). Go cannot end a goroutine from outside: a function of the user that
// never returns keeps its attempt, and with it the job, for good. So it is named again and again, and in the end the job is given up.
type watchdog struct {
	interval time.Duration // between two warnings; 0: none
	timeout  time.Duration // after which the job is given up; 0: never
	log      *slog.Logger
	// stuck is called once, when the timeout has passed.
	stuck func(error)

	mu struct {
		sync.Mutex
		running   map[int64]string // what each goroutine does, by its number
		cancelled time.Time        // zero before
	}
}

// StuckError says that functions of the user have not returned although their attempt was cancelled.
type StuckError struct {
	Waited time.Duration
	// Running says what has not ended, with stacks.
	Running []string
}

// Error implements error.
func (e *StuckError) Error() string {
	return fmt.Sprintf("cancelled %v ago (task.cancellation.timeout), and still running: %s\nGo cannot end a goroutine from outside, so that only "+
		"the process can end. Let the function that is named return when its context is done, give calls to the outside a timeout, or raise "+
		"task.cancellation.timeout (0 waits for ever)", e.Waited, strings.Join(e.Running, "\n"))
}

// enter notes that the calling goroutine begins to do something; the function that it returns notes the end.
func (w *watchdog) enter(what string) (leave func()) {
	id := goroutineID()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.mu.running == nil {
		w.mu.running = map[int64]string{}
	}
	w.mu.running[id] = what
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.mu.running, id)
	}
}

// waiting says what of a cancelled attempt still runs; nothing before.
func (w *watchdog) waiting() (what []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.mu.cancelled.IsZero() {
		return nil
	}
	for _, x := range w.mu.running {
		what = append(what, x)
	}
	slices.Sort(what)
	return what
}

// watch runs from the cancellation to the end of the attempt.
func (w *watchdog) watch(cancelled, ended <-chan struct{}) {
	select {
	case <-cancelled:
	case <-ended:
		return
	}
	begun := time.Now()
	w.mu.Lock()
	w.mu.cancelled = begun
	w.mu.Unlock()
	var warn, giveUp <-chan time.Time
	if w.interval > 0 {
		t := time.NewTicker(w.interval)
		defer t.Stop()
		warn = t.C
	}
	if w.timeout > 0 {
		t := time.NewTimer(w.timeout)
		defer t.Stop()
		giveUp = t.C
	}
	for {
		select {
		case <-warn:
			for _, s := range w.stacks() {
				w.log.Warn("still running although the attempt was cancelled", "waited", time.Since(begun).Round(time.Millisecond), "what", s.what,
					"stack", s.stack)
			}
		case <-giveUp:
			e := &StuckError{Waited: w.timeout}
			for _, s := range w.stacks() {
				e.Running = append(e.Running, s.what+"\n"+s.stack)
			}
			w.stuck(e)
			giveUp = nil
		case <-ended:
			return
		}
	}
}

// stackOf is what a goroutine does, and where it is.
type stackOf struct{ what, stack string }

// allStacksMaxBytes bounds the stacks of all goroutines, stackMaxBytes the one that is shown.
const (
	allStacksMaxBytes = 16 << 20
	stackMaxBytes     = 8 << 10
)

// stacks returns what still runs, with stacks.
func (w *watchdog) stacks() (all []stackOf) {
	buf := make([]byte, 64<<10)
	n := runtime.Stack(buf, true)
	for n == len(buf) && n < allStacksMaxBytes {
		buf = make([]byte, 2*n)
		n = runtime.Stack(buf, true)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range strings.Split(string(buf[:n]), "\n\n") {
		if what, ours := w.mu.running[numberOf([]byte(s))]; ours {
			all = append(all, stackOf{what, s[:min(len(s), stackMaxBytes)]})
		}
	}
	slices.SortFunc(all, func(a, b stackOf) int { return strings.Compare(a.what, b.what) })
	return all
}

// goroutineID is the number that the calling goroutine has in stacks.
func goroutineID() int64 {
	var buf [64]byte
	return numberOf(buf[:runtime.Stack(buf[:], false)])
}

// numberOf reads "goroutine 7 [running]: ...".
func numberOf(stack []byte) int64 {
	rest, _ := bytes.CutPrefix(stack, []byte("goroutine "))
	number, _, _ := bytes.Cut(rest, []byte(" "))
	id, err := strconv.ParseInt(string(number), 10, 64)
	if err != nil {
		return -1
	}
	return id
}
