package cli

import (
	"fmt"
	"io"
	"os"
	"sync"

	"golang.org/x/term"
)

// screen is standard error, and on a terminal the progress line at its bottom. What is written goes above the line. It is safe for
// concurrent use; it holds its lock while it writes.
type screen struct {
	out io.Writer

	mu struct {
		sync.Mutex
		line string // on the screen now; empty if none
		open bool   // what was written last has not ended its line
	}
}

// clearLine moves to the line's begin and erases it.
const clearLine = "\r\x1b[K"

// Write implements io.Writer.
func (s *screen) Write(b []byte) (int, error) { return s.writeTo(s.out, b) }

// writeTo writes to another writer that ends on the same screen.
func (s *screen) writeTo(w io.Writer, b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.line != "" && !s.mu.open {
		fmt.Fprint(s.out, clearLine)
	}
	n, err := w.Write(b)
	if len(b) > 0 {
		s.mu.open = b[len(b)-1] != '\n'
	}
	if s.mu.line != "" && !s.mu.open {
		fmt.Fprint(s.out, s.mu.line)
	}
	return n, err
}

// draw replaces the line; an empty one takes it away.
func (s *screen) draw(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.mu.open && (line != "" || s.mu.line != "") {
		fmt.Fprint(s.out, clearLine+line)
	}
	s.mu.line = line
}

// terminal is what standard error is, if it is one.
type terminal struct {
	// width is the number of columns now.
	width func() int
	// stdout is standard output if it ends on the same terminal, else nil.
	stdout *os.File
}

// findTerminal returns nil if stderr is no terminal that can draw.
func findTerminal(stdout, stderr *os.File, getenv func(string) string) *terminal {
	if !term.IsTerminal(int(stderr.Fd())) || getenv("TERM") == "dumb" {
		return nil
	}
	t := &terminal{width: func() int {
		width, _, err := term.GetSize(int(stderr.Fd()))
		if err != nil || width <= 0 {
			return defaultWidthChars
		}
		return width
	}}
	if term.IsTerminal(int(stdout.Fd())) {
		t.stdout = stdout
	}
	return t
}

const defaultWidthChars = 80

// captureStdout makes what the job prints go above the progress line: without it both would share a line. The function that it returns
// waits for what was printed and puts everything back.
func (s *screen) captureStdout(stdout *os.File) (release func(), err error) {
	if stdout == nil {
		return func() {}, nil
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("making a pipe for standard output: %w", err)
	}
	before := os.Stdout
	os.Stdout = w
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		io.Copy(writerFunc(func(b []byte) (int, error) { return s.writeTo(stdout, b) }), r)
	}()
	return func() {
		os.Stdout = before
		w.Close()
		<-copied
		r.Close()
	}, nil
}

// writerFunc is a function as io.Writer.
type writerFunc func([]byte) (int, error)

// Write implements io.Writer.
func (f writerFunc) Write(b []byte) (int, error) { return f(b) }
