package sql

import "github.com/flottio/flott/sql/internal/catalog"

// Function is a function written in Go, for a session. Scalar and its like make one.
type Function struct{ register func(*catalog.Session) }
