//go:build linux

package main

import (
	"bytes"
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// Exit codes of the command line.
const (
	exitRestore    = 3
	exitTerminated = 143
)

// stop ends the job with a savepoint. It reports whether the job ended before.
func (r *round) stop(p *process) (ended bool) {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		r.fail("%v", err)
	}
	err := r.await(p)
	log := r.log()
	_, path, saved := strings.Cut(log, "Savepoint completed. Path: ")
	path, _, _ = strings.Cut(path, "\n")
	switch code := p.cmd.ProcessState.ExitCode(); {
	case code == -1 && p.cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() == syscall.SIGTERM:
		return false // it had not begun
	case code == exitTerminated && !saved:
		r.goneOn() // it had begun, and did not run yet: suspended
		return false
	case err == nil && saved:
		r.goneOn()
		r.c.stops++
		r.saved = path
		if out, err := exec.Command(r.c.binary, "state", "fsck", path).CombinedOutput(); err != nil {
			r.fail("the savepoint %s: %v\n%s", path, err, out)
		}
		return false
	case err == nil:
		return true
	}
	r.fail("SIGTERM: %v", err)
	return false
}

func (r *round) log() string {
	data, err := os.ReadFile(r.logName())
	if err != nil {
		r.fail("%v", err)
	}
	return string(data)
}

// goneOn checks that the process before has gone on from the savepoint with which the one before it was stopped, if it came as far as
// to say so.
func (r *round) goneOn() {
	if r.saved == "" {
		return
	}
	if log := r.log(); strings.Contains(log, "from checkpoint ") || strings.Contains(log, "starting afresh") {
		r.fail("the job was stopped with %s and has gone on from something else", r.saved)
	}
	if strings.Contains(r.log(), "from savepoint ") {
		r.saved = "" // the next one may go on from a checkpoint of this one
	}
}

// complete lists the complete checkpoints, the newest first.
func (r *round) complete() []string {
	manifests, err := filepath.Glob(filepath.Join(r.dir, "out", "checkpoints", "*", "chk-*", "_metadata"))
	if err != nil {
		r.fail("%v", err)
	}
	for i, m := range manifests {
		manifests[i] = filepath.Dir(m)
	}
	slices.SortFunc(manifests, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(b, a)) })
	return manifests
}

// damage damages a file of the newest checkpoint, wants the next start to be refused, and undoes the damage.
func (r *round) damage() {
	chk := r.complete()
	if len(chk) < 2 || r.saved != "" {
		return // nothing to go back to, or it would go on from the savepoint, which is newer
	}
	// A manifest that a crash left without a note of it may go unnoticed as long as nobody has gone on from it: nothing is committed.
	if p := r.startFrom(filepath.Join(r.dir, "out"), "latest", roundRate, "plan"); r.await(p) != nil {
		r.fail("the plan of a restore failed")
	}
	files, err := os.ReadDir(chk[0])
	if err != nil {
		r.fail("%v", err)
	}
	file := filepath.Join(chk[0], files[r.c.rng.IntN(len(files))].Name())
	whole, err := os.ReadFile(file)
	if err != nil || len(whole) == 0 {
		r.fail("%s: %d bytes, %v", file, len(whole), err)
	}
	damaged := bytes.Clone(whole)
	what := []string{"a bit", "a cut", "no file"}[r.c.rng.IntN(3)]
	switch what {
	case "a bit":
		damaged[r.c.rng.IntN(len(damaged))] ^= 1 << r.c.rng.IntN(8)
		err = os.WriteFile(file, damaged, 0o600)
	case "a cut":
		err = os.WriteFile(file, damaged[:r.c.rng.IntN(len(damaged))], 0o600)
	case "no file":
		err = os.Remove(file)
	}
	if err != nil {
		r.fail("%v", err)
	}
	before := r.results(filepath.Join(r.dir, "out"))
	p := r.start(roundRate)
	_ = r.await(p)
	log := r.log()
	if code := p.cmd.ProcessState.ExitCode(); code != exitRestore {
		r.fail("%s in %s: exit code %d, want %d", what, file, code, exitRestore)
	}
	for _, part := range []string{file, "expected", "found", "start with -s " + chk[1]} {
		if !strings.Contains(log, part) {
			r.fail("%s in %s: the refusal lacks %q", what, file, part)
		}
	}
	if !maps.Equal(before, r.results(filepath.Join(r.dir, "out"))) {
		r.fail("%s in %s: the refused process has changed the results", what, file)
	}
	r.c.damaged++
	r.goBack(chk[1])
	if err := os.WriteFile(file, whole, 0o600); err != nil {
		r.fail("%v", err)
	}
}

// goBack does once in a round what the refusal proposed, in a copy of the directory with its damage: the job goes on from the older checkpoint and
// ends. What it had committed since is there twice, as it was told; nothing is lost.
func (r *round) goBack(older string) {
	if r.back {
		return
	}
	r.back = true
	out, fork := filepath.Join(r.dir, "out"), filepath.Join(r.dir, "fork")
	if err := os.CopyFS(fork, os.DirFS(out)); err != nil {
		r.fail("%v", err)
	}
	p := r.startFrom(fork, filepath.Join(fork, strings.TrimPrefix(older, out)), 0)
	if err := r.await(p); err != nil {
		r.fail("going back to %s in a copy: %v", older, err)
	}
	got, err := readResults(fork)
	if err != nil {
		r.fail("reading the results of the copy: %v", err)
	}
	if lost, _, text := got.compare(r.want); lost > 0 {
		r.fail("going back to %s in a copy has lost %d:\n%s", older, lost, text)
	}
	if err := os.RemoveAll(fork); err != nil {
		r.fail("%v", err)
	}
	r.c.back++
}

// results are the files of a directory of results and their sizes.
func (r *round) results(out string) map[string]int64 {
	sizes := map[string]int64{}
	for _, dir := range []string{"counts", "late", "dead"} {
		err := filepath.WalkDir(filepath.Join(out, dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			info, err := d.Info()
			if err == nil {
				sizes[path] = info.Size()
			}
			return err
		})
		if err != nil {
			r.fail("%v", err)
		}
	}
	return sizes
}

// announce prints a line where it is seen. The go command drops what a test that passes has printed, unless it has -v or no list of packages; then
// the line goes to the go command's own output, if that is a terminal or a pipe. In a file it would overwrite what others have written.
func announce(line string) {
	fmt.Print(line)
	if testing.Verbose() {
		return
	}
	theirs := fmt.Sprintf("/proc/%d/fd/1", os.Getppid())
	info, err := os.Stat(theirs)
	if err != nil || info.Mode()&(fs.ModeCharDevice|fs.ModeNamedPipe) == 0 {
		return
	}
	if ours, err := os.Stdout.Stat(); err != nil || os.SameFile(ours, info) {
		return // it is not dropped
	}
	f, err := os.OpenFile(theirs, os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return
	}
	defer f.Close()
	fmt.Fprint(f, line)
}
