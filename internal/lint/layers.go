package lint

import (
	"go/token"
	"path"
	"strconv"
	"strings"
)

type reporter func(pos token.Pos, rule, format string, args ...any)

// place returns the entry of the layer table that a folder belongs to, the longest that fits, and its layer; -1 if there is none.
func (r Rules) place(folder string) (entry string, layer int) {
	layer = -1
	for i, entries := range r.Layers {
		for _, e := range entries {
			if inFolder(folder, e) && (layer < 0 || len(e) > len(entry)) {
				entry, layer = e, i
			}
		}
	}
	return entry, layer
}

func checkLayers(f *file, rules Rules, report reporter) {
	entry, layer := rules.place(f.folder)
	if layer < 0 {
		report(f.syntax.Name.Pos(), "layers", "folder %s is in no layer: give it a place in internal/lint/rules.go", f.folder)
		return
	}
	for _, spec := range f.syntax.Imports {
		imported, ok := rules.folderOf(spec.Path.Value)
		if !ok || inFolder(imported, entry) && inFolder(entry, ".") == inFolder(imported, ".") {
			continue
		}
		to, toLayer := rules.place(imported)
		switch {
		case toLayer < 0:
			report(spec.Pos(), "layers", "folder %s is in no layer: give it a place in internal/lint/rules.go", imported)
			continue
		case to != entry && toLayer >= layer:
			report(spec.Pos(), "layers", "%s may not import %s, which is not below it: let %s declare the interface it needs, "+
				"or move what both need further down", f.folder, imported, f.folder)
			continue
		}
		for _, forbidden := range rules.Forbidden {
			if inFolder(f.folder, forbidden.From) && inFolder(imported, forbidden.To) && !inAny(imported, forbidden.Except) {
				report(spec.Pos(), "layers", "%s may not import %s: %s", f.folder, imported, forbidden.Reason)
			}
		}
	}
}

// folderOf turns a quoted import path into a folder of the module.
func (r Rules) folderOf(quoted string) (folder string, ok bool) {
	imported, err := strconv.Unquote(quoted)
	if err != nil {
		return "", false
	}
	if imported == r.Module {
		return ".", true
	}
	rest, ok := strings.CutPrefix(imported, r.Module+"/")
	return path.Clean(rest), ok
}
