package checkpoint

import (
	"fmt"
	"strings"
)

// String shows the plan to people: what is restored, what is new, what is dropped.
func (p *RestorePlan) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "from %v %d of job %q\n", p.Kind, p.Checkpoint, p.JobName)
	for _, o := range p.Operators {
		if !o.Restored {
			continue
		}
		fmt.Fprintf(&b, "  restored  %s", o.UID)
		if o.OldParallelism != o.Parallelism {
			fmt.Fprintf(&b, ", parallelism %d -> %d", o.OldParallelism, o.Parallelism)
		}
		var names []string
		for _, s := range o.States {
			names = append(names, s.Name)
		}
		if len(names) > 0 {
			fmt.Fprintf(&b, ": %s", statesText(names))
		}
		if len(o.NewStates) > 0 {
			fmt.Fprintf(&b, "; new and empty: %s", statesText(o.NewStates))
		}
		if o.finished() {
			b.WriteString("; had finished")
		}
		b.WriteByte('\n')
	}
	for _, o := range p.Operators {
		if !o.Restored {
			fmt.Fprintf(&b, "  new       %s", o.UID)
			if len(o.NewStates) > 0 {
				fmt.Fprintf(&b, ": %s, empty", statesText(o.NewStates))
			}
			b.WriteByte('\n')
		}
	}
	for _, d := range p.Dropped {
		if d.Whole {
			fmt.Fprintf(&b, "  dropped   %s (%s): %s\n", d.UID, d.Name, statesText(d.States))
		} else {
			fmt.Fprintf(&b, "  dropped   of %s: %s\n", d.UID, statesText(d.States))
		}
	}
	return b.String()
}

func (o *OperatorRestore) finished() bool {
	for _, s := range o.Subtasks {
		if !s.Finished {
			return false
		}
	}
	return len(o.Subtasks) > 0
}

// RefusalError joins refusals to one error, for a restore of the checkpoint at path.
func RefusalError(path string, refusals []Refusal) error {
	var b strings.Builder
	for _, r := range refusals {
		fmt.Fprintf(&b, "\n  - %s", r.Text)
	}
	return fmt.Errorf("restoring from %s is refused:%s", path, b.String())
}

func statesText(names []string) string {
	switch len(names) {
	case 0:
		return "the state of its source"
	case 1:
		return fmt.Sprintf("state %q", names[0])
	}
	var q []string
	for _, n := range names {
		q = append(q, fmt.Sprintf("%q", n))
	}
	return "states " + strings.Join(q, ", ")
}

// EditDistance returns the least number of changed, added and removed bytes that make b of a, or limit if it is not less.
func EditDistance(a, b string, limit int) int {
	const maxComparedBytes = 512 // uids come from outside, and the work is their product
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit || len(a) > maxComparedBytes {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := diagonal
			if a[i] != b[j] {
				d = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], d
		}
	}
	return min(row[len(b)], limit)
}
