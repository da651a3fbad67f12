package sql

import (
	"fmt"
	"strings"
	"time"

	"github.com/flottio/flott/config"
)

// The options of SQL, under Flink's keys.
var (
	// RuntimeMode is STREAMING or BATCH: a changelog as rows come, or final results of bounded tables.
	RuntimeMode = &config.Option[string]{Key: "execution.runtime-mode", Syntax: oneOf{"STREAMING", "BATCH", "AUTOMATIC"}, Default: "STREAMING",
		Doc: "STREAMING gives results as they change; BATCH reads bounded tables only and gives final results only"}
	// LocalTimeZone is the zone of TIMESTAMP_LTZ values.
	LocalTimeZone = &config.Option[string]{Key: "table.local-time-zone", Syntax: config.Strings, Default: "default", Check: checkZone,
		Doc: "time zone in which TIMESTAMP_LTZ values are shown and converted, such as Europe/Berlin, +02:00 or UTC; default: that of the process"}
	// StateTTL is how long state of a key is kept that is not used.
	StateTTL = &config.Option[time.Duration]{Key: "table.exec.state.ttl", Syntax: config.Times,
		Doc: "how long the state of a key is kept when nothing changes it; results may be wrong afterwards. 0: for ever"}
	// IdleTimeout is when a silent source no longer holds back event time.
	IdleTimeout = &config.Option[time.Duration]{Key: "table.exec.source.idle-timeout", Syntax: config.Times,
		Doc: "after how long a source that gives no rows no longer holds back event time. 0: never"}
	// DMLSync makes INSERT wait for its job's end.
	DMLSync = &config.Option[bool]{Key: "table.dml-sync", Syntax: config.Bools, Default: true,
		Doc: "wait for the job of an INSERT before the next statement begins. With -f, and here, true by default"}
	// UpsertMaterialize says when rows are kept for a sink whose key is not that of the query.
	UpsertMaterialize = &config.Option[string]{Key: "table.exec.sink.upsert-materialize", Syntax: oneOf{"AUTO", "NONE", "FORCE"}, Default: "AUTO",
		Doc: "when the rows of each primary key of a sink are kept, so that a deletion brings back the row before: AUTO where keys differ"}
	// NotNullEnforcer says what happens to a NULL for a NOT NULL column of a sink.
	NotNullEnforcer = &config.Option[string]{Key: "table.exec.sink.not-null-enforcer", Syntax: oneOf{"ERROR", "DROP"}, Default: "ERROR",
		Doc: "what happens to a row with NULL in a NOT NULL column of the sink: the job fails, or the row is dropped and counted"}
	// AggPhase says whether aggregates are made in two steps.
	AggPhase = &config.Option[string]{Key: "table.optimizer.agg-phase-strategy", Syntax: oneOf{"AUTO", "ONE_PHASE", "TWO_PHASE"}, Default: "AUTO",
		Doc: "whether aggregates are folded before rows are sent to the subtask of their key, and again there"}
	// LegacyCast gives casts the behaviour of before Flink 1.15.
	LegacyCast = &config.Option[string]{Key: "table.exec.legacy-cast-behaviour", Syntax: oneOf{"DISABLED", "ENABLED"}, Default: "DISABLED",
		Doc: "casts as before Flink 1.15: those that fail give NULL"}
	// MaxColumnWidth is where printed columns are cut.
	MaxColumnWidth = &config.Option[int]{Key: "table.display.max-column-width", Syntax: config.Ints, Default: 30,
		Doc: "characters of a printed column before it is cut; types of fixed width are never cut"}
	// ResultMode is how SELECT shows its result.
	ResultMode = &config.Option[string]{Key: "sql-client.execution.result-mode", Syntax: oneOf{"TABLE", "CHANGELOG", "TABLEAU"}, Default: "TABLE",
		Doc: "how the shell shows results of SELECT; with -f always TABLEAU"}
)

// accepted are Flink's options that change nothing about results here.
var accepted = func() []config.Described {
	var out []config.Described
	for key, why := range map[string]string{
		"table.exec.mini-batch.enabled":                              "changes of one key within a batch are always folded where the result allows it",
		"table.exec.mini-batch.allow-latency":                        "batches are never waited for",
		"table.exec.mini-batch.size":                                 "batches are never waited for",
		"table.optimizer.distinct-agg.split.enabled":                 "hot keys of distinct aggregates need no split",
		"table.optimizer.distinct-agg.split.bucket-num":              "hot keys of distinct aggregates need no split",
		"table.optimizer.reuse-sub-plan-enabled":                     "what is computed twice is always shared",
		"table.optimizer.reuse-source-enabled":                       "what is computed twice is always shared",
		"table.optimizer.join-reorder-enabled":                       "joins run in the written order",
		"table.exec.resource.default-parallelism":                    "use parallelism.default",
		"table.exec.rank.topn-cache-size":                            "caches are the state backend's",
		"table.exec.simplify-operator-name-enabled":                  "names are short in any case",
		"table.exec.uid.generation":                                  "uids are made of what an operator computes",
		"table.exec.uid.format":                                      "uids are made of what an operator computes",
		"table.exec.async-state.enabled":                             "state is never waited for",
		"table.exec.operator-fusion-codegen.enabled":                 "there is no code generation",
		"table.optimizer.incremental-agg-enabled":                    "the plan is the same",
		"table.optimizer.source.predicate-pushdown-enabled":          "conditions are always pushed down",
		"table.plan.restore.catalog-objects":                         "compiled plans are not built yet",
		"sql-client.verbose":                                         "errors are always complete",
		"sql-client.display.print-time-cost":                         "times are not printed",
		"sql-client.execution.max-table-result.rows":                 "results are streamed",
		"table.optimizer.multiple-input-enabled":                     "operators are chained as they are",
		"table.optimizer.dynamic-filtering.enabled":                  "there is no dynamic filtering",
		"table.optimizer.adaptive-broadcast-join.strategy":           "joins are hashed",
		"table.optimizer.adaptive-skewed-join-optimization.strategy": "joins are hashed",
		"table.exec.sink.keyed-shuffle":                              "changes of one key stay in one subtask",
		"table.optimizer.join.broadcast-threshold":                   "joins are hashed",
	} {
		out = append(out, &config.Option[string]{Key: key, Syntax: config.Strings, Optional: true, NoEffect: why, Doc: "accepted; " + why})
	}
	return out
}()

// Options are the options of SQL, for a config.Set that is to know them.
func Options() []config.Described {
	return append([]config.Described{RuntimeMode, LocalTimeZone, StateTTL, IdleTimeout, DMLSync, UpsertMaterialize, NotNullEnforcer,
		AggPhase, LegacyCast, MaxColumnWidth, ResultMode}, accepted...)
}

// oneOf is the syntax of one of several words, in any case.
type oneOf []string

// Parse implements config.Syntax.
func (o oneOf) Parse(text string) (string, error) {
	for _, w := range o {
		if strings.EqualFold(w, strings.TrimSpace(text)) {
			return w, nil
		}
	}
	return "", fmt.Errorf("expected one of %s", strings.Join(o, ", "))
}

// Format implements config.Syntax.
func (o oneOf) Format(v string) string { return v }

// Name implements config.Syntax.
func (o oneOf) Name() string { return strings.Join(o, " | ") }

func checkZone(name string) error {
	_, err := zone(name)
	return err
}

// zone finds a time zone by Flink's names.
func zone(name string) (*time.Location, error) {
	if name == "" || strings.EqualFold(name, "default") {
		return time.Local, nil
	}
	if rest, ok := strings.CutPrefix(name, "GMT"); ok && rest != "" {
		name = rest
	}
	if rest, ok := strings.CutPrefix(name, "UTC"); ok && rest != "" {
		name = rest
	}
	if name == "Z" || name == "GMT" {
		return time.UTC, nil
	}
	for _, layout := range []string{"-07:00", "-07", "-0700"} {
		if t, err := time.Parse(layout, name); err == nil {
			_, seconds := t.Zone()
			return time.FixedZone(name, seconds), nil
		}
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("expected a time zone such as Europe/Berlin, +02:00 or UTC")
	}
	return loc, nil
}
