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
