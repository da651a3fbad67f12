package flott

import "github.com/flottio/flott/internal/record"

// Batch is records moved together: Rows, and in Head their event times (milliseconds since the epoch, empty when there are none).
// Whoever hands a batch over never touches it again.
type Batch[T any] = record.Rows[T]

// NoTime is the event time of a record that has none.
const NoTime = record.NoTime
