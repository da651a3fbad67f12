package pebblestate_test

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/flottio/flott/internal/state"
	"github.com/flottio/flott/internal/state/pebblestate"
	"github.com/flottio/flott/internal/state/statetest"
)

func open(t testing.TB) state.Store {
	s, err := pebblestate.OpenWith("d", pebblestate.Options{MemoryBytes: 4 << 20, FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSuite(t *testing.T) { statetest.Run(t, open, statetest.Memory) }

// The hashmap backend, restored into the other one: here, because it needs both.
func TestSuiteOfMemory(t *testing.T) { statetest.Run(t, statetest.Memory, open) }
