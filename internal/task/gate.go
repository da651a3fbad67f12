package task

import (
	"github.com/flottio/flott/internal/network"
	"github.com/flottio/flott/internal/record"
)

// InputSpec is one input of a task: the receiving end of an edge from one subtask.
type InputSpec struct {
	// Port is the input of the head operator that the records go to: 0, or 1 for the second stream of a two-input operator.
	Port  int
	Queue *network.Queue
	// From names the sender, for errors.
	From string
}

// gate is all inputs of a task. It takes elements from the inputs that are not blocked, in turn. A blocked input is one that is not
// read: its queue fills and holds back the sender (A4.5). Nothing is buffered here.
type gate struct {
	inputs  []InputSpec
	blocked []bool
	ended   []bool
	next    int
	open    int // inputs that have not ended
}

func newGate(in []InputSpec) *gate {
	return &gate{inputs: in, blocked: make([]bool, len(in)), ended: make([]bool, len(in)), open: len(in)}
}

// take returns the next element and its input; ok is false when no input that may be read has one.
func (g *gate) take() (input int, e record.Element, ok bool) {
	n := len(g.inputs)
	for range n {
		i := g.next
		if g.next++; g.next == n {
			g.next = 0
		}
		if g.blocked[i] {
			continue
		}
		if e, ok := g.inputs[i].Queue.Pop(); ok {
			return i, e, true
		}
	}
	return 0, record.Element{}, false
}

func (g *gate) unblockAll() { clear(g.blocked) }
