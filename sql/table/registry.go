package table

import (
	"fmt"
	"slices"
	"strings"
)

// Registry is the connectors that tables can name. It is not changed once it is in use.
type Registry struct{ factories []Factory }

// NewRegistry returns a registry of the factories. Of two with one name the later counts.
func NewRegistry(factories ...Factory) *Registry { return (&Registry{}).With(factories...) }

// With returns a registry with more factories: a user's own, or a test's.
func (r *Registry) With(more ...Factory) *Registry {
	return &Registry{slices.Concat(r.factories, more)}
}

// Names are the connectors' names, sorted.
func (r *Registry) Names() []string {
	var names []string
	for _, f := range r.factories {
		names = append(names, f.Name())
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Factory finds the connector that a table's option 'connector' names.
func (r *Registry) Factory(d *Definition) (Factory, error) {
	name, given := d.Options["connector"]
	if !given {
		return nil, fmt.Errorf("table %s has no option 'connector'; there are %s", d.Path, strings.Join(r.Names(), ", "))
	}
	for _, f := range slices.Backward(r.factories) {
		if f.Name() == name {
			return f, nil
		}
	}
	hint := ""
	if near := nearest(strings.ToLower(name), r.Names()); near != "" {
		hint = fmt.Sprintf("did you mean '%s'? ", near)
	}
	return nil, fmt.Errorf("table %s: there is no connector '%s'; %sthere are %s", d.Path, name, hint, strings.Join(r.Names(), ", "))
}

// Source makes a table's source.
func (r *Registry) Source(d *Definition) (Source, error) {
	f, err := r.Factory(d)
	if err != nil {
		return nil, err
	}
	s, ok := f.(SourceFactory)
	if !ok {
		return nil, fmt.Errorf("table %s: connector '%s' cannot be read, only written", d.Path, f.Name())
	}
	return s.Source(d)
}

// Sink makes a table's sink for a query that makes rows of a mode.
func (r *Registry) Sink(d *Definition, mode Mode) (Sink, error) {
	f, err := r.Factory(d)
	if err != nil {
		return nil, err
	}
	s, ok := f.(SinkFactory)
	if !ok {
		return nil, fmt.Errorf("table %s: connector '%s' cannot be written, only read", d.Path, f.Name())
	}
	return s.Sink(d, mode)
}
