// Package filesystem is the table connector 'filesystem': tables in files of JSON, CSV, raw lines and Parquet, with partitions as directories
// (dt=2024-01-01/). Reading and writing, positions and exactly-once are those of connector/file.
//
// It imports public packages only, never the engine's.
package filesystem

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/connector/file"
	"github.com/flottio/flott/sql/table"
)

// Factory is the connector 'filesystem'.
type Factory struct{}

var (
	_ table.SourceFactory = Factory{}
	_ table.SinkFactory   = Factory{}
)

// Name implements table.Factory.
func (Factory) Name() string { return "filesystem" }

// Options implements table.Factory.
func (Factory) Options() []table.Option {
	return slices.Concat([]table.Option{
		{Key: "path", Required: true, Doc: "the file, the directory, or a pattern such as 'logs/*.json'"},
		{Key: "format", Required: true, Doc: "json, csv, raw or parquet"},
		{Key: "source.monitor-interval", Doc: "how often to look for new files; without it the table ends"},
		{Key: "source.path.regex-pattern", Doc: "regular expression that the whole absolute path of a file must match"},
		{Key: "source.report-statistics", Default: "ALL", Doc: "accepted; nothing is reported"},
		{Key: "partition.default-name", Default: "__DEFAULT_PARTITION__", Doc: "directory of rows whose partition value is NULL or empty"},
		{Key: "sink.rolling-policy.file-size", Default: "128MB", Doc: "size at which a file is finished"},
		{Key: "sink.rolling-policy.rollover-interval", Default: "30 min", Doc: "how long a file is written to"},
		{Key: "sink.rolling-policy.inactivity-interval", Default: "30 min", Doc: "how long a file waits for rows"},
		{Key: "sink.rolling-policy.check-interval", Default: "1 min", Doc: "accepted; the intervals are checked all the time"},
		{Key: "auto-compaction", Default: "false", Doc: "not supported yet"}, {Key: "compaction.file-size", Doc: "not supported yet"},
		{Key: "sink.shuffle-by-partition.enable", Default: "false", Doc: "whether rows of one partition go to one subtask"},
	}, partitionOptions, formatOptions)
}

// layout is where the columns of a table are: in the files or in their paths.
type layout struct {
	def         *table.Definition
	dir         string
	stored      []int // places of the columns in the files
	keys        []int // places of the partition columns
	defaultName string
}

func newLayout(d *table.Definition, o *table.Options) *layout {
	l := &layout{def: d, dir: localPath(o), keys: d.PartitionKeys, defaultName: o.Text("partition.default-name")}
	for i := range d.Columns {
		if !slices.Contains(d.PartitionKeys, i) {
			l.stored = append(l.stored, i)
		}
	}
	if len(l.stored) == 0 {
		o.Add(errors.New("all columns are partition columns: there is none to store in files"))
	}
	return l
}

func localPath(o *table.Options) string {
	path := strings.TrimSpace(o.Text("path"))
	if rest, ok := strings.CutPrefix(path, "file:"); ok {
		return "/" + strings.TrimLeft(rest, "/")
	}
	if scheme, _, remote := strings.Cut(path, "://"); remote {
		o.Bad("path", "a path of this machine; '"+scheme+"://' is not supported yet")
	}
	return path
}

func (l *layout) fields() []column.Field {
	var fields []column.Field
	for _, i := range l.stored {
		fields = append(fields, column.Field{Name: l.def.Columns[i].Name, Type: l.def.Columns[i].Type})
	}
	return fields
}

// Source implements table.SourceFactory.
func (f Factory) Source(d *table.Definition) (table.Source, error) {
	o := table.NewOptions(d, f.Options()...)
	s := &source{layout: newLayout(d, o), Own: o.Own("scan.parallelism")}
	s.columns.Format, s.columns.Files = formatOf(o, s.layout.fields())
	if o.Given("source.monitor-interval") {
		s.opts = append(s.opts, file.Monitor(o.Duration("source.monitor-interval")))
	}
	if o.Given("source.path.regex-pattern") {
		re, err := regexp.Compile("^(?:" + o.Text("source.path.regex-pattern") + ")$")
		if err != nil {
			o.Bad("source.path.regex-pattern", "a regular expression: "+err.Error())
		}
		s.pattern = re
	}
	if info, err := os.Stat(s.layout.dir); err == nil && info.IsDir() {
		s.opts = append(s.opts, file.AllowNone())
	}
	for _, m := range d.Metadata {
		if t, ok := metadata[m.Key]; !ok {
			o.Add(fmt.Errorf("there is no metadata '%s'; there are file.path, file.name, file.size and file.modification-time", m.Key))
		} else if !m.Type.Nullable(true).Same(t) {
			o.Add(fmt.Errorf("metadata '%s': expected %s, found %s", m.Key, t, m.Type))
		}
	}
	if err := o.Err(); err != nil {
		return nil, err
	}
	var all []int
	for i := range d.Columns {
		all = append(all, i)
	}
	s.Project(all)
	return s, nil
}

var metadata = map[string]column.Type{
	"file.path": column.StringType(), "file.name": column.StringType(), "file.size": column.Of(column.BigInt),
	"file.modification-time": column.LocalTimestampType(3),
}

func metadataOf(key string, f file.File) any {
	switch key {
	case "file.path":
		if abs, err := filepath.Abs(f.Path); err == nil {
			return abs
		}
		return f.Path
	case "file.name":
		return filepath.Base(f.Path)
	case "file.size":
		return f.SizeBytes
	}
	return f.ModifiedMillis
}
