package metrics

import (
	"slices"
	"sync"
	"time"

	"github.com/flottio/flott/internal/invariant"
)

// Registry holds the metrics of one process. It is safe for concurrent use; only making and closing groups takes its lock, never
// writing to a metric.
type Registry struct {
	now func() time.Time
	mu  struct {
		sync.Mutex
		groups []*Group // in the order in which they were made
	}
}

// New returns an empty registry; now is the clock for rates and for watermark lag.
func New(now func() time.Time) *Registry { return &Registry{now: now} }

// Group is the metrics of one scope. Make all of them when the subtask is set up: making one takes a lock.
type Group struct {
	registry *Registry
	scope    Scope
	metrics  []*metric // guarded by registry.mu
}

// metric is one named metric; exactly one of counter, gauge, read, histogram and rate is set.
type metric struct {
	name      string
	counter   *Counter
	gauge     *Gauge
	read      func() float64
	histogram *Histogram
	rate      *rate
	exposed   exposition
}

// Group makes an empty group for scope.
func (r *Registry) Group(scope Scope) *Group {
	g := &Group{registry: r, scope: scope}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mu.groups = append(r.mu.groups, g)
	return g
}

// Close takes the group out of its registry: at the end of an attempt, so that the next one is not counted beside it.
func (g *Group) Close() {
	g.registry.mu.Lock()
	defer g.registry.mu.Unlock()
	g.registry.mu.groups = slices.DeleteFunc(g.registry.mu.groups, func(other *Group) bool { return other == g })
}

// Scope returns what the group belongs to.
func (g *Group) Scope() Scope { return g.scope }

// Counter makes a counter.
func (g *Group) Counter(name string) *Counter {
	c := &Counter{}
	g.add(&metric{name: name, counter: c})
	return c
}

// Meter makes a counter, and beside it its rate under the name with PerSecond appended.
func (g *Group) Meter(name string) *Counter {
	c := g.Counter(name)
	g.Rate(name+PerSecond, c)
	return c
}

// Rate shows by how much c has grown per second over the last minute, without showing c itself.
func (g *Group) Rate(name string, c *Counter) {
	g.add(&metric{name: name, rate: newRate(c, g.registry.now())})
}

// Gauge makes a gauge.
func (g *Group) Gauge(name string) *Gauge {
	v := &Gauge{}
	g.add(&metric{name: name, gauge: v})
	return v
}

// Func makes a gauge that is computed when it is read, by the reader's goroutine: read must be safe for concurrent use and quick.
func (g *Group) Func(name string, read func() float64) {
	g.add(&metric{name: name, read: read})
}

// Histogram makes a histogram.
func (g *Group) Histogram(name string) *Histogram {
	h := &Histogram{}
	g.add(&metric{name: name, histogram: h})
	return h
}

func (g *Group) add(m *metric) {
	m.exposed = expose(g.scope, m.name)
	g.registry.mu.Lock()
	defer g.registry.mu.Unlock()
	for _, other := range g.metrics {
		if other.name == m.name {
			invariant.Bug("metric %s is made twice in one scope (%s %s)", m.name, g.scope.TaskName, g.scope.OperatorName)
		}
	}
	g.metrics = append(g.metrics, m)
}

// visit calls f for every metric, without holding the lock.
func (r *Registry) visit(f func(Scope, *metric)) {
	r.mu.Lock()
	groups := make([]Group, len(r.mu.groups))
	for i, g := range r.mu.groups {
		groups[i] = Group{scope: g.scope, metrics: g.metrics[:len(g.metrics):len(g.metrics)]}
	}
	r.mu.Unlock()
	for _, g := range groups {
		for _, m := range g.metrics {
			f(g.scope, m)
		}
	}
}

// value is the metric as one number; a histogram's is its count.
func (m *metric) value(now time.Time) float64 {
	switch {
	case m.counter != nil:
		return float64(m.counter.Value())
	case m.gauge != nil:
		return float64(m.gauge.Value())
	case m.read != nil:
		return m.read()
	case m.rate != nil:
		return m.rate.at(now)
	}
	return float64(m.histogram.Read().Count)
}
