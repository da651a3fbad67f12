// Package checkpoint is the snapshot protocol of Flott: how a running job is cut into a consistent whole that survives every
// failure, and how it goes on from one.
//
// It owns five machines and one format, all of them pure:
//
//	align.go        a subtask with several inputs: when has every input delivered barrier n?      (EXACTLY_ONCE)
//	track.go        the same without waiting                                                      (AT_LEAST_ONCE)
//	coordinator.go  a job: when does a checkpoint begin, when is it complete, when is it given up?
//	retain.go       which completed checkpoints stay, and which of those on disk is the latest
//	restore.go      who reads what when a job goes on from a checkpoint, also with other parallelism
//	manifest.go     the stored description of a checkpoint
//
// Machines take events and append actions; drivers (the task, the JobManager) own clock, network and disk, carry the actions
// out and report what came of them. So every interleaving can be tested, and simulated from a seed. The package never reads a
// clock, starts a goroutine, locks, logs or touches a file; `now` is an argument, monotonic, counted from any fixed moment. A
// machine belongs to one goroutine.
//
// Rules are cited by their names in the snapshot protocol's checklist (A4.3), bugs of others by their number (✗ FLINK-21104).
//
// Anyone in the engine may import it; it imports keygroup, watermark and invariant.
package checkpoint
