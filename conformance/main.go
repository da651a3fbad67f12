// Command conformance runs cases that other projects publish in their tests, each a SQL text with its input and result, and counts what
// passes, what fails and what is not supported yet.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

func main() {
	dir := flag.String("cases", "", "directory of the case files, or one file")
	only := flag.String("only", "", "run only cases whose file, function or class, id or SQL matches")
	jsonFile := flag.String("json", "", "write the outcomes to this file")
	failList := flag.Bool("fail-list", false, "list the cases that do not pass")
	reasons := flag.String("reasons", "", "write the failures by reason to this file")
	flag.Parse()
	if err := run(*dir, *only, *jsonFile, *reasons, *failList); err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		os.Exit(1)
	}
}

func run(dir, only, jsonFile, reasons string, failList bool) error {
	filter, err := regexp.Compile("(?i)" + only)
	if err != nil {
		return fmt.Errorf("-only: %w", err)
	}
	if dir == "" {
		return fmt.Errorf("say where the cases are: -cases DIR")
	}
	files, err := caseFiles(dir)
	if err != nil {
		return err
	}
	r := &report{}
	for _, f := range files {
		if err := runFile(r, f, filter); err != nil {
			return err
		}
	}
	r.print(os.Stdout)
	if failList {
		r.printFailures(os.Stdout)
	}
	if reasons != "" {
		var b bytes.Buffer
		r.print(&b)
		r.printReasons(&b)
		if err := os.WriteFile(reasons, b.Bytes(), 0o644); err != nil {
			return fmt.Errorf("writing the reasons: %w", err)
		}
	}
	if jsonFile != "" {
		return r.writeJSON(jsonFile)
	}
	return nil
}

// caseFiles lists the files of lines in a directory.
func caseFiles(dir string) ([]string, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("-cases: %w", err)
	}
	if !info.IsDir() {
		return []string{dir}, nil
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	slices.Sort(files)
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("-cases: there are no files *.jsonl in %s", dir)
	}
	return files, err
}

// maxLine bounds a line of a case file.
const maxLine = 16 << 20

// runFile runs all lines of a file. What a line is its fields tell.
func runFile(r *report, path string, only *regexp.Regexp) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("reading cases: %w", err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, maxLine)
	for n := 1; lines.Scan(); n++ {
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(lines.Bytes(), &fields); err != nil {
			return fmt.Errorf("%s:%d: %w", path, n, err)
		}
		name := strings.TrimSuffix(filepath.Base(path), ".jsonl")
		if err := runLine(r, outcome{File: name, ID: fmt.Sprintf("line %d", n)}, fields, lines.Bytes(), only); err != nil {
			return fmt.Errorf("%s:%d: %w", path, n, err)
		}
	}
	return lines.Err()
}

// runLine runs one case.
func runLine(r *report, o outcome, fields map[string]json.RawMessage, line []byte, only *regexp.Regexp) error {
	decode := func(to any) error {
		d := json.NewDecoder(bytes.NewReader(line))
		d.UseNumber()
		return d.Decode(to)
	}
	if only.String() != "(?i)" && !only.MatchString(o.File) && !only.Match(line) {
		return nil
	}
	one := func(f func() (verdict, string)) {
		if err := guarded(func() error { o.Verdict, o.Reason = f(); return nil }); err != nil {
			o.Verdict, o.Reason = fail, err.Error()
		}
		r.add(o)
	}
	switch {
	case fields["run_sql"] != nil:
		c := &program{}
		if err := decode(c); err != nil {
			return err
		}
		runProgram(r, o, c)
	case fields["uses_fields"] != nil:
		c := &expressionCase{}
		if err := decode(c); err != nil {
			return err
		}
		o.Tier, o.Group = "expression", strings.TrimSuffix(c.Src, ".scala")
		one(func() (verdict, string) { v, why := runExpression(c); return v, withSQL(c.SQL, why) })
	case fields["kind"] != nil:
		c := &functionCase{}
		if err := decode(c); err != nil {
			return err
		}
		o.Tier, o.Group = c.Kind, c.Fn
		text := c.SQL
		if c.To != "" {
			o.Group, text = "CAST TO "+strings.TrimSuffix(c.To, "()"), fmt.Sprint(c.Args)
		}
		one(func() (verdict, string) { v, why := runFunction(c); return v, withSQL(text, why) })
	default:
		return fmt.Errorf("this is no case of a known form")
	}
	return nil
}

func withSQL(text, why string) string {
	if why == "" {
		return ""
	}
	return why + "\n" + text
}
