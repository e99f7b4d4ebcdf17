package telegram

import (
	"strconv"
	"time"

	"github.com/clickai/bridge/core"
)

// maxQueryID is in bytes. Telegram's are numbers of about 19 digits.
const maxQueryID = 100

// press is a button that a person has pressed under a message of the bot; ok is false for anything else. Of a message that
// the bot cannot see any more Telegram tells the chat and the id alone, and not when the button was pressed of any.
// Source: https://core.telegram.org/bots/api#callbackquery, #inaccessiblemessage
func (p *Platform) press(q *callback) (ev core.Event, ok bool) {
	m := q.Message
	if q.ID == "" || len(q.ID) > maxQueryID || m == nil || m.ID == 0 || m.Chat.ID == 0 || q.From == nil || q.From.ID == 0 || q.From.IsBot {
		return ev, false
	}
	if q.Data == "" || len(q.Data) > core.MaxButtonID || m.Date != 0 && (m.From == nil || m.From.ID != p.self().ID) {
		return ev, false
	}
	ev = core.Event{
		Key: "c:" + q.ID, Kind: core.KindPress, Reach: core.ReachReply, Room: m.Chat.room(), Thread: m.thread(),
		MessageID: strconv.FormatInt(m.ID, 10), Sender: q.From.person(), SentAt: time.Now().UTC(),
		Press: &core.Press{ID: q.Data, Label: m.label(q.Data)}, Handle: q.ID,
	}
	if ev.Room.Direct {
		ev.Reach = core.ReachDirect
	}
	return ev, true
}

// label is what stands on the button with this data; "" if there is none.
func (m *message) label(data string) string {
	if m.Keyboard == nil {
		return ""
	}
	for _, row := range m.Keyboard.Rows {
		for _, b := range row {
			if b.Data == data {
				return oneLine(b.Text, core.MaxButtonLabel)
			}
		}
	}
	return ""
}
