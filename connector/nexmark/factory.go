package nexmark

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/sql/table"
)

// Factory is the connector 'nexmark'.
type Factory struct{}

// Name implements table.Factory.
func (Factory) Name() string { return "nexmark" }

// Options implements table.Factory.
func (Factory) Options() []table.Option {
	return []table.Option{
		{Key: "events.num", Default: "0", Doc: "number of events; 0: without end"},
		{Key: "next-event.rate", Default: "10000", Doc: "events in a second of event time; they are made as fast as they are read"},
		{Key: "seed", Default: "1", Doc: "the same seed gives the same rows"},
		{Key: "base-time", Default: "2015-07-15T00:00:00Z", Doc: "event time of the first event, RFC 3339"},
		{Key: "person.proportion", Default: "1", Doc: "share of persons in the events"},
		{Key: "auction.proportion", Default: "3", Doc: "share of auctions"},
		{Key: "bid.proportion", Default: "46", Doc: "share of bids"},
		{Key: "bid.hot-ratio.auctions", Default: "2", Doc: "of so many bids one is not for a hot auction"},
		{Key: "bid.hot-ratio.bidders", Default: "4", Doc: "of so many bids one is not of a hot bidder"},
		{Key: "auction.hot-ratio.sellers", Default: "4", Doc: "of so many auctions one is not of a hot seller"},
		{Key: "person.avg-size", Default: "200", Doc: "bytes of a person, about"},
		{Key: "auction.avg-size", Default: "500", Doc: "bytes of an auction, about"},
		{Key: "bid.avg-size", Default: "100", Doc: "bytes of a bid, about"},
	}
}

// Source implements table.SourceFactory.
func (f Factory) Source(d *table.Definition) (table.Source, error) {
	o := table.NewOptions(d, f.Options()...)
	number := func(key string, least int64) int64 { return o.Int(key, least, optionMax) }
	size := func(key string) int { return int(o.Int(key, 0, maxExtraBytes)) }
	g := &generator{
		seed: uint64(o.Int("seed", 0, math.MaxInt64)) * 0x9e3779b97f4a7c15, perSecond: number("next-event.rate", 1), baseMs: timeOf(o, "base-time"),
		personShare: number("person.proportion", 1), auctionShare: number("auction.proportion", 1), bidShare: number("bid.proportion", 0),
		hotAuctions: uint64(number("bid.hot-ratio.auctions", 1)), hotBidders: uint64(number("bid.hot-ratio.bidders", 1)),
		hotSellers: uint64(number("auction.hot-ratio.sellers", 1)), personBytes: size("person.avg-size"),
		auctionBytes: size("auction.avg-size"), bidBytes: size("bid.avg-size"),
	}
	g.total = g.personShare + g.auctionShare + g.bidShare
	s := &source{gen: g, events: o.Int("events.num", 0, eventsMax), def: d, only: -1}
	for _, c := range d.Columns {
		r, err := rootOf(c)
		o.Add(err)
		s.roots = append(s.roots, r)
	}
	if err := o.Err(); err != nil {
		return nil, err
	}
	g.makePrices()
	g.makeText()
	g.makeChannels()
	all := make([]int, len(d.Columns))
	for i := range all {
		all[i] = i
	}
	s.Project(all)
	return s, nil
}

const optionMax = 1_000_000_000_000

func timeOf(o *table.Options, key string) int64 {
	t, err := time.Parse(time.RFC3339, o.Text(key))
	if err != nil {
		o.Bad(key, "a time like 2015-07-15T00:00:00Z")
	}
	return t.UnixMilli()
}

// rootOf finds what makes a column's values.
func rootOf(c table.Column) (root, error) {
	if strings.EqualFold(c.Name, "event_type") {
		if c.Type.ID != column.Int {
			return root{}, fmt.Errorf("column %s: expected INT, found %s", c.Name, c.Type)
		}
		return root{kind: -1}, nil
	}
	for kind, e := range events {
		if strings.EqualFold(c.Name, e.name) {
			r := root{kind: int32(kind)}
			return r, r.fields(c)
		}
	}
	return root{}, fmt.Errorf("column %s: the events have event_type INT, and the rows person, auction and bid", c.Name)
}

func (r *root) fields(c table.Column) error {
	e := events[r.kind]
	if c.Type.ID != column.Row {
		return fmt.Errorf("column %s: expected a ROW of %s, found %s", c.Name, strings.Join(e.fields, ", "), c.Type)
	}
	var errs []error
	for _, f := range c.Type.Fields {
		i := slices.IndexFunc(e.fields, func(name string) bool { return strings.EqualFold(name, f.Name) })
		if i < 0 {
			errs = append(errs, fmt.Errorf("column %s: there is no field %s; a %s has %s", c.Name, f.Name, e.name, strings.Join(e.fields, ", ")))
			continue
		}
		l := e.leaf[e.fields[i]]
		if f.Type.ID != l.id || l.id == column.Timestamp && f.Type.Precision != 3 || l.id == column.Varchar && f.Type.Precision != column.MaxLength {
			want := map[column.ID]string{column.BigInt: "BIGINT", column.Timestamp: "TIMESTAMP(3)", column.Varchar: "STRING"}[l.id]
			errs = append(errs, fmt.Errorf("column %s: field %s: expected %s, found %s", c.Name, f.Name, want, f.Type))
		}
		r.leaf = append(r.leaf, l)
	}
	return errors.Join(errs...)
}
