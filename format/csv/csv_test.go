package csv_test

import (
	"errors"
	"math"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/flottio/flott/format"
	"github.com/flottio/flott/format/csv"
)

type Place struct {
	City string `csv:"city"`
}

type row struct {
	A  string    `csv:"a"`
	N  int32     `csv:"n"`
	F  float64   `csv:"f"`
	T  time.Time `csv:"t"`
	No chan int  `csv:"-"`
	Place
}

type nullable struct {
	S *string    `csv:"s"`
	N *int64     `csv:"n"`
	T *time.Time `csv:"t,unixms"`
	B []byte     `csv:"b"`
}

type pair struct {
	A string `csv:"a"`
	B int    `csv:"b"`
}

func ptr[T any](v T) *T { return &v }

// read frames and decodes data, given to the framer in pieces of the given size, as a source does.
func read[T any](t testing.TB, f format.Format[T], data string, piece int) (rows []T, errs []string) {
	t.Helper()
	d, err := f.NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	framer, header := f.NewFramer(), f.HeaderRecords()
	var buf []byte
	for rest := []byte(data); ; {
		record, advance, err := framer.Next(append([]byte(nil), buf...), len(rest) == 0)
		buf = buf[advance:]
		switch {
		case err != nil:
			errs = append(errs, err.Error())
		case record != nil && header > 0:
			header--
			if h, ok := d.(format.HeaderDecoder); ok {
				if err := h.DecodeHeader(record); err != nil {
					return rows, append(errs, err.Error())
				}
			}
		case record != nil:
			var v T
			if err := d.Decode(record, &v); err != nil {
				errs = append(errs, err.Error())
				if !reflect.ValueOf(v).IsZero() {
					t.Errorf("%q: the row is not zero after an error: %+v", record, v)
				}
			} else {
				rows = append(rows, v)
			}
		case advance > 0:
		case len(rest) > 0:
			n := min(piece, len(rest))
			buf, rest = append(buf, rest[:n]...), rest[n:]
		case len(buf) == 0:
			return rows, errs
		default:
			t.Fatalf("framer is stuck at the end with %q", buf)
		}
	}
}

// check reads data whole and byte by byte.
func check[T any](t *testing.T, f format.Format[T], data string, want []T, wantErrs ...string) {
	t.Helper()
	for _, piece := range []int{len(data) + 1, 1, 3} {
		rows, errs := read(t, f, data, piece)
		if !reflect.DeepEqual(rows, want) || !reflect.DeepEqual(errs, wantErrs) {
			t.Errorf("%.80q in pieces of %d:\n got %+v %q\nwant %+v %q", data, piece, rows, errs, want, wantErrs)
		}
	}
}

func TestDecode(t *testing.T) {
	day := time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC)
	f := csv.Of[row]()
	check(t, f, "x, 5 ,1.5,2024-01-02T03:04:05Z,Ulm\n", []row{{A: "x", N: 5, F: 1.5, T: day, Place: Place{"Ulm"}}})
	check(t, f, "\"x,\"\"y\"\"\r\nz\",\"5\",NaN1,2024-01-02T03:04:05Z,\n", nil,
		`line 2 of the record, column 8, field "f": wrong type: expected a number, got "NaN1"`)
	check(t, f, "\xef\xbb\xbfé\",-0,-0.5,2024-01-02T04:04:05+01:00, a ", []row{{A: `é"`, F: -0.5, T: day, Place: Place{" a "}}})

	p := csv.Of[pair]()
	check(t, p, "a,1\nb,2\r\nc,3\rd,4", []pair{{"a", 1}, {"b", 2}, {"c", 3}, {"d", 4}})
	check(t, p, "\n\r\n\na,1\n\n\r", []pair{{"a", 1}})
	check(t, p, "", nil)
	check(t, p, "\"a\nb\rc\r\nd\",1\n,2\n", []pair{{"a\nb\rc\r\nd", 1}, {"", 2}})
	check(t, p, "a\x00,1\n", []pair{{"a\x00", 1}})
	check(t, csv.Of[pair](csv.Delimiter('\t'), csv.Quote('\'')), "'a\t'''\t1\n\"\t2", []pair{{"a\t'", 1}, {`"`, 2}})
	check(t, csv.Of[pair](csv.DisableQuote()), "\"a\"b,1\n\",2\n", []pair{{`"a"b`, 1}, {`"`, 2}})
	check(t, csv.Of[pair](csv.Escape('\\')), "a\\,\\\\\\\"b\\n\\t\\0,1\n\"\\\"x\\\ny\",2\nz\\\nz,3\n",
		[]pair{{"a,\\\"b\n\t\x00", 1}, {"\"x\ny", 2}, {"z\nz", 3}})
	check(t, csv.Of[pair](csv.AllowComments()), "# \"x\na,1\n#y\n#\nb,2\n\"#c\",3\n#end", []pair{{"a", 1}, {"b", 2}, {"#c", 3}})
	check(t, p, "# x,1\n", []pair{{"# x", 1}})
	check(t, csv.Of[pair](csv.EpochMillis()), "a,1\n", []pair{{"a", 1}})
}

func TestNull(t *testing.T) {
	check(t, csv.Of[nullable](), ",,,\n\"\",5,7,AQ==\n",
		[]nullable{{}, {ptr(""), ptr(int64(5)), ptr(time.UnixMilli(7).UTC()), []byte{1}}})
	check(t, csv.Of[nullable](csv.NullLiteral("NULL")), "NULL,NULL,NULL,NULL\n\"NULL\",5,7,\n,1,1,\n",
		[]nullable{{}, {ptr("NULL"), ptr(int64(5)), ptr(time.UnixMilli(7).UTC()), []byte{}},
			{ptr(""), ptr(int64(1)), ptr(time.UnixMilli(1).UTC()), []byte{}}})
	check(t, csv.Of[pair](csv.NullLiteral("n/a")), "n/a,1\nx,n/a\n\"n/a\",1\n", []pair{{"n/a", 1}},
		`column 1, field "a": null in a column that cannot be null (make the field a pointer)`,
		`column 3, field "b": null in a column that cannot be null (make the field a pointer)`)
}

func TestDecodeErrors(t *testing.T) {
	p := csv.Of[pair]()
	good := []pair{{"ok", 1}}
	for _, c := range []struct{ bad, want string }{
		{"a", `column 2: wrong number of fields: expected 2, got 1`},
		{"é,1,2", `column 4: wrong number of fields: expected 2, got 3`},
		{`"x",1,`, `column 6: wrong number of fields: expected 2, got 3`},
		{"a,", `column 3, field "b": wrong type: expected an integer, got an empty field`},
		{"a,x", `column 3, field "b": wrong type: expected an integer, got "x"`},
		{"a,1.0", `column 3, field "b": wrong type: expected an integer, got "1.0"`},
		{"a,1e3", `column 3, field "b": wrong type: expected an integer, got "1e3"`},
		{"a,9223372036854775808", `column 3, field "b": number out of range: expected a value that fits int, got "9223372036854775808"`},
		{"\xff,1", `column 1, field "a": invalid UTF-8: byte 0xFF`},
		{`"a"b,1`, `column 4: text behind a closing quote`},
		{"\"a\n\"b,1", `line 2 of the record, column 2: text behind a closing quote`},
		{"a," + strings.Repeat("y", 50), `column 3, field "b": wrong type: expected an integer, got "` + strings.Repeat("y", 40) + `"...`},
	} {
		if !strings.Contains(c.bad, "\n") {
			check(t, p, "ok,1\n"+c.bad+"\nok,1\r\n", []pair{{"ok", 1}, {"ok", 1}}, c.want)
		}
		check(t, p, "ok,1\n"+c.bad[:strings.IndexByte(c.bad+"\n", '\n')], good, firstLineError(c.bad, c.want))
	}
}

// firstLineError: cut behind its first line, a quote that goes over lines is never closed.
func firstLineError(bad, want string) string {
	if strings.Contains(bad, "\n") {
		return `column 1: quote is never closed`
	}
	return want
}

// One bad quote must cost one line, not the file.
func TestResynchronise(t *testing.T) {
	p := csv.Of[pair]()
	check(t, p, "ok,1\nx,\"2\nok,3\nok,4\n", []pair{{"ok", 1}, {"ok", 3}, {"ok", 4}}, `column 3: quote is never closed`)
	check(t, p, "\"x,2\nok,3\n\"y,2\nok,4\n", []pair{{"ok", 3}, {"ok", 4}},
		`line 3 of the record, column 2: text behind a closing quote`, `column 1: quote is never closed`)
	check(t, p, "\"x,2\r\nok,3\r\n", []pair{{"ok", 3}}, `column 1: quote is never closed`)
	limited := csv.Of[pair](csv.MaxRecordBytes(40))
	lines := strings.Repeat("ok,1\n", 20)
	want := make([]pair, 20)
	for i := range want {
		want[i] = pair{"ok", 1}
	}
	check(t, limited, "\"x,2\n"+lines, want, `column 1: quote is not closed within the limit of a record (raise it with MaxRecordBytes): `+
		`expected at most 40 bytes`)
	check(t, csv.Of[pair](csv.NoNewlinesInFields()), "\"x,2\n"+lines, want, `column 1: quote is never closed`)
}

func TestTooLong(t *testing.T) {
	limited := csv.Of[pair](csv.MaxRecordBytes(10), csv.AllowComments())
	check(t, limited,
		"ok,1\n"+strings.Repeat("x", 100)+",1\nok,2\n#"+strings.Repeat("y", 50)+"\nok,3\r", []pair{{"ok", 1}, {"ok", 2}, {"ok", 3}},
		`column 1: record too long (raise the limit with MaxRecordBytes): expected at most 10 bytes, got 102 bytes`)
	check(t, limited, "12345678,1\n12345678,1\r\n", []pair{{"12345678", 1}, {"12345678", 1}})
	check(t, limited, "123456789,1\r\n", nil,
		`column 1: record too long (raise the limit with MaxRecordBytes): expected at most 10 bytes, got 11 bytes`)
}

func TestHeader(t *testing.T) {
	f := csv.Of[pair](csv.Header())
	check(t, f, "x,\"b\",a,y\n1,2,z,3\n,4,q,\nx,\"b\",a,y\n", []pair{{"z", 2}, {"q", 4}},
		`column 1: the header again, in the middle of the data`)
	check(t, f, "\xef\xbb\xbfa,b\nq,4\n", []pair{{"q", 4}})
	check(t, f, "A,b\nq,4\n", nil, "column 1: columns missing in the header: expected \"a\", got `A,b`")
	check(t, f, "a,b,a\nq,4,1\n", nil, `column 5, field "a": column twice in the header`)
	if h := string(f.Header()); h != "a,b\n" || f.HeaderRecords() != 1 {
		t.Errorf("header %q", h)
	}
	check(t, csv.Of[pair](csv.IgnoreHeader()), "1\nq,4\n", []pair{{"q", 4}})
	if csv.Of[pair](csv.IgnoreHeader()).Header() != nil {
		t.Error("IgnoreHeader writes a header")
	}
}

func TestEncode(t *testing.T) {
	type counts struct {
		WindowStart time.Time `csv:"window_start"`
		URL         string    `csv:"url"`
		Count       uint8     `csv:"count"`
	}
	text := func(got []byte, err error) string {
		if err != nil {
			return err.Error()
		}
		return string(got)
	}
	at := time.Date(2024, 1, 2, 3, 4, 0, 0, time.FixedZone("", 3600))
	for _, c := range []struct{ got, want string }{
		{text(appendOne(t, counts{at, "/a", 200})), `2024-01-02T02:04:00Z,/a,200`},
		{text(appendOne(t, counts{at.Add(1500 * time.Microsecond), "a,\"b\"\n", 0})), "2024-01-02T02:04:00.0015Z,\"a,\"\"b\"\"\n\",0"},
		{text(appendOne(t, counts{at, "/a", 1}, csv.TimeLayout(time.DateTime))), `2024-01-02 02:04:00,/a,1`},
		{text(appendOne(t, counts{at, "/a", 1}, csv.EpochMillis("window_start"))), `1704161040000,/a,1`},
		{text(appendOne(t, counts{at, "/a", 1}, csv.Delimiter('-'))), `"2024-01-02T02:04:00Z"-/a-1`},
		{text(appendOne(t, counts{at.AddDate(9000, 0, 0), "/a", 1})), `field "window_start": time out of range: ` +
			`expected a year from 0 to 9999 (RFC 3339), got 11024-01-02 03:04:00 +0100 +0100`},
		{text(appendOne(t, pair{"a,b", 1}, csv.DisableQuote())), `field "a": value needs quotes, which are off (use Quote or Escape): "a,b"`},
		{text(appendOne(t, pair{"a,b", 1}, csv.DisableQuote(), csv.Escape('\\'))), `a\,b,1`},
		{text(appendOne(t, pair{"a\nb", 1}, csv.NoNewlinesInFields())), `field "a": line ending in a value, against NoNewlinesInFields: "a\nb"`},
		{text(appendOne(t, pair{"\xff", 1})), `field "a": string is not valid UTF-8`},
		{text(appendOne(t, nullable{})), `,,,`},
		{text(appendOne(t, nullable{S: ptr("")}, csv.NullLiteral("-"))), `,-,-,-`},
		{text(appendOne(t, nullable{S: ptr("-")}, csv.NullLiteral("-"))), `"-",-,-,-`},
		{text(appendOne(t, struct{ S string }{})), `""`},
		{text(appendOne(t, struct{ S *string }{})), `field "S": null as the only column would be an empty line (use NullLiteral)`},
		{text(appendOne(t, pair{"#x", -1}, csv.AllowComments())), `"#x",-1`},
	} {
		if c.got != c.want {
			t.Errorf("got %s\nwant %s", c.got, c.want)
		}
	}
}

func appendOne[T any](t *testing.T, v T, opts ...csv.Option) ([]byte, error) {
	t.Helper()
	e, err := csv.Of[T](opts...).NewEncoder()
	if err != nil {
		t.Fatal(err)
	}
	out, err := e.Append([]byte("#"), &v)
	return out[1:], err
}

func TestAllKindsRoundTrip(t *testing.T) {
	type all struct {
		B   bool
		I8  int8
		U64 uint64
		U16 uint16
		F32 float32
		F   float64
		IP  netip.Addr
		T   time.Time `csv:",unixnano"`
		P   *bool
		Place
	}
	v := all{true, -128, math.MaxUint64, 65535, 0.1, math.Inf(-1), netip.MustParseAddr("::1"), time.Unix(-1, 5).UTC(), ptr(false), Place{"x"}}
	out, err := appendOne(t, v)
	if err != nil {
		t.Fatal(err)
	}
	check(t, csv.Of[all](), string(out), []all{v})
}

func TestCheck(t *testing.T) {
	type bad struct {
		C      chan int
		S      []string `csv:"s"`
		E      int      `csv:"e,unixms"`
		O      string   `csv:"o,bogus"`
		hidden int      `csv:"hidden"`
	}
	_ = bad{}.hidden
	err := csv.Of[bad](csv.Delimiter('"'), csv.Escape('\n'), csv.Header(), csv.IgnoreHeader(), csv.MaxRecordBytes(0),
		csv.EpochMillis("x")).Check()
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"field C of csv_test.bad: the type chan int cannot be a column", "field S of", "field E of",
		`field O of csv_test.bad: unknown tag option "bogus"`, "field hidden has a csv tag but is not exported", `EpochMillis("x")`,
		`delimiter and quote are the same character '"'`, `the escape '\n' cannot be used`, "Header and IgnoreHeader", "MaxRecordBytes is 0"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("missing %q in\n%v", want, err)
		}
	}
	if err := csv.Of[string]().Check(); err == nil || !strings.Contains(err.Error(), "string is no struct") {
		t.Error(err)
	}
	if err := csv.Of[struct{}]().Check(); err == nil || !strings.Contains(err.Error(), "no exported fields") {
		t.Error(err)
	}
	var e *format.Error
	if _, err := appendOne(t, pair{"\xff", 1}); !errors.As(err, &e) || e.Field != "a" {
		t.Error("an encoder's error is no *format.Error")
	}
}

func TestSplittable(t *testing.T) {
	for _, c := range []struct {
		f    format.Format[pair]
		want bool
	}{
		{csv.Of[pair](), false}, {csv.Of[pair](csv.NoNewlinesInFields()), true}, {csv.Of[pair](csv.DisableQuote()), true},
		{csv.Of[pair](csv.DisableQuote(), csv.Escape('\\')), false},
	} {
		if c.f.Splittable() != c.want {
			t.Errorf("splittable is %v, want %v", !c.want, c.want)
		}
	}
}

func TestAllocs(t *testing.T) {
	f := csv.Of[row]()
	d, _ := f.NewDecoder()
	e, _ := f.NewEncoder()
	record := []byte("\"x\"\"y\",5,1.5,2024-01-02T03:04:05Z,Ulm")
	var v row
	var buf []byte
	for range 64 {
		if err := d.Decode(record, &v); err != nil {
			t.Fatal(err)
		}
	}
	if n := testing.AllocsPerRun(100, func() {
		_ = d.Decode(record, &v)
		buf, _ = e.Append(buf[:0], &v)
	}); n != 0 {
		t.Errorf("%v allocations a record, want 0", n)
	}
}

// FuzzRead: no panic, nothing stuck, and the size of the pieces in which data comes changes nothing.
func FuzzRead(f *testing.F) {
	for _, s := range []string{"a,1\nb,2\r\n", "\"a\n,1\r\n", "\"a\"\"b\"x\n\n#c\n\\\n", "a\\,\"b\\\"\r\r\nc",
		"\"\"\"\n\"", "NULL,NULL\n\xef\xbb\xbf"} {
		f.Add(s, 1, false)
		f.Add(s, 2, true)
	}
	plain := csv.Of[nullable](csv.MaxRecordBytes(64))
	odd := csv.Of[nullable](csv.Escape('\\'), csv.AllowComments(), csv.NullLiteral("NULL"), csv.MaxRecordBytes(64))
	f.Fuzz(func(t *testing.T, data string, piece int, escapes bool) {
		format, e := plain, []csv.Option(nil)
		if escapes {
			format, e = odd, []csv.Option{csv.Escape('\\'), csv.AllowComments(), csv.NullLiteral("NULL")}
		}
		rows, errs := read(t, format, data, len(data)+1)
		rows2, errs2 := read(t, format, data, 1+(piece&15))
		if !reflect.DeepEqual(rows, rows2) || !reflect.DeepEqual(errs, errs2) {
			t.Fatalf("%q in pieces of %d: %+v %q, whole: %+v %q", data, 1+(piece&15), rows2, errs2, rows, errs)
		}
		for _, v := range rows {
			out, err := appendOne(t, v, e...)
			if err != nil {
				t.Fatalf("%+v cannot be written: %v", v, err)
			}
			if back, errs := read(t, csv.Of[nullable](e...), string(out)+"\n", 100); len(back) != 1 || !reflect.DeepEqual(back[0], v) {
				t.Fatalf("%q: got %+v %q, want %+v", out, back, errs, v)
			}
		}
	})
}

// FuzzStrings: whatever the strings are, what is written is read back, with every set of options.
func FuzzStrings(f *testing.F) {
	f.Add("a", "b", uint8(0))
	f.Add("#\"\\\r\n,", "NULL", uint8(255))
	f.Fuzz(func(t *testing.T, a, b string, bits uint8) {
		var opts []csv.Option
		for i, o := range []csv.Option{csv.DisableQuote(), csv.Escape('\\'), csv.AllowComments(), csv.NullLiteral("NULL"),
			csv.NoNewlinesInFields(), csv.Delimiter(';')} {
			if bits>>i&1 == 1 {
				opts = append(opts, o)
			}
		}
		type strs struct {
			A string
			B *string
		}
		v := strs{a, &b}
		out, err := appendOne(t, v, opts...)
		if err != nil {
			return
		}
		if back, errs := read(t, csv.Of[strs](opts...), string(out)+"\n", 3); len(back) != 1 || !reflect.DeepEqual(back[0], v) {
			t.Fatalf("%q: got %+v %q, want %+v", out, back, errs, v)
		}
	})
}

func BenchmarkCSV(b *testing.B) {
	f := csv.Of[row]()
	var data []byte
	for range 1000 {
		data = append(data, "https://example.com/p/17,12345,1.5,2024-01-02T03:04:05Z,Ulm\n"...)
	}
	d, _ := f.NewDecoder()
	e, _ := f.NewEncoder()
	rows := make([]row, 1000)
	b.Run("read", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			framer := f.NewFramer()
			for rest, n := data, 0; len(rest) > 0; n++ {
				record, advance, err := framer.Next(rest, true)
				if err == nil {
					err = d.Decode(record, &rows[n])
				}
				if err != nil {
					b.Fatal(err)
				}
				rest = rest[advance:]
			}
		}
	})
	b.Run("write", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		var buf []byte
		for b.Loop() {
			buf = buf[:0]
			for i := range rows {
				buf, _ = e.Append(buf, &rows[i])
			}
		}
	})
}
