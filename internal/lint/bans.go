package lint

import (
	"go/ast"
	"strings"
)

// checkBans finds calls and statements that have a better replacement here.
func checkBans(f *file, rules Rules, report reporter) {
	example := false // inside func ExampleX, whose output is the test
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			example = f.test && strings.HasPrefix(n.Name.Name, "Example")
		case *ast.GoStmt:
			if !f.test && !inAny(f.path, rules.MayGo) {
				report(n.Pos(), "go", "a goroutine outside the places that own some: hand the work to the owner's Run, "+
					"or add the file to MayGo in internal/lint/rules.go with its owner and end in a comment")
			}
		case *ast.CallExpr:
			if sel, ok := n.Fun.(*ast.SelectorExpr); ok {
				checkCall(f, rules, sel, example, report)
			}
			if id, ok := n.Fun.(*ast.Ident); ok && (id.Name == "println" || id.Name == "print") && len(n.Args) > 0 {
				report(n.Pos(), "print", "%s is for debugging: use log/slog, t.Log in a test, or an io.Writer that the caller gives", id.Name)
			}
		}
		return true
	})
}

func checkCall(f *file, rules Rules, sel *ast.SelectorExpr, example bool, report reporter) {
	switch {
	case isPackage(sel.X, "time") && sel.Sel.Name == "Sleep" && f.test:
		report(sel.Pos(), "sleep", "time.Sleep in a test: use testing/synctest, a fake clock, or wait for the thing itself")
	case isPackage(sel.X, "fmt") && strings.HasPrefix(sel.Sel.Name, "Print") && !example && !inAny(f.folder, rules.MayPrint):
		report(sel.Pos(), "print", "fmt.%s outside commands and examples: use log/slog, t.Log in a test, or an io.Writer that the caller gives",
			sel.Sel.Name)
	}
}

// adviseAny points at exported functions of the public API that take any: a user's mistake there is found at run time only.
func adviseAny(f *file, rules Rules) []Finding {
	if f.test || f.folder != rules.Root {
		return nil
	}
	var found []Finding
	for _, decl := range f.syntax.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if !ok || !fn.Name.IsExported() {
			continue
		}
		for _, param := range fn.Type.Params.List {
			if isAny(param.Type) {
				found = append(found, Finding{File: f.path, Line: f.line(param.Pos()), Rule: "any", Advice: true,
					Message: fn.Name.Name + " takes any: use a type parameter"})
			}
		}
	}
	return found
}

func isAny(x ast.Expr) bool {
	if e, ok := x.(*ast.Ellipsis); ok {
		x = e.Elt
	}
	if i, ok := x.(*ast.InterfaceType); ok {
		return i.Methods.NumFields() == 0
	}
	id, ok := x.(*ast.Ident)
	return ok && id.Name == "any"
}
