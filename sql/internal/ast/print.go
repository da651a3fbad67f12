package ast

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// Print writes a node as canonical SQL: keywords in upper case, names in backquotes, no more parentheses than are needed. What is printed
// parses to the same tree. Node is any pointer type of this package, a Path or a Name.
func Print(n Node) string {
	var p printer
	p.node(n)
	return p.b.String()
}

// Quote writes a name in backquotes.
func Quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

// QuoteString writes a string literal.
func QuoteString(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

type printer struct {
	b strings.Builder
}

func (p *printer) node(n Node) {
	switch n := n.(type) {
	case Name:
		p.name(n)
	case Path:
		p.path(n)
	case *TypeName:
		p.typeName(n)
	case *Qualifier:
		p.qualifier(*n)
	case *Window:
		p.window(n)
	case Expr:
		p.expr(n, 0)
	case Body:
		p.body(n)
	case TableRef:
		p.tableRef(n)
	case Statement:
		p.statement(n)
	case AlterAction:
		p.alterAction(n)
	case *ColumnDef:
		p.column(n)
	case *Constraint:
		p.constraint(n)
	case *WatermarkDef:
		p.watermark(n)
	case *Pattern:
		p.pattern(n, 0)
	default:
		panic(fmt.Sprintf("BUG: no way to print a %T", n))
	}
}

func (p *printer) w(parts ...string) {
	for _, s := range parts {
		p.b.WriteString(s)
	}
}

func (p *printer) when(cond bool, s string) {
	if cond {
		p.w(s)
	}
}

// comma calls f for 0 to n-1 with ", " between.
func (p *printer) comma(n int, f func(i int)) {
	for i := range n {
		p.when(i > 0, ", ")
		f(i)
	}
}

func (p *printer) parens(f func()) {
	p.w("(")
	f()
	p.w(")")
}

func (p *printer) name(n Name) { p.w(Quote(n.Text)) }

func (p *printer) path(path Path) {
	for i, n := range path {
		p.when(i > 0, ".")
		p.name(n)
	}
}

func (p *printer) names(list []Name) {
	p.parens(func() { p.comma(len(list), func(i int) { p.name(list[i]) }) })
}

func (p *printer) exprs(list []Expr) { p.comma(len(list), func(i int) { p.expr(list[i], 0) }) }

func (p *printer) string(s String) { p.w(QuoteString(s.Text)) }

func (p *printer) qualifier(q Qualifier) {
	p.w(q.From.String())
	if q.Precision >= 0 {
		p.w("(", strconv.Itoa(q.Precision))
		if q.Fraction >= 0 && q.To == NoUnit {
			p.w(", ", strconv.Itoa(q.Fraction))
		}
		p.w(")")
	}
	if q.To != NoUnit {
		p.w(" TO ", q.To.String())
		if q.Fraction >= 0 {
			p.w("(", strconv.Itoa(q.Fraction), ")")
		}
	}
}

func (p *printer) typeName(t *TypeName) {
	name, rest, _ := strings.Cut(t.Name, " ")
	p.w(name)
	p.path(t.Path)
	if len(t.Params) > 0 {
		p.parens(func() { p.comma(len(t.Params), func(i int) { p.w(strconv.Itoa(t.Params[i])) }) })
	}
	p.when(rest != "", " "+rest)
	switch {
	case t.Qual != nil:
		p.w(" ")
		p.qualifier(*t.Qual)
	case t.Key != nil:
		p.w("<")
		p.typeName(t.Key)
		p.w(", ")
		p.typeName(t.Elem)
		p.w(">")
	case t.Elem != nil:
		p.w("<")
		p.typeName(t.Elem)
		p.w(">")
	case t.Name == "RAW":
		p.parens(func() { p.comma(len(t.Strings), func(i int) { p.string(t.Strings[i]) }) })
	case t.Name == "ROW" || t.Name == "STRUCTURED":
		p.rowType(t)
	}
	p.when(t.Null == WrittenNull, " NULL")
	p.when(t.Null == WrittenNotNull, " NOT NULL")
}

func (p *printer) rowType(t *TypeName) {
	p.w("<")
	p.comma(len(t.Strings), func(i int) { p.string(t.Strings[i]) })
	p.when(len(t.Strings) > 0 && len(t.Fields) > 0, ", ")
	p.comma(len(t.Fields), func(i int) {
		f := t.Fields[i]
		p.name(f.Name)
		p.w(" ")
		p.typeName(f.Type)
		if f.Comment != nil {
			p.w(" ")
			p.string(*f.Comment)
		}
	})
	p.w(">")
}

var literalPrefix = [...]string{DateLit: "DATE ", TimeLit: "TIME ", TimestampLit: "TIMESTAMP ", TimestampLTZLit: "TIMESTAMP_LTZ "}

func (p *printer) literal(l *Literal) {
	switch l.Kind {
	case NullLit:
		p.w("NULL")
	case TrueLit:
		p.w("TRUE")
	case FalseLit:
		p.w("FALSE")
	case UnknownLit:
		p.w("UNKNOWN")
	case ExactLit, ApproxLit:
		p.w(l.Text)
	case StringLit:
		if l.Charset != "" {
			p.w("_", l.Charset)
		}
		p.w(QuoteString(l.Text))
	case BytesLit:
		p.w("X'", strings.ToUpper(hex.EncodeToString([]byte(l.Text))), "'")
	default:
		p.w(literalPrefix[l.Kind], QuoteString(l.Text))
	}
}

func (p *printer) orderBy(items []OrderItem) {
	p.w("ORDER BY ")
	p.comma(len(items), func(i int) { p.orderItem(items[i]) })
}

func (p *printer) orderItem(o OrderItem) {
	p.expr(o.X, 0)
	p.when(o.Desc, " DESC")
	p.when(o.Nulls == NullsFirst, " NULLS FIRST")
	p.when(o.Nulls == NullsLast, " NULLS LAST")
}

func (p *printer) window(w *Window) {
	if w.Bare {
		p.name(w.Ref)
		return
	}
	sep := ""
	part := func(ok bool, f func()) {
		if ok {
			p.w(sep)
			f()
			sep = " "
		}
	}
	p.w("(")
	part(w.Ref.Text != "", func() { p.name(w.Ref) })
	part(len(w.PartitionBy) > 0, func() {
		p.w("PARTITION BY ")
		p.exprs(w.PartitionBy)
	})
	part(len(w.OrderBy) > 0, func() { p.orderBy(w.OrderBy) })
	part(w.Frame != nil, func() { p.frame(w.Frame) })
	p.w(")")
}

var excludeNames = [...]string{"", " EXCLUDE CURRENT ROW", " EXCLUDE GROUP", " EXCLUDE TIES", " EXCLUDE NO OTHERS"}

func (p *printer) frame(f *Frame) {
	unit := "ROWS "
	if f.Unit == Range {
		unit = "RANGE "
	}
	p.w(unit)
	if f.End != nil {
		p.w("BETWEEN ")
		p.bound(f.Start)
		p.w(" AND ")
		p.bound(f.End)
	} else {
		p.bound(f.Start)
	}
	p.w(excludeNames[f.Exclude])
}

func (p *printer) bound(b *Bound) {
	switch b.Kind {
	case UnboundedPreceding:
		p.w("UNBOUNDED PRECEDING")
	case UnboundedFollowing:
		p.w("UNBOUNDED FOLLOWING")
	case CurrentRow:
		p.w("CURRENT ROW")
	case Preceding:
		p.expr(b.X, precOperand)
		p.w(" PRECEDING")
	case Following:
		p.expr(b.X, precOperand)
		p.w(" FOLLOWING")
	}
}
