package parquet

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/format"
	"github.com/flottio/flott/format/internal/columntest"
)

func write(t testing.TB, f format.FileFormat, b *column.Batch, repeat int) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := f.NewFile(&out)
	if err != nil {
		t.Fatal(err)
	}
	at := make([]int32, b.N)
	for i := range at {
		at[i] = int32(i)
	}
	for range repeat {
		if err := w.Write(b.Cols, at); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func read(t testing.TB, f format.FileFormat, file []byte, fields []column.Field, some []int, from int64, step int) *column.Batch {
	t.Helper()
	r, err := f.OpenFile(bytes.NewReader(file), int64(len(file)), some)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.SeekRow(from); err != nil {
		t.Fatal(err)
	}
	b := columntest.Batch(fields, some)
	for {
		n, err := r.Read(&b, step)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	return &b
}

// TestRoundTrip writes all types in several row groups and reads them back whole, from every row on, and one column alone.
func TestRoundTrip(t *testing.T) {
	cases := columntest.Types(true)
	fields := columntest.Fields(cases)
	for _, codec := range Compressions {
		f, err := Columns(fields, Options{Compression: codec, RowGroupBytes: 2000})
		if err != nil {
			t.Fatal(err)
		}
		b := columntest.Rows(cases)
		file := write(t, f, &b, 7)
		var want column.Batch = columntest.Batch(fields, nil)
		for range 7 {
			b.Slice(&want, 0, b.N)
		}
		all := make([]int, len(fields))
		for i := range all {
			all[i] = i
		}
		columntest.Compare(t, &want, read(t, f, file, fields, all, 0, 13))
		if codec != "SNAPPY" {
			continue
		}
		for from := range want.N + 1 {
			rest := columntest.Batch(fields, nil)
			want.Slice(&rest, from, want.N)
			columntest.Compare(t, &rest, read(t, f, file, fields, all, int64(from), 1000))
		}
		for i := range fields {
			one := column.Batch{Cols: want.Cols[i : i+1], N: want.N}
			columntest.Compare(t, &one, read(t, f, file, fields, []int{i}, 0, 7))
		}
	}
}

// TestOtherTables reads a file as a table with other columns.
func TestOtherTables(t *testing.T) {
	fields := []column.Field{{Name: "a", Type: column.Of(column.Int)}, {Name: "r", Type: column.RowType(column.Field{Name: "x", Type: column.StringType()})}}
	f, err := Columns(fields, Options{})
	if err != nil {
		t.Fatal(err)
	}
	b := columntest.Batch(fields, nil)
	b.AppendRow(0, int32(7), []any{"y"})
	file := write(t, f, &b, 1)
	wider := []column.Field{{Name: "new", Type: column.StringType()}, {Name: "a", Type: column.Of(column.BigInt)},
		{Name: "r", Type: column.RowType(column.Field{Name: "z", Type: column.Of(column.Int)}, column.Field{Name: "x", Type: column.StringType()})}}
	g, err := Columns(wider, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(read(t, g, file, wider, []int{0, 1, 2}, 0, 10).Row(0)); got != "[<nil> 7 [<nil> y]]" {
		t.Errorf("read %s", got)
	}
	wrong := []column.Field{{Name: "a", Type: column.StringType()}}
	g, _ = Columns(wrong, Options{})
	_, err = g.OpenFile(bytes.NewReader(file), int64(len(file)), []int{0})
	if want := "column a: the table says STRING, the file has INT(32,true)"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// FuzzRead: a damaged file is an error, not a crash.
func FuzzRead(f *testing.F) {
	fields := []column.Field{{Name: "a", Type: column.Of(column.Int)}, {Name: "s", Type: column.ArrayType(column.StringType())}}
	form, err := Columns(fields, Options{})
	if err != nil {
		f.Fatal(err)
	}
	b := columntest.Batch(fields, nil)
	for i := range 20 {
		b.AppendRow(0, int32(i), []any{"x", nil})
	}
	f.Add(write(f, form, &b, 2))
	f.Fuzz(func(t *testing.T, file []byte) {
		r, err := form.OpenFile(bytes.NewReader(file), int64(len(file)), []int{0, 1})
		if err != nil {
			return
		}
		out := columntest.Batch(fields, nil)
		for range 100 {
			if n, err := r.Read(&out, 10); err != nil || n == 0 {
				break
			}
		}
	})
}

func BenchmarkRead(b *testing.B) {
	fields := []column.Field{{Name: "id", Type: column.Of(column.BigInt)}, {Name: "url", Type: column.StringType()}, {Name: "p", Type: column.Of(column.Double)}}
	f, err := Columns(fields, Options{})
	if err != nil {
		b.Fatal(err)
	}
	batch := columntest.Batch(fields, nil)
	for i := range 100000 {
		batch.AppendRow(0, int64(i), fmt.Sprint("https://example.com/p/", i%5000), float64(i)/8)
	}
	file := write(b, f, &batch, 1)
	b.SetBytes(int64(batch.Bytes()))
	for b.Loop() {
		r, err := f.OpenFile(bytes.NewReader(file), int64(len(file)), []int{0, 1, 2})
		if err != nil {
			b.Fatal(err)
		}
		for {
			out := columntest.Batch(fields, nil)
			n, err := r.Read(&out, column.BatchRows)
			out.Release()
			if err != nil {
				b.Fatal(err)
			}
			if n == 0 {
				break
			}
		}
		r.Close()
	}
}
