package task

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/flottio/flott/codec"
)

// stackOf is a stack as runtime/debug writes it, of frames "function file" from the innermost.
func stackOf(frames ...string) string {
	s := "goroutine 7 [running]:\n"
	for _, f := range frames {
		name, file, _ := strings.Cut(f, " ")
		s += name + "(0x1)\n\t" + file + ":1 +0x1\n"
	}
	return s
}

// Whose panic it is decides between a failure of the job's functions, which may be restarted, and a bug.
func TestWhosePanic(t *testing.T) {
	const (
		rescue  = modulePath + "/internal/task.(*Task).rescue /x/failure.go"
		panics  = "panic /go/src/runtime/panic.go"
		sigpan  = "runtime.sigpanic /go/src/runtime/signal_unix.go"
		user    = "main.build.func1 /home/u/main.go"
		lib     = "example.org/x/lib.F /m/example.org/x/lib@v1/f.go"
		std     = "strings.Repeat /go/src/strings/strings.go"
		sort    = "slices.SortFunc[...] /go/src/slices/sort.go"
		root    = modulePath + ".(*KeyedContext[...]).SetEventTimer /m/context.go"
		process = modulePath + "/internal/operator.(*Map[...]).Process /m/map.go"
		table   = modulePath + "/internal/state.(*Table[...]).Get /m/table.go"
		file    = modulePath + "/connector/file.(*reader[...]).Read /m/reader.go"
		example = modulePath + "/examples/clicks.build.func1 /m/main.go"
	)
	for name, c := range map[string]struct {
		frames []string
		kept   []string // functions
		bug    bool
	}{
		"user":                      {[]string{rescue, panics, sigpan, user, process}, []string{"main.build"}, false},
		"library of the user":       {[]string{rescue, panics, lib, user, process}, []string{"lib.F", "main.build"}, false},
		"standard library":          {[]string{rescue, panics, std, user, process}, []string{"strings.Repeat", "main.build"}, false},
		"user below a library":      {[]string{rescue, panics, user, sort, root, process}, []string{"main.build"}, false},
		"public API misused":        {[]string{rescue, panics, root, user, process}, []string{"SetEventTimer", "main.build"}, false},
		"example":                   {[]string{rescue, panics, example, process}, []string{"clicks.build"}, false},
		"engine":                    {[]string{rescue, panics, sigpan, table, process}, nil, true},
		"engine called by the user": {[]string{rescue, panics, table, root, user, process}, nil, true},
		"engine's library call":     {[]string{rescue, panics, std, table, user, process}, nil, true},
		"connector":                 {[]string{rescue, panics, file, root, process}, nil, true},
	} {
		stack := stackOf(c.frames...)
		e := newPanicError("x", []byte(stack))
		if e.bug != c.bug {
			t.Errorf("%s: bug %v, want %v", name, e.bug, c.bug)
		}
		if c.bug {
			if e.stack != stack {
				t.Errorf("%s: not the whole stack:\n%s", name, e.stack)
			}
			continue
		}
		var kept []string
		for i, line := range strings.Split(e.stack, "\n") {
			if i%2 == 0 {
				kept = append(kept, line)
			}
		}
		ok := len(kept) == len(c.kept)
		for i := range kept {
			ok = ok && strings.Contains(kept[i], c.kept[i])
		}
		if !ok {
			t.Errorf("%s: kept %q, want %q", name, kept, c.kept)
		}
	}
	failed := newPanicError(&codec.MarshalError{Type: reflect.TypeFor[int](), Err: errors.New("no")}, []byte(stackOf(rescue, panics, table, process)))
	if failed.bug {
		t.Error("a codec of the user that fails is taken for a bug of the engine")
	}
}
