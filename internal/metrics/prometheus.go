package metrics

import (
	"github.com/prometheus/client_golang/prometheus"
)

// exposition is what Prometheus is told of one metric; made once, when the metric is.
type exposition struct {
	desc   *prometheus.Desc
	values []string
}

// expose names a metric as Flink's reporter does: flink_<logical scope>_<name>, help "<name> (scope: <logical scope>)".
func expose(scope Scope, name string) exposition {
	names, values := scope.labels()
	logical := scope.logical()
	return exposition{
		desc:   prometheus.NewDesc("flink_"+logical+"_"+sanitize(name), name+" (scope: "+logical+")", names, nil),
		values: values,
	}
}

// quantiles are those of Flink's reporter.
var quantiles = []float64{0, 0.5, 0.75, 0.95, 0.98, 0.99, 0.999, 1}

// collector shows a registry to Prometheus' client library.
type collector struct{ registry *Registry }

// Describe implements prometheus.Collector; sending nothing says that the set of metrics changes.
func (collector) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector. Counters and rates are gauges, as with Flink's reporter.
func (c collector) Collect(out chan<- prometheus.Metric) {
	now := c.registry.now()
	c.registry.visit(func(_ Scope, m *metric) {
		if m.histogram == nil {
			out <- prometheus.MustNewConstMetric(m.exposed.desc, prometheus.GaugeValue, m.value(now), m.exposed.values...)
			return
		}
		d := m.histogram.Read()
		values := make(map[float64]float64, len(quantiles))
		for _, q := range quantiles {
			values[q] = d.Quantile(q)
		}
		out <- prometheus.MustNewConstSummary(m.exposed.desc, d.Count, d.Sum, values, m.exposed.values...)
	})
}
