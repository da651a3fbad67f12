package config

import (
	"fmt"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// isPropertiesFile reports whether a file is one of lines "key: value", as Flink had up to 1.20 under this name.
func isPropertiesFile(path string) bool {
	base := filepath.Base(path)
	return base == "flink-conf.yaml" || base == "flink-conf.yml"
}

// readProperties takes lines "key: value". "#" begins a comment at the start of a line or behind a blank.
func (s *Set) readProperties(layer Layer, source, text string) {
	for i, line := range strings.Split(text, "\n") {
		body := cutComment(strings.TrimRight(line, "\r"))
		if strings.TrimSpace(body) == "" {
			continue
		}
		origin := Origin{Source: source, Line: i + 1, Column: 1 + columnOfText(body)}
		key, value, ok := strings.Cut(body, ":")
		if ok && value != "" && value[0] != ' ' && value[0] != '\t' {
			ok = false
		}
		if !ok || strings.TrimSpace(key) == "" || strings.TrimSpace(value) == "" {
			s.problem(BadSource, origin, "", fmt.Sprintf(`expected "key: value", found %q`, shown(body, strings.TrimSpace(body))))
			continue
		}
		valueOrigin := origin
		valueOrigin.Column = 1 + utf8.RuneCountInString(key) + 1 + columnOfText(value)
		s.put(layer, written{key: strings.TrimSpace(key), value: strings.TrimSpace(value), keyOrigin: origin, valueOrigin: valueOrigin})
	}
}

func cutComment(line string) string {
	for i := range len(line) {
		if line[i] == '#' && (i == 0 || line[i-1] == ' ' || line[i-1] == '\t') {
			return line[:i]
		}
	}
	return line
}

func columnOfText(line string) int { return len(line) - len(strings.TrimLeft(line, " \t")) }
