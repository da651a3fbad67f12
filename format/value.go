package format

import (
	"bytes"
	"encoding/base64"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/format/internal/scalar"
)

// Texts says how values look as text in the text formats, and reads them into columns. The zero value is Flink's standard "SQL"; not safe for
// concurrent use.
type Texts struct {
	// ISO is the timestamp standard 'ISO-8601': a 'T' between date and time, and nothing else differs.
	ISO   bool
	Arena Arena
}

func (x *Texts) separator() byte {
	if x.ISO {
		return 'T'
	}
	return ' '
}

// Parse appends the value that text says to a column of a type without elements. expected is empty, or what the type expects.
func (x *Texts) Parse(v *column.Vector, text []byte) (expected string) {
	if v.Store == column.Strings {
		return x.parseText(v, text)
	}
	text = bytes.TrimSpace(text)
	switch v.Type.ID {
	case column.Boolean:
		yes := bytes.EqualFold(text, []byte("true"))
		if !yes && !bytes.EqualFold(text, []byte("false")) {
			return "true or false"
		}
		v.Bool = append(v.Bool, yes)
		v.One()
		return ""
	case column.Decimal:
		d, ok, fits := column.ParseDecimal(text, v.Type)
		if !ok || !fits {
			return "a number that fits " + v.Type.Nullable(true).String()
		}
		v.AppendDecimal(d)
		return ""
	case column.Float, column.Double:
		return parseFloat(v, text)
	case column.Date, column.Time, column.Timestamp, column.TimestampLTZ:
		return x.parseTemporal(v, text)
	}
	return parseInteger(v, text)
}

func (x *Texts) parseText(v *column.Vector, text []byte) string {
	if v.Type.IsBinary() {
		b := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
		n, err := base64.StdEncoding.Decode(b, text)
		if err != nil {
			return "bytes in base64"
		}
		v.AppendText(string(b[:n]))
		return ""
	}
	if !utf8.Valid(text) {
		return "text in UTF-8"
	}
	v.AppendText(x.Arena.Of(text))
	return ""
}

// bitsOf is the width of a storage of whole numbers.
func bitsOf(s column.Storage) int {
	switch s {
	case column.Int8s:
		return 8
	case column.Int16s:
		return 16
	case column.Int32s:
		return 32
	}
	return 64
}

func parseInteger(v *column.Vector, text []byte) string {
	n, err := scalar.Int(text, bitsOf(v.Store))
	if err != nil {
		return "a whole number that fits " + v.Type.Nullable(true).String()
	}
	AppendInteger(v, n)
	return ""
}

// AppendInteger appends a whole number that fits to a column that stores whole numbers.
func AppendInteger(v *column.Vector, n int64) {
	switch v.Store {
	case column.Int8s:
		v.I8 = append(v.I8, int8(n))
	case column.Int16s:
		v.I16 = append(v.I16, int16(n))
	case column.Int32s:
		v.I32 = append(v.I32, int32(n))
	default:
		v.I64 = append(v.I64, n)
	}
	v.One()
}

func parseFloat(v *column.Vector, text []byte) string {
	width := 64
	if v.Store == column.Float32s {
		width = 32
	}
	f, err := scalar.Float(text, width)
	if err != nil {
		return "a number that fits " + v.Type.Nullable(true).String()
	}
	if width == 32 {
		v.F32 = append(v.F32, float32(f))
	} else {
		v.F64 = append(v.F64, f)
	}
	v.One()
	return ""
}

func (x *Texts) parseTemporal(v *column.Vector, text []byte) string {
	switch v.Type.ID {
	case column.Date:
		days, ok := column.ParseDate(text)
		if !ok {
			return `a date like "2006-01-02"`
		}
		v.I32 = append(v.I32, int32(days))
		v.One()
		return ""
	case column.Time:
		sec, nanos, ok := column.ParseTimeOfDay(bytes.TrimSuffix(text, []byte("Z")), x.ISO)
		if !ok {
			return `a time like "15:04:05"`
		}
		v.I32 = append(v.I32, int32(sec*1000+nanos/1e6))
		v.One()
		return ""
	}
	local, zoned := bytes.CutSuffix(text, []byte("Z"))
	if v.Type.ID == column.TimestampLTZ == zoned {
		sec, nanos, ok := column.ParseTimestamp(local, x.separator(), x.ISO)
		if ok && v.AppendInstant(sec, nanos) {
			return ""
		}
	}
	return x.timestampForm(v.Type)
}

// timestampForm says what a timestamp has to look like, and how to have the other standard.
func (x *Texts) timestampForm(t column.Type) string {
	form, other := "2006-01-02 15:04:05.123", "ISO-8601"
	if x.ISO {
		form, other = "2006-01-02T15:04:05.123", "SQL"
	}
	if t.ID == column.TimestampLTZ {
		form += "Z"
	}
	return t.Nullable(true).String() + ` like "` + form + `" (timestamp standard '` + other + `' is the other form)`
}

// Append appends the text of value i, which is not NULL, of a column of a type without elements.
func (x *Texts) Append(dst []byte, v *column.Vector, i int) []byte {
	switch v.Type.ID {
	case column.Boolean:
		return strconv.AppendBool(dst, v.Bool[i])
	case column.Decimal:
		return column.AppendDecimal(dst, v.Decimal(i), int(v.Type.Scale))
	case column.Float:
		return appendFloat(dst, float64(v.F32[i]), 32)
	case column.Double:
		return appendFloat(dst, v.F64[i], 64)
	case column.Binary, column.Varbinary:
		return base64.StdEncoding.AppendEncode(dst, []byte(v.Str[i]))
	case column.Date:
		return column.AppendDate(dst, int64(v.I32[i]))
	case column.Time:
		sec, ms := int64(v.I32[i])/1000, int64(v.I32[i])%1000
		return column.AppendTimeOfDay(dst, sec, ms*1e6, FractionDigits(ms*1e6))
	case column.Timestamp, column.TimestampLTZ:
		sec, nanos := v.Instant(i)
		dst = column.AppendTimestamp(dst, sec, nanos, x.separator(), FractionDigits(nanos))
		if v.Type.ID == column.TimestampLTZ {
			dst = append(dst, 'Z')
		}
		return dst
	}
	switch v.Store {
	case column.Int8s:
		return strconv.AppendInt(dst, int64(v.I8[i]), 10)
	case column.Int16s:
		return strconv.AppendInt(dst, int64(v.I16[i]), 10)
	case column.Int32s:
		return strconv.AppendInt(dst, int64(v.I32[i]), 10)
	case column.Int64s:
		return strconv.AppendInt(dst, v.I64[i], 10)
	case column.Strings:
		return append(dst, v.Str[i]...)
	}
	return dst
}

// appendFloat writes what is no number as Java does, and it is read back.
func appendFloat(dst []byte, f float64, width int) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, "NaN"...)
	case math.IsInf(f, 0):
		if f < 0 {
			dst = append(dst, '-')
		}
		return append(dst, "Infinity"...)
	}
	return scalar.AppendFloat(dst, f, width)
}

// FractionDigits is how many digits a fraction of a second needs.
func FractionDigits(nanos int64) int {
	n := 9
	for n > 0 && nanos%10 == 0 {
		nanos /= 10
		n--
	}
	return n
}

// HasText reports whether values of the type have a text: all but rows, arrays, maps and the types that only exist inside queries.
func HasText(t column.Type) bool {
	return t.ID >= column.Boolean && t.ID <= column.IntervalMillis
}
