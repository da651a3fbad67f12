package json_test

import (
	stdjson "encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	expjson "github.com/go-json-experiment/json"

	"github.com/flottio/flott/format"
	"github.com/flottio/flott/format/json"
)

type click struct {
	URL  string `json:"url"`
	User string `json:"user"`
	TS   int64  `json:"ts"`
}

// clickRecords returns n records; urls and users are how many different ones there are.
func clickRecords(n, urls, users int) (records [][]byte, bytes int64) {
	r := rand.New(rand.NewPCG(1, 2))
	for i := range n {
		s := fmt.Sprintf(`{"url":"https://example.com/p/%d","user":"user-%d","ts":%d}`,
			r.IntN(urls), r.IntN(users), 1700000000000+int64(i)*37)
		records = append(records, []byte(s))
		bytes += int64(len(s))
	}
	return records, bytes
}

// BenchmarkDecode compares with encoding/json and go-json-experiment/json on the same records. few: columns of few values; many:
// each value is new.
func BenchmarkDecode(b *testing.B) {
	for _, data := range []struct {
		name        string
		urls, users int
	}{{"few", 100, 1000}, {"many", 1 << 40, 1 << 40}} {
		records, bytes := clickRecords(20000, data.urls, data.users)
		run := func(name string, decode func([]byte, *click) error) {
			b.Run(data.name+"/"+name, func(b *testing.B) {
				rows := make([]click, 1024)
				b.SetBytes(bytes / int64(len(records)))
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					if err := decode(records[i%len(records)], &rows[i%len(rows)]); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		d, err := json.Of[click]().NewDecoder()
		if err != nil {
			b.Fatal(err)
		}
		run("flott", d.Decode)
		run("std", func(r []byte, v *click) error { *v = click{}; return stdjson.Unmarshal(r, v) })
		run("experiment", func(r []byte, v *click) error { *v = click{}; return expjson.Unmarshal(r, v) })
	}
}

// BenchmarkDecodeRatio decodes the same batches with each reader in turn, so that a busy machine slows all alike, and reports how
// many times longer the others take.
func BenchmarkDecodeRatio(b *testing.B) {
	records, _ := clickRecords(1000, 100, 1000)
	d, err := json.Of[click]().NewDecoder()
	if err != nil {
		b.Fatal(err)
	}
	readers := []func([]byte, *click) error{
		d.Decode,
		func(r []byte, v *click) error { *v = click{}; return stdjson.Unmarshal(r, v) },
		func(r []byte, v *click) error { *v = click{}; return expjson.Unmarshal(r, v) },
	}
	var took [3]time.Duration
	rows := make([]click, len(records))
	for b.Loop() {
		for n, read := range readers {
			start := time.Now()
			for i := range records {
				if err := read(records[i], &rows[i]); err != nil {
					b.Fatal(err)
				}
			}
			took[n] += time.Since(start)
		}
	}
	b.ReportMetric(float64(took[1])/float64(took[0]), "x-encoding/json")
	b.ReportMetric(float64(took[2])/float64(took[0]), "x-json-experiment")
}

// BenchmarkFrameAndDecode is what a file source does: one buffer, records found and decoded into a batch.
func BenchmarkFrameAndDecode(b *testing.B) {
	records, _ := clickRecords(20000, 100, 1000)
	var data []byte
	for _, r := range records {
		data = append(append(data, r...), '\n')
	}
	f := json.Of[click]()
	d, err := f.NewDecoder()
	if err != nil {
		b.Fatal(err)
	}
	rows := make([]click, 1024)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		framer, rest, n := f.NewFramer(), data, 0
		for len(rest) > 0 {
			record, advance, err := framer.Next(rest, true)
			if err == nil {
				err = d.Decode(record, &rows[n%len(rows)])
			}
			if err != nil {
				b.Fatal(err)
			}
			rest = rest[advance:]
			n++
		}
		if n != len(records) {
			b.Fatalf("%d records, want %d", n, len(records))
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	records, bytes := clickRecords(1024, 100, 1000)
	rows := make([]click, len(records))
	d, err := json.Of[click]().NewDecoder()
	if err != nil {
		b.Fatal(err)
	}
	for i, r := range records {
		if err := d.Decode(r, &rows[i]); err != nil {
			b.Fatal(err)
		}
	}
	var e format.Encoder[click]
	if e, err = json.Of[click]().NewEncoder(); err != nil {
		b.Fatal(err)
	}
	run := func(name string, encode func([]byte, *click) ([]byte, error)) {
		b.Run(name, func(b *testing.B) {
			var buf []byte
			b.SetBytes(bytes / int64(len(records)))
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if buf, err = encode(buf[:0], &rows[i%len(rows)]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	run("flott", e.Append)
	run("std", func(_ []byte, v *click) ([]byte, error) { return stdjson.Marshal(v) })
	run("experiment", func(_ []byte, v *click) ([]byte, error) { return expjson.Marshal(v) })
}
