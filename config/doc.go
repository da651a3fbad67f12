// Package config reads a job's and a process's configuration under Apache Flink's option keys.
//
// It owns: the options Flott knows (options.go: key, syntax, default, documentation), how values are written (durations, memory
// sizes, lists ...), where a value came from, and the judgement of a whole configuration at once: Set.Validate reports every unknown
// key with the nearest name, every JVM-only key with what replaces it, every bad value with file, line and column.
//
// It never acts on an option, opens no connection, starts no goroutine, and logs nothing: notices are returned.
//
// Anyone may import it; of this module it imports only internal/invariant.
package config
