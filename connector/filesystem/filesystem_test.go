package filesystem

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/flottio/flott"
	"github.com/flottio/flott/column"
	"github.com/flottio/flott/connector/internal/harness"
	"github.com/flottio/flott/internal/record"
	"github.com/flottio/flott/sql/table"
)

func definition(dir, format string, more ...string) *table.Definition {
	d := &table.Definition{Path: "t", Options: map[string]string{"connector": "filesystem", "path": dir, "format": format}, Columns: []table.Column{
		{Name: "id", Type: column.Of(column.BigInt)}, {Name: "name", Type: column.StringType()}, {Name: "ts", Type: column.TimestampType(3)},
		{Name: "dt", Type: column.StringType()}, {Name: "hr", Type: column.Of(column.Int)}}}
	for i := 0; i < len(more); i += 2 {
		d.Options[more[i]] = more[i+1]
	}
	return d
}

// rows makes n rows; ids begin at from.
func rows(from, n int) *column.Batch {
	d := definition("", "")
	var types []column.Type
	for _, c := range d.Columns {
		types = append(types, c.Type)
	}
	b := column.NewBatch(types)
	for i := from; i < from+n; i++ {
		var dt any = fmt.Sprintf("2024-01-%02d", 1+i%2)
		if i%10 == 9 {
			dt = nil
		}
		b.AppendRow(0, int64(i), fmt.Sprint("n,\"", i%7), int64(i)*1000, dt, int32(i%3))
	}
	return &b
}

// write runs a sink: batches, with a checkpoint behind each, of which only those that commit are completed.
func write(t *testing.T, d *table.Definition, ends bool, batches ...*column.Batch) {
	t.Helper()
	s, err := Factory{}.Sink(d, table.InsertOnly)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	if err := s.(flott.Recoverer).Recover(context.Background(), flott.Recovery{UID: "sink", JobID: "job"}); err != nil {
		t.Fatal(err)
	}
	w, err := s.NewWriter(&harness.Writing{Ctx: context.Background(), Subtasks: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, b := range batches {
		in := record.NewRows[*column.Batch]()
		in.Append(b, 0, false)
		if err := w.Write(in); err != nil {
			t.Fatal(err)
		}
		flush, err := w.Prepare(flott.Preparation{Checkpoint: int64(i + 1), Last: ends && i == len(batches)-1})
		if err != nil {
			t.Fatal(err)
		}
		p, err := flush(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // a commit may be repeated
			if err := s.(flott.Committer).Commit(context.Background(), p.Committables); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// read returns the rows of a table as they are printed, sorted.
func read(t *testing.T, d *table.Definition, every int, change func(table.Source)) []string {
	t.Helper()
	s, err := Factory{}.Source(d)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(s)
	}
	j := &harness.Job[*column.Batch]{Source: s, NewBatch: record.NewRows[*column.Batch]}
	if err := j.Run(context.Background(), every, 1, 3, 2); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, b := range j.Read {
		for i := range b.N {
			all = append(all, string(b.AppendPrinted(nil, i)))
		}
	}
	slices.Sort(all)
	return all
}

func printed(batches ...*column.Batch) []string {
	var all []string
	for _, b := range batches {
		for i := range b.N {
			all = append(all, string(b.AppendPrinted(nil, i)))
		}
	}
	slices.Sort(all)
	return all
}

func equal(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %d rows, want %d", what, len(got), len(want))
		for i := range min(len(got), len(want)) {
			if got[i] != want[i] {
				t.Fatalf("row %d: %s, want %s", i, got[i], want[i])
			}
		}
	}
}

// TestRoundTrip writes tables with and without partitions in each format and reads them back, with restarts at every batch, projected, and of one
// partition.
func TestRoundTrip(t *testing.T) {
	for _, format := range []string{"json", "csv", "parquet"} {
		for _, keys := range [][]int{nil, {3}, {3, 4}} {
			t.Run(fmt.Sprint(format, keys), func(t *testing.T) {
				d := definition(t.TempDir(), format, "csv.null-literal", "NULL", "sink.rolling-policy.file-size", "20kb")
				if len(keys) > 0 {
					d.Options["sink.partition-commit.policy.kind"] = "success-file"
				}
				d.PartitionKeys = keys
				want := printed(rows(0, 3000), rows(3000, 2500))
				write(t, d, true, rows(0, 3000), rows(3000, 2500))
				for every := range 3 {
					equal(t, fmt.Sprint("restarted every ", every), read(t, d, every, nil), want)
				}
				two := read(t, d, 1, func(s table.Source) { s.Project([]int{4, 0}) })
				if len(two) != 5500 || !slices.Contains(two, "+I[2, 5]") {
					t.Errorf("projected: %d rows, like %s", len(two), two[0])
				}
				if n := len(read(t, d, 0, func(s table.Source) { s.Project(nil) })); n != 5500 {
					t.Errorf("%d rows without columns", n)
				}
				if len(keys) == 0 {
					return
				}
				some := read(t, d, 0, func(s table.Source) {
					s.(table.FilterPusher).PushFilter([]table.Comparison{{Column: 3, Op: "=", Value: "2024-01-01"}})
				})
				for _, r := range some {
					if !strings.Contains(r, "2024-01-01") {
						t.Fatalf("row of another partition: %s", r)
					}
				}
				if len(some) != 2750 {
					t.Errorf("%d rows of the partition", len(some))
				}
				found, _ := filepath.Glob(filepath.Join(d.Options["path"], strings.Repeat("*/", len(keys)), "_SUCCESS"))
				if len(found) != map[int]int{1: 3, 2: 9}[len(keys)] {
					t.Errorf("%d partitions are told to be complete", len(found))
				}
			})
		}
	}
}

// TestNothingBeforeTheCommit: rows are seen when their checkpoint is complete, and those behind the last checkpoint never.
func TestNothingBeforeTheCommit(t *testing.T) {
	d := definition(t.TempDir(), "parquet")
	write(t, d, false, rows(0, 10))
	equal(t, "parquet", read(t, d, 0, nil), printed(rows(0, 10)))
	d = definition(t.TempDir(), "json")
	write(t, d, false, rows(0, 10))
	equal(t, "json, whose file goes on", read(t, d, 0, nil), nil)
}

// TestBadRows: the place of what cannot be read, and reading on where the table says so.
func TestBadRows(t *testing.T) {
	dir := t.TempDir()
	text := `{"id":1,"name":"a"}` + "\n" + `{"id":"x","name":"b"}` + "\n<nonsense\n" + `{"id":3}` + "\n"
	if err := os.WriteFile(filepath.Join(dir, "f.json"), []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	d := definition(dir, "json")
	d.Columns = d.Columns[:2]
	s, err := Factory{}.Source(d)
	if err != nil {
		t.Fatal(err)
	}
	j := &harness.Job[*column.Batch]{Source: s, NewBatch: record.NewRows[*column.Batch]}
	if err := j.Run(context.Background(), 0, 1); err != nil {
		t.Fatal(err)
	}
	var places []string
	for _, c := range j.Contexts {
		for _, b := range c.Bad {
			places = append(places, fmt.Sprintf("%s:%d:%d %v", filepath.Base(b.Split), b.Line, b.Column, b.Err))
		}
	}
	want := []string{`f.json:2:7 column 7, field "id": wrong value: expected a whole number that fits BIGINT, got string "x"`,
		"f.json:3:1 column 1: malformed JSON: expected an object, got '<'"}
	equal(t, "bad rows", places, want)
	equal(t, "the others", printed(j.Read...), []string{"+I[1, a]", "+I[3, null]"})
}

// TestWatermarkCutsBatches ends batches before late rows.
func TestWatermarkCutsBatches(t *testing.T) {
	dir := t.TempDir()
	text := ""
	for _, sec := range []int{10, 20, 12, 30, 11, 29} {
		text += fmt.Sprintf(`{"ts":"1970-01-01 00:00:%02d"}`+"\n", sec)
	}
	if err := os.WriteFile(filepath.Join(dir, "f.json"), []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	s, err := Factory{}.Source(definition(dir, "json"))
	if err != nil {
		t.Fatal(err)
	}
	s.Project([]int{0, 2})
	s.(table.WatermarkPusher).PushWatermark(1, 0, 200)
	j := &harness.Job[*column.Batch]{Source: s, NewBatch: record.NewRows[*column.Batch]}
	if err := j.Run(context.Background(), 0, 1); err != nil {
		t.Fatal(err)
	}
	var sizes []int
	for _, b := range j.Read {
		sizes = append(sizes, b.N)
	}
	if fmt.Sprint(sizes) != "[2 3 1]" {
		t.Errorf("batches of %v rows", sizes)
	}
}

// TestPartitionTime: a partition is complete when the watermark has passed its time and the delay.
func TestPartitionTime(t *testing.T) {
	d := definition("/x", "json", "sink.partition-commit.trigger", "partition-time", "sink.partition-commit.policy.kind", "success-file",
		"sink.partition-commit.delay", "1 h", "partition.time-extractor.timestamp-pattern", "$dt $hr:00:00",
		"sink.partition-commit.watermark-time-zone", "Asia/Shanghai")
	d.PartitionKeys = []int{3, 4}
	o := table.NewOptions(d, Factory{}.Options()...)
	c := newLayout(d, o).partitionCommit(o)
	if err := o.Err(); err != nil {
		t.Fatal(err)
	}
	if at, err := c.TimeOf("dt=1970-01-01/hr=09"); err != nil || at != 3600_000 || c.DelayMs != 3600_000 {
		t.Errorf("%d %v, delay %d", at, err, c.DelayMs)
	}
	if _, err := c.TimeOf("dt=soon/hr=1"); err == nil {
		t.Error("soon is no time")
	}
}

// TestOptions: all problems at once.
func TestOptions(t *testing.T) {
	d := definition("s3://x", "jsn", "sink.roling-policy.file-size", "1", "csv.field-delimiter", "ab", "source.monitor-interval", "soon")
	_, err := Factory{}.Source(d)
	for _, want := range []string{"'s3://' is not supported yet", "did you mean 'json'?", "'source.monitor-interval' = 'soon'",
		"did you mean 'sink.rolling-policy.file-size'?"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("missing %s in: %v", want, err)
		}
	}
}

// BenchmarkSource reads JSON files into columns, beside reading the bytes.
func BenchmarkSource(b *testing.B) {
	dir := b.TempDir()
	var data []byte
	for i := range 400_000 {
		data = fmt.Appendf(data, `{"id":%d,"name":"user-%d","ts":"2024-01-02 03:04:%02d.%03d","dt":"2024-01-02","hr":%d,"agent":"Mozilla/5.0 (X11; Linux x86_64)"}`+"\n",
			i, i%5000, i%60, i%1000, i%24)
	}
	path := filepath.Join(dir, "f.json")
	if err := os.WriteFile(path, data, 0o666); err != nil {
		b.Fatal(err)
	}
	for name, columns := range map[string][]int{"five columns": {0, 1, 2, 3, 4}, "one": {0}} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				s, err := Factory{}.Source(definition(dir, "json"))
				if err != nil {
					b.Fatal(err)
				}
				s.Project(columns)
				j := &harness.Job[*column.Batch]{Source: s, NewBatch: record.NewRows[*column.Batch]}
				if err := j.Run(context.Background(), 0, 1); err != nil {
					b.Fatal(err)
				}
				for _, x := range j.Read {
					x.Release()
				}
			}
		})
	}
	b.Run("plain read", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		buf := make([]byte, 256<<10)
		for b.Loop() {
			f, err := os.Open(path)
			if err != nil {
				b.Fatal(err)
			}
			for {
				if n, _ := f.Read(buf); n == 0 {
					break
				}
			}
			f.Close()
		}
	})
}
