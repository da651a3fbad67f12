package lint

import (
	"bytes"
	"fmt"
	"go/ast"
	"regexp"
	"unicode/utf8"
)

// checkLimits measures functions and files.
func checkLimits(f *file, report reporter) {
	if lines := bytes.Count(f.content, []byte("\n")); !f.test && lines > maxFileLines {
		report(f.syntax.Name.Pos(), "file-length", "the file has %d lines, at most %d: give one of its nouns a file of its own",
			lines, maxFileLines)
	}
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			checkFunction(f, n, report)
		case *ast.FuncLit:
			checkParameters("the function literal", n.Type, report)
		}
		return true
	})
}

func checkFunction(f *file, n *ast.FuncDecl, report reporter) {
	if f.test {
		return
	}
	checkParameters(n.Name.Name, n.Type, report)
	if n.Body == nil {
		return
	}
	if lines := f.line(n.End()) - f.line(n.Pos()) + 1; lines > maxFunctionLines {
		report(n.Name.Pos(), "function-length", "%s has %d lines, at most %d: name its steps and make them functions", n.Name.Name, lines,
			maxFunctionLines)
	}
}

func checkParameters(name string, f *ast.FuncType, report reporter) {
	if count := f.Params.NumFields(); count > maxParameters {
		report(f.Params.Pos(), "parameters", "%s takes %d parameters, at most %d: group what belongs together in a struct", name, count,
			maxParameters)
	}
}

// checkLines measures lines in characters.
func checkLines(f *file, report func(line int, rule, message string)) {
	if ast.IsGenerated(f.syntax) {
		return
	}
	number := 0
	for line := range bytes.Lines(f.content) {
		number++
		if chars := utf8.RuneCount(bytes.TrimRight(line, "\r\n")); chars > maxLineChars && !f.test {
			report(number, "line-length", fmt.Sprintf("the line has %d characters, at most %d: break it", chars, maxLineChars))
		}
	}
}

// reminder finds a reminder, and the issue number that it must carry.
var reminder = regexp.MustCompile(`\b(TODO|FIXME|XXX|HACK)\b(\(#\d+\):)?`)

// checkComments wants reminders in the form that can be followed up.
func checkComments(f *file, report reporter) {
	for _, group := range f.syntax.Comments {
		for _, comment := range group.List {
			for _, match := range reminder.FindAllStringSubmatch(comment.Text, -1) {
				if match[1] != "TODO" || match[2] == "" {
					report(comment.Pos(), "todo", "%s without an issue number: write TODO(#123): what", match[1])
				}
			}
		}
	}
}
