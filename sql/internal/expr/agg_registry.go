package expr

import (
	"fmt"

	"github.com/flottio/flott/column"
)

// aggregates holds the aggregate functions by name.
var aggregates = map[string]*Agg{
	"COUNT": {Name: "COUNT", Resolve: resolveCount},
	"SUM":   {Name: "SUM", Resolve: resolveSum},
	"AVG":   {Name: "AVG", Resolve: resolveAvg},
	"MIN":   {Name: "MIN", Resolve: resolveExtreme},
	"MAX":   {Name: "MAX", Resolve: resolveExtreme},
}

// LookupAgg returns the aggregate function of a name in upper case, nil if there is none.
func LookupAgg(name string) *Agg { return aggregates[name] }

// resolveCount: no argument is COUNT(*).
func resolveCount(args []Arg) (Signature, error) {
	sig := Signature{Result: column.Of(column.BigInt).Nullable(false)}
	for _, a := range args {
		sig.Args = append(sig.Args, a.Type)
	}
	return sig, nil
}

func resolveNumber(args []Arg) (column.Type, error) {
	if len(args) != 1 {
		return column.Type{}, fmt.Errorf("takes 1 argument, got %d", len(args))
	}
	t := args[0].Type
	if !t.IsNumeric() {
		return column.Type{}, fmt.Errorf("expects a number, got %s", t)
	}
	return t, nil
}

func resolveSum(args []Arg) (Signature, error) {
	t, err := resolveNumber(args)
	result := t.Nullable(true)
	if t.ID == column.Decimal {
		result = column.DecimalType(column.MaxDecimalPrecision, int(t.Scale))
	}
	return Signature{[]column.Type{t}, result}, err
}

func resolveAvg(args []Arg) (Signature, error) {
	t, err := resolveNumber(args)
	result := t.Nullable(true)
	if t.ID == column.Decimal {
		result = column.DecimalType(column.MaxDecimalPrecision, int(max(t.Scale, 6)))
	}
	return Signature{[]column.Type{t}, result}, err
}

func resolveExtreme(args []Arg) (Signature, error) {
	if len(args) != 1 {
		return Signature{}, fmt.Errorf("takes 1 argument, got %d", len(args))
	}
	t := args[0].Type
	t.Attribute = column.NoAttribute
	return Signature{[]column.Type{t}, t.Nullable(true)}, nil
}
