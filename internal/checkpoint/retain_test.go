package checkpoint

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"pgregory.net/rapid"
)

// Scripts: `retain num=2` over "3 4 5 sp6"; `latest` over "chk-3 whole", "chk-4 torn", "chk-5 damaged CAUSE".
func TestRetainScripts(t *testing.T) {
	datadriven.Walk(t, "testdata/retain", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "retain":
				num := 0
				d.ScanArgs(t, "num", &num)
				var all []Completed
				for _, f := range strings.Fields(d.Input) {
					c := Completed{}
					n, isSavepoint := strings.CutPrefix(f, "sp")
					if isSavepoint {
						c.Kind = Savepoint
					}
					fmt.Sscan(n, &c.ID)
					all = append(all, c)
				}
				keep, deleted := Retain(all, num)
				return fmt.Sprintf("keep %v\ndelete %v\n", keep, deleted)
			case "latest":
				return showLatest(FindLatest(scriptListing(d.Input)))
			case "terminal":
				var out strings.Builder
				for x := NoExternalized; x <= RetainOnCancellation; x++ {
					fmt.Fprintf(&out, "%v:", x)
					for s := Finished; s <= Suspended; s++ {
						fmt.Fprintf(&out, " %v %s", s, map[bool]string{true: "keep", false: "delete"}[x.KeepAfter(s)])
					}
					out.WriteByte('\n')
				}
				return out.String()
			}
			d.Fatalf(t, "unknown command %s", d.Cmd)
			return ""
		})
	})
}

func scriptListing(input string) []Found {
	var all []Found
	for line := range strings.Lines(input) {
		f := strings.Fields(line)
		x := Found{Path: f[0], Whole: f[1] == "whole", Torn: f[1] == "torn", Cause: strings.Join(f[2:], " ")}
		fmt.Sscan(strings.TrimPrefix(f[0], "chk-"), &x.ID)
		all = append(all, x)
	}
	return all
}

func showLatest(l Latest) string {
	switch l := l.(type) {
	case LatestNone:
		return fmt.Sprintf("none; %d torn\n", len(l.Torn))
	case LatestFound:
		return fmt.Sprintf("found %s; %d torn\n", l.Checkpoint.Path, len(l.Torn))
	case LatestDamaged:
		return l.String() + "\n"
	}
	return "?"
}

func TestRetainKeepsTheNewest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all []Completed
		for id := range rapid.IntRange(0, 12).Draw(t, "n") {
			all = append(all, Completed{ID(id + 1), Kind(rapid.IntRange(0, 1).Draw(t, "kind"))})
		}
		num := rapid.IntRange(-1, 5).Draw(t, "num")
		keep, deleted := Retain(all, num)
		kept := map[ID]bool{}
		for _, c := range keep {
			kept[c.ID] = true
		}
		if len(keep)+len(deleted) != len(all) {
			t.Fatalf("%v becomes %v and %v", all, keep, deleted)
		}
		newer := 0 // by the book: a checkpoint goes if as many newer checkpoints exist as are kept
		for i := len(all) - 1; i >= 0; i-- {
			want := all[i].Kind == Savepoint || newer < max(1, num)
			if all[i].Kind == Periodic {
				newer++
			}
			if kept[all[i].ID] != want {
				t.Fatalf("%v of %v is kept: %v, want %v (num %d)", all[i], all, kept[all[i].ID], want, num)
			}
		}
	})
}

func TestFindLatestDoesNotDependOnTheOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all []Found
		for i := range rapid.IntRange(0, 6).Draw(t, "n") {
			k := rapid.IntRange(0, 2).Draw(t, "kind")
			all = append(all, Found{Path: fmt.Sprint("p", i), ID: ID(rapid.IntRange(1, 4).Draw(t, "id")), Whole: k == 0, Torn: k == 1})
		}
		want := showLatest(FindLatest(all))
		if got := showLatest(FindLatest(rapid.Permutation(all).Draw(t, "order"))); got != want {
			t.Fatalf("%s, in another order %s", want, got)
		}
	})
}
