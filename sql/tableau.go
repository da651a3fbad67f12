package sql

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/flottio/flott/column"
	"github.com/flottio/flott/sql/internal/expr"
	"github.com/flottio/flott/sql/table"
)

// Tableau prints rows as a table with lines, as they come. Rows of a changelog begin with what they do.
type Tableau struct {
	out    *bufio.Writer
	cols   []table.Column
	widths []int
	kinds  bool
	rows   int
	begun  bool
}

const nullText = "<NULL>"

// NewTableau returns a printer of rows of the columns. kinds adds the column op. Columns without a fixed width are cut at maxWidth characters.
func NewTableau(w io.Writer, cols []table.Column, kinds bool, maxWidth int) *Tableau {
	t := &Tableau{out: bufio.NewWriter(w), cols: cols, kinds: kinds}
	for _, c := range cols {
		n := max(displayWidth(c.Name), typeWidth(c.Type, maxWidth))
		if !c.Type.NotNull {
			n = max(n, len(nullText))
		}
		t.widths = append(t.widths, n)
	}
	return t
}

// typeWidth is how wide values of a type can get.
func typeWidth(t column.Type, most int) int {
	switch t.ID {
	case column.Boolean:
		return 5
	case column.TinyInt:
		return 4
	case column.SmallInt:
		return 6
	case column.Int:
		return 11
	case column.BigInt:
		return 20
	case column.Decimal:
		return int(t.Precision) + 3
	case column.Date:
		return 10
	case column.Time:
		if t.Precision == 0 {
			return 8
		}
		return int(t.Precision) + 9
	case column.Timestamp, column.TimestampLTZ:
		if t.Precision == 0 {
			return 19
		}
		return int(t.Precision) + 20
	case column.Char:
		return int(t.Precision)
	}
	return most
}

// Write prints the rows of a batch. Nothing of it is kept.
func (t *Tableau) Write(b *column.Batch) error {
	t.begin()
	for i := range b.N {
		if t.kinds {
			fmt.Fprintf(t.out, "| %s ", b.Kind(i))
		}
		for c, v := range b.Cols {
			text := nullText
			if !v.IsNull(i) {
				text = expr.Format(v.At(i), v.Type)
			}
			t.cell(text, t.widths[c])
		}
		t.out.WriteString("|\n")
		t.rows++
	}
	return t.out.Flush()
}

func (t *Tableau) begin() {
	if t.begun {
		return
	}
	t.begun = true
	t.line()
	if t.kinds {
		t.out.WriteString("| op ")
	}
	for i, c := range t.cols {
		t.cell(c.Name, t.widths[i])
	}
	t.out.WriteString("|\n")
	t.line()
}

// End prints the last line and how many rows there were.
func (t *Tableau) End() error {
	switch {
	case t.rows == 0 && !t.begun:
		t.out.WriteString("Empty set\n")
		return t.out.Flush()
	case t.kinds:
		t.line()
		fmt.Fprintf(t.out, "Received a total of %d row%s\n", t.rows, plural(t.rows))
	default:
		t.line()
		fmt.Fprintf(t.out, "%d row%s in set\n", t.rows, plural(t.rows))
	}
	return t.out.Flush()
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}

func (t *Tableau) line() {
	if t.kinds {
		t.out.WriteString("+----")
	}
	for _, w := range t.widths {
		t.out.WriteString("+" + strings.Repeat("-", w+2))
	}
	t.out.WriteString("+\n")
}

// cell prints a text at the right side of its column, cut if it is too long.
func (t *Tableau) cell(text string, width int) {
	text = strings.NewReplacer("\n", " ", "\r", " ", "\t", " ").Replace(text)
	n := displayWidth(text)
	if n > width {
		text = cut(text, width-3) + "..."
		n = displayWidth(text)
	}
	t.out.WriteString("| " + strings.Repeat(" ", max(0, width-n)) + text + " ")
}

// displayWidth counts the columns of a terminal that a text takes: two for wide characters of East Asia.
func displayWidth(s string) int {
	n := 0
	for _, r := range s {
		n += runeWidth(r)
	}
	return n
}

func runeWidth(r rune) int {
	if r >= 0x1100 && (r <= 0x115f || r >= 0x2e80 && r <= 0xa4cf || r >= 0xac00 && r <= 0xd7a3 || r >= 0xf900 && r <= 0xfaff ||
		r >= 0xfe30 && r <= 0xfe6f || r >= 0xff00 && r <= 0xff60 || r >= 0xffe0 && r <= 0xffe6 || r >= 0x1f300 && r <= 0x1faff) {
		return 2
	}
	return 1
}

func cut(s string, width int) string {
	n := 0
	for i, r := range s {
		if n += runeWidth(r); n > width {
			return s[:i]
		}
	}
	return s
}

// grid is a table of texts, as SHOW and DESCRIBE print it.
func grid(head []string, rows [][]string, left bool) string {
	if len(rows) == 0 {
		return "Empty set\n"
	}
	widths := make([]int, len(head))
	for i, h := range head {
		widths[i] = utf8.RuneCountInString(h)
		for _, r := range rows {
			widths[i] = max(widths[i], displayWidth(r[i]))
		}
	}
	var b strings.Builder
	line := func() {
		for _, w := range widths {
			b.WriteString("+" + strings.Repeat("-", w+2))
		}
		b.WriteString("+\n")
	}
	cells := func(r []string) {
		for i, c := range r {
			pad := strings.Repeat(" ", widths[i]-displayWidth(c))
			if left {
				b.WriteString("| " + c + pad + " ")
			} else {
				b.WriteString("| " + pad + c + " ")
			}
		}
		b.WriteString("|\n")
	}
	line()
	cells(head)
	line()
	for _, r := range rows {
		cells(r)
	}
	line()
	fmt.Fprintf(&b, "%d row%s in set\n", len(rows), plural(len(rows)))
	return b.String()
}
