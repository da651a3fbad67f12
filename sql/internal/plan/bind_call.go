package plan

import (
	"strings"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/sql/internal/ast"
	"github.com/flottio/flott/sql/internal/expr"
)

// function binds a call: of a window function, an aggregate, a function of the session or a built-in one.
func (s *scope) function(x *ast.Call) expr.Expr {
	name := upper(x.Func)
	if x.Over != nil {
		return s.overCall(x)
	}
	user := s.b.Session.Function(x.Func)
	if user != nil && user.Scalar != nil {
		return s.apply(x.Pos, user.Scalar, s.exprs(x.Args...)...)
	}
	if len(x.Func) == 1 && user == nil {
		if e, ok := s.auxiliary(x, name); ok {
			return e
		}
		if isGroupWindow(x) {
			s.b.failf(x.Pos, "%s(...) can only stand in GROUP BY", name).Length = len(name)
			return nil
		}
	}
	if f := lookupAgg(s, x); f != nil {
		return s.aggregate(x, f)
	}
	switch {
	case user != nil && user.Table != nil:
		s.b.failf(x.Pos, "%s is a table function: it stands in FROM, as LATERAL TABLE(%s(...))", user.Name, user.Name)
		return nil
	case user != nil:
		s.b.failf(x.Pos, "the function %s is declared with class '%s', which is not known to this program", user.Name, user.Class)
		return nil
	case len(x.Func) > 1:
		s.unknownFunction(x.Pos, quotePath(x.Func))
		return nil
	case x.Filter != nil || x.Distinct || len(x.WithinGroup) > 0:
		s.b.failf(x.Pos, "DISTINCT, FILTER and WITHIN GROUP belong to aggregates, %s is none", name)
		return nil
	}
	return s.builtin(x, name)
}

// aliases are names of functions that are other functions' too.
var aliases = map[string]string{"CEILING": "CEIL", "CHARACTER_LENGTH": "CHAR_LENGTH", "POW": "POWER"}

func (s *scope) builtin(x *ast.Call, name string) expr.Expr {
	if expr.Lookup(name) == nil && aliases[name] != "" {
		name = aliases[name]
	}
	for _, a := range x.Args {
		if n, ok := a.(*ast.NamedArg); ok {
			s.b.failf(n.Pos, "%s takes no arguments by name", name)
			return nil
		}
	}
	if e, ok := s.jsonCall(x, name); ok {
		return e
	}
	args := s.exprs(x.Args...)
	if name == "PROCTIME" && expr.Lookup(name) == nil {
		return &expr.Call{Func: procTime, Of: procTimeType}
	}
	e := s.call(x.Pos, name, args...)
	if c, ok := e.(*expr.Call); ok && name == "PROCTIME" {
		c.Of.Attribute = column.Proctime
	}
	return e
}

var procTimeType = column.Type{ID: column.TimestampLTZ, Precision: 3, NotNull: true, Attribute: column.Proctime}

var procTime = &expr.Func{Name: "PROCTIME", Volatility: expr.Volatile}

// flinkFunctions are names that a user of Flink can expect to exist.
var flinkFunctions = func() map[string]bool {
	m := map[string]bool{}
	for _, n := range strings.Fields(flinkFunctionNames) {
		m[n] = true
	}
	return m
}()

const flinkFunctionNames = `ABS ACOS ASIN ATAN ATAN2 BIN CBRT CEIL COS COSH COT DEGREES E EXP FLOOR GREATEST HEX LEAST LN LOG LOG10 LOG2
MOD PERCENTILE PI POWER RADIANS RAND RAND_INTEGER ROUND SIGN SIN SINH SQRT TAN TANH TRUNCATE UNHEX UUID
ASCII BTRIM CHAR_LENGTH CHR CONCAT CONCAT_WS DECODE ELT ENCODE ENDSWITH FROM_BASE64 INITCAP INSTR LEFT LOCATE LOWER LPAD LTRIM OVERLAY
PARSE_URL POSITION PRINTF REGEXP REGEXP_COUNT REGEXP_EXTRACT REGEXP_EXTRACT_ALL REGEXP_INSTR REGEXP_REPLACE REGEXP_SUBSTR REPEAT REPLACE
REVERSE RIGHT RPAD RTRIM SPLIT SPLIT_INDEX STARTSWITH STR_TO_MAP SUBSTR SUBSTRING TO_BASE64 TRANSLATE TRIM UPPER URL_DECODE URL_ENCODE
CONVERT_TZ CURRENT_DATE CURRENT_ROW_TIMESTAMP CURRENT_TIME CURRENT_TIMESTAMP CURRENT_WATERMARK DATE_FORMAT DAYOFMONTH DAYOFWEEK DAYOFYEAR
EXTRACT FROM_UNIXTIME HOUR LOCALTIME LOCALTIMESTAMP MINUTE MONTH NOW OVERLAPS PROCTIME QUARTER SECOND SOURCE_WATERMARK TIMESTAMPADD
TIMESTAMPDIFF TO_DATE TO_TIMESTAMP TO_TIMESTAMP_LTZ UNIX_TIMESTAMP WEEK YEAR COALESCE IF IFNULL IS_ALPHA IS_DECIMAL IS_DIGIT NULLIF
TYPEOF CARDINALITY ELEMENT ARRAY_APPEND ARRAY_CONCAT ARRAY_CONTAINS ARRAY_DISTINCT ARRAY_EXCEPT ARRAY_INTERSECT ARRAY_JOIN ARRAY_MAX
ARRAY_MIN ARRAY_POSITION ARRAY_PREPEND ARRAY_REMOVE ARRAY_REVERSE ARRAY_SLICE ARRAY_SORT ARRAY_UNION MAP_ENTRIES MAP_FROM_ARRAYS MAP_KEYS
MAP_UNION MAP_VALUES JSON_ARRAY JSON_EXISTS JSON_OBJECT JSON_QUERY JSON_QUOTE JSON_STRING JSON_UNQUOTE JSON_VALUE PARSE_JSON TRY_PARSE_JSON
MD5 SHA1 SHA2 SHA224 SHA256 SHA384 SHA512 CURRENT_DATABASE GROUPING GROUP_ID APPROX_COUNT_DISTINCT ARRAY_AGG COLLECT CUME_DIST DENSE_RANK
FIRST_VALUE JSON_ARRAYAGG JSON_OBJECTAGG LAG LAST_VALUE LEAD LISTAGG NTILE PERCENT_RANK RANK ROW_NUMBER STDDEV_POP STDDEV_SAMP VARIANCE
VAR_POP VAR_SAMP ITEM ARRAY MAP ROW LIKE SIMILAR UNNEST`
