package taskmanager

import (
	"errors"
	"fmt"
	"io"

	"github.com/flottio/flott/internal/checkpoint"
	"github.com/flottio/flott/internal/operator"
	"github.com/flottio/flott/internal/state"
	"github.com/flottio/flott/internal/task"
)

// Names of the operator state of sources and sinks (none that a user could choose), which attempts
// hand to enumerators and to recovery rather than to the operators.
const (
	SplitsState       = "@splits"
	CommittablesState = "@committables"
	WriterState       = "@writer"
)

// Restored is the state that an attempt starts from, as the restore plan has assigned it.
type Restored struct {
	Plan *checkpoint.RestorePlan
	// Open verifies a file of the checkpoint against its handle and opens it.
	Open func(h checkpoint.Handle) (Content, error)

	files map[string]*openFile
}

// Content is an open, verified file.
type Content interface {
	io.ReaderAt
	io.Closer
	Size() int64
}

type openFile struct {
	content Content
	file    *state.File
}

// find returns what the plan restores for an operator, nil for a new one or a fresh start.
func (r *Restored) find(uid string) *checkpoint.OperatorRestore {
	if r == nil || r.Plan == nil {
		return nil
	}
	for i := range r.Plan.Operators {
		if o := &r.Plan.Operators[i]; o.UID == uid && o.Restored {
			return o
		}
	}
	return nil
}

// into gives a task the state of its operators and opens its backend.
func (r *Restored) into(a *Attempt, s *task.Spec) error {
	j := a.job
	var files []*state.File
	if r != nil && r.Plan != nil {
		s.IsRestored, s.RestoredID, s.Finished = true, r.Plan.Checkpoint, true
		s.Restored = map[string]operator.Restored{}
		seen := map[string]bool{}
		for _, o := range s.Operators {
			f := r.find(o.UID)
			if f == nil {
				s.Finished = s.Finished && isMadeUp(o.UID)
				continue
			}
			sub := &f.Subtasks[s.Subtask]
			s.Finished = s.Finished && finished(f, s.Subtask, j.Graph.Nodes[j.Plan.Chains[s.ID].Members[0].Node].Source)
			x := operator.Restored{Watermark: sub.Watermark}
			for _, l := range sub.Lists {
				if l.State.Name == CommittablesState || l.State.Name == SplitsState {
					continue // for recovery and the enumerator
				}
				elements, err := r.elements(&l)
				if err != nil {
					return err
				}
				x.Add(l.State.Name, elements)
			}
			s.Restored[o.UID] = x
			for _, k := range sub.Keyed {
				if seen[k.Handle.Path] {
					continue
				}
				seen[k.Handle.Path] = true
				file, err := r.open(k.Handle)
				if err != nil {
					return err
				}
				files = append(files, file)
			}
		}
	}
	b, err := a.backend(s)
	if err != nil {
		return err
	}
	s.Backend = b
	if len(files) > 0 {
		return b.Restore(files...)
	}
	return nil
}

// finished reports whether the subtask had reached the end of its input. Splits are dealt out anew after a restore, so that a source has ended only
// if all its subtasks have.
func finished(o *checkpoint.OperatorRestore, subtask int, source bool) bool {
	if !source {
		return o.Subtasks[subtask].Finished
	}
	for i := range o.Subtasks {
		if !o.Subtasks[i].Finished {
			return false
		}
	}
	return true
}

// isMadeUp reports whether a uid is not the user's: a stateless operator's.
func isMadeUp(uid string) bool { return len(uid) > 0 && uid[0] == '#' }

func (r *Restored) open(h checkpoint.Handle) (*state.File, error) {
	if f := r.files[h.Path]; f != nil {
		return f.file, nil
	}
	c, err := r.Open(h)
	if err != nil {
		return nil, operator.Permanent(fmt.Errorf("restoring checkpoint %d: %w", r.Plan.Checkpoint, err))
	}
	f, err := state.OpenFile(h.Path, c, c.Size())
	if err != nil {
		return nil, operator.Permanent(fmt.Errorf("restoring checkpoint %d: %w", r.Plan.Checkpoint, errors.Join(err, c.Close())))
	}
	if r.files == nil {
		r.files = map[string]*openFile{}
	}
	r.files[h.Path] = &openFile{c, f}
	return f, nil
}

// close closes the files, once every operator has taken its state.
func (r *Restored) close() (err error) {
	if r == nil {
		return nil
	}
	for _, f := range r.files {
		err = errors.Join(err, f.content.Close())
	}
	r.files = nil
	return err
}

// lists returns all elements of a named list of an operator, of all old subtasks, each once.
func (r *Restored) lists(uid, name string) (elements [][]byte, err error) {
	o := r.find(uid)
	if o == nil {
		return nil, nil
	}
	type slice struct{ from, first int }
	seen := map[slice]bool{}
	for _, s := range o.Subtasks {
		for _, l := range s.Lists {
			if l.State.Name != name {
				continue
			}
			part, err := r.elements(&l)
			if err != nil {
				return nil, err
			}
			for i, e := range part {
				if at := (slice{l.From, l.First + i}); !seen[at] {
					seen[at] = true
					elements = append(elements, e)
				}
			}
		}
	}
	return elements, nil
}

// sink returns what a sink's recovery needs.
func (r *Restored) sink(uid string) (states, committables [][]byte, err error) {
	if states, err = r.lists(uid, WriterState); err == nil {
		committables, err = r.lists(uid, CommittablesState)
	}
	return states, committables, err
}

// source returns the state of a source's enumerator and the splits that readers held.
func (r *Restored) source(uid string) (enumerator []byte, splits []operator.SplitState, err error) {
	o := r.find(uid)
	if o == nil {
		return nil, nil, nil
	}
	if o.Enumerator != nil {
		enumerator = o.Enumerator.Inline
		if enumerator == nil {
			enumerator = []byte{}
		}
	}
	list, err := r.lists(uid, SplitsState)
	if err != nil {
		return nil, nil, err
	}
	for _, b := range list {
		s, err := operator.DecodeSplit(b)
		if err != nil {
			return nil, nil, operator.Permanent(fmt.Errorf("restoring source %q: %w", uid, err))
		}
		splits = append(splits, s)
	}
	return enumerator, splits, nil
}

// Part turns a task's snapshot into the manifest's form: for each operator of the chain its part of this subtask.
func Part(s *task.Snapshot) map[string]checkpoint.Subtask {
	parts := make(map[string]checkpoint.Subtask, len(s.Operators))
	for _, o := range s.Operators {
		p := checkpoint.Subtask{Watermark: o.Watermark, Finished: s.Finished}
		for _, l := range o.Lists {
			p.Lists = append(p.Lists, listPart(&l, o.Files))
		}
		if s.Keyed != nil && !isMadeUp(o.UID) && o.Keyed {
			p.Keyed = []checkpoint.Handle{{Path: s.Keyed.Path, Length: s.Keyed.Length, Digest: s.Keyed.Digest, KeyGroups: s.KeyGroups}}
		}
		parts[o.UID] = p
	}
	return parts
}

func listPart(l *operator.ListState, files map[string]task.Handle) checkpoint.OperatorState {
	x := checkpoint.OperatorState{Name: l.Name, Kind: listKind(l.Mode)}
	h, large := files[l.Name]
	if !large {
		x.Elements = l.Elements
		return x
	}
	x.File = &checkpoint.Handle{Path: h.Path, Length: h.Length, Digest: h.Digest}
	offset := int64(0)
	for _, e := range l.Elements {
		x.Offsets = append(x.Offsets, offset)
		offset += int64(len(e))
	}
	return x
}

// elements reads the elements of a list that a plan assigns.
func (r *Restored) elements(l *checkpoint.ListRead) ([][]byte, error) {
	if l.State.File == nil {
		return l.State.Elements[l.First : l.First+l.Count], nil
	}
	c, err := r.Open(*l.State.File)
	if err != nil {
		return nil, operator.Permanent(fmt.Errorf("restoring checkpoint %d: %w", r.Plan.Checkpoint, err))
	}
	defer c.Close()
	all := make([]byte, l.State.File.Length)
	if _, err := c.ReadAt(all, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("restoring checkpoint %d: reading %s: %w", r.Plan.Checkpoint, l.State.File.Path, err)
	}
	elements := make([][]byte, l.Count)
	for i := range elements {
		end := l.State.File.Length
		if k := l.First + i + 1; k < len(l.State.Offsets) {
			end = l.State.Offsets[k]
		}
		elements[i] = all[l.State.Offsets[l.First+i]:end]
	}
	return elements, nil
}

func listKind(m operator.Mode) checkpoint.StateKind {
	switch m {
	case operator.Union:
		return checkpoint.UnionList
	case operator.Replicate:
		return checkpoint.Broadcast
	}
	return checkpoint.SplitList
}
