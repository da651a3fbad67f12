// Package nexmark is the table connector 'nexmark': the events of the Nexmark benchmark (an auction site's persons, auctions and bids), made
// from their numbers alone. Every value is a hash of seed, event and field, so that the same seed gives the same rows at any parallelism, after
// any restart, and whichever columns are read; what a query does not read is not made.
//
// Of every 50 events the first is a person, three are auctions, 46 are bids. Times go on by the rate; identifiers, prices, lengths of auctions
// and the share of hot auctions, bidders and sellers follow the distributions that the benchmark's generator documents.
package nexmark

import "math"

// Bases of identifiers, and sizes of what bids and auctions choose from, as the benchmark has them.
const (
	firstPersonID     = 1000
	firstAuctionID    = 1000
	firstCategoryID   = 10
	categories        = 5
	activePeople      = 1000
	inFlightAuctions  = 100
	auctionIDLead     = 10
	personIDLead      = 10
	hotAuctionStep    = 100
	hotPersonStep     = 100
	channels          = 10_000
	hotChannelRatio   = 2
	priceLevels       = 4096
	defaultBaseTimeMs = 1_436_918_400_000 // 2015-07-15 00:00:00 UTC
)

// The kinds of event, as in the column event_type.
const (
	person = iota
	auction
	bid
)

// generator knows the parameters of a run; it is read-only and used by many goroutines.
type generator struct {
	seed                                       uint64
	personShare, auctionShare, bidShare, total int64
	baseMs                                     int64
	perSecond                                  int64
	hotAuctions, hotBidders, hotSellers        uint64
	personBytes, auctionBytes, bidBytes        int
	prices                                     [priceLevels]int64
	channelNames, channelURLs                  []string
	text                                       string
}

// Salts of the fields: each value is drawn from its own stream.
const (
	saltPrice = iota + 1
	saltBidAuction
	saltBidder
	saltChannel
	saltBidExtra
	saltSeller
	saltCategory
	saltReserve
	saltExpires
	saltItem
	saltDescription
	saltAuctionExtra
	saltName
	saltEmail
	saltCard
	saltCity
	saltState
	saltPersonExtra
	saltText
	saltURL
)

// draw is a 64-bit hash of event, field and place in the field's stream: splitmix64's finaliser.
func (g *generator) draw(event int64, salt, place uint64) uint64 {
	z := g.seed + uint64(event)*0x9e3779b97f4a7c15 + salt*0xd1342543de82ef95 + place*0x2545f4914f6cdd1d
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb
	return z ^ (z >> 31)
}

// below maps a draw to [0, n) by its upper half.
func below(draw, n uint64) uint64 { return (draw >> 32) * n >> 32 }

// kind says what event n is.
func (g *generator) kind(n int64) int32 {
	switch r := n % g.total; {
	case r < g.personShare:
		return person
	case r < g.personShare+g.auctionShare:
		return auction
	}
	return bid
}

// timeMs is when event n happens.
func (g *generator) timeMs(n int64) int64 { return g.baseMs + n*1000/g.perSecond }

// lastPerson is the number of the newest person at event n, from 0.
func (g *generator) lastPerson(n int64) int64 {
	epoch, r := n/g.total, n%g.total
	return epoch*g.personShare + min(r, g.personShare-1)
}

// lastAuction is the number of the newest auction at event n, from 0; -1 before the first.
func (g *generator) lastAuction(n int64) int64 {
	epoch, r := n/g.total, n%g.total
	switch {
	case r < g.personShare:
		return epoch*g.auctionShare - 1
	case r >= g.personShare+g.auctionShare:
		return (epoch+1)*g.auctionShare - 1
	}
	return epoch*g.auctionShare + r - g.personShare
}

// somePerson is a person who is active at event n, or is about to come.
func (g *generator) somePerson(n int64, draw uint64) int64 {
	last := g.lastPerson(n)
	active := min(last+1, activePeople)
	return last - active + 1 + int64(below(draw, uint64(active+personIDLead))) + firstPersonID
}

// someAuction is an auction in flight at event n, or about to come.
func (g *generator) someAuction(n int64, draw uint64) int64 {
	last := max(g.lastAuction(n), 0)
	least := max(last-inFlightAuctions, 0)
	return least + int64(below(draw, uint64(last-least+1+auctionIDLead))) + firstAuctionID
}

func (g *generator) price(draw uint64) int64 { return g.prices[draw>>52] }

func (g *generator) bidAuction(n int64) int64 {
	d := g.draw(n, saltBidAuction, 0)
	if below(d, g.hotAuctions) > 0 {
		return max(g.lastAuction(n), 0)/hotAuctionStep*hotAuctionStep + firstAuctionID
	}
	return g.someAuction(n, g.draw(n, saltBidAuction, 1))
}

func (g *generator) bidder(n int64) int64 {
	d := g.draw(n, saltBidder, 0)
	if below(d, g.hotBidders) > 0 {
		return g.lastPerson(n)/hotPersonStep*hotPersonStep + 1 + firstPersonID
	}
	return g.somePerson(n, g.draw(n, saltBidder, 1))
}

func (g *generator) seller(n int64) int64 {
	d := g.draw(n, saltSeller, 0)
	if below(d, g.hotSellers) > 0 {
		return g.lastPerson(n)/hotPersonStep*hotPersonStep + firstPersonID
	}
	return g.somePerson(n, g.draw(n, saltSeller, 1))
}

// channel is a place in the lists of channels and their addresses; the first four are the hot ones.
func (g *generator) channel(n int64) int {
	d := g.draw(n, saltChannel, 0)
	if below(d, hotChannelRatio) > 0 {
		return int(d & 3)
	}
	return len(hotChannels) + int(below(g.draw(n, saltChannel, 1), channels))
}

// expiresMs is when auction n ends: as long as it takes for some more auctions to begin, at most twice that.
func (g *generator) expiresMs(n int64) int64 {
	events := inFlightAuctions * g.total / g.auctionShare
	horizon := g.timeMs(n+events) - g.timeMs(n)
	return g.timeMs(n) + 1 + int64(below(g.draw(n, saltExpires, 0), uint64(max(2*horizon, 1))))
}

func (g *generator) makePrices() {
	for i := range g.prices {
		u := (float64(i) + 0.5) / priceLevels
		g.prices[i] = int64(math.Round(math.Pow(10, u*6) * 100))
	}
}
