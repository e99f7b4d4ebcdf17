package markup

import (
	"html"
	"strconv"
	"strings"
	"unicode/utf16"
)

// HTML writes a text in stored form as HTML of the Bot API, so that formatting can be seen and compared. Entities that
// Telegram finds by itself (mentions, commands, links …) get no tag.
func HTML(t Text) string {
	units := utf16.Encode([]rune(t.Text))
	var b strings.Builder
	var open []Entity
	pos := 0
	write := func(to int) {
		to = min(to, len(units))
		if to > pos {
			b.WriteString(html.EscapeString(string(utf16.Decode(units[pos:to]))))
			pos = to
		}
	}
	closeUntil := func(at int) {
		for len(open) > 0 && open[len(open)-1].end() <= at {
			e := open[len(open)-1]
			write(e.end())
			b.WriteString(closing(e))
			open = open[:len(open)-1]
		}
	}
	for _, e := range t.Entities {
		closeUntil(e.Offset)
		write(e.Offset)
		b.WriteString(opening(e))
		open = append(open, e)
	}
	closeUntil(maxOffset * 4)
	write(len(units))
	return b.String()
}

// Styled tells whether any entity has a tag in [HTML].
func Styled(es []Entity) bool {
	for _, e := range es {
		if opening(e) != "" {
			return true
		}
	}
	return false
}

var simpleTags = map[string]string{
	Bold: "b", Italic: "i", Underline: "u", Strikethrough: "s", Spoiler: "tg-spoiler", Code: "code",
	Blockquote: "blockquote",
}

func opening(e Entity) string {
	if tag, ok := simpleTags[e.Type]; ok {
		return "<" + tag + ">"
	}
	switch e.Type {
	case ExpandableQuote:
		return "<blockquote expandable>"
	case Pre:
		if e.Language != "" {
			return `<pre><code class="language-` + html.EscapeString(e.Language) + `">`
		}
		return "<pre>"
	case TextLink:
		return `<a href="` + html.EscapeString(e.URL) + `">`
	case TextMention:
		if e.User != nil {
			return `<a href="tg://user?id=` + strconv.FormatInt(e.User.ID, 10) + `">`
		}
	case CustomEmoji:
		return `<tg-emoji emoji-id="` + html.EscapeString(e.CustomEmojiID) + `">`
	}
	return ""
}

func closing(e Entity) string {
	if tag, ok := simpleTags[e.Type]; ok {
		return "</" + tag + ">"
	}
	switch e.Type {
	case ExpandableQuote:
		return "</blockquote>"
	case Pre:
		if e.Language != "" {
			return "</code></pre>"
		}
		return "</pre>"
	case TextLink:
		return "</a>"
	case TextMention:
		if e.User != nil {
			return "</a>"
		}
	case CustomEmoji:
		return "</tg-emoji>"
	}
	return ""
}
