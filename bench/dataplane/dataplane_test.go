package main

import (
	"testing"

	"github.com/flottio/flott/bench/measure"
)

// BenchmarkPlane runs every case of the table as a Go benchmark; b.N counts records or elements.
func BenchmarkPlane(b *testing.B) {
	for _, g := range groups() {
		for _, c := range g.cases {
			b.Run(g.name+"/"+c.Name, func(b *testing.B) {
				b.ReportAllocs()
				c.Run(b.N)
			})
		}
	}
}

// TestCasesDoTheSame runs each case of the groups whose cases make a sum, and compares the sums.
func TestCasesDoTheSame(t *testing.T) {
	const n = 10_000
	for _, cases := range [][]measure.Case{chainCases(), sizeCases()} {
		var want int64
		for i, c := range cases {
			sum = 0
			c.Run(n)
			if i == 0 {
				want = sum
			}
			if sum != want || sum == 0 {
				t.Errorf("%s made %d, %s made %d", c.Name, sum, cases[0].Name, want)
			}
		}
	}
	for _, k := range []int{2, 8} {
		var want [8]int64
		for i, c := range scatterCases(k) {
			scattered = [8]int64{}
			c.Run(n)
			if i == 0 {
				want = scattered
			}
			if scattered != want || want[k-1] == 0 {
				t.Errorf("%s sent %v, %s %v", c.Name, scattered, scatterCases(k)[0].Name, want)
			}
		}
	}
}
