package telegram

import (
	"strconv"
	"strings"
)

// The structs hold what the bridge uses of an update. They are the package's own: the library's decode every part of an
// update, and one variant that it does not know makes the whole fail.
// Source: https://core.telegram.org/bots/api#available-types

type update struct {
	ID       int64     `json:"update_id"`
	Message  *message  `json:"message"`
	Edited   *message  `json:"edited_message"`
	Reaction *reaction `json:"message_reaction"`
	Member   *member   `json:"my_chat_member"`
	Callback *callback `json:"callback_query"`
}

type user struct {
	ID        int64  `json:"id"`
	IsBot     bool   `json:"is_bot"`
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
	Username  string `json:"username"`
	// ReadsAll is false while privacy mode is on; only getMe tells.
	ReadsAll bool `json:"can_read_all_group_messages"`
}

func (u user) name() string { return strings.TrimSpace(u.FirstName + " " + u.LastName) }

type chat struct {
	ID        int64  `json:"id"`
	Type      string `json:"type"` // private, group, supergroup, channel
	Title     string `json:"title"`
	Username  string `json:"username"`
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
}

func (c chat) key() string { return strconv.FormatInt(c.ID, 10) }

func (c chat) name() string {
	if c.Title != "" {
		return c.Title
	}
	return strings.TrimSpace(c.FirstName + " " + c.LastName)
}

type message struct {
	ID         int64    `json:"message_id"`
	Topic      int64    `json:"message_thread_id"`
	InTopic    bool     `json:"is_topic_message"`
	From       *user    `json:"from"`
	SenderChat *chat    `json:"sender_chat"`
	Date       int64    `json:"date"`
	EditDate   int64    `json:"edit_date"`
	Chat       chat     `json:"chat"`
	ReplyTo    *message `json:"reply_to_message"`
	Quote      *struct {
		Text string `json:"text"`
	} `json:"quote"`
	Forward  *origin  `json:"forward_origin"`
	Group    string   `json:"media_group_id"`
	Text     string   `json:"text"`
	Entities []entity `json:"entities"`
	Caption  string   `json:"caption"`
	CapEnts  []entity `json:"caption_entities"`

	Photo     []file `json:"photo"`
	Document  *file  `json:"document"`
	Animation *file  `json:"animation"`
	Audio     *file  `json:"audio"`
	Voice     *file  `json:"voice"`
	Video     *file  `json:"video"`
	VideoNote *file  `json:"video_note"`
	Sticker   *struct {
		file
		Emoji    string `json:"emoji"`
		Animated bool   `json:"is_animated"`
		Video    bool   `json:"is_video"`
	} `json:"sticker"`
	Location *struct {
		Lat  float64 `json:"latitude"`
		Long float64 `json:"longitude"`
	} `json:"location"`
	Venue *struct {
		Title   string `json:"title"`
		Address string `json:"address"`
	} `json:"venue"`
	Contact *struct {
		Phone     string `json:"phone_number"`
		FirstName string `json:"first_name"`
		LastName  string `json:"last_name"`
	} `json:"contact"`
	Poll *struct {
		Question string `json:"question"`
		Options  []struct {
			Text string `json:"text"`
		} `json:"options"`
	} `json:"poll"`
	Dice *struct {
		Emoji string `json:"emoji"`
		Value int    `json:"value"`
	} `json:"dice"`

	MigrateTo    int64     `json:"migrate_to_chat_id"`
	TopicCreated *struct{} `json:"forum_topic_created"`
}

type entity struct {
	Type     string `json:"type"`
	Offset   int    `json:"offset"` // in UTF-16 units
	Length   int    `json:"length"`
	URL      string `json:"url"`
	User     *user  `json:"user"`
	Language string `json:"language"`
}

type file struct {
	ID    string `json:"file_id"`
	Name  string `json:"file_name"`
	MIME  string `json:"mime_type"`
	Size  int64  `json:"file_size"`
	Width int    `json:"width"`
}

type origin struct {
	Type       string `json:"type"`
	User       *user  `json:"sender_user"`
	UserName   string `json:"sender_user_name"`
	SenderChat *chat  `json:"sender_chat"`
	Chat       *chat  `json:"chat"`
}

type reaction struct {
	Chat    chat    `json:"chat"`
	Message int64   `json:"message_id"`
	User    *user   `json:"user"` // nil for reactions in the name of a chat
	Date    int64   `json:"date"`
	Old     []emoji `json:"old_reaction"`
	New     []emoji `json:"new_reaction"`
}

type emoji struct {
	Type   string `json:"type"` // emoji, custom_emoji, paid
	Emoji  string `json:"emoji"`
	Custom string `json:"custom_emoji_id"`
}

type member struct {
	Chat chat `json:"chat"`
	New  struct {
		Status string `json:"status"`
	} `json:"new_chat_member"`
}

type callback struct {
	ID string `json:"id"`
}
