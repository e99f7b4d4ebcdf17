package slack

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// names tells how to write what a text mentions; "" leaves the mention's own label, or its id.
type names struct {
	self string // the bot's own mention is cut out; "" for none
	user func(id string) string
	room func(id string) string
}

// control matches what stands in angle brackets: a mention, a link or a command. A literal < is always escaped.
// Source: https://docs.slack.dev/messaging/formatting-message-text#retrieving-messages
var control = regexp.MustCompile(`<([^<>\s][^<>\n]*)>`)

// entities are the three characters that Slack escapes; all else in a text stands for itself.
var entities = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")

var escapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// escape makes text literal in mrkdwn.
func escape(s string) string { return escapes.Replace(s) }

// plain makes Slack's text readable: mentions as names, the bot's own cut out, links written out, emoji as characters.
func (n *names) plain(s string) string {
	var out []byte
	last := 0
	for _, m := range control.FindAllStringSubmatchIndex(s, -1) {
		out = append(out, n.words(s[last:m[0]])...)
		last = m[1]
		text, cut := n.control(s[m[2]:m[3]])
		if cut {
			var skip int
			out, skip = closeGap(out, s[last:])
			last += skip
			continue
		}
		out = append(out, text...)
	}
	out = append(out, n.words(s[last:])...)
	return strings.TrimSpace(string(out))
}

// words are text outside brackets.
func (n *names) words(s string) string { return entities.Replace(showEmoji(s)) }

func (n *names) control(inner string) (text string, cut bool) {
	target, label, _ := strings.Cut(inner, "|")
	label = strings.TrimSpace(entities.Replace(label))
	or := func(prefix, name, fallback string) string {
		switch {
		case name != "":
			return prefix + name
		case label != "":
			return prefix + strings.TrimPrefix(label, prefix)
		}
		return prefix + fallback
	}
	switch {
	case strings.HasPrefix(target, "@"):
		id := target[1:]
		if id == n.self && n.self != "" {
			return "", true
		}
		return or("@", n.user(id), id), false
	case strings.HasPrefix(target, "#"):
		return or("#", n.room(target[1:]), target[1:]), false
	case strings.HasPrefix(target, "!"):
		return command(target[1:], label), false
	}
	address := entities.Replace(target)
	bare := strings.TrimPrefix(strings.TrimPrefix(address, "mailto:"), "tel:")
	if label == "" || label == address || label == bare {
		return bare, false
	}
	if _, rest, ok := strings.Cut(address, "://"); ok && strings.TrimSuffix(rest, "/") == strings.TrimSuffix(label, "/") {
		return address, false // "example.com" that Slack has made a link of
	}
	return label + " (" + address + ")", false
}

// command is a special mention or a date.
// Source: https://docs.slack.dev/messaging/formatting-message-text#special-mentions
func command(target, label string) string {
	name, rest, _ := strings.Cut(target, "^")
	switch name {
	case "here", "channel", "everyone":
		return "@" + name
	case "subteam":
		if label == "" {
			return "@" + rest
		}
		return "@" + strings.TrimPrefix(label, "@")
	case "date":
		if label != "" {
			return label
		}
		stamp, _, _ := strings.Cut(rest, "^")
		sec, err := strconv.ParseInt(stamp, 10, 64)
		if err != nil || sec < -62135596800 || sec > 253402300799 { // years 1 to 9999
			return ""
		}
		return time.Unix(sec, 0).UTC().Format("2006-01-02 15:04 UTC")
	}
	if label != "" {
		return label
	}
	return "@" + name
}

// closeGap closes the gap that a cut mention leaves between what is written and rest: of two blanks one stays, and none
// ahead of a punctuation mark. At the start of a text the comma or colon of an address goes too ("@bot, please"). It
// returns how much of rest to skip.
func closeGap(out []byte, rest string) (_ []byte, skip int) {
	if len(bytes.TrimSpace(out)) == 0 {
		trimmed := strings.TrimLeft(rest, ",: ")
		return out[:0], len(rest) - len(trimmed)
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

// mentions tells whether a text names a user.
func mentions(markup, user string) bool {
	return user != "" && (strings.Contains(markup, "<@"+user+">") || strings.Contains(markup, "<@"+user+"|"))
}
