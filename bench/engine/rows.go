package main

const million = 1 << 20

var one, oneAndTwo = []int{1}, []int{1, 2}

// rows is the table. Floors are what a release must reach.
func rows() []row {
	return []row{
		{name: "map-filter-map", floor: 0.7, cores: oneAndTwo, records: 8 * million, quick: 2 * million, engine: chainEngine, loop: chainLoop,
			note: "a line of text into a struct, filter, extract; loop: one for each core"},
		{name: "map-filter-map-arithmetic", cores: oneAndTwo, records: 64 * million, quick: 16 * million,
			engine: arithmeticEngine, loop: arithmeticLoop, note: "one multiplication, one comparison, one addition; loop: inlined, one for each core"},
		{name: "keyed-count-1M", floor: 0.5, cores: oneAndTwo, records: 8 * million, quick: 4 * million,
			engine: countEngine(million, 0.25, job{}), loop: countLoop(million, 0.25),
			note: "hashmap; loop: map[int64]*int64, on 2 cores behind a hand-written 2 x 2 exchange"},
		{name: "tumbling-count", floor: 0.4, cores: oneAndTwo, records: 16 * million, quick: 8 * million, engine: windowEngine(tumbling),
			loop: windowLoop(newTumblingCounter), note: "10 s, 10 000 keys, 1 s out of order; loop: a map for each window, on 2 cores with exchange"},
		{name: "sliding-count-10s-1s", floor: 0.4, cores: oneAndTwo, records: 16 * million, quick: 8 * million, engine: windowEngine(sliding),
			loop: windowLoop(newSlidingCounter), note: "10 000 keys; loop: running totals over maps by second, on 2 cores with exchange"},
		{name: "keyed-count-exchange-2x2", floor: 0.35, cores: oneAndTwo, records: 16 * million, quick: 4 * million,
			engine: countEngine(10_000, 0.1, job{parallelism: 2}), loop: countExchangeLoop(10_000, 0.1),
			note: "10 000 keys; loop: 2 + 2 goroutines, slices of 512 over Go channels"},
		{name: "rocksdb-hot", floor: 0.4, cores: oneAndTwo, records: 8 * million, quick: 4 * million, special: hotRow,
			note: "100 000 keys in the cache; loop: the same job on hashmap"},
		{name: "rocksdb-10x", floor: 0.8, cores: one, special: biggerRow,
			note: "random keys of a state ten times the memory; last million records; loop: first million"},
		{name: "rocksdb-10x-growing", cores: one, special: growingRow,
			note: "state grows to ten times the memory; last million records; loop: first million, in memory"},
		{name: "checkpoint-1s", floor: 0.9, cores: oneAndTwo, special: checkpointRow,
			note: "keyed count, 1 M keys, hashmap, checkpoint each second; loop: the same job without"},
		{name: "latency-100k", cores: oneAndTwo, special: latencyRow},
	}
}
