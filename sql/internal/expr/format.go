package expr

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/flottio/flott/column"
)

// Format is the text of a value as CAST to STRING gives it; NULL is "NULL".
func Format(value any, t column.Type) string {
	switch x := value.(type) {
	case nil:
		return "NULL"
	case bool:
		return strings.ToUpper(strconv.FormatBool(x))
	case string:
		return x
	case float32:
		return strconv.FormatFloat(float64(x), 'g', -1, 32)
	case float64:
		return strconv.FormatFloat(x, 'g', -1, 64)
	}
	return fmt.Sprint(value)
}
