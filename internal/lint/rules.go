package lint

// Rules is what a module is checked against.
type Rules struct {
	// Module is the module's import path.
	Module string
	// Layers orders packages from the leaves up: a package imports only what is in layers before its own, and its own subfolders.
	// An entry stands for a folder and all below it that have no entry of their own; "." is the root package alone.
	Layers [][]string
	// Forbidden names folders that a folder may not import although the layers allow it; Except lists what is allowed again.
	Forbidden []Forbidden
	// Pure lists the packages of protocols as pure state machines.
	Pure []string
	// MayGo lists where goroutines are started: each of these has an owner and an end written down.
	MayGo []string
	// MayPrint lists where writing to standard output is the purpose.
	MayPrint []string
	// Root is the folder of the public API whose exported functions should not take any.
	Root string
}

// Forbidden is one exception to the layers.
type Forbidden struct {
	From, To string
	Except   []string
	Reason   string
}

// Limits on what a reader has to hold in mind. Tests may have long functions and files: tables and stories.
const (
	maxFunctionLines = 70
	maxFileLines     = 700
	maxParameters    = 5
	maxLineChars     = 150
)

// Flott returns the rules of this module.
func Flott() Rules {
	leaves := []string{"internal/invariant", "internal/clock"}
	public := "public packages are all that a user's own connector or format has; ours prove that they are enough"
	return Rules{
		Module: "github.com/flottio/flott",
		Layers: [][]string{
			{"internal/invariant", "internal/lint", "internal/testrun"},
			{"internal/clock"},
			{"schema", "config", "internal/keygroup", "internal/metrics"},
			{"column"},
			{"codec", "internal/blob"},
			{"internal/watermark"},
			{"internal/checkpoint"},
			{"internal/graph"},
			{"internal/record"},
			{"internal/state", "internal/network", "internal/rpc"},
			{"internal/operator"},
			{"internal/task"},
			{"internal/taskmanager", "internal/jobmanager"},
			{"internal/rest"},
			{"."},
			{"format"},
			{"sql/table"},
			{"connector"},
			{"internal/sim"},
			{"flotttest"},
			{"sql"},
			{"connector/all", "web"},
			{"cli"},
			{"cmd", "examples", "bench", "conformance"},
		},
		Forbidden: []Forbidden{
			{From: "connector", To: "internal", Except: leaves, Reason: public},
			{From: "format", To: "internal", Except: leaves, Reason: public},
			{From: "internal/jobmanager", To: "internal/operator", Reason: "the JobManager knows names, numbers and options, never records"},
			{From: "internal/jobmanager", To: "internal/task", Reason: "the JobManager knows names, numbers and options, never records"},
			{From: "internal/jobmanager", To: "internal/state", Reason: "the JobManager knows handles of state, never state"},
		},
		Pure: []string{"internal/checkpoint", "internal/watermark", "internal/graph", "internal/keygroup"},
		MayGo: []string{"internal/taskmanager", "internal/jobmanager", "internal/network", "internal/rpc", "internal/rest",
			"internal/metrics/server.go", "internal/blob", "connector", "internal/state/pebblestate",
			"internal/state/statetest", "cli", "cmd", "flotttest", "examples",
			"bench", "conformance"},
		MayPrint: []string{"cmd", "examples", "bench", "cli", "connector/print", "internal/testrun"},
		Root:     ".",
	}
}
