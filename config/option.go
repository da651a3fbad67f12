package config

import (
	"fmt"
	"strings"

	"github.com/flottio/flott/internal/invariant"
)

// Option is one configuration option with values of type T. Options are declared once, as package variables, and never change:
// they are safe for concurrent use.
type Option[T any] struct {
	// Key is the name, Flink's where Flink has one.
	Key string
	// Syntax says how values are written.
	Syntax Syntax[T]
	// Default holds when nobody sets the option.
	Default T
	// Optional means that there is no default: unset is a value of its own, Get returns the zero value and Lookup reports false.
	Optional bool
	// Doc is what the documentation says: meaning, unit, what unset means.
	Doc string
	// Aliases are former keys, accepted with a notice that names Key.
	Aliases []string
	// Check, if set, refuses values of the right syntax but the wrong size; its error begins with "expected".
	Check func(T) error
	// NoEffect, if set, is the reason why setting the option changes nothing; setting it gives a notice.
	NoEffect string
}

// Described is an Option of any type.
type Described interface {
	// Describe returns what the documentation shows.
	Describe() Description
	// judge parses and checks a value; today is its present form if the value is written as in a former Flink version.
	judge(text string) (today string, err error)
	// isMap reports whether keys below the option's own key are parts of its value.
	isMap() bool
}

// Description is what can be said of an option without its type.
type Description struct {
	Key      string
	Type     string
	Default  string // "(none)" for an optional option
	Doc      string
	Aliases  []string
	NoEffect string
}

// Get returns the option's value in set, or its default (the zero value, if it is Optional). A nil set holds nothing.
// REQUIRES: set.Validate returned nil.
func (o *Option[T]) Get(set *Set) T {
	value, ok := o.Lookup(set)
	if !ok && !o.Optional {
		return o.Default
	}
	return value
}

// Lookup returns the option's value in set and whether anybody set it. REQUIRES: set.Validate returned nil.
func (o *Option[T]) Lookup(set *Set) (value T, ok bool) {
	if set == nil {
		return value, false
	}
	text, ok := set.text(o.Key, o.isMap())
	if !ok {
		return value, false
	}
	value, err := o.parse(text)
	if err != nil {
		invariant.Bug("option %s was read from a configuration that was not validated: %v", o.Key, err)
	}
	return value, true
}

// Put sets the option from code. Code is the weakest source: a file, the environment and -D all override it.
func (o *Option[T]) Put(set *Set, value T, origin Origin) {
	set.put(LayerCode, written{key: o.Key, value: o.Syntax.Format(value), keyOrigin: origin, valueOrigin: origin})
}

// Describe implements Described.
func (o *Option[T]) Describe() Description {
	d := Description{Key: o.Key, Type: o.Syntax.Name(), Default: "(none)", Doc: o.Doc, Aliases: o.Aliases, NoEffect: o.NoEffect}
	if !o.Optional {
		d.Default = o.Syntax.Format(o.Default)
	}
	return d
}

func (o *Option[T]) parse(text string) (T, error) {
	value, err := o.Syntax.Parse(strings.TrimSpace(text))
	if err == nil && o.Check != nil {
		err = o.Check(value)
	}
	return value, err
}

func (o *Option[T]) judge(text string) (today string, err error) {
	if _, err := o.parse(text); err != nil {
		return "", err
	}
	if legacy, ok := o.Syntax.(legacySyntax); ok {
		today, _ = legacy.today(strings.TrimSpace(text))
	}
	return today, nil
}

func (o *Option[T]) isMap() bool {
	_, ok := any(o.Syntax).(mapSyntax)
	return ok
}

// atLeast is a Check for numbers of any kind.
func atLeast[T ~int | ~int64 | ~float64](min T, format func(T) string) func(T) error {
	return func(v T) error {
		if v < min {
			return fmt.Errorf("expected at least %s", format(min))
		}
		return nil
	}
}

// between is a Check for numbers of any kind; both ends are allowed.
func between[T ~int | ~int64 | ~float64](min, max T, format func(T) string) func(T) error {
	return func(v T) error {
		if v < min || v > max {
			return fmt.Errorf("expected a value from %s to %s", format(min), format(max))
		}
		return nil
	}
}
