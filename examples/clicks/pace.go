package main

import (
	"time"

	"github.com/flottio/flott/format"
)

// paced is a format whose decoders take their time, to watch the job at work: about perSecond records a second each, 0 for no limit. A function
// of a real job never sleeps; this one holds up its subtask for a few milliseconds at a time.
func paced[T any](f format.Format[T], perSecond int) format.Format[T] {
	if perSecond <= 0 {
		return f
	}
	return pacedFormat[T]{f, perSecond}
}

type pacedFormat[T any] struct {
	format.Format[T]
	perSecond int
}

func (f pacedFormat[T]) NewDecoder() (format.Decoder[T], error) {
	d, err := f.Format.NewDecoder()
	return &pacedDecoder[T]{Decoder: d, every: max(1, f.perSecond/pausesPerSecond), pause: time.Second / pausesPerSecond}, err
}

const pausesPerSecond = 200

type pacedDecoder[T any] struct {
	format.Decoder[T]
	every, n int
	pause    time.Duration
	due      time.Time
}

// Decode implements format.Decoder.
func (d *pacedDecoder[T]) Decode(record []byte, v *T) error {
	if d.n++; d.n%d.every == 0 {
		now := time.Now()
		if d.due.Before(now) {
			d.due = now
		}
		d.due = d.due.Add(d.pause)
		time.Sleep(d.due.Sub(now))
	}
	return d.Decoder.Decode(record, v)
}
