package table

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Options reads a table's options and keeps all that is wrong with them. Keys that were read are not reported as unknown.
type Options struct {
	def   *Definition
	known []Option
	byKey map[string]Option
	errs  []error
}

// general are options that every connector takes: the planner reads them.
var general = []Option{
	{Key: "connector"}, {Key: "property-version"}, {Key: "scan.parallelism"}, {Key: "sink.parallelism"}, {Key: "scan.watermark.*"},
}

// NewOptions returns the options of a definition, of which these are known.
func NewOptions(d *Definition, known ...Option) *Options {
	o := &Options{def: d, byKey: map[string]Option{}}
	o.Know(known...)
	return o
}

// Know adds known options: those of a format.
func (o *Options) Know(known ...Option) {
	o.known = append(o.known, known...)
	for _, k := range known {
		o.byKey[k.Key] = k
	}
}

// Given reports whether the table has the option.
func (o *Options) Given(key string) bool {
	_, ok := o.def.Options[key]
	return ok
}

// Text is the option's value, or its default.
func (o *Options) Text(key string) string {
	if v, ok := o.def.Options[key]; ok {
		return v
	}
	return o.byKey[key].Default
}

// Bad reports what is wrong with the value of an option.
func (o *Options) Bad(key, expected string) {
	o.Add(fmt.Errorf("'%s' = '%s': expected %s", key, o.Text(key), expected))
}

// Add reports a problem; nil is none.
func (o *Options) Add(err error) {
	if err != nil {
		o.errs = append(o.errs, err)
	}
}

// Bool is true or false.
func (o *Options) Bool(key string) bool {
	switch strings.ToLower(strings.TrimSpace(o.Text(key))) {
	case "true":
		return true
	case "false", "":
		return false
	}
	o.Bad(key, "true or false")
	return false
}

// Int is a whole number from least to most.
func (o *Options) Int(key string, least, most int64) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(o.Text(key)), 10, 64)
	if err != nil || n < least || n > most {
		o.Bad(key, "a whole number "+span(least, most))
		return least
	}
	return n
}

func span(least, most int64) string {
	if most == math.MaxInt64 {
		return fmt.Sprintf("of at least %d", least)
	}
	return fmt.Sprintf("from %d to %d", least, most)
}

// Own is the parallelism of a source or sink that its options say; it implements Paralleler.
type Own struct{ parallelism int }

// Parallelism implements Paralleler.
func (o Own) Parallelism() int { return o.parallelism }

// maxParallelism bounds what an option may ask for: the largest number of key groups.
const maxParallelism = 1 << 15

// Own reads an option 'scan.parallelism' or 'sink.parallelism'.
func (o *Options) Own(key string) Own {
	if !o.Given(key) {
		return Own{}
	}
	return Own{int(o.Int(key, 1, maxParallelism))}
}

// Float is a number from least to most.
func (o *Options) Float(key string, least, most float64) float64 {
	f, err := strconv.ParseFloat(strings.TrimSpace(o.Text(key)), 64)
	if err != nil || !(f >= least && f <= most) {
		o.Bad(key, fmt.Sprintf("a number from %v to %v", least, most))
		return least
	}
	return f
}

// OneOf is one of the values, compared without case and returned as listed.
func (o *Options) OneOf(key string, values ...string) string {
	text := strings.TrimSpace(o.Text(key))
	for _, v := range values {
		if strings.EqualFold(v, text) {
			return v
		}
	}
	hint := ""
	if near := nearest(strings.ToLower(text), values); near != "" && len(values) > 2 {
		hint = fmt.Sprintf("; did you mean '%s'?", near)
	}
	o.Bad(key, "one of "+strings.Join(values, ", ")+hint)
	return values[0]
}

var timeUnits = []struct {
	names []string
	unit  time.Duration
}{
	{[]string{"ns", "nano", "nanosecond"}, time.Nanosecond}, {[]string{"us", "µs", "micro", "microsecond"}, time.Microsecond},
	{[]string{"", "ms", "milli", "millisecond"}, time.Millisecond}, {[]string{"s", "sec", "second"}, time.Second},
	{[]string{"m", "min", "minute"}, time.Minute}, {[]string{"h", "hour"}, time.Hour}, {[]string{"d", "day"}, 24 * time.Hour},
}

// Duration is a length of time as Flink writes it: "500 ms", "10 s", "1 min", "2h", "3 days"; without unit milliseconds.
func (o *Options) Duration(key string) time.Duration {
	number, unit := splitUnit(o.Text(key))
	n, err := strconv.ParseInt(number, 10, 64)
	for _, u := range timeUnits {
		if slices.Contains(u.names, unit) || slices.Contains(u.names, strings.TrimSuffix(unit, "s")) && unit != "s" {
			if err == nil && n <= math.MaxInt64/int64(u.unit) {
				return time.Duration(n) * u.unit
			}
		}
	}
	o.Bad(key, "a length of time such as '500 ms', '10 s', '1 min', '2 h' or '1 d'")
	return 0
}

var sizeUnits = []struct {
	names []string
	bytes int64
}{
	{[]string{"", "b", "bytes"}, 1}, {[]string{"k", "kb", "kibibytes"}, 1 << 10}, {[]string{"m", "mb", "mebibytes"}, 1 << 20},
	{[]string{"g", "gb", "gibibytes"}, 1 << 30}, {[]string{"t", "tb", "tebibytes"}, 1 << 40},
}

// Size is a number of bytes as Flink writes it: "64kb", "128 mb", "1g"; without unit bytes.
func (o *Options) Size(key string) int64 {
	number, unit := splitUnit(o.Text(key))
	n, err := strconv.ParseInt(number, 10, 64)
	for _, u := range sizeUnits {
		if slices.Contains(u.names, unit) && err == nil && n <= math.MaxInt64/u.bytes {
			return n * u.bytes
		}
	}
	o.Bad(key, "a size such as '64 kb', '128 mb' or '1 gb'")
	return 0
}

func splitUnit(text string) (number, unit string) {
	text = strings.ToLower(strings.TrimSpace(text))
	i := 0
	for i < len(text) && text[i]-'0' <= 9 {
		i++
	}
	return text[:i], strings.TrimSpace(text[i:])
}

// Err joins all problems: those reported, required options that are missing, and unknown ones with the nearest known.
func (o *Options) Err() error {
	errs := slices.Clone(o.errs)
	for _, k := range o.known {
		if k.Required && !o.Given(k.Key) {
			errs = append(errs, fmt.Errorf("'%s' is missing: %s", k.Key, k.Doc))
		}
	}
	var keys []string
	for key := range o.def.Options {
		if !o.knows(key) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	for _, key := range keys {
		errs = append(errs, o.unknown(key))
	}
	if len(errs) == 0 {
		return nil
	}
	return fmt.Errorf("options of table %s: %w", o.def.Path, errors.Join(errs...))
}

func (o *Options) knows(key string) bool {
	if _, ok := o.byKey[key]; ok {
		return true
	}
	matches := func(k Option) bool {
		prefix, any := strings.CutSuffix(k.Key, "*")
		return k.Key == key || any && strings.HasPrefix(key, prefix)
	}
	return slices.ContainsFunc(general, matches) || slices.ContainsFunc(o.known, matches)
}

func (o *Options) unknown(key string) error {
	var names []string
	for _, k := range slices.Concat(o.known, general[:4]) {
		if !strings.HasSuffix(k.Key, "*") {
			names = append(names, k.Key)
		}
	}
	if near := nearest(key, names); near != "" {
		return fmt.Errorf("'%s' is unknown; did you mean '%s'?", key, near)
	}
	slices.Sort(names)
	return fmt.Errorf("'%s' is unknown; known are %s", key, strings.Join(slices.Compact(names), ", "))
}

// nearest is the name that takes the fewest edits to reach, "" if none is near.
func nearest(word string, names []string) string {
	best, least := "", 1+len(word)/3
	for _, n := range names {
		if d := edits(word, strings.ToLower(n)); d <= least {
			if d < least || best == "" {
				best, least = n, d
			}
		}
	}
	return best
}

func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, diagonal+1, row[j]+1)
		}
	}
	return row[len(b)]
}
