package jobmanager

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/flottio/flott/internal/blob"
	"github.com/flottio/flott/internal/checkpoint"
)

// Limits of looking around for the text of an error.
const (
	nearbyDepth     = 3 // a directory of results may hold that of checkpoints, this one for each job, and that its checkpoints
	nearbyLooksMax  = 1000
	nearbyShownMax  = 5
	nearbyNameEdits = 4 // edits up to which a name counts as mistyped
)

// noSnapshotError says that a path is no checkpoint or savepoint. It is fs.ErrNotExist, as what is missing is the manifest.
type noSnapshotError struct {
	text   string
	inside bool // it names what is in the directory
}

func (e *noSnapshotError) Error() string { return e.text }
func (e *noSnapshotError) Unwrap() error { return fs.ErrNotExist }

// noSnapshot says what is at dir instead of a snapshot, and names those that are in it, or near it if it is not there.
func noSnapshot(s *blob.Store, dir string) error {
	text := fmt.Sprintf("%s is no checkpoint or savepoint: expected the file %s, found ", dir, path.Join(dir, blob.ManifestName))
	if _, err := s.Files(dir); err == nil {
		l := looker{store: s}
		text += "a directory without it"
		if l.below(dir, nearbyDepth); len(l.found) > 0 {
			text += ". In it " + l.list()
		}
		return &noSnapshotError{text, len(l.found) > 0}
	}
	parent, missing := dir, ""
	for parent != path.Dir(parent) {
		missing, parent = path.Base(parent), path.Dir(parent)
		entries, err := s.Files(parent)
		if err != nil {
			continue
		}
		if slices.ContainsFunc(entries, func(e blob.Entry) bool { return e.Name == missing }) {
			text += fmt.Sprintf("that %s is no directory", path.Join(parent, missing))
		} else {
			text += fmt.Sprintf("nothing: there is no %s in %s", missing, parent)
		}
		return &noSnapshotError{text + nearIn(s, parent, missing, entries), false}
	}
	return &noSnapshotError{text + "nothing", false}
}

// nearIn names what somebody may have meant who wrote name, which is not a snapshot in parent.
func nearIn(s *blob.Store, parent, name string, entries []blob.Entry) string {
	if slices.ContainsFunc(entries, func(e blob.Entry) bool { return e.Name == blob.ManifestName }) {
		return fmt.Sprintf(". %s is one", parent)
	}
	near, best := "", nearbyNameEdits+1
	for _, e := range entries {
		if d := checkpoint.EditDistance(name, e.Name, best); d < best && e.Dir {
			near, best = e.Name, d
		}
	}
	text := ""
	if near != "" {
		text = fmt.Sprintf("; the nearest name is %s", path.Join(parent, near))
	}
	l := looker{store: s}
	if l.below(parent, 1); len(l.found) > 0 {
		text += ". Beside it " + l.list()
	}
	return text
}

// looker looks for snapshots.
type looker struct {
	store *blob.Store
	looks int
	found []string
}

// below finds the snapshots in the directories of dir, in theirs, and so on to a depth. What cannot be read is passed over: this is for
// people who look for a path.
func (l *looker) below(dir string, depth int) {
	entries, err := l.store.Files(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if !e.Dir || l.looks == nearbyLooksMax {
			continue
		}
		l.looks++
		at := path.Join(dir, e.Name)
		files, err := l.store.Files(at)
		switch {
		case err != nil:
		case slices.ContainsFunc(files, func(f blob.Entry) bool { return f.Name == blob.ManifestName && !f.Dir }):
			l.found = append(l.found, at)
		case depth > 1:
			l.below(at, depth-1)
		}
	}
}

// list names what was found, checkpoints of one job newest first.
func (l *looker) list() string {
	slices.SortFunc(l.found, func(a, b string) int {
		if c := strings.Compare(path.Dir(a), path.Dir(b)); c != 0 {
			return c
		}
		return cmp.Or(cmp.Compare(blob.CheckpointID(b), blob.CheckpointID(a)), strings.Compare(a, b))
	})
	shown := l.found[:min(nearbyShownMax, len(l.found))]
	verb, more := "are ", ""
	if len(l.found) == 1 {
		verb = "is "
	}
	if n := len(l.found) - len(shown); n > 0 {
		more = fmt.Sprintf(" and %d more", n)
	}
	return verb + strings.Join(shown, ", ") + more
}

// instead says, as the end of an error's text, what could be gone on from instead of the snapshot at a path that cannot be restored.
func (s *Storage) instead(damaged string, why error) string {
	var none *noSnapshotError
	missing := errors.As(why, &none)
	if missing && none.inside {
		return "" // the path leads to others, which are named
	}
	whole := s.newestWhole(damaged)
	switch {
	case whole != "":
		return fmt.Sprintf("; the newest checkpoint that is whole is %s. To go on from it, which repeats everything done since, start with -s %s",
			whole, whole)
	case missing:
		return ""
	}
	return "; no checkpoint of this job, and none beside it, is whole"
}

// newestWhole returns the directory of the newest whole checkpoint beside a snapshot or, if there is none, of this job; empty if there is none.
func (s *Storage) newestWhole(damaged string) string {
	for _, in := range []string{path.Dir(damaged), s.jobDir} {
		store := s.savepoints
		if in == s.jobDir {
			store = s.checkpoints
		}
		found, err := store.Checkpoints(in)
		if err != nil {
			continue // it is a proposal; the error is about something else
		}
		for _, f := range slices.Backward(found) {
			if !f.Complete || f.Dir == damaged {
				continue
			}
			if r, err := fsck(store, f.Dir); err == nil && r.Whole() {
				return f.Dir
			}
		}
	}
	return ""
}
