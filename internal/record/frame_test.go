package record

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/flottio/flott/internal/checkpoint"
)

// wide has a field of every kind that is not user code.
type wide struct {
	I int64
	S string
	B []byte
	F float64
	P *int32
	L []string
	M map[string]int64
	O bool
}

func framesOf[T any](t testing.TB) *Frames {
	t.Helper()
	body, err := NewRowsCodec[T]()
	if err != nil {
		t.Fatal(err)
	}
	return &Frames{Body: body}
}

// same says how two elements differ in what is sent.
func same[T any](t testing.TB, want, got Element) {
	t.Helper()
	if want.Batch != nil && got.Batch != nil {
		w, g := want.Batch.(*Rows[T]), got.Batch.(*Rows[T])
		if !reflect.DeepEqual(w.Rows, g.Rows) || !slices.Equal(w.Head.Times, g.Head.Times) || !slices.Equal(w.Head.Hashes, g.Head.Hashes) || g.Head.Split != 0 {
			t.Fatalf("sent %+v\n%+v, received %+v\n%+v", w.Head, w.Rows, g.Head, g.Rows)
		}
		want.Batch, got.Batch = nil, nil
	}
	if want != got {
		t.Fatalf("sent %+v, received %+v", want, got)
	}
}

func drawWide(t *rapid.T) wide {
	w := wide{
		I: rapid.Int64().Draw(t, "i"), S: rapid.String().Draw(t, "s"), F: rapid.Float64().Draw(t, "f"), O: rapid.Bool().Draw(t, "o"),
	}
	if rapid.Bool().Draw(t, "set") {
		n := rapid.Int32().Draw(t, "p")
		w.P, w.B = &n, rapid.SliceOf(rapid.Byte()).Draw(t, "b")
		w.L, w.M = rapid.SliceOf(rapid.String()).Draw(t, "l"), rapid.MapOf(rapid.String(), rapid.Int64()).Draw(t, "m")
	}
	return w
}

func drawBatch(t *rapid.T, n int) *Rows[wide] {
	b := NewRows[wide]()
	timed, hashed := rapid.Bool().Draw(t, "timed"), rapid.Bool().Draw(t, "hashed")
	for range n {
		b.Append(drawWide(t), rapid.Int64().Draw(t, "time"), timed)
		if hashed {
			b.Head.Hashes = append(b.Head.Hashes, rapid.Uint64().Draw(t, "hash"))
		}
	}
	b.Head.Split = 7 // stays behind
	return b
}

func drawElement(t *rapid.T) Element {
	switch e := (Element{Kind: Kind(rapid.IntRange(int(KindBatch), int(KindEnd)).Draw(t, "kind"))}); e.Kind {
	case KindBatch:
		e.Batch = drawBatch(t, rapid.IntRange(0, 12).Draw(t, "records"))
		return e
	case KindWatermark:
		e.Time = rapid.Int64().Draw(t, "time")
		return e
	case KindStatus:
		e.Idle = rapid.Bool().Draw(t, "idle")
		return e
	case KindBarrier, KindCancel:
		e.Barrier = Barrier{checkpoint.ID(rapid.Int64().Draw(t, "id")), checkpoint.Options{
			Kind: checkpoint.Kind(rapid.IntRange(0, 1).Draw(t, "what")), Stop: checkpoint.Stop(rapid.IntRange(0, 2).Draw(t, "stop"))}}
		return e
	default:
		return e
	}
}

// TestFramesRoundTrip sends any elements, one behind another in one stream of bytes, and wants the same ones, in order, and nothing left.
func TestFramesRoundTrip(t *testing.T) {
	f := framesOf[wide](t)
	rapid.Check(t, func(r *rapid.T) {
		var sent []Element
		var wire []byte
		for range rapid.IntRange(1, 4).Draw(r, "elements") {
			e := drawElement(r)
			var err error
			if wire, err = f.Append(wire, &e); err != nil {
				r.Fatal(err)
			}
			sent = append(sent, e)
		}
		for _, want := range sent {
			got, n, err := f.Decode(wire)
			if err != nil {
				r.Fatal(err)
			}
			if _, _, err := f.Decode(wire[:n-1]); !errors.Is(err, ErrIncomplete) {
				r.Fatalf("a frame without its last byte: %v", err)
			}
			clear(wire[:n]) // nothing of the bytes is kept
			wire = wire[n:]
			same[wide](t, want, got)
		}
		if len(wire) != 0 {
			r.Fatalf("%d bytes are left", len(wire))
		}
	})
}

// Copies and rows one by one give the same bytes and values.
func TestFramesOfFlatRows(t *testing.T) {
	type flat struct {
		A, B int64
		C    [4]uint32
	}
	const seed = 11
	rng := rand.New(rand.NewPCG(seed, 0))
	f := framesOf[flat](t)
	for n := range 70 {
		b := NewRows[flat]()
		for range n {
			b.Append(flat{rng.Int64(), rng.Int64(), [4]uint32{rng.Uint32(), 1, 2, rng.Uint32()}}, rng.Int64(), true)
		}
		e := Element{Kind: KindBatch, Batch: b}
		wire, err := f.Append(nil, &e)
		if err != nil {
			t.Fatal(err)
		}
		if want := frameHeader + n*(8+32); len(wire) != want {
			t.Fatalf("%d rows take %d bytes, not %d", n, len(wire), want)
		}
		got, _, err := f.Decode(wire)
		if err != nil {
			t.Fatal(err)
		}
		same[flat](t, e, got)
	}
}

// A batch above the limit becomes several frames of it; a record above it is refused and leaves nothing behind.
func TestFramesSplitLargeBatches(t *testing.T) {
	f := framesOf[string](t)
	f.MaxBytes = 100
	b := NewRows[string]()
	for i := range 50 {
		b.Append(strings.Repeat("x", i%30), int64(i), true)
	}
	wire, err := f.Append(nil, &Element{Kind: KindBatch, Batch: b})
	if err != nil {
		t.Fatal(err)
	}
	whole, frames := NewRows[string](), 0
	for ; len(wire) > 0; frames++ {
		e, n, err := f.Decode(wire)
		if err != nil {
			t.Fatal(err)
		}
		e.Batch.Slice(whole, 0, e.Batch.Len())
		wire = wire[n:]
	}
	if frames < 10 || !slices.Equal(whole.Rows, b.Rows) || !slices.Equal(whole.Head.Times, b.Head.Times) {
		t.Errorf("%d frames with %q", frames, whole.Rows)
	}
	b.Append(strings.Repeat("y", 200), 0, true)
	wire, err = f.Append([]byte("before"), &Element{Kind: KindBatch, Batch: b})
	if err == nil || !strings.Contains(err.Error(), "larger than the 100") || string(wire) != "before" {
		t.Errorf("%q, %v", wire, err)
	}
}

// TestFramesRefuse damages frames: every flipped bit is found, and what is well formed but wrong is named.
func TestFramesRefuse(t *testing.T) {
	f := framesOf[string](t)
	b := NewRows[string]()
	b.Append("hello", 5, true)
	frame, err := f.Append(nil, &Element{Kind: KindBatch, Batch: b})
	if err != nil {
		t.Fatal(err)
	}
	for i := range len(frame) * 8 {
		bad := slices.Clone(frame)
		bad[i/8] ^= 1 << (i % 8)
		if _, _, err := f.Decode(bad); err == nil {
			t.Errorf("bit %d of byte %d flipped, and nobody noticed", i%8, i/8)
		}
	}
	change := func(at int, to byte) func([]byte) []byte {
		return func(b []byte) []byte { b[at] = to; return b }
	}
	for name, c := range map[string]struct {
		change func([]byte) []byte
		want   string
	}{
		"version":        {change(8, 9), "version 9, and this program reads version 1"},
		"kind":           {change(9, 77), "kind 77"},
		"body":           {change(10, 2), "body 2 with flags 1, and this edge has body 1"},
		"flags":          {change(11, 8), "flags 8"},
		"too many":       {change(13, 1), "257 records"},
		"too few":        {change(12, 0), "do not fit|0 records take 0 bytes"},
		"count overflow": {change(15, 255), "do not fit"},
		"bytes left":     {func(b []byte) []byte { return append(b, 0) }, "1 records take 6 bytes, and there are 7"},
		"control":        {change(9, byte(KindEnd)), "do not belong to this kind"},
	} {
		bad := c.change(slices.Clone(frame))
		seal(bad)
		_, _, err := f.Decode(bad)
		found := false
		for want := range strings.SplitSeq(c.want, "|") {
			found = found || err != nil && strings.Contains(err.Error(), want)
		}
		if !found {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	long := slices.Clone(frame)
	binary.LittleEndian.PutUint32(long, math.MaxUint32)
	if _, _, err := f.Decode(long); err == nil || !strings.Contains(err.Error(), "more than the") {
		t.Errorf("a frame of 4 GiB: %v", err)
	}
}

func TestRowsCodecRefusesTypes(t *testing.T) {
	if _, err := NewRowsCodec[func()](); err == nil || !strings.Contains(err.Error(), "cannot be sent to another process") {
		t.Error(err)
	}
}

// perByteMax bounds what decoding may allocate for each byte of a frame: the largest for its bytes is wide, with 112 bytes of at least 22,
// and its lists of strings, 16 bytes for one.
const (
	perByteMax = 256
	atLeast    = 64 << 10 // what the runtime does beside
)

// FuzzDecode never panics, and never takes more memory than the frame's length is good for. What it accepts is sent again unchanged. The
// checksum is made right, or nothing would ever come behind it.
func FuzzDecode(f *testing.F) {
	frames := framesOf[wide](f)
	n := int32(3)
	b := NewRows[wide]()
	b.Append(wide{S: "a", L: []string{"b", ""}, M: map[string]int64{"k": 1}, P: &n, B: []byte{}}, 1, true)
	b.Append(wide{}, 2, true)
	b.Head.Hashes = append(b.Head.Hashes, 1, 2)
	for _, e := range []Element{{Kind: KindBatch, Batch: b}, {Kind: KindWatermark, Time: 5}, {Kind: KindStatus, Idle: true}, {Kind: KindEnd},
		{Kind: KindBarrier, Barrier: Barrier{ID: 3, Options: checkpoint.Options{Kind: checkpoint.Savepoint, Stop: checkpoint.Drain}}}} {
		wire, err := frames.Append(nil, &e)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(wire, true)
	}
	f.Add([]byte{255, 255, 255, 255}, false)
	f.Fuzz(func(t *testing.T, src []byte, repair bool) {
		if repair && len(src) >= frameHeader {
			binary.LittleEndian.PutUint32(src[4:], crc32.Checksum(src[8:min(len(src), frameHeader+int(binary.LittleEndian.Uint32(src)))], castagnoli))
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		e, n, err := frames.Decode(src)
		runtime.ReadMemStats(&after)
		if took, most := after.TotalAlloc-before.TotalAlloc, uint64(atLeast+perByteMax*len(src)); took > most {
			t.Fatalf("%d bytes took %d bytes of memory", len(src), took)
		}
		if err != nil {
			return
		}
		wire, err := frames.Append(nil, &e)
		if err != nil || n > len(src) {
			t.Fatalf("%d of %d bytes, %v", n, len(src), err)
		}
		again, m, err := frames.Decode(wire)
		if err != nil || m != len(wire) || e.Kind != again.Kind {
			t.Fatalf("%v, %d of %d bytes", err, m, len(wire))
		}
		twice, err := frames.Append(nil, &again)
		if err != nil || !slices.Equal(wire, twice) {
			t.Fatalf("%v: sent again it is\n%x, not\n%x", err, twice, wire)
		}
	})
}
