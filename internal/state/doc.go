// Package state is the state of operators: keyed tables, the kinds built on them (value, list, map, reducing, aggregating, windowed),
// timers,
// operator state, and the snapshot file that holds all of it.
//
// Everything here is owned by one goroutine, the task: there are no locks. The only thing that may run elsewhere is Snapshot.Write,
// which reads
// frozen pages. Time is always passed in, never read. The package starts no goroutine, and touches no file: stores come from
// pebblestate, writers
// and readers from the caller.
//
// A hashmap backend is a Backend without a Store. A rocksdb backend is the same Backend with one: its tables are then a write-back
// cache of decoded
// values. Both write the same snapshot file.
//
// internal/operator, internal/task and the root package may import it.
package state
