package task

import (
	"runtime/debug"
	"strings"
	"sync"
)

// Bounds of a stack that is kept.
const (
	maxFrames     = 20
	maxStackBytes = 16 << 10
)

// userFrames keeps of the stack of a panic what a user can act on: from the panic up to the engine that called the user's function. It is
// empty if there is no function of the user there: then the engine itself panicked.
func userFrames(stack string) string {
	lines := strings.Split(stack, "\n")
	var kept []string
	panicked := false
	last := 0 // behind the last frame of the user in kept
	for i := 1; i+1 < len(lines) && len(kept) < 2*maxFrames; i += 2 {
		name, at := lines[i], lines[i+1]
		if strings.HasPrefix(name, "panic(") {
			panicked = true
			continue
		}
		if !panicked || strings.HasPrefix(name, "runtime.") {
			continue
		}
		o := ownerOf(name, at)
		if o == ownerEngine {
			break
		}
		kept = append(kept, name, at)
		if o == ownerUser {
			last = len(kept)
		}
	}
	return strings.Join(kept[:last], "\n")
}

// owner says whose a frame is.
type owner uint8

const (
	ownerUser   owner = iota
	ownerShared       // the standard library and Flott's public packages: called by the user or by the engine
	ownerEngine
)

const modulePath = "github.com/flottio/flott"

// ownerOf judges a frame by its two lines in a stack: the function with its package, the file.
func ownerOf(function, file string) owner {
	if file, _, _ := strings.Cut(strings.TrimSpace(file), ":"); strings.HasSuffix(file, "_test.go") {
		return ownerUser
	}
	switch rest, ours := strings.CutPrefix(function, modulePath); {
	case ours && strings.HasPrefix(rest, "/internal/"):
		return ownerEngine
	case ours && (strings.HasPrefix(rest, "/examples/") || strings.HasPrefix(rest, "/bench/")):
		return ownerUser
	case ours && strings.HasPrefix(rest, "."), ours && strings.HasPrefix(rest, "/"):
		return ownerShared
	}
	if inStandardLibrary(function) {
		return ownerShared
	}
	return ownerUser
}

// mainModule is the path of the module that the program is of.
var mainModule = sync.OnceValue(func() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Path
	}
	return ""
})

// inStandardLibrary tells packages of Go from those of the program: their paths begin without a dot, and are neither main nor in the program's
// module.
func inStandardLibrary(function string) bool {
	first, _, _ := strings.Cut(function, "/")
	if first == function { // no slash: the package's name ends at the first dot
		first, _, _ = strings.Cut(function, ".")
	}
	if first == "main" || strings.Contains(first, ".") {
		return false
	}
	module := mainModule()
	rest, inside := strings.CutPrefix(function, module)
	return module == "" || !inside || !strings.HasPrefix(rest, "/") && !strings.HasPrefix(rest, ".")
}
