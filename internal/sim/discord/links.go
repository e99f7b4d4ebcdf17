package discord

import (
	"strconv"
	"strings"
	"time"

	"github.com/clickai/bridge/internal/sim"
)

// Forms in angle brackets. Source: https://docs.discord.com/developers/reference#message-formatting
var (
	angleMention = sim.Regexp(`^<(@!?|@&|#)(\d{15,20})>`)
	angleEmoji   = sim.Regexp(`^<a?:(\w{2,32}):\d{15,20}>`)
	angleTime    = sim.Regexp(`^<t:(-?\d{1,13})(?::[tTdDfFRsS])?>`)
	angleCommand = sim.Regexp(`^</([^:\n<>]{1,100}):\d{15,20}>`)
	angleURL     = sim.Regexp(`^<(https?://[^\s<>]+)>`)
	bareURL      = sim.Regexp(`^https?://[^\s<]+[^<.,:;"'\]\s)]`)
	linkTarget   = sim.Regexp(`^\(\s*<?(https?://(?:\([^)\s]*\)|\\.|[^\s\\()<>])+)>?(?:\s+["'][^"'\n]*["'])?\s*\)`)
)

func (r *reader) angle(rest string) int {
	if m := angleMention().FindStringSubmatch(rest); m != nil {
		r.out.WriteString(r.resolve(m[1], m[2]))
		return len(m[0])
	}
	if m := angleEmoji().FindStringSubmatch(rest); m != nil {
		r.out.WriteString(":" + m[1] + ":")
		return len(m[0])
	}
	if m := angleTime().FindStringSubmatch(rest); m != nil {
		if n, err := strconv.ParseInt(m[1], 10, 64); err == nil {
			r.out.WriteString(time.Unix(n, 0).UTC().Format("2006-01-02 15:04"))
			return len(m[0])
		}
	}
	if m := angleCommand().FindStringSubmatch(rest); m != nil {
		r.out.WriteString("/" + m[1])
		return len(m[0])
	}
	if m := angleURL().FindStringSubmatch(rest); m != nil {
		r.out.WriteString(m[1])
		return len(m[0])
	}
	return 0
}

func (r *reader) resolve(mark, id string) string {
	kind, unknown := "user", "@unknown-user"
	switch mark {
	case "@&":
		kind, unknown = "role", "@unknown-role"
	case "#":
		kind, unknown = "channel", "#unknown"
	}
	if r.name != nil {
		if n := r.name(kind, id); n != "" {
			return n
		}
	}
	return unknown
}

func (r *reader) bareURL(rest string) int {
	u := bareURL().FindString(rest)
	r.out.WriteString(u)
	return len(u)
}

// label finds the end of [text] with balanced brackets.
func label(s string) int {
	open := 0
	for j := 0; j < len(s); j++ {
		switch s[j] {
		case '\\':
			j++
		case '[':
			open++
		case ']':
			open--
			if open == 0 {
				return j + 1
			}
		}
	}
	return 0
}

// link renders a masked link as its label. Discord shows the source when the label is blank or itself holds a URL, and
// when the target is not http or https.
func (r *reader) link(s string, i int) int {
	rest := s[i:]
	n := label(rest)
	if n == 0 || n == len(rest) || rest[n] != '(' {
		return 0
	}
	text := rest[1 : n-1]
	m := linkTarget().FindString(rest[n:])
	if m == "" || strings.TrimSpace(text) == "" || strings.Contains(text, "http://") || strings.Contains(text, "https://") || r.depth > maxDepth {
		r.problem("link shows as source")
		return 0
	}
	if i > 0 && s[i-1] == '!' && (i < 2 || s[i-2] != '\\') {
		r.problem("image shows as source")
	}
	r.inline(text)
	return n + len(m)
}
