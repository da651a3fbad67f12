// Wordcount counts words that arrive on a socket, per five seconds:
//
//	nc -lk 9999                                               # in one terminal: type words
//	go run ./examples/wordcount --address localhost:9999      # in another; it does not matter which is started first
//
// Without an address it is its own server, which says a few lines and hangs up.
//
// State and windows survive a failure exactly once. The socket itself has no memory: what the server sent while the job was down, or shortly
// before it failed, is lost. That is at most once; files and logs that can be read again give exactly once.
package main

import (
	"flag"
	"strings"
	"time"

	"github.com/flottio/flott"
	"github.com/flottio/flott/cli"
	"github.com/flottio/flott/connector/print"
	"github.com/flottio/flott/connector/socket"
	"github.com/flottio/flott/format/raw"
)

var address = flag.String("address", "", "`HOST:PORT` of a server that sends lines; without it, the example is its own")

// WordCount is how often a word came.
type WordCount struct {
	Word  string
	Count int64
}

func build(env *flott.Env) {
	env.Set("execution.checkpointing.interval", "5000 ms")
	env.Set("execution.checkpointing.mode", "EXACTLY_ONCE")
	env.Set("execution.checkpointing.timeout", "60000 ms")
	env.Set("execution.checkpointing.min-pause", "500 ms")
	env.Set("execution.checkpointing.externalized-checkpoint-retention", "RETAIN_ON_CANCELLATION")
	env.Set("restart-strategy.type", "fixed-delay")
	env.Set("restart-strategy.fixed-delay.attempts", "3")
	env.Set("restart-strategy.fixed-delay.delay", "5000 ms")

	count(env, source()).To("print", print.Sink[WordCount]())
}

func source() flott.Source[string] {
	if *address == "" {
		return socket.Source(ownServer(), raw.Lines(), socket.EndOnClose())
	}
	return socket.Source(*address, raw.Lines())
}

// count is the job between source and sink.
func count(env *flott.Env, lines flott.Source[string]) flott.Stream[WordCount] {
	words := flott.FlatMap(flott.From(env, "lines", lines), func(line string, emit func(WordCount)) {
		for word := range strings.FieldsSeq(strings.ToLower(line)) {
			emit(WordCount{word, 1})
		}
	})
	perWord := flott.KeyBy(words, func(w WordCount) string { return w.Word })
	window := perWord.Window(flott.Tumbling(5 * time.Second).ProcessingTime())
	return flott.Reduce(window, "count", func(a, b WordCount) WordCount { return WordCount{a.Word, a.Count + b.Count} })
}

func main() {
	cli.Main("wordcount", build, cli.Doc("Counts words from a socket, per five seconds."))
}
