package filesystem

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flottio/flott"
	"github.com/flottio/flott/column"
	"github.com/flottio/flott/config"
	"github.com/flottio/flott/sql/table"
)

// TestJob copies a table of JSON into a partitioned one of Parquet, in a whole job with checkpoints.
func TestJob(t *testing.T) {
	from, to := definition(t.TempDir(), "json"), definition(t.TempDir(), "parquet")
	to.PartitionKeys = []int{3}
	write(t, from, true, rows(0, 5000), rows(5000, 5000))
	s, err := Factory{}.Source(from)
	if err != nil {
		t.Fatal(err)
	}
	k, err := Factory{}.Sink(to, table.InsertOnly)
	if err != nil {
		t.Fatal(err)
	}
	cfg := config.New()
	for _, o := range []string{"execution.checkpointing.interval=5ms", "execution.checkpointing.dir=" + t.TempDir(), "parallelism.default=2"} {
		cfg.Define(o)
	}
	job, err := flott.Prepare("copy", func(env *flott.Env) {
		flott.From[*column.Batch](env, "from", s).To("to", k)
	}, cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := job.Run(context.Background()); err != nil || r.Status != "FINISHED" {
		t.Fatalf("%+v %v", r, err)
	}
	equal(t, "copied", read(t, to, 0, nil), printed(rows(0, 10000)))
	filepath.WalkDir(to.Options["path"], func(path string, _ os.DirEntry, _ error) error {
		if strings.Contains(path, "inprogress") {
			t.Errorf("left over: %s", path)
		}
		return nil
	})
}
