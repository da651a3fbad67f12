package lint

import (
	"go/ast"
	"slices"
	"strconv"
	"strings"
)

// impureImports are the packages that a pure state machine has no use for, and what it does instead.
var impureImports = []struct{ name, instead string }{
	{"sync", "one goroutine owns the machine; the driver serialises"},
	{"os", "return an action, the driver touches the system"},
	{"net", "return an action, the driver sends"},
	{"context", "a step never blocks; the driver cancels"},
	{"log", "return what happened, the driver logs"},
	{"math/rand", "take random numbers as an argument of the event"},
}

// impureTime are the names in package time that read or wait for a clock; its types are welcome.
var impureTime = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick"}

func checkPurity(f *file, rules Rules, report reporter) {
	if !inAny(f.folder, rules.Pure) {
		return
	}
	for _, spec := range f.syntax.Imports {
		imported, _ := strconv.Unquote(spec.Path.Value)
		for _, impure := range impureImports {
			if imported == impure.name || strings.HasPrefix(imported, impure.name+"/") {
				report(spec.Pos(), "pure", "%s is a pure package and may not import %s: %s", f.folder, imported, impure.instead)
			}
		}
	}
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			report(n.Pos(), "pure", "%s is a pure package and may not start goroutines: return an action", f.folder)
		case *ast.ChanType:
			report(n.Pos(), "pure", "%s is a pure package and may not use chan: take events, return actions", f.folder)
		case *ast.SelectStmt:
			report(n.Pos(), "pure", "%s is a pure package and may not select: take events, return actions", f.folder)
		case *ast.SelectorExpr:
			if isPackage(n.X, "time") && slices.Contains(impureTime, n.Sel.Name) {
				report(n.Pos(), "pure", "%s is a pure package and may not call time.%s: take the time as an argument of the event",
					f.folder, n.Sel.Name)
			}
		}
		return true
	})
}

// isPackage reports whether an expression is the plain name of a package.
func isPackage(x ast.Expr, name string) bool {
	id, ok := x.(*ast.Ident)
	return ok && id.Name == name
}
