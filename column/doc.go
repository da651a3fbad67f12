// Package column is SQL's data: Flink's logical types, typed vectors with validity, 128-bit integers for decimals, and batches of
// columns with row kinds. Formats decode into it and encode from it; the engine moves its batches between tasks; expressions are
// loops over its vectors.
//
// A vector belongs to one owner at a time and is used by one goroutine at a time. One that was shared (Vector.Share) is read-only for
// everybody from then on.
package column
