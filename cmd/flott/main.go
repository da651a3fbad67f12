// Command flott is Flott's own binary. A job has a binary of its own, see package cli.
package main

import (
	"github.com/flottio/flott/cli"
	"github.com/flottio/flott/cli/sqlcli"
)

func main() { cli.Flott(sqlcli.Scripts()) }
