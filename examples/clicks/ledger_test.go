package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/flottio/flott"
	"github.com/flottio/flott/examples/clicks/traffic"
)

// ledger is what clicks come to: how many there are for each window and URL, and which lines are no clicks.
type ledger struct {
	counts map[windowURL]int64
	users  map[string]windowURL
	bad    map[string]int

	// twice are windows and late clicks that are in the results more than once; only in what was read from results.
	twice    []string
	lateRows int
}

type windowURL struct {
	start int64 // ms
	url   string
}

func newLedger() *ledger {
	return &ledger{counts: map[windowURL]int64{}, users: map[string]windowURL{}, bad: map[string]int{}}
}

func windowOf(timeMs int64, url string) windowURL {
	return windowURL{timeMs - timeMs%time.Minute.Milliseconds(), url}
}

func trafficOf(rows int, seed uint64) traffic.Options {
	return traffic.Options{Rows: rows, Seed: seed, URLs: 50, PerSecond: 200, Disorder: 5 * time.Second, Late: 0.01, Bad: 0.0001}
}

// writeInput writes clicks into files that follow one another in time.
func writeInput(dir string, files int, o traffic.Options) (*ledger, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	want := newLedger()
	var out *bufio.Writer
	var f *os.File
	var line []byte
	closeFile := func() error {
		if f == nil {
			return nil
		}
		return errors.Join(out.Flush(), f.Close())
	}
	err := traffic.Generate(o, func(i int, c traffic.Click) error {
		if perFile := (o.Rows + files - 1) / files; i%perFile == 0 {
			if err := closeFile(); err != nil {
				return err
			}
			var err error
			if f, err = os.Create(filepath.Join(dir, fmt.Sprintf("clicks-%02d.jsonl", i/perFile))); err != nil {
				return err
			}
			out = bufio.NewWriter(f)
		}
		line = c.Append(line[:0])
		if c.Bad {
			want.bad[strings.TrimSuffix(string(line), "\n")]++
		} else {
			key := windowOf(c.TimeMs, c.URL)
			want.counts[key]++
			want.users[c.User] = key
		}
		_, err := out.Write(line)
		return err
	})
	return want, errors.Join(err, closeFile())
}

// readResults reads the finished files of a directory of results.
func readResults(dir string) (*ledger, error) {
	got := newLedger()
	err := eachLine(filepath.Join(dir, "counts"), func(line string) error {
		var n int64
		field := strings.Split(line, ",")
		if len(field) != 3 {
			return fmt.Errorf("expected window_start,url,count")
		}
		start, err := time.Parse("2006-01-02T15:04:05Z", field[0])
		if err != nil {
			return err
		}
		if _, err := fmt.Sscan(field[2], &n); err != nil {
			return err
		}
		key := windowURL{start.UnixMilli(), field[1]}
		if _, known := got.counts[key]; known {
			got.twice = append(got.twice, line)
		}
		got.counts[key] += n
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = eachLine(filepath.Join(dir, "late"), func(line string) error {
		var c struct {
			URL, User string
			TS        int64
		}
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			return err
		}
		key := windowOf(c.TS, c.URL)
		if _, known := got.users[c.User]; known {
			got.twice = append(got.twice, line)
		}
		got.users[c.User] = key
		got.counts[key]++
		got.lateRows++
		return nil
	})
	if err != nil {
		return nil, err
	}
	return got, eachLine(filepath.Join(dir, "dead"), func(line string) error {
		var b flott.BadInput
		err := json.Unmarshal([]byte(line), &b)
		got.bad[b.Raw]++
		return err
	})
}

func eachLine(dir string, f func(line string) error) error {
	files, err := finishedFiles(dir)
	if err != nil {
		return err
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		text := string(data)
		if text != "" && !strings.HasSuffix(text, "\n") {
			return fmt.Errorf("%s ends in the middle of a line", name)
		}
		for line := range strings.Lines(text) {
			line = strings.TrimSuffix(line, "\n")
			if err := f(line); err != nil {
				return fmt.Errorf("%s: %q: %w", name, line, err)
			}
		}
	}
	return nil
}

// compare counts the clicks that are missing in got and those that are in it too often. text shows some of them.
func (got *ledger) compare(want *ledger) (lost, doubled int, text string) {
	var b strings.Builder
	shown := 0
	show := func(format string, args ...any) {
		if shown++; shown <= 20 {
			fmt.Fprintf(&b, format, args...)
		}
	}
	difference := func(n int64, what string, args ...any) {
		switch {
		case n > 0:
			lost += int(n)
			show("%d lost: %s\n", n, fmt.Sprintf(what, args...))
		case n < 0:
			doubled += int(-n)
			show("%d too many: %s\n", -n, fmt.Sprintf(what, args...))
		}
	}
	for key, n := range want.counts {
		difference(n-got.counts[key], "%s in the minute of %s", key.url, time.UnixMilli(key.start).UTC())
	}
	for key, n := range got.counts {
		if _, known := want.counts[key]; !known {
			difference(-n, "%s in the minute of %s, which has no clicks", key.url, time.UnixMilli(key.start).UTC())
		}
	}
	for user, key := range got.users {
		if want.users[user] != key {
			difference(-1, "late click of %s, which is another in the input", user)
		}
	}
	for line, n := range want.bad {
		difference(int64(n-got.bad[line]), "line that is no click: %s", line)
	}
	for line, n := range got.bad {
		if want.bad[line] == 0 {
			difference(int64(-n), "dead letter that is not in the input: %s", line)
		}
	}
	for _, line := range got.twice {
		doubled++
		show("twice: %s\n", line)
	}
	return lost, doubled, b.String()
}
