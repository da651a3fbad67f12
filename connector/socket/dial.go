// Package socket reads records from and writes them to a TCP server, as "nc -lk 9999" is one: for trying things out.
//
// A socket has no memory. The source is at most once: what the server sent while the job was down, and what had arrived but was not in
// a checkpoint when the job failed, is lost. The sink repeats after a restart what it sent since the checkpoint, and may lose what a
// breaking connection had taken: it guarantees nothing.
//
// It imports public packages only, never the engine's.
package socket

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"
)

const (
	// DefaultRetryFor is how long a server may be away.
	DefaultRetryFor = 5 * time.Minute

	retryFirstMs   = 100
	retryMaxMs     = 1000
	dialTimeoutMs  = 10_000
	retriesPerWait = 2 // the wait doubles until retryMaxMs
)

// Option changes how Source and Sink connect.
type Option func(*options)

type options struct {
	retryFor   time.Duration
	endOnClose bool
	errs       []error
}

// RetryFor bounds how long to try again while the server cannot be reached (default: 5 minutes; 0: a single attempt). It does not matter
// whether the server or the job is started first.
func RetryFor(d time.Duration) Option {
	return func(o *options) {
		if d < 0 {
			o.errs = append(o.errs, fmt.Errorf("socket: RetryFor(%v): must not be negative", d))
		}
		o.retryFor = d
	}
}

// EndOnClose makes the source end when the server closes the connection, instead of connecting again.
func EndOnClose() Option { return func(o *options) { o.endOnClose = true } }

func check(address string, o *options) error {
	errs := o.errs
	if _, _, err := net.SplitHostPort(address); err != nil {
		errs = append(errs, fmt.Errorf("socket address %q must be HOST:PORT, as in localhost:9999: %w", address, err))
	}
	return errors.Join(errs...)
}

// dialer connects with growing waits in between.
type dialer struct {
	address  string
	retryFor time.Duration
	failing  time.Time // since when; zero: the last connection was good
	attempts int
	waitMs   int64
}

// connect returns a connection, or an error when retryFor has passed or ctx has ended.
func (d *dialer) connect(ctx context.Context) (net.Conn, error) {
	for {
		if err := d.rest(ctx); err != nil {
			return nil, err
		}
		dial := net.Dialer{Timeout: dialTimeoutMs * time.Millisecond}
		conn, err := dial.DialContext(ctx, "tcp", d.address)
		if err == nil {
			return conn, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err := d.failed(err); err != nil {
			return nil, err
		}
	}
}

// failed counts a failure; an error says that it was the last one allowed.
func (d *dialer) failed(cause error) error {
	d.attempts++
	if d.attempts == 1 {
		d.failing = time.Now()
		d.waitMs = retryFirstMs
	} else {
		d.waitMs = min(d.waitMs*retriesPerWait, retryMaxMs)
	}
	if away := time.Since(d.failing); away >= d.retryFor {
		return fmt.Errorf("socket %s cannot be used (%d attempts in %v): %w. Start the server (as with: nc -lk PORT), or allow more time with RetryFor",
			d.address, d.attempts, away.Round(time.Millisecond), cause)
	}
	return nil
}

// good says that the connection does what it should.
func (d *dialer) good() { d.attempts, d.waitMs = 0, 0 }

func (d *dialer) rest(ctx context.Context) error {
	if d.waitMs == 0 {
		return ctx.Err()
	}
	t := time.NewTimer(time.Duration(d.waitMs) * time.Millisecond)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
