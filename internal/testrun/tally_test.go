package main

import (
	"bytes"
	"strings"
	"testing"
)

func count(t *testing.T, lines ...string) (tally, string) {
	t.Helper()
	var out bytes.Buffer
	got := tally{out: &out}
	if err := got.events(strings.NewReader(strings.Join(lines, "\n"))); err != nil {
		t.Fatal(err)
	}
	return got, out.String()
}

func TestEveryTestCounts(t *testing.T) {
	got, out := count(t,
		`{"Action":"run","Package":"p","Test":"TestA"}`,
		`{"Action":"output","Package":"p","Test":"TestA/x","Output":"what went wrong\n"}`,
		`{"Action":"pause","Package":"p","Test":"TestA/x"}`,
		`{"Action":"fail","Package":"p","Test":"TestA/x"}`,
		`{"Action":"fail","Package":"p","Test":"TestA"}`,
		`{"Action":"output","Package":"p","Test":"TestB","Output":"chatter\n"}`,
		`{"Action":"pass","Package":"p","Test":"TestB"}`,
		`{"Action":"skip","Package":"p","Test":"TestC"}`,
		`{"Action":"fail","Package":"p"}`,
		`{"Action":"pass","Package":"q"}`)
	if got.passed != 1 || got.failed != 2 || got.skipped != 1 {
		t.Errorf("%d passed, %d failed, %d skipped", got.passed, got.failed, got.skipped)
	}
	if !strings.Contains(out, "what went wrong") || strings.Contains(out, "chatter") {
		t.Errorf("output of the failing test, and of no other, must be shown:\n%s", out)
	}
}

func TestPackageThatDoesNotBuildCounts(t *testing.T) {
	got, out := count(t,
		`{"ImportPath":"m/p [m/p.test]","Action":"build-output","Output":"x.go:1: undefined: y\n"}`,
		`{"ImportPath":"m/p [m/p.test]","Action":"build-fail"}`,
		`{"Action":"output","Package":"m/p","Output":"FAIL m/p [build failed]\n"}`,
		`{"Action":"fail","Package":"m/p","FailedBuild":"m/p [m/p.test]"}`)
	if got.failed != 1 || !strings.Contains(out, "undefined: y") {
		t.Errorf("%d failed:\n%s", got.failed, out)
	}
}

func TestPackageThatPanicsCounts(t *testing.T) {
	got, out := count(t,
		`{"Action":"run","Package":"p","Test":"TestA"}`,
		`{"Action":"output","Package":"p","Test":"TestA","Output":"panic: BUG: x\n"}`,
		`{"Action":"fail","Package":"p"}`)
	if got.failed != 1 || !strings.Contains(out, "BUG: x") {
		t.Errorf("%d failed:\n%s", got.failed, out)
	}
}

func TestCommandsCount(t *testing.T) {
	var out bytes.Buffer
	got := tally{out: &out}
	command(t.Context(), &got, loud, "go", "version")
	command(t.Context(), &got, quiet, "go", "version")
	command(t.Context(), &got, loud, "go", "no-such-command")
	if got.passed != 1 || got.failed != 2 {
		t.Errorf("%d passed, %d failed:\n%s", got.passed, got.failed, out.String())
	}
}
