package jobmanager

import (
	"errors"
	"fmt"
	"io/fs"
	"path"

	"github.com/flottio/flott/internal/blob"
	"github.com/flottio/flott/internal/checkpoint"
)

// claim takes a snapshot over that a job goes on from (A15.5): from now on it is the job's to delete, when newer checkpoints have
// replaced it. Nobody else may take it over, and nobody else may be using it: the record in its directory says whose it is, and the
// lock of the job that wrote it must be free.
func (s *Storage) claim(c Chosen) error {
	fail := func(err error) error { return fmt.Errorf("claiming %s: %w", c.Dir, err) }
	p, _ := s.place(c.Manifest.ID)
	if jobDir := path.Dir(c.Dir); jobDir == s.jobDir {
		return nil // by its lock it is ours already
	} else if files, err := p.store.Files(jobDir); err != nil {
		return fail(err)
	} else if isJobDir(files) {
		release, err := p.store.Lock(jobDir, "claiming "+c.Dir)
		if err != nil {
			return fail(fmt.Errorf("%w; the job that it belongs to still runs: stop it, or start with -cm no_claim", err))
		}
		defer release() //nolint:errcheck // a lock that was only looked at
	}
	holder, err := p.store.Claim(c.Dir, s.jobID)
	if err != nil {
		return fail(err)
	}
	if holder != s.jobID {
		return fail(fmt.Errorf("job %s has claimed it already, and deletes it when it has newer checkpoints; start with -cm no_claim, or remove %s "+
			"if that job is no more", orUnknown(holder), path.Join(c.Dir, blob.ClaimName)))
	}
	p.files = map[string]bool{blob.ManifestName: true, blob.ClaimName: true}
	for _, u := range handlesOf(c.Manifest) {
		if !u.handle.Shared {
			p.files[u.handle.Path] = true
		}
	}
	s.setPlace(c.Manifest.ID, p)
	return nil
}

func isJobDir(files []blob.Entry) bool {
	for _, f := range files {
		if f.Name == blob.LockName || f.Name == lastIDName {
			return true
		}
	}
	return false
}

func orUnknown(job string) string {
	if job == "" {
		return "(unknown)"
	}
	return job
}

// claimedBy says, for a job that does not claim, who will delete what it goes on from; empty if nobody does.
func (s *Storage) claimedBy(store *blob.Store, dir string) (string, error) {
	holder, err := store.Claimed(dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && holder == s.jobID {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("job %s has claimed %s, and deletes it when it has newer checkpoints: until this job has a checkpoint of its own it may "+
		"be left without one", orUnknown(holder), dir), nil
}

// owning returns what a job owns that has claimed what it goes on from: it counts among the checkpoints, and goes as one of them.
func (c Chosen) owning() []checkpoint.Completed {
	id := c.Manifest.ID
	var owned []checkpoint.Completed
	for _, x := range c.Owned {
		if x.ID < id {
			owned = append(owned, x)
		}
	}
	return append(owned, checkpoint.Completed{ID: id})
}
