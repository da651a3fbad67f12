package main

import (
	"bufio"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// report says where the results are; those of the bundled clicks, which are few, it shows.
func report(w io.Writer) error {
	_, dir := places()
	if *input == "" {
		t, err := readTable(filepath.Join(dir, "counts"))
		if err != nil {
			return err
		}
		fmt.Fprintln(w, "\nClicks per URL and minute:")
		if err := t.write(w); err != nil {
			return err
		}
	}
	fmt.Fprintf(w, "\nResults:\n  %s   window_start,url,count\n", filepath.Join(dir, "counts"))
	for _, side := range []struct{ name, what string }{
		{"late", "clicks that came after their minute was closed"}, {"dead", "lines that are no clicks"},
	} {
		n, err := countLines(filepath.Join(dir, side.name))
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "  %s     %d %s\n", filepath.Join(dir, side.name), n, side.what)
	}
	return nil
}

// table holds counts by URL and window.
type table map[string]map[time.Time]int64

// finishedFiles lists the files of a sink that are finished: all that do not begin with a dot.
func finishedFiles(dir string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && path == dir {
			return nil // nothing was ever written
		}
		if err == nil && !d.IsDir() && !strings.HasPrefix(d.Name(), ".") {
			files = append(files, path)
		}
		return err
	})
	return files, err
}

func readTable(dir string) (table, error) {
	files, err := finishedFiles(dir)
	if err != nil {
		return nil, err
	}
	t := table{}
	for _, name := range files {
		if err := t.read(name); err != nil {
			return nil, fmt.Errorf("reading the counts in %s: %w", name, err)
		}
	}
	return t, nil
}

func (t table) read(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return err
	}
	for _, row := range rows {
		if len(row) != 3 {
			return fmt.Errorf("expected window_start,url,count, got %q", row)
		}
		start, err := time.Parse(time.RFC3339, row[0])
		if err != nil {
			return err
		}
		n, err := strconv.ParseInt(row[2], 10, 64)
		if err != nil {
			return err
		}
		if t[row[1]] == nil {
			t[row[1]] = map[time.Time]int64{}
		}
		t[row[1]][start] += n
	}
	return nil
}

// write draws a line per URL and a column per minute.
func (t table) write(w io.Writer) error {
	minutes := map[time.Time]bool{}
	for _, counts := range t {
		for start := range counts {
			minutes[start] = true
		}
	}
	columns := slices.SortedFunc(maps.Keys(minutes), time.Time.Compare)
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, c := range columns {
		fmt.Fprintf(out, "\t%s", c.Format("15:04"))
	}
	fmt.Fprintln(out, "\t")
	for _, url := range slices.Sorted(maps.Keys(t)) {
		fmt.Fprintf(out, "  %s", url)
		for _, c := range columns {
			fmt.Fprintf(out, "\t%s", cmp.Or(strings.TrimPrefix(strconv.FormatInt(t[url][c], 10), "0"), "."))
		}
		fmt.Fprintln(out, "\t")
	}
	return out.Flush()
}

func countLines(dir string) (n int, err error) {
	files, err := finishedFiles(dir)
	if err != nil {
		return 0, err
	}
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			return 0, err
		}
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			n++
		}
		if err := errors.Join(lines.Err(), f.Close()); err != nil {
			return 0, fmt.Errorf("counting the lines of %s: %w", name, err)
		}
	}
	return n, nil
}
