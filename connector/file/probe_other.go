//go:build !linux

package file

func probe(dir string) error { return probeNamed(dir) }
