package main

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/flottio/flott"
	"github.com/flottio/flott/config"
	"github.com/flottio/flott/connector/socket"
	"github.com/flottio/flott/flotttest"
	"github.com/flottio/flott/format/raw"
)

// Journey J4: words from a server, which in one case is started after the job.
func TestCountsWordsFromASocket(t *testing.T) {
	for _, serverFirst := range []bool{true, false} {
		t.Run(fmt.Sprintf("server first: %v", serverFirst), func(t *testing.T) {
			// The address is taken now and served later.
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			address := listener.Addr().String()
			if !serverFirst {
				if err := listener.Close(); err != nil {
					t.Fatal(err)
				}
			}
			served := make(chan error, 1)
			go func() {
				if !serverFirst {
					<-time.After(150 * time.Millisecond) // the job has been refused by then, once at least
					var err error
					if listener, err = net.Listen("tcp", address); err != nil {
						served <- err
						return
					}
				}
				served <- serve(listener, 1000)
			}()

			out := flotttest.NewLedger[WordCount]()
			job, err := flott.Prepare("wordcount", func(env *flott.Env) {
				count(env, socket.Source(address, raw.Lines(), socket.EndOnClose())).To("out", out)
			}, config.New(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := job.Run(context.Background()); err != nil {
				t.Fatal(err)
			}
			if err := <-served; err != nil {
				t.Fatal(err)
			}
			total := map[string]int64{}
			for _, w := range out.Records() {
				total[w.Word] += w.Count
			}
			if len(total) != 3 || total["to"] != 2000 || total["be"] != 2000 || total["not"] != 1000 {
				t.Errorf("counted %v, want to 2000, be 2000, not 1000", total)
			}
		})
	}
}

// serve sends lines to the first that connects.
func serve(l net.Listener, lines int) error {
	defer l.Close()
	conn, err := l.Accept()
	if err != nil {
		return err
	}
	for range lines {
		if _, err := fmt.Fprintln(conn, "To be not  to be"); err != nil {
			return err
		}
	}
	return conn.Close()
}

// The settings of J4 are accepted as they are written.
func TestSettings(t *testing.T) {
	job, err := flott.Prepare("wordcount", build, config.New(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if job.Plan() == "" {
		t.Error("no plan")
	}
}
