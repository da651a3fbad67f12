package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
)

// verdict is how a case ended.
type verdict string

// The verdicts. They are counted apart.
const (
	pass        verdict = "pass"
	fail        verdict = "fail"
	unsupported verdict = "unsupported"
	skipped     verdict = "skipped" // the recipe says so: values that are code
)

// outcome is the result of one case in one way to run it.
type outcome struct {
	File string `json:"file"`
	// Tier is the tier and the way: "sql exact", "sql restore folded", or the kind of a line of functions.
	Tier string `json:"tier"`
	// Group is the function, or the class of a program.
	Group   string  `json:"group"`
	ID      string  `json:"id"`
	Verdict verdict `json:"verdict"`
	Reason  string  `json:"reason,omitempty"`
}

type report struct {
	outcomes []outcome
}

func (r *report) add(o outcome) { r.outcomes = append(r.outcomes, o) }

type tally struct{ pass, fail, unsupported, skipped int }

func (t *tally) count(v verdict) {
	switch v {
	case pass:
		t.pass++
	case fail:
		t.fail++
	case unsupported:
		t.unsupported++
	default:
		t.skipped++
	}
}

func (t tally) String() string {
	n := t.pass + t.fail + t.unsupported
	if n == 0 {
		return fmt.Sprintf("%5d pass %5d fail %5d unsupported %5d skipped", 0, 0, 0, t.skipped)
	}
	return fmt.Sprintf("%5d pass %5d fail %5d unsupported %5d skipped %6.1f %%", t.pass, t.fail, t.unsupported, t.skipped,
		100*float64(t.pass)/float64(n))
}

// print writes the counts per file, tier and group.
func (r *report) print(w io.Writer) {
	for _, level := range []struct {
		title string
		key   func(o outcome) string
	}{
		{"per file", func(o outcome) string { return o.File }},
		{"per tier", func(o outcome) string { return o.File + "  " + o.Tier }},
		{"per function and class", func(o outcome) string { return o.File + "  " + o.Tier + "  " + o.Group }},
	} {
		fmt.Fprintf(w, "\n%s\n", level.title)
		counts := map[string]*tally{}
		var keys []string
		width := 0
		for _, o := range r.outcomes {
			k := level.key(o)
			if counts[k] == nil {
				counts[k] = &tally{}
				keys = append(keys, k)
				width = max(width, len(k))
			}
			counts[k].count(o.Verdict)
		}
		slices.Sort(keys)
		for _, k := range keys {
			fmt.Fprintf(w, "  %-*s %v\n", width, k, *counts[k])
		}
	}
}

// printReasons writes the failures by the shape of their reasons, most frequent first, each with the groups it is in and one example.
func (r *report) printReasons(w io.Writer) {
	type reason struct {
		shape   string
		n       int
		groups  map[string]int
		example outcome
	}
	shapes := map[string]*reason{}
	for _, o := range r.outcomes {
		if o.Verdict == pass || o.Verdict == skipped {
			continue
		}
		key := string(o.Verdict) + ": " + shapeOf(o.Reason)
		if shapes[key] == nil {
			shapes[key] = &reason{shape: key, groups: map[string]int{}, example: o}
		}
		shapes[key].n++
		shapes[key].groups[o.Group]++
	}
	var list []*reason
	for _, s := range shapes {
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b *reason) int { return cmp.Or(b.n-a.n, cmp.Compare(a.shape, b.shape)) })
	for _, s := range list {
		var groups []string
		for g, n := range s.groups {
			groups = append(groups, fmt.Sprintf("%s %d", g, n))
		}
		slices.Sort(groups)
		fmt.Fprintf(w, "\n%d x %s\n   in: %s\n   e.g. %s [%s]: %s\n", s.n, s.shape, strings.Join(groups, ", "), s.example.ID, s.example.Tier,
			strings.ReplaceAll(s.example.Reason, "\n", "\n      "))
	}
}

var (
	quotedText = regexp.MustCompile("'[^']*'|`[^`]*`|\"[^\"]*\"")
	numbers    = regexp.MustCompile(`-?\d+(\.\d+)?`)
)

// maxShape bounds the shape of a reason.
const maxShape = 160

// shapeOf is the first line of a reason without what differs from case to case.
func shapeOf(s string) string {
	if i := strings.Index(s, "got "); i >= 0 && strings.Contains(s, "want ") {
		s = s[:i]
	}
	s, _, _ = strings.Cut(s, "\n")
	s = numbers.ReplaceAllString(quotedText.ReplaceAllString(s, "'...'"), "N")
	if len(s) > maxShape {
		s = s[:maxShape]
	}
	return s
}

// printFailures lists the cases that do not pass by their ids.
func (r *report) printFailures(w io.Writer) {
	for _, o := range r.outcomes {
		if o.Verdict == fail || o.Verdict == unsupported {
			line, _, _ := strings.Cut(o.Reason, "\n")
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", o.File, o.Tier, o.ID, o.Verdict, line)
		}
	}
}

// writeJSON writes all outcomes to a file.
func (r *report) writeJSON(path string) error {
	b, err := json.MarshalIndent(r.outcomes, "", " ")
	if err == nil {
		err = os.WriteFile(path, append(b, '\n'), 0o644)
	}
	if err != nil {
		return fmt.Errorf("writing the outcomes: %w", err)
	}
	return nil
}
