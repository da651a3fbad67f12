package journeys

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The pages for users are tested as they stand. Every block of Go compiles, alone with what stands in a comment <!-- go ... --> of its page;
// a block that is a whole program runs, and prints the block that follows it. Every block of sh runs, in the page's order.

// docImports are the packages that a block may use by name.
var docImports = func() map[string]string {
	m := map[string]string{"flott": "github.com/flottio/flott"}
	for _, p := range strings.Fields("errors flag fmt os strings time testing") {
		m[p] = p
	}
	for _, p := range strings.Fields("cli config flotttest connector/file connector/collection connector/print format/csv format/json format/raw") {
		m[filepath.Base(p)] = m["flott"] + "/" + p
	}
	return m
}()

// docBlock is a fenced block of a page.
type docBlock struct {
	page, language, text string
	line                 int
}

var repository = filepath.Join("..", "..")

// docPages are the blocks of each page for users, and its context.
func docPages(t *testing.T) (blocks []docBlock, contexts map[string]string) {
	t.Helper()
	pages, err := filepath.Glob(filepath.Join(repository, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	fence := regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$")
	hidden := regexp.MustCompile("(?ms)^<!-- go\n(.*?)^-->$")
	contexts = map[string]string{}
	for _, name := range append(pages, filepath.Join(repository, "README.md")) {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		page := filepath.Base(name)
		for _, m := range hidden.FindAllSubmatch(content, -1) {
			contexts[page] += string(m[1])
		}
		for _, m := range fence.FindAllSubmatchIndex(content, -1) {
			blocks = append(blocks, docBlock{page, string(content[m[2]:m[3]]), string(content[m[4]:m[5]]),
				1 + strings.Count(string(content[:m[4]]), "\n")})
		}
	}
	return blocks, contexts
}

func (b docBlock) isProgram() bool { return strings.HasPrefix(b.text, "package main\n") }

// source is a Go file of the block: declarations stand as they are, statements in a function.
func (b docBlock) source(context string) (string, error) {
	if b.isProgram() {
		return b.text, nil
	}
	at := fmt.Sprintf("//line %s:%d\n", b.page, b.line)
	body := at + b.text
	file, err := parser.ParseFile(token.NewFileSet(), "", "package p\n"+body, 0)
	if err != nil {
		body = "func _() {\n" + at + b.text + "}\n"
		set := token.NewFileSet()
		if file, err = parser.ParseFile(set, "", "package p\n"+body, 0); err != nil {
			return "", err
		}
		uses := ""
		for _, s := range file.Decls[0].(*ast.FuncDecl).Body.List {
			if a, ok := s.(*ast.AssignStmt); ok && a.Tok == token.DEFINE {
				uses += "_ = " + a.Lhs[0].(*ast.Ident).Name + "\n"
			}
		}
		body = strings.TrimSuffix(body, "}\n") + uses + "}\n"
	}
	context, err = without(context, file)
	if err != nil {
		return "", err
	}
	all := context + body
	var imports []string
	for name, path := range docImports {
		if regexp.MustCompile(`\b` + name + `\.[A-Z]`).MatchString(all) {
			imports = append(imports, fmt.Sprintf("import %q\n", path))
		}
	}
	slices.Sort(imports)
	return "package p\n" + strings.Join(imports, "") + all, nil
}

// without is the context but for what the file declares itself.
func without(context string, file *ast.File) (string, error) {
	own := declared(file)
	head := "package p\n"
	set := token.NewFileSet()
	c, err := parser.ParseFile(set, "", head+context, 0)
	if err != nil {
		return "", err
	}
	kept := ""
	for _, d := range c.Decls {
		taken := false
		for name := range declared(&ast.File{Decls: []ast.Decl{d}}) {
			taken = taken || own[name]
		}
		if !taken {
			kept += (head + context)[set.Position(d.Pos()).Offset:set.Position(d.End()).Offset] + "\n"
		}
	}
	return kept, nil
}

func declared(file *ast.File) map[string]bool {
	names := map[string]bool{}
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			names[d.Name.Name] = true
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					names[s.Name.Name] = true
				case *ast.ValueSpec:
					for _, n := range s.Names {
						names[n.Name] = true
					}
				}
			}
		}
	}
	return names
}

// The files are laid over the module: nothing is written into it.
func TestGoOfTheDocumentationCompiles(t *testing.T) {
	root, err := filepath.Abs(repository)
	if err != nil {
		t.Fatal(err)
	}
	blocks, contexts := docPages(t)
	overlay := map[string]string{}
	programs := map[string]string{} // output by package
	var packages []string
	for i, b := range blocks {
		if b.language != "go" {
			continue
		}
		source, err := b.source(contexts[b.page])
		if err != nil {
			t.Errorf("%s:%d: %v", b.page, b.line, err)
			continue
		}
		dir := fmt.Sprintf("doc%d", i)
		overlay[filepath.Join(root, "examples", "journeys", dir, "doc.go")] = writeFile(t, filepath.Join(t.TempDir(), "doc.go"), source)
		pkg := "./examples/journeys/" + dir
		packages = append(packages, pkg)
		if b.isProgram() {
			if i+1 == len(blocks) || blocks[i+1].page != b.page {
				t.Errorf("%s:%d: the program's output does not follow", b.page, b.line)
				continue
			}
			programs[pkg] = blocks[i+1].text
		}
	}
	if len(packages) < 10 || len(programs) == 0 {
		t.Fatalf("only %d blocks and %d programs: the pages are not read right", len(packages), len(programs))
	}
	text, err := json.Marshal(map[string]any{"Replace": overlay})
	if err != nil {
		t.Fatal(err)
	}
	laid := writeFile(t, filepath.Join(t.TempDir(), "overlay.json"), string(text))
	run := func(args ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), "go", args...)
		cmd.Dir = root
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			err = fmt.Errorf("%w\n%s", err, stderr.String())
		}
		return string(out), err
	}
	if _, err := run(append([]string{"build", "-overlay", laid}, packages...)...); err != nil {
		t.Fatalf("building the documentation's Go: %v", err)
	}
	for _, pkg := range slices.Sorted(maps.Keys(programs)) {
		if got, err := run("run", "-overlay", laid, pkg); err != nil || got != programs[pkg] {
			t.Errorf("the program gives %v\n%swant\n%s", err, got, programs[pkg])
		}
	}
}

// shellGo stands for the go command, so that a page's commands run in a folder of their own.
const shellGo = `set -eu
go() {
	case "$1" in
	run) command go build -C "$ROOT" -o "$BIN/run" "$2"; shift 2; "$BIN/run" "$@" ;;
	build) command go build -C "$ROOT" -o "$PWD/$3" "$4" ;;
	*) echo "unexpected: go $*" >&2; exit 1 ;;
	esac
}
`

func TestShellOfTheDocumentationRuns(t *testing.T) {
	root, err := filepath.Abs(repository)
	if err != nil {
		t.Fatal(err)
	}
	blocks, _ := docPages(t)
	scripts := map[string]string{}
	for _, b := range blocks {
		if b.language == "sh" {
			scripts[b.page] += b.text
		}
	}
	if len(scripts) == 0 {
		t.Fatal("no page has commands")
	}
	for _, page := range slices.Sorted(maps.Keys(scripts)) {
		t.Run(page, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), "bash", "-c", shellGo+scripts[page])
			cmd.Dir = t.TempDir()
			cmd.Env = append(os.Environ(), "ROOT="+root, "BIN="+t.TempDir(), "TMPDIR="+t.TempDir())
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
