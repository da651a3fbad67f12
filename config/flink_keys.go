package config

import (
	_ "embed"
	"regexp"
	"strings"
	"sync"
)

// flinkKeysText lists the keys that Flink documents, one a line; "former > today" is a former key. Written by config/gen.
//
//go:embed flink_keys.txt
var flinkKeysText string

// flinkKeys knows which keys Flink has.
type flinkKeys struct {
	today    map[string]bool
	former   map[string]string
	patterns []*regexp.Regexp // keys with a free part, as metrics.reporter.<name>.interval
}

// loadFlinkKeys is lazy: only a key that Flott does not know needs it.
var loadFlinkKeys = sync.OnceValue(func() *flinkKeys {
	keys := &flinkKeys{today: map[string]bool{}, former: map[string]string{}}
	for line := range strings.Lines(flinkKeysText) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if former, today, ok := strings.Cut(line, " > "); ok {
			keys.former[former] = today
			continue
		}
		if strings.ContainsAny(line, "<#") {
			keys.patterns = append(keys.patterns, patternOf(line))
			continue
		}
		keys.today[line] = true
	}
	return keys
})

var freePart = regexp.MustCompile(`<[^>]*>|#`)

func patternOf(line string) *regexp.Regexp {
	var b strings.Builder
	b.WriteString("^")
	last := 0
	for _, at := range freePart.FindAllStringIndex(line, -1) {
		b.WriteString(regexp.QuoteMeta(line[last:at[0]]) + ".+")
		last = at[1]
	}
	b.WriteString(regexp.QuoteMeta(line[last:]) + "$")
	return regexp.MustCompile(b.String())
}

// has reports whether Flink has the key, and its present name.
func (k *flinkKeys) has(key string) (today string, ok bool) {
	if k.today[key] {
		return key, true
	}
	if today, ok := k.former[key]; ok {
		return today, true
	}
	for _, p := range k.patterns {
		if p.MatchString(key) {
			return key, true
		}
	}
	return "", false
}
