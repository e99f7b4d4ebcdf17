package discord

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/bwmarrin/discordgo"

	"github.com/clickai/bridge/core"
)

// wireInteraction: https://docs.discord.com/developers/interactions/receiving-and-responding#interaction-object
type wireInteraction struct {
	ID        string                    `json:"id"`
	AppID     string                    `json:"application_id"`
	Type      discordgo.InteractionType `json:"type"`
	Token     string                    `json:"token"` // a credential
	GuildID   string                    `json:"guild_id"`
	ChannelID string                    `json:"channel_id"`
	Channel   *wireChannel              `json:"channel"` // without its overwrites
	Context   *int                      `json:"context"`
	Member    *wireMember               `json:"member"` // in servers
	User      *wireUser                 `json:"user"`   // elsewhere
	Data      wireInteractionData       `json:"data"`
	Message   *wirePressed              `json:"message"` // that the button is under, or that the form was opened from
}

// wireInteractionData has the fields of a command, of a button and of a form.
type wireInteractionData struct {
	Name          string                  `json:"name"`
	Type          int                     `json:"type"` // of a command
	Options       lenient[wireOption]     `json:"options"`
	CustomID      string                  `json:"custom_id"`
	ComponentType discordgo.ComponentType `json:"component_type"`
	Components    lenient[wireComponent]  `json:"components"`
}

type wireOption struct {
	Name  string          `json:"name"`
	Value json.RawMessage `json:"value"`
}

type wirePressed struct {
	ID         string                 `json:"id"`
	Components lenient[wireComponent] `json:"components"`
}

// wireComponent: https://docs.discord.com/developers/components/reference
type wireComponent struct {
	Type       int                    `json:"type"`
	CustomID   string                 `json:"custom_id"`
	Label      string                 `json:"label"`
	Value      string                 `json:"value"`
	Components lenient[wireComponent] `json:"components"`
	Component  *wireComponent         `json:"component"` // in a label
	Accessory  *wireComponent         `json:"accessory"` // of a section
}

// inner are the components inside.
func (c *wireComponent) inner() []wireComponent {
	in := c.Components
	for _, one := range []*wireComponent{c.Component, c.Accessory} {
		if one != nil {
			in = append(in, *one)
		}
	}
	return in
}

// privateContext is a chat that the bot is not in.
// Source: https://docs.discord.com/developers/interactions/receiving-and-responding#interaction-object-interaction-context-types
const privateContext = 2

// chatCommand is a command that is typed.
// Source: https://docs.discord.com/developers/interactions/application-commands#application-command-object-application-command-types
const chatCommand = 1

// isCommand tells whether there is no message of the bot behind the interaction that an acknowledgement could leave as it is.
func (w *wireInteraction) isCommand() bool { return w.Message == nil }

// interaction takes a command, a press or a form. It does not wait behind a channel that is being caught up: Discord gives three
// seconds for an answer.
func (r *runner) interaction(ctx context.Context, f frame) error {
	w, ok := decode[wireInteraction](r, f)
	if !ok || !isID(w.ID) || !isID(w.ChannelID) || w.Context != nil && *w.Context == privateContext {
		return nil
	}
	arrived := time.Now()
	ch, err := r.whereIs(ctx, &w)
	if err != nil {
		return err
	}
	ev, ok := r.p.interactionEvent(&w, &ch)
	if !ok {
		return nil
	}
	i := r.p.inter.take(&w, r.p.dir.application(), arrived)
	if i != nil {
		ev.Handle = i.id
	}
	if err := r.accept(ctx, ev); err != nil {
		return err
	}
	if i != nil {
		r.acks.add(i)
	}
	return nil
}

// whereIs finds the channel of an interaction. People use commands in channels that the bot cannot view and in archived threads,
// which the directory does not know: then the interaction itself says enough.
func (r *runner) whereIs(ctx context.Context, w *wireInteraction) (channel, error) {
	if ch, ok := r.p.dir.channel(w.ChannelID); ok {
		return ch, nil
	}
	told := w.Channel != nil && w.Channel.ID == w.ChannelID
	if !told || w.GuildID != "" && !r.p.dir.hasGuild(w.GuildID) {
		ch, err := r.channel(ctx, w.ChannelID, w.GuildID)
		if err != nil || !told || ch.kind != unknownKind {
			return ch, err
		}
	}
	return channel{id: w.ChannelID, guild: w.GuildID, parent: w.Channel.ParentID, name: w.Channel.Name, kind: w.Channel.Type}, nil
}

// interactionEvent is an interaction as an event; ok is false for what the bot never offers.
func (p *Platform) interactionEvent(w *wireInteraction, ch *channel) (ev core.Event, ok bool) {
	user := w.User
	if w.Member != nil && w.Member.User != nil {
		user = w.Member.User
	}
	if user == nil || !isID(user.ID) || user.Bot {
		return core.Event{}, false
	}
	messageID := ""
	if w.Message != nil && isID(w.Message.ID) {
		messageID = w.Message.ID
	}
	ev = p.event(core.KindPress, "i:"+w.ID, messageID, ch)
	ev.SentAt = idOf(w.ID).time()
	ev.Sender = person(user, w.Member)
	ev.Reach = core.ReachMention
	if ch.guild == "" {
		ev.Reach, ev.Room.Name = core.ReachDirect, ev.Sender.Name
	}
	switch d := &w.Data; w.Type {
	case discordgo.InteractionApplicationCommand:
		if d.Name == "" || d.Type != chatCommand {
			return core.Event{}, false
		}
		ev.Kind, ev.MessageID = core.KindCommand, ""
		ev.Command = &core.Command{Name: strings.ToLower(d.Name), Args: argsOf(d.Options)}
	case discordgo.InteractionMessageComponent:
		if d.CustomID == "" || d.ComponentType != discordgo.ButtonComponent || messageID == "" {
			return core.Event{}, false
		}
		label, _ := hasButton(w.Message.Components, d.CustomID)
		ev.Press = &core.Press{ID: d.CustomID, Label: label}
	case discordgo.InteractionModalSubmit:
		if d.CustomID == "" {
			return core.Event{}, false
		}
		ev.Press = &core.Press{ID: d.CustomID, Text: strings.TrimSpace(writtenIn(d.Components))}
	default:
		return core.Event{}, false
	}
	return ev, true
}

// argsOf is what was typed after a command. Its options are text; a number is taken as it is written.
func argsOf(options []wireOption) string {
	var args []string
	for _, o := range options {
		var text string
		if json.Unmarshal(o.Value, &text) != nil {
			text = strings.Trim(string(o.Value), "[]{}")
		}
		if text = strings.TrimSpace(text); text != "" && text != "null" {
			args = append(args, text)
		}
	}
	return strings.Join(args, " ")
}

// writtenIn is the text in the first field of a form.
func writtenIn(list []wireComponent) string {
	for i := range list {
		if list[i].Type == int(discordgo.TextInputComponent) {
			return list[i].Value
		}
		if text := writtenIn(list[i].inner()); text != "" {
			return text
		}
	}
	return ""
}
