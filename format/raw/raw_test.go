package raw_test

import (
	"strings"
	"testing"

	"github.com/flottio/flott/format"
	"github.com/flottio/flott/format/raw"
)

// read frames data given in pieces, as a source does, and decodes it.
func read[T any](t *testing.T, f format.Format[T], data string, piece int) (rows []T, errs []string) {
	t.Helper()
	d, err := f.NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	framer, buf := f.NewFramer(), []byte(nil)
	for rest := data; ; {
		record, advance, err := framer.Next(append([]byte(nil), buf...), rest == "")
		buf = buf[advance:]
		switch {
		case err != nil:
			errs = append(errs, err.Error())
		case record != nil:
			var v T
			if err := d.Decode(record, &v); err != nil {
				errs = append(errs, err.Error())
			} else {
				rows = append(rows, v)
			}
		case advance > 0:
		case rest != "":
			n := min(piece, len(rest))
			buf, rest = append(buf, rest[:n]...), rest[n:]
		default:
			return rows, errs
		}
	}
}

func TestLines(t *testing.T) {
	for _, piece := range []int{1, 2, 100} {
		rows, errs := read(t, raw.Lines(), "a\n\r\n\nb\rc\r\né\xff\nend", piece)
		if got := strings.Join(rows, "|"); got != "a|||b\rc|end" {
			t.Errorf("got %q", got)
		}
		if len(errs) != 1 || errs[0] != "column 2: invalid UTF-8: byte 0xFF" {
			t.Errorf("errors %q", errs)
		}
	}
	if rows, errs := read(t, raw.Lines(raw.MaxRecordBytes(3)), "abcd\nabc\n"+strings.Repeat("x", 20), 2); len(rows) != 1 || len(errs) != 2 ||
		errs[1] != "column 1: record too long (raise the limit with MaxRecordBytes): expected at most 3 bytes, got 20 bytes" {
		t.Errorf("got %q %q", rows, errs)
	}
}

func TestBytes(t *testing.T) {
	rows, errs := read(t, raw.Bytes(), "a\xff\r\n\nb", 100)
	if len(errs) != 0 || len(rows) != 3 || string(rows[0]) != "a\xff\r" || rows[1] == nil || len(rows[1]) != 0 || string(rows[2]) != "b" {
		t.Errorf("got %q %q", rows, errs)
	}
}

func TestWrite(t *testing.T) {
	e, _ := raw.Lines().NewEncoder()
	be, _ := raw.Bytes().NewEncoder()
	for _, c := range []struct{ in, lines, bytes string }{
		{"é\ra", "é\ra", "é\ra"},
		{"", "", ""},
		{"a\r", `record would be read back as several lines or another one: expected no line ending inside, got "\r"`, "a\r"},
		{"a\nb", `record would be read back as several lines or another one: expected no line ending inside, got "\n"`,
			`record would be read back as several lines or another one: expected no line ending inside, got "\n"`},
		{"\xff", "string is not valid UTF-8", "\xff"},
	} {
		b := []byte(c.in)
		out, err := e.Append(nil, &c.in)
		if err != nil {
			out = []byte(err.Error())
		}
		bout, err := be.Append(nil, &b)
		if err != nil {
			bout = []byte(err.Error())
		}
		if string(out) != c.lines || string(bout) != c.bytes {
			t.Errorf("%q: got %q and %q", c.in, out, bout)
		}
	}
	if err := raw.Lines(raw.MaxRecordBytes(0)).Check(); err == nil || err.Error() != "raw: MaxRecordBytes is 0, must be at least 1" {
		t.Error(err)
	}
	if d, err := raw.Bytes(raw.MaxRecordBytes(-1)).NewDecoder(); err == nil {
		t.Error("no error from NewDecoder", d)
	}
}
