package file

import (
	"os"

	"golang.org/x/sys/unix"
)

// probe creates a file without a name, which a crash cannot leave behind, where the file system can do that.
func probe(dir string) error {
	fd, err := unix.Open(dir, unix.O_TMPFILE|unix.O_WRONLY|unix.O_CLOEXEC, 0o600)
	switch err {
	case nil:
		return unix.Close(fd)
	case unix.EOPNOTSUPP, unix.EISDIR, unix.ENOENT, unix.EINVAL:
		return probeNamed(dir)
	}
	return &os.PathError{Op: "creating a file in", Path: dir, Err: err}
}
