package main

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/flottio/flott"
	"github.com/flottio/flott/connector/collection"
	"github.com/flottio/flott/connector/file"
	"github.com/flottio/flott/format/json"
)

// clicks are those of the files named, or those that the example brings along.
func clicks() flott.Source[Click] {
	if *clicksGlob != "" {
		return file.Source(*clicksGlob, json.Of[Click]())
	}
	c, _ := bundled(1, 60)
	return collection.Source(c)
}

func places() flott.Source[Place] {
	if *placesGlob != "" {
		return file.Source(*placesGlob, json.Of[Place]())
	}
	_, p := bundled(1, 60)
	return collection.Source(p)
}

var cities = []string{"Berlin", "Lagos", "Lima", "Osaka", "Pune"}

// bundled makes n clicks and the places of those who made them, the same for the same seed. Both are out of order, but never by more than
// disorder.
func bundled(seed uint64, n int) ([]Click, []Place) {
	rng := rand.New(rand.NewPCG(seed, 2))
	start := time.UnixMilli(1_767_225_600_000).UTC()
	someTime := func(i int) time.Time {
		return start.Add(time.Duration(i)*time.Second - time.Duration(rng.Int64N(int64(disorder/time.Millisecond)))*time.Millisecond)
	}
	user := func() string { return fmt.Sprintf("user-%d", rng.IntN(5)) }
	var clicks []Click
	var places []Place
	moved := map[Place]bool{} // nobody moves twice at one moment
	for i := range n {
		clicks = append(clicks, Click{fmt.Sprintf("/page/%d", i), user(), someTime(i)})
		p := Place{User: user(), Time: someTime(i)}
		if rng.IntN(3) == 0 && !moved[p] {
			moved[p] = true
			p.City = cities[rng.IntN(len(cities))]
			places = append(places, p)
		}
	}
	return clicks, places
}
