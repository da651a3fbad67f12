package checkpoint

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/flottio/flott/internal/keygroup"
	"github.com/flottio/flott/internal/watermark"
)

func sampleManifest() *Manifest {
	file := func(path string, length int64) *Handle {
		return &Handle{Path: path, Format: "canonical/1", Length: length, Digest: sha256.Sum256([]byte(path))}
	}
	keyed := *file("map-0.state", 4096)
	keyed.KeyGroups = keygroup.Range{First: 0, Last: 63}
	shared := *file("shared/sst-17", 1<<40)
	shared.KeyGroups, shared.Shared = keygroup.Range{First: 64, Last: 127}, true
	return &Manifest{
		JobName: "clicks", JobID: "7f3a", Graph: "abcd", CodeVersion: "v0.1.0", ID: 17, Kind: Savepoint, Stop: Drain,
		TriggeredMs: 1_700_000_000_000, KeyHash: "xxh3-64/1 seed 0x5eed",
		Operators: []Operator{
			{
				UID: "source-id", Name: "Source: clicks", Parallelism: 1, MaxParallelism: 128,
				States:     []State{{Name: "splits", Kind: SplitList, ValueSchema: "bytes"}},
				Enumerator: &Handle{Format: "file/1", Length: 3, Inline: []byte{0, 1, 255}},
				Subtasks: []Subtask{{
					Watermark: watermark.None,
					Lists:     []OperatorState{{Name: "splits", Kind: SplitList, Elements: [][]byte{[]byte("a:0"), {}}}},
				}},
			},
			{
				UID: "mapper-id", Name: "map <\"ü\u2028&>", Parallelism: 2, MaxParallelism: 128,
				States: []State{
					{Name: "count", Kind: ValueState, KeySchema: "string", ValueSchema: "struct{N int64}"},
					{Name: "tx", Kind: UnionList}, {Name: "rules", Kind: Broadcast}, {Name: "timers", Kind: TimerState},
				},
				Subtasks: []Subtask{
					{Watermark: 42, Inputs: []watermark.Input{{Watermark: 42}, {Watermark: 50, Idle: true}}, Keyed: []Handle{keyed}},
					{
						Watermark: watermark.End, Finished: true, Keyed: []Handle{shared},
						Lists: []OperatorState{{Name: "tx", Kind: UnionList, File: file("tx-1", 10), Offsets: []int64{0, 0, 10}}},
					},
				},
			},
		},
	}
}

func mustEncode(t testing.TB, m *Manifest) []byte {
	t.Helper()
	data, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestManifestRoundTrip(t *testing.T) {
	m := sampleManifest()
	data := mustEncode(t, m)
	back, err := ParseManifest(data)
	if err != nil {
		t.Fatal(err)
	}
	again := mustEncode(t, back)
	if !bytes.Equal(data, again) {
		t.Errorf("encoded again it differs:\n%s\n%s", data, again)
	}
	if back.Operators[1].Subtasks[0].Inputs[1] != m.Operators[1].Subtasks[0].Inputs[1] ||
		back.Operators[1].Subtasks[1].Keyed[0].Digest != m.Operators[1].Subtasks[1].Keyed[0].Digest ||
		!bytes.Equal(back.Operators[0].Enumerator.Inline, []byte{0, 1, 255}) ||
		back.Operators[0].Subtasks[0].Watermark != math.MinInt64 || back.Operators[1].Subtasks[1].Watermark != math.MaxInt64 ||
		back.Operators[0].Subtasks[0].Lists[0].Len() != 2 || back.Operators[1].Subtasks[1].Lists[0].Len() != 3 ||
		back.Operators[1].Name != m.Operators[1].Name || back.Stop != Drain {
		t.Errorf("it came back as %+v", back)
	}
	if !bytes.Contains(data, []byte(`"uid": "mapper-id"`)) {
		t.Errorf("a person cannot read it:\n%s", data)
	}
}

// C7: every single bit and every truncation, not a sample.
func TestEveryDamageToAManifestIsDetected(t *testing.T) {
	data := mustEncode(t, sampleManifest())
	damaged := bytes.Clone(data)
	for i := range data {
		for bit := range 8 {
			damaged[i] ^= 1 << bit
			if m, err := ParseManifest(damaged); err == nil || m != nil || !errors.Is(err, ErrDamaged) {
				t.Fatalf("bit %d of byte %d flipped: %v", bit, i, err)
			}
			damaged[i] = data[i]
		}
	}
	for n := range data {
		if _, err := ParseManifest(data[:n]); !errors.Is(err, ErrDamaged) {
			t.Fatalf("cut to %d bytes: %v", n, err)
		}
	}
	if _, err := ParseManifest(append(damaged, 0)); !errors.Is(err, ErrDamaged) {
		t.Fatalf("a byte too many: %v", err)
	}
}

// frame wraps a body as Encode does, with a right digest.
func frame(format uint32, body string, size int) []byte {
	out := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32([]byte(manifestMagic), format), uint64(size))
	out = append(out, body...)
	d := sha256.Sum256(out)
	return append(out, d[:]...)
}

func bodyOf(t testing.TB, m *Manifest) string {
	data := mustEncode(t, m)
	return string(data[manifestHeaderBytes : len(data)-sha256.Size])
}

func TestManifestRefusesWhatItDoesNotUnderstand(t *testing.T) {
	body := bodyOf(t, sampleManifest())
	for _, c := range []struct {
		name   string
		data   []byte
		is     error
		detail string
	}{
		{"newer", frame(2, body, len(body)), ErrNewerFormat, `"v0.1.0": it needs a version that reads format >= 2, this one reads up to 1`},
		{"newer, other body", frame(9, "\x00\x01", 2), ErrNewerFormat, "format >= 9"},
		{"format 0", frame(0, body, len(body)), ErrDamaged, "no format 0"},
		{"size", frame(1, body, len(body)+1), ErrDamaged, "expected a body of"},
		{"unknown field", frame(1, strings.Replace(body, `"graph"`, `"giraffe"`, 1), len(body)+2), ErrDamaged, "giraffe"},
		{"two values", frame(1, body+"{}", len(body)+2), ErrDamaged, ""},
		{"duplicate name", frame(1, strings.Replace(body, "{", `{"jobId":"1",`, 1), len(body)+12), ErrDamaged, "duplicate"},
		{"other case", frame(1, strings.Replace(body, `"jobName"`, `"jobname"`, 1), len(body)), ErrDamaged, "jobname"},
		{"empty", frame(1, "{}", 2), ErrDamaged, "job name"},
		{"deep", frame(1, strings.Repeat("[", 5000), 5000), ErrDamaged, ""},
		{"other file", []byte(strings.Repeat("not a manifest at all, but long enough ", 3)), ErrDamaged, `found "not a ma"`},
	} {
		_, err := ParseManifest(c.data)
		if !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.detail) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// brokenManifests are changes to the sample, by what must be said about them.
var brokenManifests = map[string]func(m *Manifest){
	`checkpoint id 0 is not positive`: func(m *Manifest) {
		m.ID = 0
	},
	`the key hash "" is empty`: func(m *Manifest) {
		m.KeyHash = ""
	},
	`the job name "\xff" is empty`: func(m *Manifest) {
		m.JobName = "\xff"
	},
	`a checkpoint cannot stop`: func(m *Manifest) {
		m.Kind = Periodic
	},
	`uid "source-id" occurs twice`: func(m *Manifest) {
		m.Operators[1].UID = "source-id"
	},
	`operator "source-id": parallelism 1, max parallelism 0`: func(m *Manifest) {
		m.Operators[0].MaxParallelism = 0
	},
	`parallelism 2, max parallelism 1`: func(m *Manifest) {
		m.Operators[1].MaxParallelism = 1
	},
	`it has 2 subtasks at parallelism 3`: func(m *Manifest) {
		m.Operators[1].Parallelism = 3
	},
	`state "count" occurs twice`: func(m *Manifest) {
		m.Operators[1].States[3].Name = "count"
	},
	`has unknown kind 0`: func(m *Manifest) {
		m.Operators[1].States[0].Kind = 0
	},
	`subtask 0: key groups 0-128 are not within 0-127`: func(m *Manifest) {
		m.Operators[1].Subtasks[0].Keyed[0].KeyGroups.Last = 128
	},
	`key groups 5-4`: func(m *Manifest) {
		m.Operators[1].Subtasks[0].Keyed[0].KeyGroups = keygroup.Range{First: 5, Last: 4}
	},
	`length -1 is negative`: func(m *Manifest) {
		m.Operators[1].Subtasks[0].Keyed[0].Length = -1
	},
	`file "map-0.state" has no digest`: func(m *Manifest) {
		m.Operators[1].Subtasks[0].Keyed[0].Digest = Digest{}
	},
	`path "../x" leads out`: func(m *Manifest) {
		m.Operators[1].Subtasks[0].Keyed[0].Path = "../x"
	},
	`is in a file and inline`: func(m *Manifest) {
		m.Operators[1].Subtasks[0].Keyed[0].Inline = []byte{1}
	},
	`3 bytes inline, length 4`: func(m *Manifest) {
		m.Operators[0].Enumerator.Length = 4
	},
	`1048577 bytes inline, at most 1048576`: func(m *Manifest) {
		m.Operators[0].Enumerator.Inline = make([]byte, MaxInlineBytes+1)
	},
	`operator state "splits" has 1048577 bytes inline`: func(m *Manifest) {
		m.Operators[0].Subtasks[0].Lists[0].Elements[0] = make([]byte, MaxInlineBytes+1)
	},
	`operator state "nix" of kind split-list is not declared`: func(m *Manifest) {
		m.Operators[0].Subtasks[0].Lists[0].Name = "nix"
	},
	`offset 11 of element 2 is out of order`: func(m *Manifest) {
		m.Operators[1].Subtasks[1].Lists[0].Offsets[2] = 11
	},
	`operator state "tx" has offsets, but no file`: func(m *Manifest) {
		m.Operators[1].Subtasks[1].Lists[0].File = nil
	},
	`encoding the manifest of checkpoint 17: kind 0, stop 9 are unknown`: func(m *Manifest) {
		m.Kind, m.Stop = 0, 9
	},
}

func TestManifestValidation(t *testing.T) {
	for want, change := range brokenManifests {
		m := sampleManifest()
		change(m)
		if _, err := m.Encode(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	for path, ok := range map[string]bool{
		"a": true, "a/b.c": true, "..a/b": true, "shared/1": true, "ü": true,
		"": false, "/a": false, "a/": false, "a//b": false, ".": false, "..": false, "a/../b": false, "./a": false, `a\b`: false,
		"c:/x": false, "_metadata": false, "a\x00b": false, "a\xff": false, "a\nb": false,
	} {
		if err := ValidPath(path); (err == nil) != ok {
			t.Errorf("path %q: %v", path, err)
		}
	}
}

func TestManifestRoundTripsForAnyContent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawManifest(t)
		data, err := m.Encode()
		if err != nil {
			t.Fatal(err)
		}
		back, err := ParseManifest(data)
		if err != nil {
			t.Fatal(err)
		}
		again, err := back.Encode()
		if err != nil || !bytes.Equal(data, again) {
			t.Fatalf("%v\n%s\n%s", err, data, again)
		}
		flip := rapid.IntRange(0, len(data)*8-1).Draw(t, "flip")
		data[flip/8] ^= 1 << (flip % 8)
		if _, err := ParseManifest(data); err == nil {
			t.Fatalf("bit %d flipped, nothing noticed", flip)
		}
	})
}

func FuzzManifest(f *testing.F) {
	data := mustEncode(f, sampleManifest())
	f.Add(data)
	f.Add(data[manifestHeaderBytes : len(data)-sha256.Size])
	f.Add([]byte(`{"operators":[{"subtasks":[{}]}]}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		for _, data := range [][]byte{in, frame(ManifestFormat, string(in), len(in))} { // also behind the digest
			m, err := ParseManifest(data)
			if err != nil {
				continue
			}
			again, err := m.Encode()
			if err != nil {
				t.Fatalf("parsed, but not encoded: %v", err)
			}
			back, err := ParseManifest(again)
			if err != nil {
				t.Fatalf("encoded, but not parsed: %v", err)
			}
			if third := mustEncode(t, back); !bytes.Equal(again, third) {
				t.Fatalf("not stable:\n%s\n%s", again, third)
			}
		}
	})
}
