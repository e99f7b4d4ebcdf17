package telegram

import (
	"encoding/json"

	"github.com/clickai/bridge/internal/sim/telegram/markup"
)

// The objects of https://core.telegram.org/bots/api#available-types as they go over the wire, with the fields that this
// server fills.

type wireChat struct {
	ID        int64  `json:"id"`
	Type      string `json:"type"`
	Title     string `json:"title,omitempty"`
	Username  string `json:"username,omitempty"`
	FirstName string `json:"first_name,omitempty"`
	LastName  string `json:"last_name,omitempty"`
	IsForum   bool   `json:"is_forum,omitempty"`
}

type wireFile struct {
	FileID       string `json:"file_id"`
	FileUniqueID string `json:"file_unique_id"`
	FileSize     int    `json:"file_size,omitempty"`
	FilePath     string `json:"file_path,omitempty"`
}

type wirePhotoSize struct {
	wireFile
	Width  int `json:"width"`
	Height int `json:"height"`
}

// wireMedia is a Document, Audio, Voice, Video or Animation.
type wireMedia struct {
	wireFile
	FileName string `json:"file_name,omitempty"`
	MimeType string `json:"mime_type,omitempty"`
	Duration *int   `json:"duration,omitempty"`
	Width    *int   `json:"width,omitempty"`
	Height   *int   `json:"height,omitempty"`
}

type wireTopic struct {
	Name      string `json:"name"`
	IconColor int    `json:"icon_color"`
}

type wireMessage struct {
	MessageID          int             `json:"message_id"`
	MessageThreadID    int             `json:"message_thread_id,omitempty"`
	From               *markup.User    `json:"from,omitempty"`
	Chat               wireChat        `json:"chat"`
	Date               int64           `json:"date"`
	EditDate           int64           `json:"edit_date,omitempty"`
	IsTopicMessage     bool            `json:"is_topic_message,omitempty"`
	ReplyToMessage     *wireMessage    `json:"reply_to_message,omitempty"`
	MediaGroupID       string          `json:"media_group_id,omitempty"`
	Text               string          `json:"text,omitempty"`
	Entities           []markup.Entity `json:"entities,omitempty"`
	LinkPreview        json.RawMessage `json:"link_preview_options,omitempty"`
	Animation          *wireMedia      `json:"animation,omitempty"`
	Audio              *wireMedia      `json:"audio,omitempty"`
	Document           *wireMedia      `json:"document,omitempty"`
	Photo              []wirePhotoSize `json:"photo,omitempty"`
	Video              *wireMedia      `json:"video,omitempty"`
	Voice              *wireMedia      `json:"voice,omitempty"`
	Caption            string          `json:"caption,omitempty"`
	CaptionEntities    []markup.Entity `json:"caption_entities,omitempty"`
	RichMessage        json.RawMessage `json:"rich_message,omitempty"`
	MigrateToChatID    int64           `json:"migrate_to_chat_id,omitempty"`
	MigrateFromChatID  int64           `json:"migrate_from_chat_id,omitempty"`
	ForumTopicCreated  *wireTopic      `json:"forum_topic_created,omitempty"`
	ForumTopicClosed   *struct{}       `json:"forum_topic_closed,omitempty"`
	ForumTopicReopened *struct{}       `json:"forum_topic_reopened,omitempty"`
	ReplyMarkup        json.RawMessage `json:"reply_markup,omitempty"`
}

type wireReaction struct {
	Type          string `json:"type"`
	Emoji         string `json:"emoji,omitempty"`
	CustomEmojiID string `json:"custom_emoji_id,omitempty"`
}

// wireMember is a https://core.telegram.org/bots/api#chatmember.
type wireMember struct {
	Status    string       `json:"status"`
	User      *markup.User `json:"user"`
	UntilDate *int64       `json:"until_date,omitempty"`
	*adminRights
}

type adminRights struct {
	CanBeEdited       bool  `json:"can_be_edited"`
	IsAnonymous       bool  `json:"is_anonymous"`
	CanManageChat     bool  `json:"can_manage_chat"`
	CanDeleteMessages bool  `json:"can_delete_messages"`
	CanPromoteMembers bool  `json:"can_promote_members"`
	CanChangeInfo     bool  `json:"can_change_info"`
	CanInviteUsers    bool  `json:"can_invite_users"`
	CanRestrict       bool  `json:"can_restrict_members"`
	CanManageTopics   *bool `json:"can_manage_topics,omitempty"`
}
