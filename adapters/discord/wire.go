package discord

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/bwmarrin/discordgo"
)

// The types below take from Discord's objects what this package needs, and ignore the rest. discordgo's own would fail on
// what is newer than the library: a component type that it does not know costs the whole message, and in a page of
// history the whole page. Field names: https://docs.discord.com/developers/resources/message#message-object,
// https://docs.discord.com/developers/resources/channel#channel-object

type wireUser struct {
	ID         string `json:"id"`
	Username   string `json:"username"`
	GlobalName string `json:"global_name"`
	Bot        bool   `json:"bot"`
	System     bool   `json:"system"`
	// Member is there for the users that a message of a server mentions.
	Member *wireMember `json:"member"`
}

type wireMember struct {
	Nick  string    `json:"nick"`
	Roles []string  `json:"roles"`
	User  *wireUser `json:"user"`
}

type wireAttachment struct {
	ID          string `json:"id"`
	Filename    string `json:"filename"`
	ContentType string `json:"content_type"`
	Size        int64  `json:"size"`
	URL         string `json:"url"`
}

type wireReference struct {
	Type      int    `json:"type"` // 0 reply, 1 forward
	MessageID string `json:"message_id"`
	ChannelID string `json:"channel_id"`
}

const referenceForward = 1 // https://docs.discord.com/developers/resources/message#message-reference-types

type wireSticker struct {
	Name string `json:"name"`
}

type wirePoll struct {
	Question wirePollMedia    `json:"question"`
	Answers  []wirePollAnswer `json:"answers"`
}

type wirePollMedia struct {
	Text string `json:"text"`
}

type wirePollAnswer struct {
	Media wirePollMedia `json:"poll_media"`
}

type wireMessage struct {
	ID              string                     `json:"id"`
	ChannelID       string                     `json:"channel_id"`
	GuildID         string                     `json:"guild_id"` // not in answers to requests
	Type            discordgo.MessageType      `json:"type"`
	Flags           int                        `json:"flags"`
	Content         *string                    `json:"content"` // nil: this update does not tell
	Author          *wireUser                  `json:"author"`  // may lack in an update
	Member          *wireMember                `json:"member"`  // of Author; not in answers to requests
	WebhookID       string                     `json:"webhook_id"`
	EditedTimestamp *time.Time                 `json:"edited_timestamp"`
	Mentions        []wireUser                 `json:"mentions"`
	MentionRoles    []string                   `json:"mention_roles"`
	MentionChannels []wireChannel              `json:"mention_channels"`
	Attachments     []wireAttachment           `json:"attachments"`
	Reference       *wireReference             `json:"message_reference"`
	Referenced      *wireMessage               `json:"referenced_message"`
	Snapshots       []wireSnapshot             `json:"message_snapshots"`
	Stickers        []wireSticker              `json:"sticker_items"`
	Poll            *wirePoll                  `json:"poll"`
	Reactions       lenient[wireReactionCount] `json:"reactions"` // not in new messages
}

type wireSnapshot struct {
	Message wireMessage `json:"message"`
}

func (m *wireMessage) text() string {
	if m.Content == nil {
		return ""
	}
	return *m.Content
}

type wireDelete struct {
	ID        string   `json:"id"`
	IDs       []string `json:"ids"`
	ChannelID string   `json:"channel_id"`
	GuildID   string   `json:"guild_id"`
}

type wireReaction struct {
	UserID    string      `json:"user_id"`
	ChannelID string      `json:"channel_id"`
	MessageID string      `json:"message_id"`
	GuildID   string      `json:"guild_id"`
	AuthorID  string      `json:"message_author_id"` // may lack
	Member    *wireMember `json:"member"`            // in servers, when added
	Emoji     wireEmoji   `json:"emoji"`
}

type wireEmoji struct {
	ID   string `json:"id"` // "" for those of Unicode
	Name string `json:"name"`
}

// wireReactionCount: https://docs.discord.com/developers/resources/message#reaction-object
type wireReactionCount struct {
	Emoji   wireEmoji `json:"emoji"`
	Count   int       `json:"count"`
	Me      bool      `json:"me"`
	MeBurst bool      `json:"me_burst"`
	Details struct {
		Burst int `json:"burst"`
	} `json:"count_details"`
}

type wireOverwrite struct {
	ID    string `json:"id"`
	Type  int    `json:"type"` // 0 role, 1 member
	Allow bits   `json:"allow"`
	Deny  bits   `json:"deny"`
}

type wireChannel struct {
	ID            string                `json:"id"`
	Type          discordgo.ChannelType `json:"type"`
	GuildID       string                `json:"guild_id"`
	Name          string                `json:"name"`
	ParentID      string                `json:"parent_id"`
	LastMessageID string                `json:"last_message_id"`
	Overwrites    []wireOverwrite       `json:"permission_overwrites"`
	Thread        *struct {
		Archived bool `json:"archived"`
	} `json:"thread_metadata"`
}

type wireRole struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Permissions bits   `json:"permissions"`
	Tags        struct {
		BotID string `json:"bot_id"`
	} `json:"tags"`
}

type wireGuild struct {
	ID          string               `json:"id"`
	Name        string               `json:"name"`
	OwnerID     string               `json:"owner_id"`
	PremiumTier int                  `json:"premium_tier"`
	Unavailable bool                 `json:"unavailable"`
	Roles       lenient[wireRole]    `json:"roles"`
	Channels    lenient[wireChannel] `json:"channels"`
	Threads     lenient[wireChannel] `json:"threads"`
	Members     lenient[wireMember]  `json:"members"` // without the members intent: the bot itself
}

type wireReady struct {
	SessionID string             `json:"session_id"`
	ResumeURL string             `json:"resume_gateway_url"`
	User      wireUser           `json:"user"`
	Guilds    lenient[wireGuild] `json:"guilds"` // ids only
	App       struct {
		ID string `json:"id"`
	} `json:"application"`
}

// bits are permissions: decimal text, and a number on servers of old versions.
type bits int64

func (b *bits) UnmarshalJSON(data []byte) error {
	n, err := strconv.ParseInt(strings.Trim(string(data), `"`), 10, 64)
	if err != nil && string(data) != "null" {
		return err //nolint:wrapcheck // the caller adds what was decoded
	}
	*b = bits(n)
	return nil
}

// lenient decodes a list whose items may each be malformed; those are left out.
type lenient[T any] []T

func (l *lenient[T]) UnmarshalJSON(data []byte) error {
	var raw []json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return err //nolint:wrapcheck // the caller adds what was decoded
	}
	*l = make([]T, 0, len(raw))
	for _, r := range raw {
		var v T
		if json.Unmarshal(r, &v) == nil {
			*l = append(*l, v)
		}
	}
	return nil
}
