package discord

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// unicodeEmoji tells whether s looks like one emoji; names, custom emoji of other guilds and wrongly encoded bytes do
// not.
func unicodeEmoji(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	seen := false
	for _, r := range s {
		switch {
		case r >= 0x1F000, r >= 0x2190 && r <= 0x3299, r == 0x20E3, r == 0xA9, r == 0xAE, r == 0x203C, r == 0x2049,
			r == 0x2122, r == 0x2139:
			seen = true
		case r == 0x200D, r == 0xFE0F, r == '#', r == '*', r >= '0' && r <= '9': // joiner, variation, keycap base
		default:
			return false
		}
	}
	return seen
}

func (c *call) reaction(need Permission) (*message, string, *apiError) {
	m, err := c.message(need)
	if err != nil {
		return nil, "", err
	}
	emoji := c.param("emoji")
	if !unicodeEmoji(emoji) {
		return nil, "", errUnknownEmoji
	}
	return m, emoji, nil
}

// reactor is whose reaction a path means: @me or a user's id, for which the bot must be a moderator.
func (c *call) reactor(m *message) (*user, *apiError) {
	id := c.param("user")
	if id == "@me" || id == c.s.bot.ID {
		return c.s.bot, nil
	}
	if c.r.Method == http.MethodPut {
		return nil, errNotFound
	}
	u := c.s.users[id]
	if u == nil {
		return nil, errUnknownUser
	}
	if m.channel.guild == "" {
		return nil, errDMChannel
	}
	return u, c.s.require(m.channel, ManageMessages)
}

func (m *message) reactionIndex(emoji string) int {
	return slices.IndexFunc(m.reactions, func(r reaction) bool { return r.emoji == emoji })
}

func putReaction(c *call) (int, any, error) {
	m, emoji, err := c.reaction(ViewChannel | ReadMessageHistory)
	if err != nil {
		return 0, nil, err
	}
	u, err := c.reactor(m)
	if err != nil {
		return 0, nil, err
	}
	if m.channel.archived {
		return 0, nil, errArchived
	}
	if m.reactionIndex(emoji) < 0 { // the first of its kind needs the permission
		if err := c.s.require(m.channel, AddReactions); err != nil {
			return 0, nil, err
		}
	}
	if err := c.s.react(m, u, emoji); err != nil {
		return 0, nil, err
	}
	return http.StatusNoContent, noContent, nil
}

// react adds a reaction and tells it; one that is there already changes nothing.
func (s *Server) react(m *message, u *user, emoji string) *apiError {
	i := m.reactionIndex(emoji)
	if i < 0 {
		if len(m.reactions) >= maxReactions {
			return errTooManyReactions
		}
		m.reactions = append(m.reactions, reaction{emoji: emoji})
		i = len(m.reactions) - 1
	}
	r := &m.reactions[i]
	if slices.Contains(r.users, u.ID) {
		return nil
	}
	r.users = append(r.users, u.ID)
	o := s.reactionEvent(m, u, emoji)
	o["message_author_id"] = m.author
	if m.channel.guild != "" {
		o["member"] = s.memberObject(u, true)
	}
	s.dispatchChannel("MESSAGE_REACTION_ADD", m.channel, reactionIntents, o)
	s.notify.Notify()
	return nil
}

// reactionEvent: https://docs.discord.com/developers/events/gateway-events#message-reaction-add
func (s *Server) reactionEvent(m *message, u *user, emoji string) map[string]any {
	o := map[string]any{
		"user_id": u.ID, "channel_id": m.channel.id, "message_id": m.id, "emoji": emojiObject(emoji), "burst": false, "type": 0,
	}
	if m.channel.guild != "" {
		o["guild_id"] = m.channel.guild
	}
	return o
}

// unreact takes a reaction away and tells it; it reports false when there was none.
func (s *Server) unreact(m *message, u *user, emoji string) bool {
	i := m.reactionIndex(emoji)
	if i < 0 {
		return false
	}
	r := &m.reactions[i]
	j := slices.Index(r.users, u.ID)
	if j < 0 {
		return false
	}
	r.users = slices.Delete(r.users, j, j+1)
	if len(r.users) == 0 {
		m.reactions = slices.Delete(m.reactions, i, i+1)
	}
	s.dispatchChannel("MESSAGE_REACTION_REMOVE", m.channel, reactionIntents, s.reactionEvent(m, u, emoji))
	s.notify.Notify()
	return true
}

func deleteReaction(c *call) (int, any, error) {
	m, emoji, err := c.reaction(ViewChannel)
	if err != nil {
		return 0, nil, err
	}
	u, err := c.reactor(m)
	if err != nil {
		return 0, nil, err
	}
	if m.channel.archived {
		return 0, nil, errArchived
	}
	c.s.unreact(m, u, emoji)
	return http.StatusNoContent, noContent, nil
}

func deleteEmojiReactions(c *call) (int, any, error) {
	m, emoji, err := c.reaction(ManageMessages)
	if err != nil {
		return 0, nil, err
	}
	c.s.clearEmoji(m, emoji)
	return http.StatusNoContent, noContent, nil
}

func (s *Server) clearEmoji(m *message, emoji string) {
	i := m.reactionIndex(emoji)
	if i < 0 {
		return
	}
	m.reactions = slices.Delete(m.reactions, i, i+1)
	o := map[string]any{"channel_id": m.channel.id, "message_id": m.id, "emoji": emojiObject(emoji)}
	if m.channel.guild != "" {
		o["guild_id"] = m.channel.guild
	}
	s.dispatchChannel("MESSAGE_REACTION_REMOVE_EMOJI", m.channel, reactionIntents, o)
	s.notify.Notify()
}

func deleteAllReactions(c *call) (int, any, error) {
	m, err := c.message(ManageMessages)
	if err != nil {
		return 0, nil, err
	}
	c.s.clearReactions(m)
	return http.StatusNoContent, noContent, nil
}

func (s *Server) clearReactions(m *message) {
	if len(m.reactions) == 0 {
		return
	}
	m.reactions = nil
	o := map[string]any{"channel_id": m.channel.id, "message_id": m.id}
	if m.channel.guild != "" {
		o["guild_id"] = m.channel.guild
	}
	s.dispatchChannel("MESSAGE_REACTION_REMOVE_ALL", m.channel, reactionIntents, o)
	s.notify.Notify()
}

func getReactions(c *call) (int, any, error) {
	m, emoji, err := c.reaction(ViewChannel | ReadMessageHistory)
	if err != nil {
		return 0, nil, err
	}
	limit := 25
	if q := c.query.Get("limit"); q != "" {
		n, convErr := strconv.Atoi(q)
		if convErr != nil || n < 1 || n > 100 {
			return 0, nil, formError("limit", "NUMBER_TYPE_MAX", "int value should be between 1 and 100.")
		}
		limit = n
	}
	out := []any{}
	i := m.reactionIndex(emoji)
	if i < 0 {
		return http.StatusOK, out, nil
	}
	users := slices.Clone(m.reactions[i].users)
	slices.SortFunc(users, func(a, b string) int {
		if before(a, b) {
			return -1
		}
		return strings.Compare(a, b)
	})
	after := c.query.Get("after")
	for _, id := range users {
		if (after == "" || before(after, id)) && len(out) < limit {
			out = append(out, userObject(c.s.users[id]))
		}
	}
	return http.StatusOK, out, nil
}
