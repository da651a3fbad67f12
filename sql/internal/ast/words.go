package ast

// Structural are the keywords which, without quotes, are never the name of a column or function in an expression, nor an alias without
// AS: they say how a query goes on. All other keywords are names wherever only a name can stand.
var Structural = set("ALL", "AND", "ANTI", "AS", "BETWEEN", "BY", "CASE", "CAST", "CROSS", "DISTINCT", "ELSE", "END", "EXCEPT", "EXISTS",
	"FALSE", "FETCH", "FOR", "FROM", "FULL", "GROUP", "HAVING", "IN", "INNER", "INTERSECT", "INTO", "IS", "JOIN", "LIKE",
	"LIMIT", "MINUS", "NATURAL", "NOT", "NULL", "ON", "OR", "ORDER", "OVER", "QUALIFY", "SELECT", "SET", "SIMILAR", "TABLESAMPLE",
	"THEN", "TRUE", "TRY_CAST", "UNION", "UNKNOWN", "USING", "WHEN", "WHERE", "WITH")

// constructs are words with a grammar of their own behind "(": as the name of a function they need quotes.
var constructs = set("ARRAY", "DESCRIPTOR", "JSON_OBJECT", "JSON_OBJECTAGG", "JSON_ARRAY", "LATERAL", "MAP", "MULTISET", "PRIOR", "ROW",
	"TABLE", "UNIQUE", "UNNEST", "VALUES", "INTERVAL", "DATE", "TIME", "TIMESTAMP", "TIMESTAMP_LTZ", "FINAL", "RUNNING", "DEFAULT",
	"MATCH_RECOGNIZE", "PIVOT", "UNPIVOT")

func set(words ...string) map[string]bool {
	m := make(map[string]bool, len(words))
	for _, w := range words {
		m[w] = true
	}
	return m
}
