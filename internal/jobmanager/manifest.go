package jobmanager

import (
	"slices"

	"github.com/flottio/flott/internal/checkpoint"
)

// draft is what will be the manifest of a checkpoint that is under way.
type draft struct {
	*checkpoint.Draft
	triggeredMs int64
}

// manifest puts a draft together.
func (c *Config) manifest(id checkpoint.ID, o checkpoint.Options, d *draft, maxParallelism map[string]int) (*checkpoint.Manifest, error) {
	targets := slices.Clone(c.Operators)
	for i := range targets {
		targets[i].MaxParallelism = maxParallelism[targets[i].UID]
	}
	ops, err := d.Operators(targets)
	if err != nil {
		return nil, err
	}
	return &checkpoint.Manifest{
		JobName: c.JobName, JobID: c.JobID, Graph: c.Graph, CodeVersion: c.CodeVersion, KeyHash: c.KeyHash,
		ID: id, Kind: o.Kind, Stop: o.Stop, TriggeredMs: d.triggeredMs, Operators: ops,
	}, nil
}
