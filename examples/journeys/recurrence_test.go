package journeys

import (
	"bytes"
	"context"
	"log/slog"
	"testing"

	"github.com/flottio/flott"
	"github.com/flottio/flott/connector/collection"
	"github.com/flottio/flott/flotttest"
)

// A record that fails every attempt is told from an outage: from the second failure on the log says that restarts do not help.
func TestPoisonRecordIsRecognized(t *testing.T) {
	var said bytes.Buffer
	job, err := flott.Prepare("poison", func(env *flott.Env) {
		flott.Map(flott.From(env, "in", collection.Of(numbers(100, 7)...)), func(n number) number {
			if n.Key == 5 {
				panic("boom")
			}
			return n
		}).Named("careless").To("out", flotttest.NewLedger[number]())
	}, settings("execution.checkpointing.interval=1 h", "restart-strategy.exponential-delay.initial-backoff=1 ms",
		"restart-strategy.exponential-delay.attempts-before-reset-backoff=2"), slog.New(slog.NewTextHandler(&said, nil)))
	if err != nil {
		t.Fatal(err)
	}
	if r, err := job.Run(context.Background()); err == nil || r.Restarts != 2 {
		t.Fatalf("%+v, %v: want a failure after two restarts", r, err)
	}
	says(t, said.String(), "the same failure for the 2nd time", "the same failure for the 3rd time", "attempts-before-reset-backoff", "record {Key:5 N:1}")
}
