package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestRowsDoTheSame runs each row that has a loop of its own on little input; run compares the sums of job and loop.
func TestRowsDoTheSame(t *testing.T) {
	for _, r := range rows() {
		if r.special != nil {
			continue
		}
		r.records = 1 << 15
		for _, cores := range r.cores {
			results, err := r.run(cores, options{rounds: 1})
			if err != nil {
				t.Fatal(err)
			}
			if x := results[0]; x.Name != r.name || x.Cores != cores || x.Ratio <= 0 || x.NsPerRecord <= 0 || x.LoopNsPerRecord <= 0 {
				t.Errorf("%+v", x)
			}
		}
	}
}

// TestFile checks the keys of what is written.
func TestFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "bench.json")
	if err := write(file, []result{{Name: "a", Cores: 2, Ratio: 0.5}}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var list []map[string]any
	if err := json.Unmarshal(text, &list); err != nil {
		t.Fatal(err)
	}
	var keys []string
	for k := range list[0] {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	want := []string{"allocs_per_record", "cores", "loop_ns_per_record", "name", "ns_per_record", "ratio"}
	if !slices.Equal(keys, want) {
		t.Errorf("keys %v, want %v", keys, want)
	}
}
