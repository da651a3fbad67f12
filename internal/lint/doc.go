// Package lint checks, as a Go test over the whole module, the rules of this code base which no compiler knows: which package may import
// which, what a pure package may not touch, how things are not to be named, how long they may get, and calls with a better replacement.
//
// A finding is silenced where it stands, with a reason, and silenced findings are counted and printed:
//
//	//lint:ignore RULE reason        on the line, or the line above it; above a declaration it covers the declaration
//	//lint:file-ignore RULE reason   anywhere in a file
//
// It owns the rules' tables (rules.go). It never changes a file. Nobody imports it.
package lint
