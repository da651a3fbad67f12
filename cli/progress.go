package cli

import (
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// drawInterval is the time between two progress lines on a terminal; in a log it is client.progress-interval.
const drawInterval = 500 * time.Millisecond

// progress turns a job's status into lines. Rates are those since the line before; they need no clock in the engine.
type progress struct {
	name    string
	started time.Time

	at       time.Time // of the line before
	previous status
	in, out  float64 // records per second
}

// observe takes a status at a time.
func (p *progress) observe(now time.Time, s status) {
	if p.at.IsZero() {
		p.at = p.started
	}
	if seconds := now.Sub(p.at).Seconds(); seconds > 0 {
		p.in = max(0, float64(s.RecordsIn-p.previous.RecordsIn)) / seconds
		p.out = max(0, float64(s.RecordsOut-p.previous.RecordsOut)) / seconds
	}
	p.at, p.previous = now, s
}

// line is the progress line for a terminal; what does not fit into width is left out, the least important first.
func (p *progress) line(width int) string {
	s := p.previous
	parts := []string{p.name, strings.ToLower(s.State), "in " + quantity(p.in) + "/s", "out " + quantity(p.out) + "/s"}
	if s.Percent >= 0 {
		parts = append(parts, fmt.Sprintf("%.0f%%", math.Floor(s.Percent)))
	}
	if s.HasWatermark {
		parts = append(parts, "watermark lag "+short(s.WatermarkLag))
	}
	if s.Checkpoint.ID > 0 {
		parts = append(parts, fmt.Sprintf("checkpoint %d %s ago (%s)", s.Checkpoint.ID, short(p.at.Sub(s.Checkpoint.Completed)),
			short(s.Checkpoint.Took)))
	}
	if s.Backpressured > 0 {
		parts = append(parts, fmt.Sprintf("backpressure %.0f%%", 100*s.Backpressured))
	}
	for _, c := range []struct {
		count int64
		name  string
	}{{int64(s.Restarts), "restarts"}, {s.Late, "late"}, {s.DeadLetters, "dead letters"}, {s.Dropped, "dropped"}} {
		if c.count > 0 {
			parts = append(parts, c.name+" "+quantity(float64(c.count)))
		}
	}
	parts = append(parts, short(p.at.Sub(p.started)))
	line := parts[0]
	for _, part := range parts[1:] {
		if utf8.RuneCountInString(line)+2+len(part) < width { // a full last column would wrap
			line += "  " + part
		}
	}
	if runes := []rune(line); len(runes) >= width && width > 0 {
		line = string(runes[:width-1])
	}
	return line
}

// log is the same as one structured line.
func (p *progress) log(to *slog.Logger) {
	s := p.previous
	attrs := []any{"job", p.name, "status", s.State, "records_in", s.RecordsIn, "records_out", s.RecordsOut,
		"in_per_second", int64(math.Round(p.in)), "out_per_second", int64(math.Round(p.out))}
	if s.HasWatermark {
		attrs = append(attrs, "watermark_lag_ms", s.WatermarkLag.Milliseconds())
	}
	if s.Checkpoint.ID > 0 {
		attrs = append(attrs, "checkpoint", s.Checkpoint.ID, "checkpoint_age_ms", p.at.Sub(s.Checkpoint.Completed).Milliseconds(),
			"checkpoint_ms", s.Checkpoint.Took.Milliseconds(), "checkpoint_bytes", s.Checkpoint.SizeBytes)
	}
	attrs = append(attrs, "backpressure", math.Round(100*s.Backpressured)/100)
	if s.Percent >= 0 {
		attrs = append(attrs, "percent", math.Floor(s.Percent))
	}
	attrs = append(attrs, "late", s.Late, "dead_letters", s.DeadLetters, "dropped", s.Dropped, "restarts", s.Restarts)
	to.Info("progress", attrs...)
}

// quantity writes a count or a rate in four or five characters: 812, 34.1 k, 1.23 M.
func quantity(n float64) string {
	if n < 9_999.5 {
		return strconv.FormatFloat(math.Round(n), 'f', 0, 64)
	}
	for _, unit := range []string{"k", "M", "G"} {
		n /= 1000
		if n < 999.5 {
			digits := 0
			if n < 9.995 {
				digits = 2
			} else if n < 99.95 {
				digits = 1
			}
			return strconv.FormatFloat(n, 'f', digits, 64) + " " + unit
		}
	}
	return strconv.FormatFloat(n/1000, 'f', 1, 64) + " T"
}

// exact writes a count with its thousands apart: 1,000,000.
func exact(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// short writes a duration with two figures that matter.
func short(d time.Duration) string {
	switch {
	case d < 0:
		return "-" + short(-d)
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Truncate(100*time.Millisecond).Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	case d < 100*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d days", int(d.Hours())/24)
}
