package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/flottio/flott/codec"
	"github.com/flottio/flott/internal/keygroup"
	"github.com/flottio/flott/schema"
	"github.com/zeebo/xxh3"
)

// The snapshot file: the state of one subtask at one checkpoint, the same whichever backend wrote it. All numbers are little endian.
//
//	head     magic "FLOTTSTA", u32 version, u32 length of the body, body, u64 xxh3 of all before
//	segment  u32 mark, u32 state, u32 key group, u32 entries, u32 length of the payload, u64 xxh3 of these and the payload, payload
//	...      segments follow one another without gaps
//	foot     per segment: uvarints state, key group, entries, length of the payload
//	trailer  u64 offset of foot, u64 length of foot, u64 xxh3 of foot and these two, magic "FLOTTEND"
//
// The body of the head: uvarint-counted strings and uvarints: hash name, max parallelism, first key group, end of key groups, number
// of states; per
// state kind, uid, name, schema of keys, schema of values. The payload is key and value of each entry, one after another.
//
// Operator state is not here: it is small, and stands in the manifest.
//
// Every byte is under a checksum, so that whatever is damaged is found and can be named; the SHA-256 of the whole is in the manifest.
const (
	fileMagic      = "FLOTTSTA"
	fileEndMagic   = "FLOTTEND"
	fileVersion    = 1
	segmentMark    = 0x4753_7446 // "FtSG"
	segmentBytes   = 28
	trailerBytes   = 32
	headFixedBytes = 16

	// headBytesMax, footBytesMax bound what is read before a checksum has been seen.
	headBytesMax = 64 << 20
	footBytesMax = 1 << 30
	// segmentBytesMax bounds a payload; a single entry may be as large.
	segmentBytesMax = 1 << 30
	statesMax       = 1 << 16
)

// Kind says what a state of the file is.
type Kind uint8

// The kinds of state. The numbers are stored.
const (
	KindTable    Kind = 1 // value, list, reducing, aggregating and the two tables of a map
	KindWindowed Kind = 2 // keys have a namespace before them
	KindTimers   Kind = 3 // keys have a time before them
)

func (k Kind) String() string {
	names := [...]string{"", "keyed", "windowed", "timers"}
	if int(k) < len(names) && k > 0 {
		return names[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// StateInfo describes one state of a file.
type StateInfo struct {
	UID    string // of the operator
	Name   string // of the state
	Kind   Kind
	Keys   *schema.Type
	Values *schema.Type
}

func (s StateInfo) String() string {
	return fmt.Sprintf("%s state %q of operator %q", s.Kind, s.Name, s.UID)
}

// Groups is the range of key groups [First, End) that a subtask owns, of Max in all (the max parallelism).
type Groups struct{ First, End, Max int }

// of is the key group of a key's hash. The partitioner calls the same function (A13.3).
func (g Groups) of(hash uint64) int { return keygroup.Of(hash, g.Max) }

func (g Groups) has(group int) bool { return group >= g.First && group < g.End }

func (g Groups) validate() error {
	if g.Max < 1 || g.Max > keygroup.MaxLimit || g.First < 0 || g.First >= g.End || g.End > g.Max {
		return fmt.Errorf("key groups [%d, %d) of %d: want 0 <= first < end <= max parallelism <= %d", g.First, g.End, g.Max, keygroup.MaxLimit)
	}
	return nil
}

type fileHead struct {
	hash   string
	groups Groups
	states []StateInfo
}

func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

func schemaText(t *schema.Type) string {
	if t == nil {
		return ""
	}
	return t.String()
}

func (h *fileHead) append(dst []byte) []byte {
	body := appendText(nil, h.hash)
	for _, n := range []int{h.groups.Max, h.groups.First, h.groups.End, len(h.states)} {
		body = binary.AppendUvarint(body, uint64(n))
	}
	for _, s := range h.states {
		body = append(body, byte(s.Kind))
		for _, text := range []string{s.UID, s.Name, schemaText(s.Keys), schemaText(s.Values)} {
			body = appendText(body, text)
		}
	}
	start := len(dst)
	dst = append(dst, fileMagic...)
	dst = binary.LittleEndian.AppendUint32(dst, fileVersion)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(body)))
	dst = append(dst, body...)
	return binary.LittleEndian.AppendUint64(dst, xxh3.Hash(dst[start:]))
}

// cursor reads the parts of a head or foot; after the first error everything is zero.
type cursor struct {
	src []byte
	err error
}

func (c *cursor) uvarint(limit uint64, what string) uint64 {
	n, w := binary.Uvarint(c.src)
	if c.err == nil && (w <= 0 || n > limit) {
		c.err = fmt.Errorf("%s: %d, the limit is %d, or it is cut short", what, n, limit)
	}
	if c.err != nil {
		return 0
	}
	c.src = c.src[w:]
	return n
}

func (c *cursor) text(what string) string {
	n := c.uvarint(uint64(len(c.src)), what)
	if c.err != nil {
		return ""
	}
	if n > uint64(len(c.src)) {
		c.err = fmt.Errorf("%s: is cut short", what)
		return ""
	}
	s := string(c.src[:n])
	c.src = c.src[n:]
	return s
}

func (c *cursor) byte(what string) byte {
	if c.err == nil && len(c.src) == 0 {
		c.err = fmt.Errorf("%s: is cut short", what)
	}
	if c.err != nil {
		return 0
	}
	b := c.src[0]
	c.src = c.src[1:]
	return b
}

func (c *cursor) schema(what string) *schema.Type {
	text := c.text(what)
	if c.err != nil || text == "" {
		return nil
	}
	t, err := schema.Parse(text)
	if err != nil {
		c.err = fmt.Errorf("%s: %w", what, err)
	}
	return t
}

func parseHead(body []byte) (*fileHead, error) {
	c := &cursor{src: body}
	h := &fileHead{hash: c.text("hash name")}
	h.groups.Max = int(c.uvarint(keygroup.MaxLimit, "max parallelism"))
	h.groups.First = int(c.uvarint(keygroup.MaxLimit, "first key group"))
	h.groups.End = int(c.uvarint(keygroup.MaxLimit, "end of key groups"))
	n := int(c.uvarint(statesMax, "number of states"))
	seen := map[[2]string]bool{}
	for i := 0; i < n && c.err == nil; i++ {
		s := StateInfo{Kind: Kind(c.byte("kind"))}
		s.UID, s.Name = c.text("uid"), c.text("name")
		s.Keys, s.Values = c.schema("schema of keys"), c.schema("schema of values")
		if c.err == nil && (s.Kind < KindTable || s.Kind > KindTimers || s.Keys == nil || s.Values == nil) {
			c.err = fmt.Errorf("%v: unknown kind, or without schemas", s)
		}
		if id := [2]string{s.UID, s.Name}; seen[id] {
			c.err = fmt.Errorf("%v is there twice", s)
		} else {
			seen[id] = true
		}
		h.states = append(h.states, s)
	}
	switch {
	case c.err != nil:
		return nil, c.err
	case len(c.src) != 0:
		return nil, fmt.Errorf("%d bytes too many", len(c.src))
	case h.hash != codec.HashName:
		return nil, fmt.Errorf("key groups were made with hash %q, this version of Flott has %q", h.hash, codec.HashName)
	}
	return h, h.groups.validate()
}

// segmentRef is one entry of the foot.
type segmentRef struct {
	state, group, entries, bytes uint32
	offset                       int64 // of its mark
}

func appendSegmentHead(dst []byte, s segmentRef, payload []byte) []byte {
	start := len(dst)
	for _, n := range [...]uint32{segmentMark, s.state, s.group, s.entries, s.bytes} {
		dst = binary.LittleEndian.AppendUint32(dst, n)
	}
	return binary.LittleEndian.AppendUint64(dst, segmentSum(dst[start:start+20], payload))
}

// segmentSum is the checksum over the numbers of a segment and its payload.
func segmentSum(numbers, payload []byte) uint64 {
	return xxh3.HashSeed(payload, xxh3.Hash(numbers))
}

func appendFoot(dst []byte, segs []segmentRef) []byte {
	for _, s := range segs {
		for _, n := range [...]uint32{s.state, s.group, s.entries, s.bytes} {
			dst = binary.AppendUvarint(dst, uint64(n))
		}
	}
	return dst
}

func parseFoot(foot []byte, h *fileHead, offset, end int64) ([]segmentRef, error) {
	var segs []segmentRef
	for c := (&cursor{src: foot}); len(c.src) > 0; {
		s := segmentRef{offset: offset}
		s.state = uint32(c.uvarint(uint64(max(len(h.states), 1)-1), "state of a segment"))
		s.group = uint32(c.uvarint(uint64(h.groups.Max-1), "key group of a segment"))
		s.entries = uint32(c.uvarint(segmentBytesMax, "entries of a segment"))
		s.bytes = uint32(c.uvarint(segmentBytesMax, "length of a segment"))
		if c.err != nil {
			return nil, c.err
		}
		if offset += segmentBytes + int64(s.bytes); offset > end {
			return nil, fmt.Errorf("segments reach offset %d, the foot begins at %d", offset, end)
		}
		segs = append(segs, s)
	}
	if offset != end {
		return nil, fmt.Errorf("segments end at offset %d, the foot begins at %d", offset, end)
	}
	if len(segs) > 0 && len(h.states) == 0 {
		return nil, errors.New("segments without states")
	}
	return segs, nil
}

func appendTrailer(dst, foot []byte, offset int64) []byte {
	start := len(dst)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(offset))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(len(foot)))
	dst = binary.LittleEndian.AppendUint64(dst, segmentSum(dst[start:], foot))
	return append(dst, fileEndMagic...)
}

func parseTrailer(b []byte) (offset, length int64, sum uint64, err error) {
	if !bytes.Equal(b[24:], []byte(fileEndMagic)) {
		return 0, 0, 0, fmt.Errorf("it does not end as a snapshot file does (%q, want %q): it is cut short or not one", b[24:], fileEndMagic)
	}
	le := binary.LittleEndian
	return int64(le.Uint64(b)), int64(le.Uint64(b[8:])), le.Uint64(b[16:]), nil
}
