package expr

import (
	"fmt"
	"math"
	"time"

	"github.com/flottio/flott/column"
)

// Functions between times and texts or numbers. A text that is not a time gives NULL; UNIX_TIMESTAMP gives the least BIGINT, as in Flink.
var temporalConvertFuncs = []*Func{
	fails(strict("DATE_FORMAT", "stamp text | text text", mayGive(textType), dateFormatKernel)),
	strict("TO_DATE", "text", mayGive(column.Of(column.Date)), rowwise(func(r *row) error {
		d, ok := parseDate(r.text(0))
		if !ok {
			return r.null()
		}
		return r.setWhole(d)
	})).withForm("text text", patternKernel(1, func(r *row, p *timePattern, _ *time.Location) error {
		v, ok := p.parse(r.text(0), true)
		if !ok {
			return r.null()
		}
		sec, _, ok := v.moment()
		if !ok {
			return r.null()
		}
		return r.setWhole(floorDiv(sec, daySecond))
	})),
	strict("TO_TIME", "text", mayGive(column.Type{ID: column.Time}), rowwise(func(r *row) error {
		ms, ok := parseTime(r.text(0))
		if !ok {
			return r.null()
		}
		return r.setWhole(int64(ms - ms%1000))
	})),
	strict("TO_TIMESTAMP", "text", mayGive(column.TimestampType(3)), rowwise(func(r *row) error {
		sec, nano, ok := parseTimestamp(trimmed(r.text(0)))
		return r.setMoment(sec, nano, ok)
	})).withForm("text text", patternKernel(1, func(r *row, p *timePattern, _ *time.Location) error {
		v, ok := p.parse(r.text(0), false)
		if !ok {
			sec, nano, ok := parseTimestamp(trimmed(r.text(0)))
			return r.setMoment(sec, nano, ok)
		}
		sec, nano, ok := v.moment()
		return r.setMoment(sec, nano, ok)
	})),
	toTimestampLTZ,
	unixTimestamp,
	fails(strict("FROM_UNIXTIME", "long text?", mayGive(textType), fromUnixtimeKernel)),
	strict("CONVERT_TZ", "text text text", mayGive(textType), convertZoneKernel),
}

// withForm adds a form with a kernel of its own: the number of arguments decides.
func (f *Func) withForm(forms string, kernel func(*Site) (Kernel, error)) *Func {
	first, least := f.Kernel, f.Resolve
	more := takes(f.Name, forms, func(args []Arg, _ []column.Type) (column.Type, error) {
		sig, err := least(args[:1])
		return sig.Result, err
	})
	f.Fails = true
	f.Resolve = func(args []Arg) (Signature, error) {
		if len(args) == 1 {
			return least(args)
		}
		return more(args)
	}
	f.Kernel = func(s *Site) (Kernel, error) {
		if len(s.Args) == 1 {
			return first(s)
		}
		return kernel(s)
	}
	return f
}

func (r *row) setMoment(sec, nano int64, ok bool) error {
	if !ok {
		return r.null()
	}
	setMoment(r.out, r.i, sec, nano)
	return nil
}

// patternKernel is a row-wise kernel with the time pattern at argument k, compiled once if it is constant.
func patternKernel(k int, f func(r *row, p *timePattern, zone *time.Location) error) func(*Site) (Kernel, error) {
	return func(s *Site) (Kernel, error) {
		var cache timePatterns
		zone := s.Env.zone()
		if v, ok := constantOf(s.Args[k], s.Env); ok {
			if text, isText := v.(string); isText {
				if _, err := cache.get(text); err != nil {
					return nil, err
				}
			}
		}
		return rowKernelOf(func(r *row) error {
			p, err := cache.get(r.text(k))
			if err != nil {
				return err
			}
			return f(r, p, zone)
		}), nil
	}
}

func dateFormatKernel(s *Site) (Kernel, error) {
	t := s.Type(0)
	return patternKernel(1, func(r *row, p *timePattern, zone *time.Location) error {
		var sec, nano int64
		if t.IsText() {
			var ok bool
			if sec, nano, ok = parseTimestamp(trimmed(r.text(0))); !ok {
				return r.null()
			}
		} else {
			sec, nano = momentAt(r.args[0], r.i)
		}
		offset, name := int64(0), "UTC"
		if t.ID == column.TimestampLTZ {
			offset, name = offsetAt(zone, sec), zoneName(zone, sec)
		}
		m := momentOf(sec+offset, nano, offset, name)
		return r.setBytes(p.format(r.free(), &m))
	})(s)
}

// zoneName is a zone's short name at a time.
func zoneName(zone *time.Location, sec int64) string {
	if zone == time.UTC {
		return "UTC"
	}
	name, _ := time.Unix(sec, 0).In(zone).Zone()
	return name
}

// toTimestampLTZ takes a number and the digits of its unit (0 seconds, 3 milliseconds, up to 9), 3 if they are missing; or a text with a
// pattern and a zone, UTC if that is missing.
var toTimestampLTZ = fails(&Func{Name: "TO_TIMESTAMP_LTZ", Strict: true,
	Resolve: takes("TO_TIMESTAMP_LTZ", "num int? | text text? text?", func(args []Arg, _ []column.Type) (column.Type, error) {
		if len(args) == 2 && args[1].Literal != nil {
			if x, ok := wholeValue(args[1].Literal.Value); ok && (x < 0 || x > 9) {
				return column.Type{}, errPrecision(x)
			}
		}
		return column.LocalTimestampType(3), nil
	}),
	Kernel: toTimestampLTZKernel})

func errPrecision(x int64) error {
	return fmt.Errorf("the precision of TO_TIMESTAMP_LTZ must be between 0 and 9 but was %d", x)
}

func toTimestampLTZKernel(s *Site) (Kernel, error) {
	if s.Type(0).IsText() {
		return textToInstant(s)
	}
	t := s.Type(0)
	return rowKernelOf(func(r *row) error {
		digits := r.wholeOr(1, 3)
		if digits < 0 || digits > 9 {
			return errPrecision(digits)
		}
		unit := column.Pow10Int64[digits]
		v := r.args[0]
		switch {
		case t.IsInteger():
			x := integerAt(v, r.i)
			return r.setInstant(floorDiv(x, unit), floorMod(x, unit)*(1_000_000_000/unit))
		case t.ID == column.Decimal:
			x, _ := decimalToFloat(longAt(v, r.i), int(t.Scale), 64, nil)
			return r.setReal(x, unit)
		case t.ID == column.Float:
			return r.setReal(float64(v.F32[r.i]), unit)
		}
		return r.setReal(v.F64[r.i], unit)
	}), nil
}

// maxInstantSec is the end of the year 9999, minInstantSec the beginning of year 0.
const (
	maxInstantSec = 253402300799
	minInstantSec = -62167219200
)

func (r *row) setInstant(sec, nano int64) error {
	return r.setMoment(sec, nano, sec >= minInstantSec && sec <= maxInstantSec)
}

// setReal stores a number of units, to the millisecond.
func (r *row) setReal(x float64, unit int64) error {
	ms := x * (1000 / float64(unit))
	if math.IsNaN(ms) || math.Abs(ms) > 1e15 {
		return r.null()
	}
	whole := int64(ms)
	return r.setInstant(floorDiv(whole, 1000), floorMod(whole, 1000)*1_000_000)
}

func textToInstant(s *Site) (Kernel, error) {
	var zones zoneCache
	if len(s.Args) == 1 {
		return rowKernelOf(func(r *row) error {
			sec, nano, ok := parseTimestamp(trimmed(r.text(0)))
			return r.setMoment(sec, nano, ok)
		}), nil
	}
	return patternKernel(1, func(r *row, p *timePattern, _ *time.Location) error {
		z := time.UTC
		if r.has(2) {
			if z = zones.get(r.text(2)); z == nil {
				return r.null()
			}
		}
		if v, ok := p.parse(r.text(0), false); ok {
			sec, nano, ok := v.instant(z)
			return r.setMoment(sec, nano, ok)
		}
		sec, nano, ok := parseTimestamp(trimmed(r.text(0)))
		return r.setMoment(utcOf(z, sec), nano, ok)
	})(s)
}

const defaultTimePattern = "yyyy-MM-dd HH:mm:ss"

// unixTimestamp without arguments is the clock, in seconds.
var unixTimestamp = fails(&Func{Name: "UNIX_TIMESTAMP", Strict: true, Resolve: takes("UNIX_TIMESTAMP", "text? text?", gives(longType)),
	Kernel: unixTimestampKernel, Volatility: Stable})

func unixTimestampKernel(s *Site) (Kernel, error) {
	toSeconds := func(r *row, p *timePattern, zone *time.Location) error {
		v, ok := p.parse(r.text(0), true)
		if !ok {
			return r.setWhole(math.MinInt64)
		}
		sec, _, ok := v.instant(zone)
		if !ok {
			return r.setWhole(math.MinInt64)
		}
		return r.setWhole(sec)
	}
	switch len(s.Args) {
	case 0:
		return rowKernelOf(func(r *row) error { return r.setWhole(floorDiv(r.e.NowMs, 1000)) }), nil
	case 1:
		p, err := compileTimePattern(defaultTimePattern)
		zone := s.Env.zone()
		return rowKernelOf(func(r *row) error { return toSeconds(r, p, zone) }), err
	}
	return patternKernel(1, toSeconds)(s)
}

func fromUnixtimeKernel(s *Site) (Kernel, error) {
	write := func(r *row, p *timePattern, zone *time.Location) error {
		sec := r.whole(0)
		if sec < minInstantSec || sec > maxInstantSec {
			return r.null()
		}
		offset := offsetAt(zone, sec)
		m := momentOf(sec+offset, 0, offset, zoneName(zone, sec))
		return r.setBytes(p.format(r.free(), &m))
	}
	if len(s.Args) == 2 {
		return patternKernel(1, write)(s)
	}
	p, err := compileTimePattern(defaultTimePattern)
	zone := s.Env.zone()
	return rowKernelOf(func(r *row) error { return write(r, p, zone) }), err
}

// convertZoneKernel reads yyyy-MM-dd HH:mm:ss in one zone and writes it in another.
func convertZoneKernel(*Site) (Kernel, error) {
	var zones zoneCache
	return rowKernelOf(func(r *row) error {
		from, to := zones.get(r.text(1)), zones.get(r.text(2))
		sec, _, ok := parseTimestamp(trimmed(r.text(0)))
		if from == nil || to == nil || !ok {
			return r.null()
		}
		sec = utcOf(from, sec)
		sec += offsetAt(to, sec)
		days := floorDiv(sec, daySecond)
		b := append(appendDate(r.free(), days), ' ')
		return r.setBytes(appendClock(b, sec-days*daySecond))
	}), nil
}
