package file

import (
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Compression is how files are compressed.
type Compression uint8

// The compressions. The source tells them by the suffix of the name.
const (
	None Compression = iota
	Gzip
	Zstd
)

// zstdWindowMaxBytes bounds what a compressed file can make its reader allocate.
const zstdWindowMaxBytes = 128 << 20

func (c Compression) suffix() string {
	switch c {
	case Gzip:
		return ".gz"
	case Zstd:
		return ".zst"
	}
	return ""
}

// String returns the option's value.
func (c Compression) String() string {
	switch c {
	case None:
		return "none"
	case Gzip:
		return "gzip"
	case Zstd:
		return "zstd"
	}
	return fmt.Sprintf("Compression(%d)", uint8(c))
}

// compressionOf tells the compression of a file by its name.
func compressionOf(path string) Compression {
	switch {
	case strings.HasSuffix(path, ".gz"):
		return Gzip
	case strings.HasSuffix(path, ".zst"):
		return Zstd
	}
	return None
}

// decompress returns the plain bytes of r. Several compressed streams behind one another are one.
func (c Compression) decompress(r io.Reader) (io.ReadCloser, error) {
	switch c {
	case Gzip:
		d, err := gzip.NewReader(r)
		if err != nil {
			return nil, err
		}
		return d, nil
	case Zstd:
		d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(zstdWindowMaxBytes))
		if err != nil {
			return nil, err
		}
		return d.IOReadCloser(), nil
	}
	return io.NopCloser(r), nil
}

// compress returns a writer whose Close ends the compressed stream; nil for None.
func (c Compression) compress(w io.Writer) (io.WriteCloser, error) {
	switch c {
	case Gzip:
		return gzip.NewWriter(w), nil
	case Zstd:
		return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
	}
	return nil, nil
}
