package lint

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// linter checks one module. It is used once, by one goroutine.
type linter struct {
	rules    Rules
	findings []Finding
	silenced []Silenced
}

// Finding is one breach of a rule.
type Finding struct {
	File string // slash-separated, from the module's root
	Line int
	Rule string
	// Message says what is wrong and what to write in its place.
	Message string
	// Advice marks what is printed but fails nothing.
	Advice bool
}

// String is file:line: message (rule).
func (f Finding) String() string {
	return fmt.Sprintf("%s:%d: %s (%s)", f.File, f.Line, f.Message, f.Rule)
}

// Silenced is a finding that a comment excuses.
type Silenced struct {
	Finding
	Reason string
}

// Report is the outcome of a check, sorted by file and line.
type Report struct {
	Findings []Finding
	Silenced []Silenced
}

// file is one parsed source file.
type file struct {
	path    string // from the module's root
	folder  string // its folder, "." for the root
	test    bool
	fset    *token.FileSet
	syntax  *ast.File
	content []byte
}

func (f *file) line(pos token.Pos) int { return f.fset.Position(pos).Line }

// Check reads every Go file of the module in fsys, except testdata, hidden folders and nested modules.
func Check(fsys fs.FS, rules Rules) (Report, error) {
	l := &linter{rules: rules}
	err := fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return skipFolder(fsys, name)
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		content, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		return l.source(name, content)
	})
	if err != nil {
		return Report{}, fmt.Errorf("linting: %w", err)
	}
	byPlace := func(a, b Finding) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), strings.Compare(a.Message, b.Message))
	}
	slices.SortFunc(l.findings, byPlace)
	slices.SortFunc(l.silenced, func(a, b Silenced) int { return byPlace(a.Finding, b.Finding) })
	return Report{Findings: l.findings, Silenced: l.silenced}, nil
}

func skipFolder(fsys fs.FS, name string) error {
	base := path.Base(name)
	if name == "." {
		return nil
	}
	if base == "testdata" || base == "vendor" || base == "node_modules" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") {
		return fs.SkipDir
	}
	if _, err := fs.Stat(fsys, path.Join(name, "go.mod")); err == nil {
		return fs.SkipDir
	}
	return nil
}

// source checks one file against every rule, then drops what its comments excuse.
func (l *linter) source(name string, content []byte) error {
	fset := token.NewFileSet()
	syntax, err := parser.ParseFile(fset, name, content, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	f := &file{path: name, folder: path.Dir(name), test: strings.HasSuffix(name, "_test.go"), fset: fset, syntax: syntax, content: content}
	var found []Finding
	report := func(pos token.Pos, rule, format string, args ...any) {
		found = append(found, Finding{File: name, Line: f.line(pos), Rule: rule, Message: fmt.Sprintf(format, args...)})
	}
	if !ast.IsGenerated(syntax) {
		checkLimits(f, report)
		checkNames(f, report)
	}
	checkLines(f, func(line int, rule, message string) {
		found = append(found, Finding{File: name, Line: line, Rule: rule, Message: message})
	})
	checkComments(f, report)
	checkBans(f, l.rules, report)
	if !f.test {
		checkLayers(f, l.rules, report)
		checkPurity(f, l.rules, report)
	}
	found = append(found, adviseAny(f, l.rules)...)
	l.excuse(f, found)
	return nil
}

// inFolder reports whether name is folder or lies below it; "." holds only what has no folder.
func inFolder(name, folder string) bool {
	if folder == "." {
		return name == "."
	}
	return name == folder || strings.HasPrefix(name, folder+"/")
}

func inAny(name string, folders []string) bool {
	return slices.ContainsFunc(folders, func(folder string) bool { return inFolder(name, folder) })
}
