package telegram

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// The structs hold what the bridge uses of an update. They are the package's own: the library's decode every part, and one
// variant of a union that it does not know (a new kind of reaction, of paid media, of chat member) makes the whole update
// fail. Here nothing has a decoder of its own, so encoding/json reads on behind a field of an unexpected type.
// Source: https://core.telegram.org/bots/api#available-types

type update struct {
	ID       int64     `json:"update_id"`
	Message  *message  `json:"message"`
	Edited   *message  `json:"edited_message"`
	Query    *callback `json:"callback_query"`
	Reaction *reaction `json:"message_reaction"`
	Member   *member   `json:"my_chat_member"`
}

type user struct {
	ID        int64  `json:"id"`
	IsBot     bool   `json:"is_bot"`
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
	Username  string `json:"username"`
	// Of the bot itself, in getMe alone.
	ReadsAll bool  `json:"can_read_all_group_messages"`
	CanJoin  *bool `json:"can_join_groups"`
}

func (u *user) key() string { return strconv.FormatInt(u.ID, 10) }

func (u *user) name() string { return strings.TrimSpace(u.FirstName + " " + u.LastName) }

type chat struct {
	ID        int64  `json:"id"`
	Type      string `json:"type"` // private, group, supergroup, channel
	Title     string `json:"title"`
	Username  string `json:"username"`
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
}

func (c *chat) key() string { return strconv.FormatInt(c.ID, 10) }

func (c *chat) name() string {
	if c.Title != "" {
		return c.Title
	}
	return strings.TrimSpace(c.FirstName + " " + c.LastName)
}

type message struct {
	ID         int64    `json:"message_id"`
	Topic      int64    `json:"message_thread_id"`
	InTopic    bool     `json:"is_topic_message"`
	From       *user    `json:"from"`        // absent in channels
	SenderChat *chat    `json:"sender_chat"` // whoever wrote in the name of a chat; From is then a stopgap
	Date       int64    `json:"date"`        // seconds
	EditDate   int64    `json:"edit_date"`
	Chat       chat     `json:"chat"`
	ReplyTo    *message `json:"reply_to_message"`
	Quote      *quote   `json:"quote"`
	Forward    *origin  `json:"forward_origin"`
	Group      string   `json:"media_group_id"`
	Text       string   `json:"text"`
	Entities   []entity `json:"entities"`
	Caption    string   `json:"caption"`
	CapEnts    []entity `json:"caption_entities"`

	Photo     []file     `json:"photo"`
	Document  *file      `json:"document"`
	Animation *file      `json:"animation"`
	Audio     *file      `json:"audio"`
	Voice     *file      `json:"voice"`
	Video     *file      `json:"video"`
	VideoNote *file      `json:"video_note"`
	Sticker   *sticker   `json:"sticker"`
	Location  *location  `json:"location"`
	Venue     *venue     `json:"venue"`
	Contact   *contact   `json:"contact"`
	Poll      *poll      `json:"poll"`
	Dice      *dice      `json:"dice"`
	Checklist *checklist `json:"checklist"`

	MigrateTo    int64     `json:"migrate_to_chat_id"`
	MigrateFrom  int64     `json:"migrate_from_chat_id"`
	TopicCreated *struct{} `json:"forum_topic_created"`
	Keyboard     *markup   `json:"reply_markup"`
}

type markup struct {
	Rows [][]struct {
		Text string `json:"text"`
		Data string `json:"callback_data"`
	} `json:"inline_keyboard"`
}

// callback is a button that was pressed. Its message has the chat and the id alone, and 0 for its date, where the bot cannot
// see it any more.
type callback struct {
	ID      string   `json:"id"`
	From    *user    `json:"from"`
	Message *message `json:"message"`
	Data    string   `json:"data"`
}

type entity struct {
	Type     string `json:"type"`
	Offset   int    `json:"offset"` // in UTF-16 units
	Length   int    `json:"length"`
	URL      string `json:"url"`
	User     *user  `json:"user"`
	Language string `json:"language"`
}

type quote struct {
	Text string `json:"text"`
}

type file struct {
	ID   string `json:"file_id"` // for this bot alone; holds no credential
	Name string `json:"file_name"`
	MIME string `json:"mime_type"`
	Size int64  `json:"file_size"`
}

type sticker struct {
	file
	Emoji    string `json:"emoji"`
	Animated bool   `json:"is_animated"`
	Video    bool   `json:"is_video"`
}

type location struct {
	Lat  float64 `json:"latitude"`
	Long float64 `json:"longitude"`
}

type venue struct {
	Title   string `json:"title"`
	Address string `json:"address"`
}

type contact struct {
	Phone     string `json:"phone_number"`
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
}

type poll struct {
	Question string `json:"question"`
	Options  []struct {
		Text string `json:"text"`
	} `json:"options"`
}

type dice struct {
	Emoji string `json:"emoji"`
	Value int    `json:"value"`
}

type checklist struct {
	Title string `json:"title"`
	Tasks []struct {
		Text string `json:"text"`
		Done int64  `json:"completion_date"` // 0 if it is not done
	} `json:"tasks"`
}

type origin struct {
	User       *user  `json:"sender_user"`
	UserName   string `json:"sender_user_name"`
	SenderChat *chat  `json:"sender_chat"`
	Chat       *chat  `json:"chat"`
}

type reaction struct {
	Chat    chat    `json:"chat"`
	Message int64   `json:"message_id"`
	User    *user   `json:"user"` // absent for reactions in the name of a chat
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

var errNoUpdate = errors.New("update has no id")

// readUpdate reads as much of an update as can be read; the error tells of the rest.
func readUpdate(raw json.RawMessage) (update, error) {
	var u update
	err := json.Unmarshal(raw, &u)
	if err != nil {
		err = fmt.Errorf("decode: %w", err)
	}
	if u.ID <= 0 {
		return update{}, errors.Join(errNoUpdate, err)
	}
	return u, err
}
