package file

import (
	"errors"
	"fmt"
	"path/filepath"
)

// PartitionCommit says when a sub-directory (a partition) is told to be complete: by an empty file in it, made when the checkpoint that contains
// the partition's records is complete. A partition that gets records later is told again. The end of the input completes all.
//
// Each subtask tells of what it wrote: when several write one partition the file says that the first of them is done.
type PartitionCommit struct {
	// DelayMs is how long after its begin a partition is complete.
	DelayMs int64
	// TimeOf is a partition's begin in event time, in milliseconds, which the watermark is compared with; nil: the begin is when its first record
	// came, in processing time.
	TimeOf func(bucket string) (int64, error)
	// SuccessFile is the name of the file.
	SuccessFile string
}

// CommitPartitions tells partitions to be complete.
func CommitPartitions(c PartitionCommit) SinkOption {
	return func(cfg *sinkConfig) { cfg.partitions = &c }
}

// Advance implements flott.WatermarkWriter.
func (w *fileSet) Advance(watermark int64) error {
	w.waterMs = watermark
	return nil
}

// endPartitions ends the files of the partitions that are complete, and returns those.
func (w *fileSet) endPartitions(last bool) (complete []string, err error) {
	for _, bucket := range sortedKeys(w.begun) {
		due, err := w.due(bucket)
		if err != nil {
			return nil, err
		}
		if !due && !last {
			continue
		}
		if p := w.parts[bucket]; p != nil {
			if err := w.roll(p); err != nil {
				return nil, err
			}
		}
		delete(w.begun, bucket)
		complete = append(complete, bucket)
	}
	return complete, nil
}

func (w *fileSet) due(bucket string) (bool, error) {
	c := w.sink.cfg.partitions
	if c.TimeOf == nil {
		return w.ctx.Now() >= w.begun[bucket]+c.DelayMs, nil
	}
	begin, err := c.TimeOf(bucket)
	if err != nil {
		return false, fmt.Errorf("reading the time of partition %s: %w", bucket, err)
	}
	return w.waterMs > begin && w.waterMs-begin > c.DelayMs, nil
}

// tell makes the files that tell partitions to be complete. It is idempotent.
func (s *target) tell(complete []pending) error {
	for _, p := range complete {
		path := s.at(p.Final)
		_, exists, err := s.disk.Size(path)
		if err != nil {
			return advise(err)
		}
		if exists {
			continue
		}
		h, err := s.disk.Create(path)
		if err == nil {
			err = errors.Join(h.Sync(), h.Close(), s.disk.SyncDir(filepath.Dir(path)))
		}
		if err != nil {
			return fmt.Errorf("telling that partition %s is complete: %w", filepath.Dir(p.Final), advise(err))
		}
	}
	return nil
}
