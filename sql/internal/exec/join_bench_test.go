package exec

import (
	"fmt"
	"testing"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/keygroup"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/record"
	"github.com/flottio/flott/internal/state"
	"github.com/flottio/flott/sql/internal/expr"
)

// discardJoined is an output that counts.
type discardJoined struct{ rows int }

func (d *discardJoined) Emit(b record.Batch) error {
	d.rows += b.Len()
	b.Release()
	return nil
}

func benchContext(b testing.TB, out operator.Output) *operator.Context {
	all := keygroup.All(128)
	backend, err := state.NewBackend(state.Config{Groups: state.Groups{First: 0, End: all.Last + 1, Max: 128}})
	if err != nil {
		b.Fatal(err)
	}
	return &operator.Context{UID: "op", Out: []operator.Output{out}, Backend: backend, Counters: &operator.Counters{}, Now: func() int64 { return 0 }}
}

var (
	bidTypes     = []column.Type{bigint, bigint, bigint, text, text, bigint}
	auctionTypes = []column.Type{bigint, text, text, bigint, bigint, bigint, bigint, bigint}
)

const benchRows = column.BatchRows

// q20Batch is the numbers from n on: a batch of bids, and one of the auctions that begin meanwhile, of which a tenth is of the category.
func q20Batch(n int) (bids, auctions *record.Columns) {
	bids, auctions = record.NewColumns(bidTypes), record.NewColumns(auctionTypes)
	for i := range benchRows {
		k := n*benchRows + i
		newest := int64(k / 15)
		auction := newest - int64((k*7919)%100)
		if k%2 == 0 {
			auction = newest / 100 * 100 // the hot one
		}
		b := bids.Cols
		b[0].I64, b[1].I64, b[2].I64 = append(b[0].I64, auction), append(b[1].I64, int64(k%1000)), append(b[2].I64, int64(k))
		b[3].Str, b[4].Str = append(b[3].Str, "channel-of-bid"), append(b[4].Str, "https://www.nexmark.com/a/page/item.htm?query=1")
		b[5].I64 = append(b[5].I64, int64(k))
		if k%15 == 0 && k/15%10 == 0 {
			a := auctions.Cols
			for _, c := range []int{0, 3, 4, 5, 6, 7} {
				a[c].I64 = append(a[c].I64, newest)
				a[c].Len++
			}
			for _, c := range []int{1, 2} {
				a[c].Str = append(a[c].Str, "the description of an item")
				a[c].Len++
			}
			auctions.N++
		}
	}
	for _, v := range bids.Cols {
		v.Len = benchRows
	}
	bids.N = benchRows
	return bids, auctions
}

// BenchmarkJoinBids is q20: every bid is kept, and meets its auction if that is of the category.
func BenchmarkJoinBids(b *testing.B) {
	out := &discardJoined{}
	j := &Join{Env: &expr.Env{}, Sides: [2]JoinSide{
		{Types: bidTypes, Keys: []int{0}, InsertOnly: true}, {Types: auctionTypes, Keys: []int{0}, InsertOnly: true, HasUnique: true},
	}}
	if err := j.Open(benchContext(b, out)); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.StopTimer()
	b.ResetTimer()
	for n := range b.N {
		bids, auctions := q20Batch(n)
		b.StartTimer()
		if auctions.N > 0 {
			if err := j.Process(1, auctions); err != nil {
				b.Fatal(err)
			}
		}
		if err := j.Process(0, bids); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*benchRows), "ns/row")
	b.ReportMetric(float64(out.rows)/float64(b.N*benchRows), "out/row")
}

type benchBid struct {
	auction, bidder, price int64
	channel, url           string
	time                   int64
}

type benchAuction struct {
	id              int64
	item, text      string
	a, b, c, d, cat int64
}

// BenchmarkJoinBidsByHand is the same with Go's maps.
func BenchmarkJoinBidsByHand(b *testing.B) {
	bidsOf, auctionOf := map[int64][]benchBid{}, map[int64]benchAuction{}
	type joined struct {
		benchBid
		benchAuction
	}
	var results []joined
	rows := 0
	b.ReportAllocs()
	b.StopTimer()
	b.ResetTimer()
	for n := range b.N {
		bids, auctions := q20Batch(n)
		b.StartTimer()
		a := auctions.Cols
		results = results[:0]
		for i := range auctions.N {
			x := benchAuction{a[0].I64[i], a[1].Str[i], a[2].Str[i], a[3].I64[i], a[4].I64[i], a[5].I64[i], a[6].I64[i], a[7].I64[i]}
			auctionOf[x.id] = x
			for _, y := range bidsOf[x.id] {
				results = append(results, joined{y, x})
			}
		}
		c := bids.Cols
		for i := range bids.N {
			x := benchBid{c[0].I64[i], c[1].I64[i], c[2].I64[i], c[3].Str[i], c[4].Str[i], c[5].I64[i]}
			bidsOf[x.auction] = append(bidsOf[x.auction], x)
			if y, ok := auctionOf[x.auction]; ok {
				results = append(results, joined{x, y})
			}
		}
		rows += len(results)
		bids.Release()
		auctions.Release()
		b.StopTimer()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*benchRows), "ns/row")
	b.ReportMetric(float64(rows)/float64(b.N*benchRows), "out/row")
	_ = fmt.Sprint(len(results))
}
