package file

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// checkPattern reports a pattern that can never be matched.
func checkPattern(pattern string) error {
	if pattern == "" {
		return errors.New("an empty pattern of files")
	}
	for element := range strings.SplitSeq(filepath.ToSlash(pattern), "/") {
		if _, err := path.Match(element, ""); err != nil {
			return fmt.Errorf("pattern %q: %q: %w", pattern, element, err)
		}
	}
	return nil
}

// list returns the files that the patterns match, each once, sorted by path.
//
// Elements of a pattern are matched as by path.Match; "**" is any number of directories. Names that begin with a dot are matched only by
// elements that begin with one. A name without wildcards is that file; a directory stands for all files below it, without those whose
// names, or whose directories' names, begin with a dot or an underscore.
func list(patterns []string) ([]found, error) {
	var all []found
	var errs []error
	for _, p := range patterns {
		files, err := listOne(p)
		if err != nil {
			errs = append(errs, fmt.Errorf("listing the files of %s: %w", p, err))
		}
		all = append(all, files...)
	}
	slices.SortFunc(all, func(a, b found) int { return strings.Compare(a.Path, b.Path) })
	return slices.CompactFunc(all, func(a, b found) bool { return a.Path == b.Path }), errors.Join(errs...)
}

func listOne(pattern string) ([]found, error) {
	pattern = filepath.Clean(pattern)
	if info, err := os.Stat(pattern); err == nil {
		return listNamed(pattern, info)
	}
	if !strings.ContainsAny(pattern, `*?[\`) {
		return nil, nil
	}
	w := walker{}
	elements := strings.Split(filepath.ToSlash(pattern), "/")
	dir := ""
	if elements[0] == "" {
		dir, elements = "/", elements[1:]
	}
	err := w.match(dir, elements)
	return w.files, err
}

// listNamed lists a file or directory that was named without wildcards.
func listNamed(name string, info fs.FileInfo) ([]found, error) {
	if info.Mode().IsRegular() {
		return []found{identify(name, info)}, nil
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%s is not a regular file (%s)", name, info.Mode())
	}
	w := walker{}
	err := w.below(name)
	return w.files, err
}

type walker struct{ files []found }

// match descends along the elements of a pattern.
func (w *walker) match(dir string, elements []string) error {
	element, rest := elements[0], elements[1:]
	if element == "**" {
		if len(rest) == 0 {
			return w.below(dirOrHere(dir))
		}
		return w.deep(dir, rest)
	}
	if !strings.ContainsAny(element, `*?[\`) {
		return w.step(filepath.Join(dir, element), rest)
	}
	entries, err := os.ReadDir(dirOrHere(dir))
	if err != nil {
		return ignoreMissing(err)
	}
	for _, e := range entries {
		if ok, _ := path.Match(element, e.Name()); !ok || strings.HasPrefix(e.Name(), ".") && !strings.HasPrefix(element, ".") {
			continue
		}
		if err := w.step(filepath.Join(dir, e.Name()), rest); err != nil {
			return err
		}
	}
	return nil
}

// deep matches the rest in dir and in every directory below it. Links to directories are not followed: they may lead round in circles.
func (w *walker) deep(dir string, rest []string) error {
	if err := w.match(dir, rest); err != nil {
		return err
	}
	entries, err := os.ReadDir(dirOrHere(dir))
	if err != nil {
		return ignoreMissing(err)
	}
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
			if err := w.deep(filepath.Join(dir, e.Name()), rest); err != nil {
				return err
			}
		}
	}
	return nil
}

// step takes a name that matched: a file at the end of the pattern, or a directory on the way.
func (w *walker) step(name string, rest []string) error {
	info, err := os.Stat(name)
	if err != nil {
		return ignoreMissing(err)
	}
	switch {
	case len(rest) > 0 && info.IsDir():
		return w.match(name, rest)
	case len(rest) > 0 || info.IsDir():
		return nil
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file (%s)", name, info.Mode())
	}
	w.files = append(w.files, identify(name, info))
	return nil
}

// below takes all files below a directory.
func (w *walker) below(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return ignoreMissing(err)
	}
	for _, e := range entries {
		name := filepath.Join(dir, e.Name())
		if strings.HasPrefix(e.Name(), ".") || strings.HasPrefix(e.Name(), "_") {
			continue
		}
		if e.IsDir() {
			err = w.below(name)
		} else {
			err = w.step(name, nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func dirOrHere(dir string) string {
	if dir == "" {
		return "."
	}
	return dir
}

// ignoreMissing forgives what vanished between listing a directory and looking at it: it was not there in time.
func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
