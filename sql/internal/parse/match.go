package parse

import "github.com/flottio/flott/sql/internal/ast"

// matchRecognize takes MATCH_RECOGNIZE (...) behind a table.
func (p *parser) matchRecognize(input ast.TableRef) *ast.MatchRecognize {
	m := &ast.MatchRecognize{Pos: input.Position(), Input: input}
	p.i += 2
	if p.acceptSeq("PARTITION", "BY") {
		m.PartitionBy = p.exprs()
	}
	if p.is("ORDER") {
		m.OrderBy = p.orderBy()
	}
	if p.accept("MEASURES") {
		for {
			m.Measures = append(m.Measures, p.selectItem())
			if !p.accept(",") {
				break
			}
		}
	}
	switch {
	case p.accept("ONE"):
		p.expect("ROW", "PER", "MATCH")
		m.RowsPer = ast.OneRowPerMatch
	case p.accept("ALL"):
		p.expect("ROWS", "PER", "MATCH")
		m.RowsPer = ast.AllRowsPerMatch
	}
	if p.accept("AFTER") {
		m.After = p.afterMatch()
	}
	p.expect("PATTERN", "(")
	m.Start = p.accept("^")
	m.Pattern = p.patternAlt()
	m.End = p.accept("$")
	p.expect(")")
	if p.accept("WITHIN") {
		m.Within = p.expr()
	}
	if p.accept("SUBSET") {
		m.Subsets = p.subsets()
	}
	p.expect("DEFINE")
	for {
		d := ast.PatternDefine{Pos: p.tok().pos, Name: p.name("a symbol of the pattern")}
		p.expect("AS")
		d.Cond = p.expr()
		m.Define = append(m.Define, d)
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	return m
}

func (p *parser) subsets() []ast.PatternSubset {
	var list []ast.PatternSubset
	for {
		s := ast.PatternSubset{Pos: p.tok().pos, Name: p.name("the name of a subset")}
		p.expect("=")
		s.Symbols = p.names("a symbol of the pattern")
		list = append(list, s)
		if !p.accept(",") {
			return list
		}
	}
}

func (p *parser) afterMatch() ast.AfterMatch {
	a := ast.AfterMatch{Pos: p.tok().pos}
	p.expect("MATCH", "SKIP")
	switch {
	case p.accept("PAST"):
		p.expect("LAST", "ROW")
		a.Kind = ast.SkipPastLastRow
	case p.acceptSeq("TO", "NEXT", "ROW"):
		a.Kind = ast.SkipToNextRow
	default:
		p.expect("TO")
		a.Kind = ast.SkipToLast
		if p.at("FIRST") && p.peek(1).kind != tPunct && !p.peekIs(1, "PATTERN") {
			p.next()
			a.Kind = ast.SkipToFirst
		} else if p.at("LAST") && !p.peekIs(1, "PATTERN") {
			p.next()
		}
		a.Symbol = p.name("a symbol of the pattern")
	}
	return a
}

func (p *parser) patternAlt() *ast.Pattern {
	pos := p.tok().pos
	if !p.enter() {
		return &ast.Pattern{Pos: pos}
	}
	defer p.leave()
	items := []*ast.Pattern{p.patternSeq()}
	for p.accept("|") {
		items = append(items, p.patternSeq())
	}
	if len(items) == 1 {
		return items[0]
	}
	return &ast.Pattern{Pos: pos, Kind: ast.PatternAlt, Items: items}
}

func (p *parser) patternSeq() *ast.Pattern {
	pos := p.tok().pos
	items := []*ast.Pattern{p.patternFactor()}
	for p.isName() || p.at("(") || p.at("{-") {
		items = append(items, p.patternFactor())
	}
	if len(items) == 1 {
		return items[0]
	}
	return &ast.Pattern{Pos: pos, Kind: ast.PatternSeq, Items: items}
}

func (p *parser) patternFactor() *ast.Pattern {
	t := p.tok()
	x := &ast.Pattern{Pos: t.pos}
	switch {
	case p.seq("(", ")"):
		p.i += 2
		x.Kind = ast.PatternEmpty
	case p.accept("("):
		x = p.patternAlt()
		p.expect(")")
	case p.accept("{-"):
		x.Kind = ast.PatternExclude
		x.Items = []*ast.Pattern{p.patternAlt()}
		p.expect("-}")
	case p.seq("PERMUTE", "("):
		p.i += 2
		x.Kind = ast.PatternPermute
		for {
			x.Items = append(x.Items, p.patternAlt())
			if !p.accept(",") {
				break
			}
		}
		p.expect(")")
	default:
		x.Name = p.name("a symbol of the pattern")
	}
	return p.quantifier(x)
}

// quantifier takes *, +, ?, {n}, {n,}, {,m}, {n,m}, each with ? for reluctant.
func (p *parser) quantifier(x *ast.Pattern) *ast.Pattern {
	r := &ast.Pattern{Pos: x.Pos, Kind: ast.PatternRepeat, Items: []*ast.Pattern{x}, Max: -1}
	switch {
	case p.accept("*"):
	case p.accept("+"):
		r.Min = 1
	case p.accept("?"):
		r.Max = 1
	case p.accept("{"):
		if !p.at(",") {
			r.Min = p.integer("how often")
			r.Max = r.Min
		}
		if p.accept(",") {
			r.Max = -1
			if !p.at("}") {
				r.Max = p.integer("how often")
			}
		}
		p.expect("}")
	default:
		return x
	}
	r.Reluctant = p.accept("?")
	return r
}
