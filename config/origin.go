package config

import (
	"runtime"
	"strconv"
)

// Origin is the place where a key or a value was written. The zero value is an unknown place.
type Origin struct {
	// Source is a file's path, "-D", "env NAME", or a Go file.
	Source string
	// Line and Column count from 1; 0 means that the source has none.
	Line, Column int
}

// String writes file:line:col, leaving out what is unknown.
func (o Origin) String() string {
	text := o.Source
	if text == "" {
		text = "(unknown)"
	}
	if o.Line > 0 {
		text += ":" + strconv.Itoa(o.Line)
		if o.Column > 0 {
			text += ":" + strconv.Itoa(o.Column)
		}
	}
	return text
}

// Caller returns the place in Go code skip frames above the function that calls it.
func Caller(skip int) Origin {
	_, file, line, ok := runtime.Caller(skip + 1)
	if !ok {
		return Origin{Source: "code"}
	}
	return Origin{Source: file, Line: line}
}

// Layer orders the sources of values: a higher layer overrides a lower one; within a layer the later value wins.
type Layer int

// The layers, weakest first.
const (
	LayerCode Layer = iota
	LayerFile
	LayerEnv
	LayerFlag
)
