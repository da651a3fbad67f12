// Package traffic makes clicks for the clicks example: the same for the same seed, in a known disorder, every one with a user of its own, so
// that a checker can account for each. The generator and the tests of the example use it.
package traffic

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"time"
)

// Options say what the clicks look like.
type Options struct {
	Rows int
	Seed uint64
	// URLs is how many there are; the first ones are clicked most.
	URLs int
	// PerSecond is how many clicks fall into a second of event time.
	PerSecond int
	// Disorder bounds how far a click that is not late may lag behind the newest one.
	Disorder time.Duration
	// Late is the share of clicks that lag by lateMin to lateMax more than that, Bad the share of lines that are no clicks.
	Late, Bad float64
}

// Start is the event time of the first click, in milliseconds since the epoch.
const Start = 1_767_225_600_000 // 2026-01-01T00:00:00Z

const (
	lateMin = time.Minute
	lateMax = 3 * time.Minute
)

// Click is one click.
type Click struct {
	URL, User string
	TimeMs    int64
	// Bad says that the line was written without its end.
	Bad bool
}

func (o Options) check() error {
	var errs []error
	if o.Rows < 0 {
		errs = append(errs, fmt.Errorf("rows is %d, must be at least 0", o.Rows))
	}
	if o.URLs < 1 {
		errs = append(errs, fmt.Errorf("urls is %d, must be at least 1", o.URLs))
	}
	if o.PerSecond < 1 {
		errs = append(errs, fmt.Errorf("per-second is %d, must be at least 1", o.PerSecond))
	}
	if o.Disorder < 0 {
		errs = append(errs, fmt.Errorf("disorder is %v, must not be negative", o.Disorder))
	}
	if o.Late < 0 || o.Bad < 0 || o.Late > 1 || o.Bad > 1 {
		errs = append(errs, fmt.Errorf("late is %v and bad %v: both are shares, from 0 to 1", o.Late, o.Bad))
	}
	return errors.Join(errs...)
}

// Generate hands every click to each, in order.
func Generate(o Options, each func(number int, c Click) error) error {
	if err := o.check(); err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(o.Seed, 0x666c6f7474))
	popularity := rand.NewZipf(rng, 1.1, 4, uint64(o.URLs-1))
	for i := range o.Rows {
		now := Start + int64(i)*1000/int64(o.PerSecond)
		lag := time.Duration(0)
		if o.Disorder > 0 {
			lag = time.Duration(rng.Int64N(int64(o.Disorder)))
		}
		if rng.Float64() < o.Late {
			lag = o.Disorder + lateMin + time.Duration(rng.Int64N(int64(lateMax-lateMin)))
		}
		c := Click{URL: "/page/" + strconv.FormatUint(popularity.Uint64(), 10), User: fmt.Sprintf("user-%07d", i),
			TimeMs: now - lag.Milliseconds(), Bad: rng.Float64() < o.Bad}
		if err := each(i, c); err != nil {
			return err
		}
	}
	return nil
}

// Write writes the clicks as JSON lines.
func Write(w io.Writer, o Options) error {
	out := bufio.NewWriterSize(w, 1<<16)
	var line []byte
	err := Generate(o, func(_ int, c Click) error {
		line = c.Append(line[:0])
		_, err := out.Write(line)
		return err
	})
	if err != nil {
		return err
	}
	return out.Flush()
}

// Append appends the click's line.
func (c Click) Append(line []byte) []byte {
	line = append(line, `{"url":"`...)
	line = append(line, c.URL...)
	line = append(line, `","user":"`...)
	line = append(line, c.User...)
	if c.Bad {
		return append(line, '\n')
	}
	line = append(line, `","ts":`...)
	line = strconv.AppendInt(line, c.TimeMs, 10)
	return append(line, "}\n"...)
}
