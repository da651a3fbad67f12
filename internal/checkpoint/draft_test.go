package checkpoint

import (
	"reflect"
	"strings"
	"testing"
)

func draftOfTwo() (*Draft, []Target) {
	d := NewDraft(7)
	list := OperatorState{Name: "splits", Kind: SplitList, Elements: [][]byte{[]byte("a")}}
	d.Add(Task{0, 0}, map[string]Subtask{"src": {Lists: []OperatorState{list}}})
	d.Add(Task{1, 0}, map[string]Subtask{"sum": {Watermark: 1}, "map": {}})
	d.Add(Task{1, 1}, map[string]Subtask{"sum": {Watermark: 2}, "map": {}})
	d.Enumerators(map[string][]byte{"src": []byte("left")})
	return d, []Target{
		{UID: "src", Name: "source", Chain: 0, Parallelism: 1, MaxParallelism: 4},
		{UID: "sum", Name: "sum", Chain: 1, Parallelism: 2, MaxParallelism: 8, States: []State{{Name: "n", Kind: ValueState}}},
	}
}

// Nothing that was handed in is left out, nothing is asked of anybody twice, and targets are not changed (A15.1).
func TestDraftPutsOperatorsTogether(t *testing.T) {
	d, targets := draftOfTwo()
	got, err := d.Operators(targets)
	if err != nil {
		t.Fatal(err)
	}
	want := []Operator{
		{UID: "src", Name: "source", Parallelism: 1, MaxParallelism: 4, States: []State{{Name: "splits", Kind: SplitList}},
			Enumerator: &Handle{Length: 4, Inline: []byte("left")}, Subtasks: []Subtask{{Lists: []OperatorState{
				{Name: "splits", Kind: SplitList, Elements: [][]byte{[]byte("a")}}}}}},
		{UID: "sum", Name: "sum", Parallelism: 2, MaxParallelism: 8, States: []State{{Name: "n", Kind: ValueState}},
			Subtasks: []Subtask{{Watermark: 1}, {Watermark: 2}}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if targets[0].States != nil {
		t.Errorf("the target has got states: %v", targets[0].States)
	}
}

func TestDraftRefusesWhatWouldBeLost(t *testing.T) {
	for want, change := range map[string]func(*Draft){
		`checkpoint 7: subtask 2 of operator "sum" has acknowledged without a snapshot of it`: func(d *Draft) { delete(d.parts, Task{1, 1}) },
		`checkpoint 7: operator "map" has state, and is not among the operators of the job`: func(d *Draft) {
			d.Add(Task{1, 0}, map[string]Subtask{"sum": {}, "map": {Keyed: []Handle{{Path: "f"}}}})
		},
		`checkpoint 7: the enumerator of "old" has state, and is not among the operators of the job`: func(d *Draft) {
			d.Enumerators(map[string][]byte{"old": nil})
		},
	} {
		d, targets := draftOfTwo()
		change(d)
		if _, err := d.Operators(targets); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
