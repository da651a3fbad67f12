package checkpoint

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"pgregory.net/rapid"

	"github.com/flottio/flott/internal/keygroup"
	"github.com/flottio/flott/internal/watermark"
)

var allStateKinds = []StateKind{
	ValueState, ListState, MapState, ReducingState, AggregatingState, TimerState, SplitList, UnionList, Broadcast,
}

// drawManifest draws a valid manifest: one keyed file per subtask, lists of some elements named by their origin.
func drawManifest(t *rapid.T) *Manifest {
	m := &Manifest{
		JobName: rapid.StringMatching(`\S.{0,9}`).Draw(t, "job"), JobID: "id", CodeVersion: "v", KeyHash: "h",
		ID: ID(rapid.Int64Range(1, 1<<62).Draw(t, "id")),
	}
	for i := range rapid.IntRange(0, 3).Draw(t, "operators") {
		p := rapid.IntRange(1, 5).Draw(t, "p")
		op := Operator{UID: fmt.Sprintf("op-%d", i), Parallelism: p, MaxParallelism: rapid.IntRange(p, 20).Draw(t, "max")}
		for j := range rapid.IntRange(0, 4).Draw(t, "states") {
			op.States = append(op.States, State{Name: fmt.Sprintf("s%d", j), Kind: rapid.SampledFrom(allStateKinds).Draw(t, "kind")})
		}
		for k := range p {
			s := Subtask{Watermark: rapid.Int64().Draw(t, "watermark"), Finished: rapid.IntRange(0, 4).Draw(t, "finished") == 0}
			path := fmt.Sprintf("%d-%d", i, k)
			s.Keyed = []Handle{{Path: path, Digest: sha256.Sum256([]byte(path)), KeyGroups: keygroup.RangeOf(k, op.MaxParallelism, p)}}
			for _, st := range op.States {
				if st.Kind.Keyed() || s.Finished && st.Kind == Broadcast {
					continue
				}
				l := OperatorState{Name: st.Name, Kind: st.Kind}
				for e := range rapid.IntRange(0, 4).Draw(t, "elements") {
					l.Elements = append(l.Elements, fmt.Appendf(nil, "%s/%d/%d", st.Name, k, e))
				}
				s.Lists = append(s.Lists, l)
			}
			op.Subtasks = append(op.Subtasks, s)
		}
		m.Operators = append(m.Operators, op)
	}
	return m
}

func targetsOf(m *Manifest) []Target {
	var ts []Target
	for i, o := range m.Operators {
		ts = append(ts, Target{UID: o.UID, Name: o.Name, Chain: i, Parallelism: o.Parallelism, States: slices.Clone(o.States)})
	}
	return ts
}

// elements returns what a subtask reads of a state, in order.
func elements(s SubtaskRestore, name string) []string {
	var all []string
	for _, r := range s.Lists {
		if r.State.Name == name {
			for _, e := range r.State.Elements[r.First : r.First+r.Count] {
				all = append(all, string(e))
			}
		}
	}
	return all
}

// Every key group of every file and every element of every list goes exactly where the dumb rule says.
func TestRestorePlanDealsEverythingOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawManifest(t)
		targets := targetsOf(m)
		for i := range targets {
			targets[i].Parallelism = rapid.IntRange(1, m.Operators[i].MaxParallelism).Draw(t, "new p")
		}
		plan, refusals := PlanRestore(RestoreRequest{Manifest: m, JobName: m.JobName, Operators: targets})
		if len(refusals) > 0 {
			t.Fatalf("%+v", refusals)
		}
		for i, o := range plan.Operators {
			checkKeyed(t, o, &m.Operators[i])
			for _, s := range m.Operators[i].States {
				checkLists(t, o, &m.Operators[i], s)
			}
			checkWatermarks(t, o, &m.Operators[i])
		}
	})
}

func checkKeyed(t *rapid.T, o OperatorRestore, old *Operator) {
	for from, s := range old.Subtasks {
		for _, h := range s.Keyed {
			for kg := h.KeyGroups.First; kg <= h.KeyGroups.Last; kg++ {
				var readers []int
				for i, n := range o.Subtasks {
					for _, r := range n.Keyed {
						if r.From == from && r.Handle.Path == h.Path && r.KeyGroups.Contains(kg) {
							readers = append(readers, i)
						}
					}
				}
				if want := keygroup.SubtaskOf(kg, old.MaxParallelism, o.Parallelism); len(readers) != 1 || readers[0] != want {
					t.Fatalf("key group %d of %s is read by %v, want %d", kg, h.Path, readers, want)
				}
			}
		}
	}
}

func checkLists(t *rapid.T, o OperatorRestore, old *Operator, s State) {
	if s.Kind.Keyed() {
		return
	}
	var all []string // of all old subtasks, in order
	var copies []string
	for _, x := range old.Subtasks {
		if l, ok := list(x, s.Name); ok {
			var own []string
			for _, e := range l.Elements {
				own = append(own, string(e))
			}
			all = append(all, own...)
			copies = append(copies, fmt.Sprint(own))
		}
	}
	var dealt []string
	shortest, longest := 1<<30, 0
	for i, n := range o.Subtasks {
		got := elements(n, s.Name)
		dealt = append(dealt, got...)
		shortest, longest = min(shortest, len(got)), max(longest, len(got))
		switch {
		case s.Kind == UnionList && fmt.Sprint(got) != fmt.Sprint(all):
			t.Fatalf("union %s: subtask %d reads %v, want %v", s.Name, i, got, all)
		case s.Kind == Broadcast && len(copies) > 0 && !slices.Contains(copies, fmt.Sprint(got)):
			t.Fatalf("broadcast %s: subtask %d reads %v, none of the copies %v", s.Name, i, got, copies)
		case s.Kind == SplitList && o.Parallelism == old.Parallelism:
			own, _ := list(old.Subtasks[i], s.Name)
			if len(got) != own.Len() {
				t.Fatalf("split %s: subtask %d reads %v, want its own %v", s.Name, i, got, own)
			}
		}
	}
	if s.Kind != SplitList {
		return
	}
	slices.Sort(dealt)
	slices.Sort(all)
	if fmt.Sprint(dealt) != fmt.Sprint(all) {
		t.Fatalf("split %s: dealt %v of %v", s.Name, dealt, all)
	}
	if o.Parallelism != old.Parallelism && longest-shortest > 1 {
		t.Fatalf("split %s: %d..%d elements", s.Name, shortest, longest)
	}
}

func checkWatermarks(t *rapid.T, o OperatorRestore, old *Operator) {
	least := watermark.End
	for _, s := range old.Subtasks {
		least = min(least, s.Watermark)
	}
	for i, n := range o.Subtasks {
		want := least
		if o.Parallelism == old.Parallelism {
			want = old.Subtasks[i].Watermark
		}
		if n.Watermark != want {
			t.Fatalf("subtask %d starts at watermark %d, want %d", i, n.Watermark, want)
		}
	}
}

// Scripts: `checkpoint job=NAME` and `job name=NAME [drop]` describe operators, one a line:
//
//	uid p=2 max=128 chain=1 count:value:string tx:union-list [finished=0] [enumerator] [elements=3] [watermark=1,2]
func TestRestoreScripts(t *testing.T) {
	datadriven.Walk(t, "testdata/restore", func(t *testing.T, path string) {
		var m *Manifest
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "checkpoint":
				m = &Manifest{JobID: "j", CodeVersion: "v", KeyHash: "xxh3/1", ID: 17}
				d.ScanArgs(t, "job", &m.JobName)
				for line := range strings.Lines(d.Input) {
					m.Operators = append(m.Operators, scriptOperator(t, strings.Fields(line)))
				}
				if err := m.Validate(); err != nil {
					d.Fatalf(t, "%v", err)
				}
				return ""
			case "job":
				r := RestoreRequest{Manifest: m, AllowNonRestored: d.HasArg("drop"), CompatibleSchemas: sameSchemas}
				d.ScanArgs(t, "name", &r.JobName)
				if d.HasArg("hash") {
					d.ScanArgs(t, "hash", &r.KeyHash)
				}
				for i, line := range strings.Split(strings.TrimSpace(d.Input), "\n") {
					r.Operators = append(r.Operators, scriptTarget(t, i, strings.Fields(line)))
				}
				plan, refusals := PlanRestore(r)
				if (plan == nil) != (len(refusals) > 0) {
					t.Fatal("a plan and refusals, or neither")
				}
				if plan == nil {
					return RefusalError("chk-17", refusals).Error() + "\n"
				}
				if d.HasArg("detail") {
					return plan.String() + detail(plan)
				}
				return plan.String()
			}
			d.Fatalf(t, "unknown command %s", d.Cmd)
			return ""
		})
	})
}

func sameSchemas(_ string, stored, declared State) error {
	if stored.ValueSchema != declared.ValueSchema {
		return errors.New("stored as " + stored.ValueSchema + ", declared as " + declared.ValueSchema)
	}
	return nil
}

func detail(p *RestorePlan) string {
	var b strings.Builder
	for _, o := range p.Operators {
		for i, s := range o.Subtasks {
			fmt.Fprintf(&b, "%s/%d of max %d, key groups %v, watermark %d:", o.UID, i, o.MaxParallelism, s.KeyGroups, s.Watermark)
			for _, k := range s.Keyed {
				fmt.Fprintf(&b, " %s[%v]", k.Handle.Path, k.KeyGroups)
			}
			for _, st := range o.States {
				if e := elements(s, st.Name); len(e) > 0 {
					fmt.Fprintf(&b, " %v", e)
				}
			}
			if s.Finished {
				b.WriteString(" finished")
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}

func scriptTarget(t *testing.T, i int, f []string) Target {
	op := scriptOperator(t, f)
	x := Target{UID: op.UID, Name: op.Name, Chain: i, Parallelism: op.Parallelism, States: op.States}
	for _, arg := range f[1:] {
		if strings.HasPrefix(arg, "max=") {
			x.MaxParallelism = op.MaxParallelism
		}
		if n, ok := strings.CutPrefix(arg, "chain="); ok {
			fmt.Sscan(n, &x.Chain)
		}
	}
	return x
}

func scriptOperator(t *testing.T, f []string) Operator {
	op := Operator{UID: f[0], Name: "the " + f[0], Parallelism: 1, MaxParallelism: 128}
	perSubtask, finished, marks := 2, -1, []string(nil)
	for _, arg := range f[1:] {
		if key, v, ok := strings.Cut(arg, "="); ok {
			to := map[string]*int{"p": &op.Parallelism, "max": &op.MaxParallelism, "elements": &perSubtask, "finished": &finished, "chain": new(int)}
			if key == "watermark" {
				marks = strings.Split(v, ",")
			} else if _, err := fmt.Sscan(v, to[key]); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if arg == "enumerator" {
			op.Enumerator = &Handle{Length: 1, Inline: []byte{1}}
			continue
		}
		part := append(strings.Split(arg, ":"), "")
		s := State{Name: part[0], ValueSchema: part[2]}
		if err := s.Kind.UnmarshalText([]byte(part[1])); err != nil {
			t.Fatal(err)
		}
		op.States = append(op.States, s)
	}
	if op.Parallelism > op.MaxParallelism || op.Parallelism < 1 {
		return op
	}
	for i := range op.Parallelism {
		s := Subtask{Finished: i <= finished}
		if i < len(marks) {
			fmt.Sscan(marks[i], &s.Watermark)
		}
		keyed := false
		for _, st := range op.States {
			if keyed = keyed || st.Kind.Keyed(); st.Kind.Keyed() {
				continue
			}
			l := OperatorState{Name: st.Name, Kind: st.Kind}
			for e := range perSubtask {
				l.Elements = append(l.Elements, fmt.Appendf(nil, "%s-%d.%d", st.Name, i, e))
			}
			s.Lists = append(s.Lists, l)
		}
		if keyed {
			path := fmt.Sprintf("%s-%d", op.UID, i)
			s.Keyed = []Handle{{Path: path, Digest: sha256.Sum256([]byte(path)), KeyGroups: keygroup.RangeOf(i, op.MaxParallelism, op.Parallelism)}}
		}
		op.Subtasks = append(op.Subtasks, s)
	}
	return op
}
