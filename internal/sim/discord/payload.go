package discord

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

// Limits of a message.
// Source: https://docs.discord.com/developers/resources/message#create-message and #embed-object-embed-limits
const (
	maxContent      = 2000 // characters; the unit is not documented: UTF-16 units are the strictest reading
	maxFiles        = 10
	maxEmbeds       = 10
	maxEmbedTotal   = 6000
	maxEmbedTitle   = 256
	maxEmbedText    = 4096
	maxEmbedFields  = 25
	maxFieldName    = 256
	maxFieldValue   = 1024
	maxFooter       = 2048
	maxNonce        = 25
	maxMentionIDs   = 100
	maxThreadName   = 100
	maxDescription  = 1024 // of an attachment
	maxFilenameKept = 260
)

// payload is the body that creates or edits a message. Raw fields tell absent from null.
type payload struct {
	Content         *string          `json:"content"`
	Nonce           json.RawMessage  `json:"nonce"`
	EnforceNonce    bool             `json:"enforce_nonce"`
	TTS             bool             `json:"tts"`
	Embeds          *[]embed         `json:"embeds"`
	AllowedMentions *allowedMentions `json:"allowed_mentions"`
	Reference       *messageRef      `json:"message_reference"`
	Components      *[]component     `json:"components"`
	Stickers        []string         `json:"sticker_ids"`
	Attachments     *[]attachmentRef `json:"attachments"`
	Flags           int              `json:"flags"`
	Poll            json.RawMessage  `json:"poll"`

	rawEmbeds, rawComponents json.RawMessage
	hasFlags                 bool
}

type allowedMentions struct {
	Parse       []string `json:"parse"`
	Roles       []string `json:"roles"`
	Users       []string `json:"users"`
	RepliedUser bool     `json:"replied_user"`
}

type messageRef struct {
	Type      int    `json:"type"`
	MessageID string `json:"message_id"`
	ChannelID string `json:"channel_id"`
	GuildID   string `json:"guild_id"`
	Fail      *bool  `json:"fail_if_not_exists"`
}

type attachmentRef struct {
	ID          json.RawMessage `json:"id"` // a number for a new file, an id for one to keep
	Filename    string          `json:"filename"`
	Description string          `json:"description"`
	Title       string          `json:"title"`
}

type embed struct {
	Title       string       `json:"title"`
	Description string       `json:"description"`
	Fields      []embedField `json:"fields"`
	Footer      struct {
		Text string `json:"text"`
	} `json:"footer"`
	Author struct {
		Name string `json:"name"`
	} `json:"author"`
}

type embedField struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

func (e embed) texts() []string {
	out := []string{e.Author.Name, e.Title, e.Description}
	for _, f := range e.Fields {
		out = append(out, f.Name, f.Value)
	}
	return append(out, e.Footer.Text)
}

// parsePayload decodes a body that is the message itself.
func parsePayload(raw []byte) (*payload, *apiError) {
	p := &payload{}
	if len(raw) == 0 {
		return p, nil
	}
	c := call{body: raw}
	if err := c.decode(p); err != nil {
		return nil, err
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil {
		return nil, errInvalidJSON
	}
	if p.Embeds != nil {
		p.rawEmbeds = fields["embeds"]
	}
	if p.Components != nil {
		p.rawComponents = fields["components"]
	}
	f, ok := fields["flags"]
	p.hasFlags = ok && string(f) != "null"
	if p.Content != nil {
		// Discord cuts white space at both ends of a text.
		text := strings.TrimSpace(*p.Content)
		p.Content = &text
	}
	return p, nil
}

func length(s string) int {
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(max(r, 0))
	}
	return n
}

// check validates all that does not depend on where the message goes. v2 tells whether the message has the
// components-v2 flag after this request.
func (p *payload) check(v2 bool) *apiError {
	f := form{}
	if p.Content != nil && length(*p.Content) > maxContent {
		f.tooLong("content", maxContent)
	}
	if p.Embeds != nil {
		checkEmbeds(f, *p.Embeds)
	}
	if p.AllowedMentions != nil {
		p.AllowedMentions.check(f)
	}
	if len(nonceText(p.Nonce)) > maxNonce {
		f.add("nonce", "NONCE_TYPE_TOO_LONG", fmt.Sprintf("Must be %d or fewer characters long.", maxNonce))
	}
	if p.Attachments != nil {
		if len(*p.Attachments) > maxFiles {
			f.tooLong("attachments", maxFiles)
		}
		for i, a := range *p.Attachments {
			if length(a.Description) > maxDescription {
				f.tooLong(fmt.Sprintf("attachments.%d.description", i), maxDescription)
			}
		}
	}
	if v2 {
		p.checkLegacy(f)
	}
	if p.Components != nil {
		checkComponents(f, *p.Components, v2)
	}
	return f.err()
}

// checkLegacy: with the flag a message consists of components alone.
// Source: https://docs.discord.com/developers/components/reference#component-object
func (p *payload) checkLegacy(f form) {
	const code = "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2"
	refuse := func(field string, used bool) {
		if used {
			f.add(field, code, fmt.Sprintf("The '%s' field cannot be used when using MessageFlags.IS_COMPONENTS_V2", field))
		}
	}
	refuse("content", p.Content != nil && *p.Content != "")
	refuse("embeds", p.Embeds != nil && len(*p.Embeds) > 0)
	refuse("sticker_ids", len(p.Stickers) > 0)
	refuse("poll", len(p.Poll) > 0 && string(p.Poll) != "null")
}

func checkEmbeds(f form, embeds []embed) {
	if len(embeds) > maxEmbeds {
		f.tooLong("embeds", maxEmbeds)
	}
	total := 0
	for i, e := range embeds {
		at := "embeds." + strconv.Itoa(i) + "."
		bound := func(name, text string, limit int) {
			if length(text) > limit {
				f.tooLong(at+name, limit)
			}
		}
		bound("title", e.Title, maxEmbedTitle)
		bound("description", e.Description, maxEmbedText)
		bound("footer.text", e.Footer.Text, maxFooter)
		bound("author.name", e.Author.Name, maxEmbedTitle)
		if len(e.Fields) > maxEmbedFields {
			f.tooLong(at+"fields", maxEmbedFields)
		}
		for j, field := range e.Fields {
			bound(fmt.Sprintf("fields.%d.name", j), field.Name, maxFieldName)
			bound(fmt.Sprintf("fields.%d.value", j), field.Value, maxFieldValue)
			if field.Name == "" {
				f.required(fmt.Sprintf("%sfields.%d.name", at, j))
			}
			if field.Value == "" {
				f.required(fmt.Sprintf("%sfields.%d.value", at, j))
			}
		}
		for _, t := range e.texts() {
			total += length(t)
		}
	}
	if total > maxEmbedTotal {
		f.add("embeds", "MAX_EMBED_SIZE_EXCEEDED", "Embed size exceeds maximum size of 6000")
	}
}

// check: https://docs.discord.com/developers/resources/message#allowed-mentions-object
func (a *allowedMentions) check(f form) {
	for i, p := range a.Parse {
		if p != "roles" && p != "users" && p != "everyone" {
			f.add(fmt.Sprintf("allowed_mentions.parse.%d", i), "BASE_TYPE_CHOICES", "Value must be one of ('roles', 'users', 'everyone').")
		}
	}
	exclusive := func(kind string, ids []string) {
		if slices.Contains(a.Parse, kind) && len(ids) > 0 {
			f.add("allowed_mentions", "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
				fmt.Sprintf("parse:[\"%s\"] and %s: [ids...] are mutually exclusive.", kind, kind))
		}
		if len(ids) > maxMentionIDs {
			f.tooLong("allowed_mentions."+kind, maxMentionIDs)
		}
	}
	exclusive("users", a.Users)
	exclusive("roles", a.Roles)
}

// nonceText is a nonce as text, whether it was sent as string or number; "" for none.
func nonceText(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	if t := string(raw); t != "null" {
		return t
	}
	return ""
}
