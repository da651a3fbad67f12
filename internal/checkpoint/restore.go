package checkpoint

import (
	"fmt"
	"slices"

	"github.com/flottio/flott/internal/keygroup"
	"github.com/flottio/flott/internal/watermark"
)

// Target is an operator of the job that wants to go on from a checkpoint.
type Target struct {
	UID            string
	Name           string
	Chain          int // operators with the same number run in one task, and so share their max parallelism (A13.5)
	Parallelism    int
	MaxParallelism int // 0: as recorded; for a new operator the default
	States         []State
}

// RestoreRequest is what PlanRestore decides upon.
type RestoreRequest struct {
	Manifest          *Manifest
	JobName           string
	KeyHash           string // of this build's codec; "" leaves it unchecked
	Operators         []Target
	AllowNonRestored  bool // -n: state without a home is dropped, and named
	CompatibleSchemas func(uid string, stored, declared State) error
}

// RestorePlan says who reads what. It is made before anything is started, and shown to the user on demand.
//
//	old, p = 2   |0 ......... 63|64 ........ 127|        handles with their key groups
//	                    |              |
//	new, p = 3   |0 .... 42|43 .... 85|86 .. 127|        subtask 1 reads 43-63 of the one and 64-85 of the other
//
// Invariant: each key group of each stored handle is read by exactly one new subtask, the one that owns it.
// Invariant: each element of a split list is read by exactly one new subtask.
type RestorePlan struct {
	Checkpoint ID
	Kind       Kind
	JobName    string            // of the manifest
	Operators  []OperatorRestore // in the order of the request
	Dropped    []DroppedState    // only with AllowNonRestored
}

// OperatorRestore is what becomes of one operator.
type OperatorRestore struct {
	UID            string
	Name           string
	Restored       bool // false: the checkpoint does not know it; it starts empty
	OldParallelism int
	Parallelism    int
	MaxParallelism int     // to be used from now on
	States         []State // restored, as stored
	NewStates      []string
	Enumerator     *Handle
	Subtasks       []SubtaskRestore // one per new subtask
}

// SubtaskRestore is what one new subtask reads.
type SubtaskRestore struct {
	KeyGroups keygroup.Range
	Keyed     []KeyedRead
	Lists     []ListRead
	Finished  bool              // deploy as finished (A8.5)
	Watermark int64             // the task's own
	Inputs    []watermark.Input // only if the parallelism is unchanged; else all inputs start at Watermark
}

// KeyedRead is a part of a stored handle: only key groups in KeyGroups are taken.
type KeyedRead struct {
	Handle    Handle
	From      int // old subtask
	KeyGroups keygroup.Range
}

// ListRead is a run of elements of an operator state of an old subtask.
type ListRead struct {
	State OperatorState
	From  int // old subtask
	First int
	Count int
}

// DroppedState is state that nobody in the new job wants.
type DroppedState struct {
	UID    string
	Name   string
	States []string
	Whole  bool // the operator is gone, not only these states of it
}

// RefusalKind is the closed set of reasons why a restore is refused.
type RefusalKind uint8

const (
	RefuseHomeless       RefusalKind = iota + 1 // state without a home
	RefuseOtherJob                              // nothing in it belongs to this job
	RefuseMaxParallelism                        // max parallelism differs from the recorded one, or within a chain
	RefuseParallelism                           // more subtasks than key groups
	RefuseStateKind                             // a state is of another kind
	RefuseSchema                                // a state's type has changed incompatibly
	RefuseKeyHash                               // keys would go to other key groups
	RefuseTargets                               // the request contradicts itself
)

// Refusal is one reason why a restore is refused.
type Refusal struct {
	Kind   RefusalKind
	UID    string
	States []string
	Text   string // what, where, why, and what to do
}

// PlanRestore returns either a plan or all reasons against it.
func PlanRestore(r RestoreRequest) (*RestorePlan, []Refusal) {
	p := &restorePlanner{request: r, stored: map[string]*Operator{}}
	for i := range r.Manifest.Operators {
		p.stored[r.Manifest.Operators[i].UID] = &r.Manifest.Operators[i]
	}
	plan := &RestorePlan{Checkpoint: r.Manifest.ID, Kind: r.Manifest.Kind, JobName: r.Manifest.JobName}
	if r.KeyHash != "" && r.KeyHash != r.Manifest.KeyHash {
		p.refuse(RefuseKeyHash, "", nil, "the keys of checkpoint %d were hashed with %s, this build uses %s: every key would look for its "+
			"state in the wrong place", r.Manifest.ID, r.Manifest.KeyHash, r.KeyHash)
	}
	targets := map[string]bool{}
	for _, t := range r.Operators {
		if targets[t.UID] {
			p.refuse(RefuseTargets, t.UID, nil, "two operators of the new job have the uid %q", t.UID)
		}
		targets[t.UID] = true
		plan.Operators = append(plan.Operators, p.operator(t))
	}
	p.checkChains(plan.Operators)
	plan.Dropped = append(p.dropped, p.homeless(targets)...)
	if len(p.refusals) > 0 {
		return nil, p.refusals
	}
	return plan, nil
}

type restorePlanner struct {
	request  RestoreRequest
	stored   map[string]*Operator
	dropped  []DroppedState
	refusals []Refusal
}

func (p *restorePlanner) refuse(k RefusalKind, uid string, states []string, format string, args ...any) {
	p.refusals = append(p.refusals, Refusal{Kind: k, UID: uid, States: states, Text: fmt.Sprintf(format, args...)})
}

func (p *restorePlanner) operator(t Target) OperatorRestore {
	o := OperatorRestore{UID: t.UID, Name: t.Name, Parallelism: t.Parallelism}
	old := p.stored[t.UID]
	o.MaxParallelism = p.maxParallelism(t, old)
	if old == nil {
		for _, s := range t.States {
			o.NewStates = append(o.NewStates, s.Name)
		}
		return p.emptySubtasks(o)
	}
	o.Restored, o.OldParallelism = true, old.Parallelism
	if !keyless(old) && o.MaxParallelism != old.MaxParallelism {
		p.refuse(RefuseMaxParallelism, t.UID, nil, "operator %q has max parallelism %d, and %d in checkpoint %d: it is fixed by the "+
			"first checkpoint; set it to %d, or leave it out", t.UID, o.MaxParallelism, old.MaxParallelism, p.request.Manifest.ID,
			old.MaxParallelism)
		return o
	}
	p.states(&o, t, old)
	o = p.emptySubtasks(o)
	if o.Subtasks != nil {
		o.Enumerator = old.Enumerator
		restoreSubtasks(&o, old)
	}
	return o
}

// maxParallelism returns what the user has set; else what is recorded, if keys depend on it; else what others in the chain
// need, since they share it; else the default.
func (p *restorePlanner) maxParallelism(t Target, old *Operator) int {
	switch {
	case t.MaxParallelism != 0:
		return t.MaxParallelism
	case old != nil && !keyless(old):
		return old.MaxParallelism
	}
	recorded := 0
	for _, other := range p.request.Operators {
		if other.Chain != t.Chain {
			continue
		}
		if o := p.stored[other.UID]; o != nil && !keyless(o) {
			return o.MaxParallelism
		} else if other.MaxParallelism != 0 {
			return other.MaxParallelism
		} else if o != nil && recorded == 0 {
			recorded = o.MaxParallelism
		}
	}
	if recorded >= t.Parallelism || t.Parallelism < 1 || t.Parallelism > keygroup.MaxLimit {
		return recorded
	}
	return keygroup.DefaultMax(t.Parallelism)
}

// emptySubtasks gives o its subtasks, if its parallelism is possible.
func (p *restorePlanner) emptySubtasks(o OperatorRestore) OperatorRestore {
	if err := keygroup.Validate(o.MaxParallelism, o.Parallelism); err != nil || o.MaxParallelism == 0 {
		p.refuse(RefuseParallelism, o.UID, nil, "operator %q: %v", o.UID, err)
		return o
	}
	o.Subtasks = make([]SubtaskRestore, o.Parallelism)
	for i := range o.Subtasks {
		o.Subtasks[i].KeyGroups = keygroup.RangeOf(i, o.MaxParallelism, o.Parallelism)
		o.Subtasks[i].Watermark = watermark.None
	}
	return o
}

// title names a state for people.
func (s *State) title() string {
	if s.Position == "" {
		return fmt.Sprintf("state %q", s.Name)
	}
	return fmt.Sprintf("state %q (%s)", s.Name, s.Position)
}

// states matches the states of one operator by name.
func (p *restorePlanner) states(o *OperatorRestore, t Target, old *Operator) {
	stored := map[string]State{}
	for _, s := range old.States {
		stored[s.Name] = s
	}
	declared := map[string]bool{}
	for _, s := range t.States {
		declared[s.Name] = true
		was, known := stored[s.Name]
		switch {
		case !known:
			o.NewStates = append(o.NewStates, s.Name)
			continue
		case was.Kind != s.Kind:
			p.refuse(RefuseStateKind, t.UID, []string{s.Name}, "%s of operator %q is a %v state, and a %v state in checkpoint %d: "+
				"give the new one another name", s.title(), t.UID, s.Kind, was.Kind, p.request.Manifest.ID)
			continue
		}
		if p.request.CompatibleSchemas != nil {
			if err := p.request.CompatibleSchemas(t.UID, was, s); err != nil {
				p.refuse(RefuseSchema, t.UID, []string{s.Name}, "%s of operator %q: %v", s.title(), t.UID, err)
				continue
			}
		}
		o.States = append(o.States, was)
	}
	var gone []string
	for _, s := range old.States {
		if !declared[s.Name] {
			gone = append(gone, s.Name)
		}
	}
	if len(gone) == 0 {
		return
	}
	if p.request.AllowNonRestored {
		p.dropped = append(p.dropped, DroppedState{UID: t.UID, Name: old.Name, States: gone})
		return
	}
	p.refuse(RefuseHomeless, t.UID, gone, "operator %q (%s) no longer has %s, which checkpoint %d holds; to drop it, start with "+
		"-n/--allowNonRestoredState", t.UID, old.Name, statesText(gone), p.request.Manifest.ID)
}

// checkChains: operators in one task see the same key groups, or keys come under foreign ones (A13.5 ✗ FLINK-40113).
func (p *restorePlanner) checkChains(ops []OperatorRestore) {
	first := map[int]int{}
	for i, o := range ops {
		t := p.request.Operators[i]
		at, seen := first[t.Chain]
		if !seen {
			first[t.Chain] = i
			continue
		}
		if a := ops[at]; a.MaxParallelism != o.MaxParallelism || a.Parallelism != o.Parallelism {
			p.refuse(RefuseMaxParallelism, o.UID, nil, "operators %q and %q would run in one task, but have parallelism %d of max %d, and "+
				"%d of max %d: break the chain between them", a.UID, o.UID, a.Parallelism, a.MaxParallelism, o.Parallelism, o.MaxParallelism)
		}
	}
}

// homeless finds stored operators with state that the new job does not have.
func (p *restorePlanner) homeless(targets map[string]bool) []DroppedState {
	var gone []DroppedState
	met := false
	for i := range p.request.Manifest.Operators {
		old := &p.request.Manifest.Operators[i]
		switch {
		case targets[old.UID]:
			met = true
		case !stateless(old):
			d := DroppedState{UID: old.UID, Name: old.Name, Whole: true}
			for _, s := range old.States {
				d.States = append(d.States, s.Name)
			}
			gone = append(gone, d)
		}
	}
	if m := p.request.Manifest; len(gone) > 0 && !met && m.JobName != p.request.JobName {
		p.refuse(RefuseOtherJob, "", nil, "checkpoint %d is of job %q, and no operator of job %q is in it: is the path the right one?",
			m.ID, m.JobName, p.request.JobName)
		return nil
	}
	if p.request.AllowNonRestored {
		return gone
	}
	for _, d := range gone {
		hint := ""
		if near := p.nearestNew(d.UID); near != "" {
			hint = fmt.Sprintf(" The nearest uid that is new in the job is %q: was it renamed?", near)
		}
		p.refuse(RefuseHomeless, d.UID, d.States, "operator %q (%s) with %s is in checkpoint %d, but not in the job.%s To drop its state, "+
			"start with -n/--allowNonRestoredState", d.UID, d.Name, statesText(d.States), p.request.Manifest.ID, hint)
	}
	return nil
}

// nearestNew returns the uid of the new job, unknown to the checkpoint, that looks most like uid; "" if none does.
func (p *restorePlanner) nearestNew(uid string) string {
	best, least := "", len(uid)/2+1
	for _, t := range p.request.Operators {
		if p.stored[t.UID] != nil {
			continue
		}
		if d := EditDistance(uid, t.UID, least); d < least {
			best, least = t.UID, d
		}
	}
	return best
}

// stateless reports whether nothing is lost when the operator is not restored.
func stateless(o *Operator) bool {
	if len(o.States) > 0 || o.Enumerator != nil {
		return false
	}
	return !slices.ContainsFunc(o.Subtasks, func(s Subtask) bool { return len(s.Keyed)+len(s.Lists) > 0 })
}

// keyless reports whether no key has state, so that max parallelism may change.
func keyless(o *Operator) bool {
	return !slices.ContainsFunc(o.States, func(s State) bool { return s.Kind.Keyed() }) &&
		!slices.ContainsFunc(o.Subtasks, func(s Subtask) bool { return len(s.Keyed) > 0 })
}

// restoreSubtasks deals the snapshots of the old subtasks out to the new ones.
func restoreSubtasks(o *OperatorRestore, old *Operator) {
	same := o.Parallelism == old.Parallelism
	least, allFinished := watermark.End, true
	for _, s := range old.Subtasks {
		least = min(least, s.Watermark)
		allFinished = allFinished && s.Finished
	}
	for i := range o.Subtasks {
		n := &o.Subtasks[i]
		n.Watermark, n.Finished = least, allFinished
		if same {
			n.Watermark, n.Inputs, n.Finished = old.Subtasks[i].Watermark, old.Subtasks[i].Inputs, old.Subtasks[i].Finished
		}
		for from, s := range old.Subtasks {
			for _, h := range s.Keyed {
				if r := h.KeyGroups.Intersect(n.KeyGroups); !r.Empty() {
					n.Keyed = append(n.Keyed, KeyedRead{Handle: h, From: from, KeyGroups: r})
				}
			}
		}
	}
	start := 0
	for _, s := range o.States {
		switch s.Kind {
		case SplitList:
			start = dealSplit(o, old, s.Name, start)
		case UnionList:
			for i := range o.Subtasks {
				for from := range old.Subtasks {
					o.Subtasks[i].takeAll(old, s.Name, from)
				}
			}
		case Broadcast:
			dealBroadcast(o, old, s.Name)
		}
	}
}

func (n *SubtaskRestore) takeAll(old *Operator, name string, from int) {
	if l, ok := list(old.Subtasks[from], name); ok {
		n.take(l, from, 0, l.Len())
	}
}

func (n *SubtaskRestore) take(l OperatorState, from, first, count int) {
	if count > 0 {
		n.Lists = append(n.Lists, ListRead{State: l, From: from, First: first, Count: count})
	}
}

func list(s Subtask, name string) (OperatorState, bool) {
	i := slices.IndexFunc(s.Lists, func(l OperatorState) bool { return l.Name == name })
	if i < 0 {
		return OperatorState{}, false
	}
	return s.Lists[i], true
}

// dealSplit deals the elements of all old subtasks, in order, to the new ones in runs of equal length; the remainder one each,
// beginning at subtask start. It returns where the next state begins, so that remainders do not all land on subtask 0
// (A14.1). With unchanged parallelism everything stays where it was.
func dealSplit(o *OperatorRestore, old *Operator, name string, start int) int {
	if o.Parallelism == old.Parallelism {
		for i := range o.Subtasks {
			o.Subtasks[i].takeAll(old, name, i)
		}
		return start
	}
	total := 0
	for _, s := range old.Subtasks {
		if l, ok := list(s, name); ok {
			total += l.Len()
		}
	}
	each, extra := total/o.Parallelism, total%o.Parallelism
	from, first := 0, 0 // next element to deal
	for k := range o.Parallelism {
		want := each
		if k < extra {
			want++
		}
		to := &o.Subtasks[(start+k)%o.Parallelism]
		for want > 0 {
			l, _ := list(old.Subtasks[from], name)
			n := min(want, l.Len()-first)
			to.take(l, from, first, n)
			want, first = want-n, first+n
			if first == l.Len() {
				from, first = from+1, 0
			}
		}
	}
	return (start + extra) % o.Parallelism
}

// dealBroadcast gives each new subtask one copy: its own, or that of i mod p_old. Subtasks that have finished hold none.
func dealBroadcast(o *OperatorRestore, old *Operator, name string) {
	var holders []int
	for i, s := range old.Subtasks {
		if _, ok := list(s, name); ok && !s.Finished {
			holders = append(holders, i)
		}
	}
	if len(holders) == 0 {
		return
	}
	for i := range o.Subtasks {
		from := i % old.Parallelism
		if !slices.Contains(holders, from) {
			from = holders[i%len(holders)]
		}
		o.Subtasks[i].takeAll(old, name, from)
	}
}
