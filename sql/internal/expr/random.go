package expr

import "math/rand/v2"

// freshSeed is where RAND without a seed begins, and UUID.
func freshSeed() int64 { return int64(rand.Uint64()) }
