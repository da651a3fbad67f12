package ast

import (
	"strconv"
	"strings"
)

func (p *printer) query(q *Query) {
	if q.With != nil {
		p.w("WITH ")
		p.when(q.With.Recursive, "RECURSIVE ")
		p.comma(len(q.With.Tables), func(i int) {
			t := q.With.Tables[i]
			p.name(t.Name)
			if len(t.Columns) > 0 {
				p.w(" ")
				p.names(t.Columns)
			}
			p.w(" AS ")
			p.sub(t.Query)
		})
		p.w(" ")
	}
	p.operand(q.Body)
	if len(q.OrderBy) > 0 {
		p.w(" ")
		p.orderBy(q.OrderBy)
	}
	if q.Limit != nil {
		p.w(" LIMIT ")
		p.expr(q.Limit, 0)
	}
	if q.Offset != nil {
		p.w(" OFFSET ")
		p.expr(q.Offset, 0)
	}
}

// operand prints a query inside a larger one.
func (p *printer) operand(b Body) {
	if q, ok := b.(*Query); ok {
		p.sub(q)
		return
	}
	p.body(b)
}

func (p *printer) body(b Body) {
	switch b := b.(type) {
	case *Query:
		p.query(b)
	case *Select:
		p.selectBody(b)
	case *Values:
		p.w("VALUES ")
		p.exprs(b.Rows)
	case *TableQuery:
		p.w("TABLE ")
		p.path(b.Table)
	case *SetOp:
		p.setOperand(b.L, b.Kind, false)
		p.w(" ", b.Kind.String(), " ")
		p.when(b.All, "ALL ")
		p.setOperand(b.R, b.Kind, true)
	}
}

func (p *printer) setOperand(b Body, kind SetOpKind, right bool) {
	op, ok := b.(*SetOp)
	if ok && (kind == Intersect && op.Kind != Intersect || right && (op.Kind != Intersect || kind == Intersect)) {
		p.parens(func() { p.body(b) })
		return
	}
	p.operand(b)
}

func (p *printer) selectBody(s *Select) {
	p.w("SELECT ")
	p.hints(s.Hints, "", " ")
	p.when(s.Distinct, "DISTINCT ")
	p.items(s.Items)
	if s.From != nil {
		p.w(" FROM ")
		p.tableRef(s.From)
	}
	p.clause(" WHERE ", s.Where)
	if s.GroupBy != nil {
		p.w(" GROUP BY ")
		p.when(s.GroupBy.Distinct, "DISTINCT ")
		p.groupItems(s.GroupBy.Items)
	}
	p.clause(" HAVING ", s.Having)
	if len(s.Windows) > 0 {
		p.w(" WINDOW ")
		p.comma(len(s.Windows), func(i int) {
			p.name(s.Windows[i].Name)
			p.w(" AS ")
			p.window(s.Windows[i].Window)
		})
	}
	p.clause(" QUALIFY ", s.Qualify)
}

func (p *printer) clause(word string, x Expr) {
	if x != nil {
		p.w(word)
		p.expr(x, 0)
	}
}

func (p *printer) items(list []SelectItem) {
	p.comma(len(list), func(i int) {
		p.expr(list[i].X, 0)
		if list[i].Alias.Text != "" {
			p.w(" AS ")
			p.name(list[i].Alias)
		}
	})
}

func (p *printer) groupItems(list []GroupItem) {
	names := [...]string{Rollup: "ROLLUP", Cube: "CUBE", Sets: "GROUPING SETS "}
	p.comma(len(list), func(i int) {
		g := list[i]
		switch g.Kind {
		case GroupExpr:
			p.expr(g.Exprs[0], 0)
		case GroupTuple:
			p.parens(func() { p.exprs(g.Exprs) })
		default:
			p.w(names[g.Kind])
			p.parens(func() { p.groupItems(g.Items) })
		}
	})
}

func (p *printer) hints(list []Hint, before, after string) {
	if len(list) == 0 {
		return
	}
	p.w(before, "/*+ ")
	p.comma(len(list), func(i int) {
		p.name(Name{Text: list[i].Name})
		if args := list[i].Args; len(args) > 0 {
			p.parens(func() { p.comma(len(args), func(i int) { p.hintArg(args[i]) }) })
		}
	})
	p.w(" */", after)
}

func (p *printer) hintArg(a HintArg) {
	if a.HasKey {
		p.w(QuoteString(a.Key), " = ")
	}
	p.expr(a.Value, 0)
}

func (p *printer) alias(a *Alias) {
	if a == nil {
		return
	}
	p.w(" AS ")
	p.name(a.Name)
	if len(a.Columns) > 0 {
		p.names(a.Columns)
	}
}

func (p *printer) tableRef(t TableRef) {
	switch t := t.(type) {
	case *TableName:
		p.path(t.Path)
		p.hints(t.Hints, " ", "")
		p.asOf(t.AsOf)
		p.alias(t.Alias)
	case *DerivedTable:
		p.when(t.Lateral, "LATERAL ")
		p.sub(t.Query)
		p.hints(t.Hints, " ", "")
		p.alias(t.Alias)
	case *TableFunc:
		p.when(t.Lateral, "LATERAL ")
		if t.Wrapped {
			p.w("TABLE(")
			p.call(t.Call)
			p.w(")")
		} else {
			p.call(t.Call)
		}
		p.hints(t.Hints, " ", "")
		p.asOf(t.AsOf)
		p.alias(t.Alias)
	case *Unnest:
		p.when(t.Lateral, "LATERAL ")
		p.w("UNNEST(")
		p.exprs(t.Exprs)
		p.w(")")
		p.when(t.WithOrdinality, " WITH ORDINALITY")
		p.alias(t.Alias)
	case *Join:
		p.join(t)
	case *Sample:
		p.tableOperand(t.Input)
		method := "SYSTEM"
		if t.Bernoulli {
			method = "BERNOULLI"
		}
		p.w(" TABLESAMPLE ", method, "(")
		p.expr(t.Percent, 0)
		p.w(")")
		if t.Seed != nil {
			p.w(" REPEATABLE(")
			p.expr(t.Seed, 0)
			p.w(")")
		}
	case *Pivot:
		p.pivot(t)
	case *Unpivot:
		p.unpivot(t)
	case *MatchRecognize:
		p.match(t)
	}
}

func (p *printer) asOf(x Expr) {
	if x != nil {
		p.w(" FOR SYSTEM_TIME AS OF ")
		p.expr(x, precOperand)
	}
}

// tableOperand prints a table that something follows; a join needs parentheses there.
func (p *printer) tableOperand(t TableRef) {
	if _, join := t.(*Join); join {
		p.parens(func() { p.tableRef(t) })
		return
	}
	p.tableRef(t)
}

func (p *printer) join(j *Join) {
	if l, ok := j.L.(*Join); ok && l.Comma && !j.Comma {
		p.tableOperand(j.L)
	} else {
		p.tableRef(j.L)
	}
	if j.Comma {
		p.w(", ")
		if r, ok := j.R.(*Join); ok && !r.Comma {
			p.tableRef(j.R)
		} else {
			p.tableOperand(j.R)
		}
		return
	}
	p.when(j.Natural, " NATURAL")
	p.w(" ", j.Kind.String(), " ")
	p.tableOperand(j.R)
	p.clause(" ON ", j.On)
	if len(j.Using) > 0 {
		p.w(" USING ")
		p.names(j.Using)
	}
}

func (p *printer) pivot(t *Pivot) {
	p.tableOperand(t.Input)
	p.w(" PIVOT (")
	p.items(t.Aggs)
	p.w(" FOR ")
	p.names(t.Axes)
	p.w(" IN (")
	p.items(t.Values)
	p.w("))")
	p.alias(t.Alias)
}

func (p *printer) unpivot(t *Unpivot) {
	p.tableOperand(t.Input)
	p.w(" UNPIVOT ")
	p.when(t.IncludeNulls, "INCLUDE NULLS ")
	p.w("(")
	p.names(t.Measures)
	p.w(" FOR ")
	p.names(t.Axes)
	p.w(" IN (")
	p.comma(len(t.In), func(i int) {
		p.names(t.In[i].Columns)
		if v := t.In[i].Values; len(v) == 1 {
			p.w(" AS ")
			p.expr(v[0], 0)
		} else if len(v) > 1 {
			p.w(" AS ")
			p.parens(func() { p.exprs(v) })
		}
	})
	p.w("))")
	p.alias(t.Alias)
}

func (p *printer) match(m *MatchRecognize) {
	p.tableOperand(m.Input)
	p.w(" MATCH_RECOGNIZE (")
	if len(m.PartitionBy) > 0 {
		p.w("PARTITION BY ")
		p.exprs(m.PartitionBy)
		p.w(" ")
	}
	if len(m.OrderBy) > 0 {
		p.orderBy(m.OrderBy)
		p.w(" ")
	}
	if len(m.Measures) > 0 {
		p.w("MEASURES ")
		p.items(m.Measures)
		p.w(" ")
	}
	p.when(m.RowsPer == OneRowPerMatch, "ONE ROW PER MATCH ")
	p.when(m.RowsPer == AllRowsPerMatch, "ALL ROWS PER MATCH ")
	if m.After.Kind != SkipDefault {
		names := [...]string{SkipToNextRow: "TO NEXT ROW", SkipPastLastRow: "PAST LAST ROW", SkipToFirst: "TO FIRST ", SkipToLast: "TO LAST "}
		p.w("AFTER MATCH SKIP ", names[m.After.Kind])
		if m.After.Symbol.Text != "" {
			p.name(m.After.Symbol)
		}
		p.w(" ")
	}
	p.w("PATTERN (")
	p.when(m.Start, "^ ")
	p.pattern(m.Pattern, 0)
	p.when(m.End, " $")
	p.w(")")
	p.clause(" WITHIN ", m.Within)
	p.when(len(m.Subsets) > 0, " SUBSET ")
	p.comma(len(m.Subsets), func(i int) {
		p.name(m.Subsets[i].Name)
		p.w(" = ")
		p.names(m.Subsets[i].Symbols)
	})
	p.w(" DEFINE ")
	p.comma(len(m.Define), func(i int) {
		p.name(m.Define[i].Name)
		p.w(" AS ")
		p.expr(m.Define[i].Cond, 0)
	})
	p.w(")")
	p.alias(m.Alias)
}

// pattern prints a pattern; level 1 is inside a sequence, 2 before a quantifier.
func (p *printer) pattern(x *Pattern, level int) {
	own := map[PatternKind]int{PatternAlt: 0, PatternSeq: 1, PatternRepeat: 2}
	if l, ok := own[x.Kind]; ok && l < level {
		p.parens(func() { p.pattern(x, 0) })
		return
	}
	join := func(sep string, level int) {
		for i, item := range x.Items {
			p.when(i > 0, sep)
			p.pattern(item, level)
		}
	}
	switch x.Kind {
	case PatternSymbol:
		p.name(x.Name)
	case PatternEmpty:
		p.w("()")
	case PatternAlt:
		join(" | ", 1)
	case PatternSeq:
		join(" ", 2)
	case PatternPermute:
		p.w("PERMUTE(")
		join(", ", 0)
		p.w(")")
	case PatternExclude:
		p.w("{- ")
		join("", 0)
		p.w(" -}")
	case PatternRepeat:
		join("", 3)
		p.w(quantifier(x))
		p.when(x.Reluctant, "?")
	}
}

func quantifier(x *Pattern) string {
	switch {
	case x.Min == 0 && x.Max == -1:
		return "*"
	case x.Min == 1 && x.Max == -1:
		return "+"
	case x.Min == 0 && x.Max == 1:
		return "?"
	case x.Max == -1:
		return "{" + strconv.Itoa(x.Min) + ",}"
	case x.Max == x.Min:
		return "{" + strconv.Itoa(x.Min) + "}"
	}
	return strings.Join([]string{"{", strconv.Itoa(x.Min), ",", strconv.Itoa(x.Max), "}"}, "")
}
