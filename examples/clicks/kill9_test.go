//go:build linux

package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

var (
	kills     = flag.Int("kills", 20, "how often TestKill9 kills the job")
	kill9Seed = flag.Uint64("kill9.seed", 0, "what chance starts from in TestKill9; 0 takes the clock")
)

// TestKill9 runs the example as users do, a process that reads and writes files, kills it with SIGKILL again and again, at random moments and at
// chosen ones, restarts it from its latest checkpoint with another parallelism and the other backend, and lets it end at last. Then
// the finished files must hold each click exactly once.
//
// Between kills the job is also stopped with a savepoint by SIGTERM, goes on with -n, and finds its newest checkpoint damaged: it must refuse to
// start, naming the damage and the checkpoint that it could go back to, and go on as if nothing had happened once the damage is undone.
//
// Its verdict is printed without -v, too, if the go command's output is a terminal or a pipe.
func TestKill9(t *testing.T) {
	c := newCampaign(t)
	for c.kills < *kills {
		r := c.newRound()
		r.run()
		r.verify()
		if !t.Failed() {
			_ = os.RemoveAll(r.dir) // the system removes it otherwise
		}
	}
	announce(fmt.Sprintf("kills=%d lost=%d doubled=%d leftovers=%d\n", c.kills, c.lost, c.doubled, c.leftovers))
	fmt.Printf("stops with a savepoint=%d, starts with -n=%d, damaged and refused=%d, gone back to the older one in a copy=%d\n",
		c.stops, c.allowed, c.damaged, c.back)
	if c.lost+c.doubled+c.leftovers > 0 {
		t.Fail()
	}
}

const (
	// roundKillsMax is how many kills one set of files takes: then it may end, and the next set begins.
	roundKillsMax = 25
	// roundRows and roundRate are such that a round outlives its kills: what a process reads between two checkpoints is lost with it.
	roundFiles  = 8
	roundRows   = 480_000
	roundRate   = 25_000 // a second and subtask
	numRetained = 3
	// Of so many starts one is ended by SIGTERM instead of SIGKILL, one is with -n, and after so many one finds its checkpoint damaged.
	stopOneIn   = 6
	allowOneIn  = 4
	damageOneIn = 6
	// aimMaxMs is how long a process may run while it is waited for the moment to kill it.
	aimMaxMs = 1500
	// endMaxMs is how long the undisturbed run at the end may take.
	endMaxMs = 120_000
)

// campaign is all rounds.
type campaign struct {
	t      *testing.T
	rng    *rand.Rand
	seed   uint64
	binary string

	rounds, kills, lost, doubled, leftovers int
	stops, allowed, damaged, back           int
	aimed                                   map[string]int
}

func newCampaign(t *testing.T) *campaign {
	c := &campaign{t: t, seed: *kill9Seed, aimed: map[string]int{}}
	if c.seed == 0 {
		c.seed = uint64(time.Now().UnixNano())
	}
	c.rng = rand.New(rand.NewPCG(c.seed, 9))
	t.Logf("to repeat the same choices: go test ./examples/clicks -run Kill9 -kills %d -kill9.seed %d", *kills, c.seed)
	c.binary = buildExample(t)
	return c
}

// buildExample builds the example as it is shipped, with invariants if this test has them.
func buildExample(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "clicks")
	args := []string{"build", "-o", binary}
	if invariantsOn {
		args = append(args, "-tags", "invariants")
	}
	if out, err := exec.Command("go", append(args, ".")...).CombinedOutput(); err != nil {
		t.Fatalf("building the example: %v\n%s", err, out)
	}
	return binary
}

// round is one set of input files and one directory of results.
type round struct {
	c        *campaign
	number   int
	dir      string
	want     *ledger
	starts   int
	killed   int
	retained int    // complete checkpoints after the last kill
	back     bool   // it was tried to go back, in a copy
	saved    string // the savepoint that the next start goes on from, empty if none
}

func (c *campaign) newRound() *round {
	c.t.Helper()
	dir, err := os.MkdirTemp("", "flott-kill9-")
	if err != nil {
		c.t.Fatal(err)
	}
	r := &round{c: c, number: c.rounds, dir: dir}
	c.rounds++
	r.want, err = writeInput(filepath.Join(dir, "in"), roundFiles, trafficOf(roundRows, c.seed+uint64(r.number)))
	if err != nil {
		c.t.Fatal(err)
	}
	for _, d := range []string{"out/counts", "out/late", "out/dead", "out/checkpoints", "tmp", "savepoints"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			c.t.Fatal(err)
		}
	}
	return r
}

// fail keeps the directory and says where to look.
func (r *round) fail(format string, args ...any) {
	r.c.t.Helper()
	r.c.t.Fatalf("%s\nround %d, start %d, seed %d; everything is kept in %s; the last run said:\n%s\nlook with: ls -laR %s/out | less; tail %s/run-*.log",
		fmt.Sprintf(format, args...), r.number, r.starts, r.c.seed, r.dir, tail(r.logName()), r.dir, r.dir)
}

func (r *round) logName() string { return filepath.Join(r.dir, fmt.Sprintf("run-%03d.log", r.starts)) }

func tail(name string) string {
	data, err := os.ReadFile(name)
	if err != nil {
		return err.Error()
	}
	return string(data[max(0, len(data)-4000):])
}

// run kills until enough were killed, then lets the job end.
func (r *round) run() {
	quota := min(roundKillsMax, *kills-r.c.kills)
	for r.killed < quota {
		if ended := r.disturbed(); ended {
			return
		}
		if r.c.rng.IntN(damageOneIn) == 0 {
			r.damage()
		}
	}
	if err := r.await(r.start(0)); err != nil {
		r.fail("the undisturbed run failed: %v", err)
	}
}

// await waits for the end of a process that ends by itself.
func (r *round) await(p *process) error {
	select {
	case err := <-p.ended:
		return err
	case <-time.After(endMaxMs * time.Millisecond):
		_ = p.cmd.Process.Signal(syscall.SIGQUIT) // its goroutines go to the log
		<-p.ended
		r.fail("the process does not end")
		return nil
	}
}

// process is one execution of the job.
type process struct {
	cmd   *exec.Cmd
	ended chan error
}

// start executes the job from its latest checkpoint.
func (r *round) start(rate int) *process {
	return r.startFrom(filepath.Join(r.dir, "out"), "latest", rate)
}

// startFrom executes the job with a parallelism and backend of its own.
func (r *round) startFrom(out, from string, rate int, verb ...string) *process {
	r.starts++
	parallelism := []int{1, 2, 4}[r.c.rng.IntN(3)]
	backend := []string{"hashmap", "rocksdb"}[r.starts%2]
	interval := []int{50, 100}[r.c.rng.IntN(2)]
	cmd := exec.Command(r.c.binary, append(verb, "--input", filepath.Join(r.dir, "in", "*.jsonl"), "--output", out,
		"--rate", strconv.Itoa(rate), "-s", from, "-p", strconv.Itoa(parallelism),
		"-D", "state.backend.type="+backend,
		"-D", fmt.Sprintf("execution.checkpointing.interval=%d ms", interval),
		"-D", fmt.Sprintf("execution.checkpointing.num-retained=%d", numRetained),
		"-D", "execution.checkpointing.savepoint-dir="+filepath.Join(r.dir, "savepoints"),
		"-D", "io.tmp.dirs="+filepath.Join(r.dir, "tmp"))...)
	if r.c.rng.IntN(allowOneIn) == 0 {
		cmd.Args = append(cmd.Args, "-n")
		r.c.allowed++
	}
	log, err := os.Create(r.logName())
	if err != nil {
		r.fail("%v", err)
	}
	fmt.Fprintln(log, strings.Join(cmd.Args, " "))
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		r.fail("%v", err)
	}
	p := &process{cmd: cmd, ended: make(chan error, 1)}
	go func() {
		p.ended <- errors.Join(cmd.Wait(), log.Close())
	}()
	return p
}

// disturbed starts the job and kills it at some moment. It reports whether the job ended before.
func (r *round) disturbed() bool {
	aim := r.c.aim()
	w, err := watch(filepath.Join(r.dir, "out"))
	if err != nil {
		r.fail("%v", err)
	}
	defer w.close()
	p := r.start(roundRate)
	moment := make(chan struct{})
	stop := make(chan struct{})
	go func() { aim.wait(w, stop); close(moment) }()
	defer func() { close(stop); <-moment }()
	select {
	case err := <-p.ended:
		if err != nil {
			r.fail("the job failed by itself: %v", err)
		}
		return true
	case <-moment:
	}
	if r.c.rng.IntN(stopOneIn) == 0 {
		return r.stop(p)
	}
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		r.fail("%v", err)
	}
	err = <-p.ended
	r.goneOn()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return true // it was quicker
	case !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL:
		r.fail("the job failed by itself: %v", err)
	}
	r.killed++
	r.c.kills++
	r.c.aimed[aim.name]++
	r.checkRetained()
	return false
}

// checkRetained counts the complete checkpoints: a process that is killed between a checkpoint's completion and the removal of the oldest leaves
// one more than it found, or than are retained. The next one removes all that are too many, once it has completed one.
func (r *round) checkRetained() {
	complete := r.complete()
	if len(complete) > max(numRetained, r.retained)+1 {
		r.fail("%d complete checkpoints after %d, %d should be retained: %s", len(complete), r.retained, numRetained, strings.Join(complete, " "))
	}
	r.retained = len(complete)
}

// verify is the verdict, from the finished files only.
func (r *round) verify() {
	out := filepath.Join(r.dir, "out")
	got, err := readResults(out)
	if err != nil {
		r.fail("reading the results: %v", err)
	}
	lost, doubled, text := got.compare(r.want)
	leftovers := leftoversIn(out, filepath.Join(r.dir, "tmp"))
	r.c.lost += lost
	r.c.doubled += doubled
	r.c.leftovers += len(leftovers)
	if lost+doubled+len(leftovers) > 0 {
		r.fail("kills=%d lost=%d doubled=%d leftovers=%d\n%sleftovers: %s", r.c.kills, lost, doubled, len(leftovers), text,
			strings.Join(leftovers, "\n"))
	}
	var aims bytes.Buffer
	for _, a := range moments {
		fmt.Fprintf(&aims, " %s=%d", a.name, r.c.aimed[a.name])
	}
	r.c.t.Logf("round %d: %d starts, %d kills, %d late, moments so far:%s", r.number, r.starts, r.killed, got.lateRows, aims.String())
}

// leftoversIn lists what should not be there once the job has ended: unfinished files, checkpoints (a job that ends by itself keeps none), local
// files of the backend.
func leftoversIn(out, tmp string) []string {
	var left []string
	_ = filepath.WalkDir(out, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			left = append(left, err.Error())
			return nil
		}
		checkpoints := strings.HasPrefix(path, filepath.Join(out, "checkpoints"))
		if !checkpoints && strings.HasPrefix(d.Name(), ".") || checkpoints && strings.HasPrefix(d.Name(), "chk-") {
			left = append(left, path)
		}
		return nil
	})
	entries, err := os.ReadDir(tmp)
	if err != nil {
		left = append(left, err.Error())
	}
	for _, e := range entries {
		left = append(left, filepath.Join(tmp, e.Name()))
	}
	return left
}
