package blob

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
)

const (
	writeBufferBytes = 128 << 10
	// maxManifestBytes bounds what is read, and therefore written, as a manifest.
	maxManifestBytes = 256 << 20
	uniqueChars      = 12
)

// Store writes, reads and deletes checkpoints on a disk. All methods may be called by any goroutine; the caller sees to it that one
// process owns a job's directory (Lock).
type Store struct {
	disk   Disk
	unique func() string
}

// New returns a store on a disk. unique returns a text for names that must never repeat, nil means random digits.
func New(disk Disk, unique func() string) *Store {
	if unique == nil {
		unique = func() string {
			var b [uniqueChars / 2]byte
			if _, err := rand.Read(b[:]); err != nil {
				panic("FATAL: reading random numbers: " + err.Error())
			}
			return hex.EncodeToString(b[:])
		}
	}
	return &Store{disk: disk, unique: unique}
}

// Handle names a stored file: its path relative to the directory of the manifest (A15.4: a moved savepoint restores), its length in
// bytes and its SHA-256.
type Handle struct {
	Path   string
	Length int64
	Digest [sha256.Size]byte
}

// MakeDir makes a directory with its parents, durably.
func (s *Store) MakeDir(dir string) error {
	err := s.disk.Mkdir(dir)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	parent := path.Dir(dir)
	if errors.Is(err, fs.ErrNotExist) && parent != dir {
		if err := s.MakeDir(parent); err != nil {
			return err
		}
		if err = s.disk.Mkdir(dir); errors.Is(err, fs.ErrExist) {
			err = nil
		}
	}
	if err != nil {
		return fmt.Errorf("making directory %s: %w", dir, err)
	}
	if err := s.disk.SyncDir(parent); err != nil {
		return fmt.Errorf("making directory %s durable: %w", dir, err)
	}
	return nil
}

// Write stores a new data file in dir, which must exist, durably: once it returns a handle the file survives a power cut. The file's
// name is name with random digits behind it, so that no path is ever written twice (A1.5). Nothing is left after an error unless
// the disk does not even let it be removed; then the sweep finds it.
func (s *Store) Write(ctx context.Context, dir, name string, write func(io.Writer) error) (Handle, error) {
	file := name + "-" + s.unique()
	h, err := s.put(ctx, dir, file, write)
	if err != nil {
		return Handle{}, fmt.Errorf("storing %s: %w", path.Join(dir, file), err)
	}
	if err := s.disk.SyncDir(dir); err != nil {
		return Handle{}, fmt.Errorf("storing %s: making its directory durable: %w", path.Join(dir, file), err)
	}
	return h, nil
}

// Publish writes the manifest of dir, whose files must all be durable: the commit point of a checkpoint (A15.2). An error that
// is ErrUnknown leaves open whether it is durable; any other says that it is not and never will be.
func (s *Store) Publish(dir string, manifest []byte) error {
	to := path.Join(dir, ManifestName)
	if len(manifest) > maxManifestBytes {
		return fmt.Errorf("publishing %s: it has %d bytes, more than %d", to, len(manifest), maxManifestBytes)
	}
	switch c, err := s.disk.Open(to); {
	case err == nil:
		return errors.Join(fmt.Errorf("publishing %s: it exists; no path is written twice", to), c.Close())
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("publishing %s: %w", to, err)
	}
	_, err := s.put(context.Background(), dir, ManifestName, func(w io.Writer) error {
		_, err := w.Write(manifest)
		return err
	})
	if err == nil {
		err = s.disk.SyncDir(dir)
		if err == nil {
			return nil
		}
		return fmt.Errorf("publishing %s: %w: making its directory durable: %w", to, ErrUnknown, err)
	}
	if !errors.Is(err, errRename) {
		return fmt.Errorf("publishing %s: %w", to, err)
	}
	// A rename that reports an error may have happened nevertheless (network file systems): look.
	if c, lookErr := s.disk.Open(to); !errors.Is(lookErr, fs.ErrNotExist) {
		if lookErr == nil {
			lookErr = c.Close()
		}
		return fmt.Errorf("publishing %s: %w: %w", to, ErrUnknown, errors.Join(err, lookErr))
	}
	return fmt.Errorf("publishing %s: %w", to, err)
}

// errRename marks the one failure of put after which the file may be there.
var errRename = errors.New("giving the file its name")

// put writes a file under a temporary name, syncs it and gives it its name. The directory is not synced.
func (s *Store) put(ctx context.Context, dir, name string, write func(io.Writer) error) (Handle, error) {
	temp := path.Join(dir, tempPrefix+name+"-"+s.unique())
	f, err := s.disk.Create(temp)
	if err != nil {
		return Handle{}, err
	}
	h, err := fill(ctx, f, write)
	if err == nil {
		err = f.Sync()
	}
	// An error of close after a successful sync matters too: network file systems report lost writes there.
	if err = errors.Join(err, f.Close()); err == nil {
		if err = s.disk.Rename(temp, path.Join(dir, name)); err == nil {
			h.Path = name
			return h, nil
		}
		err = fmt.Errorf("%w: %w", errRename, err)
	}
	if rerr := s.disk.Remove(temp); rerr != nil && !errors.Is(rerr, fs.ErrNotExist) {
		err = fmt.Errorf("%w (and its remains could not be removed: %w)", err, rerr)
	}
	return Handle{}, err
}

func fill(ctx context.Context, f File, write func(io.Writer) error) (Handle, error) {
	sum := sha256.New()
	count := &counting{ctx: ctx, to: io.MultiWriter(f, sum)}
	buf := bufio.NewWriterSize(count, writeBufferBytes)
	if err := write(buf); err != nil {
		return Handle{}, err
	}
	if err := buf.Flush(); err != nil {
		return Handle{}, err
	}
	h := Handle{Length: count.bytes}
	sum.Sum(h.Digest[:0])
	return h, nil
}

// counting counts what goes through it and stops when its context has ended.
type counting struct {
	ctx   context.Context
	to    io.Writer
	bytes int64
}

func (c *counting) Write(p []byte) (int, error) {
	if err := context.Cause(c.ctx); err != nil {
		return 0, err
	}
	n, err := c.to.Write(p)
	c.bytes += int64(n)
	if err != nil {
		err = fmt.Errorf("after %d bytes: %w", c.bytes, err)
	}
	return n, err
}

// Lock takes a job's directory for this process, so that two never run one job on one directory. owner tells people who holds it.
// A directory that is taken is a *LockedError.
func (s *Store) Lock(jobDir, owner string) (release func() error, err error) {
	if err := s.MakeDir(jobDir); err != nil {
		return nil, err
	}
	owner = strings.ReplaceAll(owner, "\n", " ")
	release, err = s.disk.Lock(path.Join(jobDir, LockName), owner)
	if err != nil {
		return nil, fmt.Errorf("taking the directory %s: %w", jobDir, err)
	}
	return release, nil
}

// Claim notes durably in the directory of a snapshot that owner may delete it, unless somebody has claimed it before. It returns
// who has: owner, or the other one; empty if that one's record was cut off by a crash.
func (s *Store) Claim(dir, owner string) (holder string, err error) {
	name := path.Join(dir, ClaimName)
	f, err := s.disk.Create(name)
	if errors.Is(err, fs.ErrExist) {
		return s.Claimed(dir)
	}
	if err != nil {
		return "", err
	}
	_, err = io.WriteString(f, owner+"\n")
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = s.disk.SyncDir(dir)
	}
	if err != nil {
		return "", fmt.Errorf("writing %s: %w", name, errors.Join(err, s.disk.Remove(name)))
	}
	return owner, nil
}

// Claimed returns who has claimed a snapshot; fs.ErrNotExist if nobody has.
func (s *Store) Claimed(dir string) (holder string, err error) {
	name := path.Join(dir, ClaimName)
	text, err := s.Small(name)
	if err == nil && text == nil {
		err = fmt.Errorf("%s: %w", name, fs.ErrNotExist)
	}
	return strings.TrimSpace(string(text)), err
}

// Replace writes a small file durably, atomically in place of what was there before: the one exception to A1.5, for records that
// only the holder of the lock writes.
func (s *Store) Replace(dir, name string, content []byte) error {
	_, err := s.put(context.Background(), dir, name, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
	if err == nil {
		err = s.disk.SyncDir(dir)
	}
	if err != nil {
		return fmt.Errorf("replacing %s: %w", path.Join(dir, name), err)
	}
	return nil
}

// Note is Replace without durability, for what a power cut may take: afterwards the file has the new content, the old one, or none.
func (s *Store) Note(dir, name string, content []byte) error {
	temp := path.Join(dir, tempPrefix+name+"-"+s.unique())
	f, err := s.disk.Create(temp)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Close()); err == nil {
		err = s.disk.Rename(temp, path.Join(dir, name))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("noting %s: %w", path.Join(dir, name), err), s.disk.Remove(temp))
	}
	return nil
}

// SyncDir makes what happened in a directory durable.
func (s *Store) SyncDir(dir string) error {
	if err := s.disk.SyncDir(dir); err != nil {
		return fmt.Errorf("making %s durable: %w", dir, err)
	}
	return nil
}
