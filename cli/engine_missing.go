//go:build !engine

package cli

import (
	"context"
	"errors"
)

// newEngine stands in until the engine is there; this file goes with the build tag.
func newEngine() engine {
	return engine{fsck: func(context.Context, string) (string, error) {
		return "", errors.New("this binary was built without the engine (build tag engine)")
	}}
}
