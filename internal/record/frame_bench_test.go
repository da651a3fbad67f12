package record

import (
	"fmt"
	"testing"
)

type flat32 struct{ A, B, C, D int64 }

type click struct {
	At        int64
	User, URL string
	Status    int32
}

// BenchmarkFrames is a full batch with times and hashes to bytes and back: ns/record. The hand-over is what an edge inside the process pays.
func BenchmarkFrames(b *testing.B) {
	benchFrames(b, "flat 32 bytes", func(i int) flat32 { return flat32{int64(i), 1, 2, 3} })
	benchFrames(b, "click", func(i int) click {
		return click{int64(i), fmt.Sprintf("user-%d", i%100), "https://example.com/shop/item", 200}
	})
}

func benchFrames[T any](b *testing.B, name string, value func(int) T) {
	f := framesOf[T](b)
	rows := NewRows[T]()
	for i := 0; !rows.Full(); i++ {
		rows.Append(value(i), int64(i), true)
		rows.Head.Hashes = append(rows.Head.Hashes, uint64(i)*31)
	}
	e := Element{Kind: KindBatch, Batch: rows}
	wire, err := f.Append(nil, &e)
	if err != nil {
		b.Fatal(err)
	}
	perRecord := func(b *testing.B) {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(rows.Len()), "ns/record")
		b.ReportMetric(float64(len(wire))/float64(rows.Len()), "bytes/record")
		b.ReportAllocs()
	}
	b.Run(name+"/encode", func(b *testing.B) {
		for b.Loop() {
			if wire, err = f.Append(wire[:0], &e); err != nil {
				b.Fatal(err)
			}
		}
		perRecord(b)
	})
	b.Run(name+"/decode", func(b *testing.B) {
		for b.Loop() {
			x, _, err := f.Decode(wire)
			if err != nil {
				b.Fatal(err)
			}
			x.Batch.Release()
		}
		perRecord(b)
	})
	b.Run(name+"/hand-over, one copy", func(b *testing.B) {
		for b.Loop() {
			rows.Clone().Release()
		}
		perRecord(b)
	})
}
