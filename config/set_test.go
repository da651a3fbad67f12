package config

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// TestScripts runs testdata: each script fills a set from files, the environment and -D, and shows problems, notices and values.
//
//	file NAME     the content of a configuration file
//	env NAME      lines of an environment variable
//	flags         one -D argument a line
//	show          what Validate says, the notices, and every entry with its place
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		set := New()
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "reset":
				set = New()
			case "file":
				set.Read(d.CmdArgs[0].Key, []byte(d.Input))
			case "env":
				set.DefineEnv(d.CmdArgs[0].Key, d.Input)
			case "flags":
				for _, argument := range strings.Split(d.Input, "\n") {
					set.Define(argument)
				}
			case "show":
				return show(set)
			default:
				d.Fatalf(t, "unknown command %q", d.Cmd)
			}
			return ""
		})
	})
}

func show(set *Set) string {
	var b strings.Builder
	if err := set.Validate(); err != nil {
		fmt.Fprintln(&b, err)
	}
	for _, n := range set.Notices() {
		fmt.Fprintln(&b, "notice:", n)
	}
	for _, e := range set.Entries() {
		fmt.Fprintf(&b, "%s = %s (%s)\n", e.Key, e.Shown(), e.Origin)
	}
	return b.String()
}

func TestLayers(t *testing.T) {
	set := New()
	set.Define("parallelism.default=4")
	set.Read("config.yaml", []byte("parallelism.default: 3\n"))
	Parallelism.Put(set, 2, Caller(0))
	if got := Parallelism.Get(set); got != 4 {
		t.Errorf("-D must win over file and code: got %d", got)
	}

	set = New()
	Parallelism.Put(set, 2, Caller(0))
	set.Read("config.yaml", []byte("parallelism.default: 3\n"))
	set.DefineEnv("FLOTT_PROPERTIES", "parallelism.default: 5")
	if got := Parallelism.Get(set); got != 5 {
		t.Errorf("the environment must win over file and code: got %d", got)
	}
	if got := Parallelism.Get(nil); got != 1 {
		t.Errorf("a nil set holds nothing: got %d, want the default", got)
	}
	if _, set := CheckpointInterval.Lookup(nil); set {
		t.Error("a nil set holds nothing: Lookup says set")
	}
}

func TestProblemKinds(t *testing.T) {
	set := New()
	for _, d := range []string{"no.such.option.at.all=1", "env.java.opts.all=-Xmx1g", "rest.port=8081", "parallelism.default=x", "="} {
		set.Define(d)
	}
	var problems Problems
	if !errors.As(set.Validate(), &problems) {
		t.Fatal("expected Problems")
	}
	want := []ProblemKind{UnknownKey, JVMOnly, NotSupported, BadValue, BadSource}
	for i, p := range problems {
		if i >= len(want) || p.Kind != want[i] {
			t.Errorf("problem %d: kind %d, %s", i, p.Kind, p)
		}
	}
	if len(problems) != len(want) {
		t.Errorf("%d problems, want %d", len(problems), len(want))
	}
}

func TestReadingAnInvalidSetPanics(t *testing.T) {
	set := New()
	set.entries[Parallelism.Key] = Entry{Key: Parallelism.Key, Value: "x"}
	defer func() {
		if p := recover(); p == nil || !strings.HasPrefix(fmt.Sprint(p), "BUG: ") {
			t.Errorf("expected a BUG panic, got %v", p)
		}
	}()
	Parallelism.Get(set)
}

func TestMissingFileIsAProblem(t *testing.T) {
	set := New()
	set.ReadFile(t.TempDir() + "/none.yaml")
	if err := set.Validate(); err == nil || !strings.Contains(err.Error(), "none.yaml: reading the configuration file") {
		t.Errorf("got %v", err)
	}
}

// TestHostileFiles reads what has no end and what the parser would need hours for.
func TestHostileFiles(t *testing.T) {
	set := New()
	if _, err := os.Stat("/dev/zero"); err == nil {
		set.ReadFile("/dev/zero")
		if err := set.Validate(); err == nil || !strings.Contains(err.Error(), "has more than 1048576 bytes") {
			t.Errorf("got %v", err)
		}
	}
	set = New()
	set.Read("config.yaml", []byte("a: "+strings.Repeat("[", 300_000)+strings.Repeat("]", 300_000)))
	if err := set.Validate(); err == nil || !strings.Contains(err.Error(), "brackets are open at once") {
		t.Errorf("got %v", err)
	}
}

func TestMapOptionMergesItsParts(t *testing.T) {
	set := New()
	set.Read("config.yaml", []byte("pipeline:\n  global-job-parameters:\n    a: x,y\n    b.c: 2\n"))
	if err := set.Validate(); err != nil {
		t.Fatal(err)
	}
	m := GlobalJobParameters.Get(set)
	if len(m) != 2 || m["a"] != "x,y" || m["b.c"] != "2" {
		t.Errorf("got %v", m)
	}
}

// TestFlinkKeysAreAllJudged proves that no key of Flink is called unknown.
func TestFlinkKeysAreAllJudged(t *testing.T) {
	keys := loadFlinkKeys()
	all := make([]string, 0, len(keys.today)+len(keys.former))
	for k := range keys.today {
		all = append(all, k)
	}
	for k := range keys.former {
		all = append(all, k)
	}
	if len(all) < 1000 {
		t.Fatalf("only %d keys", len(all))
	}
	for _, k := range all {
		set := New()
		if _, _, ok := set.resolve(k); ok {
			continue
		}
		if p := judgeUnknown(set, written{key: k}); p.Kind == UnknownKey {
			t.Errorf("%s: %s", k, p.Message)
		}
	}
}

func FuzzReadYAML(f *testing.F) {
	f.Add("a: b")
	f.Add("execution:\n  checkpointing: {interval: 5 s, dir: [x]}\n")
	f.Add("a: &x [1]\nb: *x\n")
	f.Add("parallelism.default: !!int 3\n? x\n: y\n")
	f.Fuzz(func(t *testing.T, text string) {
		set := New()
		set.Read("config.yaml", []byte(text))
		set.Read("flink-conf.yaml", []byte(text))
		if set.Validate() == nil {
			for _, o := range Known() {
				_ = o.Describe()
			}
			_ = Parallelism.Get(set)
		}
	})
}
