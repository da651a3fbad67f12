package blob

import (
	"fmt"
	"path"
	"strconv"
	"strings"
)

// Names within a checkpoint's directory.
const (
	// ManifestName is the file whose presence makes a directory a complete checkpoint.
	ManifestName = "_metadata"
	// LockName is the lock file in a job's directory.
	LockName = ".lock"
	// ClaimName is the record in a snapshot's directory of the job that has taken it over.
	ClaimName = ".claimed"
	// tempPrefix marks files that are being written; they are litter after a crash.
	tempPrefix = ".part-"
)

const (
	checkpointPrefix = "chk-"
	savepointPrefix  = "savepoint-"
)

// jobIDChars is the length of a job id in hexadecimal digits, as in Flink.
const jobIDChars = 32

// ValidJobID reports whether s can be a job id: 32 lower-case hexadecimal digits.
func ValidJobID(s string) bool {
	return len(s) == jobIDChars && strings.Trim(s, "0123456789abcdef") == ""
}

// JobDir returns the directory of a job's checkpoints below the checkpoint directory.
func JobDir(dir, jobID string) string { return path.Join(dir, jobID) }

// CheckpointDir returns the directory of checkpoint id below a job's directory.
func CheckpointDir(jobDir string, id int64) string {
	return path.Join(jobDir, checkpointPrefix+strconv.FormatInt(id, 10))
}

// SavepointDir returns a new savepoint's directory below dir: savepoint-<first 6 digits of the job id>-<12 random digits>.
func SavepointDir(dir, jobID string, random uint64) string {
	return path.Join(dir, fmt.Sprintf("%s%.6s-%012x", savepointPrefix, jobID, random&(1<<48-1)))
}

// parseCheckpointDir returns the id in the name of a checkpoint's directory.
func parseCheckpointDir(name string) (int64, bool) {
	digits, ok := strings.CutPrefix(name, checkpointPrefix)
	if !ok {
		return 0, false
	}
	id, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || id <= 0 || strconv.FormatInt(id, 10) != digits {
		return 0, false
	}
	return id, true
}

// CheckpointID returns the id in the name of a checkpoint's directory, 0 if it is none.
func CheckpointID(dir string) int64 {
	id, _ := parseCheckpointDir(path.Base(dir))
	return id
}

// SplitManifestPath returns the directory of a checkpoint or savepoint given as that directory or as the _metadata file in it.
func SplitManifestPath(p string) (dir string) {
	p = path.Clean(p)
	if path.Base(p) == ManifestName {
		return path.Dir(p)
	}
	return p
}
