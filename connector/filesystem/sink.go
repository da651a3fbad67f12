package filesystem

import (
	"fmt"

	"github.com/flottio/flott"
	"github.com/flottio/flott/column"
	"github.com/flottio/flott/connector/file"
	"github.com/flottio/flott/format"
	"github.com/flottio/flott/sql/table"
)

// Sink implements table.SinkFactory. Files of records go on over checkpoints until the rolling policy ends them, as in Flink; those of Parquet end
// at every checkpoint.
func (f Factory) Sink(d *table.Definition, _ table.Mode) (table.Sink, error) {
	o := table.NewOptions(d, f.Options()...)
	l := newLayout(d, o)
	out := file.ColumnOutput{Fields: l.stored}
	out.Format, out.Files = formatOf(o, l.fields())
	opts := []file.SinkOption{file.RollOnCheckpoint(false), file.RollSize(max(1, o.Size("sink.rolling-policy.file-size")))}
	if every := o.Duration("sink.rolling-policy.rollover-interval"); every > 0 {
		opts = append(opts, file.RollInterval(every))
	}
	if rest := o.Duration("sink.rolling-policy.inactivity-interval"); rest > 0 {
		opts = append(opts, file.RollInactivity(rest))
	}
	o.Duration("sink.rolling-policy.check-interval")
	if o.Bool("auto-compaction") {
		o.Bad("auto-compaction", "false: compaction is not supported yet")
	}
	for _, k := range l.keys {
		if !format.HasText(d.Columns[k].Type) {
			o.Add(fmt.Errorf("partition column %s: type %s cannot be a directory's name", d.Columns[k].Name, d.Columns[k].Type))
		}
	}
	if len(l.keys) > 0 {
		out.Partition = l.namer
	}
	if c := l.partitionCommit(o); c != nil {
		opts = append(opts, file.CommitPartitions(*c))
	}
	own := o.Own("sink.parallelism")
	if err := o.Err(); err != nil {
		return nil, err
	}
	inner := file.ColumnSink(l.dir, out, opts...)
	return &sink{Sink: inner, committer: inner.(committer), Own: own}, nil
}

type committer interface {
	flott.Committer
	flott.Recoverer
}

// sink writes the table.
type sink struct {
	flott.Sink[*column.Batch]
	committer
	table.Own
}

// Mode implements table.Sink: files are only added to.
func (s *sink) Mode(table.Mode) table.Mode { return table.InsertOnly }
