package cli

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/flottio/flott/internal/checkpoint"
	"github.com/flottio/flott/internal/keygroup"
	"github.com/flottio/flott/internal/state"
)

type content struct {
	*bytes.Reader
	io.Closer
}

func contentOf(b []byte) content { return content{bytes.NewReader(b), nil} }

// Damage inside a file of keyed state is found and named though the file's digest were right; files of other kinds are left alone.
func TestVerifyState(t *testing.T) {
	b, err := state.NewBackend(state.Config{Groups: state.Groups{End: 1, Max: 1}})
	if err != nil {
		t.Fatal(err)
	}
	d, _ := state.Describe[int64, int64]()
	table, err := state.RegisterTable(b, "op", "counts", d)
	if err != nil {
		t.Fatal(err)
	}
	key := int64(7)
	if _, err := table.UpsertOne(key, table.Hash(&key)); err != nil {
		t.Fatal(err)
	}
	snapshot, err := b.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	defer snapshot.Release()
	var file bytes.Buffer
	if _, err := snapshot.Write(&file); err != nil {
		t.Fatal(err)
	}
	keyed := checkpoint.Handle{Path: "keyed"}
	if err := verifyState(keyed, contentOf(file.Bytes())); err != nil {
		t.Fatal(err)
	}
	// The last byte before the foot belongs to the payload of the only segment.
	at := bytes.Index(file.Bytes(), []byte{0x46, 0x74, 0x53, 0x47}) + 30
	file.Bytes()[at] ^= 1
	err = verifyState(keyed, contentOf(file.Bytes()))
	if err == nil || !strings.Contains(err.Error(), `snapshot file keyed is damaged`) || !strings.Contains(err.Error(), `"counts"`) {
		t.Fatal(err)
	}
	if err := verifyState(checkpoint.Handle{Path: "list"}, contentOf([]byte("elements of a list"))); err != nil {
		t.Fatal(err)
	}
	keyed.KeyGroups = keygroup.Range{First: 3, Last: 9}
	if err := verifyState(keyed, contentOf([]byte("elements of a list"))); err == nil {
		t.Fatal("keyed state that is no snapshot file is not found")
	}
}
