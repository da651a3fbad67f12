package metrics

import (
	"strconv"
	"strings"
)

// Level is how deep in Flink's tree of scopes a metric sits. It decides the prefix of the name and the labels.
type Level int

// The levels.
const (
	JobManagerLevel Level = iota
	JobManagerJobLevel
	TaskManagerLevel
	TaskManagerJobLevel
	TaskLevel
	OperatorLevel
)

// Role says what an operator is to the outside; the progress line adds up sources and sinks.
type Role int

// The roles.
const (
	InnerRole Role = iota
	SourceRole
	SinkRole
)

// Scope names what a group of metrics belongs to. Fields deeper than Level are ignored.
type Scope struct {
	Level Level
	// Host and TaskManagerID name the process.
	Host, TaskManagerID string
	// JobID and JobName name the job, from the job levels on.
	JobID, JobName string
	// TaskID, TaskName, Subtask (from 0), AttemptID and Attempt (from 0) name the subtask, from TaskLevel on.
	TaskID, TaskName, AttemptID string
	Subtask, Attempt            int
	// OperatorID and OperatorName name the operator, at OperatorLevel.
	OperatorID, OperatorName string
	// Role is what the operator is to the outside; it is not a label.
	Role Role
}

// logical is the scope as Flink writes it into names.
func (s Scope) logical() string {
	return [...]string{"jobmanager", "jobmanager_job", "taskmanager", "taskmanager_job", "taskmanager_job_task",
		"taskmanager_job_task_operator"}[s.Level]
}

// labels returns names and values of the labels, values already free of what Flink's reporter replaces.
func (s Scope) labels() (names, values []string) {
	add := func(name, value string) {
		names, values = append(names, name), append(values, sanitize(value))
	}
	add("host", s.Host)
	if s.Level >= TaskManagerLevel {
		add("tm_id", s.TaskManagerID)
	}
	if s.Level == JobManagerJobLevel || s.Level >= TaskManagerJobLevel {
		add("job_id", s.JobID)
		add("job_name", s.JobName)
	}
	if s.Level >= TaskLevel {
		add("task_id", s.TaskID)
		add("task_name", s.TaskName)
		add("subtask_index", strconv.Itoa(s.Subtask))
		add("task_attempt_id", s.AttemptID)
		add("task_attempt_num", strconv.Itoa(s.Attempt))
	}
	if s.Level >= OperatorLevel {
		add("operator_id", s.OperatorID)
		add("operator_name", s.OperatorName)
	}
	return names, values
}

// sanitize replaces every character outside [a-zA-Z0-9:_] by "_", as Flink's reporter does with names and, by default, with label
// values.
func sanitize(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == ':' || r == '_' {
			return r
		}
		return '_'
	}, text)
}
