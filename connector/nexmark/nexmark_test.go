package nexmark

import (
	"testing"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/sql/table"
)

// definition is the table as the benchmark declares it.
func definition(options map[string]string) *table.Definition {
	d := &table.Definition{Path: "t", Options: options, Columns: []table.Column{{Name: "event_type", Type: column.Of(column.Int)}}}
	for _, e := range events {
		t := column.Type{ID: column.Row}
		for _, f := range e.fields {
			ft := column.Of(e.leaf[f].id)
			if ft.ID == column.Timestamp {
				ft.Precision = 3
			}
			t.Fields = append(t.Fields, column.Field{Name: f, Type: ft})
		}
		d.Columns = append(d.Columns, table.Column{Name: e.name, Type: t})
	}
	return d
}

func open(t testing.TB, options map[string]string) *source {
	t.Helper()
	s, err := Factory{}.Source(definition(options))
	if err != nil {
		t.Fatal(err)
	}
	return s.(*source)
}

// TestValuesDoNotDependOnWhatIsRead compares a whole block with one of which single fields of bids are read.
func TestValuesDoNotDependOnWhatIsRead(t *testing.T) {
	whole := open(t, map[string]string{"seed": "7"}).block(3)
	for f := range events[bid].fields {
		s := open(t, map[string]string{"seed": "7"})
		s.ProjectPaths([][]int{{1 + bid, f}})
		s.PushFilter([]table.Comparison{{Column: 0, Op: "=", Value: int32(bid)}})
		part := s.block(3)
		j := 0
		for i := range whole.N {
			if whole.Cols[0].I32[i] != bid {
				continue
			}
			if a, b := whole.Cols[1+bid].Kids[f].At(i), part.Cols[0].At(j); a != b {
				t.Fatalf("field %s of event %d: %v in the whole row, %v alone", events[bid].fields[f], i, a, b)
			}
			j++
		}
		if j != part.N || j != blockEvents*46/50 {
			t.Fatalf("%d bids of %d rows in the whole block", part.N, j)
		}
	}
}

// TestDistribution holds the shares that the benchmark documents.
func TestDistribution(t *testing.T) {
	s := open(t, nil)
	counts := map[any]int{}
	hot, prices := 0, 0.0
	for block := range int64(50) {
		b := s.block(block + 100)
		for i := range b.N {
			kind := b.Cols[0].I32[i]
			counts[kind]++
			if kind == bid {
				row := b.Cols[1+bid].At(i).([]any)
				if row[0].(int64)%hotAuctionStep == 0 {
					hot++
				}
				prices += float64(row[2].(int64))
				counts[row[3]]++
			}
		}
	}
	n := counts[int32(bid)]
	if counts[int32(person)]*46 != n || counts[int32(auction)]*46 != 3*n {
		t.Errorf("shares: %v", counts)
	}
	if share := float64(hot) / float64(n); share < 0.49 || share > 0.53 {
		t.Errorf("%.3f of the bids are for hot auctions, want about a half", share)
	}
	if google := float64(counts["Google"]) / float64(n); google < 0.115 || google > 0.135 {
		t.Errorf("%.3f of the bids come by one hot channel, want an eighth", google)
	}
	if mean := prices / float64(n); mean < 6.5e6 || mean > 8e6 {
		t.Errorf("mean price %.0f, want about 7.2 million", mean)
	}
}

func BenchmarkBids(b *testing.B) {
	s := open(b, nil)
	s.ProjectPaths([][]int{{3, 0}, {3, 1}, {3, 2}, {3, 5}, {3, 6}})
	s.PushFilter([]table.Comparison{{Column: 0, Op: "=", Value: int32(bid)}})
	for i := range b.N {
		batch := s.block(int64(i))
		batch.Release()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/blockEvents, "ns/event")
}
