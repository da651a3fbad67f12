package flott

import (
	"github.com/flottio/flott/internal/graph"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/record"
)

// BroadcastProcess gives the records of a keyed stream to one function and those of a second stream, all of them on every subtask,
// to another: rules, exchange rates, configuration. setup declares broadcast state, which only the second function may change, and
// keyed state and timers, which only the first may use.
func BroadcastProcess[K comparable, T, B, Out any](s KeyedStream[K, T], rules Stream[B], name string,
	setup func(k *KeyedContext[K, Out]) (onRecord func(v T) error, onBroadcast func(v B) error)) Stream[Out] {
	var n *node
	out := keyedThen[K, T, Out](s, "broadcastProcess", name, func() operator.Operator {
		return &keyedOperator[K, Out]{node: n, ports: func(k *KeyedContext[K, Out]) []port[K] {
			onRecord, onBroadcast := setup(k)
			return []port[K]{newPort(s, onRecord), &broadcastPort[K, B]{f: onBroadcast, scope: &k.states}}
		}}
	})
	n = out.node
	n.needs(setup != nil, "BroadcastProcess", "setup")
	n.connect(rules.with(graph.Broadcast, nil), 1)
	return out
}

// broadcastPort is the input of the broadcast stream: its records have no key.
type broadcastPort[K comparable, B any] struct {
	f     func(B) error
	scope *scope
}

func (p *broadcastPort[K, B]) init() error { return nil }

// Current implements operator.Describer: there are no keys.
func (p *broadcastPort[K, B]) Current() (any, bool) { return nil, false }

func (p *broadcastPort[K, B]) each(b record.Batch, o keyedInput[K]) error {
	in := b.(*record.Rows[B])
	times := in.Head.Times
	var none K
	o.begin(b, false)
	p.scope.writable = true
	defer func() { p.scope.writable = false }()
	for i := range in.Rows {
		t := int64(NoTime)
		if len(times) > 0 {
			t = times[i]
		}
		o.at(i, none, 0, t)
		if err := p.f(in.Rows[i]); err != nil {
			return err
		}
		if err := o.failed(); err != nil {
			return err
		}
	}
	in.Release()
	return nil
}
