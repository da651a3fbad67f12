package config

import (
	"fmt"
	"strings"
)

// Problem is one thing wrong with a configuration.
type Problem struct {
	Kind   ProblemKind
	Origin Origin
	// Key is the option's key as written; empty for a fault of the source itself.
	Key string
	// Message says what was found, what is expected, and what to do.
	Message string
}

// ProblemKind is the closed set of what can be wrong.
type ProblemKind int

// The kinds.
const (
	// UnknownKey is a name that neither Flott nor Flink has.
	UnknownKey ProblemKind = iota
	// JVMOnly is an option of Flink that has a meaning only on a JVM.
	JVMOnly
	// NotSupported is an option of Flink that Flott does not have yet.
	NotSupported
	// BadValue is a value of the wrong syntax or size.
	BadValue
	// Conflict is an option that contradicts another, or is set twice.
	Conflict
	// BadSource is a file or argument that cannot be read or has the wrong form.
	BadSource
)

// String is one line: place, key, message.
func (p Problem) String() string {
	if p.Key == "" {
		return p.Origin.String() + ": " + p.Message
	}
	return p.Origin.String() + ": " + p.Key + ": " + p.Message
}

// Problems is everything wrong with a configuration. It is an error; an empty one is never returned as such.
type Problems []Problem

// Error lists all of them, one a line.
func (ps Problems) Error() string {
	var b strings.Builder
	if len(ps) == 1 {
		b.WriteString("the configuration has 1 problem:")
	} else {
		fmt.Fprintf(&b, "the configuration has %d problems:", len(ps))
	}
	for _, p := range ps {
		b.WriteString("\n  " + p.String())
	}
	return b.String()
}

// secretParts mark keys whose values are never shown.
var secretParts = []string{"password", "secret", "token", "api-key", "apikey", "access-key", "access.key", "account.key", "service-key",
	"basic-auth", "jaas", "http-headers", "auth-params", "credential"}

// IsSecret reports whether a key's value must not be shown.
func IsSecret(key string) bool {
	key = strings.ToLower(key)
	for _, part := range secretParts {
		if strings.Contains(key, part) {
			return true
		}
	}
	return false
}

// maxShownChars bounds how much of a value a message repeats.
const maxShownChars = 80

// shown is a value as messages and listings may show it.
func shown(key, value string) string {
	if IsSecret(key) {
		return "******"
	}
	if runes := []rune(value); len(runes) > maxShownChars {
		return string(runes[:maxShownChars]) + "..."
	}
	return value
}
