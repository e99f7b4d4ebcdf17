package slack

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/url"
	"strings"
	"time"

	"github.com/slack-go/slack/socketmode"

	"github.com/clickai/bridge/core"
)

// payloadKind says what Slack delivers, in the words of Socket Mode.
// Source: https://docs.slack.dev/apis/events-api/using-socket-mode#events
type payloadKind string

const (
	ofEvents      = payloadKind(socketmode.RequestTypeEventsAPI)
	ofCommand     = payloadKind(socketmode.RequestTypeSlashCommands)
	ofInteraction = payloadKind(socketmode.RequestTypeInteractive)
)

// interaction is what a person did with a button or a form, as far as this package reads it.
// Sources: https://docs.slack.dev/reference/interaction-payloads/block_actions-payload,
// https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload
type interaction struct {
	Type        string `json:"type"`
	TriggerID   string `json:"trigger_id"`
	ResponseURL string `json:"response_url"`
	Team        struct {
		ID string `json:"id"`
	} `json:"team"`
	User struct {
		ID     string `json:"id"`
		TeamID string `json:"team_id"`
	} `json:"user"`
	Channel struct {
		ID string `json:"id"`
	} `json:"channel"`
	Container struct {
		Channel   string `json:"channel_id"`
		Message   string `json:"message_ts"`
		Thread    string `json:"thread_ts"`
		Ephemeral bool   `json:"is_ephemeral"`
	} `json:"container"`
	Message *message `json:"message"`
	Actions []action `json:"actions"`
	View    struct {
		ID       string `json:"id"`
		Callback string `json:"callback_id"`
		Metadata string `json:"private_metadata"`
		State    struct {
			Values map[string]map[string]struct {
				Value string `json:"value"`
			} `json:"values"`
		} `json:"state"`
	} `json:"view"`
}

// action is one press. A rating's action_id is that of the element, its value that of the button.
type action struct {
	ID    string `json:"action_id"`
	Value string `json:"value"`
	Type  string `json:"type"`
	TS    string `json:"action_ts"`
	Text  struct {
		Text string `json:"text"`
	} `json:"text"`
}

// room is the channel of a press.
func (i *interaction) room() string {
	if isID(i.Container.Channel) {
		return i.Container.Channel
	}
	return i.Channel.ID
}

// interact decodes what a person did with a button or a form; ok is false for what is nothing of this bot's.
func (d *decoder) interact(ctx context.Context, payload []byte) (ev core.Event, ok bool) {
	var i interaction
	if lenient(payload, &i) != nil || !isID(i.User.ID) {
		return core.Event{}, false
	}
	ctx, cancel := context.WithTimeout(ctx, d.p.times.lookup/2) // Slack waits for three seconds
	defer cancel()
	switch i.Type {
	case "block_actions":
		return d.press(ctx, &i)
	case "view_submission":
		return d.submitted(ctx, &i)
	}
	return core.Event{}, false // shortcuts, closed forms, workflows
}

// press is a button that was pressed, in a message of this bot's: one that everybody sees tells whose it is, and Slack tells
// of others, which one person sees, to the app that sent them.
func (d *decoder) press(ctx context.Context, i *interaction) (core.Event, bool) {
	room, ts := i.room(), i.Container.Message
	if ts == "" && i.Message != nil {
		ts = i.Message.TS
	}
	switch {
	case !isID(room) || !isTS(ts) || len(i.Actions) == 0:
		return core.Event{}, false
	case i.Message == nil && !i.Container.Ephemeral:
		return core.Event{}, false
	case i.Message != nil && !i.Message.by(d.me):
		return core.Event{}, false
	}
	a := &i.Actions[0]
	id := a.Value
	if id == "" {
		id = a.ID
	}
	if id == "" || len(id) > maxActionID || a.Type != "button" && a.Type != "feedback_buttons" {
		return core.Event{}, false
	}
	thread := i.Container.Thread
	if thread == "" && i.Message != nil {
		thread = i.Message.ThreadTS
	}
	ev := d.interacted(ctx, i, about{Room: room, Thread: thread, Message: ts, Direct: strings.HasPrefix(room, "D")})
	ev.Press = &core.Press{ID: id, Label: strings.TrimSpace((&names{}).words(a.Text.Text))}
	if isTS(a.TS) {
		ev.SentAt = timeOf(a.TS)
	}
	ev.Key = d.key("p", room, i.User.ID, unique(a.TS, i.TriggerID), keyPart(id, 40))
	if !ev.Room.Direct && ev.Thread == "" && !i.Container.Ephemeral {
		ev.Roots = ts
	}
	return ev, true
}

// submitted is a form that was sent.
func (d *decoder) submitted(ctx context.Context, i *interaction) (core.Event, bool) {
	var at about
	if json.Unmarshal([]byte(i.View.Metadata), &at) != nil || !isID(at.Room) || !isTS(at.Message) ||
		i.View.Callback == "" || len(i.View.Callback) > maxActionID {
		return core.Event{}, false
	}
	ev := d.interacted(ctx, i, at)
	ev.Press = &core.Press{ID: i.View.Callback, Text: i.View.State.Values[formBlock][formField].Value}
	ev.Key = d.key("f", at.Room, i.User.ID, unique(i.View.ID, i.TriggerID))
	return ev, true
}

// interacted is what presses and forms have in common.
func (d *decoder) interacted(ctx context.Context, i *interaction, at about) core.Event {
	ev := core.Event{Kind: core.KindPress, MessageID: at.Message, SentAt: time.Now().UTC()}
	d.stands(&ev, &message{TS: at.Message, ThreadTS: at.Thread, Channel: at.Room}, i.Team.ID)
	if at.Direct {
		ev.Room.Direct = true
	}
	if ev.Room.Direct {
		ev.Reach = core.ReachDirect
	}
	ev.Sender = d.p.sender(ctx, i.User.ID, i.User.TeamID, d.team(i.Team.ID))
	d.nameRoom(ctx, &ev)
	ev.Handle = (&handle{
		URL: d.p.ownURL(i.ResponseURL), Room: at.Room, Thread: ev.Thread, User: i.User.ID, Message: at.Message, Direct: ev.Room.Direct,
		Trigger: clip(i.TriggerID, 200), Triggered: time.Now(),
	}).String()
	return ev
}

// unique is the first of the ids that Slack has given, cut to what a key takes; a random one if there is none. Slack does
// not repeat what people do with buttons, forms and commands.
func unique(ids ...string) string {
	for _, id := range ids {
		if id != "" {
			return keyPart(id, 60)
		}
	}
	return rand.Text()
}

// keyPart makes a part of a key of what Slack sent: of up to limit bytes, in ASCII.
func keyPart(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return '_'
		}
		return r
	}, s)
	return s[:min(len(s), limit)]
}

// slash is a slash command as Slack sends it, over HTTP in a form.
// Source: https://docs.slack.dev/interactivity/implementing-slash-commands
type slash struct {
	Team        string `json:"team_id"`
	Channel     string `json:"channel_id"`
	ChannelName string `json:"channel_name"`
	User        string `json:"user_id"`
	Command     string `json:"command"`
	Text        string `json:"text"`
	ResponseURL string `json:"response_url"`
	TriggerID   string `json:"trigger_id"`
}

// slashForm is a slash command out of the form that comes over HTTP.
func slashForm(form url.Values) []byte {
	raw, _ := json.Marshal(slash{ // strings only
		Team: form.Get("team_id"), Channel: form.Get("channel_id"), ChannelName: form.Get("channel_name"), User: form.Get("user_id"),
		Command: form.Get("command"), Text: form.Get("text"), ResponseURL: form.Get("response_url"), TriggerID: form.Get("trigger_id"),
	})
	return raw
}

// cmdHelp is what a slash command without words means.
const cmdHelp = "help"

// command decodes a slash command: its first word is the bridge's command. Slack does not tell in which thread it was given.
func (d *decoder) command(ctx context.Context, payload []byte) (core.Event, bool) {
	var s slash
	if lenient(payload, &s) != nil || !isID(s.Channel) || !isID(s.User) {
		return core.Event{}, false
	}
	ctx, cancel := context.WithTimeout(ctx, d.p.times.lookup/2) // Slack waits for three seconds
	defer cancel()
	name, args, _ := strings.Cut(strings.Join(strings.Fields(d.p.names(ctx, d.me.user).plain(s.Text)), " "), " ")
	if name == "" {
		name = cmdHelp
	}
	ev := core.Event{
		Kind: core.KindCommand, SentAt: time.Now().UTC(), Command: &core.Command{Name: fit(strings.ToLower(name), 40), Args: fit(args, maxWritten)},
		Key: d.key("c", s.Channel, s.User, unique(s.TriggerID)),
	}
	d.stands(&ev, &message{Channel: s.Channel}, s.Team)
	if ev.Room.Direct {
		ev.Reach = core.ReachDirect
	}
	ev.Sender = d.p.sender(ctx, s.User, "", d.team(s.Team))
	d.nameRoom(ctx, &ev)
	if ev.Room.Name == "" && s.ChannelName != "privategroup" {
		ev.Room.Name = s.ChannelName // the bot need not be in the room
	}
	ev.Handle = (&handle{
		URL: d.p.ownURL(s.ResponseURL), Room: s.Channel, User: s.User, Direct: ev.Room.Direct,
		Trigger: clip(s.TriggerID, 200), Triggered: time.Now(),
	}).String()
	return ev, true
}
