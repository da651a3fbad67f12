package print

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/flottio/flott/connector/internal/harness"
	"github.com/flottio/flott/internal/record"
)

type count struct {
	URL string
	N   int
}

type named struct{ n int }

func (n named) String() string { return "named" }

func printed[T any](t *testing.T, subtasks int, opts []Option, rows ...T) string {
	t.Helper()
	var out bytes.Buffer
	w, err := Sink[T](append(opts, To(&out))...).NewWriter(&harness.Writing{Ctx: context.Background(), Index: 1, Subtasks: subtasks}, nil)
	if err != nil {
		t.Fatal(err)
	}
	b := record.NewRows[T]()
	b.Rows = append(b.Rows, rows...)
	if err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestPrint(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{printed(t, 1, nil, "a", "b"), "a\nb\n"},
		{printed(t, 4, nil, "a", "b"), "2> a\n2> b\n"},
		{printed(t, 4, []Option{Name("out")}, 7), "out:2> 7\n"},
		{printed(t, 1, []Option{Name("out")}, int64(-7)), "out> -7\n"},
		{printed(t, 1, nil, count{"/a", 3}), "{URL:/a N:3}\n"},
		{printed(t, 1, nil, named{3}), "named\n"},
		{printed(t, 1, nil, []byte("raw")), "raw\n"},
		{printed[string](t, 1, nil), ""},
	} {
		if c.got != c.want {
			t.Errorf("printed %q, want %q", c.got, c.want)
		}
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestBrokenOutput(t *testing.T) {
	w, _ := Sink[int](To(broken{})).NewWriter(&harness.Writing{Subtasks: 1}, nil)
	b := record.NewRows[int]()
	b.Rows = append(b.Rows, 1)
	if err := w.Write(b); err == nil || err.Error() != "printing 1 records: broken pipe" {
		t.Errorf("error %v", err)
	}
}
