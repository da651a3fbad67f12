package filesystem

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/connector/file"
	"github.com/flottio/flott/format"
	"github.com/flottio/flott/sql/table"
)

var partitionOptions = []table.Option{
	{Key: "sink.partition-commit.trigger", Default: "process-time", Doc: "process-time or partition-time: what the delay counts from"},
	{Key: "sink.partition-commit.delay", Default: "0 s", Doc: "how long a partition stays open"},
	{Key: "sink.partition-commit.watermark-time-zone", Default: "UTC", Doc: "time zone of the partitions' times"},
	{Key: "sink.partition-commit.policy.kind", Doc: "success-file makes an empty file in a complete partition"},
	{Key: "sink.partition-commit.success-file.name", Default: "_SUCCESS", Doc: "name of that file"},
	{Key: "partition.time-extractor.kind", Default: "default", Doc: "default: from the partition's values"},
	{Key: "partition.time-extractor.timestamp-pattern", Doc: "how the values make a time, as in '$dt $hour:00:00'; default: the first value"},
	{Key: "partition.time-extractor.timestamp-formatter", Doc: "form of that time, in Java's letters: 'yyyy-MM-dd HH:mm:ss'"},
}

// value is the partition value of column i in a path: the last element "name=value".
func (l *layout) value(i int, path string) (any, error) {
	c := l.def.Columns[i]
	elements := strings.Split(filepath.ToSlash(path), "/")
	for k := len(elements) - 2; k >= 0; k-- {
		name, text, ok := strings.Cut(elements[k], "=")
		if !ok || unescape(name) != c.Name {
			continue
		}
		if text = unescape(text); text == l.defaultName {
			return nil, nil
		}
		v := column.New(c.Type)
		if expected := (&format.Texts{}).Parse(v, []byte(text)); expected != "" {
			return nil, fmt.Errorf("partition column %s: directory %s: expected %s", c.Name, elements[k], expected)
		}
		return v.At(0), nil
	}
	return nil, fmt.Errorf("partition column %s: the path has no directory %s=...", c.Name, c.Name)
}

// namer returns the function that appends the directory of a row: its partition values, in order.
func (l *layout) namer() func(dst []byte, b *column.Batch, row int) []byte {
	texts := &format.Texts{}
	var text []byte
	names := make([]string, len(l.keys))
	for k, i := range l.keys {
		names[k] = string(escape(nil, []byte(l.def.Columns[i].Name)))
	}
	return func(dst []byte, b *column.Batch, row int) []byte {
		for k, i := range l.keys {
			if k > 0 {
				dst = append(dst, '/')
			}
			dst = append(append(dst, names[k]...), '=')
			v := b.Cols[i]
			if text = text[:0]; !v.IsNull(row) {
				text = texts.Append(text, v, row)
			}
			if len(text) == 0 {
				text = append(text, l.defaultName...)
			}
			dst = escape(dst, text)
		}
		return dst
	}
}

// special are the characters that a directory's name does not have as they are: Hive's list.
const special = "\"#%'*/:=?\\{[]^\x7f"

func escape(dst, text []byte) []byte {
	for _, c := range text {
		if c < 0x20 || strings.IndexByte(special, c) >= 0 {
			dst = fmt.Appendf(dst, "%%%02X", c)
			continue
		}
		dst = append(dst, c)
	}
	return dst
}

func unescape(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		var c byte
		if s[i] == '%' && i+2 < len(s) {
			if _, err := fmt.Sscanf(s[i+1:i+3], "%02X", &c); err == nil {
				b.WriteByte(c)
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// partitionCommit reads when partitions are told to be complete; nil: never.
func (l *layout) partitionCommit(o *table.Options) *file.PartitionCommit {
	c := &file.PartitionCommit{
		DelayMs: o.Duration("sink.partition-commit.delay").Milliseconds(), SuccessFile: o.Text("sink.partition-commit.success-file.name"),
	}
	trigger := o.OneOf("sink.partition-commit.trigger", "process-time", "partition-time")
	zone, err := time.LoadLocation(o.Text("sink.partition-commit.watermark-time-zone"))
	if err != nil {
		o.Bad("sink.partition-commit.watermark-time-zone", "a time zone such as 'UTC' or 'Europe/Berlin'")
	}
	o.OneOf("partition.time-extractor.kind", "default")
	if name := c.SuccessFile; name == "" || strings.ContainsAny(name, "/\\\x00") {
		o.Bad("sink.partition-commit.success-file.name", "the name of a file")
	}
	kind := o.Text("sink.partition-commit.policy.kind")
	switch {
	case kind == "":
		return nil
	case kind != "success-file":
		o.Bad("sink.partition-commit.policy.kind", "success-file; others are not supported yet")
	case len(l.keys) == 0:
		o.Bad("sink.partition-commit.policy.kind", "a table that is PARTITIONED BY columns")
	}
	if trigger == "partition-time" {
		c.TimeOf = l.timeOf(o, zone)
	}
	return c
}

// javaLetters are what patterns of times are made of, and Go's layout for them.
var javaLetters = strings.NewReplacer("yyyy", "2006", "MM", "01", "dd", "02", "HH", "15", "mm", "04", "ss", "05", "SSS", "000", "'T'", "T")

// defaultLayouts are the forms of a partition's time when no form is given.
var defaultLayouts = []string{"2006-01-02 15:04:05", "2006-01-02"}

// timeOf returns what makes a time of a partition's directory.
func (l *layout) timeOf(o *table.Options, zone *time.Location) func(string) (int64, error) {
	pattern, layouts := o.Text("partition.time-extractor.timestamp-pattern"), defaultLayouts
	if pattern == "" && len(l.keys) > 0 {
		pattern = "$" + l.def.Columns[l.keys[0]].Name
	}
	if form := o.Text("partition.time-extractor.timestamp-formatter"); form != "" {
		layouts = []string{javaLetters.Replace(form)}
	}
	return func(bucket string) (int64, error) {
		text := pattern
		for element := range strings.SplitSeq(bucket, "/") {
			name, value, _ := strings.Cut(element, "=")
			text = strings.ReplaceAll(text, "$"+unescape(name), unescape(value))
		}
		for _, layout := range layouts {
			if t, err := time.ParseInLocation(layout, text, zone); err == nil {
				return t.UnixMilli(), nil
			}
		}
		return 0, fmt.Errorf("'%s', made of '%s', is no time like '%s': set 'partition.time-extractor.timestamp-pattern'", text, pattern, layouts[0])
	}
}
