// Package jobmanager owns jobs: it starts them, carries out their checkpoints, restarts them after failures and ends them.
//
//	job.go      the life of a job as a machine without clock, goroutine or disk; it contains the checkpoint coordinator
//	restart.go  what happens when a task dies: again, and after which delay, or not
//	driver.go   the goroutine that runs the machine against clock, storage and cluster
//	storage.go  where the checkpoints of a job lie; choosing the one to restore
//	fsck.go     verifying a snapshot without the job
//
// It decides nothing about when a checkpoint is complete (internal/checkpoint) and nothing about how a task is run (internal/taskmanager,
// through the interface Cluster declared here). It never imports task, operator or state. The command line and the root
// package import it.
package jobmanager
