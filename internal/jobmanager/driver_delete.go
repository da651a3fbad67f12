package jobmanager

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/flottio/flott/internal/checkpoint"
)

// Deleting may meet a file that is just being written, or a storage that is away for a moment.
const (
	deleteAttempts   = 3
	deleteRetryDelay = time.Second
	// maxUndeleted bounds the checkpoints that could not be deleted and are tried again with each later one.
	maxUndeleted = 64
)

// insist tries a few times.
func (d *Driver) insist(f func() error) (err error) {
	for i := range deleteAttempts {
		if i > 0 {
			<-time.After(deleteRetryDelay)
		}
		if err = f(); err == nil {
			return nil
		}
	}
	return err
}

// undeleted are checkpoints that nobody needs and that could not be deleted. Deletions run beside each other.
type undeleted struct {
	sync.Mutex
	ids  []checkpoint.ID
	told bool // that there are some, since there last were none
}

// delete removes checkpoints. What cannot be removed is counted (✗ FLINK-26450), said once, and tried again whenever one can be.
func (d *Driver) delete(ids []checkpoint.ID) {
	var errs []error
	for _, id := range ids {
		if err := d.insist(func() error { return d.storage.remove(id) }); err != nil {
			errs = append(errs, err)
			d.notDeleted(id, err)
		}
	}
	if len(errs) == 0 {
		d.deleteLeft()
	}
	d.Post(DeleteDone{ids, errors.Join(errs...)})
}

func (d *Driver) notDeleted(id checkpoint.ID, err error) {
	d.undeleted.Lock()
	defer d.undeleted.Unlock()
	if len(d.undeleted.ids) < maxUndeleted {
		d.undeleted.ids = append(d.undeleted.ids, id)
	}
	if !d.undeleted.told {
		d.undeleted.told = true
		d.config.Log.Warn("a checkpoint could not be deleted; it is tried again with later ones, of which only their number is shown",
			"checkpoint", id, "directory", d.storage.Dir(id), "error", err)
	}
}

// deleteLeft tries once more what could not be deleted.
func (d *Driver) deleteLeft() {
	d.undeleted.Lock()
	defer d.undeleted.Unlock()
	before := len(d.undeleted.ids)
	if before == 0 {
		return
	}
	d.undeleted.ids = slices.DeleteFunc(d.undeleted.ids, func(id checkpoint.ID) bool { return d.storage.remove(id) == nil })
	if left := len(d.undeleted.ids); left < before {
		d.undeleted.told = left > 0
		d.config.Log.Info("deleted checkpoints that could not be deleted before", "deleted", before-left, "left", left)
	}
}
