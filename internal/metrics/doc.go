// Package metrics counts what tasks do and shows it: to Prometheus under Flink's metric names, and to the progress line.
//
// A metric has one writer, the goroutine that owns the task, and any number of readers. Writing is a plain store, meant to be done
// once a batch; reading never makes a writer wait.
//
// It owns: counters, gauges, histograms, the registry of scopes (process, job, task, operator), the names, the exposition over HTTP on the
// loopback interface. It never decides anything, keeps no history beyond what a rate needs, and starts no goroutine but in Server.Run.
//
// Anyone inside the engine may import it; it imports nothing of this module but internal/invariant.
package metrics
