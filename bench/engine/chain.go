package main

import (
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/flottio/flott"
)

// request is a line of a web server's log.
type request struct {
	Time, User, Bytes int64
	Method, Path      string
	Status            int
}

// parse takes a line apart: "time user method path status bytes". A line that is none gives status 0.
func parse(line string) request {
	var r request
	var err error
	field := func() string {
		f, rest, _ := strings.Cut(line, " ")
		line = rest
		return f
	}
	if r.Time, err = strconv.ParseInt(field(), 10, 64); err != nil {
		return request{}
	}
	if r.User, err = strconv.ParseInt(field(), 10, 64); err != nil {
		return request{}
	}
	r.Method, r.Path = field(), field()
	if r.Status, err = strconv.Atoi(field()); err != nil {
		return request{}
	}
	if r.Bytes, err = strconv.ParseInt(field(), 10, 64); err != nil {
		return request{}
	}
	return r
}

func served(r request) bool { return r.Status == 200 && r.Method == "GET" }

// hit is what is left of a request.
type hit struct {
	Page        string
	User, Bytes int64
}

// toHit cuts the query off the path.
func toHit(r request) hit {
	page, _, _ := strings.Cut(r.Path, "?")
	return hit{page, r.User, r.Bytes}
}

func weight(h *hit) int64 { return h.Bytes + int64(len(h.Page)) ^ h.User }

func lines(n int) []string {
	all := make([]string, n)
	for i := range all {
		status, method := 200, "GET"
		if i%7 == 3 {
			status = 404
		}
		if i%11 == 5 {
			method = "POST"
		}
		all[i] = fmt.Sprintf("%d %d %s /products/%d?session=%08x %d %d", 1_732_190_400_000+i, i*7919%100_003, method, i%977, i*2654435761&0xffffffff,
			status, 500+i%20_000)
	}
	return all
}

var logLines = sync.OnceValue(func() []string { return lines(1 << 16) })

func chainEngine(cores, records int) (sample, error) {
	m := &meter{warm: 0.1}
	in := &input[string]{rows: logLines(), records: records, meter: m}
	err := runJob(job{parallelism: cores}, func(env *flott.Env) {
		requests := flott.Map(flott.From(env, "lines", flott.Source[string](source[string]{in})), parse)
		flott.Map(requests.Filter(served), toHit).To("hits", sink[hit]{m, weight})
	})
	return m.sample(records), err
}

func chainLoop(cores, records int) (sample, error) {
	m := &meter{warm: 0.1}
	in := &input[string]{rows: logLines(), records: records, meter: m}
	each(cores, func(subtask int) {
		s := int64(0)
		in.scan(subtask, cores, func(lines []string) {
			for _, line := range lines {
				if r := parse(line); served(r) {
					h := toHit(r)
					s += weight(&h)
				}
			}
		})
		m.sum.Add(s)
	})
	m.done()
	return m.sample(records), nil
}

// each runs f for every subtask on a goroutine of its own and waits.
func each(n int, f func(subtask int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { f(i) })
	}
	all.Wait()
}

// The same chain with functions that do next to nothing: what is left is the engine itself.

func arithmeticEngine(cores, records int) (sample, error) {
	m := &meter{warm: 0.1}
	in := &input[event]{rows: uniformEvents(1<<20, 1<<20), records: records, meter: m}
	err := runJob(job{parallelism: cores}, func(env *flott.Env) {
		tripled := flott.Map(flott.From(env, "events", flott.Source[event](source[event]{in})), triple)
		flott.Map(tripled.Filter(odd), total).To("totals", sink[int64]{m, func(v *int64) int64 { return *v }})
	})
	return m.sample(records), err
}

func triple(e event) event { e.Value *= 3; return e }
func odd(e event) bool     { return e.Value&7 != 0 }
func total(e event) int64  { return e.Key + e.Value }

func arithmeticLoop(cores, records int) (sample, error) {
	m := &meter{warm: 0.1}
	in := &input[event]{rows: uniformEvents(1<<20, 1<<20), records: records, meter: m}
	each(cores, func(subtask int) {
		s := int64(0)
		in.scan(subtask, cores, func(rows []event) {
			for i := range rows {
				if e := triple(rows[i]); odd(e) {
					s += total(e)
				}
			}
		})
		m.sum.Add(s)
	})
	m.done()
	return m.sample(records), nil
}
