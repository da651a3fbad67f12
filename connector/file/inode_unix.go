//go:build unix

package file

import (
	"io/fs"
	"syscall"
)

// inode tells a file from another one put in its place; 0 if it is not known.
func inode(info fs.FileInfo) uint64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(s.Ino)
	}
	return 0
}
