package jobmanager

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/flottio/flott/internal/blob"
	"github.com/flottio/flott/internal/checkpoint"
)

// Report is what Fsck found.
type Report struct {
	Dir      string
	Manifest *checkpoint.Manifest // nil if it cannot be read
	Files    int                  // that it refers to
	Bytes    int64                // in them, as the manifest says
	Damage   []Damage             // all of it
	Litter   []string             // files in the directory that nothing refers to
}

// Damage is one file that is not what was stored.
type Damage struct {
	Path string
	Uses []string // what it is needed for: operator, subtask
	Err  error
}

// Whole reports whether everything is as it was stored.
func (r Report) Whole() bool { return len(r.Damage) == 0 }

// Err returns all damage as one error, nil if there is none.
func (r Report) Err() error {
	var errs []error
	for _, d := range r.Damage {
		if len(d.Uses) == 0 {
			errs = append(errs, d.Err)
		} else {
			errs = append(errs, fmt.Errorf("%w (%s)", d.Err, strings.Join(d.Uses, ", ")))
		}
	}
	return errors.Join(errs...)
}

// Deeper looks into a file whose length and digest are right; an error is damage. The state package's check of segments is one.
type Deeper func(h checkpoint.Handle, c blob.Content) error

// Fsck verifies a checkpoint or savepoint without the job: path is its directory or the manifest in it. The error says that there is
// nothing to verify; damage is in the report.
func Fsck(at string, deeper ...Deeper) (Report, error) {
	at, err := localPath(at)
	if err != nil {
		return Report{}, err
	}
	return fsck(blob.New(blob.Local{}, nil), at, deeper...)
}

func fsck(s *blob.Store, at string, deeper ...Deeper) (Report, error) {
	return fsckUntil(context.Background(), s, at, deeper...)
}

// fsckUntil is fsck that stops with an error, between two files, when its context has ended.
func fsckUntil(ctx context.Context, s *blob.Store, at string, deeper ...Deeper) (Report, error) {
	dir, data, err := s.Manifest(at)
	r := Report{Dir: dir}
	if errors.Is(err, fs.ErrNotExist) {
		return r, noSnapshot(s, dir)
	}
	if err != nil {
		return r, err
	}
	m, err := checkpoint.ParseManifest(data)
	if err != nil {
		name := path.Join(dir, blob.ManifestName)
		r.Damage = append(r.Damage, Damage{Path: name, Err: fmt.Errorf("%s: %w", name, err)})
		return r, nil
	}
	r.Manifest = m
	uses := handlesOf(m)
	for _, u := range uses {
		if err := context.Cause(ctx); err != nil {
			return r, fmt.Errorf("verifying %s: stopped after %d of %d files: %w", dir, r.Files, len(uses), err)
		}
		r.Files++
		r.Bytes += u.handle.Length
		if err := verify(s, dir, u, deeper); err != nil {
			r.Damage = append(r.Damage, Damage{Path: u.name(dir), Uses: u.uses, Err: err})
		}
	}
	files, err := s.Files(dir)
	if err != nil {
		return r, err
	}
	for _, f := range files {
		known := f.Name == blob.ManifestName || f.Name == blob.ClaimName || slices.ContainsFunc(uses, func(u usedFile) bool {
			return !u.handle.Shared && (u.handle.Path == f.Name || strings.HasPrefix(u.handle.Path, f.Name+"/"))
		})
		if !known {
			r.Litter = append(r.Litter, path.Join(dir, f.Name))
		}
	}
	return r, nil
}

func verify(s *blob.Store, dir string, u usedFile, deeper []Deeper) error {
	if u.conflict {
		return fmt.Errorf("%s: the manifest gives it two lengths or digests", u.name(dir))
	}
	base := dir
	if u.handle.Shared {
		base = path.Dir(dir)
	}
	if err := s.Verify(base, stored(u.handle)); err != nil || len(deeper) == 0 {
		return err
	}
	c, err := s.OpenAt(base, stored(u.handle))
	if err != nil {
		return err
	}
	defer c.Close()
	for _, f := range deeper {
		err = errors.Join(err, f(u.handle, c))
	}
	return err
}

func stored(h checkpoint.Handle) blob.Handle {
	return blob.Handle{Path: h.Path, Length: h.Length, Digest: [sha256.Size]byte(h.Digest)}
}

// usedFile is a file that a manifest refers to, once however often it does.
type usedFile struct {
	handle   checkpoint.Handle
	uses     []string
	conflict bool
}

func (u usedFile) name(dir string) string {
	if u.handle.Shared {
		return path.Join(path.Dir(dir), u.handle.Path)
	}
	return path.Join(dir, u.handle.Path)
}

// handlesOf returns the files of a manifest in the order in which it names them.
func handlesOf(m *checkpoint.Manifest) (files []usedFile) {
	at := map[string]int{}
	add := func(h *checkpoint.Handle, format string, args ...any) {
		if h == nil || h.Path == "" {
			return
		}
		key := fmt.Sprint(h.Shared, h.Path)
		i, known := at[key]
		if !known {
			i = len(files)
			at[key] = i
			files = append(files, usedFile{handle: *h})
		}
		f := &files[i]
		f.uses = append(f.uses, fmt.Sprintf(format, args...))
		f.conflict = f.conflict || f.handle.Length != h.Length || f.handle.Digest != h.Digest
	}
	for o := range m.Operators {
		op := &m.Operators[o]
		add(op.Enumerator, "enumerator of %q", op.UID)
		for i := range op.Subtasks {
			for k := range op.Subtasks[i].Keyed {
				add(&op.Subtasks[i].Keyed[k], "keyed state of %q, subtask %d of %d", op.UID, i+1, op.Parallelism)
			}
			for _, l := range op.Subtasks[i].Lists {
				add(l.File, "state %q of %q, subtask %d of %d", l.Name, op.UID, i+1, op.Parallelism)
			}
		}
	}
	return files
}
