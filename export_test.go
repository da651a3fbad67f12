package flott

// PrepareAt is Prepare with a wall clock that a test sets.
var PrepareAt = prepare
