package lint

import (
	"fmt"
	"go/ast"
	"slices"
	"strings"
)

// exception is one comment that excuses findings of a rule in a range of lines.
type exception struct {
	rule, reason string
	line         int // of the comment
	first, last  int // lines it covers; last is 0 for the whole file
	used         bool
}

// ruleNames is every rule, so that a comment cannot name one that does not exist.
var ruleNames = []string{"layers", "pure", "name", "function-length", "file-length", "parameters", "line-length", "todo", "sleep", "print",
	"go", "any"}

// excuse files findings as silenced where a comment covers them, and finds fault with comments that are wrong or excuse nothing.
func (l *linter) excuse(f *file, found []Finding) {
	exceptions := l.exceptions(f)
	for _, finding := range found {
		at := slices.IndexFunc(exceptions, func(e exception) bool {
			return e.rule == finding.Rule && (e.last == 0 || finding.Line >= e.first && finding.Line <= e.last)
		})
		if at < 0 {
			l.findings = append(l.findings, finding)
			continue
		}
		exceptions[at].used = true
		l.silenced = append(l.silenced, Silenced{Finding: finding, Reason: exceptions[at].reason})
	}
	for _, e := range exceptions {
		if !e.used {
			l.findings = append(l.findings, Finding{File: f.path, Line: e.line, Rule: "exception",
				Message: fmt.Sprintf("this excuses nothing: remove the exception to %s", e.rule)})
		}
	}
}

func (l *linter) exceptions(f *file) []exception {
	var all []exception
	for _, group := range f.syntax.Comments {
		for _, comment := range group.List {
			whole := strings.HasPrefix(comment.Text, "//lint:file-ignore")
			if !whole && !strings.HasPrefix(comment.Text, "//lint:ignore") {
				continue
			}
			line := f.line(comment.Pos())
			words := strings.Fields(comment.Text)
			switch {
			case len(words) < 3:
				l.findings = append(l.findings, Finding{File: f.path, Line: line, Rule: "exception",
					Message: "an exception needs a rule and a reason: //lint:ignore RULE reason"})
				continue
			case !slices.Contains(ruleNames, words[1]):
				continue // a rule of another linter
			}
			e := exception{rule: words[1], reason: strings.Join(words[2:], " "), line: line, first: line, last: line + 1}
			if whole {
				e.last = 0
			} else if last := lastLineBelow(f, group); last > 0 {
				e.last = last
			}
			all = append(all, e)
		}
	}
	return all
}

// lastLineBelow returns the last line of the declaration that a comment group documents; 0 if it documents none.
func lastLineBelow(f *file, group *ast.CommentGroup) int {
	below := f.line(group.End()) + 1
	for _, decl := range f.syntax.Decls {
		start := f.line(decl.Pos())
		if start == below || start == below-1 {
			return f.line(decl.End())
		}
	}
	return 0
}
