package jobmanager

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/flottio/flott/internal/blob"
	"github.com/flottio/flott/internal/checkpoint"
)

// DefaultJobID derives a job's id, 32 hexadecimal digits, from its name. It is stable, so that `-s latest` finds the checkpoints of
// this job after any end of the process; two jobs of one name need ids of their own, or they refuse to run at the same time.
func DefaultJobID(jobName string) string {
	sum := sha256.Sum256([]byte("flott job\x00" + jobName))
	return hex.EncodeToString(sum[:16])
}

// Storage is where the checkpoints of one job lie. Any goroutine may use it.
type Storage struct {
	checkpoints *blob.Store
	savepoints  *blob.Store // another disk when checkpoints are kept in memory
	jobID       string
	jobDir      string
	savepointIn string // default directory of savepoints; empty: none
	mu          struct {
		sync.Mutex
		places map[checkpoint.ID]place
	}
	ids struct { // held while the greatest id is being written
		sync.Mutex
		last     checkpoint.ID
		complete checkpoint.ID
	}
}

// place is where a checkpoint lies, or will. The zero place is nowhere: what is written there is dropped.
type place struct {
	store *blob.Store
	dir   string
	files map[string]bool // of a claimed one: those that are deleted; what else the user has put there stays. Nil: all
}

// lastIDName is the file that remembers the greatest checkpoint id that was ever used (A1.3).
const lastIDName = ".last-id"

// maxCheckpointID is far beyond what a job can use up, and far from where ids overflow.
const maxCheckpointID checkpoint.ID = 1 << 60

// lastCompleteName is the file that remembers the newest complete checkpoint, so that one whose manifest was taken away is not mistaken for one
// that a crash has left unfinished: what it has committed would be repeated without a word (K6). It is no more than a note: behind the truth
// after a power cut, never ahead of it.
const lastCompleteName = ".last-complete"

// memoryDir is the checkpoint directory of jobs that keep their checkpoints in memory.
const memoryDir = "/memory"

// NewStorage returns the storage of a job. dir is the checkpoint directory, empty for checkpoints in memory, which outlive
// attempts, but not the process; savepointDir the default directory of savepoints, empty for none. Both may be file: URIs. disk is
// nil but in tests.
func NewStorage(disk blob.Disk, dir, savepointDir, jobID string) (*Storage, error) {
	if !blob.ValidJobID(jobID) {
		return nil, fmt.Errorf("the job id %q is not 32 hexadecimal digits in lower case", jobID)
	}
	if disk == nil {
		disk = blob.Local{}
	}
	s := &Storage{savepoints: blob.New(disk, nil), jobID: jobID}
	s.mu.places = map[checkpoint.ID]place{}
	s.checkpoints = s.savepoints
	if dir == "" {
		s.checkpoints, dir = blob.New(blob.NewMemory(), nil), memoryDir
	} else {
		var err error
		if dir, err = localPath(dir); err != nil {
			return nil, fmt.Errorf("execution.checkpointing.dir: %w", err)
		}
	}
	s.jobDir = blob.JobDir(dir, jobID)
	if savepointDir != "" {
		var err error
		if s.savepointIn, err = localPath(savepointDir); err != nil {
			return nil, fmt.Errorf("execution.checkpointing.savepoint-dir: %w", err)
		}
	}
	return s, nil
}

// localPath makes a path absolute that may be a file: URI.
func localPath(p string) (string, error) {
	if scheme, rest, ok := strings.Cut(p, ":"); ok && !strings.Contains(scheme, "/") && len(scheme) > 1 {
		if scheme != "file" {
			return "", fmt.Errorf("%s: storage on %s: is not supported yet; use a local directory or one that is mounted", p, scheme)
		}
		p = "/" + strings.TrimLeft(rest, "/")
	}
	return filepath.Abs(p)
}

// JobDir returns the directory of the job's checkpoints.
func (s *Storage) JobDir() string { return s.jobDir }

// DirectoryError says that the directory of an option cannot be used.
type DirectoryError struct {
	Option, Dir string
	Err         error
}

// Error implements error.
func (e *DirectoryError) Error() string {
	return fmt.Sprintf("%s: the directory %s cannot be used: %v", e.Option, e.Dir, e.Err)
}

// Unwrap gives the cause.
func (e *DirectoryError) Unwrap() error { return e.Err }

// Lock takes the job's directory; see blob.Store.Lock.
func (s *Storage) Lock(owner string) (release func() error, err error) {
	release, err = s.checkpoints.Lock(s.jobDir, owner)
	var held *blob.LockedError
	if errors.As(err, &held) {
		return nil, fmt.Errorf("another process runs job %s on %s (%s). Stop that one, or give this one an id or a checkpoint directory of "+
			"its own: %w", s.jobID, path.Dir(s.jobDir), held.Owner, err)
	}
	if err != nil {
		return nil, &DirectoryError{"execution.checkpointing.dir", path.Dir(s.jobDir), err}
	}
	return release, nil
}

// WriteState stores a data file of a checkpoint that was prepared, durably.
func (s *Storage) WriteState(ctx context.Context, id checkpoint.ID, name string, write func(io.Writer) error) (checkpoint.Handle, error) {
	p, ok := s.place(id)
	if !ok {
		return checkpoint.Handle{}, fmt.Errorf("storing %s: checkpoint %d was given up", name, id)
	}
	if p.store == nil {
		return checkpoint.Handle{}, nil
	}
	h, err := p.store.Write(ctx, p.dir, name, write)
	if err != nil {
		return checkpoint.Handle{}, err
	}
	return checkpoint.Handle{Path: h.Path, Length: h.Length, Digest: checkpoint.Digest(h.Digest)}, nil
}

// Dir returns the directory of a checkpoint, empty if it has none.
func (s *Storage) Dir(id checkpoint.ID) string {
	p, _ := s.place(id)
	return p.dir
}

// Open verifies a file of a checkpoint and opens it.
func (s *Storage) Open(id checkpoint.ID, h checkpoint.Handle) (blob.Content, error) {
	p, ok := s.place(id)
	if !ok {
		return nil, fmt.Errorf("opening %s: checkpoint %d has no directory", h.Path, id)
	}
	dir := p.dir
	if h.Shared {
		dir = path.Dir(dir)
	}
	return p.store.OpenAt(dir, stored(h))
}

func (s *Storage) place(id checkpoint.ID) (place, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.mu.places[id]
	return p, ok
}

func (s *Storage) setPlace(id checkpoint.ID, p place) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.places[id] = p
}

// prepareNothing drops what is written for a checkpoint: nobody will restore it.
func (s *Storage) prepareNothing(id checkpoint.ID) { s.setPlace(id, place{}) }

func (s *Storage) forget(id checkpoint.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.mu.places, id)
}

// prepare remembers that id is used, then makes the place where it is written.
func (s *Storage) prepare(a Prepare) error {
	if err := s.useID(a.ID); err != nil {
		return fmt.Errorf("execution.checkpointing.dir: %w", err)
	}
	p := place{store: s.checkpoints, dir: blob.CheckpointDir(s.jobDir, int64(a.ID))}
	if a.Options.Kind == checkpoint.Savepoint {
		in := s.savepointIn
		if a.Directory != "" {
			var err error
			if in, err = localPath(a.Directory); err != nil {
				return err
			}
		}
		if in == "" {
			return errors.New("no directory was given, and execution.checkpointing.savepoint-dir is not set")
		}
		var random [8]byte
		if _, err := rand.Read(random[:]); err != nil {
			return err
		}
		p = place{store: s.savepoints, dir: blob.SavepointDir(in, s.jobID, binary.NativeEndian.Uint64(random[:]))}
	}
	if err := p.store.MakeDir(p.dir); err != nil {
		return err
	}
	s.setPlace(a.ID, p)
	return nil
}

// useID remembers, durably, that ids up to id are used. Preparations may overtake each other.
func (s *Storage) useID(id checkpoint.ID) error {
	s.ids.Lock()
	defer s.ids.Unlock()
	if id <= s.ids.last {
		return nil
	}
	if err := s.checkpoints.Replace(s.jobDir, lastIDName, fmt.Appendln(nil, int64(id))); err != nil {
		return err
	}
	s.ids.last = id
	return nil
}

// publish makes a checkpoint complete. A savepoint is read back (A9.5).
func (s *Storage) publish(m *checkpoint.Manifest) (bytes int64, r checkpoint.PublishResult, err error) {
	p, ok := s.place(m.ID)
	if !ok {
		return 0, checkpoint.PublishFailed, fmt.Errorf("checkpoint %d has no directory", m.ID)
	}
	data, err := m.Encode()
	if err != nil {
		return 0, checkpoint.PublishFailed, err
	}
	err = p.store.Publish(p.dir, data)
	switch {
	case errors.Is(err, blob.ErrUnknown):
		return 0, checkpoint.PublishUnknown, err
	case err != nil:
		return 0, checkpoint.PublishFailed, err
	}
	if m.Kind == checkpoint.Savepoint {
		report, err := fsck(p.store, p.dir)
		if err = errors.Join(err, report.Err()); err != nil {
			if derr := p.store.Delete(p.dir, nil); derr != nil {
				return 0, checkpoint.PublishUnknown, errors.Join(err, derr)
			}
			return 0, checkpoint.PublishFailed, fmt.Errorf("reading the savepoint back: %w", err)
		}
	}
	s.noteComplete(m.ID, p)
	return int64(len(data)), checkpoint.PublishOK, nil
}

func (s *Storage) noteComplete(id checkpoint.ID, p place) {
	if p.store != s.checkpoints || path.Dir(p.dir) != s.jobDir {
		return
	}
	s.ids.Lock()
	defer s.ids.Unlock()
	if id > s.ids.complete {
		s.ids.complete = id
		_ = s.checkpoints.Note(s.jobDir, lastCompleteName, fmt.Appendln(nil, int64(id))) // without it, only the protection is less
	}
}

// lost says why nothing of a complete checkpoint can be read: its directory is gone or out of reach. Nil if its manifest is there.
func (s *Storage) lost(id checkpoint.ID) error {
	p, ok := s.place(id)
	if !ok || p.store == nil {
		return nil
	}
	option := "the checkpoint"
	if path.Dir(p.dir) == s.jobDir {
		option = "execution.checkpointing.dir"
	}
	text, err := p.store.Small(path.Join(p.dir, blob.ManifestName))
	if err == nil && text == nil { // that is how Small says that there is none
		err = fs.ErrNotExist
	}
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: checkpoint %d, which the job has to go on from, cannot be read any more in %s: %w. If it was moved, or its disk is "+
		"away, bring it back and start the job with -s latest; otherwise the job can go on from a savepoint or start afresh", option, id, p.dir, err)
}

// readBack finds out whether a checkpoint is complete, and makes sure that it stays.
func (s *Storage) readBack(id checkpoint.ID) (*checkpoint.Manifest, error) {
	p, ok := s.place(id)
	if !ok {
		return nil, nil
	}
	r, err := fsck(p.store, p.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err = errors.Join(err, r.Err()); err != nil {
		return nil, err
	}
	return r.Manifest, p.store.SyncDir(p.dir)
}

// remove deletes a complete checkpoint.
func (s *Storage) remove(id checkpoint.ID) error {
	p, ok := s.place(id)
	if !ok {
		return nil
	}
	if path.Dir(p.dir) == s.jobDir { // the note is of these only
		if err := s.forgetComplete(id); err != nil {
			return err
		}
	}
	var stays func(string) bool
	if p.files != nil {
		stays = func(name string) bool { return !p.files[path.Base(name)] && !blob.IsTemporary(path.Base(name)) }
	}
	if err := p.store.Delete(p.dir, stays); err != nil {
		return err
	}
	s.forget(id)
	return nil
}

// forgetComplete removes the note that names a checkpoint which is to be deleted.
func (s *Storage) forgetComplete(id checkpoint.ID) error {
	if s.noted(lastCompleteName) != id {
		return nil
	}
	return s.checkpoints.Forget(s.jobDir, lastCompleteName)
}

// noted reads a file that holds an id; None if there is none, or nothing legible.
func (s *Storage) noted(name string) checkpoint.ID {
	text, err := s.checkpoints.Small(path.Join(s.jobDir, name))
	if err != nil {
		return checkpoint.None
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		return checkpoint.None
	}
	return checkpoint.ID(max(0, n))
}

// discard removes what was written for a checkpoint that was given up.
func (s *Storage) discard(id checkpoint.ID) error {
	p, ok := s.place(id)
	if !ok {
		return nil
	}
	return p.store.Discard(p.dir)
}

// sweep removes what checkpoints up to through have left without becoming complete.
func (s *Storage) sweep(through checkpoint.ID) ([]string, error) {
	removed, err := s.checkpoints.Sweep(s.jobDir, blob.Keep{Pending: func(id int64) bool { return checkpoint.ID(id) > through }})
	s.ids.Lock() // its holder writes files beside the checkpoints
	defer s.ids.Unlock()
	notes, noteErr := s.checkpoints.SweepNotes(s.jobDir)
	return append(removed, notes...), errors.Join(err, noteErr)
}

// Chosen is what a job goes on from.
type Chosen struct {
	// Manifest is nil for a fresh start.
	Manifest *checkpoint.Manifest
	Dir      string
	// Owned are the checkpoints that are now this process's to delete: those of the job's own directory when it goes on
	// from the latest. Those it starts beside, or from by name, stay the user's (A15.5, NO_CLAIM).
	Owned  []checkpoint.Completed
	LastID checkpoint.ID
	// Note is what the user should be told.
	Note string
}

// Latest as the path to restore from is the newest complete checkpoint of the job.
const Latest = "latest"

// Choose finds what to go on from: nothing for an empty path, Latest, or a checkpoint or savepoint by its directory or _metadata.
// Everything of it is verified, which may take long and ends with ctx. What is damaged is refused, never passed over (A15.10).
func (s *Storage) Choose(ctx context.Context, from string) (Chosen, error) {
	found, err := s.checkpoints.Checkpoints(s.jobDir)
	if err != nil {
		return Chosen{}, err
	}
	c := Chosen{LastID: s.lastID(found)}
	if c.LastID > maxCheckpointID {
		return Chosen{}, fmt.Errorf("the greatest checkpoint id that was ever used here is %d, and there cannot have been so many: look at %s and at "+
			"the directories beside it, one of them was damaged", c.LastID, path.Join(s.jobDir, lastIDName))
	}
	switch from {
	case "":
		if n := countComplete(found); n > 0 {
			c.Note = fmt.Sprintf("starting afresh beside %d checkpoints of this job in %s, which stay; to go on from the newest, start "+
				"with -s latest", n, s.jobDir)
		}
		return c, nil
	case Latest:
		return s.chooseLatest(ctx, c, found)
	}
	at, err := localPath(from)
	if err != nil {
		return c, err
	}
	r, err := fsckUntil(ctx, s.savepoints, at)
	if ctx.Err() != nil && err != nil {
		return c, fmt.Errorf("restoring from %s: %w", from, err)
	}
	if err = errors.Join(err, r.Err()); err != nil {
		return c, fmt.Errorf("restoring from %s: %w%s", from, err, s.instead(r.Dir, err))
	}
	c.Manifest, c.Dir = r.Manifest, r.Dir
	if c.Note, err = s.claimedBy(s.savepoints, r.Dir); err != nil {
		return c, fmt.Errorf("restoring from %s: %w", from, err)
	}
	s.setPlace(r.Manifest.ID, place{store: s.savepoints, dir: r.Dir})
	return c, nil
}

func complete(found []blob.Found, id checkpoint.ID) bool {
	return slices.ContainsFunc(found, func(f blob.Found) bool { return f.Complete && checkpoint.ID(f.ID) == id })
}

func countComplete(found []blob.Found) (n int) {
	for _, f := range found {
		if f.Complete {
			n++
		}
	}
	return n
}

// lastID returns the greatest id that was ever used here, as far as the directory tells.
func (s *Storage) lastID(found []blob.Found) (last checkpoint.ID) {
	last = s.noted(lastIDName)
	for _, f := range found {
		last = max(last, checkpoint.ID(f.ID))
	}
	return last
}

func (s *Storage) chooseLatest(ctx context.Context, c Chosen, found []blob.Found) (Chosen, error) {
	candidates, err := s.stoppedWith()
	if err != nil {
		return c, err
	}
	for _, f := range found {
		if f.Complete {
			candidates[f.Dir] = checkpoint.ID(f.ID)
			c.Owned = append(c.Owned, checkpoint.Completed{ID: checkpoint.ID(f.ID)})
			s.setPlace(checkpoint.ID(f.ID), place{store: s.checkpoints, dir: f.Dir})
		}
	}
	listing, whole, err := s.verifyDown(ctx, candidates)
	if err != nil {
		return c, err
	}
	if n := s.noted(lastCompleteName); n != checkpoint.None && !complete(found, n) {
		dir := blob.CheckpointDir(s.jobDir, int64(n))
		cause := fmt.Sprintf("expected %s, for it was complete, found no such file", path.Join(dir, blob.ManifestName))
		listing = append(listing, checkpoint.Found{Path: dir, ID: n, Cause: cause})
	}
	switch l := checkpoint.FindLatest(listing).(type) {
	case checkpoint.LatestDamaged:
		return c, fmt.Errorf("restoring the latest checkpoint of job %s: %v", s.jobID, l)
	case checkpoint.LatestNone:
		if s.checkpoints != s.savepoints {
			c.Note = "the checkpoints of this job are kept in memory, for execution.checkpointing.dir is not set; none outlives its process: " +
				"starting afresh"
			return c, nil
		}
		c.Note = fmt.Sprintf("there is no complete checkpoint of this job in %s: starting afresh", s.jobDir)
		return c, nil
	}
	c.Manifest, c.Dir = whole.Manifest, whole.Dir
	id := whole.Manifest.ID
	if _, own := s.place(id); !own {
		s.setPlace(id, place{store: s.savepoints, dir: whole.Dir})
		c.Owned = append(c.Owned, checkpoint.Completed{ID: id, Kind: checkpoint.Savepoint})
		slices.SortFunc(c.Owned, func(a, b checkpoint.Completed) int { return cmp.Compare(a.ID, b.ID) })
	}
	c.LastID = max(c.LastID, id)
	// A crash may have come before the note, and an attempt that goes on from here commits what this checkpoint holds.
	s.noteComplete(id, place{store: s.checkpoints, dir: whole.Dir})
	return c, nil
}

// verifyDown verifies checkpoints from the newest down to the first that is whole: older ones are not looked at.
func (s *Storage) verifyDown(ctx context.Context, candidates map[string]checkpoint.ID) (listing []checkpoint.Found, whole Report, err error) {
	dirs := slices.SortedFunc(maps.Keys(candidates), func(a, b string) int {
		if candidates[a] != candidates[b] {
			return int(max(-1, min(1, candidates[b]-candidates[a])))
		}
		return strings.Compare(a, b)
	})
	for _, dir := range dirs {
		store := s.savepoints
		if path.Dir(dir) == s.jobDir {
			store = s.checkpoints
		}
		r, err := fsckUntil(ctx, store, dir)
		if ctx.Err() != nil { // which is no damage
			return nil, Report{}, err
		}
		if err = errors.Join(err, r.Err()); err == nil && r.Manifest.ID != candidates[dir] {
			err = fmt.Errorf("expected the manifest of checkpoint %d, found that of checkpoint %d", candidates[dir], r.Manifest.ID)
		}
		if err == nil {
			f := checkpoint.Found{Path: dir, ID: r.Manifest.ID, Kind: r.Manifest.Kind, Whole: true}
			return append(listing, f), r, nil
		}
		listing = append(listing, checkpoint.Found{Path: dir, ID: candidates[dir], Cause: err.Error()})
	}
	return listing, Report{}, nil
}

// stoppedWith finds the savepoints in the default directory that this job was stopped with: their effects are committed, so the job goes
// on from them (A9.3). One that cannot be read may be the newest, and is not passed over.
func (s *Storage) stoppedWith() (map[string]checkpoint.ID, error) {
	dirs := map[string]checkpoint.ID{}
	if s.savepointIn == "" {
		return dirs, nil
	}
	entries, err := s.savepoints.Files(s.savepointIn)
	if errors.Is(err, fs.ErrNotExist) {
		return dirs, nil
	}
	if err != nil {
		return nil, fmt.Errorf("looking for the savepoints that job %s was stopped with: %w", s.jobID, err)
	}
	prefix := path.Base(blob.SavepointDir("", s.jobID, 0))
	prefix = prefix[:strings.LastIndex(prefix, "-")+1]
	for _, e := range entries {
		if !e.Dir || !strings.HasPrefix(e.Name, prefix) {
			continue
		}
		dir, data, err := s.savepoints.Manifest(path.Join(s.savepointIn, e.Name))
		if errors.Is(err, fs.ErrNotExist) {
			continue // never completed
		}
		var m *checkpoint.Manifest
		if err == nil {
			m, err = checkpoint.ParseManifest(data)
		}
		if err != nil {
			return nil, fmt.Errorf("savepoint %s may be the newest of job %s and cannot be read: %w. Move it away, or say with -s PATH what "+
				"to go on from", dir, s.jobID, err)
		}
		if m.JobID == s.jobID && m.Stop != checkpoint.GoOn {
			dirs[dir] = m.ID
		}
	}
	return dirs, nil
}
