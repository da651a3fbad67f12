package main

import (
	"fmt"
	"net"
	"strings"
	"sync"
)

const lines = `a flood of words
one word and one more word
no word is lost while the job is up
`

// ownServer starts a server that sends a few lines to the first that connects, and returns its address, the same each time it is asked.
// It ends with the connection, or with the process.
var ownServer = sync.OnceValue(func() string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(fmt.Sprintf("starting the example's own server: %v; name another with --address", err))
	}
	go func() {
		defer listener.Close()
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = strings.NewReader(lines).WriteTo(conn) // the job sees the end of it
	}()
	return listener.Addr().String()
})
