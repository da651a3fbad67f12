package exec

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/internal/keygroup"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/record"
	"github.com/flottio/flott/internal/state"
)

// discard is an output that nobody reads.
type discard struct{}

func (discard) Emit(b record.Batch) error {
	b.Release()
	return nil
}

const benchKeys = 1 << 20

var benchTypes = []column.Type{column.Of(column.BigInt), column.Of(column.BigInt), column.Of(column.BigInt)}

// benchBatch fills a batch with random keys and values.
func benchBatch(r *rand.Rand) *record.Columns {
	in := record.NewColumns(benchTypes)
	for range column.BatchRows {
		in.Cols[0].AppendInt(r.Int64N(benchKeys))
		in.Cols[1].AppendInt(r.Int64N(1000))
		in.Cols[2].AppendInt(r.Int64N(16))
	}
	in.N = column.BatchRows
	return in
}

func benchGroups(b *testing.B, calls ...AggCall) {
	backend, err := state.NewBackend(state.Config{Groups: state.Groups{End: 128, Max: 128}})
	if err != nil {
		b.Fatal(err)
	}
	g := &GroupAggregate{Env: utc(), In: benchTypes, Keys: []int{0}, Calls: calls, UpdateBefore: true}
	if err := g.Open(&operator.Context{
		UID: "op", Parallelism: 1, MaxParallelism: 128, KeyGroups: keygroup.All(128), Backend: backend, Out: []operator.Output{discard{}},
		Counters: &operator.Counters{}, Now: func() int64 { return 0 },
	}); err != nil {
		b.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	batches := make([]record.Batch, 256)
	for i := range batches {
		batches[i] = benchBatch(r)
	}
	for range 8 * benchKeys / column.BatchRows { // all keys are there
		if err := g.Process(0, benchBatch(r)); err != nil {
			b.Fatal(err)
		}
	}
	spent := time.Duration(0)
	b.ResetTimer()
	for i := range b.N {
		b.StopTimer()
		in := batches[i%len(batches)].Clone()
		b.StartTimer()
		start := time.Now()
		if err := g.Process(0, in); err != nil {
			b.Fatal(err)
		}
		spent += time.Since(start)
	}
	b.ReportMetric(float64(spent.Nanoseconds())/float64(b.N*column.BatchRows), "ns/row")
}

func BenchmarkCountByKey(b *testing.B) { benchGroups(b, aggOf(b, benchTypes, "COUNT", false, -1)) }

func BenchmarkCountSumAvgMaxByKey(b *testing.B) {
	benchGroups(b, aggOf(b, benchTypes, "COUNT", false, -1), aggOf(b, benchTypes, "SUM", false, -1, 1),
		aggOf(b, benchTypes, "AVG", false, -1, 1), aggOf(b, benchTypes, "MAX", false, -1, 1))
}

func BenchmarkCountDistinctByKey(b *testing.B) {
	benchGroups(b, aggOf(b, benchTypes, "COUNT", true, -1, 2))
}

// BenchmarkHandWrittenCount is what a loop over the same columns costs that a user would write.
func BenchmarkHandWrittenCount(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	batches := make([]*record.Columns, 256)
	for i := range batches {
		batches[i] = benchBatch(r)
	}
	counts := map[int64]int64{}
	for i := range int64(benchKeys) {
		counts[i] = 1
	}
	b.ResetTimer()
	for i := range b.N {
		for _, k := range batches[i%len(batches)].Cols[0].I64 {
			counts[k]++
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*column.BatchRows), "ns/row")
}

// BenchmarkHandWrittenCountSumAvgMax is the same for four results.
func BenchmarkHandWrittenCountSumAvgMax(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	batches := make([]*record.Columns, 256)
	for i := range batches {
		batches[i] = benchBatch(r)
	}
	type group struct{ n, sum, max int64 }
	groups := map[int64]group{}
	for i := range int64(benchKeys) {
		groups[i] = group{}
	}
	b.ResetTimer()
	for i := range b.N {
		in := batches[i%len(batches)]
		vals := in.Cols[1].I64
		for j, k := range in.Cols[0].I64 {
			g := groups[k]
			groups[k] = group{g.n + 1, g.sum + vals[j], max(g.max, vals[j])}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*column.BatchRows), "ns/row")
}
