package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
)

const modulePath = "github.com/flottio/flott"

// version is the line that the verb version prints: which Flott, and for a job's binary which state of the job's own code.
func version(name string) string {
	flott, own := "(devel)", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		if info.Main.Path == modulePath {
			flott = orElse(info.Main.Version, flott)
		} else {
			own = " " + info.Main.Version
			for _, d := range info.Deps {
				if d.Path == modulePath {
					flott = d.Version
				}
			}
		}
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				own += ", commit " + s.Value[:min(12, len(s.Value))]
			}
		}
	}
	platform := fmt.Sprintf("%s, %s/%s", runtime.Version(), runtime.GOOS, runtime.GOARCH)
	if name == "flott" {
		return fmt.Sprintf("flott %s%s, %s", flott, own, platform)
	}
	return fmt.Sprintf("%s%s, Flott %s, %s", name, own, flott, platform)
}

// callOf is how people start this binary, for messages that they copy. What "go run" made is called by its package.
func callOf(arg0 string) string {
	if !strings.Contains(arg0, "go-build") || !strings.Contains(arg0, "/exe/") {
		return quoteShell(arg0)
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Path != "" && info.Path != "command-line-arguments" {
		return "go run " + info.Path
	}
	return "go run ."
}
