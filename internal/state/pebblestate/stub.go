package pebblestate

import "github.com/flottio/flott/internal/state"

func Open(dir string, mem int) (state.Store, error) { panic("stub") }
