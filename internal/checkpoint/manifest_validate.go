package checkpoint

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/flottio/flott/internal/keygroup"
)

// Limits of a manifest's parts. They bound what a reader loops over; no real job comes near.
const (
	maxOperators        = 100_000
	maxStatesPerUID     = 10_000
	maxInputsPerSubtask = 1 << 20
	maxTextBytes        = 1 << 16 // uid, name, path
	maxSchemaBytes      = 1 << 20
)

// StateKind is the closed set of kinds of state.
type StateKind uint8

const (
	ValueState StateKind = iota + 1
	ListState
	MapState
	ReducingState
	AggregatingState
	// WindowState is divided by key and window.
	WindowState
	TimerState
	// SplitList: elements are dealt out among the subtasks (A14.1).
	SplitList
	// UnionList: every subtask gets all elements.
	UnionList
	// Broadcast: every subtask has the same elements; one copy each.
	Broadcast
	endOfStateKinds
)

var stateKindNames = [endOfStateKinds]string{
	ValueState: "value", ListState: "list", MapState: "map", ReducingState: "reducing", AggregatingState: "aggregating",
	WindowState: "window", TimerState: "timers", SplitList: "split-list", UnionList: "union-list", Broadcast: "broadcast",
}

// Keyed reports whether states of this kind belong to keys; the others belong to subtasks.
func (k StateKind) Keyed() bool { return k >= ValueState && k <= TimerState }

// String returns the name used in manifests.
func (k StateKind) String() string {
	if k > 0 && k < endOfStateKinds {
		return stateKindNames[k]
	}
	return fmt.Sprintf("StateKind(%d)", uint8(k))
}

// MarshalText writes the name.
func (k StateKind) MarshalText() ([]byte, error) { return marshalName(stateKindNames[:], int(k)) }

// UnmarshalText reads the name.
func (k *StateKind) UnmarshalText(text []byte) error {
	return unmarshalName(stateKindNames[:], text, k)
}

// MarshalText writes "checkpoint" or "savepoint".
func (k Kind) MarshalText() ([]byte, error) { return marshalName(kindNames, int(k)) }

// UnmarshalText reads what MarshalText writes.
func (k *Kind) UnmarshalText(text []byte) error { return unmarshalName(kindNames, text, k) }

// MarshalText writes "go on", "suspend" or "drain".
func (s Stop) MarshalText() ([]byte, error) { return marshalName(stopNames, int(s)) }

// UnmarshalText reads what MarshalText writes.
func (s *Stop) UnmarshalText(text []byte) error { return unmarshalName(stopNames, text, s) }

var (
	kindNames = []string{"checkpoint", "savepoint"}
	stopNames = []string{"go on", "suspend", "drain"}
)

func marshalName(names []string, i int) ([]byte, error) {
	if i >= len(names) || names[i] == "" {
		return nil, fmt.Errorf("%d is none of %q", i, names)
	}
	return []byte(names[i]), nil
}

func unmarshalName[T ~uint8](names []string, text []byte, to *T) error {
	for i, name := range names {
		if name != "" && name == string(text) {
			*to = T(i)
			return nil
		}
	}
	return fmt.Errorf("%.40q is none of %q", text, names)
}

// Validate returns everything that is wrong with m, joined, or nil. Encode and ParseManifest call it: the same sentences hold
// when a manifest is written and when it is read.
func (m *Manifest) Validate() error {
	v := &manifestCheck{}
	v.text("job name", m.JobName)
	v.text("job id", m.JobID)
	v.text("code version", m.CodeVersion)
	v.text("key hash", m.KeyHash)
	v.is(utf8.ValidString(m.Graph) && len(m.Graph) <= maxTextBytes, "the graph's hash is not text")
	v.is(m.ID > None, "checkpoint id %d is not positive", m.ID)
	v.is(m.Kind <= Savepoint && m.Stop <= Drain, "kind %d, stop %d are unknown", m.Kind, m.Stop)
	v.is(m.Stop == GoOn || m.Kind == Savepoint, "a %v cannot stop the job", m.Kind)
	v.is(len(m.Operators) <= maxOperators, "%d operators are more than %d", len(m.Operators), maxOperators)
	seen := map[string]bool{}
	for i := range m.Operators {
		op := &m.Operators[i]
		v.is(!seen[op.UID], "uid %q occurs twice", op.UID)
		seen[op.UID] = true
		v.operator(op)
	}
	return errors.Join(v.errs...)
}

// manifestCheck collects what is wrong, up to a bound.
type manifestCheck struct {
	at   string // "operator x: subtask 3: "
	errs []error
}

const maxManifestErrors = 20

func (v *manifestCheck) is(ok bool, format string, args ...any) {
	if !ok && len(v.errs) < maxManifestErrors {
		v.errs = append(v.errs, fmt.Errorf("%s"+format, append([]any{v.at}, args...)...))
	}
}

func (v *manifestCheck) text(what, s string) {
	v.is(s != "" && len(s) <= maxTextBytes && utf8.ValidString(s), "the %s %.40q is empty, too long, or no UTF-8", what, s)
}

func (v *manifestCheck) operator(op *Operator) {
	v.at = ""
	v.text("uid", op.UID)
	v.at = fmt.Sprintf("operator %.80q: ", op.UID)
	defer func() { v.at = "" }()
	v.is(op.Name == "" || utf8.ValidString(op.Name) && len(op.Name) <= maxTextBytes, "its name is no text")
	if err := keygroup.Validate(op.MaxParallelism, op.Parallelism); err != nil || op.MaxParallelism == 0 {
		v.is(false, "parallelism %d, max parallelism %d: %v", op.Parallelism, op.MaxParallelism, err)
		return
	}
	v.is(len(op.Subtasks) == op.Parallelism, "it has %d subtasks at parallelism %d", len(op.Subtasks), op.Parallelism)
	v.is(len(op.States) <= maxStatesPerUID, "%d states are more than %d", len(op.States), maxStatesPerUID)
	kinds := map[string]StateKind{}
	for _, s := range op.States {
		v.text("name of a state", s.Name)
		v.is(s.Kind > 0 && s.Kind < endOfStateKinds, "state %q has unknown kind %d", s.Name, s.Kind)
		v.is(kinds[s.Name] == 0, "state %q occurs twice", s.Name)
		v.is(utf8.ValidString(s.KeySchema+s.ValueSchema) && len(s.KeySchema) <= maxSchemaBytes && len(s.ValueSchema) <= maxSchemaBytes,
			"state %q has a schema that is no text", s.Name)
		kinds[s.Name] = s.Kind
	}
	if op.Enumerator != nil {
		v.handle("the enumerator", *op.Enumerator)
	}
	prefix := v.at
	for i := range op.Subtasks {
		v.at = fmt.Sprintf("%ssubtask %d: ", prefix, i)
		v.subtask(&op.Subtasks[i], op.MaxParallelism, kinds)
	}
}

func (v *manifestCheck) subtask(s *Subtask, maxParallelism int, kinds map[string]StateKind) {
	v.is(len(s.Inputs) <= maxInputsPerSubtask, "%d inputs are more than %d", len(s.Inputs), maxInputsPerSubtask)
	for _, h := range s.Keyed {
		v.handle("keyed state", h)
		r := h.KeyGroups
		v.is(r.First >= 0 && r.First <= r.Last && r.Last < maxParallelism, "key groups %d-%d are not within 0-%d",
			r.First, r.Last, maxParallelism-1)
	}
	for _, l := range s.Lists {
		v.is(l.Kind > 0 && l.Kind < endOfStateKinds && !l.Kind.Keyed() && kinds[l.Name] == l.Kind,
			"operator state %q of kind %v is not declared", l.Name, l.Kind)
		total := 0
		for _, e := range l.Elements {
			total += len(e)
		}
		v.is(total <= MaxInlineBytes, "operator state %q has %d bytes inline, at most %d are allowed: put it in a file",
			l.Name, total, MaxInlineBytes)
		if l.File == nil {
			v.is(len(l.Offsets) == 0, "operator state %q has offsets, but no file", l.Name)
			continue
		}
		v.handle(fmt.Sprintf("operator state %q", l.Name), *l.File)
		v.is(len(l.Elements) == 0, "operator state %q is in a file and inline", l.Name)
		last := int64(0)
		for i, o := range l.Offsets {
			v.is(o >= last && o <= l.File.Length && (i > 0 || o == 0), "operator state %q: offset %d of element %d is out of order",
				l.Name, o, i)
			last = o
		}
	}
}

func (v *manifestCheck) handle(what string, h Handle) {
	v.is(h.Length >= 0, "%s: length %d is negative", what, h.Length)
	v.is(utf8.ValidString(h.Format) && len(h.Format) <= maxTextBytes, "%s: its format is no text", what)
	if h.Path == "" {
		v.is(h.Length == int64(len(h.Inline)), "%s: %d bytes inline, length %d", what, len(h.Inline), h.Length)
		v.is(len(h.Inline) <= MaxInlineBytes, "%s: %d bytes inline, at most %d are allowed: put them in a file",
			what, len(h.Inline), MaxInlineBytes)
		v.is(h.Digest == Digest{} && !h.Shared, "%s: inline bytes have no digest of their own, and are not shared", what)
		return
	}
	v.is(len(h.Inline) == 0, "%s: it is in a file and inline", what)
	v.is(h.Digest != Digest{}, "%s: file %q has no digest", what, h.Path)
	if err := ValidPath(h.Path); err != nil {
		v.is(false, "%s: %v", what, err)
	}
}

// ValidPath reports why a path of a handle could lead out of its directory, or would not survive a move to another system:
// relative, slash-separated, no empty part, no "." or "..", nothing that another system takes for a separator or a drive.
func ValidPath(path string) error {
	switch {
	case path == "" || len(path) > maxTextBytes || !utf8.ValidString(path):
		return fmt.Errorf("path %.40q is empty, too long, or no UTF-8", path)
	case strings.ContainsAny(path, "\\:\x00\n\r"):
		return fmt.Errorf("path %.80q contains a character that is not portable", path)
	case path == ManifestName:
		return fmt.Errorf("path %q is the manifest itself", path)
	}
	for part := range strings.SplitSeq(path, "/") {
		if part == "" || part == "." || part == ".." {
			return fmt.Errorf("path %.80q leads out of its directory, or is not clean", path)
		}
	}
	return nil
}
