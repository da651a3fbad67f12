package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// MemorySize is a number of bytes. The zero value is no memory.
type MemorySize int64

// Units of MemorySize; as in Flink, all are powers of 1024.
const (
	Byte     MemorySize = 1
	Kibibyte            = 1024 * Byte
	Mebibyte            = 1024 * Kibibyte
	Gibibyte            = 1024 * Mebibyte
	Tebibyte            = 1024 * Gibibyte
)

var sizeUnits = []struct {
	labels []string
	unit   MemorySize
}{
	{[]string{"tb", "t", "tebibytes"}, Tebibyte},
	{[]string{"gb", "g", "gibibytes"}, Gibibyte},
	{[]string{"mb", "m", "mebibytes"}, Mebibyte},
	{[]string{"kb", "k", "kibibytes"}, Kibibyte},
	{[]string{"bytes", "b"}, Byte},
}

// String writes the size in the largest unit that divides it: "64 mb".
func (m MemorySize) String() string {
	for _, u := range sizeUnits {
		if m != 0 && m%u.unit == 0 {
			return strconv.FormatInt(int64(m/u.unit), 10) + " " + u.labels[0]
		}
	}
	return "0 bytes"
}

// ParseMemorySize reads a size as Flink writes it: "64 mb", "1g", "20 kb", or a plain number of bytes.
func ParseMemorySize(text string) (MemorySize, error) {
	bad := fmt.Errorf(`expected a size: a whole number and a unit, as in "20 kb", "64 mb", "1 gb" (a plain number is bytes)`)
	number, label := cutNumber(strings.TrimSpace(text))
	if number == "" {
		return 0, bad
	}
	unit := MemorySize(0)
	if label == "" {
		unit = Byte
	}
	for _, u := range sizeUnits {
		for _, l := range u.labels {
			if strings.EqualFold(l, label) {
				unit = u.unit
			}
		}
	}
	if unit == 0 {
		return 0, bad
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n > math.MaxInt64/int64(unit) {
		return 0, fmt.Errorf("expected a size below %s", MemorySize(math.MaxInt64/int64(Tebibyte))*Tebibyte)
	}
	return MemorySize(n) * unit, nil
}

type sizeSyntax struct{}

func (sizeSyntax) Name() string                          { return "MemorySize" }
func (sizeSyntax) Parse(text string) (MemorySize, error) { return ParseMemorySize(text) }
func (sizeSyntax) Format(m MemorySize) string            { return m.String() }
