package config

import (
	"fmt"
	"math"
	"sort"
	"strconv"
	"strings"
	"time"
)

// Syntax says how the values of an option are written. Implementations are stateless values, safe for concurrent use.
type Syntax[T any] interface {
	// Parse reads one value. The error says only what is wrong; key and place are added by the caller.
	Parse(text string) (T, error)
	// Format writes a value so that Parse gives it back.
	Format(value T) string
	// Name is the type's name in the documentation.
	Name() string
}

// legacySyntax is a Syntax that also accepts values of former Flink versions.
type legacySyntax interface {
	// today gives the present form of an accepted former value.
	today(text string) (string, bool)
}

// Infinite is the value of an Ints option written as "infinite" (Flink's Integer.MAX_VALUE).
const Infinite = math.MaxInt32

// The syntaxes of Flink's scalar option types.
var (
	Ints    Syntax[int]           = intSyntax{}
	Floats  Syntax[float64]       = floatSyntax{}
	Bools   Syntax[bool]          = boolSyntax{}
	Strings Syntax[string]        = stringSyntax{}
	Times   Syntax[time.Duration] = durationSyntax{}
	Sizes   Syntax[MemorySize]    = sizeSyntax{}
	// Lists separates by ";"; an element holding ";" is quoted with ' or ".
	Lists Syntax[[]string] = listSyntax{}
	// Maps is written key:value,key:value; an element holding "," is quoted with ' or ".
	Maps Syntax[map[string]string] = mapSyntax{}
	// Paths separates by "," or ":", as Flink's io.tmp.dirs.
	Paths Syntax[[]string] = pathSyntax{}
)

type intSyntax struct{}

func (intSyntax) Name() string { return "Integer" }

func (intSyntax) Parse(text string) (int, error) {
	if strings.EqualFold(text, "infinite") {
		return Infinite, nil
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("expected a whole number below %d", Infinite)
	}
	return int(n), nil
}

func (intSyntax) Format(n int) string {
	if n == Infinite {
		return "infinite"
	}
	return strconv.Itoa(n)
}

type floatSyntax struct{}

func (floatSyntax) Name() string { return "Double" }

func (floatSyntax) Parse(text string) (float64, error) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return 0, fmt.Errorf("expected a number such as 1.5")
	}
	return f, nil
}

func (floatSyntax) Format(f float64) string {
	text := strconv.FormatFloat(f, 'g', -1, 64)
	if !strings.ContainsAny(text, ".e") {
		text += ".0"
	}
	return text
}

type boolSyntax struct{}

func (boolSyntax) Name() string { return "Boolean" }

func (boolSyntax) Parse(text string) (bool, error) {
	switch {
	case strings.EqualFold(text, "true"):
		return true, nil
	case strings.EqualFold(text, "false"):
		return false, nil
	}
	return false, fmt.Errorf("expected true or false")
}

func (boolSyntax) Format(b bool) string { return strconv.FormatBool(b) }

type stringSyntax struct{}

func (stringSyntax) Name() string                      { return "String" }
func (stringSyntax) Parse(text string) (string, error) { return text, nil }
func (stringSyntax) Format(s string) string            { return s }

// Enum is the syntax of an option with a closed set of values, compared without regard to case.
type Enum[T ~string] struct {
	// Values are today's, in the order in which the documentation lists them.
	Values []T
	// Synonyms are other ways to write a value, accepted silently.
	Synonyms map[string]T
	// Legacy are ways of former Flink versions, accepted with a notice that names today's.
	Legacy map[string]T
}

// Name lists the values.
func (e Enum[T]) Name() string {
	parts := make([]string, len(e.Values))
	for i, v := range e.Values {
		parts[i] = string(v)
	}
	return strings.Join(parts, " \\| ")
}

// Parse implements Syntax.
func (e Enum[T]) Parse(text string) (T, error) {
	for _, v := range e.Values {
		if strings.EqualFold(string(v), text) {
			return v, nil
		}
	}
	if v, ok := lookupFold(e.Synonyms, text); ok {
		return v, nil
	}
	if v, ok := lookupFold(e.Legacy, text); ok {
		return v, nil
	}
	parts := make([]string, len(e.Values))
	for i, v := range e.Values {
		parts[i] = string(v)
	}
	var zero T
	return zero, fmt.Errorf("expected one of %s", strings.Join(parts, ", "))
}

// Format implements Syntax.
func (e Enum[T]) Format(v T) string { return string(v) }

func (e Enum[T]) today(text string) (string, bool) {
	v, ok := lookupFold(e.Legacy, text)
	return string(v), ok
}

func lookupFold[T any](m map[string]T, text string) (T, bool) {
	for name, v := range m {
		if strings.EqualFold(name, text) {
			return v, true
		}
	}
	var zero T
	return zero, false
}

type listSyntax struct{}

func (listSyntax) Name() string { return "List" }

func (listSyntax) Parse(text string) ([]string, error) { return splitQuoted(text, ';') }

func (listSyntax) Format(list []string) string {
	parts := make([]string, len(list))
	for i, e := range list {
		parts[i] = quoteIfHas(e, ";")
	}
	return strings.Join(parts, ";")
}

type pathSyntax struct{}

func (pathSyntax) Name() string { return "List of paths" }

func (pathSyntax) Parse(text string) ([]string, error) {
	var paths []string
	for _, p := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ':' || r == ';' }) {
		if p = strings.TrimSpace(p); p != "" {
			paths = append(paths, p)
		}
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf(`expected one or more directories separated by ","`)
	}
	return paths, nil
}

func (pathSyntax) Format(paths []string) string { return strings.Join(paths, ",") }

type mapSyntax struct{}

func (mapSyntax) Name() string { return "Map" }

func (mapSyntax) Parse(text string) (map[string]string, error) {
	parts, err := splitQuoted(text, ',')
	if err != nil {
		return nil, err
	}
	m := make(map[string]string, len(parts))
	for _, part := range parts {
		key, value, ok := strings.Cut(part, ":")
		key = strings.TrimSpace(key)
		if !ok || key == "" {
			return nil, fmt.Errorf("expected key:value,key:value; %q has no key and value", part)
		}
		if _, twice := m[key]; twice {
			return nil, fmt.Errorf("the key %q occurs twice", key)
		}
		m[key] = strings.TrimSpace(value)
	}
	return m, nil
}

func (mapSyntax) Format(m map[string]string) string {
	parts := make([]string, 0, len(m))
	for key, value := range m {
		parts = append(parts, quoteIfHas(key+":"+value, ","))
	}
	sort.Strings(parts)
	return strings.Join(parts, ",")
}

// splitQuoted cuts text at sep outside quotes. A quote opens only at the start of an element; doubled, it stands for itself.
func splitQuoted(text string, sep byte) ([]string, error) {
	var parts []string
	for rest := strings.TrimSpace(text); rest != ""; {
		var part string
		if quote := rest[0]; quote == '\'' || quote == '"' {
			body, after, ok := cutQuoted(rest[1:], quote)
			if !ok {
				return nil, fmt.Errorf("the quote %c is never closed", quote)
			}
			after = strings.TrimSpace(after)
			if after != "" && after[0] != sep {
				return nil, fmt.Errorf("expected %q after the closing quote, found %q", sep, after)
			}
			part, rest = body, strings.TrimPrefix(after, string(sep))
		} else {
			part, rest, _ = strings.Cut(rest, string(sep))
			part = strings.TrimSpace(part)
		}
		rest = strings.TrimSpace(rest)
		if part != "" {
			parts = append(parts, part)
		}
	}
	return parts, nil
}

// cutQuoted returns what is inside the quote that was just opened, and what follows it.
func cutQuoted(text string, quote byte) (body, after string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != quote {
			b.WriteByte(text[i])
			continue
		}
		if i+1 < len(text) && text[i+1] == quote {
			b.WriteByte(quote)
			i++
			continue
		}
		return b.String(), text[i+1:], true
	}
	return "", "", false
}

func quoteIfHas(element, special string) string {
	if !strings.ContainsAny(element, special) && !strings.HasPrefix(element, "'") && !strings.HasPrefix(element, `"`) {
		return element
	}
	return "'" + strings.ReplaceAll(element, "'", "''") + "'"
}
