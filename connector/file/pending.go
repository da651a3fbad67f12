package file

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/zeebo/xxh3"
)

// pending is a closed, durable, still hidden file that a commit makes visible by renaming it: the sink's committable.
type pending struct {
	Version int `json:"v"`
	// Hidden and Final are paths below the sink's directory, with forward slashes: the directory can be moved.
	Hidden string `json:"hidden"`
	Final  string `json:"final"`
	Length int64  `json:"length"`
	// Records, Checkpoint and Dir are for messages.
	Records    int64  `json:"records"`
	Checkpoint int64  `json:"checkpoint"`
	Dir        string `json:"dir"`
	// Partition says that Final is the empty file that tells that a partition is complete: nothing is renamed.
	Partition bool `json:"partition,omitempty"`
}

// unfinished is a file that goes on over a checkpoint: up to Length it belongs to the checkpoint. Digest is the XXH3 of that
// part: after a restore from an older checkpoint a file of the same name and length may hold other bytes.
type unfinished struct {
	Hidden  string `json:"hidden"`
	Final   string `json:"final"`
	Bucket  string `json:"bucket"`
	Length  int64  `json:"length"`
	Digest  uint64 `json:"digest"`
	Records int64  `json:"records"`
}

// writerState is what a writer's snapshot holds.
type writerState struct {
	Version int          `json:"v"`
	Files   []unfinished `json:"files"`
	// Partitions are those with records that were not told to be complete, and when the first record came.
	Partitions map[string]int64 `json:"partitions,omitempty"`
}

// formatVersion is the version of committables and writer states.
const formatVersion = 1

func encodePending(p pending) []byte {
	p.Version = formatVersion
	return mustJSON(p)
}

func decodePending(data []byte) (pending, error) {
	var p pending
	if err := json.Unmarshal(data, &p); err != nil {
		return p, fmt.Errorf("decoding a committable of the file sink: %w", err)
	}
	if p.Version != formatVersion {
		return p, fmt.Errorf("decoding a committable of the file sink: version %d, known is %d", p.Version, formatVersion)
	}
	if p.Partition {
		return p, checkLocal(p.Final)
	}
	return p, checkLocal(p.Hidden, p.Final)
}

func encodeState(s writerState) []byte {
	s.Version = formatVersion
	return mustJSON(s)
}

func decodeState(data []byte) (writerState, error) {
	var s writerState
	if err := json.Unmarshal(data, &s); err != nil {
		return s, fmt.Errorf("decoding the state of a file sink's writer: %w", err)
	}
	if s.Version != formatVersion {
		return s, fmt.Errorf("decoding the state of a file sink's writer: version %d, known is %d", s.Version, formatVersion)
	}
	for _, f := range s.Files {
		if err := checkLocal(f.Hidden, f.Final); err != nil {
			return s, err
		}
		if f.Length < 0 {
			return s, fmt.Errorf("decoding the state of a file sink's writer: %s has the length %d", f.Hidden, f.Length)
		}
	}
	for bucket := range s.Partitions {
		if err := checkLocal(bucket); err != nil && bucket != "" {
			return s, err
		}
	}
	return s, nil
}

// checkLocal refuses paths from a snapshot that would lead out of the sink's directory.
func checkLocal(paths ...string) error {
	for _, p := range paths {
		if !filepath.IsLocal(filepath.FromSlash(p)) {
			return fmt.Errorf("decoding the state of a file sink: path %q leads out of the sink's directory", p)
		}
	}
	return nil
}

func mustJSON(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic("BUG: encoding the state of a file sink: " + err.Error())
	}
	return data
}

// hiddenSuffix ends the name of every file that is not finished.
const hiddenSuffix = ".inprogress"

// owner identifies a sink of a job in the names of its unfinished files, so that a restart removes its own and no others.
func owner(jobID, uid string) string {
	return fmt.Sprintf("%016x", xxh3.HashString(strconv.Itoa(len(jobID))+":"+jobID+uid))
}

// finalName is the name of a finished file. unique differs for every attempt, so that names never meet.
func finalName(subtask int, unique string, n int, ext string) string {
	return fmt.Sprintf("part-%d-%s-%d%s", subtask, unique, n, ext)
}

// hiddenName is the name of the same file while it is not finished.
func hiddenName(final, owner string) string { return "." + final + "." + owner + hiddenSuffix }

// ownedBy reports whether name is that of an unfinished file of this owner.
func ownedBy(name, owner string) bool {
	return strings.HasPrefix(name, ".part-") && strings.HasSuffix(name, "."+owner+hiddenSuffix)
}
