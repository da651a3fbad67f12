package state

// Mode says how the elements of an operator list are handed out when it is restored (A14.1). The numbers are stored.
type Mode uint8

const (
	// Split deals the elements of all subtasks out, in order, each to one.
	Split Mode = 0
	// Union gives all elements to all subtasks.
	Union Mode = 1
)
