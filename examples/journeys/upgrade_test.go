//go:build unix

package journeys

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flottio/flott"
	"github.com/flottio/flott/connector/file"
	jsonformat "github.com/flottio/flott/format/json"
)

// The versions of the job of journey J9. All have the operators source-id and mapper-id; the first is the one that is upgraded.
const (
	upgradeKeys = 4
	upgradeEach = 500
	upgradeHalf = 250
)

type (
	tally1 struct{ N int64 }
	tally2 struct { // a field more, in front
		Note string
		N    int64
	}
	tally3 struct{ N string } // another type
)

func init() {
	jobs["upgrade/first"] = upgrade(upgradeHalf, func(s flott.Stream[number]) flott.Stream[number] {
		return doomed(mapper[tally1](s, func(t *tally1) *int64 { return &t.N }))
	})
	jobs["upgrade/same"] = upgrade(0, func(s flott.Stream[number]) flott.Stream[number] {
		return doomed(mapper[tally1](s, func(t *tally1) *int64 { return &t.N }))
	})
	jobs["upgrade/added"] = upgrade(0, func(s flott.Stream[number]) flott.Stream[number] {
		out := doomed(mapper[tally1](s, func(t *tally1) *int64 { return &t.N }))
		return passOn(out, "extra-id")
	})
	jobs["upgrade/removed"] = upgrade(0, func(s flott.Stream[number]) flott.Stream[number] {
		return mapper[tally1](s, func(t *tally1) *int64 { return &t.N })
	})
	jobs["upgrade/widened"] = upgrade(0, func(s flott.Stream[number]) flott.Stream[number] {
		return doomed(mapper[tally2](s, func(t *tally2) *int64 { return &t.N }))
	})
	jobs["upgrade/incompatible"] = upgrade(0, func(s flott.Stream[number]) flott.Stream[number] {
		var unused int64
		return doomed(mapper[tally3](s, func(*tally3) *int64 { return &unused }))
	})
	jobs["another"] = func(env *flott.Env) {
		s := flott.From(env, "elsewhere", counter{splits: 1, each: 10})
		passOn(s, "something").To("sink", file.Sink("another", jsonformat.Of[number]()))
	}
}

// upgrade is the job: it runs in its own directory.
func upgrade(pauseAt int, middle func(flott.Stream[number]) flott.Stream[number]) func(*flott.Env) {
	return func(env *flott.Env) {
		s := flott.From(env, "source-id", counter{splits: upgradeKeys, each: upgradeEach, pauseAt: pauseAt, dir: "."})
		middle(s).To("out", file.Sink("out", jsonformat.Of[number]()))
	}
}

// mapper counts the records of each key in a state of type T.
func mapper[T any](s flott.Stream[number], n func(*T) *int64) flott.Stream[number] {
	return flott.KeyedProcess(flott.KeyBy(s, keyOf), "mapper-id", func(k *flott.KeyedContext[int64, number]) func(number) error {
		tally := flott.NewValue[T](k, "my-state")
		return func(v number) error {
			t := tally.Get()
			*n(&t)++
			tally.Set(t)
			k.Emit(number{v.Key, *n(&t)})
			return nil
		}
	})
}

func doomed(s flott.Stream[number]) flott.Stream[number] { return passOn(s, "doomed-id") }

// passOn is an operator with state that changes nothing.
func passOn(s flott.Stream[number], name string) flott.Stream[number] {
	return flott.KeyedProcess(flott.KeyBy(s, keyOf), name, func(k *flott.KeyedContext[int64, number]) func(number) error {
		seen := flott.NewValue[int64](k, "seen")
		return func(v number) error {
			seen.Update(func(n int64) int64 { return n + 1 })
			k.Emit(v)
			return nil
		}
	})
}

// Journey J9: a job is stopped with a savepoint in the middle of its input, and goes on from it in another version, with the plan of what
// will be restored shown first.
func TestJ9Upgrade(t *testing.T) {
	hashmap, rocksdb := "state.backend.type=hashmap", "state.backend.type=rocksdb"
	for _, c := range []struct {
		name, job string
		before    []string // options of the first version
		after     []string // of the second
		plan      []string // what the plan says
		refused   []string // what the refusal says, if it is refused
	}{
		{name: "nothing changes", job: "same", plan: []string{"source-id", "mapper-id", "my-state", "doomed-id", "out"}},
		{name: "an operator is added", job: "added", plan: []string{"mapper-id", "extra-id"}},
		{name: "an operator is removed", job: "removed", refused: []string{"doomed-id", "seen", "-n"}},
		{name: "an operator is removed, and that is meant", job: "removed", after: []string{"-n"}, plan: []string{"doomed-id", "mapper-id"}},
		{name: "more parallelism", job: "same", before: []string{"-p", "1"}, after: []string{"-p", "3"},
			plan: []string{"mapper-id, parallelism 1 -> 3"}},
		{name: "less parallelism", job: "same", before: []string{"-p", "4"}, after: []string{"-p", "2"},
			plan: []string{"mapper-id, parallelism 4 -> 2"}},
		{name: "a state gets a field", job: "widened", plan: []string{"mapper-id", "my-state"}},
		{name: "a state gets another type", job: "incompatible", refused: []string{"mapper-id", "my-state", "int64", "string"}},
		{name: "hashmap to rocksdb", job: "same", before: []string{"-D", hashmap}, after: []string{"-D", rocksdb}, plan: []string{"mapper-id"}},
		{name: "rocksdb to hashmap", job: "same", before: []string{"-D", rocksdb}, after: []string{"-D", hashmap}, plan: []string{"mapper-id"}},
		{name: "the savepoint of another job", job: "../another", refused: []string{`is of job "upgrade"`, `no operator of job "another" is in it`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			savepoint := stopWithSavepoint(t, "upgrade/first", dir, marksOf(dir, upgradeKeys), c.before...)
			job := filepath.Join("upgrade", c.job)

			text, code := execute(t, job, dir, append([]string{"plan", "-s", savepoint}, c.after...)...)
			run, runCode := execute(t, job, dir, append([]string{"-s", savepoint}, c.after...)...)
			if c.refused != nil {
				if code != 3 || runCode != 3 {
					t.Errorf("exit codes %d of plan and %d of run, want 3", code, runCode)
				}
				says(t, text, c.refused...)
				says(t, run, c.refused...)
				runningCounts(t, readNumbers(t, filepath.Join(dir, "out")), upgradeKeys*upgradeHalf, upgradeKeys)
				return
			}
			if code != 0 || runCode != 0 {
				t.Fatalf("exit codes %d of plan and %d of run, want 0:\n%s\n%s", code, runCode, text, run)
			}
			says(t, text, c.plan...)
			says(t, run, c.plan...)
			runningCounts(t, readNumbers(t, filepath.Join(dir, "out")), upgradeKeys*upgradeEach, upgradeKeys)
		})
	}
}

// readNumbers reads the finished files of a sink.
func readNumbers(t *testing.T, dir string) (all []number) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			t.Errorf("%s is not finished", e.Name())
			continue
		}
		f, err := os.Open(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		for lines := bufio.NewScanner(f); lines.Scan(); {
			var n number
			if err := json.Unmarshal(lines.Bytes(), &n); err != nil {
				t.Fatalf("%s: %v", e.Name(), err)
			}
			all = append(all, n)
		}
		_ = f.Close()
	}
	return all
}
