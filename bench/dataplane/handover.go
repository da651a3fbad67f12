package main

import (
	"fmt"
	"reflect"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/flottio/flott/bench/measure"
	"github.com/flottio/flott/internal/network"
	"github.com/flottio/flott/internal/record"
)

// pipe takes elements from one goroutine to another. send waits while it is full, receive while it is empty.
type pipe interface {
	send(record.Element)
	receive() record.Element
}

// places is the number of elements that every pipe holds: that of network.Queue.
const places = 32

func pipes() map[string]func() pipe {
	return map[string]func() pipe{
		pipeNames[0]: newBuiltPipe,
		pipeNames[1]: func() pipe { return goPipe(make(chan record.Element, places)) },
		pipeNames[2]: newLockedPipe,
		pipeNames[3]: func() pipe { return newRing(false) },
		pipeNames[4]: func() pipe { return newRing(true) },
		pipeNames[5]: func() pipe { return goPipe(make(chan record.Element)) },
	}
}

var pipeNames = []string{
	"**ring, Waker (internal/network)**", "Go channel", "ring under a mutex, condition variables",
	"ring, signal tried on a Go channel at each element", "ring, waiting by runtime.Gosched", "Go channel without buffer",
}

// builtPipe is the queue as built with the tasks' way of sleeping: announce, look again, sleep.
type builtPipe struct {
	q                *network.Queue
	sender, receiver *network.Waker
}

func newBuiltPipe() pipe {
	p := &builtPipe{sender: network.NewWaker(), receiver: network.NewWaker()}
	p.q = network.NewQueue(p.sender, p.receiver, 0)
	return p
}

func (p *builtPipe) send(e record.Element) {
	for !p.q.Push(e) {
		p.sender.Prepare()
		if p.q.Push(e) {
			p.sender.Cancel()
			return
		}
		<-p.sender.C
	}
}

func (p *builtPipe) receive() record.Element {
	for {
		if e, ok := p.q.Pop(); ok {
			return e
		}
		p.receiver.Prepare()
		if e, ok := p.q.Pop(); ok {
			p.receiver.Cancel()
			return e
		}
		<-p.receiver.C
	}
}

type goPipe chan record.Element

func (p goPipe) send(e record.Element)   { p <- e }
func (p goPipe) receive() record.Element { return <-p }

// lockedPipe is a ring under a mutex.
type lockedPipe struct {
	mu struct {
		sync.Mutex
		ring       [places]record.Element
		head, tail uint64
	}
	notEmpty, notFull *sync.Cond
}

func newLockedPipe() pipe {
	p := &lockedPipe{}
	p.notEmpty, p.notFull = sync.NewCond(&p.mu), sync.NewCond(&p.mu)
	return p
}

func (p *lockedPipe) send(e record.Element) {
	p.mu.Lock()
	for p.mu.tail-p.mu.head == places {
		p.notFull.Wait()
	}
	p.mu.ring[p.mu.tail%places] = e
	p.mu.tail++
	p.mu.Unlock()
	p.notEmpty.Signal()
}

func (p *lockedPipe) receive() record.Element {
	p.mu.Lock()
	for p.mu.tail == p.mu.head {
		p.notEmpty.Wait()
	}
	e := p.mu.ring[p.mu.head%places]
	p.mu.head++
	p.mu.Unlock()
	p.notFull.Signal()
	return e
}

// ring is without a lock, and wakes without knowing whether somebody sleeps, or does not sleep at all.
type ring struct {
	ring     [places]record.Element
	_        [64]byte
	tail     atomic.Uint64
	_        [64]byte
	head     atomic.Uint64
	_        [64]byte
	spin     bool
	notEmpty chan struct{}
	notFull  chan struct{}
}

func newRing(spin bool) pipe {
	return &ring{spin: spin, notEmpty: make(chan struct{}, 1), notFull: make(chan struct{}, 1)}
}

func (p *ring) send(e record.Element) {
	t := p.tail.Load()
	for t-p.head.Load() == places {
		p.wait(p.notFull)
	}
	p.ring[t%places] = e
	p.tail.Store(t + 1)
	p.wake(p.notEmpty)
}

func (p *ring) receive() record.Element {
	h := p.head.Load()
	for p.tail.Load() == h {
		p.wait(p.notEmpty)
	}
	e := p.ring[h%places]
	p.head.Store(h + 1)
	p.wake(p.notFull)
	return e
}

func (p *ring) wait(c chan struct{}) {
	if p.spin {
		runtime.Gosched()
		return
	}
	<-c
}

func (p *ring) wake(c chan struct{}) {
	if p.spin {
		return
	}
	select {
	case c <- struct{}{}:
	default:
	}
}

// handoverCases send one batch again and again, so that only the hand-over is measured; then with work on both sides.
func handoverCases() []measure.Case {
	var all []measure.Case
	for _, work := range []int{0, 512} {
		for i, name := range pipeNames {
			if work > 0 {
				name += fmt.Sprintf("; %d records of work on each side", work)
			}
			all = append(all, measure.Case{Name: name, Run: func(n int) { handOver(pipes()[pipeNames[i]](), n, work) }})
		}
	}
	return append(all,
		measure.Case{Name: "**4 inputs: rings with one Waker**", Run: handOverRings},
		measure.Case{Name: "4 inputs: select over Go channels", Run: handOverSelect},
		measure.Case{Name: "4 inputs: reflect.Select, as their number is known at run time only", Run: handOverReflect},
	)
}

// batchElement is an element with a batch of one record.
func batchElement() record.Element {
	b := record.NewRows[int64]()
	b.Rows = append(b.Rows, 1)
	return record.Element{Kind: record.KindBatch, Batch: b}
}

// sendInTurn sends n elements to the four inputs of one receiver.
func sendInTurn(n int, send func(input int, e record.Element)) *sync.WaitGroup {
	var sender sync.WaitGroup
	e := batchElement()
	sender.Go(func() {
		for i := range n {
			send(i%4, e)
		}
	})
	return &sender
}

func handOverRings(n int) {
	receiver := network.NewWaker()
	var inputs [4]builtPipe
	for i := range inputs {
		inputs[i] = builtPipe{sender: network.NewWaker(), receiver: receiver}
		inputs[i].q = network.NewQueue(inputs[i].sender, receiver, 0)
	}
	sender := sendInTurn(n, func(i int, e record.Element) { inputs[i].send(e) })
	from := 0
	take := func() bool {
		for range inputs {
			from = (from + 1) % len(inputs)
			if _, ok := inputs[from].q.Pop(); ok {
				n--
				return true
			}
		}
		return false
	}
	for n > 0 {
		if take() {
			continue
		}
		receiver.Prepare()
		if take() {
			receiver.Cancel()
			continue
		}
		<-receiver.C
	}
	sender.Wait()
}

func goChannels() (c [4]chan record.Element) {
	for i := range c {
		c[i] = make(chan record.Element, places)
	}
	return c
}

func handOverSelect(n int) {
	c := goChannels()
	sender := sendInTurn(n, func(i int, e record.Element) { c[i] <- e })
	for range n {
		select {
		case <-c[0]:
		case <-c[1]:
		case <-c[2]:
		case <-c[3]:
		}
	}
	sender.Wait()
}

func handOverReflect(n int) {
	c := goChannels()
	sender := sendInTurn(n, func(i int, e record.Element) { c[i] <- e })
	var cases []reflect.SelectCase
	for i := range c {
		cases = append(cases, reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(c[i])})
	}
	for range n {
		reflect.Select(cases)
	}
	sender.Wait()
}

func handOver(p pipe, n, work int) {
	e := batchElement()
	var all sync.WaitGroup
	all.Go(func() {
		for range n {
			labour(work)
			p.send(e)
		}
	})
	for range n {
		p.receive()
		labour(work)
	}
	all.Wait()
}

// labour takes the time that a short chain takes for so many records.
func labour(records int) int64 {
	s := int64(0)
	for i := range records {
		if c := triple(clicks[i]); odd(c) {
			s += score(c)
		}
	}
	return s
}

// printWakeups measures the time from a send until a receiver that sleeps has the element.
func printWakeups(rounds int) {
	fmt.Printf("\n| wake-up of a sleeping receiver | there and back at once, ns | after 200 µs of silence: p50 µs | p99 µs |\n|---|--:|--:|--:|\n")
	type samples struct{ busy, idle []float64 }
	all := map[string]*samples{}
	for range rounds {
		for _, name := range pipeNames {
			if all[name] == nil {
				all[name] = &samples{}
			}
			s := all[name]
			s.busy = append(s.busy, pingPong(pipes()[name], 5000))
			s.idle = append(s.idle, wakeAfterSilence(pipes()[name](), 200)...)
		}
	}
	for _, name := range pipeNames {
		s := all[name]
		fmt.Printf("| %s | %.0f | %.1f | %.1f |\n", name, measure.Median(s.busy),
			measure.Quantile(s.idle, 0.5)/1000, measure.Quantile(s.idle, 0.99)/1000)
	}
}

// pingPong returns the nanoseconds of a round trip between two goroutines that both sleep in between.
func pingPong(newPipe func() pipe, n int) float64 {
	there, back := newPipe(), newPipe()
	e := record.Element{Kind: record.KindWatermark}
	var all sync.WaitGroup
	all.Go(func() {
		for range n {
			there.receive()
			back.send(e)
		}
	})
	start := time.Now()
	for range n {
		there.send(e)
		back.receive()
	}
	spent := time.Since(start)
	all.Wait()
	return float64(spent.Nanoseconds()) / float64(n)
}

func wakeAfterSilence(p pipe, n int) []float64 {
	start := time.Now()
	var late []float64
	var all sync.WaitGroup
	all.Go(func() {
		for range n {
			e := p.receive()
			late = append(late, float64(int64(time.Since(start))-e.Time))
		}
	})
	for range n {
		time.Sleep(200 * time.Microsecond)
		p.send(record.Element{Kind: record.KindWatermark, Time: int64(time.Since(start))})
	}
	all.Wait()
	return late
}
