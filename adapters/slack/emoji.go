package slack

import (
	"regexp"
	"strings"

	"github.com/kyokomi/emoji/v2"

	"github.com/clickai/bridge/core"
)

// Names of emoji come from github.com/kyokomi/emoji. Its table has the names of Slack's set
// (https://github.com/iamcal/emoji-data) with their aliases; what it lacks or has otherwise is here, and flags, which
// follow a rule.
var ownEmoji = map[string]string{
	"pencil":       "📝", // the table has GitHub's meaning
	"simple_smile": "🙂",
	"flag-england": "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "flag-scotland": "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "flag-wales": "🏴󠁧󠁢󠁷󠁬󠁳󠁿",
}

// emojiOf is the emoji of a name as Slack gives it in reactions, without colons: the base form, without skin tone and
// variation selector. A name that stands for none is custom, and is written ":name:".
func emojiOf(name string) string {
	base, _, _ := strings.Cut(name, "::") // "+1::skin-tone-2"
	if e := unicodeEmoji(base); e != "" {
		return core.BaseEmoji(e)
	}
	return ":" + base + ":"
}

// unicodeEmoji is the emoji of a name; "" if it stands for none.
func unicodeEmoji(name string) string {
	if e, ok := ownEmoji[name]; ok {
		return e
	}
	if e, ok := emoji.CodeMap()[":"+name+":"]; ok {
		return strings.TrimSpace(e)
	}
	if code, ok := strings.CutPrefix(name, "flag-"); ok && len(code) == 2 && isLower(code[0]) && isLower(code[1]) {
		return string([]rune{regional(code[0]), regional(code[1])})
	}
	return ""
}

func isLower(c byte) bool { return c >= 'a' && c <= 'z' }

func regional(c byte) rune { return 0x1F1E6 + rune(c-'a') }

// shortName matches an emoji in a text: Slack's clients send ":tada:", with ":+1::skin-tone-2:" for a skin tone.
var shortName = regexp.MustCompile(`:([a-z0-9_+'-]{1,100}):(?::skin-tone-[2-6]:)?`)

// showEmoji writes the emoji of a text as characters. Code stays as it is, and so does what only looks like one ("10:00:30").
func showEmoji(s string) string {
	if !strings.Contains(s, ":") {
		return s
	}
	var out strings.Builder
	for i, piece := range strings.Split(s, "`") {
		if i > 0 {
			out.WriteByte('`')
		}
		if i%2 == 1 {
			out.WriteString(piece)
			continue
		}
		last := 0
		for _, m := range shortName.FindAllStringSubmatchIndex(piece, -1) {
			e := unicodeEmoji(piece[m[2]:m[3]])
			if e == "" || m[0] > 0 && isWord(piece[m[0]-1]) || m[1] < len(piece) && isWord(piece[m[1]]) {
				continue
			}
			out.WriteString(piece[last:m[0]] + e)
			last = m[1]
		}
		out.WriteString(piece[last:])
	}
	return out.String()
}

func isWord(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
