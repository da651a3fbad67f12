//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// aim is a moment to kill at: delay after the count-th event that matches, or after the start if match is nil.
type aim struct {
	name  string
	match func(path string, mask uint32) bool
	count int
	delay time.Duration
}

// moments are the kinds of moments, and what the delay is drawn from.
var moments = []struct {
	name               string
	match              func(path string, mask uint32) bool
	minDelay, maxDelay time.Duration
}{
	{"anytime", nil, 50 * time.Millisecond, 700 * time.Millisecond},
	{"restoring", nil, 5 * time.Millisecond, 50 * time.Millisecond},
	{"checkpoint-begun", func(path string, mask uint32) bool {
		return mask&unix.IN_CREATE != 0 && mask&unix.IN_ISDIR != 0 && strings.HasPrefix(filepath.Base(path), "chk-")
	}, 0, 3 * time.Millisecond},
	{"state-written", func(path string, mask uint32) bool {
		return strings.Contains(path, "/chk-") && mask&unix.IN_ISDIR == 0 && filepath.Base(path) != "_metadata"
	}, 0, time.Millisecond},
	{"checkpoint-complete", func(path string, mask uint32) bool {
		return filepath.Base(path) == "_metadata" && mask&unix.IN_DELETE == 0
	},
		0, 2 * time.Millisecond},
	{"committing", func(path string, mask uint32) bool {
		return mask&unix.IN_MOVED_TO != 0 && strings.HasPrefix(filepath.Base(path), "part-")
	}, 0, time.Millisecond},
}

func (c *campaign) aim() aim {
	a := moments[c.rng.IntN(len(moments))]
	return aim{a.name, a.match, 1 + c.rng.IntN(4), a.minDelay + time.Duration(c.rng.Int64N(int64(a.maxDelay-a.minDelay)))}
}

// wait returns at the moment, after aimMaxMs, or when stop is closed.
func (a aim) wait(w *watcher, stop <-chan struct{}) {
	limit := time.After(aimMaxMs * time.Millisecond)
	for n := 0; a.match != nil && n < a.count; {
		select {
		case e := <-w.events:
			if a.match(e.path, e.mask) {
				n++
			}
		case <-limit:
			return
		case <-stop:
			return
		}
	}
	select {
	case <-time.After(a.delay):
	case <-stop:
	}
}

// watcher reports what happens to files below a directory, as far as it gets to know new directories in time.
type watcher struct {
	file   *os.File
	fd     int
	events chan fileEvent
	done   sync.WaitGroup
	stop   chan struct{}
	dirs   map[int32]string // by watch descriptor; of the goroutine once it runs
}

type fileEvent struct {
	path string
	mask uint32
}

func watch(dir string) (*watcher, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, err
	}
	w := &watcher{file: os.NewFile(uintptr(fd), "inotify"), fd: fd, events: make(chan fileEvent, 4096), stop: make(chan struct{}),
		dirs: map[int32]string{}}
	err = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			w.add(path)
		}
		return nil // it may be gone again
	})
	w.done.Go(w.read)
	return w, err
}

func (w *watcher) add(dir string) {
	wd, err := unix.InotifyAddWatch(w.fd, dir, unix.IN_CREATE|unix.IN_MOVED_TO|unix.IN_CLOSE_WRITE|unix.IN_DELETE|unix.IN_ONLYDIR)
	if err == nil {
		w.dirs[int32(wd)] = dir
	}
}

// read ends when the file is closed.
func (w *watcher) read() {
	buf := make([]byte, 64<<10)
	for {
		n, err := w.file.Read(buf)
		if err != nil {
			return
		}
		for at := 0; at+unix.SizeofInotifyEvent <= n; {
			e := (*unix.InotifyEvent)(unsafe.Pointer(&buf[at]))
			name := strings.TrimRight(string(buf[at+unix.SizeofInotifyEvent:at+unix.SizeofInotifyEvent+int(e.Len)]), "\x00")
			at += unix.SizeofInotifyEvent + int(e.Len)
			path := filepath.Join(w.dirs[e.Wd], name)
			if e.Mask&unix.IN_ISDIR != 0 && e.Mask&(unix.IN_CREATE|unix.IN_MOVED_TO) != 0 {
				w.add(path)
			}
			select {
			case w.events <- fileEvent{path, e.Mask}:
			case <-w.stop:
				return
			}
		}
	}
}

func (w *watcher) close() {
	close(w.stop)
	_ = w.file.Close() // ends read
	w.done.Wait()
}
