package metrics

import (
	"context"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"
)

// fakeClock is a clock that stands still until it is told otherwise.
type fakeClock struct{ time time.Time }

func (c *fakeClock) now() time.Time { return c.time }

func newTest() (*fakeClock, *Registry) {
	clock := &fakeClock{time: time.UnixMilli(1_700_000_000_000)}
	return clock, New(clock.now)
}

func operatorScope(name string, role Role, subtask int) Scope {
	return Scope{Level: OperatorLevel, Host: "localhost", TaskManagerID: "tm-1", JobID: "00ff", JobName: "my job", TaskID: "a1",
		TaskName: "Source: clicks -> filter", Subtask: subtask, OperatorID: name + "-id", OperatorName: name, Role: role}
}

func TestCounterIsAloneOnItsCacheLine(t *testing.T) {
	if size := unsafe.Sizeof(Counter{}); size != cacheLineBytes {
		t.Errorf("Counter has %d bytes", size)
	}
	if size := unsafe.Sizeof(Gauge{}); size != cacheLineBytes {
		t.Errorf("Gauge has %d bytes", size)
	}
}

func TestCounterIsReadWhileWritten(t *testing.T) {
	const n = 100_000
	var c Counter
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			last := uint64(0)
			for last < n {
				v := c.Value()
				if v < last {
					t.Errorf("went back from %d to %d", last, v)
					return
				}
				last = v
			}
		})
	}
	for range n {
		c.Add(1)
	}
	readers.Wait()
	c.Restore(7)
	if c.Add(1); c.Value() != 8 {
		t.Errorf("after Restore(7) and Add(1): %d", c.Value())
	}
}

func TestHistogramQuantilesAreWithinABucket(t *testing.T) {
	const seed = 7
	random := rand.New(rand.NewPCG(seed, seed))
	var h Histogram
	var values []int64
	for range 20_000 {
		v := int64(math.Exp(random.Float64() * 40))
		values = append(values, v)
		h.Observe(v)
	}
	slices.Sort(values)
	d := h.Read()
	if d.Count != uint64(len(values)) || d.Max != float64(values[len(values)-1]) {
		t.Errorf("seed %d: count %d, max %v", seed, d.Count, d.Max)
	}
	for _, q := range quantiles {
		want := float64(values[min(int(q*float64(len(values))), len(values)-1)])
		if got := d.Quantile(q); math.Abs(got-want) > want/16+0.5 {
			t.Errorf("seed %d: quantile %v is %v, want %v", seed, q, got, want)
		}
	}
}

func TestHistogramTakesEveryValue(t *testing.T) {
	var h Histogram
	last := -1
	for _, v := range []int64{0, 1, 7, 8, 15, 16, 17, 31, 32, 1 << 20, 1<<40 - 1, math.MaxInt64} {
		h.Observe(v)
		bucket := bucketOf(uint64(v))
		if bucket < last || bucket >= histogramBuckets {
			t.Errorf("%d is in bucket %d, the value before in %d", v, bucket, last)
		}
		last = bucket
	}
	h.Observe(-5)
	if got := h.Read().Quantile(0); got != 0 {
		t.Errorf("a negative value counts as 0, got %v", got)
	}
	if got := (&Histogram{}).Read().Quantile(0.5); got != 0 {
		t.Errorf("an empty histogram has quantile %v", got)
	}
}

func TestRateIsOverAMinute(t *testing.T) {
	clock, registry := newTest()
	g := registry.Group(operatorScope("map", InnerRole, 0))
	c := g.Meter(NumRecordsIn)
	read := func() float64 { return registry.Snapshot().Sum(NumRecordsIn+PerSecond, nil) }
	if got := read(); got != 0 {
		t.Errorf("before any time has passed: %v", got)
	}
	for range 120 { // 10 a second for two minutes
		c.Add(10)
		clock.time = clock.time.Add(time.Second)
		_ = read()
	}
	if got := read(); got != 10 {
		t.Errorf("steady: %v", got)
	}
	clock.time = clock.time.Add(time.Minute)
	_ = read()
	clock.time = clock.time.Add(time.Minute)
	if got := read(); got != 0 {
		t.Errorf("idle for two minutes: %v", got)
	}
	clock.time = clock.time.Add(-time.Hour)
	if got := read(); got != 0 {
		t.Errorf("a clock that went back: %v", got)
	}
	if n := len(g.metrics[1].rate.mu.samples); n > maxRateSamples {
		t.Errorf("%d samples", n)
	}
}

func TestProgress(t *testing.T) {
	clock, registry := newTest()
	source := registry.Group(operatorScope("clicks", SourceRole, 0))
	sink := registry.Group(operatorScope("files", SinkRole, 0))
	task := registry.Group(Scope{Level: TaskLevel, JobName: "j"})
	idle := registry.Group(Scope{Level: TaskLevel, JobName: "j", Subtask: 1})
	job := registry.Group(Scope{Level: JobManagerJobLevel, JobName: "j"})

	out, in := source.Counter(NumRecordsOut), sink.Counter(NumRecordsIn)
	watermark := sink.Gauge(CurrentInputWatermark)
	watermark.Set(NoWatermark)
	source.Gauge(InputBytesTotal).Set(200)
	read := source.Gauge(InputBytesRead)
	task.Gauge(IsBackPressured).Set(1)
	idle.Gauge(IsBackPressured)
	last := job.Gauge(LastCompletedCheckpointID)
	last.Set(-1)
	job.Gauge(LastCheckpointDuration).Set(40)

	before := registry.Snapshot()
	if p := before.Progress(Snapshot{}); p.HasWatermark || p.LastCheckpoint != 0 || p.InPerSecond != 0 {
		t.Errorf("at the start: %+v", p)
	}
	out.Add(1000)
	in.Add(100)
	read.Set(50)
	last.Set(3)
	clock.time = clock.time.Add(10 * time.Second)
	watermark.Set(clock.time.Add(-5 * time.Second).UnixMilli())
	want := Progress{RecordsIn: 1000, RecordsOut: 100, InPerSecond: 100, OutPerSecond: 10, WatermarkLag: 5 * time.Second, HasWatermark: true,
		BackPressured: 0.5, LastCheckpoint: 3, LastCheckpointTook: 40 * time.Millisecond, Read: 0.25, Bounded: true}
	if p := registry.Snapshot().Progress(before); p != want {
		t.Errorf("got  %+v\nwant %+v", p, want)
	}
	source.Close()
	if p := registry.Snapshot().Progress(before); p.RecordsIn != 0 || p.InPerSecond != 0 {
		t.Errorf("a closed group still counts: %+v", p)
	}
}

// TestExposition compares with the form that dashboards made for Flink expect.
func TestExposition(t *testing.T) {
	_, registry := newTest()
	g := registry.Group(operatorScope("per-minute", InnerRole, 3))
	g.Counter(NumRecordsIn).Add(42)
	g.Func(CurrentOutputWatermark, func() float64 { return -1 })
	registry.Group(Scope{Level: JobManagerJobLevel, Host: "localhost", JobID: "00ff", JobName: "my job"}).
		Histogram(CheckpointDuration).Observe(12)

	server, err := Listen(registry, 0)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	text := get(t, "http://"+server.Addr()+"/metrics")
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	labels := `host="localhost",job_id="00ff",job_name="my_job",operator_id="per_minute_id",operator_name="per_minute",subtask_index="3",` +
		`task_attempt_id="",task_attempt_num="0",task_id="a1",task_name="Source:_clicks____filter",tm_id="tm_1"`
	for _, line := range []string{
		"# HELP flink_taskmanager_job_task_operator_numRecordsIn numRecordsIn (scope: taskmanager_job_task_operator)",
		"# TYPE flink_taskmanager_job_task_operator_numRecordsIn gauge",
		"flink_taskmanager_job_task_operator_numRecordsIn{" + labels + "} 42",
		"flink_taskmanager_job_task_operator_currentOutputWatermark{" + labels + "} -1",
		"# TYPE flink_jobmanager_job_checkpointDuration summary",
		`flink_jobmanager_job_checkpointDuration{host="localhost",job_id="00ff",job_name="my_job",quantile="0.99"} 12`,
		`flink_jobmanager_job_checkpointDuration_count{host="localhost",job_id="00ff",job_name="my_job"} 1`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("not exposed: %s", line)
		}
	}
	if !strings.Contains(text, "go_goroutines ") {
		t.Error("the Go runtime's metrics are not exposed")
	}
	if t.Failed() {
		t.Log(text)
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatal(response.Status, err)
	}
	return string(body)
}

func TestPortInUseIsSaid(t *testing.T) {
	_, registry := newTest()
	first, err := Listen(registry, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer first.listener.Close()
	_, port, _ := strings.Cut(first.Addr(), ":")
	number := 0
	for _, digit := range port {
		number = number*10 + int(digit-'0')
	}
	if _, err := Listen(registry, number); err == nil || !strings.Contains(err.Error(), "opening metrics.port "+port) {
		t.Errorf("got %v", err)
	}
}

func TestMetricMadeTwiceIsABug(t *testing.T) {
	_, registry := newTest()
	g := registry.Group(operatorScope("x", InnerRole, 0))
	g.Counter(NumRecordsIn)
	defer func() {
		if recover() == nil {
			t.Error("expected a panic")
		}
	}()
	g.Counter(NumRecordsIn)
}

func TestWritingDoesNotAllocate(t *testing.T) {
	var c Counter
	var h Histogram
	if n := testing.AllocsPerRun(100, func() { c.Add(1); h.Observe(5) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkCounterAdd(b *testing.B) {
	var c Counter
	for b.Loop() {
		c.Add(1)
	}
}

func BenchmarkHistogramObserve(b *testing.B) {
	var h Histogram
	for b.Loop() {
		h.Observe(123456)
	}
}
