package checkpoint

import (
	"fmt"
	"slices"
	"strings"
)

// Completed is a complete checkpoint the coordinator knows of.
type Completed struct {
	ID   ID
	Kind Kind
}

// Retain says which of the completed checkpoints, ascending by id, are deleted so that the newest numRetained stay.
//
//	     sp                 sp
//	3    4    5    6    7   8        numRetained = 2:  delete 3 5, keep 6 7; savepoints are not counted
//
// Savepoints are never deleted and never counted: they belong to the user, and a savepoint must not push the last checkpoint
// out (A2.14 ✗ FLINK-21351). Invariant: if there is a checkpoint in the list, one stays.
func Retain(completed []Completed, numRetained int) (keep []Completed, deleted []ID) {
	excess := -max(1, numRetained)
	for _, c := range completed {
		if c.Kind == Periodic {
			excess++
		}
	}
	for _, c := range completed {
		if c.Kind == Periodic && excess > 0 {
			excess--
			deleted = append(deleted, c.ID)
			continue
		}
		keep = append(keep, c)
	}
	return keep, deleted
}

// Externalized says what becomes of retained checkpoints when the job is over.
type Externalized uint8

const (
	// NoExternalized: they go with the job, whatever its end, unless the job may be resumed.
	NoExternalized Externalized = iota
	// DeleteOnCancellation: they stay if the job failed.
	DeleteOnCancellation
	// RetainOnCancellation: they stay if the job failed or was cancelled.
	RetainOnCancellation
)

// String returns the name as the option execution.checkpointing.externalized-checkpoint-retention spells it.
func (x Externalized) String() string {
	switch x {
	case NoExternalized:
		return "NO_EXTERNALIZED_CHECKPOINTS"
	case DeleteOnCancellation:
		return "DELETE_ON_CANCELLATION"
	case RetainOnCancellation:
		return "RETAIN_ON_CANCELLATION"
	}
	return fmt.Sprintf("Externalized(%d)", uint8(x))
}

// Terminal is how a job ended.
type Terminal uint8

const (
	// Finished: by itself; nothing is left to go on from.
	Finished Terminal = iota
	// Cancelled: by the user, without a savepoint.
	Cancelled
	// Failed: for good.
	Failed
	// Suspended: on this leader only, or stopped so that it can go on. Nothing may be deleted.
	Suspended
)

// String returns the job status in upper case, as Flink's clients know it.
func (t Terminal) String() string {
	switch t {
	case Finished:
		return "FINISHED"
	case Cancelled:
		return "CANCELED"
	case Failed:
		return "FAILED"
	case Suspended:
		return "SUSPENDED"
	}
	return fmt.Sprintf("Terminal(%d)", uint8(t))
}

// KeepAfter reports whether the retained checkpoints stay after this end of the job. Savepoints always do.
func (x Externalized) KeepAfter(t Terminal) bool {
	switch t {
	case Finished:
		return false
	case Cancelled:
		return x == RetainOnCancellation
	case Failed:
		return x != NoExternalized
	}
	return true
}

// Found is a directory of a listing that may hold a checkpoint of the job.
type Found struct {
	Path  string
	ID    ID     // from the manifest if Whole, else from the name of the directory; None if that says nothing
	Kind  Kind   // of the manifest if Whole
	Whole bool   // the manifest is there and everything it names is as it says
	Cause string // if not Whole: what is wrong
	Torn  bool   // if not Whole: there is no manifest at all; what a crash left, or another leader is writing
}

// Latest is what `-s latest` means for a listing. The set is closed: LatestNone, LatestFound, LatestDamaged.
type Latest interface{ latest() }

type (
	// LatestNone: nothing was ever completed: a fresh start, to be said aloud.
	LatestNone struct {
		Torn []Found // begun, never completed
	}
	// LatestFound: the newest is whole.
	LatestFound struct {
		Checkpoint Found
		Torn       []Found
	}
	// LatestDamaged: the newest that was completed cannot be read. Going back further is the user's decision, never ours:
	// what the newer one committed outside cannot be undone (A15.10 ✗ FLINK-22502).
	LatestDamaged struct {
		Damaged []Found // newest first, all newer than Older
		Older   *Found  // the newest that is whole; nil if none is
	}
)

func (LatestNone) latest()    {}
func (LatestFound) latest()   {}
func (LatestDamaged) latest() {}

// FindLatest chooses among the directories of a job, in any order. Greater ids are newer; of the same id (a savepoint written
// twice) the lesser path wins, so that the choice does not depend on the order of the listing.
func FindLatest(listing []Found) Latest {
	sorted := slices.Clone(listing)
	slices.SortFunc(sorted, func(a, b Found) int {
		if a.ID != b.ID {
			return int(max(-1, min(1, b.ID-a.ID)))
		}
		return strings.Compare(a.Path, b.Path)
	})
	var torn, damaged []Found
	for _, f := range sorted {
		switch {
		case f.Whole && len(damaged) == 0:
			return LatestFound{Checkpoint: f, Torn: torn}
		case f.Whole:
			return LatestDamaged{Damaged: damaged, Older: &f}
		case f.Torn:
			torn = append(torn, f)
		default:
			damaged = append(damaged, f)
		}
	}
	if len(damaged) > 0 {
		return LatestDamaged{Damaged: damaged}
	}
	return LatestNone{Torn: torn}
}

// String says what is wrong and what can be done about it.
func (d LatestDamaged) String() string {
	var s strings.Builder
	for i, f := range d.Damaged {
		if i > 0 {
			s.WriteString("; ")
		}
		fmt.Fprintf(&s, "%s is damaged: %s", f.Path, f.Cause)
	}
	if d.Older == nil {
		s.WriteString("; no other checkpoint of this job is whole. Remove the directories to start afresh")
		return s.String()
	}
	fmt.Fprintf(&s, "; the newest that is whole is %s. To go back to it, which repeats everything done since, start with -s %s",
		d.Older.Path, d.Older.Path)
	return s.String()
}
