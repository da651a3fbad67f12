package metrics

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Server serves a registry, and the Go runtime's own metrics, to Prometheus. It listens on the loopback interface only: metrics
// name jobs and operators, and there is no authentication here.
type Server struct {
	listener net.Listener
	server   *http.Server
}

const (
	serverHeaderTimeout   = 5 * time.Second
	serverWriteTimeout    = 30 * time.Second
	serverShutdownTimeout = 2 * time.Second
	serverHeaderMaxBytes  = 16 << 10
	maxScrapesInFlight    = 4
)

// Listen opens the port on the loopback interface; 0 means any free one. Nothing is served before Run.
func Listen(registry *Registry, port int) (*Server, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return nil, fmt.Errorf("opening metrics.port %d on the loopback interface: %w; choose another port, or 0 for any free one", port, err)
	}
	return &Server{listener: listener, server: &http.Server{
		Handler:           Handler(registry),
		ReadHeaderTimeout: serverHeaderTimeout,
		WriteTimeout:      serverWriteTimeout,
		MaxHeaderBytes:    serverHeaderMaxBytes,
	}}, nil
}

// Handler answers every path with the text exposition, as Flink's reporter does.
func Handler(registry *Registry) http.Handler {
	gatherer := prometheus.NewRegistry()
	gatherer.MustRegister(collector{registry}, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return promhttp.HandlerFor(gatherer, promhttp.HandlerOpts{
		ErrorHandling:       promhttp.ContinueOnError,
		MaxRequestsInFlight: maxScrapesInFlight,
	})
}

// Addr is the address that Listen got, as host:port.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Run serves until ctx is done, and returns when everything it started has ended. It closes the port.
func (s *Server) Run(ctx context.Context) error {
	served := make(chan error, 1)
	go func() { served <- s.server.Serve(s.listener) }()
	select {
	case err := <-served:
		return fmt.Errorf("serving metrics on %s: %w", s.Addr(), err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), serverShutdownTimeout)
	defer cancel()
	err := s.server.Shutdown(grace)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.server.Close() // a scrape that hangs does not hold up the process
	}
	if ended := <-served; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	if err != nil {
		return fmt.Errorf("closing the metrics server on %s: %w", s.Addr(), err)
	}
	return nil
}
