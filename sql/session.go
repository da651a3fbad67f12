// Package sql runs SQL in Flink's dialect: a Session knows tables, views, functions and options; scripts of statements become jobs of the
// engine. The command flott sql, and programs with functions of their own, use it.
package sql

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/flottio/flott"
	"github.com/flottio/flott/column"
	"github.com/flottio/flott/config"
	"github.com/flottio/flott/sql/internal/catalog"
	"github.com/flottio/flott/sql/internal/expr"
	"github.com/flottio/flott/sql/internal/physical"
	"github.com/flottio/flott/sql/internal/plan"
	"github.com/flottio/flott/sql/table"
)

// Session is what statements see of those before them: tables, views, functions, options. It is used by one goroutine.
type Session struct {
	names      *catalog.Session
	connectors *table.Registry
	base       map[string]string // options from outside: -D, config.yaml
	set        map[string]string // by SET, which overrides them
	now        func() time.Time
}

// SessionOptions are what a session begins with.
type SessionOptions struct {
	// Connectors are those that tables can name.
	Connectors *table.Registry
	// Config are options by key, weaker than SET; unknown ones are the configuration's business.
	Config map[string]string
	// Functions are registered by the program; see Scalar.
	Functions []Function
}

// NewSession returns a session with the catalog default_catalog and its database default_database.
func NewSession(o SessionOptions) *Session {
	s := &Session{names: catalog.NewSession(), connectors: o.Connectors, base: o.Config, set: map[string]string{}, now: time.Now}
	if s.connectors == nil {
		s.connectors = table.NewRegistry()
	}
	for _, f := range o.Functions {
		f.register(s.names)
	}
	return s
}

// option is the value of an option as text, and whether somebody set it.
func (s *Session) option(key string) (string, bool) {
	if v, ok := s.set[key]; ok {
		return v, true
	}
	v, ok := s.base[key]
	return v, ok
}

// get reads an option; values were judged when they were set, or are by the configuration.
func get[T any](s *Session, o *config.Option[T]) T {
	text, ok := s.option(o.Key)
	if !ok {
		return o.Default
	}
	v, err := o.Syntax.Parse(strings.TrimSpace(text))
	if err != nil {
		return o.Default
	}
	return v
}

// put carries out SET.
func (s *Session) put(key, value string) (notice string, err error) {
	key, value = strings.TrimSpace(key), strings.TrimSpace(value)
	c := config.New(Options()...)
	c.Define(key + "=" + value)
	var problems config.Problems
	if err := c.Validate(); errors.As(err, &problems) {
		for _, p := range problems {
			switch {
			case p.Key != key:
			case p.Kind == config.JVMOnly || p.Kind == config.NotSupported:
				notice = p.Message
			default:
				return "", fmt.Errorf("'%s': %s", key, p.Message)
			}
		}
	}
	s.set[key] = value
	return notice, nil
}

// reset carries out RESET.
func (s *Session) reset(key string) {
	if key == "" {
		clear(s.set)
		return
	}
	delete(s.set, key)
}

// settings are what plans are made with.
func (s *Session) settings() (physical.Settings, error) {
	loc, err := zone(get(s, LocalTimeZone))
	if err != nil {
		return physical.Settings{}, err
	}
	batch := get(s, RuntimeMode) == "BATCH"
	return physical.Settings{
		Env: &expr.Env{Zone: loc, Batch: batch, LegacyCast: get(s, LegacyCast) == "ENABLED", Start: s.now(), Database: s.names.Database,
			Catalog: s.names.Catalog},
		Connectors: s.connectors, Batch: batch, StateTTL: get(s, StateTTL), IdleTimeout: get(s, IdleTimeout),
		WatermarkEvery: get(s, config.AutoWatermarkInterval), Materialize: get(s, UpsertMaterialize), DropNulls: get(s, NotNullEnforcer) == "DROP",
		TwoPhase: get(s, AggPhase) != "ONE_PHASE",
	}, nil
}

func (s *Session) binder() (*plan.Binder, error) {
	loc, err := zone(get(s, LocalTimeZone))
	return &plan.Binder{Session: s.names, Zone: loc}, err
}

// ColumnWidth is where columns of printed results are cut, in characters.
func (s *Session) ColumnWidth() int { return get(s, MaxColumnWidth) }

// Job is one job that a script asks for: an INSERT, a statement set, or a query.
type Job struct {
	// Name is Flink's: insert-into_catalog.database.table.
	Name string
	// Columns are those of a query's result; nil for a job that writes tables.
	Columns []table.Column
	// Kinds says that a query's rows are a changelog: those of streaming mode. Updates that some of them may be taken back or changed later.
	Kinds, Updates bool
	// Config are the session's options at the place of the statement, by key.
	Config map[string]string

	plan   *physical.Plan
	result *result
}

// Build draws the job, for flott.Prepare.
func (j *Job) Build(env *flott.Env) {
	if err := j.plan.Build(env); err != nil {
		panic(fmt.Sprintf("BUG: building a plan a second time: %v", err))
	}
}

// OnRows says who gets the rows of a query's result. The function is called by one goroutine, batch by batch; it does not keep the batch.
// Without one they are dropped.
func (j *Job) OnRows(f func(*column.Batch) error) { j.result.take = f }

// Configure puts the session's options into the configuration of a run, over what is there.
func (j *Job) Configure(c *config.Set) {
	for _, key := range slices.Sorted(maps.Keys(j.Config)) {
		if known(key) {
			c.Define(key + "=" + j.Config[key])
		}
	}
}

// known reports whether a configuration that knows SQL's options takes the key: others of Flink's were noticed when they were set.
func known(key string) bool {
	c := config.New(Options()...)
	c.Define(key + "=")
	var problems config.Problems
	if !errors.As(c.Validate(), &problems) {
		return true
	}
	for _, p := range problems {
		if p.Key == key && (p.Kind == config.JVMOnly || p.Kind == config.NotSupported || p.Kind == config.UnknownKey) {
			return false
		}
	}
	return true
}

// Run runs the job to its end in this process. cfg is what the configuration says, nil for the defaults.
func (j *Job) Run(ctx context.Context, cfg *config.Set, log *slog.Logger) (flott.JobResult, error) {
	if cfg == nil {
		cfg = config.New(Options()...)
	}
	j.Configure(cfg)
	run, err := flott.Prepare(j.Name, j.Build, cfg, log)
	if err != nil {
		return flott.JobResult{}, err
	}
	return run.Run(ctx)
}

// Result is what a statement gave.
type Result struct {
	// Text is what a statement without a job prints: "OK" is an empty text.
	Text string
	// Columns and Batches are the rows of a query, with their kinds.
	Columns []table.Column
	Batches []*column.Batch
	Updates bool
	// Job is how the statement's job ended.
	Job flott.JobResult
}

// Execute runs one statement to its end.
func (s *Session) Execute(ctx context.Context, statement string) (*Result, error) {
	steps, err := s.Prepare(statement)
	if err != nil {
		return nil, err
	}
	if len(steps) != 1 {
		return nil, fmt.Errorf("expected one statement, found %d", len(steps))
	}
	step := steps[0]
	r := &Result{Text: step.Output}
	if step.Job == nil {
		return r, nil
	}
	r.Columns, r.Updates = step.Job.Columns, step.Job.Updates
	if step.Job.result != nil {
		step.Job.OnRows(func(b *column.Batch) error {
			c := column.NewBatch(b.Types())
			b.Slice(&c, 0, b.N)
			r.Batches = append(r.Batches, &c)
			return nil
		})
	}
	r.Job, err = step.Job.Run(ctx, nil, nil)
	return r, err
}
