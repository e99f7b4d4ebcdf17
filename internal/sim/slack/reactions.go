package slack

import (
	"slices"
)

// reactTarget finds the message of a reactions call.
func (c *call) reactTarget() (*channel, *message, *apiError) {
	if c.str("channel") == "" || c.str("timestamp") == "" {
		return nil, nil, refuse("no_item_specified").broken()
	}
	ch, fail := c.target("channel")
	if fail != nil {
		return nil, nil, fail
	}
	ts := c.str("timestamp")
	if !validTS(ts) {
		return nil, nil, refuse("bad_timestamp").broken()
	}
	m := ch.byTS[ts]
	if m == nil {
		return nil, nil, refuse("message_not_found")
	}
	return ch, m, nil
}

// emojiKnownLocked tells whether the workspace has an emoji of this name.
func (s *Server) emojiKnownLocked(name string) bool {
	if !emojiValid().MatchString(name) {
		return false
	}
	base := name
	if i := len(name) - len("::skin-tone-2"); i > 0 && name[i:len(name)-1] == "::skin-tone-" {
		base = name[:i]
	}
	_, byName := emojiTables()
	return byName[base] != "" || slices.Contains(s.opt.CustomEmoji, base)
}

func reactionsAdd(c *call) (object, *apiError) {
	ch, m, fail := c.reactTarget()
	if fail != nil {
		return nil, fail
	}
	name := c.str("name")
	if !c.s.emojiKnownLocked(name) {
		return nil, refuse("invalid_name").broken().because(name)
	}
	if !m.react(name, c.s.opt.BotUserID) {
		return nil, refuse("already_reacted")
	}
	c.s.reactedLocked("reaction_added", ch, m, name, c.s.opt.BotUserID)
	return nil, nil
}

func reactionsRemove(c *call) (object, *apiError) {
	ch, m, fail := c.reactTarget()
	if fail != nil {
		return nil, fail
	}
	if !m.unreact(c.str("name"), c.s.opt.BotUserID) {
		return nil, refuse("no_reaction")
	}
	c.s.reactedLocked("reaction_removed", ch, m, c.str("name"), c.s.opt.BotUserID)
	return nil, nil
}

func reactionsGet(c *call) (object, *apiError) {
	ch, m, fail := c.reactTarget()
	if fail != nil {
		return nil, fail
	}
	return object{"type": "message", "channel": ch.id, "message": c.s.messageLocked(ch, m, false)}, nil
}

// react adds a person to a reaction; false if they are there.
func (m *message) react(name, user string) bool {
	for i, r := range m.reactions {
		if r.name == name {
			if slices.Contains(r.users, user) {
				return false
			}
			m.reactions[i].users = append(r.users, user)
			return true
		}
	}
	m.reactions = append(m.reactions, reaction{name, []string{user}})
	return true
}

// unreact takes a person off; false if they are not there.
func (m *message) unreact(name, user string) bool {
	for i, r := range m.reactions {
		if r.name != name || !slices.Contains(r.users, user) {
			continue
		}
		m.reactions[i].users = slices.DeleteFunc(r.users, func(u string) bool { return u == user })
		if len(m.reactions[i].users) == 0 {
			m.reactions = slices.Delete(m.reactions, i, i+1)
		}
		return true
	}
	return false
}
