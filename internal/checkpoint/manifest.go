package checkpoint

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/flottio/flott/internal/keygroup"
	"github.com/flottio/flott/internal/watermark"
)

// Manifest is the stored description of a checkpoint: everything needed to verify it, move it, read it without the job's
// code, and go on from it with another parallelism or backend. Its file, ManifestName, is the commit point: a directory
// without it is no checkpoint (A15.2).
//
//	+----------+---------+-------------+----------------------------+-----------------------+
//	| magic  8 | format 4| body size 8 | body: JSON, UTF-8, indented | SHA-256 of all before |
//	+----------+---------+-------------+----------------------------+-----------------------+
//	              big endian
//
// The body is JSON so that a person with a pager, and a tool in any language, can read what is stored, years later; the small
// binary frame makes the file recognisable and every damage to it detectable, before the first byte of JSON is looked at
// (A15.1). Encoding is deterministic. Unknown fields, duplicate names and wrong sizes are refused: whoever adds a field that an
// older reader must not overlook raises the format.
//
// The zero Manifest is not valid; see Validate.
type Manifest struct {
	JobName     string     `json:"jobName"`
	JobID       string     `json:"jobId"`
	Graph       string     `json:"graph,omitempty"` // hash of the job graph
	CodeVersion string     `json:"codeVersion"`     // of Flott that wrote this
	ID          ID         `json:"checkpoint"`
	Kind        Kind       `json:"kind"`
	Stop        Stop       `json:"stop,omitzero"`
	TriggeredMs int64      `json:"triggeredMs"` // wall clock, milliseconds since the epoch
	KeyHash     string     `json:"keyHash"`     // name, version and seed of the hash of keys (A13.1), from the codec
	Operators   []Operator `json:"operators,omitempty"`
}

// Operator is an operator's part of a checkpoint.
type Operator struct {
	UID            string    `json:"uid"`
	Name           string    `json:"name"`
	Parallelism    int       `json:"parallelism"`
	MaxParallelism int       `json:"maxParallelism"`
	States         []State   `json:"states,omitempty"`
	Enumerator     *Handle   `json:"enumerator,omitzero"` // of a source
	Subtasks       []Subtask `json:"subtasks"`            // one per subtask, in order
}

// State is a declared state: what it is, not what is in it.
type State struct {
	Name        string    `json:"name"`
	Kind        StateKind `json:"kind"`
	KeySchema   string    `json:"key,omitempty"` // of keyed kinds
	ValueSchema string    `json:"value,omitempty"`
	// Position is the file:line of the declaration in the job at hand, for messages; it is not stored.
	Position string `json:"-"`
}

// Subtask is a subtask's part of a checkpoint: its snapshot.
type Subtask struct {
	Finished  bool              `json:"finished,omitzero"` // gone for good, which is not the same as having no state (A8.1)
	Watermark int64             `json:"watermark"`         // watermark.None if none
	Inputs    []watermark.Input `json:"inputs,omitempty"`  // per input (A6.9)
	Keyed     []Handle          `json:"keyed,omitempty"`
	Lists     []OperatorState   `json:"lists,omitempty"`
}

// Handle names a piece of data: a file, or, with an empty Path, the bytes themselves.
type Handle struct {
	Path      string         `json:"path,omitempty"`  // slash-separated, below the checkpoint's directory; see Shared
	Shared    bool           `json:"shared,omitzero"` // Path is below the job's directory instead: not owned by this checkpoint alone
	Format    string         `json:"format,omitempty"`
	Length    int64          `json:"length"`
	Digest    Digest         `json:"sha256,omitzero"`    // of the file; of inline bytes none, the manifest's own covers them
	KeyGroups keygroup.Range `json:"keyGroups,omitzero"` // of keyed state
	Inline    []byte         `json:"inline,omitempty"`
}

// OperatorState is one operator state of one subtask: a list of elements, inline, or in a file cut at Offsets.
type OperatorState struct {
	Name     string    `json:"name"`
	Kind     StateKind `json:"kind"` // SplitList, UnionList or Broadcast
	Elements [][]byte  `json:"elements,omitempty"`
	File     *Handle   `json:"file,omitzero"`
	Offsets  []int64   `json:"offsets,omitempty"` // where each element begins in File; the last ends with the file
}

// Len returns the number of elements.
func (s OperatorState) Len() int {
	if s.File != nil {
		return len(s.Offsets)
	}
	return len(s.Elements)
}

// Digest is the SHA-256 of a file.
type Digest [sha256.Size]byte

// MarshalText writes d in hexadecimal digits.
func (d Digest) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, d[:]), nil }

// UnmarshalText reads what MarshalText writes.
func (d *Digest) UnmarshalText(text []byte) error {
	if len(text) != 2*len(d) {
		return fmt.Errorf("a SHA-256 has %d hexadecimal digits, not %d", 2*len(d), len(text))
	}
	_, err := hex.Decode(d[:], text)
	return err
}

// String returns d in hexadecimal digits.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// Names and limits of the stored form.
const (
	ManifestName   = "_metadata" // Flink's name, which tools look for
	ManifestFormat = 1           // the newest this code reads, and the one it writes

	// MaxInlineBytes bounds a Handle's Inline, and the Elements of an OperatorState together (A15.3).
	MaxInlineBytes = 1 << 20
	// MaxManifestBytes bounds the file; a reader refuses a longer one before it allocates.
	MaxManifestBytes = 256 << 20

	manifestMagic       = "FLOTTCHK"
	manifestHeaderBytes = len(manifestMagic) + 4 + 8
	manifestMinBytes    = manifestHeaderBytes + len("{}") + sha256.Size
)

var (
	// ErrDamaged marks a manifest that is not what was written.
	ErrDamaged = errors.New("the manifest is damaged")
	// ErrNewerFormat marks a manifest that only a newer version can read.
	ErrNewerFormat = errors.New("the manifest was written by a newer version")
)

// Encode returns the stored form. It refuses what Parse would.
func (m *Manifest) Encode() ([]byte, error) {
	if err := m.Validate(); err != nil {
		return nil, fmt.Errorf("encoding the manifest of checkpoint %d: %w", m.ID, err)
	}
	body, err := json.Marshal(m, json.Deterministic(true), jsontext.WithIndent(" "))
	if err != nil {
		return nil, fmt.Errorf("encoding the manifest of checkpoint %d: %w", m.ID, err)
	}
	out := make([]byte, 0, manifestHeaderBytes+len(body)+sha256.Size)
	out = append(out, manifestMagic...)
	out = binary.BigEndian.AppendUint32(out, ManifestFormat)
	out = binary.BigEndian.AppendUint64(out, uint64(len(body)))
	out = append(out, body...)
	digest := sha256.Sum256(out)
	if out = append(out, digest[:]...); len(out) > MaxManifestBytes {
		return nil, fmt.Errorf("encoding the manifest of checkpoint %d: %d bytes are more than %d", m.ID, len(out), MaxManifestBytes)
	}
	return out, nil
}

// ParseManifest reads the stored form. Errors wrap ErrDamaged or ErrNewerFormat; nothing but a valid Manifest is returned.
func ParseManifest(data []byte) (*Manifest, error) {
	body, err := openManifest(data)
	if err != nil {
		return nil, fmt.Errorf("reading a manifest: %w", err)
	}
	m := new(Manifest)
	if err := json.Unmarshal(body, m, json.RejectUnknownMembers(true)); err != nil {
		return nil, fmt.Errorf("reading a manifest: %w: %w", ErrDamaged, err)
	}
	if err := m.Validate(); err != nil {
		return nil, fmt.Errorf("reading a manifest: %w: %w", ErrDamaged, err)
	}
	return m, nil
}

// openManifest checks the frame and returns the body.
func openManifest(data []byte) ([]byte, error) {
	switch {
	case len(data) > MaxManifestBytes:
		return nil, fmt.Errorf("%w: expected at most %d bytes, found %d", ErrDamaged, MaxManifestBytes, len(data))
	case len(data) < manifestMinBytes:
		return nil, fmt.Errorf("%w: it is cut off: expected at least %d bytes, found %d", ErrDamaged, manifestMinBytes, len(data))
	case !bytes.HasPrefix(data, []byte(manifestMagic)):
		return nil, fmt.Errorf("%w: expected %q at its beginning, found %q", ErrDamaged, manifestMagic, data[:len(manifestMagic)])
	}
	content := data[:len(data)-sha256.Size]
	want, got := Digest(data[len(content):]), Digest(sha256.Sum256(content))
	if want != got {
		return nil, fmt.Errorf("%w: SHA-256 expected %v, found %v (%d bytes)", ErrDamaged, want, got, len(data))
	}
	header, body := content[len(manifestMagic):manifestHeaderBytes], content[manifestHeaderBytes:]
	if format := binary.BigEndian.Uint32(header); format > ManifestFormat {
		return nil, fmt.Errorf("%w%s: it needs a version that reads format >= %d, this one reads up to %d",
			ErrNewerFormat, writtenBy(body), format, ManifestFormat)
	} else if format == 0 {
		return nil, fmt.Errorf("%w: there is no format 0", ErrDamaged)
	}
	if size := binary.BigEndian.Uint64(header[4:]); size != uint64(len(body)) {
		return nil, fmt.Errorf("%w: expected a body of %d bytes, found %d", ErrDamaged, size, len(body))
	}
	return body, nil
}

// writtenBy tries to find the writer's version in a body of unknown format.
func writtenBy(body []byte) string {
	var v struct {
		CodeVersion string `json:"codeVersion"`
	}
	if json.Unmarshal(body, &v) != nil || v.CodeVersion == "" || len(v.CodeVersion) > 100 {
		return ""
	}
	return fmt.Sprintf(", %q", v.CodeVersion)
}
