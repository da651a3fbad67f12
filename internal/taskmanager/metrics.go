package taskmanager

import (
	"strconv"

	"github.com/flottio/flott/internal/graph"
	"github.com/flottio/flott/internal/metrics"
	"github.com/flottio/flott/internal/task"
)

// Register makes the attempt's metrics visible in a registry, until the function it returns is called.
func (a *Attempt) Register(r *metrics.Registry, number int) (unregister func()) {
	var groups []*metrics.Group
	for _, t := range a.Tasks {
		chain, subtask, name := t.Place()
		scope := metrics.Scope{
			Level: metrics.TaskLevel, Host: "localhost", TaskManagerID: "local", JobID: a.job.ID, JobName: a.job.Name,
			TaskID: strconv.Itoa(chain), TaskName: name, Subtask: subtask, AttemptID: a.ID, Attempt: number - 1,
		}
		g := r.Group(scope)
		registerTask(g, t)
		groups = append(groups, g)
		for i, x := range t.Gauges() {
			n := &a.job.Graph.Nodes[a.job.Plan.Chains[chain].Members[i].Node]
			s := scope
			s.Level, s.OperatorID, s.OperatorName, s.Role = metrics.OperatorLevel, x.UID, x.Name, role(n)
			g := r.Group(s)
			registerOperator(g, x, n)
			groups = append(groups, g)
		}
	}
	return func() {
		for _, g := range groups {
			g.Close()
		}
	}
}

func role(n *graph.Node) metrics.Role {
	switch {
	case n.Source:
		return metrics.SourceRole
	case n.Sink:
		return metrics.SinkRole
	}
	return metrics.InnerRole
}

func registerTask(g *metrics.Group, t *task.Task) {
	b := t.Busy()
	g.Func(metrics.IsBackPressured, func() float64 {
		if task.Status(b.Waiting.Load()) == task.WaitOutput {
			return 1
		}
		return 0
	})
	g.Func(metrics.IdleTimeMs, func() float64 { return float64(b.Idle.Load() / 1000) })
	g.Func(metrics.BackPressuredTimeMs, func() float64 { return float64(b.Backpressured.Load() / 1000) })
}

func registerOperator(g *metrics.Group, x *task.Gauges, n *graph.Node) {
	c := x.Counters
	g.Func(metrics.NumRecordsIn, func() float64 { return float64(c.In.Load()) })
	g.Func(metrics.NumRecordsOut, func() float64 { return float64(c.Out.Load()) })
	g.Func(metrics.NumLateRecordsDropped, func() float64 { return float64(c.Late.Load()) })
	g.Func(metrics.NumDeadLetters, func() float64 { return float64(c.DeadLetters.Load()) })
	if n.Source {
		g.Func(metrics.NumRecordsDropped, func() float64 { return float64(c.Dropped.Load()) })
		g.Func(metrics.InputBytesRead, func() float64 { return float64(x.Done.Load()) })
		g.Func(metrics.InputBytesTotal, func() float64 { return float64(x.Total.Load()) })
	}
	g.Func(metrics.CurrentInputWatermark, func() float64 { return float64(x.In.Load()) })
	g.Func(metrics.CurrentOutputWatermark, func() float64 { return float64(x.Out.Load()) })
}
