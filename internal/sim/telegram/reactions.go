package telegram

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/clickai/bridge/internal/sim/telegram/markup"
)

// reactionEmoji are the emoji of https://core.telegram.org/bots/api#reactiontypeemoji, as the Bot API writes them.
var reactionEmoji = strings.Fields("❤ 👍 👎 🔥 🥰 👏 😁 🤔 🤯 😱 🤬 😢 🎉 🤩 🤮 💩 🙏 👌 🕊 🤡 🥱 🥴 😍 🐳 ❤‍🔥 🌚 🌭 💯 🤣 ⚡ 🍌 " +
	"🏆 💔 🤨 😐 🍓 🍾 💋 🖕 😈 😴 😭 🤓 👻 👨‍💻 👀 🎃 🙈 😇 😨 🤝 ✍ 🤗 🫡 🎅 🎄 ☃ 💅 🤪 🗿 🆒 💘 🙉 🦄 😘 💊 🙊 😎 👾 🤷‍♂ 🤷 🤷‍♀ 😡")

// plainEmoji drops what the Bot API leaves out: the emoji presentation selector.
func plainEmoji(emoji string) string { return strings.ReplaceAll(emoji, "\ufe0f", "") }

// reactable tells whether a chat takes an emoji as a reaction.
func (c *chat) reactable(emoji string) bool {
	if c.reactions != nil {
		return slices.ContainsFunc(c.reactions, func(r string) bool { return plainEmoji(r) == emoji })
	}
	return slices.Contains(reactionEmoji, emoji)
}

// setMessageReaction is https://core.telegram.org/bots/api#setmessagereaction: one emoji for a bot, none takes it back.
func (s *Server) setMessageReaction(_ context.Context, p *params) (any, error) {
	var list []wireReaction
	if _, err := p.list("reaction", &list); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.chatOf(p)
	if err != nil {
		return nil, err
	}
	m := c.find(int(p.int("message_id")))
	if m == nil {
		return nil, bad("message to react not found")
	}
	if len(list) > 1 {
		return nil, wrong("REACTIONS_TOO_MANY")
	}
	var emoji []string
	for _, r := range list {
		if r.Type != "emoji" || !c.reactable(r.Emoji) {
			return nil, &apiError{code: 400, text: "REACTION_INVALID", against: c.reactions == nil}
		}
		emoji = append(emoji, r.Emoji)
	}
	m.setReactions(s.me.ID, emoji)
	s.changed.Notify()
	return true, nil
}

func (m *message) setReactions(user int64, emoji []string) {
	if len(emoji) == 0 {
		delete(m.reactions, user)
		return
	}
	if m.reactions == nil {
		m.reactions = map[int64][]string{}
	}
	m.reactions[user] = emoji
}

// wireReactions is never nil: an empty list is a list on the wire.
func wireReactions(emoji []string) []wireReaction {
	out := []wireReaction{}
	for _, e := range emoji {
		out = append(out, wireReaction{Type: "emoji", Emoji: e})
	}
	return out
}

// reactionUpdate is https://core.telegram.org/bots/api#messagereactionupdated.
type reactionUpdate struct {
	Chat        wireChat       `json:"chat"`
	MessageID   int            `json:"message_id"`
	User        *markup.User   `json:"user"`
	Date        int64          `json:"date"`
	OldReaction []wireReaction `json:"old_reaction"`
	NewReaction []wireReaction `json:"new_reaction"`
}

// changeReactions is what a person does. In groups the bot hears of it as an administrator only. Called with mu held.
func (s *Server) changeReactions(m *message, user *markup.User, next []string) {
	old := m.reactions[user.ID]
	m.setReactions(user.ID, next)
	if !m.chat.isGroup() || m.chat.admin() {
		s.push("message_reaction", m.chat.id, reactionUpdate{
			Chat: s.wireChat(m.chat), MessageID: m.id, User: user, Date: time.Now().Unix(),
			OldReaction: wireReactions(old), NewReaction: wireReactions(next),
		})
	}
	s.changed.Notify()
}
