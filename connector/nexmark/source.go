package nexmark

import (
	"math"

	"github.com/flottio/flott"
	"github.com/flottio/flott/column"
	"github.com/flottio/flott/connector/datagen"
	"github.com/flottio/flott/sql/table"
)

// blockEvents is the number of events in one record of the source, a batch: whole groups of the default shares, and no more than a batch
// takes.
const blockEvents = 2000

// source reads events in blocks: of n splits the k-th has every n-th block, so that event time goes on alike in all of them.
type source struct {
	flott.Source[*column.Batch]
	gen    *generator
	events int64 // 0: without end
	def    *table.Definition
	roots  []root
	paths  [][]int
	only   int32 // kind of event that is made; -1: all
}

// root is a column of the table.
type root struct {
	kind int32 // of the events whose rows have it; -1: event_type
	leaf []leaf
}

var (
	_ table.Source        = (*source)(nil)
	_ table.PathProjector = (*source)(nil)
	_ table.FilterPusher  = (*source)(nil)
)

// Mode implements table.Source.
func (s *source) Mode() table.Mode { return table.InsertOnly }

// Project implements table.Source.
func (s *source) Project(columns []int) {
	paths := make([][]int, len(columns))
	for i, c := range columns {
		paths[i] = []int{c}
	}
	s.ProjectPaths(paths)
}

// ProjectPaths implements table.PathProjector.
func (s *source) ProjectPaths(paths [][]int) {
	s.paths = paths
	s.build()
}

// PushFilter implements table.FilterPusher: event_type = x.
func (s *source) PushFilter(filters []table.Comparison) {
	for _, f := range filters {
		if kind, ok := f.Value.(int32); ok && f.Op == "=" && s.roots[f.Column].kind < 0 && kind >= person && kind <= bid {
			s.only = kind
		}
	}
	s.build()
}

func (s *source) build() {
	options := []datagen.Option{datagen.AtOnce(1)}
	if s.events > 0 {
		options = append(options, datagen.Rows((s.events+blockEvents-1)/blockEvents))
	}
	s.Source = datagen.Source(s.block, options...)
}

// block makes block i. It is called by several goroutines at once.
func (s *source) block(i int64) *column.Batch {
	from := i * blockEvents
	to := from + blockEvents
	if s.events > 0 {
		to = min(to, s.events)
	}
	events, kinds := make([]int64, 0, blockEvents), make([]int32, 0, blockEvents)
	for n := from; n < to; n++ {
		if k := s.gen.kind(n); s.only < 0 || k == s.only {
			events, kinds = append(events, n), append(kinds, k)
		}
	}
	b := &column.Batch{N: len(events), Cols: make([]*column.Vector, len(s.paths))}
	for c, path := range s.paths {
		b.Cols[c] = s.column(path, events, kinds)
	}
	return b
}

func (s *source) column(path []int, events []int64, kinds []int32) *column.Vector {
	t, r := s.def.Columns[path[0]].Type, s.roots[path[0]]
	if r.kind < 0 {
		v := column.New(t)
		v.Resize(len(kinds))
		copy(v.I32, kinds)
		return v
	}
	if len(path) == 2 {
		f := t.Fields[path[1]]
		return s.leaf(f.Type.Nullable(f.Type.NotNull && t.NotNull), r.kind, r.leaf[path[1]], events, kinds)
	}
	v := column.New(t)
	for k, f := range t.Fields {
		v.Kids[k].Release()
		v.Kids[k] = s.leaf(f.Type, r.kind, r.leaf[k], events, kinds)
	}
	v.Len = len(events)
	s.nulls(v, r.kind, kinds)
	return v
}

func (s *source) leaf(t column.Type, kind int32, l leaf, events []int64, kinds []int32) *column.Vector {
	v := column.New(t)
	v.Resize(len(events))
	if l.number != nil {
		for i, n := range events {
			v.I64[i] = 0
			if kinds[i] == kind {
				v.I64[i] = l.number(s.gen, n)
			}
		}
	} else {
		for i, n := range events {
			v.Str[i] = ""
			if kinds[i] == kind {
				v.Str[i] = l.text(s.gen, n)
			}
		}
	}
	s.nulls(v, kind, kinds)
	return v
}

// nulls makes NULL of the rows that are events of another kind.
func (s *source) nulls(v *column.Vector, kind int32, kinds []int32) {
	if s.only == kind {
		return
	}
	valid := v.NeedValid()
	for i, k := range kinds {
		if k != kind {
			valid.Clear(i)
		}
	}
}

// leaf makes the values of one field: a number (also a time in milliseconds) or a text.
type leaf struct {
	id     column.ID
	number func(g *generator, n int64) int64
	text   func(g *generator, n int64) string
}

func number(f func(*generator, int64) int64) leaf { return leaf{id: column.BigInt, number: f} }
func moment(f func(*generator, int64) int64) leaf { return leaf{id: column.Timestamp, number: f} }
func text(f func(*generator, int64) string) leaf  { return leaf{id: column.Varchar, text: f} }

// events lists the fields of each kind of event.
var events = [...]struct {
	name   string
	fields []string
	leaf   map[string]leaf
}{
	person: {"person", []string{"id", "name", "emailAddress", "creditCard", "city", "state", "dateTime", "extra"}, map[string]leaf{
		"id":           number(func(g *generator, n int64) int64 { return g.lastPerson(n) + firstPersonID }),
		"name":         text((*generator).personName),
		"emailAddress": text((*generator).email),
		"creditCard":   text((*generator).card),
		"city":         text((*generator).city),
		"state":        text((*generator).state),
		"dateTime":     moment((*generator).timeMs),
		"extra":        text(func(g *generator, n int64) string { return g.extra(n, saltPersonExtra, 80, g.personBytes) }),
	}},
	auction: {"auction", []string{"id", "itemName", "description", "initialBid", "reserve", "dateTime", "expires", "seller", "category", "extra"},
		map[string]leaf{
			"id":          number(func(g *generator, n int64) int64 { return g.lastAuction(n) + firstAuctionID }),
			"itemName":    text(func(g *generator, n int64) string { return g.someText(n, saltItem, 20) }),
			"description": text(func(g *generator, n int64) string { return g.someText(n, saltDescription, 100) }),
			"initialBid":  number(func(g *generator, n int64) int64 { return g.price(g.draw(n, saltPrice, 0)) }),
			"reserve": number(func(g *generator, n int64) int64 {
				return g.price(g.draw(n, saltPrice, 0)) + g.price(g.draw(n, saltReserve, 0))
			}),
			"dateTime": moment((*generator).timeMs),
			"expires":  moment((*generator).expiresMs),
			"seller":   number((*generator).seller),
			"category": number(func(g *generator, n int64) int64 {
				return firstCategoryID + int64(below(g.draw(n, saltCategory, 0), categories))
			}),
			"extra": text(func(g *generator, n int64) string { return g.extra(n, saltAuctionExtra, 150, g.auctionBytes) }),
		}},
	bid: {"bid", []string{"auction", "bidder", "price", "channel", "url", "dateTime", "extra"}, map[string]leaf{
		"auction":  number((*generator).bidAuction),
		"bidder":   number((*generator).bidder),
		"price":    number(func(g *generator, n int64) int64 { return g.price(g.draw(n, saltPrice, 0)) }),
		"channel":  text(func(g *generator, n int64) string { return g.channelNames[g.channel(n)] }),
		"url":      text(func(g *generator, n int64) string { return g.channelURLs[g.channel(n)] }),
		"dateTime": moment((*generator).timeMs),
		"extra":    text(func(g *generator, n int64) string { return g.extra(n, saltBidExtra, 32, g.bidBytes) }),
	}},
}

// eventsMax keeps numbers of events and times far from overflowing.
const eventsMax = math.MaxInt64 / 1_000_000
