package discord

import (
	"fmt"
	"slices"
	"strings"

	"github.com/clickai/bridge/internal/sim"
)

var (
	userMention = sim.Regexp(`<@!?(\d{15,20})>`)
	roleMention = sim.Regexp(`<@&(\d{15,20})>`)
	everyone    = sim.Regexp(`@(everyone|here)\b`)
)

// mentioned is what a text pings with a set of allowances.
type mentioned struct {
	users, roles []string
	everyone     string // "@everyone", "@here" or ""
}

// mentionsOf applies the allowances: nil parses everything. Nothing in code pings.
// Source: https://docs.discord.com/developers/resources/message#allowed-mentions-object
func (s *Server) mentionsOf(text string, a *allowedMentions, canEveryone bool) mentioned {
	text = withoutCode(text)
	all := a == nil
	var out mentioned
	for _, m := range userMention().FindAllStringSubmatch(text, -1) {
		id := m[1]
		ok := all || slices.Contains(a.Parse, "users") || slices.Contains(a.Users, id)
		if ok && s.users[id] != nil && !slices.Contains(out.users, id) {
			out.users = append(out.users, id)
		}
	}
	if canEveryone { // roles are not mentionable here without the permission
		for _, m := range roleMention().FindAllStringSubmatch(text, -1) {
			id := m[1]
			if (all || slices.Contains(a.Parse, "roles") || slices.Contains(a.Roles, id)) && !slices.Contains(out.roles, id) {
				out.roles = append(out.roles, id)
			}
		}
		if all || slices.Contains(a.Parse, "everyone") {
			out.everyone = everyone().FindString(text)
		}
	}
	return out
}

// address sets whom a message mentions; replied is the author of the message it answers, "" for none.
func (s *Server) address(m *message, found mentioned, replied string) {
	m.mentions, m.mentionRoles = found.users, found.roles
	m.everyone = found.everyone != ""
	if replied != "" && !slices.Contains(m.mentions, replied) {
		m.mentions = append(m.mentions, replied)
	}
}

// notePings records whom a message of the bot pings. The caller holds the lock.
func (s *Server) notePings(m *message, found mentioned, edit bool) {
	var whom []string
	if found.everyone != "" {
		whom = append(whom, found.everyone)
	}
	for _, id := range found.users {
		if id != s.bot.ID {
			whom = append(whom, "@"+s.users[id].Name)
		}
	}
	for _, id := range found.roles {
		whom = append(whom, "role "+id)
	}
	if len(whom) == 0 {
		return
	}
	what := "message"
	if edit {
		what = "edit of message"
	}
	if len(s.pings) < maxPings {
		s.pings = append(s.pings, fmt.Sprintf("%s %s pinged %s", what, m.id, strings.Join(whom, ", ")))
	}
	s.notify.Notify()
}

// Pings lists the bot's messages whose text pinged somebody, as Discord judges by allowed_mentions: at creation, and at
// an edit (where Discord parses anew when the edit carries no allowed_mentions). The ping of the author that a reply
// answers is not among them. At most 1,000 are kept.
func (s *Server) Pings() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.pings)
}
