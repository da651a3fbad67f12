package checkpoint

import (
	"fmt"
	"slices"
)

// Attempt names one execution of a subtask; never used twice (A1.2). 0 is none.
type Attempt int64

// Task names a subtask by its place.
type Task struct {
	Vertex  int // index among the vertices given to Start
	Subtask int
}

// Vertex is what the coordinator must know of a chain of operators.
type Vertex struct {
	Name        string
	Parallelism int
	Inputs      []VertexInput
	UnionState  bool // an operator in it holds union list state (A8.4)
}

// VertexInput is an edge into a vertex.
type VertexInput struct {
	From    int  // index of the vertex it comes from
	Forward bool // subtask i feeds subtask i only; else every subtask feeds every one
}

// taskStatus is the coordinator's view of a subtask.
type taskStatus struct {
	phase   taskPhase
	attempt Attempt
	endedAt ID // while ended: checkpoints from this id on begin after the end of its input (A8.2)
}

type taskPhase uint8

const (
	taskWaiting  taskPhase = iota // created, being deployed, restoring, failed
	taskRunning                   // takes part
	taskEnded                     // still runs and takes part, has reached the end of its input, waits for a checkpoint
	taskFinished                  // gone for good, by itself
)

func (s taskStatus) takesPart() bool { return s.phase == taskRunning || s.phase == taskEnded }

// roster is the plan of one checkpoint: who does what (A8.1).
type roster struct {
	Trigger  []Attempt // get the order to begin: they run and have no running predecessor
	Await    []Attempt // must acknowledge, and are told of completion: all that run
	Tasks    []Task    // theirs, in the same order
	Finished []Task    // are recorded as finished, which is not the same as having no state
}

func (p *roster) has(a Attempt) bool { return slices.Contains(p.Await, a) }

// taskOf returns the task of an attempt that is awaited.
func (p *roster) taskOf(a Attempt) Task { return p.Tasks[slices.Index(p.Await, a)] }

// makePlan computes the plan from the statuses, tasks[vertex][subtask]. If the checkpoint must be skipped it returns why
// instead, with the tasks in the way.
func makePlan(vertices []Vertex, tasks [][]taskStatus) (roster, Reason, string) {
	var p roster
	for v, vertex := range vertices {
		finished := 0
		for i, s := range tasks[v] {
			switch {
			case s.phase == taskFinished:
				finished++
				p.Finished = append(p.Finished, Task{v, i})
			case !s.takesPart():
				return roster{}, TasksNotRunning, fmt.Sprintf("%s (%d/%d) is not running", vertex.Name, i+1, vertex.Parallelism)
			default:
				p.Await, p.Tasks = append(p.Await, s.attempt), append(p.Tasks, Task{v, i})
				if !hasRunningPredecessor(vertex, i, tasks) {
					p.Trigger = append(p.Trigger, s.attempt)
				}
			}
		}
		if vertex.UnionState && finished > 0 && finished < vertex.Parallelism {
			return roster{}, PartlyEnded, fmt.Sprintf("%d of %d subtasks of %s have finished", finished, vertex.Parallelism, vertex.Name)
		}
	}
	if len(p.Await) == 0 {
		return roster{}, TasksNotRunning, "all tasks have finished"
	}
	return p, NoReason, ""
}

func hasRunningPredecessor(vertex Vertex, subtask int, tasks [][]taskStatus) bool {
	for _, in := range vertex.Inputs {
		for i, s := range tasks[in.From] {
			if (!in.Forward || i == subtask) && s.phase != taskFinished {
				return true
			}
		}
	}
	return false
}
