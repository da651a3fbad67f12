package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// durationSyntax reads Flink's durations: a whole number and a unit ("5 s", "500ms", "1 min"), a plain number of milliseconds,
// or ISO-8601 ("PT10S").
type durationSyntax struct{}

const expectsDuration = `expected a duration: a whole number and a unit, as in "500 ms", "5 s", "1 min", "2 h", "1 d" ` +
	`(a plain number is milliseconds)`

// durationUnits are Flink's labels, shortest first within a unit.
var durationUnits = []struct {
	labels []string
	unit   time.Duration
}{
	{[]string{"d", "day", "days"}, 24 * time.Hour},
	{[]string{"h", "hour", "hours"}, time.Hour},
	{[]string{"min", "m", "minute", "minutes"}, time.Minute},
	{[]string{"s", "sec", "secs", "second", "seconds"}, time.Second},
	{[]string{"ms", "milli", "millis", "millisecond", "milliseconds"}, time.Millisecond},
	{[]string{"µs", "μs", "us", "micro", "micros", "microsecond", "microseconds"}, time.Microsecond},
	{[]string{"ns", "nano", "nanos", "nanosecond", "nanoseconds"}, time.Nanosecond},
}

func (durationSyntax) Name() string { return "Duration" }

func (durationSyntax) Parse(text string) (time.Duration, error) { return ParseDuration(text) }

func (durationSyntax) Format(d time.Duration) string { return FormatDuration(d) }

// ParseDuration reads a duration as Flink writes it. Durations are never negative.
func ParseDuration(text string) (time.Duration, error) {
	text = strings.TrimSpace(text)
	if len(text) > 0 && (text[0] == 'P' || text[0] == 'p') {
		return parseISODuration(text)
	}
	number, label := cutNumber(text)
	if number == "" {
		return 0, fmt.Errorf("%s", expectsDuration)
	}
	unit := time.Millisecond
	if label != "" {
		if unit = unitOf(label); unit == 0 {
			return 0, fmt.Errorf("%s", expectsDuration)
		}
	}
	return scaleDuration(number, unit)
}

func unitOf(label string) time.Duration {
	for _, u := range durationUnits {
		for _, l := range u.labels {
			if strings.EqualFold(l, label) {
				return u.unit
			}
		}
	}
	return 0
}

func scaleDuration(number string, unit time.Duration) (time.Duration, error) {
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n > math.MaxInt64/int64(unit) {
		return 0, fmt.Errorf("expected a duration of at most %d days", math.MaxInt64/int64(24*time.Hour))
	}
	return time.Duration(n) * unit, nil
}

// cutNumber splits leading decimal digits from the label behind them.
func cutNumber(text string) (number, label string) {
	end := 0
	for end < len(text) && text[end] >= '0' && text[end] <= '9' {
		end++
	}
	return text[:end], strings.TrimSpace(text[end:])
}

// parseISODuration reads PnDTnHnMnS with whole numbers, each part at most once and in that order.
func parseISODuration(text string) (time.Duration, error) {
	bad := fmt.Errorf(`expected an ISO-8601 duration of days, hours, minutes and seconds in whole numbers, as in "PT10S" or "P1DT2H"`)
	days, clock, hasClock := strings.Cut(strings.ToUpper(text[1:]), "T")
	if days == "" && clock == "" || hasClock && clock == "" {
		return 0, bad
	}
	var total time.Duration
	for _, part := range []struct{ text, letters string }{{days, "D"}, {clock, "HMS"}} {
		rest, letters := part.text, part.letters
		for rest != "" {
			number, label := cutNumber(rest)
			at := -1
			if label != "" {
				at = strings.IndexByte(letters, label[0])
			}
			if number == "" || at < 0 {
				return 0, bad
			}
			d, err := scaleDuration(number, unitOf(map[byte]string{'D': "d", 'H': "h", 'M': "min", 'S': "s"}[label[0]]))
			if err != nil || total > math.MaxInt64-d {
				return 0, bad
			}
			total += d
			rest, letters = label[1:], letters[at+1:]
		}
	}
	return total, nil
}

// FormatDuration writes a duration in the largest unit that divides it, as Flink does: "100 ms", "10 min", "0 ms".
func FormatDuration(d time.Duration) string {
	if d == 0 {
		return "0 ms"
	}
	for _, u := range durationUnits {
		if d%u.unit == 0 {
			return strconv.FormatInt(int64(d/u.unit), 10) + " " + u.labels[0]
		}
	}
	return strconv.FormatInt(int64(d), 10) + " ns"
}
