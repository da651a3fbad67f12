package expr

import (
	"fmt"

	"github.com/flottio/flott/column"
)

// allAggs lists every aggregate function there is, by family.
var allAggs = [][]*Agg{countAggs, sumAggs, extremeAggs, varianceAggs, listAggs, jsonAggs, bitmapAggs, windowAggs}

var aggRegistry = func() map[string]*Agg {
	m := map[string]*Agg{}
	for _, list := range allAggs {
		for _, a := range list {
			if m[a.Name] != nil {
				panic("BUG: expr: aggregate " + a.Name + " twice")
			}
			m[a.Name] = a
		}
	}
	return m
}()

// LookupAgg returns the aggregate function of a name in upper case, nil if there is none.
func LookupAgg(name string) *Agg { return aggRegistry[name] }

// AggNames returns the names of all aggregate functions, for errors and completion.
func AggNames() []string {
	names := make([]string, 0, len(aggRegistry))
	for n := range aggRegistry {
		names = append(names, n)
	}
	return names
}

// argTypes are the types of arguments as they are.
func argTypes(args []Arg) []column.Type {
	t := make([]column.Type, len(args))
	for i, a := range args {
		t[i] = a.Type
	}
	return t
}

// wantArgs checks the number of arguments.
func wantArgs(args []Arg, least, most int) error {
	switch {
	case len(args) >= least && len(args) <= most:
		return nil
	case least == most:
		return fmt.Errorf("expects %d arguments, got %d", least, len(args))
	}
	return fmt.Errorf("expects %d to %d arguments, got %d", least, most, len(args))
}

// oneNumber resolves an aggregate of one number.
func oneNumber(result func(t column.Type) column.Type) func([]Arg) (Signature, error) {
	return func(args []Arg) (Signature, error) {
		if err := wantArgs(args, 1, 1); err != nil {
			return Signature{}, err
		}
		t := args[0].Type
		if t.ID == column.Null {
			t = column.Of(column.Int)
		}
		if !t.IsNumeric() {
			return Signature{}, fmt.Errorf("expects a number, got %s", t)
		}
		return Signature{Args: []column.Type{t}, Result: result(t)}, nil
	}
}

// literal is the constant of argument i, if it is one that is not NULL.
func (s *AggSite) literal(i int) (any, bool) {
	if i >= len(s.Args) {
		return nil, false
	}
	l, ok := s.Args[i].(*Literal)
	if !ok || l.Value == nil {
		return nil, false
	}
	return l.Value, true
}
