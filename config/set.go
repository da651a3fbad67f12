package config

import (
	"fmt"
	"io"
	"os"
	"sort"
	"strings"
)

// Set is a flat configuration: keys, values, and where each came from. It is filled by one goroutine, validated once, and from then
// on only read, by any number of goroutines.
//
// Everything wrong is collected while it is filled; Validate returns all of it at once.
type Set struct {
	options map[string]Described
	maps    []string // keys of the options whose value may be spread over keys below them
	former  map[string]string
	entries map[string]Entry

	problems Problems
	notices  []string
}

// Entry is one value that somebody set.
type Entry struct {
	// Key is today's name of the option (or, for an option that is a map, of one of its parts).
	Key string
	// Value is as written. Use Shown where people read it.
	Value string
	// Origin is where the value was written.
	Origin Origin

	layer   Layer
	written string // the key as written
}

// Shown is the value as people may see it: hidden if it is a secret.
func (e Entry) Shown() string { return shown(e.Key, e.Value) }

// written is a key and a value on their way into a set.
type written struct {
	key, value             string
	keyOrigin, valueOrigin Origin
}

// New returns an empty set that knows Flott's own options and the given ones.
func New(more ...Described) *Set {
	s := &Set{options: map[string]Described{}, former: map[string]string{}, entries: map[string]Entry{}}
	for _, o := range append(Known(), more...) {
		d := o.Describe()
		s.options[d.Key] = o
		if o.isMap() {
			s.maps = append(s.maps, d.Key)
		}
		for _, alias := range d.Aliases {
			s.former[alias] = d.Key
		}
	}
	return s
}

// Define takes one "key=value", the argument of -D: the strongest layer.
func (s *Set) Define(argument string) { s.define(argument, Origin{Source: "-D"}) }

// DefineFlag takes a value that an option of the command line of its own has set: as Define, but problems name that option, flag, as the user
// wrote it.
func (s *Set) DefineFlag(flag, key, value string) {
	s.define(key+"="+value, Origin{Source: flag})
}

func (s *Set) define(argument string, origin Origin) {
	key, value, ok := strings.Cut(argument, "=")
	key = strings.TrimSpace(key)
	if !ok || key == "" {
		s.problem(BadSource, origin, "", fmt.Sprintf("expected key=value, found %q", shown(key, argument)))
		return
	}
	s.put(LayerFlag, written{key: key, value: value, keyOrigin: origin, valueOrigin: origin})
}

// DefineCode takes a value that the job's own code sets: the weakest layer.
func (s *Set) DefineCode(key, value string, origin Origin) {
	s.put(LayerCode, written{key: key, value: value, keyOrigin: origin, valueOrigin: origin})
}

// DefineEnv takes the lines "key: value" of an environment variable, as Flink's images do with FLINK_PROPERTIES.
func (s *Set) DefineEnv(name, text string) {
	s.readProperties(LayerEnv, "env "+name, text)
}

// ReadFile takes the options of a configuration file: lines "key: value" if it is named flink-conf.yaml, otherwise YAML with flat or
// nested keys. A file that cannot be read is a problem like any other.
func (s *Set) ReadFile(path string) {
	content, err := readBounded(path)
	if err != nil {
		s.problem(BadSource, Origin{Source: path}, "", fmt.Sprintf("reading the configuration file: %v", err))
		return
	}
	s.Read(path, content)
}

// readBounded reads a file whose size need not be known: a pipe or a device, too.
func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	if len(content) <= maxFileBytes {
		return content, err
	}
	size := fmt.Sprintf("more than %d", maxFileBytes)
	if info, err := f.Stat(); err == nil && info.Size() > maxFileBytes {
		size = fmt.Sprint(info.Size())
	}
	return nil, fmt.Errorf("has %s bytes, expected at most %d", size, maxFileBytes)
}

// Read is ReadFile for a content at hand; path says how it is written and appears in messages.
func (s *Set) Read(path string, content []byte) {
	if isPropertiesFile(path) {
		s.notice(fmt.Sprintf("%s: the flat file of former Flink versions; today's is config.yaml, YAML with the same keys", path))
		s.readProperties(LayerFile, path, string(content))
		return
	}
	s.readYAML(path, content)
}

// Validate returns nil, or Problems: everything wrong with what the set was filled with, in the order of its sources.
func (s *Set) Validate() error {
	problems := append(Problems(nil), s.problems...)
	if len(problems) == 0 {
		problems = judgeTogether(s)
	}
	if len(problems) == 0 {
		return nil
	}
	return problems
}

// Notices are one line each about what was accepted but should be written otherwise. They are for people, not for programs.
func (s *Set) Notices() []string { return append([]string(nil), s.notices...) }

// Entries returns what was set, sorted by key.
func (s *Set) Entries() []Entry {
	entries := make([]Entry, 0, len(s.entries))
	for _, e := range s.entries {
		entries = append(entries, e)
	}
	sort.Slice(entries, func(i, j int) bool { return entries[i].Key < entries[j].Key })
	return entries
}

// Entry returns what was set for a key under today's name.
func (s *Set) Entry(key string) (Entry, bool) {
	e, ok := s.entries[key]
	return e, ok
}

// put files one value, or a problem.
func (s *Set) put(layer Layer, w written) {
	key, option, ok := s.resolve(w.key)
	if !ok {
		p := judgeUnknown(s, w)
		s.problem(p.Kind, w.keyOrigin, w.key, p.Message)
		return
	}
	today, err := "", error(nil)
	if key == option.Describe().Key {
		today, err = option.judge(w.value)
	}
	if err != nil {
		s.problem(BadValue, w.valueOrigin, w.key, fmt.Sprintf("found %q, %v", shown(w.key, w.value), err))
		return
	}
	s.noticeFormer(w, key, today)
	if reason := option.Describe().NoEffect; reason != "" {
		s.notice(fmt.Sprintf("%s: %s has no effect: %s", w.keyOrigin, w.key, reason))
	}
	s.file(Entry{Key: key, Value: w.value, Origin: w.valueOrigin, layer: layer, written: w.key}, w.keyOrigin)
}

// resolve finds the option that a key as written belongs to, and today's name of the key.
func (s *Set) resolve(writtenKey string) (key string, option Described, ok bool) {
	if option, ok = s.options[writtenKey]; ok {
		return writtenKey, option, true
	}
	if key, ok = s.former[writtenKey]; ok {
		return key, s.options[key], true
	}
	for _, mapKey := range s.maps {
		if strings.HasPrefix(writtenKey, mapKey+".") {
			return writtenKey, s.options[mapKey], true
		}
	}
	return "", nil, false
}

func (s *Set) noticeFormer(w written, key, todaysValue string) {
	if w.key == key && todaysValue == "" {
		return
	}
	if todaysValue == "" {
		todaysValue = w.value
	}
	s.notice(fmt.Sprintf("%s: %q is a former name, today's is %q",
		w.keyOrigin, w.key+": "+shown(key, w.value), key+": "+shown(key, todaysValue)))
}

// file stores an entry unless a stronger one is there. One file may name an option once.
func (s *Set) file(e Entry, keyOrigin Origin) {
	old, ok := s.entries[e.Key]
	if ok && old.layer > e.layer {
		return
	}
	if ok && e.layer == LayerFile && old.layer == LayerFile && old.Origin.Source == e.Origin.Source {
		switch {
		case old.written == e.written:
			s.problem(Conflict, keyOrigin, e.written, fmt.Sprintf("set twice in this file, first at %s", old.Origin))
		case old.Value != e.Value:
			s.problem(Conflict, keyOrigin, e.written, fmt.Sprintf("%q contradicts %q at %s: both names mean %s, keep that one",
				e.Shown(), old.written+": "+old.Shown(), old.Origin, e.Key))
		}
	}
	s.entries[e.Key] = e
}

// text returns the value filed under key; for a map also what was filed under keys below it.
func (s *Set) text(key string, isMap bool) (string, bool) {
	e, ok := s.entries[key]
	if !isMap {
		return e.Value, ok
	}
	merged := map[string]string{}
	if ok {
		whole, err := Maps.Parse(e.Value)
		if err != nil {
			return e.Value, true
		}
		merged = whole
	}
	for k, part := range s.entries {
		if name, below := strings.CutPrefix(k, key+"."); below {
			merged[name] = part.Value
		}
	}
	return Maps.Format(merged), len(merged) > 0
}

func (s *Set) problem(kind ProblemKind, origin Origin, key, message string) {
	s.problems = append(s.problems, Problem{Kind: kind, Origin: origin, Key: key, Message: message})
}

func (s *Set) notice(line string) {
	for _, n := range s.notices {
		if n == line {
			return
		}
	}
	s.notices = append(s.notices, line)
}
