package slack

import (
	"bytes"
	"encoding/json"
	"strings"
)

// The types of this file are what this package reads of Slack's objects, each field for itself: one that is not as
// expected is left out and the rest still counts (see lenient). slack-go's types refuse a whole event for one element of a
// block that they do not know.

// callback is the outer object of an event.
// Source: https://docs.slack.dev/apis/events-api/#callback-field
type callback struct {
	Type    string          `json:"type"`
	TeamID  string          `json:"team_id"`
	EventID string          `json:"event_id"`
	Event   json.RawMessage `json:"event"`
}

// message is a message as events and histories have it.
// Source: https://docs.slack.dev/reference/events/message
type message struct {
	Type        string          `json:"type"`
	Subtype     string          `json:"subtype"`
	User        string          `json:"user"`
	Username    string          `json:"username"`
	BotID       string          `json:"bot_id"`
	Team        string          `json:"team"`
	UserTeam    string          `json:"user_team"`
	Text        string          `json:"text"`
	TS          string          `json:"ts"`
	ThreadTS    string          `json:"thread_ts"`
	LatestReply string          `json:"latest_reply"` // histories only
	Edited      *edited         `json:"edited"`
	Files       []file          `json:"files"`
	Blocks      json.RawMessage `json:"blocks"`
	Attachments []attachment    `json:"attachments"`
	Reactions   []reacted       `json:"reactions"` // histories only
	Metadata    struct {        // where it is asked for
		Type    string `json:"event_type"`
		Payload struct {
			Nonce string `json:"nonce"`
		} `json:"event_payload"`
	} `json:"metadata"`

	// Events only.
	Channel     string   `json:"channel"`
	ChannelType string   `json:"channel_type"`
	EventTS     string   `json:"event_ts"`
	DeletedTS   string   `json:"deleted_ts"`
	Message     *message `json:"message"`
	Previous    *message `json:"previous_message"`
}

type edited struct {
	TS string `json:"ts"`
}

// file is a file object. Source: https://docs.slack.dev/reference/objects/file-object
type file struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Title       string `json:"title"`
	MIME        string `json:"mimetype"`
	Size        int64  `json:"size"`
	Mode        string `json:"mode"`
	Access      string `json:"file_access"`
	External    bool   `json:"is_external"`
	URL         string `json:"url_private"`
	DownloadURL string `json:"url_private_download"`
	Shares      struct {
		Public  map[string][]fileShare `json:"public"`
		Private map[string][]fileShare `json:"private"`
	} `json:"shares"`
}

type fileShare struct {
	TS       string `json:"ts"`
	ThreadTS string `json:"thread_ts"`
}

// attachment is a legacy attachment: a forwarded message, or what an integration says.
type attachment struct {
	Fallback string `json:"fallback"`
	Pretext  string `json:"pretext"`
	Title    string `json:"title"`
	Text     string `json:"text"`
	Author   string `json:"author_name"`
	IsShare  bool   `json:"is_share"`
}

// reaction is the event of a reaction.
// Source: https://docs.slack.dev/reference/events/reaction_added
type reaction struct {
	Type     string `json:"type"`
	User     string `json:"user"`
	Reaction string `json:"reaction"`
	ItemUser string `json:"item_user"`
	EventTS  string `json:"event_ts"`
	Item     struct {
		Type    string `json:"type"`
		Channel string `json:"channel"`
		TS      string `json:"ts"`
	} `json:"item"`
}

// reacted is a reaction in a message of a history. Of many people not all are named.
// Source: https://docs.slack.dev/reference/methods/reactions.get
type reacted struct {
	Name  string   `json:"name"`
	Users []string `json:"users"`
	Count int      `json:"count"`
}

// stopped is the event of a person who stops the bot.
// Source: https://docs.slack.dev/reference/events/agent_session_stopped
type stopped struct {
	User    string   `json:"user"`
	Channel string   `json:"channel"`
	Thread  string   `json:"thread_ts"`
	EventTS string   `json:"event_ts"`
	Streams []string `json:"streaming_message_ts"`
}

// home is the workspace of the author; "" if the message does not tell.
func (m *message) home() string {
	if m.UserTeam != "" {
		return m.UserTeam
	}
	return m.Team
}

// own is what the author wrote, in mrkdwn: the text, else what the blocks say. Both events of a mention carry the same
// text, so that both are judged alike.
func (m *message) own() string {
	if strings.TrimSpace(m.Text) != "" {
		return m.Text
	}
	return blockText(m.Blocks)
}

// quoted is what a forwarded message says, or an integration where there is nothing else; not link previews.
func (m *message) quoted() string {
	var lines []string
	alone := strings.TrimSpace(m.own()) == ""
	for _, a := range m.Attachments {
		if said := a.markup(); said != "" && (a.IsShare || alone) {
			lines = append(lines, said)
		}
	}
	return strings.Join(lines, "\n")
}

func (a *attachment) markup() string {
	var lines []string
	for _, s := range []string{a.Pretext, a.Title, a.Text} {
		if strings.TrimSpace(s) != "" {
			lines = append(lines, s)
		}
	}
	if len(lines) == 0 {
		return a.Fallback
	}
	if a.IsShare && a.Author != "" {
		lines[0] = a.Author + ": " + lines[0]
	}
	return strings.Join(lines, "\n")
}

const maxBlockDepth = 16

// blockText writes blocks as mrkdwn, as far as they are text. It knows no types of blocks, only those of text.
// Source: https://docs.slack.dev/reference/block-kit/blocks/rich-text-block
func blockText(raw json.RawMessage) string {
	var blocks []map[string]json.RawMessage
	if len(raw) == 0 || lenient(raw, &blocks) != nil {
		return ""
	}
	var out strings.Builder
	for _, b := range blocks {
		if out.Len() > 0 {
			newLine(&out)
		}
		writeBlock(&out, b, 0)
	}
	return strings.TrimSpace(out.String())
}

func newLine(out *strings.Builder) {
	if s := out.String(); !strings.HasSuffix(s, "\n") {
		out.WriteByte('\n')
	}
}

func writeBlock(out *strings.Builder, o map[string]json.RawMessage, depth int) {
	if depth > maxBlockDepth {
		return
	}
	str := func(key string) string {
		var s string
		_ = json.Unmarshal(o[key], &s) // absent or no string: ""
		return s
	}
	switch str("type") {
	case "text", "plain_text":
		out.WriteString(escape(str("text")))
		return
	case "mrkdwn":
		out.WriteString(str("text"))
		return
	case "link":
		out.WriteString("<" + str("url"))
		if label := str("text"); label != "" {
			out.WriteString("|" + escape(label))
		}
		out.WriteString(">")
		return
	case "user":
		out.WriteString("<@" + str("user_id") + ">")
		return
	case "channel":
		out.WriteString("<#" + str("channel_id") + ">")
		return
	case "broadcast":
		out.WriteString("<!" + str("range") + ">")
		return
	case "usergroup":
		out.WriteString("<!subteam^" + str("usergroup_id") + ">")
		return
	case "emoji":
		out.WriteString(":" + str("name") + ":")
		return
	}
	for _, key := range []string{"title", "text", "fields", "elements", "rows"} {
		child := bytes.TrimSpace(o[key])
		if len(child) == 0 {
			continue
		}
		if key != "elements" || child[0] == '{' {
			newLine(out)
		}
		writeNested(out, child, depth+1)
	}
	if strings.HasPrefix(str("type"), "rich_text_") {
		newLine(out)
	}
}

func writeNested(out *strings.Builder, raw json.RawMessage, depth int) {
	if depth > maxBlockDepth || len(raw) == 0 {
		return
	}
	switch raw[0] {
	case '"':
		var s string
		if json.Unmarshal(raw, &s) == nil {
			out.WriteString(s)
		}
	case '{':
		var o map[string]json.RawMessage
		if json.Unmarshal(raw, &o) == nil {
			writeBlock(out, o, depth)
		}
	case '[':
		var list []json.RawMessage
		if json.Unmarshal(raw, &list) != nil {
			return
		}
		for _, item := range list {
			writeNested(out, bytes.TrimSpace(item), depth+1)
		}
	}
}
