package flott

import (
	"github.com/flottio/flott/internal/graph"
	"github.com/flottio/flott/internal/operator"
)

// sourceSpec is a source's part that is not per subtask, with the type taken off.
type sourceSpec struct {
	check      func() error
	bounded    bool
	enumerator func(EnumeratorContext, []byte) (Enumerator, error)
}

// sinkSpec is the same for a sink.
type sinkSpec struct {
	check     func() error
	recoverer Recoverer // nil: nothing to recover
	committer Committer // nil: nothing to commit
}

// From adds a source. The name is its uid. The watermark strategy is optional: without one the stream has no event time.
func From[T any](env *Env, name string, src Source[T], strategy ...WatermarkStrategy[T]) Stream[T] {
	var w *operator.WatermarkStrategy[T]
	if len(strategy) > 0 {
		w = &strategy[0].s
	}
	var n *node
	n = env.add("source", name, func() operator.Operator {
		return &sourceOperator[T]{source: src, strategy: w, drop: n.dropBadInput, dead: n.tagIndex(deadLetters)}
	})
	n.graph().Source = true
	n.graph().GivesEventTime = w != nil
	for _, x := range strategy {
		for _, p := range x.problems() {
			n.problem("source %q: %s", name, p)
		}
	}
	if len(strategy) > 1 {
		n.problem("source %q: %d watermark strategies: one is enough", name, len(strategy))
	}
	n.needs(src != nil, "From", "source")
	n.source = &sourceSpec{}
	if src != nil {
		n.source = &sourceSpec{check: src.Check, bounded: src.Bounded(), enumerator: src.NewEnumerator}
	}
	return Stream[T]{stream{node: n}}
}

// DeadLetters is the stream of input that the source behind s could not decode. To read it is to ask for it: without a reader
// such input fails the job, or is counted and dropped, as the configuration says.
func (s Stream[T]) DeadLetters() Stream[BadInput] {
	if s.node.source == nil {
		s.node.problem("DeadLetters: only a source has them")
	}
	return SideOutput(s, deadLetters)
}

// DropBadInput makes the source behind s count and drop input that it cannot decode, instead of failing the job.
func (s Stream[T]) DropBadInput() Stream[T] {
	if s.node.source == nil {
		s.node.problem("DropBadInput: only a source has undecodable input")
	}
	s.node.dropBadInput = true
	return s
}

var deadLetters = NewOutputTag[BadInput]("dead letters")

// BadInput is a dead letter: input that could not be decoded. What is not UTF-8 in its texts is replaced by U+FFFD; Raw is at most 64 KiB.
type BadInput struct {
	Source string `json:"source"`
	Split  string `json:"split"`
	Offset int64  `json:"offset"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
	Reason string `json:"reason"`
	Raw    string `json:"raw"`
}

// To ends the stream in a sink. The name is its uid.
func (s Stream[T]) To(name string, sink Sink[T]) SinkHandle {
	n := s.node.env.add("sink", name, func() operator.Operator { return newSinkOperator(sink) })
	n.connect(s, 0)
	n.graph().Sink = true
	n.graph().Stateful = true
	n.needs(sink != nil, "To", "sink")
	if sink == nil {
		return SinkHandle{n}
	}
	n.sink = &sinkSpec{check: sink.Check}
	n.sink.recoverer, _ = sink.(Recoverer)
	n.sink.committer, _ = sink.(Committer)
	return SinkHandle{n}
}

// SinkHandle sets properties of a sink.
type SinkHandle struct{ node *node }

// Parallelism sets the number of writers; 0 means the job's.
func (h SinkHandle) Parallelism(n int) SinkHandle {
	h.node.setParallelism(n)
	return h
}

// DisableChaining keeps the sink in a task of its own.
func (h SinkHandle) DisableChaining() SinkHandle {
	h.node.graph().Chaining = graph.Never
	return h
}
