package discord

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/clickai/bridge/internal/sim"
)

// Command makes a person use a slash command, which must be registered. Options are by name: string, bool, int or
// float64. It returns the interaction's id.
func (s *Server) Command(ctx context.Context, room, thread, who, name string, options map[string]any) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", fmt.Errorf("command: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.place(room, thread)
	if err != nil {
		return "", fmt.Errorf("command: %w", err)
	}
	u := s.person(who)
	if u == nil {
		return "", fmt.Errorf("command: no person %q", who)
	}
	if c.guild == "" && c.recipient != u.ID {
		return "", fmt.Errorf("command: %s is not in the direct channel %s", u.Name, c.id)
	}
	cmd := s.registered(name, c)
	if cmd == nil {
		return "", fmt.Errorf("command: /%s is not offered here", name)
	}
	list, err := cmd.fill(options)
	if err != nil {
		return "", fmt.Errorf("command: /%s: %w", name, err)
	}
	i := s.newInteraction(interactionCommand, u, c)
	i.name = name
	data := map[string]any{"id": cmd.ID, "name": name, "type": 1}
	if len(list) > 0 {
		data["options"] = list
	}
	if cmd.Guild != "" {
		data["guild_id"] = cmd.Guild
	}
	s.dispatchInteraction(i, data)
	return i.id, nil
}

// registered finds a command, the guild's before the global one.
func (s *Server) registered(name string, c *channel) *command {
	for _, scope := range []string{s.guild.ID, ""} {
		for _, raw := range s.commands[scope] {
			if cmd := readCommand(raw); cmd.Name == name && cmd.offered(c) {
				return &cmd
			}
		}
	}
	return nil
}

// fill is what is sent of a command's options, in the order of their registration.
// Option types: https://docs.discord.com/developers/interactions/application-commands#application-command-object-application-command-option-type
func (cmd *command) fill(values map[string]any) ([]any, error) {
	for name := range values {
		if !slices.ContainsFunc(cmd.Options, func(o commandOption) bool { return o.Name == name }) {
			return nil, fmt.Errorf("there is no option %s", name)
		}
	}
	out := []any{}
	for _, o := range cmd.Options {
		v, given := values[o.Name]
		if !given {
			if o.Required {
				return nil, fmt.Errorf("option %s is required", o.Name)
			}
			continue
		}
		typ := 0
		switch v.(type) {
		case string:
			typ = optionString
		case int:
			typ = 4
		case bool:
			typ = 5
		case float64:
			typ = 10
		}
		if typ != o.Type {
			return nil, fmt.Errorf("option %s of type %d has a value of type %T", o.Name, o.Type, v)
		}
		if text, ok := v.(string); ok {
			most := maxOptionValue
			if o.MaxLength != nil {
				most = *o.MaxLength
			}
			if n := length(text); n == 0 || n > most {
				return nil, fmt.Errorf("option %s takes 1 to %d characters, not %d", o.Name, most, n)
			}
		}
		out = append(out, map[string]any{"name": o.Name, "type": typ, "value": v})
	}
	return out, nil
}

// dispatchInteraction sends it: interactions need no intent, and the view of the channel is the person's, not the bot's.
func (s *Server) dispatchInteraction(i *interaction, data map[string]any) {
	s.notify.Notify()
	if s.endpoint != "" {
		return
	}
	o := mustJSON(i.object(s, data))
	s.emit(func() {
		for _, x := range s.gw.sessions {
			if x.wants(0, i.channel.guild) {
				s.deliver(x, "INTERACTION_CREATE", o)
			}
		}
	})
}

// Press makes a person press the button with a custom id under a message, which may be one that they alone see. It returns the
// interaction's id.
func (s *Server) Press(ctx context.Context, at sim.Ref, who, customID string) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", fmt.Errorf("press: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.person(who)
	if u == nil {
		return "", fmt.Errorf("press: no person %q", who)
	}
	m, err := s.lookup(at)
	if err != nil {
		hidden, i := s.private(at)
		if hidden == nil || i.user != u {
			return "", fmt.Errorf("press: %w", err)
		}
		m = hidden
	}
	list, err := m.buttons()
	if err != nil {
		return "", fmt.Errorf("press: %w", err)
	}
	var button *component
	walkComponents(list, func(c *component) {
		if c.Type == componentButton && c.CustomID == customID {
			button = c
		}
	})
	switch {
	case button == nil:
		return "", fmt.Errorf("press: message %s has no button %q", m.id, customID)
	case button.Disabled:
		return "", errors.New("press: the button is disabled")
	}
	i := s.newInteraction(interactionComponent, u, m.channel)
	i.source = m
	s.dispatchInteraction(i, map[string]any{"custom_id": customID, "component_type": componentButton, "id": 1})
	return i.id, nil
}

// SendForm makes a person send the form that an interaction has opened; values are by the ids of its fields, others keep what is in
// them. It returns the id of the new interaction.
func (s *Server) SendForm(ctx context.Context, interactionID string, values map[string]string) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", fmt.Errorf("send form: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	opener, err := s.openForm(interactionID)
	if err != nil {
		return "", fmt.Errorf("send form: %w", err)
	}
	filled, err := opener.form.fill(values)
	if err != nil {
		return "", fmt.Errorf("send form: %w", err)
	}
	i := s.newInteraction(interactionModal, opener.user, opener.channel)
	i.source, i.opener = opener.source, opener
	id := opener.form.CustomID
	opener.form = nil
	s.dispatchInteraction(i, map[string]any{"custom_id": id, "components": filled})
	return i.id, nil
}

// CloseForm makes a person close the form that an interaction has opened. The bot hears nothing of it.
func (s *Server) CloseForm(interactionID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, err := s.openForm(interactionID)
	if err != nil {
		return fmt.Errorf("close form: %w", err)
	}
	i.form = nil
	s.notify.Notify()
	return nil
}

func (s *Server) openForm(interactionID string) (*interaction, error) {
	i := s.inter.byID[interactionID]
	if i == nil || i.form == nil {
		return nil, fmt.Errorf("interaction %s has no form open", interactionID)
	}
	return i, nil
}
