package lint

import (
	"path"
	"slices"
	"strings"
)

// bannedNames say nothing about what is inside; a file or folder is named after the noun it holds.
var bannedNames = []string{"util", "utils", "common", "core", "base", "types", "helper", "helpers", "misc", "impl", "shared", "stuff",
	"manager"}

// bannedWords say nothing even as a part of a name.
var bannedWords = []string{"util", "utils", "common", "helper", "helpers", "misc", "impl", "stuff"}

// checkNames looks at the name of the file, of its folder, and of the package.
func checkNames(f *file, report reporter) {
	stem := strings.TrimSuffix(strings.TrimSuffix(path.Base(f.path), ".go"), "_test")
	banned := slices.Contains(bannedNames, stem) || isManager(strings.ReplaceAll(stem, "_", ""))
	for _, word := range strings.Split(stem, "_") {
		banned = banned || slices.Contains(bannedWords, word)
	}
	if banned {
		report(f.syntax.Name.Pos(), "name", "a file named %s says nothing: name it after the type it opens with", path.Base(f.path))
	}
	name := strings.TrimSuffix(f.syntax.Name.Name, "_test")
	for _, candidate := range slices.Compact([]string{path.Base(f.folder), name}) {
		if slices.Contains(bannedNames, candidate) || isManager(candidate) {
			report(f.syntax.Name.Pos(), "name", "a package named %s says nothing: name it after the noun of the domain that it owns", candidate)
		}
	}
}

func isManager(name string) bool {
	return strings.HasSuffix(name, "manager") && name != "jobmanager" && name != "taskmanager"
}
