package file

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"time"

	"github.com/flottio/flott"
)

// split is a range of a file and how far it was read: what a flott.Split's position holds.
//
// A record belongs to the split in which its first byte lies. Offsets count plain bytes; a compressed file is one split whose end
// is not known (-1).
type split struct {
	Path   string `json:"path"`
	Start  int64  `json:"start,omitempty"`
	End    int64  `json:"end"`
	Offset int64  `json:"offset"` // behind the last record that was read
	// Size, Modified (nanoseconds since the epoch) and Inode (0: not known) identify the file as it was when it was found.
	Size     int64  `json:"size"`
	Modified int64  `json:"modified"`
	Inode    uint64 `json:"inode,omitempty"`
}

// found is a file that the enumerator has found.
type found struct {
	Path     string
	Size     int64
	Modified int64
	Inode    uint64
}

func identify(path string, info fs.FileInfo) found {
	return found{Path: path, Size: info.Size(), Modified: info.ModTime().UnixNano(), Inode: inode(info)}
}

// split is the n-th piece of a file; ok is false behind the last one. An empty file has none. Files are cut by size alone, so that the
// same file is cut the same way after a restore.
func (f found) split(n int, sizeBytes int64, cuttable bool) (s split, ok bool) {
	s = split{Path: f.Path, End: f.Size, Size: f.Size, Modified: f.Modified, Inode: f.Inode}
	if compressionOf(f.Path) != None {
		s.End = -1
		return s, n == 0
	}
	if !cuttable {
		return s, n == 0 && f.Size > 0
	}
	if int64(n) > f.Size/sizeBytes {
		return s, false
	}
	s.Start = int64(n) * sizeBytes
	s.Offset, s.End = s.Start, min(s.Start+sizeBytes, f.Size)
	return s, s.Start < f.Size
}

// id is stable over restarts and unique within the source.
func (s *split) id() string {
	if s.Start == 0 && (s.End == s.Size || s.End < 0) {
		return s.Path
	}
	return s.Path + ":" + strconv.FormatInt(s.Start, 10) + "-" + strconv.FormatInt(s.End, 10)
}

func (s *split) encode() flott.Split { return flott.Split{ID: s.id(), Position: mustJSON(s)} }

func decodeSplit(fs flott.Split) (split, error) {
	var s split
	if err := json.Unmarshal(fs.Position, &s); err != nil {
		return s, fmt.Errorf("decoding the position of split %q: %w", fs.ID, err)
	}
	if s.Path == "" || s.Start < 0 || s.Offset < s.Start || s.End >= 0 && s.End < s.Start {
		return s, fmt.Errorf("decoding the position of split %q: file %q, start %d, end %d, offset %d do not fit together",
			fs.ID, s.Path, s.Start, s.End, s.Offset)
	}
	return s, nil
}

// work is the split's share of the source's progress, in bytes of the file.
func (s *split) work() int64 {
	if s.End < 0 {
		return s.Size
	}
	return s.End - s.Start
}

// verify compares the file with what was found. A file that only grew is as good as before: records that begin within the recorded size
// are read.
func (s *split) verify(info fs.FileInfo) error {
	now := identify(s.Path, info)
	if now.Size == s.Size && now.Modified == s.Modified {
		return nil
	}
	replaced := now.Inode != 0 && s.Inode != 0 && now.Inode != s.Inode
	what := ""
	switch {
	case now.Size < s.Size:
		what = "has shrunk"
	case replaced:
		what = "was replaced by another file"
	case now.Size == s.Size:
		what = "was written to"
	default:
		return nil
	}
	return fmt.Errorf("file %s %s since it was found: recorded %d bytes, modified %s; now %d bytes, modified %s. "+
		"Its records can no longer be read exactly once: put the old content back, or start without this checkpoint",
		s.Path, what, s.Size, stamp(s.Modified), now.Size, stamp(now.Modified))
}

func stamp(nanos int64) string {
	return time.Unix(0, nanos).UTC().Format("2006-01-02T15:04:05.000000000Z")
}

// missing explains an error of opening the split's file.
func (s *split) missing(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("file %s has vanished since it was found (recorded %d bytes, modified %s): put it back, "+
			"the job then goes on from its last checkpoint", s.Path, s.Size, stamp(s.Modified))
	}
	return fmt.Errorf("opening file %s: %w", s.Path, err)
}
