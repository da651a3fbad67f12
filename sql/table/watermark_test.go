package table

import (
	"fmt"
	"testing"

	"github.com/flottio/flott/column"
)

// cuts gives the lengths of the batches that times are cut into.
func cuts(c Cutter, times ...int64) string {
	b := column.NewBatch([]column.Type{column.TimestampType(3)})
	for _, t := range times {
		b.AppendRow(0, t)
	}
	text, from := "", 0
	c.Begin()
	for i := 0; i < b.N; i++ {
		if c.Late(&b, i) {
			text += fmt.Sprint(i-from, " ")
			from = i
			c.Begin()
			if c.Late(&b, i) {
				return "no progress"
			}
		}
	}
	return text + fmt.Sprint(b.N-from)
}

func TestCutter(t *testing.T) {
	for _, c := range []struct {
		every int64
		times []int64
		want  string
	}{
		{200, []int64{1000, 2000, 3000}, "3"},
		{200, []int64{1000, 9000, 3999, 9100, 4000, 9001}, "2 4"},      // 3999 is late under 4000; what is late under it later is so in any case
		{200, []int64{1000, 9000, 9150, 4100}, "4"},                    // the step of 150 is too small
		{0, []int64{1000, 9000, 9150, 4100}, "3 1"},                    //
		{200, []int64{9000, 1000, 8000}, "1 2"},                        // the first row sets it at once
		{200, []int64{9000, 20000, 8000, 40000, 20500, 8001}, "2 2 2"}, //
		{200, []int64{-5000, -1000, -9000, 0, -20000, -5500}, "2 3 1"},   // before 1970
	} {
		if got := cuts(NewCutter(0, 5000, c.every), c.times...); got != c.want {
			t.Errorf("every %d, %v: %s, want %s", c.every, c.times, got, c.want)
		}
	}
	if got := cuts(Cutter{}, 9000, 1, 9000, 1); got != "4" {
		t.Errorf("the zero value cuts: %s", got)
	}
}
