package markup

import (
	"cmp"
	"slices"
	"unicode/utf16"
)

// The entity types of https://core.telegram.org/bots/api#messageentity that this package knows.
const (
	Mention         = "mention"
	Hashtag         = "hashtag"
	Cashtag         = "cashtag"
	BotCommand      = "bot_command"
	URL             = "url"
	Email           = "email"
	PhoneNumber     = "phone_number"
	Bold            = "bold"
	Italic          = "italic"
	Underline       = "underline"
	Strikethrough   = "strikethrough"
	Spoiler         = "spoiler"
	Blockquote      = "blockquote"
	ExpandableQuote = "expandable_blockquote"
	Code            = "code"
	Pre             = "pre"
	TextLink        = "text_link"
	TextMention     = "text_mention"
	CustomEmoji     = "custom_emoji"
	DateTime        = "date_time"
)

// User is the part of https://core.telegram.org/bots/api#user that a text_mention carries.
type User struct {
	ID           int64  `json:"id"`
	IsBot        bool   `json:"is_bot"`
	FirstName    string `json:"first_name"`
	LastName     string `json:"last_name,omitempty"`
	Username     string `json:"username,omitempty"`
	LanguageCode string `json:"language_code,omitempty"`
	IsPremium    bool   `json:"is_premium,omitempty"`
}

// Entity is one https://core.telegram.org/bots/api#messageentity. Offset and Length count UTF-16 code units.
type Entity struct {
	Type           string `json:"type"`
	Offset         int    `json:"offset"`
	Length         int    `json:"length"`
	URL            string `json:"url,omitempty"`
	User           *User  `json:"user,omitempty"`
	Language       string `json:"language,omitempty"`
	CustomEmojiID  string `json:"custom_emoji_id,omitempty"`
	UnixTime       int64  `json:"unix_time,omitempty"`
	DateTimeFormat string `json:"date_time_format,omitempty"`
}

func (e Entity) end() int { return e.Offset + e.Length }

// Text is plain text with its entities.
type Text struct {
	Text     string
	Entities []Entity
}

// Len is the length of a text as Telegram counts it here: UTF-16 code units. The documentation says "characters after
// entities parsing"; UTF-16 units are what entity offsets count, and never fewer than characters.
func Len(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r > 0xffff {
			n++
		}
	}
	return n
}

// Slice is the text that an entity covers; "" when the entity lies outside of s.
func Slice(s string, e Entity) string {
	u := utf16.Encode([]rune(s))
	if e.Offset < 0 || e.Length < 0 || e.Offset > len(u) || e.Length > len(u)-e.Offset {
		return ""
	}
	return string(utf16.Decode(u[e.Offset:e.end()]))
}

// Known tells whether t is a type that a bot may send in an entities list.
func Known(t string) bool { _, ok := rank[t]; return ok }

// rank orders entities that cover the same text, outermost first.
var rank = map[string]int{
	Blockquote: 0, ExpandableQuote: 0, Pre: 11, Code: 20, TextLink: 49, TextMention: 49,
	Mention: 50, Hashtag: 50, Cashtag: 50, BotCommand: 50, URL: 50, Email: 50, PhoneNumber: 50, DateTime: 50,
	Bold: 90, Italic: 91, Underline: 92, Strikethrough: 93, Spoiler: 94, CustomEmoji: 99,
}

// splittable types may be cut in two where they would overlap another entity in part.
func splittable(t string) bool {
	switch t {
	case Bold, Italic, Underline, Strikethrough, Spoiler:
		return true
	}
	return false
}

func quote(t string) bool { return t == Blockquote || t == ExpandableQuote }

func compareEntities(a, b Entity) int {
	if c := cmp.Compare(a.Offset, b.Offset); c != 0 {
		return c
	}
	if c := cmp.Compare(b.Length, a.Length); c != 0 {
		return c
	}
	return cmp.Compare(rank[a.Type], rank[b.Type])
}

func sortEntities(es []Entity) {
	if !slices.IsSortedFunc(es, compareEntities) { // the sort copies a lot, and is rarely needed
		slices.SortStableFunc(es, compareEntities)
	}
}
