package datagen

import (
	"math"
	"strconv"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/sql/table"
)

// maker makes the values of a column.
type maker struct {
	t         column.Type
	salt      uint64
	sequence  bool
	min, max  int64   // of whole numbers; min is where a sequence starts
	low, high float64 // of the others
	nullRate  uint64  // of 2^32
	maxPastMs int64
	length    int64
	varying   bool
	now       func() int64
	kids      []maker
}

// bounds reads 'min' and 'max'.
func (m *maker) bounds(o *table.Options, prefix string) {
	m.defaults()
	for _, b := range []struct {
		key   string
		whole *int64
		other *float64
	}{{"min", &m.min, &m.low}, {"max", &m.max, &m.high}} {
		switch {
		case !o.Given(prefix + b.key):
		case m.t.IsInteger():
			*b.whole = o.Int(prefix+b.key, m.leastOf(), m.mostOf())
		case m.t.IsInterval():
			*b.whole = o.Int(prefix+b.key, math.MinInt32, math.MaxInt64/2)
		case m.t.IsNumeric():
			*b.other = o.Float(prefix+b.key, -math.MaxFloat64, math.MaxFloat64)
		default:
			o.Bad(prefix+b.key, "a column of a numeric type; this one is "+m.t.String())
		}
	}
	if m.min > m.max || m.low > m.high {
		o.Bad(prefix+"max", "at least 'min'")
	}
}

// defaults are the type's limits.
func (m *maker) defaults() {
	switch {
	case m.t.IsInteger():
		m.min, m.max = m.leastOf(), m.mostOf()
	case m.t.IsInterval():
		m.min, m.max = 0, 1_000_000
	case m.t.ID == column.Float:
		m.low, m.high = -math.MaxFloat32, math.MaxFloat32
	case m.t.ID == column.Double:
		m.low, m.high = -math.MaxFloat64, math.MaxFloat64
	case m.t.ID == column.Decimal:
		m.high = math.Pow10(int(m.t.Precision) - int(m.t.Scale))
		m.low = -m.high
	}
}

func (m *maker) mostOf() int64 {
	switch m.t.ID {
	case column.TinyInt:
		return math.MaxInt8
	case column.SmallInt:
		return math.MaxInt16
	case column.Int:
		return math.MaxInt32
	}
	return math.MaxInt64
}

func (m *maker) leastOf() int64 { return -m.mostOf() - 1 }

// draw is a 64-bit hash of the row and a place in its stream: splitmix64's finaliser.
func (m *maker) draw(row, place uint64) uint64 {
	z := m.salt + row*0x9e3779b97f4a7c15 + place*0x2545f4914f6cdd1d
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb
	return z ^ (z >> 31)
}

// append adds the value of a row.
func (m *maker) append(v *column.Vector, row uint64) {
	if m.nullRate > 0 && m.draw(row, 1)>>32 < m.nullRate {
		v.Null()
		return
	}
	if m.sequence {
		m.next(v, m.min+int64(row))
		return
	}
	d := m.draw(row, 0)
	switch v.Store {
	case column.Bools:
		v.Append(d&1 == 1)
	case column.Strings:
		v.AppendText(m.text(row))
	case column.Lists, column.Maps:
		for e := range uint64(m.lengthOf(row)) {
			for k := range m.kids {
				m.kids[k].append(v.Kids[k], row*1_000_003+e)
			}
		}
		v.EndList()
	case column.Structs:
		for k := range m.kids {
			m.kids[k].append(v.Kids[k], row)
		}
		v.One()
	case column.Float32s, column.Float64s:
		m.next64(v, m.between(d))
	default:
		m.other(v, d)
	}
}

// other makes what is stored as a whole number.
func (m *maker) other(v *column.Vector, d uint64) {
	switch {
	case m.t.ID == column.Decimal:
		m.next64(v, m.between(d))
	case m.t.IsTemporal():
		ms := m.now()
		if m.maxPastMs > 0 {
			ms -= int64(d % uint64(m.maxPastMs))
		}
		m.moment(v, ms)
	default:
		span := uint64(m.max) - uint64(m.min) + 1
		if span != 0 {
			d %= span
		}
		appendWhole(v, int64(uint64(m.min)+d))
	}
}

func (m *maker) moment(v *column.Vector, ms int64) {
	days, ofDay := column.FloorDiv(ms, 86_400_000)
	switch m.t.ID {
	case column.Date:
		appendWhole(v, days)
	case column.Time:
		appendWhole(v, ofDay)
	default:
		v.AppendInstant(days*86400+ofDay/1000, ofDay%1000*1_000_000)
	}
}

// between is a number from low to high.
func (m *maker) between(d uint64) float64 {
	share := float64(d>>11) / (1 << 53)
	return m.low*(1-share) + m.high*share
}

// next64 appends a number with a fraction.
func (m *maker) next64(v *column.Vector, f float64) {
	switch v.Store {
	case column.Float32s:
		v.Append(float32(f))
	case column.Float64s:
		v.Append(f)
	default:
		text := strconv.AppendFloat(nil, f, 'f', int(m.t.Scale)+1, 64)
		x, _, fits := column.ParseDecimal(text, m.t)
		if !fits { // the bound itself has a digit too many
			x = column.Int128{}
		}
		v.AppendDecimal(x)
	}
}

// next appends a number of a sequence.
func (m *maker) next(v *column.Vector, n int64) {
	switch {
	case m.t.IsText():
		v.AppendText(strconv.FormatInt(n, 10))
	case m.t.IsInteger():
		appendWhole(v, n)
	case m.t.ID == column.Decimal:
		x, _, _ := column.ParseDecimal(strconv.AppendInt(nil, n, 10), m.t)
		v.AppendDecimal(x)
	default:
		m.next64(v, float64(n))
	}
}

func appendWhole(v *column.Vector, n int64) {
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

// lengthPlace begins the part of a row's stream that lengths and texts are drawn from.
const lengthPlace = 16

func (m *maker) lengthOf(row uint64) int64 {
	if !m.varying || m.length <= 1 || m.t.ID == column.Char || m.t.ID == column.Binary {
		return m.length
	}
	return 1 + int64(m.draw(row, lengthPlace)%uint64(m.length))
}

// text is hexadecimal digits, or bytes.
func (m *maker) text(row uint64) string {
	b := make([]byte, m.lengthOf(row))
	for i := 0; i < len(b); i += 16 {
		d := m.draw(row, lengthPlace+1+uint64(i))
		for k := i; k < min(i+16, len(b)); k++ {
			if m.t.IsText() {
				b[k] = "0123456789abcdef"[d&15]
			} else {
				b[k] = byte(d)
			}
			d >>= 4
		}
	}
	return string(b)
}
