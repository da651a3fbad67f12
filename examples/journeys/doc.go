// Package journeys holds the tests of what first users do, step by step, with whole jobs: through the public packages alone, in this process
// or, where messages, exit codes and signals matter, in processes of their own that the tests start.
package journeys
