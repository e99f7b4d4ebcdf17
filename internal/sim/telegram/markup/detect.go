package markup

import (
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// domains are the top-level domains that make a bare name a link.
var domains = sync.OnceValue(func() map[string]bool {
	set := map[string]bool{}
	for d := range strings.FieldsSeq("com org net edu gov int info biz io dev app ai me co tv xyz site online tech cloud " +
		"vn de uk us fr it es nl pl eu ru ua cn jp kr in br ca au ch at se no fi dk cz sg th id my ph hk tw") {
		set[d] = true
	}
	return set
})

func wordRune(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }

func nameByte(c byte) bool { return isAlpha(c) || isDigit(c) || c == '_' }

func hostByte(c byte) bool { return isAlpha(c) || isDigit(c) || c == '-' || c == '.' }

func mailByte(c byte) bool { return hostByte(c) || c == '_' || c == '%' || c == '+' }

func linkByte(c byte) bool { return c > ' ' && c != '<' && c != '>' && c != '"' && c != '`' }

// detector finds entities in plain text in one pass from left to right.
type detector struct {
	s     string
	pos   int
	units int // UTF-16 units before pos
	out   []Entity
}

// detect finds mentions, commands, hashtags, cashtags, links and addresses; they do not overlap and are sorted.
func detect(s string) []Entity {
	d := &detector{s: s}
	before := rune(0)
	for d.pos < len(s) {
		if kind, n := d.look(before); n > 0 {
			d.found(kind, n)
			before, _ = utf8.DecodeLastRuneInString(s[:d.pos])
			continue
		}
		r, n := utf8.DecodeRuneInString(s[d.pos:])
		d.pos += n
		d.units++
		if r > 0xffff {
			d.units++
		}
		before = r
	}
	return d.out
}

func (d *detector) found(kind string, n int) {
	length := Len(d.s[d.pos : d.pos+n])
	d.out = append(d.out, Entity{Type: kind, Offset: d.units, Length: length})
	d.units += length
	d.pos += n
}

// run is how many bytes from i on are ok.
func (d *detector) run(i int, ok func(byte) bool) int {
	n := 0
	for i+n < len(d.s) && ok(d.s[i+n]) {
		n++
	}
	return n
}

// runeAt is the character at a byte offset; 0 at the end.
func (d *detector) runeAt(i int) rune {
	if i >= len(d.s) {
		return 0
	}
	r, _ := utf8.DecodeRuneInString(d.s[i:])
	return r
}

// look tells what begins at pos, and how many bytes it takes.
func (d *detector) look(before rune) (string, int) {
	if wordRune(before) {
		return "", 0
	}
	switch c := d.s[d.pos]; {
	case c == '@':
		return Mention, d.mention()
	case c == '/':
		return BotCommand, d.command(before)
	case c == '#':
		return Hashtag, d.hashtag()
	case c == '$':
		n := d.run(d.pos+1, func(c byte) bool { return 'A' <= c && c <= 'Z' })
		if n >= 3 && n <= 8 && !wordRune(d.runeAt(d.pos+1+n)) {
			return Cashtag, n + 1
		}
	case isAlpha(c) || isDigit(c):
		return d.address(before)
	}
	return "", 0
}

// mention wants four characters at least: shorter names are kept by Telegram for its own inline bots.
func (d *detector) mention() int {
	n := d.run(d.pos+1, nameByte)
	if n < 4 || n > 32 || wordRune(d.runeAt(d.pos+1+n)) {
		return 0
	}
	return n + 1
}

func (d *detector) command(before rune) int {
	if before == '/' || before == '<' || before == '>' {
		return 0
	}
	n := d.run(d.pos+1, nameByte)
	if n < 1 || n > 64 {
		return 0
	}
	n++
	if d.runeAt(d.pos+n) == '@' {
		if m := d.run(d.pos+n+1, nameByte); m >= 3 && m <= 32 {
			n += m + 1
		}
	}
	if r := d.runeAt(d.pos + n); wordRune(r) || r == '/' || r == '<' || r == '>' {
		return 0
	}
	return n
}

func (d *detector) hashtag() int {
	letters, n := false, 1
	for {
		r := d.runeAt(d.pos + n)
		if !wordRune(r) && !unicode.IsMark(r) {
			if !letters || r == '#' || n > 1024 {
				return 0
			}
			return n
		}
		letters = letters || unicode.IsLetter(r)
		n += utf8.RuneLen(r)
	}
}

// address reads a link with its scheme, a mail address or a bare domain.
func (d *detector) address(before rune) (string, int) {
	if scheme := d.scheme(); scheme > 0 {
		n := d.trimLink(scheme + d.run(d.pos+scheme, linkByte))
		if n <= scheme {
			return "", 0
		}
		_, ok := CheckLink(d.s[d.pos : d.pos+n])
		return URL, when(ok, n)
	}
	local := d.run(d.pos, mailByte)
	if d.runeAt(d.pos+local) == '@' {
		host := d.run(d.pos+local+1, hostByte)
		name := strings.TrimRight(d.s[d.pos+local+1:d.pos+local+1+host], ".-")
		dot := strings.LastIndexByte(name, '.')
		if local <= 64 && dot > 0 && len(name)-dot > 2 && !strings.ContainsFunc(name[dot+1:], unicode.IsDigit) &&
			!wordRune(d.runeAt(d.pos+local+1+len(name))) {
			return Email, local + 1 + len(name)
		}
		return "", 0
	}
	if strings.ContainsRune("@/.-:", before) {
		return "", 0
	}
	return URL, d.bare()
}

// scheme is the length of "http://" or "https://" here.
func (d *detector) scheme() int {
	for _, p := range []string{"https://", "http://"} {
		if len(d.s)-d.pos > len(p) && strings.EqualFold(d.s[d.pos:d.pos+len(p)], p) {
			return len(p)
		}
	}
	return 0
}

func (d *detector) bare() int {
	host := strings.TrimRight(d.s[d.pos:d.pos+d.run(d.pos, hostByte)], ".-")
	dot := strings.LastIndexByte(host, '.')
	if dot <= 0 || strings.Contains(host, "..") || !domains()[strings.ToLower(host[dot+1:])] {
		return 0
	}
	n := len(host)
	if d.runeAt(d.pos+n) == ':' {
		if p := d.run(d.pos+n+1, isDigit); p > 0 && p <= 5 {
			n += 1 + p
		}
	}
	switch r := d.runeAt(d.pos + n); {
	case r == '/' || r == '?' || r == '#':
		n = d.trimLink(n + d.run(d.pos+n, linkByte))
	case wordRune(r) || r == '@':
		return 0
	}
	_, ok := CheckLink(d.s[d.pos : d.pos+n])
	return when(ok, n)
}

// trimLink cuts the punctuation that closes a sentence off a link of n bytes.
func (d *detector) trimLink(n int) int {
	for n > 0 {
		c := d.s[d.pos+n-1]
		link := d.s[d.pos : d.pos+n]
		if strings.IndexByte(`.,:;!?'*_~`, c) >= 0 || c == ')' && strings.Count(link, "(") < strings.Count(link, ")") {
			n--
			continue
		}
		break
	}
	return n
}

func when(ok bool, n int) int {
	if ok {
		return n
	}
	return 0
}
