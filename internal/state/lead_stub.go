package state

import "io"

type Backend struct{}

func (b *Backend) Close() error { return nil }

type Frozen interface {
	Write(io.Writer) error
	Release()
}
