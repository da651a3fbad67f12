package pebblestate

import (
	"fmt"
	"testing"
)

// Small memtables are not written before there are enough of them: waiting for that would be for ever. Writes far beyond the memory must
// go through, and be read back.
func TestWritesBeyondTheMemory(t *testing.T) {
	s, err := Open(t.TempDir()+"/s", 4<<20)
	if err != nil {
		t.Fatal(err)
	}
	val := make([]byte, 500)
	const n = 60_000 // 30 MB
	for i := range n {
		if err := s.Set(fmt.Appendf(nil, "key%d", i*7919%n), val); err != nil {
			t.Fatal(err)
		}
		if i%1000 == 0 {
			if _, ok, err := s.Get(fmt.Appendf(nil, "key%d", i*7919%n), nil); !ok || err != nil {
				t.Fatal(i, ok, err)
			}
		}
	}
	if m := s.db.Metrics(); m.MemTable.Size > 2*s.memtablesBytes {
		t.Fatalf("memtables take %d bytes, the limit is %d", m.MemTable.Size, s.memtablesBytes)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// Pebble takes memtables out of the block cache: there must be room for blocks all the same, or each read of one key loads filters, index
// and data anew.
func TestBlocksStayCachedWhileMemtablesAreFull(t *testing.T) {
	s, err := Open(t.TempDir()+"/s", 4<<20)
	if err != nil {
		t.Fatal(err)
	}
	key, val := []byte("often read"), make([]byte, 500)
	if err := s.Set(key, val); err != nil {
		t.Fatal(err)
	}
	for i := range 60_000 { // 30 MB, so that the key is on disk and all memtables have their full size
		if err := s.Set(fmt.Appendf(nil, "key%d", i), val); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.db.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := s.db.Compact(t.Context(), []byte("a"), []byte("z"), false); err != nil {
		t.Fatal(err)
	}
	before := s.db.Metrics().BlockCache.Misses
	for range 100 {
		if _, ok, err := s.Get(key, nil); !ok || err != nil {
			t.Fatal(ok, err)
		}
	}
	if misses := s.db.Metrics().BlockCache.Misses - before; misses > 10 {
		t.Fatalf("100 reads of one key missed the block cache %d times", misses)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
