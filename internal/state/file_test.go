package state

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func allGroups(max int) Groups { return Groups{First: 0, End: max, Max: max} }

func mustBackend(t testing.TB, g Groups, s Store, cacheBytes int) *Backend {
	t.Helper()
	b, err := NewBackend(Config{Groups: g, Store: s, CacheBytes: cacheBytes})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func mustTable[V any](t testing.TB, b *Backend, uid, name string) *Table[int64, V] {
	t.Helper()
	d, err := Describe[int64, V]()
	if err != nil {
		t.Fatal(err)
	}
	tb, err := RegisterTable(b, uid, name, d)
	if err != nil {
		t.Fatal(err)
	}
	return tb
}

func put[V any](t testing.TB, tb *Table[int64, V], k int64, v V) {
	t.Helper()
	p, err := tb.UpsertOne(k, tb.Hash(&k))
	if err != nil {
		t.Fatal(err)
	}
	*p = v
}

func mustWrite(t testing.TB, b *Backend) []byte {
	t.Helper()
	s, err := b.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Release()
	var buf bytes.Buffer
	info, err := s.Write(&buf)
	if err != nil {
		t.Fatal(err)
	}
	if info.Length != int64(buf.Len()) || info.Digest != sha256.Sum256(buf.Bytes()) {
		t.Fatalf("info %+v does not describe what was written (%d bytes)", info, buf.Len())
	}
	return buf.Bytes()
}

func mustOpen(t testing.TB, b []byte) *File {
	t.Helper()
	f, err := OpenFile("f", bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func smallFile(t testing.TB) []byte {
	b := mustBackend(t, allGroups(4), nil, 0)
	counts, names := mustTable[int64](t, b, "op", "counts"), mustTable[[]string](t, b, "op", "names")
	for k := range int64(12) {
		put(t, counts, k, 100+k)
		put(t, names, k, []string{fmt.Sprint("name", k), ""})
	}
	return mustWrite(t, b)
}

// readAll restores everything in a file, and says how that ended.
func readAll(src []byte) error {
	f, err := OpenFile("f", bytes.NewReader(src), int64(len(src)))
	if err != nil {
		return err
	}
	b, err := NewBackend(Config{Groups: allGroups(4)})
	if err != nil {
		return err
	}
	if err := b.Restore(f); err != nil {
		return err
	}
	d, err := Describe[int64, int64]()
	if err != nil {
		return err
	}
	if _, err := RegisterTable(b, "op", "counts", d); err != nil {
		return err
	}
	n, err := Describe[int64, []string]()
	if err != nil {
		return err
	}
	_, err = RegisterTable(b, "op", "names", n)
	return err
}

func TestFileEveryByteFlippedIsFound(t *testing.T) {
	whole := smallFile(t)
	if err := readAll(whole); err != nil {
		t.Fatal(err)
	}
	if d := Verify("f", bytes.NewReader(whole), int64(len(whole))); len(d) != 0 {
		t.Fatal(d)
	}
	for i := range whole {
		for _, flip := range []byte{0x01, 0x80, 0xff} {
			bad := bytes.Clone(whole)
			bad[i] ^= flip
			err := readAll(bad)
			var damage *DamageError
			if !errors.As(err, &damage) || !strings.Contains(err.Error(), "snapshot file f is damaged at offset") {
				t.Fatalf("byte %d flipped by %#x: %v", i, flip, err)
			}
			if d := Verify("f", bytes.NewReader(bad), int64(len(bad))); len(d) != 1 {
				t.Fatalf("byte %d flipped by %#x: Verify finds %v", i, flip, d)
			}
		}
	}
}

func TestFileEveryTruncationAndExtensionIsFound(t *testing.T) {
	whole := smallFile(t)
	for n := range whole {
		if err := readAll(whole[:n]); err == nil {
			t.Fatalf("cut to %d of %d bytes: not found", n, len(whole))
		}
	}
	if err := readAll(append(bytes.Clone(whole), 0)); err == nil {
		t.Fatal("a byte too many: not found")
	}
	if err := readAll(append(bytes.Clone(whole), whole...)); err == nil {
		t.Fatal("the file twice: not found")
	}
}

func TestFileVerifyListsAllDamage(t *testing.T) {
	whole := smallFile(t)
	f := mustOpen(t, whole)
	for _, s := range f.segs {
		whole[s.offset+segmentBytes] ^= 1
	}
	d := Verify("f", bytes.NewReader(whole), int64(len(whole)))
	if len(d) != len(f.segs) || len(d) != 8 {
		t.Fatalf("%d of %d damaged segments found", len(d), len(f.segs))
	}
	if msg := d[0].Error(); !strings.Contains(msg, `keyed state "counts" of operator "op", key group 0: checksum of`) {
		t.Fatal(msg)
	}
}

func TestFileSameStateGivesSameBytes(t *testing.T) {
	if !bytes.Equal(smallFile(t), smallFile(t)) {
		t.Fatal("two files of one state differ")
	}
}

func FuzzOpenFile(f *testing.F) {
	whole := smallFile(f)
	f.Add(whole)
	f.Add(whole[:len(whole)-1])
	f.Fuzz(func(t *testing.T, src []byte) {
		_ = readAll(src)
		file, err := OpenFile("f", bytes.NewReader(src), int64(len(src)))
		if err == nil && file.Entries(0) < 0 {
			t.Fatal("negative")
		}
		// The parsers behind the checksums must stand hostile bytes as well.
		if h, err := parseHead(src); err == nil {
			_, _ = parseFoot(src, h, 0, int64(len(src)))
		}
	})
}

func TestRestoreErrorsName(t *testing.T) {
	src := smallFile(t)
	refuse := func(name, want string, do func() error) {
		t.Run(name, func(t *testing.T) {
			if err := do(); err == nil || !strings.Contains(err.Error(), want) {
				t.Fatalf("got %v, want %q in it", err, want)
			}
		})
	}
	refuse("max parallelism", "written with max parallelism 4, the operator has 8", func() error {
		return mustBackend(t, allGroups(8), nil, 0).Restore(mustOpen(t, src))
	})
	refuse("changed value type", "restoring keyed state \"counts\" of operator \"op\" from f:", func() error {
		b := mustBackend(t, allGroups(4), nil, 0)
		_ = b.Restore(mustOpen(t, src))
		d, _ := Describe[int64, string]()
		_, err := RegisterTable(b, "op", "counts", d)
		return err
	})
	refuse("changed key type", "the type of the keys has changed", func() error {
		b := mustBackend(t, allGroups(4), nil, 0)
		_ = b.Restore(mustOpen(t, src))
		d, _ := Describe[string, int64]()
		_, err := RegisterTable(b, "op", "counts", d)
		return err
	})
	refuse("registered twice", "it is registered already", func() error {
		b := mustBackend(t, allGroups(4), nil, 0)
		_ = mustTable[int64](t, b, "op", "counts")
		d, _ := Describe[int64, int64]()
		_, err := RegisterTable(b, "op", "counts", d)
		return err
	})
	refuse("the same file twice", "keys are there twice", func() error {
		b := mustBackend(t, allGroups(4), nil, 0)
		_ = b.Restore(mustOpen(t, src), mustOpen(t, src))
		d, _ := Describe[int64, int64]()
		_, err := RegisterTable(b, "op", "counts", d)
		return err
	})
	b := mustBackend(t, allGroups(4), nil, 0)
	_ = b.Restore(mustOpen(t, src))
	_ = mustTable[int64](t, b, "op", "counts")
	if left := b.CheckRestored(); len(left) != 1 || left[0].Name != "names" {
		t.Fatalf("states without a home: %v", left)
	}
}
