package state

import (
	"bytes"
	"flag"
	"os"
	"reflect"
	"testing"
)

var rewriteGolden = flag.Bool("rewrite", false, "write testdata/snapshot-v1.bin anew: only when the version of the format changes")

const goldenFile = "testdata/snapshot-v1.bin"

// goldenAccount has a field of each shape that state commonly has.
type goldenAccount struct {
	Name    string
	Balance int64
	Rate    float64
	Open    bool
	Tags    []string
	Limits  map[string]int64
	Note    *string
}

func goldenAccounts() map[int64]goldenAccount {
	note := "spricht Deutsch: äöü"
	return map[int64]goldenAccount{
		-1:      {},
		0:       {Name: "zero", Tags: []string{""}, Limits: map[string]int64{}},
		7:       {Name: "Ada", Balance: -123456789, Rate: 0.25, Open: true, Tags: []string{"a", "b"}, Limits: map[string]int64{"day": 100}},
		1 << 40: {Name: "far", Balance: 1<<63 - 1, Rate: -1e300, Note: &note},
	}
}

func goldenTables(t *testing.T, restore ...*File) (*Backend, *Table[int64, int64], *Table[int64, goldenAccount]) {
	b := mustBackend(t, allGroups(4), nil, 0)
	if err := b.Restore(restore...); err != nil {
		t.Fatal(err)
	}
	return b, mustTable[int64](t, b, "op", "counts"), mustTable[goldenAccount](t, b, "op-2", "accounts")
}

// A file that version 1 of the format has written is read by this code, value by value, and written again byte by byte. Files of users
// are in this format: a difference is a change of format, which needs a new version and a reader of the old one.
func TestGoldenSnapshotV1(t *testing.T) {
	b, counts, accounts := goldenTables(t)
	for k := range int64(100) {
		put(t, counts, k*k, -k)
	}
	for _, k := range []int64{-1, 0, 7, 1 << 40} {
		put(t, accounts, k, goldenAccounts()[k])
	}
	now := mustWrite(t, b)
	if *rewriteGolden {
		if err := os.WriteFile(goldenFile, now, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := os.ReadFile(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	if damage := Verify(goldenFile, bytes.NewReader(golden), int64(len(golden))); damage != nil {
		t.Fatal(damage)
	}
	b, counts, accounts = goldenTables(t, mustOpen(t, golden))
	if left := b.CheckRestored(); len(left) > 0 || counts.Len() != 100 || accounts.Len() != 4 {
		t.Fatalf("%d counts, %d accounts, states without a home: %v", counts.Len(), accounts.Len(), left)
	}
	for k := range int64(100) {
		key := k * k
		if v, err := counts.Get(key, counts.Hash(&key)); err != nil || v == nil || *v != -k {
			t.Fatalf("count of %d: %v, %v", key, v, err)
		}
	}
	for k, want := range goldenAccounts() {
		if v, err := accounts.Get(k, accounts.Hash(&k)); err != nil || v == nil || !reflect.DeepEqual(*v, want) {
			t.Fatalf("account %d: %+v, %v, want %+v", k, v, err, want)
		}
	}
	if !bytes.Equal(now, golden) {
		t.Fatal("the same state is written as other bytes than version 1 of the format has: raise fileVersion, and read both")
	}
}
