package task

import (
	"sync"
	"sync/atomic"

	"github.com/flottio/flott/internal/network"
)

// maxMail bounds the letters waiting in one mailbox: barriers, completions, splits, results of work done elsewhere. Each of their senders
// has at most a few under way, so that a full mailbox is a bug, not load.
const maxMail = 1 << 16

// mailbox brings calls of other goroutines onto the task's goroutine, in order. The task looks at one atomic flag per step.
type mailbox struct {
	waiting atomic.Bool
	waker   *network.Waker
	mu      struct {
		sync.Mutex
		letters []func() error
		closed  bool
	}
}

// post has f called on the task's goroutine. It reports false when the task has ended. Any goroutine may call it.
func (m *mailbox) post(f func() error) bool {
	m.mu.Lock()
	if m.mu.closed || len(m.mu.letters) >= maxMail {
		m.mu.Unlock()
		return false
	}
	m.mu.letters = append(m.mu.letters, f)
	m.waiting.Store(true)
	m.mu.Unlock()
	m.waker.Wake()
	return true
}

// take empties the mailbox.
func (m *mailbox) take() []func() error {
	if !m.waiting.Load() {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	l := m.mu.letters
	m.mu.letters = nil
	m.waiting.Store(false)
	return l
}

// close refuses further letters and drops those waiting.
func (m *mailbox) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mu.closed = true
	m.mu.letters = nil
}
