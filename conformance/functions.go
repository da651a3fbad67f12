package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/flottio/flott/column"
)

// castZone is the time zone of the session in which the cast cases were recorded.
var castZone = mustZone("Asia/Shanghai")

func mustZone(name string) *time.Location {
	z, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return z
}

// functionCase is a line of the cases of built-in functions.
type functionCase struct {
	Src, Fn, Kind, SQL, To string
	Fields, Args           []any
	Types                  []string
	Expected, Type         any
}

// call is a function case made the same for functions and casts.
type call struct {
	zone     string
	sql      string
	types    []string
	fields   []any
	expected any
	typeText string // as the case writes it; "" if it does not say
	stage    string // at which it must fail; "" if it must not
}

const (
	refusal = "validation"
	running = "run time"
)

// runFunction runs a line and says how it went.
func runFunction(c *functionCase) (verdict, string) {
	call, reason := callOf(c)
	if call == nil {
		return skipped, reason
	}
	rows, types, err := columnsOf(call)
	if err != nil {
		return verdictOfCase(err)
	}
	k := &cases{feeds: map[string]*feed{"t": {rows: []feedRow{{values: rows}}}}}
	s := k.open(map[string]string{"table.local-time-zone": call.zone})
	if _, err := prepare(s, "CREATE TABLE t ("+strings.Join(types, ", ")+") WITH ('connector' = 'values')"); err != nil {
		return verdictOfCase(err)
	}
	r, err := query(s, "SELECT "+call.sql+" FROM t")
	if call.stage != "" {
		return judgeFailure(call.stage, err)
	}
	if err != nil {
		return verdictOfCase(err)
	}
	return judgeValue(call, r)
}

// verdictOfCase also knows cases that cannot be run anywhere but in a JVM.
func verdictOfCase(err error) (verdict, string) {
	var code symbolError
	if errors.As(err, &code) {
		return skipped, code.Error()
	}
	return verdictOf(err)
}

// callOf makes a call of a line; nil with the reason if the recipe skips it.
func callOf(c *functionCase) (*call, string) {
	switch {
	case c.Kind == "agg" || c.Kind == "result-list" || c.Kind == "cast:build":
		return nil, "the line has no SQL"
	case strings.HasPrefix(c.Kind, "cast:"):
		return castOf(c)
	}
	expectedCode := hasCode(c.Expected) && !strings.HasPrefix(c.Kind, "error:")
	if hasCode(c.Fields) || expectedCode {
		return nil, "the line has values that are code"
	}
	out := &call{zone: "UTC", sql: c.SQL, types: c.Types, fields: c.Fields, expected: c.Expected}
	switch c.Kind {
	case "error:testSqlRuntimeError":
		out.stage = running
	case "error:testSqlValidationError":
		out.stage = refusal
	}
	switch t := c.Type.(type) {
	case string:
		out.typeText = t
	}
	return out, ""
}

// castOf makes the call of a cast: its first argument is the type, the second the value, the third the result.
func castOf(c *functionCase) (*call, string) {
	from, ok := c.Args[0].(map[string]any)
	if !ok || len(c.Args) < 2 || hasCode(c.Args[1]) || c.Kind == "cast:fromCase" && hasCode(c.Args[2]) {
		return nil, "the line has values that are code"
	}
	t, err := parseType(c.To)
	if err != nil {
		return nil, err.Error()
	}
	to, ok := t.sql()
	if !ok {
		return nil, "the line does not say the whole type"
	}
	to = strings.TrimSuffix(to, " NOT NULL")
	out := &call{zone: castZone.String(), sql: "CAST(f0 AS " + to + ")", types: []string{fmt.Sprint(from["$sym"])}, fields: c.Args[1:2]}
	switch c.Kind {
	case "cast:failRuntime":
		out.stage = running
	case "cast:failValidation", "cast:failTableApiValidation":
		out.stage = refusal
	default:
		out.expected, out.typeText = c.Args[2], c.To
	}
	return out, ""
}

// columnsOf are the row and the columns of the table a call reads.
func columnsOf(c *call) (row []any, columns []string, err error) {
	for i, text := range c.types {
		t, err := parseType(text)
		if err != nil {
			return nil, nil, symbolError{err.Error()}
		}
		named, ok := t.sql()
		if !ok {
			return nil, nil, symbolError{"type " + text}
		}
		if i >= len(c.fields) {
			break
		}
		row, columns = append(row, c.fields[i]), append(columns, fmt.Sprintf("f%d %s", i, named))
	}
	if len(columns) == 0 {
		row, columns = []any{nil}, []string{"unused INT"}
	}
	return row, columns, nil
}

// judgeFailure says whether a statement failed at its stage.
func judgeFailure(stage string, err error) (verdict, string) {
	var at *stageError
	switch {
	case err == nil:
		return fail, "no error; want one at " + stage
	case isUnsupported(err):
		return unsupported, message(err)
	case errors.As(err, new(*panicError)):
		return fail, err.Error()
	case !errors.As(err, &at):
		return verdictOfCase(err)
	case at.running != (stage == running):
		return fail, "it fails at the wrong stage, want " + stage + ": " + message(err)
	}
	return pass, ""
}

// judgeValue compares the value, then the type.
func judgeValue(c *call, r *result) (verdict, string) {
	if len(r.rows) != 1 || len(r.columns) != 1 {
		return fail, fmt.Sprintf("%d rows of %d columns instead of one value", len(r.rows), len(r.columns))
	}
	t := r.columns[0].Type
	got := printed(r.rows[0].Values[0], t)
	want, err := valueOf(c.expected, t)
	if errors.As(err, new(symbolError)) {
		return skipped, err.Error()
	}
	if err != nil {
		return fail, fmt.Sprintf("value: got %s of type %s, want %v", got, t, c.expected)
	}
	if text := printed(want, t); got != text {
		return fail, fmt.Sprintf("value: got %s, want %s (type %s)", got, text, t)
	}
	return judgeType(c.typeText, t, strings.HasPrefix(c.sql, "CAST(f0") && c.zone != "UTC")
}

// judgeType compares types as SQL writes them. A cast's nullability is its argument's and not said.
func judgeType(text string, got column.Type, anyNull bool) (verdict, string) {
	if text == "" {
		return pass, ""
	}
	want, err := parseType(text)
	if err != nil {
		return pass, ""
	}
	sqlText, ok := want.sql()
	if !ok {
		return pass, ""
	}
	wanted, err := typeOf(sqlText)
	if err != nil {
		return fail, "type: " + err.Error()
	}
	got = normal(got)
	if anyNull {
		got.NotNull, wanted.NotNull = false, false
	}
	if got.String() != wanted.String() {
		return fail, fmt.Sprintf("type: got %s, want %s", got, wanted)
	}
	return pass, ""
}

// typeOf is a type that SQL wrote.
func typeOf(text string) (column.Type, error) {
	s := (&cases{}).open(nil)
	notNull := strings.HasSuffix(text, " NOT NULL")
	job, err := prepare(s, "SELECT CAST(NULL AS "+strings.TrimSuffix(text, " NOT NULL")+")")
	if err != nil {
		return column.Type{}, err
	}
	t := normal(job.Columns[0].Type)
	t.NotNull = notNull
	return t, nil
}

// expressionCase is a line of the expressions.
type expressionCase struct {
	Src, SQL, Expected string
	UsesFields         bool `json:"uses_fields"`
}

// runExpression compares the text of an expression's value.
func runExpression(c *expressionCase) (verdict, string) {
	if c.UsesFields {
		return skipped, "the line needs a row that is not there"
	}
	k := &cases{feeds: map[string]*feed{"t": {rows: []feedRow{{values: []any{nil}}}}}}
	s := k.open(map[string]string{"table.local-time-zone": "UTC"})
	if _, err := prepare(s, "CREATE TABLE t (unused INT) WITH ('connector' = 'values')"); err != nil {
		return verdictOf(err)
	}
	r, err := query(s, "SELECT CAST(("+c.SQL+") AS STRING) FROM t")
	if err != nil {
		return verdictOf(err)
	}
	if len(r.rows) != 1 {
		return fail, fmt.Sprintf("%d rows instead of one value", len(r.rows))
	}
	got := "NULL"
	if v, ok := r.rows[0].Values[0].(string); ok {
		got = v
	}
	if got != c.Expected {
		return fail, fmt.Sprintf("value: got %s, want %s", got, c.Expected)
	}
	return pass, ""
}
