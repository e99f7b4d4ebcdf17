package discord

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/clickai/bridge/internal/sim"
)

// Interaction is what a person sees of a command, a pressed button or a form that was sent.
type Interaction struct {
	ID, Token string
	User      string // id
	Command   string // its name; "" for a press or a form
	Answered  bool   // the bot has answered in any form
	Failed    bool   // "This interaction failed": it was not answered in time
	Deferred  bool   // "is thinking", no text yet
	Ephemeral bool   // the first answer shows to the person alone
	Form      *Form  // that is open
	Replies   []sim.Message
}

// Interaction is what came of a command or a pressed button; false for an unknown id.
func (s *Server) Interaction(id string) (Interaction, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.inter.byID[id]
	if i == nil {
		return Interaction{}, false
	}
	return s.seen(i), true
}

// Interactions are those of a person in a place, oldest first; at most 10,000 of all people are remembered.
func (s *Server) Interactions(room, thread, who string) []Interaction {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.place(room, thread)
	u := s.person(who)
	if err != nil || u == nil {
		return nil
	}
	var out []Interaction
	for _, id := range s.inter.order {
		if i := s.inter.byID[id]; i.channel == c && i.user == u {
			out = append(out, s.seen(i))
		}
	}
	return out
}

func (s *Server) seen(i *interaction) Interaction {
	out := Interaction{
		ID: i.id, Token: i.token, User: i.user.ID, Command: i.name, Answered: i.answered, Deferred: i.deferred, Ephemeral: i.ephemeral,
		Failed: !i.answered && time.Since(i.at) > s.opt.InteractionDeadline,
	}
	if i.form != nil {
		out.Form = i.form.shown()
	}
	for _, m := range i.replies {
		if m.flags&flagLoading == 0 {
			out.Replies = append(out.Replies, s.show(m))
		}
	}
	return out
}

// Private are the messages in a place that only this person sees, oldest first.
func (s *Server) Private(room, thread, who string) []sim.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.place(room, thread)
	u := s.person(who)
	if err != nil || u == nil {
		return nil
	}
	var found []*message
	for _, id := range s.inter.order {
		i := s.inter.byID[id]
		if i.channel != c || i.user != u {
			continue
		}
		for _, m := range i.replies {
			if m.flags&flagEphemeral != 0 && m.flags&flagLoading == 0 {
				found = append(found, m)
			}
		}
	}
	slices.SortFunc(found, func(a, b *message) int {
		if before(a.id, b.id) {
			return -1
		}
		return 1
	})
	out := make([]sim.Message, 0, len(found))
	for _, m := range found {
		out = append(out, s.show(m))
	}
	return out
}

// Option is what may or must follow a command.
type Option struct {
	Name, Description string
	Required          bool
}

// Offer is a command that is offered to people.
type Offer struct {
	Name, Description string
	Options           []Option
}

// Offers are the commands that are offered in a place to somebody whose client has the locale, in the order of their registration.
func (s *Server) Offers(room, thread, locale string) []Offer {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.place(room, thread)
	if err != nil {
		return nil
	}
	var out []Offer
	for _, scope := range []string{s.guild.ID, ""} {
		for _, raw := range s.commands[scope] {
			cmd := readCommand(raw)
			if !cmd.offered(c) {
				continue
			}
			o := Offer{Name: cmd.Name, Description: localized(cmd.Description, cmd.In, locale)}
			for _, p := range cmd.Options {
				o.Options = append(o.Options, Option{Name: p.Name, Description: localized(p.Description, p.In, locale), Required: p.Required})
			}
			out = append(out, o)
		}
	}
	return out
}

func localized(text string, in map[string]string, locale string) string {
	if t, ok := in[locale]; ok {
		return t
	}
	return text
}

func readCommand(raw map[string]any) command {
	var cmd command
	if err := json.Unmarshal(mustJSON(raw), &cmd); err != nil { // it was checked when it was registered
		panic(err)
	}
	return cmd
}

// offered tells whether a command is typed, and offered in a channel: those of a guild there alone, global ones where their contexts
// say, everywhere without.
// Source: https://docs.discord.com/developers/interactions/application-commands#interaction-contexts
func (cmd *command) offered(c *channel) bool {
	context := 0
	if c.guild == "" {
		context = 1
	}
	return cmd.Type == 1 && (cmd.Guild == "" || cmd.Guild == c.guild) && (cmd.Contexts == nil || slices.Contains(*cmd.Contexts, context))
}

// Button is a button under a message.
type Button struct {
	ID, Label string
	Style     int // https://docs.discord.com/developers/components/reference#button-button-styles
	Row       int // from 0
	Disabled  bool
}

// Buttons are those under a message, in their order. The message may be one that a single person sees.
func (s *Server) Buttons(at sim.Ref) []Button {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, err := s.lookup(at)
	if err != nil {
		if m, _ = s.private(at); m == nil {
			return nil
		}
	}
	var out []Button
	list, _ := m.buttons()
	for row, r := range list {
		walkComponents([]component{r}, func(c *component) {
			if c.Type == componentButton {
				out = append(out, Button{ID: c.CustomID, Label: c.Label, Style: c.Style, Row: row, Disabled: c.Disabled})
			}
		})
	}
	return out
}

func (m *message) buttons() (list []component, err error) {
	if len(m.components) > 0 {
		if err := json.Unmarshal(m.components, &list); err != nil {
			return nil, fmt.Errorf("components of message %s: %w", m.id, err)
		}
	}
	return list, nil
}

// private finds a message that a single person sees.
func (s *Server) private(at sim.Ref) (*message, *interaction) {
	c, err := s.place(at.Room, at.Thread)
	if err != nil {
		return nil, nil
	}
	for _, i := range s.inter.byID {
		if i.channel != c {
			continue
		}
		for _, m := range i.replies {
			if m.id == at.ID && m.flags&flagEphemeral != 0 {
				return m, i
			}
		}
	}
	return nil, nil
}
