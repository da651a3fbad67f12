package blob

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
)

const readBufferBytes = 256 << 10

// DamageError says that a stored file is not what was stored: which, what was expected and what was found (A15.10).
type DamageError struct {
	Path            string
	Expected, Found string
}

func (e *DamageError) Error() string {
	return fmt.Sprintf("%s is damaged: expected %s, found %s", e.Path, e.Expected, e.Found)
}

// ResolvePath returns the path of a handle's file, refusing paths that lead out of the directory.
func ResolvePath(dir, relative string) (string, error) {
	if relative == "" || path.IsAbs(relative) || path.Clean(relative) != relative || strings.HasPrefix(relative, "..") {
		return "", fmt.Errorf("the path %q in the manifest of %s does not stay in that directory", relative, dir)
	}
	return path.Join(dir, relative), nil
}

// Manifest reads the manifest of a checkpoint or savepoint, given as its directory or as the file. Its own digest is the reader's to check.
func (s *Store) Manifest(at string) (dir string, data []byte, err error) {
	dir = SplitManifestPath(at)
	name := path.Join(dir, ManifestName)
	c, err := s.disk.Open(name)
	if err != nil {
		return dir, nil, fmt.Errorf("opening the manifest: %w", err)
	}
	defer c.Close()
	if c.Size() > maxManifestBytes {
		return dir, nil, &DamageError{name, fmt.Sprintf("at most %d bytes", maxManifestBytes), fmt.Sprintf("%d bytes", c.Size())}
	}
	data = make([]byte, c.Size())
	if n, err := c.ReadAt(data, 0); n < len(data) {
		return dir, nil, fmt.Errorf("reading the manifest %s, %d of %d bytes: %w", name, n, len(data), err)
	}
	return dir, data, nil
}

// Reader reads a stored file from its beginning and checks length and digest at its end: io.EOF is returned only if all of it was as
// stored. What was read before is to be distrusted until then.
type Reader struct {
	name    string
	content Content
	handle  Handle
	sum     hash.Hash
	offset  int64
}

// Open opens the file of a handle in the directory of its manifest. A missing file or one of another length is a *DamageError at once.
func (s *Store) Open(dir string, h Handle) (*Reader, error) {
	c, name, err := s.open(dir, h)
	if err != nil {
		return nil, err
	}
	return &Reader{name: name, content: c, handle: h, sum: sha256.New()}, nil
}

func (s *Store) open(dir string, h Handle) (Content, string, error) {
	name, err := ResolvePath(dir, h.Path)
	if err != nil {
		return nil, "", err
	}
	c, err := s.disk.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, name, &DamageError{name, fmt.Sprintf("a file of %d bytes", h.Length), "no file"}
	}
	if err != nil {
		return nil, name, fmt.Errorf("opening %s: %w", name, err)
	}
	if c.Size() != h.Length {
		err := &DamageError{name, fmt.Sprintf("%d bytes", h.Length), fmt.Sprintf("%d bytes", c.Size())}
		return nil, name, errors.Join(err, c.Close())
	}
	return c, name, nil
}

// Read reads on.
func (r *Reader) Read(p []byte) (int, error) {
	left := r.handle.Length - r.offset
	if left <= 0 {
		return 0, r.check()
	}
	p = p[:min(int64(len(p)), left)]
	n, err := r.content.ReadAt(p, r.offset)
	r.sum.Write(p[:n])
	r.offset += int64(n)
	if n == len(p) {
		return n, nil
	}
	if errors.Is(err, io.EOF) {
		return n, &DamageError{r.name, fmt.Sprintf("%d bytes", r.handle.Length), fmt.Sprintf("%d bytes", r.offset)}
	}
	return n, fmt.Errorf("reading %s at byte %d: %w", r.name, r.offset, err)
}

func (r *Reader) check() error {
	var found [sha256.Size]byte
	r.sum.Sum(found[:0])
	if found != r.handle.Digest {
		return &DamageError{r.name, "SHA-256 " + hex.EncodeToString(r.handle.Digest[:]), hex.EncodeToString(found[:])}
	}
	return io.EOF
}

// Close releases the file.
func (r *Reader) Close() error { return r.content.Close() }

// Verify reads a file through and returns what is wrong with it.
func (s *Store) Verify(dir string, h Handle) error {
	r, err := s.Open(dir, h)
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{r}, make([]byte, min(readBufferBytes, h.Length+1)))
	return err
}

// OpenAt verifies a file and opens it for reading at any place.
func (s *Store) OpenAt(dir string, h Handle) (Content, error) {
	if err := s.Verify(dir, h); err != nil {
		return nil, err
	}
	c, _, err := s.open(dir, h)
	return c, err
}

// Found is a checkpoint's directory found in a job's directory.
type Found struct {
	ID  int64
	Dir string
	// Complete says that it has a manifest.
	Complete bool
}

// Checkpoints lists the checkpoints in a job's directory, ascending; none if there is no such directory. An error means that it is
// unknown what is there, never that there is nothing (✗ FLINK-22502).
func (s *Store) Checkpoints(jobDir string) ([]Found, error) {
	entries, err := s.disk.List(jobDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listing the checkpoints in %s: %w", jobDir, err)
	}
	var found []Found
	for _, e := range entries {
		id, ok := parseCheckpointDir(e.Name)
		if !ok || !e.Dir {
			continue
		}
		f := Found{ID: id, Dir: path.Join(jobDir, e.Name)}
		files, err := s.Files(f.Dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		f.Complete = slices.ContainsFunc(files, func(e Entry) bool { return e.Name == ManifestName && !e.Dir })
		found = append(found, f)
	}
	slices.SortFunc(found, func(a, b Found) int { return cmp.Compare(a.ID, b.ID) })
	return found, nil
}

// Files lists the directory of a checkpoint or savepoint.
func (s *Store) Files(dir string) ([]Entry, error) {
	entries, err := s.disk.List(dir)
	if err != nil {
		return nil, fmt.Errorf("listing %s: %w", dir, err)
	}
	return entries, nil
}

// Small reads a small file written by Replace; nil if there is none.
func (s *Store) Small(name string) ([]byte, error) {
	const maxSmallBytes = 4 << 10
	c, err := s.disk.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", name, err)
	}
	defer c.Close()
	b := make([]byte, min(c.Size(), maxSmallBytes))
	if n, err := c.ReadAt(b, 0); n < len(b) {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	return b, nil
}
