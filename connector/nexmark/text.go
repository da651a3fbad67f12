package nexmark

import "strconv"

var (
	hotChannels = []string{"Google", "Facebook", "Baidu", "Apple"}
	firstNames  = []string{"Peter", "Paul", "Luke", "John", "Saul", "Vicky", "Kate", "Julie", "Sarah", "Deiter", "Walter"}
	lastNames   = []string{"Shultz", "Abrams", "Spencer", "White", "Bartels", "Walton", "Smith", "Jones", "Noris"}
	states      = []string{"AZ", "CA", "ID", "OR", "WA", "WY"}
	cities      = []string{"Phoenix", "Los Angeles", "San Francisco", "Boise", "Portland", "Bend", "Redmond", "Seattle", "Kent", "Cheyenne"}
)

// textBytes is the length of the text that random strings are cut from. It is a power of two.
const textBytes = 1 << 16

// makeText fills the text with letters and some blanks; cuts of it are the benchmark's random strings.
func (g *generator) makeText() {
	b := make([]byte, textBytes+maxExtraBytes)
	for i := range b {
		d := below(g.draw(int64(i), saltText, 0), 27)
		b[i] = byte('a' + d)
		if d == 26 {
			b[i] = ' '
		}
	}
	g.text = string(b)
}

// cut is a random string of exactly n bytes.
func (g *generator) cut(draw uint64, n int) string {
	at := int(draw & (textBytes - 1))
	return g.text[at : at+n]
}

// someText is a random string of 3 to most-1 bytes.
func (g *generator) someText(event int64, salt uint64, most int) string {
	d := g.draw(event, salt, 0)
	return g.cut(d, 3+int(below(d, uint64(most-3))))
}

// maxExtraBytes bounds one random string.
const maxExtraBytes = 1 << 16

// extra fills an event of so many bytes up to about its wanted size, a fifth more or less.
func (g *generator) extra(event int64, salt uint64, has, want int) string {
	if want <= has {
		return ""
	}
	missing := want - has
	spread := missing / 5
	d := g.draw(event, salt, 0)
	n := missing - spread
	if spread > 0 {
		n += int(below(d, uint64(2*spread)))
	}
	return g.cut(d, min(n, maxExtraBytes))
}

func (g *generator) makeChannels() {
	url := func(i int64) string {
		u := "https://www.nexmark.com/" + g.someText(i, saltURL, 10) + "/" + g.someText(i+1<<32, saltURL, 10) + "/" +
			g.someText(i+2<<32, saltURL, 10) + "/item.htm?query=1"
		for k := range []byte(u) {
			if u[k] == ' ' {
				u = u[:k] + "_" + u[k+1:]
			}
		}
		return u
	}
	for i, name := range hotChannels {
		g.channelNames = append(g.channelNames, name)
		g.channelURLs = append(g.channelURLs, url(-int64(i)-1))
	}
	for i := range int64(channels) {
		g.channelNames = append(g.channelNames, "channel-"+strconv.FormatInt(i, 10))
		u := url(i)
		if below(g.draw(i, saltURL, 9), 10) > 0 {
			u += "&channel_id=" + strconv.FormatUint(g.draw(i, saltURL, 10)>>34, 10)
		}
		g.channelURLs = append(g.channelURLs, u)
	}
}

func (g *generator) personName(n int64) string {
	d := g.draw(n, saltName, 0)
	return firstNames[below(d, uint64(len(firstNames)))] + " " + lastNames[below(d<<32, uint64(len(lastNames)))]
}

func (g *generator) email(n int64) string {
	return g.someText(n, saltEmail, 7) + "@" + g.someText(-n-1, saltEmail, 5) + ".com"
}

// card is four groups of four digits.
func (g *generator) card(n int64) string {
	d := g.draw(n, saltCard, 0)
	b := make([]byte, 0, 19)
	for i := range 16 {
		if i > 0 && i%4 == 0 {
			b = append(b, ' ')
		}
		b = append(b, '0'+byte((d>>(4*i)&15)*10>>4))
	}
	return string(b)
}

func (g *generator) city(n int64) string {
	return cities[below(g.draw(n, saltCity, 0), uint64(len(cities)))]
}

func (g *generator) state(n int64) string {
	return states[below(g.draw(n, saltState, 0), uint64(len(states)))]
}
