package plan

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/sql/internal/ast"
	"github.com/flottio/flott/sql/internal/expr"
)

// literal gives a constant its type: whole numbers are INT or BIGINT, others with a point DECIMAL, with an exponent DOUBLE; text is CHAR of
// its length.
func (b *Binder) literal(x *ast.Literal) expr.Expr {
	fixed := func(t column.Type, v any) expr.Expr { return &expr.Literal{Value: v, Of: t.Nullable(false)} }
	switch x.Kind {
	case ast.NullLit:
		return nullLiteral()
	case ast.UnknownLit:
		return &expr.Literal{Of: column.Of(column.Boolean)}
	case ast.TrueLit, ast.FalseLit:
		return fixed(column.Of(column.Boolean), x.Kind == ast.TrueLit)
	case ast.ExactLit:
		return b.exact(x)
	case ast.ApproxLit:
		f, err := strconv.ParseFloat(x.Text, 64)
		if err != nil {
			b.failf(x.Pos, "the number %s is beyond DOUBLE", x.Text)
			return nil
		}
		return fixed(column.Of(column.Double), f)
	case ast.StringLit:
		return fixed(column.Type{ID: column.Char, Precision: int32(utf8.RuneCountInString(x.Text))}, x.Text)
	case ast.BytesLit:
		return fixed(column.Type{ID: column.Binary, Precision: int32(len(x.Text))}, x.Text)
	}
	return b.timeLiteral(x)
}

func (b *Binder) exact(x *ast.Literal) expr.Expr {
	text := strings.TrimLeft(x.Text, "+")
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		if n >= math.MinInt32 && n <= math.MaxInt32 {
			return &expr.Literal{Value: int32(n), Of: column.Of(column.Int).Nullable(false)}
		}
		return &expr.Literal{Value: n, Of: column.Of(column.BigInt).Nullable(false)}
	}
	negative := strings.HasPrefix(text, "-")
	whole, fraction, _ := strings.Cut(strings.TrimPrefix(text, "-"), ".")
	precision := max(len(whole)+len(fraction), 1) // as written: 0.05 is DECIMAL(3, 2)
	n, ok := new(big.Int).SetString("0"+whole+fraction, 10)
	if !ok || precision > column.MaxDecimalPrecision {
		b.failf(x.Pos, "the number %s has more than %d digits", x.Text, column.MaxDecimalPrecision)
		return nil
	}
	if negative {
		n.Neg(n)
	}
	t := column.DecimalType(precision, len(fraction)).Nullable(false)
	if t.Storage() == column.Int64s {
		return &expr.Literal{Value: n.Int64(), Of: t}
	}
	return &expr.Literal{Value: int128(n), Of: t}
}

func int128(n *big.Int) column.Int128 {
	lo := new(big.Int).And(n, new(big.Int).SetUint64(math.MaxUint64)).Uint64() // two's complement of negative numbers too
	return column.Int128{Hi: new(big.Int).Rsh(n, 64).Int64(), Lo: lo}
}

// timeLiteral reads DATE, TIME, TIMESTAMP and TIMESTAMP_LTZ literals.
func (b *Binder) timeLiteral(x *ast.Literal) expr.Expr {
	text := strings.TrimSpace(x.Text)
	digits := 0
	if _, fraction, ok := strings.Cut(text, "."); ok {
		digits = len(fraction)
	}
	layout, what := "2006-01-02", "DATE '2024-12-31'"
	switch x.Kind {
	case ast.TimeLit:
		layout, what = "15:04:05", "TIME '23:59:59'"
	case ast.TimestampLit, ast.TimestampLTZLit:
		layout, what = "2006-01-02 15:04:05", "TIMESTAMP '2024-12-31 23:59:59'"
	}
	zone := time.UTC
	if x.Kind == ast.TimestampLTZLit && b.Zone != nil {
		zone = b.Zone
	}
	at, err := time.ParseInLocation(layout, text, zone)
	if err != nil || digits > column.MaxTimePrecision {
		b.failf(x.Pos, "cannot read '%s'", x.Text).WithHint("a literal looks like %s", what)
		return nil
	}
	var t column.Type
	var v any
	switch x.Kind {
	case ast.DateLit:
		t, v = column.Of(column.Date), int32(floorDiv(at.Unix(), 86400))
	case ast.TimeLit:
		t = column.Type{ID: column.Time, Precision: int32(digits)}
		v = int32(at.Hour()*3600_000 + at.Minute()*60_000 + at.Second()*1000 + at.Nanosecond()/1_000_000)
	case ast.TimestampLTZLit:
		t = column.LocalTimestampType(digits)
		v = timestampValue(at, digits)
	default:
		t = column.TimestampType(digits)
		v = timestampValue(at, digits)
	}
	return &expr.Literal{Value: v, Of: t.Nullable(false)}
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func timestampValue(at time.Time, digits int) any {
	switch {
	case digits <= 3:
		return at.UnixMilli()
	case digits <= 6:
		return at.UnixMicro()
	}
	n := new(big.Int).Mul(big.NewInt(at.Unix()), big.NewInt(1_000_000_000))
	return int128(n.Add(n, big.NewInt(int64(at.Nanosecond()))))
}

// unitMillis and unitMonths are what a unit of an interval counts.
var (
	unitMillis = map[ast.Unit]int64{ast.Week: 7 * 86400_000, ast.Day: 86400_000, ast.Hour: 3600_000, ast.Minute: 60_000, ast.Second: 1000}
	unitMonths = map[ast.Unit]int64{ast.Year: 12, ast.Quarter: 3, ast.Month: 1}
)

// interval reads INTERVAL '1 10:20:30.123' DAY TO SECOND and its like.
func (b *Binder) interval(x *ast.Interval) expr.Expr {
	text := strings.TrimSpace(x.Text)
	negative := x.Negative
	if rest, ok := strings.CutPrefix(text, "-"); ok {
		negative, text = !negative, strings.TrimSpace(rest)
	}
	text = strings.TrimPrefix(text, "+")
	q := x.Qual
	var total int64
	var err error
	months := unitMonths[q.From] > 0
	if months {
		total, err = monthInterval(text, q)
	} else {
		total, err = milliInterval(text, q)
	}
	if err != nil {
		b.failf(x.Pos, "INTERVAL '%s': %v", x.Text, err)
		return nil
	}
	if negative {
		total = -total
	}
	if months {
		return &expr.Literal{Value: int32(total), Of: column.Type{ID: column.IntervalMonths, NotNull: true, Interval: qualifierText(q)}}
	}
	return &expr.Literal{Value: total, Of: column.Type{ID: column.IntervalMillis, NotNull: true, Interval: qualifierText(q)}}
}

func qualifierText(q ast.Qualifier) string {
	s := q.From.String()
	if q.Precision >= 0 {
		s += fmt.Sprintf("(%d)", q.Precision)
	}
	if q.To != ast.NoUnit {
		s += " TO " + q.To.String()
	}
	if q.Fraction >= 0 && (q.To == ast.Second || q.From == ast.Second) {
		s += fmt.Sprintf("(%d)", q.Fraction)
	}
	return s
}

func monthInterval(text string, q ast.Qualifier) (int64, error) {
	if q.To == ast.NoUnit {
		n, err := fieldNumber(text)
		return n * unitMonths[q.From], limit(n, unitMonths[q.From], math.MaxInt32, err)
	}
	years, rest, ok := strings.Cut(text, "-")
	if !ok {
		return 0, fmt.Errorf("expected years and months, as in '1-6'")
	}
	y, err := fieldNumber(years)
	if err != nil {
		return 0, err
	}
	m, err := fieldNumber(rest)
	if err == nil && m > 11 {
		err = fmt.Errorf("there are at most 11 months beside years")
	}
	return y*12 + m, limit(y, 12, math.MaxInt32, err)
}

func limit(n, unit, most int64, err error) error {
	if err == nil && n > most/unit {
		return fmt.Errorf("the value is too large")
	}
	return err
}

func fieldNumber(text string) (int64, error) {
	n, err := strconv.ParseUint(text, 10, 62)
	if err != nil {
		return 0, fmt.Errorf("expected a whole number, found %q", text)
	}
	return int64(n), nil
}

func milliInterval(text string, q ast.Qualifier) (int64, error) {
	to := q.To
	if to == ast.NoUnit {
		to = q.From
	}
	var total int64
	for u := q.From; u <= to; u++ {
		part := text
		if u < to {
			sep := ":"
			if u == ast.Day {
				sep = " "
			}
			var ok bool
			if part, text, ok = strings.Cut(text, sep); !ok {
				return 0, fmt.Errorf("expected the fields from %s to %s", q.From, to)
			}
		}
		n, err := millis(part, u)
		if err != nil {
			return 0, err
		}
		if u != q.From && n >= unitMillis[u-1] {
			return 0, fmt.Errorf("the field %s is too large: %s", u, part)
		}
		total += n
	}
	return total, nil
}

func millis(part string, u ast.Unit) (int64, error) {
	fraction := ""
	if u == ast.Second {
		part, fraction, _ = strings.Cut(part, ".")
	}
	n, err := fieldNumber(part)
	if err := limit(n, unitMillis[u], math.MaxInt64, err); err != nil {
		return 0, err
	}
	total := n * unitMillis[u]
	if fraction != "" {
		f, err := fieldNumber((fraction + "00")[:3])
		if err != nil {
			return 0, err
		}
		total += f
	}
	return total, nil
}
