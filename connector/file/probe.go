package file

import (
	"errors"
	"os"
)

// probeNamed creates a file in dir and removes it.
func probeNamed(dir string) error {
	f, err := os.CreateTemp(dir, ".probe-*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}
