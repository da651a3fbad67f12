package main

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

//go:generate go run ./gen -rows 3000 -seed 7 -urls 6 -per-second 10 -bad 0.001 -o data/clicks.jsonl

// bundled is five minutes of clicks, some late, and a few lines cut off.
//
//go:embed data/clicks.jsonl
var bundled []byte

// places says where the clicks are and where the results go, the same each time it is asked.
func places() (glob, dir string) {
	p := chosen()
	return p.glob, p.dir
}

type chosenPlaces struct{ glob, dir string }

var chosen = sync.OnceValue(func() chosenPlaces {
	p := chosenPlaces{*input, *output}
	if p.dir == "" {
		dir, err := os.MkdirTemp("", "flott-clicks-")
		if err != nil {
			panic(fmt.Sprintf("making a directory for the results: %v; name one with --output", err))
		}
		p.dir = dir
	}
	if p.glob == "" {
		p.glob = filepath.Join(p.dir, "input", "clicks.jsonl")
		if err := unpack(p.glob); err != nil {
			panic(fmt.Sprintf("writing the clicks that the example brings along: %v; name others with --input", err))
		}
	}
	return p
})

// unpack writes the bundled clicks unless they are there.
func unpack(path string) error {
	if info, err := os.Stat(path); err == nil && info.Size() == int64(len(bundled)) {
		return nil // a restored job checks that its input is the file it was
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	half := path + ".half"
	if err := os.WriteFile(half, bundled, 0o644); err != nil {
		return err
	}
	return os.Rename(half, path)
}
