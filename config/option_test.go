package config

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	_ "github.com/cockroachdb/datadriven" // declares -rewrite
)

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"5 s": 5 * time.Second, "500ms": 500 * time.Millisecond, "1 min": time.Minute, "10min": 10 * time.Minute, "1 h": time.Hour,
		"250": 250 * time.Millisecond, "2 d": 48 * time.Hour, "3 µs": 3 * time.Microsecond, "7ns": 7, "1 HOUR": time.Hour, " 1 s ": time.Second,
		"PT10S": 10 * time.Second, "P1DT2H3M": 26*time.Hour + 3*time.Minute, "pt1h": time.Hour, "0": 0,
	} {
		if got, err := ParseDuration(text); err != nil || got != want {
			t.Errorf("%q: got %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "s", "5 sex", "1.5 s", "-1 s", "5 s 3", "PT", "P", "PT1M1H", "P1S", "PTS", "PT1",
		"99999999999 d", "9223372036854775807 s"} {
		if got, err := ParseDuration(text); err == nil {
			t.Errorf("%q: accepted as %v", text, got)
		}
	}
}

func TestMemorySizes(t *testing.T) {
	for text, want := range map[string]MemorySize{
		"64 mb": 64 << 20, "1g": 1 << 30, "20 kb": 20 << 10, "1024": 1024, "7 bytes": 7, "2 TB": 2 << 40, "3 mebibytes": 3 << 20, "0": 0,
	} {
		if got, err := ParseMemorySize(text); err != nil || got != want {
			t.Errorf("%q: got %v, %v; want %v", text, got, err, want)
		}
		if back, err := ParseMemorySize(want.String()); err != nil || back != want {
			t.Errorf("%v is written as %q, which reads as %v, %v", int64(want), want, back, err)
		}
	}
	for _, text := range []string{"", "mb", "1.5 gb", "-1", "5 potatoes", "9223372036854775807 kb"} {
		if got, err := ParseMemorySize(text); err == nil {
			t.Errorf("%q: accepted as %v", text, got)
		}
	}
}

func TestListsAndMaps(t *testing.T) {
	list, err := Lists.Parse(`a; 'b;c' ;"d""e";f`)
	if want := []string{"a", "b;c", `d"e`, "f"}; err != nil || !reflect.DeepEqual(list, want) {
		t.Errorf("got %q, %v", list, err)
	}
	if back, err := Lists.Parse(Lists.Format(list)); err != nil || !reflect.DeepEqual(back, list) {
		t.Errorf("round trip gives %q, %v", back, err)
	}
	m, err := Maps.Parse("a:1, 'b:x,y' ,c:http://h:1")
	if want := map[string]string{"a": "1", "b": "x,y", "c": "http://h:1"}; err != nil || !reflect.DeepEqual(m, want) {
		t.Errorf("got %q, %v", m, err)
	}
	if back, err := Maps.Parse(Maps.Format(m)); err != nil || !reflect.DeepEqual(back, m) {
		t.Errorf("round trip gives %q, %v", back, err)
	}
	for _, text := range []string{"a", "a:1,a:2", "'a:1", "'a:1'x"} {
		if m, err := Maps.Parse(text); err == nil {
			t.Errorf("%q: accepted as %v", text, m)
		}
	}
	paths, err := Paths.Parse("/a,/b:/c")
	if want := []string{"/a", "/b", "/c"}; err != nil || !reflect.DeepEqual(paths, want) {
		t.Errorf("got %q, %v", paths, err)
	}
}

// TestOptionsAreWellFormed checks what the compiler cannot: unique names, documentation, defaults which their own checks accept.
func TestOptionsAreWellFormed(t *testing.T) {
	seen := map[string]bool{}
	for _, o := range Known() {
		d := o.Describe()
		for _, name := range append([]string{d.Key}, d.Aliases...) {
			if seen[name] {
				t.Errorf("%s is declared twice", name)
			}
			seen[name] = true
		}
		if !strings.HasSuffix(d.Doc, ".") {
			t.Errorf("%s: Doc must be sentences", d.Key)
		}
		if d.Default != "(none)" {
			if _, err := o.judge(d.Default); err != nil {
				t.Errorf("%s: default %q: %v", d.Key, d.Default, err)
			}
		}
	}
}

// TestKnownIsComplete finds an option that was declared but forgotten in Known.
func TestKnownIsComplete(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "options.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	declared := 0
	ast.Inspect(file, func(n ast.Node) bool {
		index, ok := n.(*ast.IndexExpr)
		if ok {
			if name, ok := index.X.(*ast.Ident); ok && name.Name == "Option" {
				declared++
			}
		}
		return true
	})
	if declared != len(Known()) {
		t.Errorf("options.go declares %d options, Known lists %d", declared, len(Known()))
	}
}

// TestDefaultsAreFlinks compares with the defaults that Flink documents; what differs is listed with the reason.
func TestDefaultsAreFlinks(t *testing.T) {
	want := map[string]string{
		"execution.checkpointing.interval": "(none)", "execution.checkpointing.mode": "EXACTLY_ONCE",
		"execution.checkpointing.timeout": "10 min", "execution.checkpointing.min-pause": "0 ms",
		"execution.checkpointing.max-concurrent-checkpoints": "1", "execution.checkpointing.tolerable-failed-checkpoints": "0",
		"execution.checkpointing.num-retained": "1", "execution.checkpointing.externalized-checkpoint-retention": "NO_EXTERNALIZED_CHECKPOINTS",
		"execution.checkpointing.dir": "(none)", "execution.checkpointing.savepoint-dir": "(none)", "execution.checkpointing.storage": "(none)",
		"execution.checkpointing.checkpoints-after-tasks-finish": "true", "execution.checkpointing.incremental": "false",
		"execution.state-recovery.path": "(none)", "execution.state-recovery.ignore-unclaimed-state": "false",
		"execution.state-recovery.claim-mode": "NO_CLAIM", "state.backend.type": "hashmap", "state.backend.rocksdb.localdir": "(none)",
		"state.backend.rocksdb.timer-service.factory": "ROCKSDB",
		"restart-strategy.type":                       "(none)", "restart-strategy.fixed-delay.attempts": "1", "restart-strategy.fixed-delay.delay": "1 s",
		"restart-strategy.failure-rate.max-failures-per-interval": "1", "restart-strategy.failure-rate.failure-rate-interval": "1 min",
		"restart-strategy.failure-rate.delay": "1 s", "restart-strategy.exponential-delay.initial-backoff": "1 s",
		"restart-strategy.exponential-delay.max-backoff": "1 min", "restart-strategy.exponential-delay.backoff-multiplier": "1.5",
		"restart-strategy.exponential-delay.jitter-factor": "0.1", "restart-strategy.exponential-delay.reset-backoff-threshold": "1 h",
		"restart-strategy.exponential-delay.attempts-before-reset-backoff": "infinite", "pipeline.name": "(none)",
		"parallelism.default": "1", "pipeline.max-parallelism": "-1", "pipeline.operator-chaining.enabled": "true",
		"pipeline.auto-watermark-interval": "200 ms", "pipeline.object-reuse": "false",
		"task.cancellation.interval": "30 s", "task.cancellation.timeout": "3 min",
		"execution.buffer-timeout.interval": "100 ms", "execution.buffer-timeout.enabled": "true",
		"web.checkpoints.history": "10",
	}
	differs := map[string]string{
		"state.backend.rocksdb.memory.fixed-per-slot": "Flink takes a share of its managed memory, which Flott does not have",
		"io.tmp.dirs":                    "Flink names a Java property",
		"pipeline.global-job-parameters": "an empty map and none are the same",
	}
	for _, o := range Known() {
		d := o.Describe()
		if w, ok := want[d.Key]; ok {
			if d.Default != w {
				t.Errorf("%s: default %s, Flink has %s", d.Key, d.Default, w)
			}
			delete(want, d.Key)
			continue
		}
		if _, inFlink := loadFlinkKeys().has(d.Key); inFlink && differs[d.Key] == "" {
			t.Errorf("%s is Flink's: list its default here", d.Key)
		}
		if _, inFlink := loadFlinkKeys().has(d.Key); !inFlink && !strings.Contains(d.Doc, "Only Flott has this option") {
			t.Errorf("%s is not Flink's: its documentation must say so", d.Key)
		}
	}
	for key := range want {
		t.Errorf("%s is not declared", key)
	}
}

// TestDocumentation keeps docs/configuration.md equal to what the options say; run with -rewrite to write it.
func TestDocumentation(t *testing.T) {
	const path = "../docs/configuration.md"
	want := documentation()
	if f := flag.Lookup("rewrite"); f != nil && f.Value.String() == "true" {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Errorf("%s is not what the options say (%v); run: go test ./config -run TestDocumentation -rewrite", path, err)
	}
}

const documentationHead = `# Configuration

<!-- Written by: go test ./config -run TestDocumentation -rewrite. Do not edit. -->

Options have Flink's keys. They come from, weakest first: the job's code, a configuration file, the environment, ` + "`-D key=value`" + `.

- **File:** ` + "`config.yaml`" + `, YAML with flat or nested keys; lists may be YAML lists. ` +
	"`flink-conf.yaml`" + ` (lines ` + "`key: value`" + `) is read too.
- **Durations:** a whole number and a unit: ` + "`500 ms`, `5 s`, `1 min`, `2 h`, `1 d`" + `; ISO-8601 (` +
	"`PT10S`" + `); a plain number is milliseconds.
- **Sizes:** ` + "`20 kb`, `64 mb`, `1 gb`" + `, powers of 1024; a plain number is bytes.
- **Lists:** separated by ` + "`;`" + `. **Maps:** ` + "`key:value,key:value`" + `. Elements that hold the separator are quoted.

Everything wrong is reported at once, with file, line and column, before anything starts: unknown keys with the nearest name, keys that
mean something only on a JVM with what replaces them, keys of Flink that Flott does not have yet. Former names and values of Flink are
accepted with one line that says today's form.

| option | type | default | meaning |
|---|---|---|---|
`

func documentation() string {
	var b strings.Builder
	b.WriteString(documentationHead)
	for _, o := range Known() {
		d := o.Describe()
		doc := d.Doc
		if d.NoEffect != "" {
			doc += " **No effect:** " + d.NoEffect + "."
		}
		if len(d.Aliases) > 0 {
			doc += " Former: `" + strings.Join(d.Aliases, "`, `") + "`."
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", d.Key, d.Type, d.Default, strings.ReplaceAll(doc, "|", "\\|"))
	}
	return b.String()
}
