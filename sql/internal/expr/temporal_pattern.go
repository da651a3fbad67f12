package expr

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// timePattern is a pattern of letters as Java's DateTimeFormatter and SimpleDateFormat have it, compiled to steps.
type timePattern struct{ steps []timeStep }

// timeStep is a run of one letter, a literal text (letter 0), or the begin or end of an optional part ('[', ']').
type timeStep struct {
	letter  byte
	count   int
	literal string
	// tight says that another number follows without anything between: the field has exactly count digits.
	tight bool
}

const patternLetters = "GyuYMLwWDdFEeaHkKhmsSnAzZXxVOQqc"

func compileTimePattern(text string) (*timePattern, error) {
	p := &timePattern{}
	literal := func(s string) {
		if n := len(p.steps); n > 0 && p.steps[n-1].letter == 0 {
			p.steps[n-1].literal += s
		} else {
			p.steps = append(p.steps, timeStep{literal: s})
		}
	}
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c == '\'':
			end := i + 1
			for end < len(text) && (text[end] != '\'' || end+1 < len(text) && text[end+1] == '\'') {
				if text[end] == '\'' {
					end++
				}
				end++
			}
			if end >= len(text) {
				return nil, fmt.Errorf("the time pattern %q has a quote without an end", text)
			}
			if inner := text[i+1 : end]; inner == "" {
				literal("'")
			} else {
				literal(strings.ReplaceAll(inner, "''", "'"))
			}
			i = end + 1
		case c == '[' || c == ']':
			p.steps = append(p.steps, timeStep{letter: c})
			i++
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			n := 1
			for i+n < len(text) && text[i+n] == c {
				n++
			}
			if strings.IndexByte(patternLetters, c) < 0 {
				return nil, fmt.Errorf("the time pattern %q has the letter %c, which means nothing", text, c)
			}
			p.steps = append(p.steps, timeStep{letter: c, count: n})
			i += n
		default:
			_, size := utf8.DecodeRuneInString(text[i:])
			literal(text[i : i+size])
			i += size
		}
	}
	for i := range p.steps {
		p.steps[i].tight = i+1 < len(p.steps) && p.steps[i].numeric() && p.steps[i+1].numeric()
	}
	return p, nil
}

func (s *timeStep) numeric() bool {
	switch s.letter {
	case 'y', 'u', 'Y', 'd', 'D', 'H', 'k', 'K', 'h', 'm', 's', 'S', 'n', 'A', 'w', 'W', 'F':
		return true
	case 'M', 'L', 'Q', 'q', 'e', 'c':
		return s.count <= 2
	}
	return false
}

// moment is a point of local time, taken apart.
type moment struct {
	days, nano           int64
	year, month, day     int
	hour, minute, second int
	offset               int64 // of the zone, in seconds
	zone                 string
}

func momentOf(local, nano, offset int64, zone string) moment {
	m := moment{days: floorDiv(local, daySecond), nano: nano, offset: offset, zone: zone}
	m.year, m.month, m.day = dateOf(m.days)
	s := int(local - m.days*daySecond)
	m.hour, m.minute, m.second = s/3600, s/60%60, s%60
	return m
}

var (
	monthNames = [...]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
		"December"}
	dayNames = [...]string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"}
)

// weekday is 0 for Sunday.
func weekday(days int64) int { return int(floorMod(days+4, 7)) }

func dayOfYear(days int64, year int) int { return int(days-daysOf(year, 1, 1)) + 1 }

// isoWeek is the week by ISO 8601 and the year that it belongs to.
func isoWeek(days int64) (year, week int) {
	thursday := days - floorMod(days+3, 7) + 3
	year, _, _ = dateOf(thursday)
	return year, (dayOfYear(thursday, year)-1)/7 + 1
}

// format appends the moment.
func (p *timePattern) format(b []byte, m *moment) []byte {
	for i := range p.steps {
		b = p.steps[i].format(b, m)
	}
	return b
}

func (s *timeStep) format(b []byte, m *moment) []byte {
	n := int64(0)
	switch s.letter {
	case 0:
		return append(b, s.literal...)
	case '[', ']':
		return b
	case 'y', 'u', 'Y':
		year := m.year
		if s.letter == 'Y' {
			year, _ = localWeek(m)
		}
		if s.count == 2 {
			return appendPadded(b, floorMod(int64(year), 100), 2)
		}
		n = int64(year)
	case 'M', 'L':
		if s.count > 2 {
			return appendName(b, monthNames[m.month-1], s.count)
		}
		n = int64(m.month)
	case 'd':
		n = int64(m.day)
	case 'D':
		n = int64(dayOfYear(m.days, m.year))
	case 'H':
		n = int64(m.hour)
	case 'k':
		n = int64((m.hour+23)%24 + 1)
	case 'K':
		n = int64(m.hour % 12)
	case 'h':
		n = int64((m.hour+11)%12 + 1)
	case 'm':
		n = int64(m.minute)
	case 's':
		n = int64(m.second)
	case 'S':
		b = appendPadded(b, m.nano, 9)
		if s.count < 9 {
			return b[:len(b)-9+s.count]
		}
		return append(b, strings.Repeat("0", s.count-9)...)
	case 'n':
		n = m.nano
	case 'A':
		n = int64(m.hour*3600+m.minute*60+m.second)*1000 + m.nano/1_000_000
	default:
		return s.formatWord(b, m)
	}
	return appendPadded(b, n, s.count)
}

// localWeek is the week of the year in the United States, as patterns have it: weeks begin on Sunday, the first has January 1st.
func localWeek(m *moment) (year, week int) {
	saturday := m.days + 6 - int64(weekday(m.days))
	year, _, _ = dateOf(saturday)
	return year, (dayOfYear(saturday, year) + 6) / 7
}

func (s *timeStep) formatWord(b []byte, m *moment) []byte {
	switch s.letter {
	case 'G':
		return append(b, "AD"...)
	case 'E':
		return appendName(b, dayNames[weekday(m.days)], max(s.count, 3))
	case 'e', 'c':
		if s.count > 2 {
			return appendName(b, dayNames[weekday(m.days)], s.count)
		}
		return appendPadded(b, int64(weekday(m.days)+1), s.count)
	case 'a':
		if m.hour < 12 {
			return append(b, "AM"...)
		}
		return append(b, "PM"...)
	case 'Q', 'q':
		quarter := (m.month + 2) / 3
		switch s.count {
		case 1, 2:
			return appendPadded(b, int64(quarter), s.count)
		case 3:
			return strconv.AppendInt(append(b, 'Q'), int64(quarter), 10)
		}
		return append(b, [...]string{"1st", "2nd", "3rd", "4th"}[quarter-1]+" quarter"...)
	case 'w':
		_, week := localWeek(m)
		return appendPadded(b, int64(week), s.count)
	case 'W':
		first := weekday(m.days - int64(m.day-1))
		return appendPadded(b, int64((m.day-1+first)/7+1), s.count)
	case 'F':
		return appendPadded(b, int64((m.day-1)/7+1), s.count)
	case 'X', 'x', 'Z', 'O':
		return s.formatOffset(b, m.offset)
	}
	return append(b, m.zone...)
}

func appendName(b []byte, name string, count int) []byte {
	switch count {
	case 3:
		return append(b, name[:3]...)
	case 5:
		return append(b, name[0])
	}
	return append(b, name...)
}

func (s *timeStep) formatOffset(b []byte, offset int64) []byte {
	if s.letter == 'X' && offset == 0 {
		return append(b, 'Z')
	}
	colon := s.count == 3 || s.count == 5
	switch {
	case s.letter == 'O' || s.letter == 'Z' && s.count == 4:
		b = append(b, "GMT"...)
		if offset == 0 {
			return b
		}
		colon = true
	case s.letter == 'Z':
		colon = s.count == 5
	}
	sign := byte('+')
	if offset < 0 {
		sign, offset = '-', -offset
	}
	b = appendPadded(append(b, sign), offset/3600, 2)
	minutes := offset / 60 % 60
	if s.count == 1 && s.letter != 'Z' && minutes == 0 {
		return b
	}
	if colon {
		b = append(b, ':')
	}
	return appendPadded(b, minutes, 2)
}

// parsed is what a text said; -1 marks what it did not say.
type parsed struct {
	year, month, day, dayOfYear int
	hour, half, minute, second  int
	nano                        int64
	pm                          int // 0, 1
	hasOffset                   bool
	offset                      int64
	zone                        *time.Location
}

// parse reads a text. prefix allows more text behind, as SimpleDateFormat does.
func (p *timePattern) parse(text string, prefix bool) (*parsed, bool) {
	v := &parsed{year: -1, month: -1, day: -1, dayOfYear: -1, hour: -1, half: -1, pm: -1}
	rest, ok := parseSteps(p.steps, text, v)
	return v, ok && (prefix || rest == "")
}

func parseSteps(steps []timeStep, text string, v *parsed) (rest string, ok bool) {
	for i := 0; i < len(steps); i++ {
		s := &steps[i]
		switch s.letter {
		case 0:
			if text, ok = strings.CutPrefix(text, s.literal); !ok {
				return text, false
			}
		case '[':
			end := closing(steps, i)
			was := *v
			if after, ok := parseSteps(steps[i+1:end], text, v); ok {
				text = after
			} else {
				*v = was
			}
			i = end
		case ']':
		default:
			if text, ok = s.parse(text, v); !ok {
				return text, false
			}
		}
	}
	return text, true
}

// closing is where the optional part that begins at i ends.
func closing(steps []timeStep, i int) int {
	depth := 0
	for ; i < len(steps); i++ {
		switch steps[i].letter {
		case '[':
			depth++
		case ']':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return i
}

func (s *timeStep) parse(text string, v *parsed) (string, bool) {
	if !s.numeric() {
		return s.parseWord(text, v)
	}
	limit := 9
	if s.tight || s.letter == 'S' {
		limit = s.count
	}
	n, digits, ok := 0, 0, true
	negative := (s.letter == 'y' || s.letter == 'u') && strings.HasPrefix(text, "-")
	if negative {
		text = text[1:]
	}
	for digits < len(text) && text[digits] >= '0' && text[digits] <= '9' && (digits < limit || s.letter == 'S' && !s.tight) {
		if digits < 9 {
			n = n*10 + int(text[digits]-'0')
		}
		digits++
	}
	if digits == 0 || s.tight && digits < s.count {
		return text, false
	}
	rest := text[digits:]
	switch s.letter {
	case 'y', 'u', 'Y':
		if s.count == 2 && digits == 2 {
			n += 2000
		}
		if v.year = n; negative {
			v.year = -n
		}
	case 'M', 'L':
		v.month, ok = n, n >= 1 && n <= 12
	case 'd':
		v.day, ok = n, n >= 1 && n <= 31
	case 'D':
		v.dayOfYear, ok = n, n >= 1 && n <= 366
	case 'H':
		v.hour, ok = n, n <= 23
	case 'k':
		v.hour, ok = n%24, n >= 1 && n <= 24
	case 'K':
		v.half, ok = n, n <= 11
	case 'h':
		v.half, ok = n%12, n >= 1 && n <= 12
	case 'm':
		v.minute, ok = n, n <= 59
	case 's':
		v.second, ok = n, n <= 59
	case 'S':
		for ; digits < 9; digits++ {
			n *= 10
		}
		v.nano = int64(n)
	case 'n':
		v.nano = int64(n)
	}
	return rest, ok
}

func (s *timeStep) parseWord(text string, v *parsed) (string, bool) {
	switch s.letter {
	case 'M', 'L':
		for i, name := range monthNames {
			if rest, ok := cutName(text, name, s.count); ok {
				v.month = i + 1
				return rest, true
			}
		}
		return text, false
	case 'E', 'e', 'c':
		for _, name := range dayNames {
			if rest, ok := cutName(text, name, max(s.count, 3)); ok {
				return rest, true
			}
		}
		return text, false
	case 'a':
		if len(text) < 2 || text[1] != 'M' && text[1] != 'm' {
			return text, false
		}
		v.pm = strings.IndexByte("AaPp", text[0]) / 2
		return text[2:], strings.IndexByte("AaPp", text[0]) >= 0
	case 'G':
		return strings.CutPrefix(text, "AD")
	case 'X', 'x', 'Z', 'O':
		return parseOffset(text, v)
	case 'z', 'V':
		end := 0
		for end < len(text) && (text[end] == '/' || text[end] == '_' || text[end] == ':' || text[end] == '+' || text[end] == '-' ||
			isLetter(rune(text[end])) || isDigit(rune(text[end]))) {
			end++
		}
		zone, err := LoadZone(text[:end])
		v.zone = zone
		return text[end:], err == nil && end > 0
	}
	return text, false
}

func cutName(text, name string, count int) (string, bool) {
	if len(text) >= len(name) && strings.EqualFold(text[:len(name)], name) {
		return text[len(name):], true
	}
	if count <= 3 && len(text) >= 3 && strings.EqualFold(text[:3], name[:3]) {
		return text[3:], true
	}
	return text, false
}

// parseOffset reads Z, +hh, +hhmm and +hh:mm, behind GMT if that is there.
func parseOffset(text string, v *parsed) (string, bool) {
	v.hasOffset = true
	if rest, ok := strings.CutPrefix(text, "Z"); ok {
		return rest, true
	}
	rest, gmt := strings.CutPrefix(text, "GMT")
	if rest == "" || rest[0] != '+' && rest[0] != '-' {
		return rest, gmt
	}
	sign := int64(1)
	if rest[0] == '-' {
		sign = -1
	}
	digits := strings.Replace(rest[1:min(len(rest), 7)], ":", "", 1)
	end := 0
	for end < len(digits) && end < 4 && digits[end] >= '0' && digits[end] <= '9' {
		end++
	}
	if end != 2 && end != 4 {
		return rest, false
	}
	n, _ := strconv.Atoi(digits[:end])
	if end == 2 {
		n *= 100
	}
	v.offset = sign * int64(n/100*3600+n%100*60)
	used := 1 + end
	if end == 4 && rest[3] == ':' {
		used++
	}
	return rest[used:], n/100 <= 18 && n%100 < 60
}

// moment is the local time that was said; what was not said is that of 1970-01-01 00:00:00. A date that does not exist is not ok.
func (v *parsed) moment() (sec, nano int64, ok bool) {
	year, month, day := v.year, max(v.month, 1), max(v.day, 1)
	if year == -1 {
		year = 1970
	}
	days := daysOf(year, month, min(day, daysInMonth(year, month)))
	if v.dayOfYear > 0 && v.month < 0 {
		days = daysOf(year, 1, 1) + int64(v.dayOfYear) - 1
	}
	hour := max(v.hour, 0)
	if v.hour < 0 && v.half >= 0 {
		hour = v.half + 12*max(v.pm, 0)
	}
	ok = day <= daysInMonth(year, month) && year <= 9999 && year > 0
	return days*daySecond + int64(hour*3600+v.minute*60+v.second), v.nano, ok
}

// instant is the point in time that was said, in a zone if the text names none.
func (v *parsed) instant(zone *time.Location) (sec, nano int64, ok bool) {
	local, nano, ok := v.moment()
	switch {
	case v.hasOffset:
		return local - v.offset, nano, ok
	case v.zone != nil:
		zone = v.zone
	}
	return utcOf(zone, local), nano, ok
}

// zoneNames are the short names that Java knows beside those of the database.
var zoneNames = map[string]string{"PST": "America/Los_Angeles", "PDT": "America/Los_Angeles", "MST": "America/Denver", "CST": "America/Chicago",
	"EST": "America/New_York", "EDT": "America/New_York", "CTT": "Asia/Shanghai", "JST": "Asia/Tokyo", "IST": "Asia/Kolkata",
	"BST": "Asia/Dhaka", "ECT": "Europe/Paris", "AET": "Australia/Sydney", "ACT": "Australia/Darwin", "NST": "Pacific/Auckland",
	"ART": "Africa/Cairo", "CAT": "Africa/Harare", "EAT": "Africa/Addis_Ababa", "PLT": "Asia/Karachi", "VST": "Asia/Ho_Chi_Minh",
	"AST": "America/Anchorage", "PNT": "America/Phoenix", "CNT": "America/St_Johns", "AGT": "America/Argentina/Buenos_Aires",
	"BET": "America/Sao_Paulo", "PRT": "America/Puerto_Rico", "NET": "Asia/Yerevan", "SST": "Pacific/Guadalcanal", "MIT": "Pacific/Apia",
	"IET": "America/Indiana/Indianapolis", "Z": "UTC", "UT": "UTC"}

// LoadZone finds a time zone by its name, a short name, or an offset: Europe/Berlin, PST, GMT-08:00, +02:00.
func LoadZone(name string) (*time.Location, error) {
	if long := zoneNames[name]; long != "" {
		name = long
	}
	for _, p := range []string{"GMT", "UTC", "UT", ""} {
		off, ok := strings.CutPrefix(name, p)
		if !ok || off == "" || off[0] != '+' && off[0] != '-' {
			continue
		}
		if at := strings.IndexByte(off, ':'); at == 2 || at < 0 && len(off) == 2 {
			off = off[:1] + "0" + off[1:]
		}
		var v parsed
		if rest, ok := parseOffset(off, &v); ok && rest == "" {
			return time.FixedZone(name, int(v.offset)), nil
		}
	}
	zone, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		return nil, fmt.Errorf("there is no time zone %q", name)
	}
	return zone, nil
}

// zoneCache keeps the zones that a site has met; nil for names that are none.
type zoneCache map[string]*time.Location

func (c *zoneCache) get(name string) *time.Location {
	z, ok := (*c)[name]
	if !ok {
		z, _ = LoadZone(name)
		if *c == nil || len(*c) >= maxPatterns {
			*c = zoneCache{}
		}
		(*c)[strings.Clone(name)] = z
	}
	return z
}

// timePatterns keeps compiled time patterns of a site.
type timePatterns struct {
	known map[string]*timePattern
	last  string
	p     *timePattern
}

// get compiles a pattern, or finds it: mostly the one of the row before.
func (c *timePatterns) get(text string) (*timePattern, error) {
	if c.p != nil && c.last == text {
		return c.p, nil
	}
	p := c.known[text]
	if p == nil {
		var err error
		if p, err = compileTimePattern(text); err != nil {
			return nil, err
		}
		if c.known == nil || len(c.known) >= maxPatterns {
			c.known = map[string]*timePattern{}
		}
		text = strings.Clone(text)
		c.known[text] = p
	}
	c.last, c.p = strings.Clone(text), p
	return p, nil
}
