package file

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/flottio/flott"
	"github.com/flottio/flott/connector/internal/harness"
	"github.com/flottio/flott/format"
	"github.com/flottio/flott/format/csv"
	"github.com/flottio/flott/format/json"
	"github.com/flottio/flott/internal/record"
)

type click struct {
	URL  string `json:"url" csv:"url"`
	User string `json:"user" csv:"user"`
	TS   int64  `json:"ts" csv:"ts"`
}

func clicks(n int) []click {
	all := make([]click, n)
	for i := range all {
		all[i] = click{fmt.Sprintf("/page/%d", i%100), fmt.Sprintf("user \"%d\",\nof two lines", i%7), int64(1700000000000 + i)}
	}
	return all
}

func encoded[T any](t testing.TB, f format.Format[T], rows []T) string {
	t.Helper()
	enc, err := f.NewEncoder()
	if err != nil {
		t.Fatal(err)
	}
	out := bytes.Clone(f.Header())
	for i := range rows {
		if out, err = enc.Append(out, &rows[i]); err != nil {
			t.Fatal(err)
		}
		out = append(out, f.Separator()...)
	}
	return string(out)
}

// TestFormats reads what the formats write, cut into splits at many sizes, compressed and not, with restarts at other parallelisms.
func TestFormats(t *testing.T) {
	rows := clicks(200)
	for name, f := range map[string]format.Format[click]{"json": json.Of[click](), "csv": csv.Of[click](), "csv with header": csv.Of[click](csv.Header())} {
		text := encoded(t, f, rows)
		dir := t.TempDir()
		paths := []string{write(t, filepath.Join(dir, "a.txt"), text), write(t, filepath.Join(dir, "a.gz"), gzipped(text))}
		if name != "json" { // which refuses a byte order mark
			paths = append(paths, write(t, filepath.Join(dir, "bom.txt"), "\ufeff"+text))
		}
		for _, path := range paths {
			for _, size := range []int64{1, 3, 17, 100, 1000, 1 << 20} {
				for every := range 2 {
					j := &harness.Job[click]{Source: Source(path, f, SplitSize(size)), NewBatch: record.NewRows[click]}
					if err := j.Run(t.Context(), every, 1, 3, 2); err != nil {
						t.Fatalf("%s, %s, splits of %d: %v", name, path, size, err)
					}
					slices.SortFunc(j.Read, func(a, b click) int { return int(a.TS - b.TS) })
					if !slices.Equal(j.Read, rows) {
						t.Fatalf("%s, %s, splits of %d, restarted every %d: %d records", name, path, size, every, len(j.Read))
					}
				}
			}
		}
	}
}

// TestBadJSON says file, line, column, field and text of a record that cannot be decoded.
func TestBadJSON(t *testing.T) {
	path := write(t, filepath.Join(t.TempDir(), "clicks.jsonl"), `{"url":"/a","user":"u","ts":1}`+"\n\n"+`{"url":"/b","user":7,"ts":2}`+"\n"+`{"url":`+"\n")
	src := Source(path, json.Of[click]())
	ec := newEnumCtx(t, 1)
	e, _ := src.NewEnumerator(ec, nil)
	e.Start()
	e.Request(0)
	ctx := &readCtx{}
	r, _ := src.NewReader(ctx)
	r.Assign(ec.assigned[0])
	b := record.NewRows[click]()
	if _, err := r.Read(b); err != nil || len(b.Rows) != 1 || len(ctx.bad) != 2 {
		t.Fatalf("%v %v %v", b.Rows, ctx.bad, err)
	}
	for i, want := range []string{"3:20 column 20, field \"user\": wrong type", "4:8 column 8"} {
		x := ctx.bad[i]
		if got := fmt.Sprintf("%d:%d %v", x.Line, x.Column, x.Err); x.Split != path || !strings.HasPrefix(got, want) {
			t.Errorf("got %s, want %s...", got, want)
		}
	}
}

func BenchmarkJSON(b *testing.B) {
	f := json.Of[click]()
	text := encoded(b, f, clicks(200000))
	path := write(b, filepath.Join(b.TempDir(), "f"), text)
	b.Run("decoder alone", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		data := []byte(text)
		for range b.N {
			dec, _ := f.NewDecoder()
			framer := f.NewFramer()
			rows := make([]click, 1024)
			for at, n := 0, 0; ; n++ {
				rec, advance, _ := framer.Next(data[at:], true)
				if rec == nil {
					break
				}
				if err := dec.Decode(rec, &rows[n%1024]); err != nil {
					b.Fatal(err)
				}
				at += advance
			}
		}
	})
	b.Run("source", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for range b.N {
			drain(b, Source(path, f))
		}
	})
}

// drain reads a source with one subtask to its end.
func drain[T any](b *testing.B, src flott.Source[T]) (n int) {
	ec := newEnumCtx(b, 1)
	e, _ := src.NewEnumerator(ec, nil)
	e.Start()
	e.Request(0)
	r, _ := src.NewReader(&readCtx{})
	r.Assign(ec.assigned[0])
	r.NoMoreSplits()
	for {
		rows := record.NewRows[T]()
		status, err := r.Read(rows)
		if err != nil {
			b.Fatal(err)
		}
		n += rows.Len()
		rows.Release()
		if status == flott.End {
			return n
		}
	}
}
