package parse

import "github.com/flottio/flott/sql/internal/ast"

// Precedences: what binds tighter is higher.
const (
	precLowest  = 0
	precOr      = 22
	precAnd     = 24
	precNot     = 26
	precIs      = 28
	precCompare = 30
	precRange   = 32 // BETWEEN, IN, LIKE, MEMBER OF
	precUnion   = 36 // MULTISET UNION and EXCEPT
	precCross   = 38 // MULTISET INTERSECT
	precAdd     = 40
	precMul     = 60 // also ||
)

// expr takes an expression.
func (p *parser) expr() ast.Expr { return p.binary(precLowest) }

func (p *parser) exprs() []ast.Expr {
	list := []ast.Expr{p.expr()}
	for p.accept(",") {
		list = append(list, p.expr())
	}
	return list
}

// binary takes an expression whose operators bind at least as tight as min.
func (p *parser) binary(min int) ast.Expr {
	if !p.enter() {
		return p.missing()
	}
	defer p.leave()
	left := p.prefix()
	for n := 0; p.link(n); n++ {
		op := p.infix()
		if op.words == 0 || op.prec < min {
			break
		}
		left = p.infixTail(left, op)
	}
	return left
}

// missing stands for what could not be read.
func (p *parser) missing() ast.Expr { return &ast.Literal{Pos: p.tok().pos} }

type infixKind uint8

const (
	infixBinary infixKind = iota
	infixIs
	infixBetween
	infixIn
	infixLike
)

// infix is an operator behind an expression. words is how many tokens it is long, 0 if there is none.
type infix struct {
	kind  infixKind
	op    ast.Op
	like  ast.LikeKind
	not   bool
	prec  int
	words int
}

var punctOps = map[string]infix{
	"=": {op: ast.OpEq, prec: precCompare, words: 1}, "<>": {op: ast.OpNe, prec: precCompare, words: 1},
	"<": {op: ast.OpLt, prec: precCompare, words: 1}, "<=": {op: ast.OpLe, prec: precCompare, words: 1},
	">": {op: ast.OpGt, prec: precCompare, words: 1}, ">=": {op: ast.OpGe, prec: precCompare, words: 1},
	"+": {op: ast.OpAdd, prec: precAdd, words: 1}, "-": {op: ast.OpSub, prec: precAdd, words: 1},
	"*": {op: ast.OpMul, prec: precMul, words: 1}, "/": {op: ast.OpDiv, prec: precMul, words: 1},
	"%": {op: ast.OpMod, prec: precMul, words: 1}, "||": {op: ast.OpConcat, prec: precMul, words: 1},
}

var wordOps = map[string]infix{
	"OR": {op: ast.OpOr, prec: precOr, words: 1}, "AND": {op: ast.OpAnd, prec: precAnd, words: 1},
	"OVERLAPS": {op: ast.OpOverlaps, prec: precCompare, words: 1}, "CONTAINS": {op: ast.OpContains, prec: precCompare, words: 1},
	"EQUALS": {op: ast.OpEquals, prec: precCompare, words: 1}, "PRECEDES": {op: ast.OpPrecedes, prec: precCompare, words: 1},
	"SUCCEEDS": {op: ast.OpSucceeds, prec: precCompare, words: 1},
	"BETWEEN":  {kind: infixBetween, prec: precRange, words: 1}, "IN": {kind: infixIn, prec: precRange, words: 1},
	"LIKE": {kind: infixLike, prec: precRange, words: 1}, "ILIKE": {kind: infixLike, like: ast.ILike, prec: precRange, words: 1},
	"RLIKE": {kind: infixLike, like: ast.RLike, prec: precRange, words: 1},
	"IS":    {kind: infixIs, prec: precIs, words: 1},
}

// infix reads which operator stands here, without taking it.
func (p *parser) infix() infix {
	t := p.tok()
	switch {
	case t.kw == "":
		return infix{}
	case t.kind == tPunct:
		return punctOps[t.kw]
	case t.kind != tWord:
		return infix{}
	}
	op := wordOps[t.kw]
	switch t.kw {
	case "IS":
		if p.peekIs(1, "NOT") && p.peekIs(2, "DISTINCT") && p.peekIs(3, "FROM") {
			return infix{op: ast.OpIsNotDistinct, prec: precCompare, words: 4}
		} else if p.peekIs(1, "DISTINCT") && p.peekIs(2, "FROM") {
			return infix{op: ast.OpIsDistinct, prec: precCompare, words: 3}
		}
	case "NOT":
		return p.infixNot()
	case "SIMILAR", "MEMBER", "SUBMULTISET":
		return p.infixPhrase(0)
	case "IMMEDIATELY":
		if p.peekIs(1, "PRECEDES") {
			return infix{op: ast.OpImmediatelyPrecedes, prec: precCompare, words: 2}
		} else if p.peekIs(1, "SUCCEEDS") {
			return infix{op: ast.OpImmediatelySucceeds, prec: precCompare, words: 2}
		}
	case "MULTISET":
		return p.infixMultiset()
	}
	return op
}

// infixPhrase reads SIMILAR TO, MEMBER [OF] and SUBMULTISET [OF] from the n-th token on.
func (p *parser) infixPhrase(n int) infix {
	words := n + 1
	if p.peekIs(words, "OF") {
		words++
	}
	switch {
	case p.peekIs(n, "SIMILAR") && p.peekIs(n+1, "TO"):
		return infix{kind: infixLike, like: ast.SimilarTo, prec: precRange, words: n + 2}
	case p.peekIs(n, "MEMBER") && words > n+1:
		return infix{op: ast.OpMemberOf, prec: precRange, words: words}
	case p.peekIs(n, "SUBMULTISET") && words > n+1:
		return infix{op: ast.OpSubmultisetOf, prec: precRange, words: words}
	}
	return infix{}
}

func (p *parser) infixNot() infix {
	op := infix{}
	switch p.peek(1).kw {
	case "BETWEEN", "IN", "LIKE", "ILIKE", "RLIKE":
		op = wordOps[p.peek(1).kw]
		op.words = 2
	case "SIMILAR", "MEMBER", "SUBMULTISET":
		op = p.infixPhrase(1)
	}
	op.not = true
	switch op.op {
	case ast.OpMemberOf:
		op.op = ast.OpNotMemberOf
	case ast.OpSubmultisetOf:
		op.op = ast.OpNotSubmultisetOf
	}
	return op
}

func (p *parser) infixMultiset() infix {
	ops := map[string]infix{
		"UNION":     {op: ast.OpMultisetUnion, prec: precUnion, words: 2},
		"EXCEPT":    {op: ast.OpMultisetExcept, prec: precUnion, words: 2},
		"INTERSECT": {op: ast.OpMultisetIntersect, prec: precCross, words: 2},
	}
	op := ops[p.peek(1).kw]
	if op.words == 0 {
		return op
	}
	if p.peekIs(2, "ALL") {
		op.op++ // the ALL form follows each operator
		op.words++
	} else if p.peekIs(2, "DISTINCT") {
		op.words++
	}
	return op
}

// infixTail takes the operator and what follows it.
func (p *parser) infixTail(left ast.Expr, op infix) ast.Expr {
	at := p.tok().pos
	p.i += op.words
	pos := left.Position()
	switch op.kind {
	case infixIs:
		return p.isTail(left)
	case infixBetween:
		b := &ast.Between{Pos: pos, X: left, Not: op.not}
		if p.accept("SYMMETRIC") {
			b.Symmetric = true
		} else {
			p.accept("ASYMMETRIC")
		}
		b.Low = p.binary(precRange + 1)
		p.expect("AND")
		b.High = p.binary(precRange + 1)
		return b
	case infixIn:
		in := &ast.In{Pos: pos, X: left, Not: op.not}
		in.List, in.Query = p.listOrQuery()
		return in
	case infixLike:
		l := &ast.Like{Pos: pos, X: left, Not: op.not, Kind: op.like, Pattern: p.binary(precRange + 1)}
		if p.accept("ESCAPE") {
			l.Escape = p.binary(precRange + 1)
		}
		return l
	}
	if op.prec == precCompare && (p.at("ANY") || p.at("SOME") || p.at("ALL")) && p.peekIs(1, "(") {
		q := &ast.Quantified{Pos: pos, X: left, Op: op.op, All: p.at("ALL")}
		p.next()
		q.List, q.Query = p.listOrQuery()
		return q
	}
	return &ast.Binary{Pos: pos, OpPos: at, Op: op.op, L: left, R: p.binary(op.prec + 1)}
}

func (p *parser) isTail(left ast.Expr) ast.Expr {
	is := &ast.Is{Pos: left.Position(), X: left, Not: p.accept("NOT")}
	switch {
	case p.accept("NULL"):
		is.Kind = ast.IsNull
	case p.accept("TRUE"):
		is.Kind = ast.IsTrue
	case p.accept("FALSE"):
		is.Kind = ast.IsFalse
	case p.accept("UNKNOWN"):
		is.Kind = ast.IsUnknown
	case p.accept("EMPTY"):
		is.Kind = ast.IsEmpty
	case p.acceptSeq("A", "SET"):
		is.Kind = ast.IsASet
	case p.accept("JSON"):
		is.Kind = ast.IsJSON
		for kw, kind := range map[string]ast.IsKind{"VALUE": ast.IsJSON, "OBJECT": ast.IsJSONObject, "ARRAY": ast.IsJSONArray,
			"SCALAR": ast.IsJSONScalar} {
			if p.at(kw) {
				p.next()
				is.Kind = kind
				break
			}
		}
	default:
		p.note("DISTINCT FROM")
		p.fail("NULL, TRUE, FALSE, UNKNOWN or DISTINCT FROM")
	}
	return is
}

// listOrQuery takes (a, b) or (SELECT ...).
func (p *parser) listOrQuery() ([]ast.Expr, *ast.Query) {
	p.expect("(")
	if p.atQuery() {
		q := p.query()
		p.expect(")")
		return nil, q
	}
	list := p.exprs()
	if sub, ok := list[0].(*ast.Subquery); ok && len(list) == 1 && p.atQueryTail() {
		q := p.queryTail(sub.Query)
		p.expect(")")
		return nil, q
	}
	p.expect(")")
	return list, nil
}

// prefix takes an operand with the operators before it.
func (p *parser) prefix() ast.Expr {
	t := p.tok()
	op := ast.NoOp
	switch {
	case t.kind == tPunct && t.kw == "-":
		op = ast.OpNeg
	case t.kind == tPunct && t.kw == "+":
		op = ast.OpPlus
	case t.kind != tWord:
	case t.kw == "NOT":
		op = ast.OpNot
	case p.startsOperand(1) && (t.kw == "RUNNING" || t.kw == "FINAL" || t.kw == "PRIOR"):
		op = map[string]ast.Op{"RUNNING": ast.OpRunning, "FINAL": ast.OpFinal, "PRIOR": ast.OpPrior}[t.kw]
	}
	if op == ast.NoOp {
		return p.postfix(p.primary())
	}
	if !p.enter() {
		return p.missing()
	}
	defer p.leave()
	p.next()
	u := &ast.Unary{Pos: t.pos, Op: op}
	if op == ast.OpNot {
		u.X = p.binary(precNot)
	} else {
		u.X = p.prefix()
	}
	return u
}

// startsOperand reports whether the n-th token is a name, so that the words before it are an operator.
func (p *parser) startsOperand(n int) bool {
	t := p.peek(n)
	_, infix := wordOps[t.kw]
	return t.kind == tQuoted || t.kind == tWord && !ast.Structural[t.kw] && !infix
}

// postfix takes what stands behind an operand: fields, elements, ::type.
func (p *parser) postfix(x ast.Expr) ast.Expr {
	for n := 0; p.link(n); n++ {
		switch t := p.tok(); {
		case t.kind != tPunct:
			return x
		case t.kw == "[":
			p.next()
			i := p.expr()
			p.expect("]")
			x = &ast.Index{Pos: x.Position(), X: x, I: i}
		case t.kw == "." && p.peekIs(1, "*"):
			p.i += 2
			if id, ok := x.(*ast.Ident); ok {
				return &ast.Star{Pos: id.Pos, Of: id.Parts}
			}
			return &ast.Star{Pos: x.Position(), X: x}
		case t.kw == ".":
			p.next()
			x = &ast.FieldAccess{Pos: x.Position(), X: x, Name: p.name("the name of a field")}
		case t.kw == "::":
			p.next()
			x = &ast.Cast{Pos: x.Position(), X: x, Type: p.typeName()}
		default:
			return x
		}
	}
	return x
}

// primary takes an operand.
func (p *parser) primary() ast.Expr {
	t := p.tok()
	switch t.kind {
	case tString:
		return p.stringLiteral()
	case tNumber, tApprox:
		p.next()
		k := ast.ExactLit
		if t.kind == tApprox {
			k = ast.ApproxLit
		}
		return &ast.Literal{Pos: t.pos, Kind: k, Text: p.text(t)}
	case tQuoted:
		return p.nameOrCall()
	case tPunct:
		switch t.kw {
		case "(":
			return p.parens()
		case "?":
			p.next()
			p.params++
			return &ast.Param{Pos: t.pos, N: p.params - 1}
		}
	case tWord:
		if t.kw == "" {
			return p.nameOrCall()
		}
		if x := p.keywordExpr(t); x != nil {
			return x
		}
		if !p.structural() {
			return p.nameOrCall()
		}
	}
	p.note("an expression")
	p.fail("an expression")
	return p.missing()
}

// structural reports whether the word at hand says how the statement goes on, so that it cannot be a name here. A word that has a meaning
// only together with the next one is a name without that.
func (p *parser) structural() bool {
	switch kw := p.tok().kw; kw {
	case "ORDER", "GROUP":
		return p.peekIs(1, "BY")
	case "SET", "OVER", "BY", "FULL", "ANTI", "MINUS", "FETCH", "LIMIT":
		n := p.peek(1)
		return n.kind == tNumber || n.kind == tWord && n.kw != "AS" && n.kw != "FROM" && n.kw != "AND" && n.kw != "IS" || n.kw == "("
	default:
		return ast.Structural[kw]
	}
}

// parens takes what begins with "(": a query, a tuple, an expression, the parameters of a lambda.
func (p *parser) parens() ast.Expr {
	pos := p.tok().pos
	p.next()
	if p.accept(")") {
		if p.accept("->") {
			return &ast.Lambda{Pos: pos, Body: p.expr()}
		}
		p.note("an expression")
		p.fail("an expression between ( and )")
		return p.missing()
	}
	if p.atQuery() {
		q := p.query()
		p.expect(")")
		return &ast.Subquery{Pos: pos, Query: q}
	}
	list := p.exprs()
	if sub, ok := list[0].(*ast.Subquery); ok && len(list) == 1 && p.atQueryTail() {
		q := p.queryTail(sub.Query)
		p.expect(")")
		return &ast.Subquery{Pos: pos, Query: q}
	}
	p.expect(")")
	if p.at("->") {
		if params, ok := lambdaParams(list); ok {
			p.next()
			return &ast.Lambda{Pos: pos, Params: params, Body: p.expr()}
		}
	}
	if len(list) == 1 {
		return list[0]
	}
	return &ast.Collection{Pos: pos, Kind: ast.Tuple, Items: list}
}

func lambdaParams(list []ast.Expr) ([]ast.Name, bool) {
	names := make([]ast.Name, len(list))
	for i, x := range list {
		id, ok := x.(*ast.Ident)
		if !ok || len(id.Parts) != 1 {
			return nil, false
		}
		names[i] = id.Parts[0]
	}
	return names, true
}

// nameOrCall takes a column or a call.
func (p *parser) nameOrCall() ast.Expr {
	pos := p.tok().pos
	parts := ast.Path{p.name("a name")}
	for p.at(".") && !p.peekIs(1, "*") {
		p.next()
		parts = append(parts, p.name("a name"))
	}
	switch {
	case p.at("("):
		return p.call(pos, parts)
	case len(parts) == 1 && p.at("->"):
		p.next()
		return &ast.Lambda{Pos: pos, Params: parts, Body: p.expr()}
	}
	return &ast.Ident{Pos: pos, Parts: parts}
}
