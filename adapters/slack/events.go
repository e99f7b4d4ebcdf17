package slack

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/clickai/bridge/core"
)

// decoder turns Slack's events into events of core. Its look-ups share one bound in time.
type decoder struct {
	p  *Platform
	me identity
}

// event decodes the inner object of an event; ok is false for what is nothing that a person did, and for what needs no
// answer. team is the workspace that the event was sent for.
func (d *decoder) event(ctx context.Context, c *callback) (ev core.Event, ok bool) {
	ctx, cancel := context.WithTimeout(ctx, d.p.times.lookup)
	defer cancel()
	var kind struct {
		Type string `json:"type"`
	}
	if lenient(c.Event, &kind) != nil {
		return core.Event{}, false
	}
	switch kind.Type {
	case "message", "app_mention":
		var m message
		if lenient(c.Event, &m) != nil {
			return core.Event{}, false
		}
		return d.message(ctx, &m, c.TeamID)
	case "reaction_added", "reaction_removed":
		var r reaction
		if lenient(c.Event, &r) != nil {
			return core.Event{}, false
		}
		return d.reaction(ctx, &r, c)
	case "agent_session_stopped":
		var s stopped
		if lenient(c.Event, &s) != nil {
			return core.Event{}, false
		}
		return d.stoppedBy(ctx, &s, c)
	case "assistant_thread_started", "app_home_opened":
		var o openedChat
		if lenient(c.Event, &o) != nil {
			return core.Event{}, false
		}
		return d.opened(ctx, &o, c)
	}
	// What else Slack tells, such as a changed context, asks for no answer.
	return core.Event{}, false
}

func (d *decoder) message(ctx context.Context, m *message, team string) (core.Event, bool) {
	switch m.Subtype {
	case "message_changed":
		if m.Message == nil {
			return core.Event{}, false
		}
		now := m.Message
		now.Channel, now.ChannelType = m.Channel, m.ChannelType
		if now.Subtype == "tombstone" { // a message with replies, deleted
			return d.deleted(now.TS, m, team)
		}
		return d.edited(ctx, now, m, team)
	case "message_deleted":
		return d.deleted(m.DeletedTS, m, team)
	}
	if m.Type == "app_mention" && m.Edited != nil {
		// A mention that was edited into a message. An edit is no new question; the edit itself comes as message_changed.
		return core.Event{}, false
	}
	return d.posted(ctx, m, team)
}

const slackbot = "USLACKBOT"

// subtypes are those that a person's own message may have. All others are notes of Slack's: joins, topics, pins, huddles,
// the root of an assistant thread. Source: https://docs.slack.dev/reference/events/message#subtypes
var subtypes = map[string]bool{"": true, "file_share": true, "thread_broadcast": true, "me_message": true}

// fromPerson tells whether a message was written by a person: not by this bot, whose own posts come back, nor another.
func (d *decoder) fromPerson(m *message) bool {
	return subtypes[m.Subtype] && m.BotID == "" && isID(m.User) && m.User != d.me.user && m.User != slackbot
}

// posted is a new message, from an event or a history. The event "app_mention" and the message event of the same message
// have two event ids; they have one key, and are judged by the same text, since either may come first.
func (d *decoder) posted(ctx context.Context, m *message, team string) (core.Event, bool) {
	if !isID(m.Channel) || !isTS(m.TS) || !d.fromPerson(m) {
		return core.Event{}, false
	}
	ev := d.fill(ctx, core.KindMessage, m, team)
	ev.Key = d.key("m", m.Channel, m.TS)
	ev.Attachments = attachments(m.Files)
	d.p.files.learn(m.Files)
	if !ev.Room.Direct && ev.Thread == "" {
		ev.Roots = m.TS // a reply in a thread has the timestamp of its first message
	}
	return ev, true
}

// edited is a changed text; ok is false for an update that changes none, such as a link preview.
func (d *decoder) edited(ctx context.Context, now, m *message, team string) (core.Event, bool) {
	if !isID(m.Channel) || !isTS(now.TS) || !d.fromPerson(now) {
		return core.Event{}, false
	}
	if m.Previous != nil && m.Previous.own() == now.own() || m.Previous == nil && now.Edited == nil {
		return core.Event{}, false
	}
	at := m.EventTS
	if now.Edited != nil && isTS(now.Edited.TS) {
		at = now.Edited.TS
	}
	ev := d.fill(ctx, core.KindEdit, now, team)
	ev.Key = d.key("e", m.Channel, now.TS, clip(at, 20))
	ev.SentAt = timeOf(at)
	return ev, true
}

// deleted is a removed message.
func (d *decoder) deleted(ts string, m *message, team string) (core.Event, bool) {
	if !isID(m.Channel) || !isTS(ts) {
		return core.Event{}, false
	}
	was := m.Previous
	if was != nil && !d.fromPerson(was) {
		return core.Event{}, false
	}
	if was == nil {
		was = &message{}
	}
	ev := core.Event{Kind: core.KindDelete, MessageID: ts, SentAt: timeOf(m.EventTS)}
	d.stands(&ev, &message{TS: ts, ThreadTS: was.ThreadTS, Channel: m.Channel, ChannelType: m.ChannelType}, team)
	if was.User != "" {
		ev.Sender = core.User{ID: was.User, Key: userKey(was.User, was.home(), d.team(team))}
	}
	ev.Key = d.key("d", m.Channel, ts)
	return ev, true
}

// reaction is a reaction put or taken back; ok is false for the bot's own, and for those to messages that are known to be
// another's. Slack does not tell the thread; the room and the timestamp name the message.
func (d *decoder) reaction(ctx context.Context, r *reaction, c *callback) (core.Event, bool) {
	switch {
	case r.Item.Type != "message" || !isID(r.Item.Channel) || !isTS(r.Item.TS) || !isID(r.User) || r.Reaction == "":
		return core.Event{}, false // reactions to files do not say under which message
	case r.User == d.me.user || r.User == slackbot:
		return core.Event{}, false
	case strings.HasPrefix(r.ItemUser, "U") && strings.HasPrefix(d.me.user, "U") && r.ItemUser != d.me.user:
		return core.Event{}, false
	}
	ev := d.reacted(ctx, mark{r.Item.Channel, r.Item.TS, r.User, emojiOf(r.Reaction)}, r.Type == "reaction_added", r.EventTS, c.TeamID)
	if isID(c.EventID) {
		ev.Key = "r:" + c.EventID
	}
	return ev, true
}

// reacted is a reaction, put or taken back at a time.
func (d *decoder) reacted(ctx context.Context, m mark, added bool, at, team string) core.Event {
	ev := core.Event{
		Kind: core.KindReaction, MessageID: m.TS, SentAt: timeOf(at), Reaction: &core.Reaction{Emoji: m.Emoji, Added: added},
	}
	d.stands(&ev, &message{TS: m.TS, Channel: m.Room}, team)
	ev.Sender = d.p.sender(ctx, m.User, "", d.team(team))
	d.nameRoom(ctx, &ev)
	kind := "reaction_removed"
	if added {
		kind = "reaction_added"
	}
	ev.Key = d.key("r", m.Room, m.TS, m.User, clip(m.Emoji, 10), kind, clip(at, 20))
	return ev
}

// fill takes over what new and edited messages have.
func (d *decoder) fill(ctx context.Context, kind core.Kind, m *message, team string) core.Event {
	ev := core.Event{Kind: kind, MessageID: m.TS, SentAt: timeOf(m.TS)}
	d.stands(&ev, m, team)
	own := m.own()
	switch {
	case ev.Room.Direct:
		ev.Reach = core.ReachDirect
	case mentions(own, d.me.user):
		ev.Reach = core.ReachMention
	default:
		ev.Reach = core.ReachAmbient
	}
	ev.Sender = d.p.sender(ctx, m.User, m.home(), d.team(team))
	d.nameRoom(ctx, &ev)
	ev.Text = d.p.names(ctx, d.me.user).plain(own)
	// That somebody else spoke to the bot belongs to what is quoted.
	if quoted := d.p.names(ctx, "").plain(m.quoted()); quoted != "" {
		ev.Text = strings.TrimSpace(ev.Text + "\n" + quoted)
	}
	return ev
}

// stands says where a message stands. The message that a thread hangs under stands in the room. A group chat of several
// people is a room.
func (d *decoder) stands(ev *core.Event, m *message, team string) {
	ev.Bot, ev.Platform = d.p.name, "slack"
	direct := m.ChannelType == "im" || m.ChannelType == "" && strings.HasPrefix(m.Channel, "D")
	ev.Room = core.Room{ID: m.Channel, Space: d.team(team), Direct: direct}
	if isTS(m.ThreadTS) && m.ThreadTS != m.TS {
		ev.Thread = m.ThreadTS
	}
}

func (d *decoder) nameRoom(ctx context.Context, ev *core.Event) {
	if ev.Room.Direct {
		ev.Room.Name = ev.Sender.DisplayName()
		return
	}
	ev.Room.Name = d.p.room(ctx, ev.Room.ID).name
}

// team is the workspace that an event was sent for; an app that is installed in a whole organisation has several.
func (d *decoder) team(of string) string {
	if isID(of) {
		return of
	}
	return d.me.team
}

// key names a thing. The team in it is always the bot's own: histories name none.
func (d *decoder) key(kind string, parts ...string) string {
	return kind + ":" + d.me.team + ":" + strings.Join(parts, ":")
}

// attachments are the files of a message that can be fetched.
func attachments(files []file) []core.Attachment {
	var all []core.Attachment
	for _, f := range files {
		if !isID(f.ID) || f.Mode == "tombstone" || f.Mode == "hidden_by_limit" {
			continue // deleted, or over what the workspace's plan keeps
		}
		a := core.Attachment{Ref: f.ID, Name: f.Name, MIME: f.MIME, Size: f.Size}
		if a.Name == "" {
			a.Name = f.Title
		}
		if a.Size <= 0 {
			a.Size = -1 // files of other workspaces come without: see fileInfo
		}
		all = append(all, a)
	}
	return all
}

// isTS tells whether s is a timestamp of Slack's: seconds, a dot and six digits, which together name a message.
func isTS(s string) bool {
	sec, frac, ok := strings.Cut(s, ".")
	return ok && len(frac) == 6 && len(sec) > 0 && len(sec) <= 12 && isDigits(sec) && isDigits(frac)
}

func isDigits(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}

// timeOf is the time that a timestamp tells; now for what is none, so that nothing becomes too old by a slip.
func timeOf(ts string) time.Time {
	micro, ok := microOf(ts)
	if !ok {
		return time.Now().UTC()
	}
	return time.UnixMicro(micro).UTC()
}

func microOf(ts string) (int64, bool) {
	if !isTS(ts) {
		return 0, false
	}
	sec, frac, _ := strings.Cut(ts, ".")
	s, err1 := strconv.ParseInt(sec, 10, 64)
	f, err2 := strconv.ParseInt(frac, 10, 64)
	return s*1e6 + f, err1 == nil && err2 == nil
}

// tsOf is the timestamp of a time.
func tsOf(t time.Time) string {
	micro := max(t.UnixMicro(), 0)
	frac := strconv.FormatInt(micro%1e6+1e6, 10)[1:]
	return strconv.FormatInt(micro/1e6, 10) + "." + frac
}
