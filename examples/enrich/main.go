// Enrich adds to each click the place where its user was at that moment. Clicks and places are two streams, each out of order: a click waits
// until event time has passed it, so that every place that counts for it is known.
package main

import (
	"flag"
	"time"

	"github.com/flottio/flott"
	"github.com/flottio/flott/cli"
	"github.com/flottio/flott/connector/print"
)

var (
	clicksGlob = flag.String("clicks", "", "`GLOB` of the files with clicks; without it, some that the example brings along")
	placesGlob = flag.String("places", "", "`GLOB` of the files with places; without it, some that the example brings along")
)

// Click is a user's click on a URL.
type Click struct {
	URL  string    `json:"url,required"`
	User string    `json:"user,required"`
	Time time.Time `json:"ts,required,unixms"`
}

// Place is where a user is from a moment on.
type Place struct {
	User string    `json:"user,required"`
	City string    `json:"city,required"`
	Time time.Time `json:"ts,required,unixms"`
}

// PlacedClick is a click with its place, "unknown" if the user had none yet.
type PlacedClick struct {
	Click
	City string `json:"city"`
}

func build(env *flott.Env) {
	enrich(env, clicks(), places()).To("print", print.Sink[PlacedClick]())
}

// enrich is the job between sources and sink.
func enrich(env *flott.Env, clicks flott.Source[Click], places flott.Source[Place]) flott.Stream[PlacedClick] {
	c := flott.From(env, "clicks", clicks, flott.Watermarks(func(c Click) time.Time { return c.Time }).OutOfOrder(disorder))
	p := flott.From(env, "places", places, flott.Watermarks(func(p Place) time.Time { return p.Time }).OutOfOrder(disorder))
	return flott.CoProcess(
		flott.KeyBy(c, func(c Click) string { return c.User }),
		flott.KeyBy(p, func(p Place) string { return p.User }),
		"place", place)
}

// disorder is how far a record may lag behind the newest of its stream.
const disorder = 5 * time.Second

// place keeps, for each user, the clicks that wait and the places that may still count for one.
func place(k *flott.KeyedContext[string, PlacedClick]) (func(Click) error, func(Place) error) {
	waiting := flott.NewList[Click](k, "waiting")
	known := flott.NewMap[time.Time, string](k, "places")

	// settle emits the clicks up to a moment, then forgets the places that none can have any more.
	k.OnEventTimer(func(now time.Time) error {
		var later []Click
		for _, c := range waiting.Get() {
			if c.Time.After(now) {
				later = append(later, c)
				continue
			}
			_, city := latest(known, c.Time)
			k.EmitAt(PlacedClick{c, city}, c.Time)
		}
		waiting.Update(later)
		last, _ := latest(known, now)
		for at := range known.All() {
			if at.Before(last) {
				known.Remove(at)
			}
		}
		return nil
	})
	onClick := func(c Click) error {
		waiting.Add(c)
		k.SetEventTimer(c.Time)
		return nil
	}
	onPlace := func(p Place) error {
		known.Put(p.Time, p.City)
		return nil
	}
	return onClick, onPlace
}

// latest is the place that counts at a moment, and since when.
func latest(known *flott.MapState[string, time.Time, string], at time.Time) (since time.Time, city string) {
	city = "unknown"
	for t, c := range known.All() {
		if !t.After(at) && !t.Before(since) {
			since, city = t, c
		}
	}
	return since, city
}

func main() {
	cli.Main("enrich", build, cli.Doc("Adds to each click the place where its user was."))
}
