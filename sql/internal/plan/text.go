package plan

// CallText is an aggregate call over the columns of a schema.
func CallText(c AggCall, in Schema) string {
	list := callList([]AggCall{c}, in)
	return list[len("calls=[") : len(list)-1]
}

// SortText is sort keys over the columns of a schema.
func SortText(keys []SortKey, in Schema) string { return sortText(keys, in) }

// WindowText is a window over the columns of a schema.
func WindowText(w Window, in Schema) string { return w.describe(in) }
