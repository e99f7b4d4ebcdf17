package discord

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// token matches what Discord's clients write for mentions, custom emoji, timestamps and commands. discordgo's own pattern
// for emoji wants ids of 18 digits and more, and misses old ones.
// Source: https://docs.discord.com/developers/reference#message-formatting
var token = regexp.MustCompile(`<(@!?|@&|#)(\d{1,20})>|<a?:(\w{2,32}):\d{1,20}>|<t:(-?\d{1,13})(?::[tTdDfFsSR])?>|</([^:<>\n]{1,100}):\d{1,20}>`)

// names tells how to write what a text mentions; "" leaves it as it is.
type names struct {
	self    string // the bot's own mention is cut out; "" for none
	user    func(id string) string
	role    func(id string) string
	ownRole func(id string) bool
	channel func(id string) string
}

// plain makes Discord's text readable: mentions as names, the bot's own cut out.
func (n *names) plain(s string) string {
	if !strings.Contains(s, "<") {
		return strings.TrimSpace(s)
	}
	var out []byte
	last := 0
	for _, m := range token.FindAllStringSubmatchIndex(s, -1) {
		group := func(i int) string {
			if m[2*i] < 0 {
				return ""
			}
			return s[m[2*i]:m[2*i+1]]
		}
		out = append(out, s[last:m[0]]...)
		last = m[1]
		text, cut := n.token(group)
		switch {
		case cut:
			var skip int
			out, skip = closeGap(out, s[last:])
			last += skip
		case text != "":
			out = append(out, text...)
		default:
			out = append(out, s[m[0]:m[1]]...)
		}
	}
	return strings.TrimSpace(string(append(out, s[last:]...)))
}

func (n *names) token(group func(int) string) (text string, cut bool) {
	id := group(2)
	named := func(prefix, name string) string {
		if name == "" {
			return ""
		}
		return prefix + name
	}
	switch group(1) {
	case "@", "@!":
		if id == n.self {
			return "", true
		}
		return named("@", n.user(id)), false
	case "@&":
		if n.ownRole(id) {
			return "", true
		}
		return named("@", n.role(id)), false
	case "#":
		return named("#", n.channel(id)), false
	}
	if e := group(3); e != "" {
		return ":" + e + ":", false
	}
	if c := group(5); c != "" {
		return "/" + c, false
	}
	sec, err := strconv.ParseInt(group(4), 10, 64)
	if err != nil || sec < -62135596800 || sec > 253402300799 { // years 1 to 9999
		return "", false
	}
	return time.Unix(sec, 0).UTC().Format("2006-01-02 15:04 UTC"), false
}

// closeGap closes the gap that a cut mention leaves between what is written and rest: of two blanks one stays, and none
// ahead of a punctuation mark. At the start of a text the comma or colon of an address goes too ("@bot, please"). It
// returns how much of rest to skip.
func closeGap(out []byte, rest string) (_ []byte, skip int) {
	if len(bytes.TrimSpace(out)) == 0 {
		trimmed := strings.TrimLeft(rest, ",: ")
		return out, len(rest) - len(trimmed)
	}
	before, blank := bytes.CutSuffix(out, []byte(" "))
	switch {
	case blank && rest != "" && strings.IndexByte(" ,.;:!?", rest[0]) >= 0:
		return before, 0
	case bytes.HasSuffix(out, []byte("\n")) && strings.HasPrefix(rest, " "):
		return out, 1
	}
	return out, 0
}
