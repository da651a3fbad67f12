package format_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/flottio/flott/format"
)

func TestError(t *testing.T) {
	e := format.NewError([]byte("é\nüb,c"), 7, "wrong type")
	e.Field, e.Expected, e.Got = "f", "an integer", `"c"`
	if got, want := e.Error(), `line 2 of the record, column 4, field "f": wrong type: expected an integer, got "c"`; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if e.Offset != 7 || format.NewError([]byte("ab"), 9, "").Offset != 2 {
		t.Error("offset")
	}
	if got := (&format.Error{Reason: "r", Expected: "x"}).Error(); got != "r: expected x" {
		t.Error(got)
	}
}

func TestExcerpt(t *testing.T) {
	long := strings.Repeat("0123456789", 100)
	for _, c := range []struct {
		record string
		offset int
		want   string
	}{
		{"a\"b\n", 0, "`a\"b\\n`"},
		{long, 0, "`" + long[:120] + "`..."},
		{long, 1000, "...`" + long[880:] + "`"},
		{long, 500, "...`" + long[440:560] + "`..."},
		{strings.Repeat("é", 200), 201, "...`" + strings.Repeat("é", 60) + "`..."},
	} {
		got := format.Excerpt([]byte(c.record), c.offset)
		if got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

// Text that is no UTF-8 must not keep Excerpt from ending, nor grow what it shows.
func TestExcerptOfBytes(t *testing.T) {
	record := []byte(strings.Repeat("\xbf", 1000))
	for offset := range record {
		if n := len(format.Excerpt(record, offset)); n > 4*1000+20 {
			t.Fatalf("%d bytes", n)
		}
	}
}

// Every record must be read by exactly one split, wherever the file is cut.
func TestSplits(t *testing.T) {
	data := "a\n\nbb\r\nccc\n\n  \nd"
	for first := 1; first < len(data); first++ {
		for second := first; second < len(data); second++ {
			got := split(data, 0, first) + split(data, first, second) + split(data, second, len(data))
			if want := "[a][bb\r][ccc][d]"; got != want {
				t.Errorf("cut at %d and %d: got %q, want %q", first, second, got, want)
			}
		}
	}
}

func split(data string, from, to int) (records string) {
	framer, at := format.Lines(true, 0), from
	if from == to {
		return ""
	}
	if from > 0 {
		advance, ok := framer.Sync([]byte(data[from-1:]))
		if !ok {
			return ""
		}
		at = from - 1 + advance
	}
	for at < to {
		record, advance, err := framer.Next([]byte(data[at:]), true)
		if err != nil || advance == 0 {
			break
		}
		if record != nil {
			records += fmt.Sprintf("[%s]", record)
		}
		at += advance
	}
	return records
}
