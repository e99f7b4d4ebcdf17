package slack

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/clickai/bridge/internal/sim"
)

// target finds the channel that a call names and checks that the bot may write there.
func (c *call) target(arg string) (*channel, *apiError) {
	s := c.s
	id := c.str(arg)
	if id == "" {
		return nil, refuse("invalid_arguments").broken().say("[ERROR] missing required field: " + arg)
	}
	ch := s.roomLocked(id)
	if ch == nil {
		if _, ok := s.userLocked(id); ok { // a user id stands for the direct chat with that person
			ch = s.byID[DM(id)]
		}
	}
	switch {
	case ch == nil, !ch.has(s.opt.BotUserID) && ch.kind != "channel":
		return nil, refuse("channel_not_found")
	case !ch.has(s.opt.BotUserID):
		return nil, refuse("not_in_channel")
	case ch.archived:
		return nil, refuse("is_archived")
	}
	return ch, nil
}

// own finds a message of the bot's by channel and ts.
func (c *call) own(missing, foreign string) (*channel, *message, *apiError) {
	ch, fail := c.target("channel")
	if fail != nil {
		return nil, nil, fail
	}
	m := ch.byTS[c.str("ts")]
	switch {
	case m == nil:
		return nil, nil, refuse(missing)
	case !m.bot || m.subtype == "tombstone":
		return nil, nil, refuse(foreign).broken()
	}
	return ch, m, nil
}

// body is what a message says.
type body struct {
	text        string
	blocks      json.RawMessage
	attachments json.RawMessage
	pings       []string
}

// body reads text, blocks, attachments and markdown_text, and checks them against the limits.
// Source: https://docs.slack.dev/reference/methods/chat.postMessage
func (c *call) body() (body, *apiError) {
	b := body{text: c.str("text")}
	if c.has("blocks") && c.str("blocks") != "" {
		var fail *apiError
		if b.blocks, fail = checkBlocks([]byte(c.str("blocks"))); fail != nil {
			return b, fail
		}
	}
	if md := c.str("markdown_text"); md != "" {
		if b.text != "" || b.blocks != nil {
			return b, refuse("markdown_text_conflict").broken()
		}
		if runes(md) > maxMarkdown {
			return b, refuse("msg_too_long").broken()
		}
		b.blocks = plainJSON([]object{{"type": "markdown", "text": md}})
	}
	if runes(b.text) > maxText {
		return b, refuse("msg_too_long").broken()
	}
	if a := strings.TrimSpace(c.str("attachments")); a != "" && a != "[]" {
		var parts []object
		if json.Unmarshal([]byte(a), &parts) != nil {
			return b, refuse("invalid_attachments").broken()
		}
		if len(parts) > 100 {
			return b, refuse("too_many_attachments").broken()
		}
		b.attachments = plainJSON(parts)
	}
	if strings.TrimSpace(b.text) == "" && b.blocks == nil && b.attachments == nil {
		return b, refuse("no_text").broken()
	}
	b.pings = pingsIn(b.text, b.blocks, c.bool("link_names") || c.str("parse") == "full")
	b.pings = append(b.pings, mentionsIn(string(b.attachments))...)
	return b, nil
}

// metadata reads the metadata argument; nil if there is none.
func (c *call) metadata() (json.RawMessage, *apiError) {
	raw := c.str("metadata")
	if raw == "" {
		return nil, nil
	}
	var o object
	if json.Unmarshal([]byte(raw), &o) != nil {
		return nil, refuse("invalid_metadata_format").broken()
	}
	if len(o) == 0 {
		return nil, nil
	}
	if str(o, "event_type") == "" || obj(o, "event_payload") == nil {
		return nil, refuse("invalid_metadata_schema").broken()
	}
	return plainJSON(o), nil
}

// threadOf is the thread that a thread_ts argument names: "" for none, or if its parent was deleted.
func (c *call) threadOf(ch *channel) (string, *apiError) {
	ts := c.str("thread_ts")
	if ts == "" {
		return "", nil
	}
	if !validTS(ts) {
		return "", refuse("invalid_thread_ts").broken()
	}
	m := ch.byTS[ts]
	switch {
	case m != nil && m.thread != "":
		// "Avoid using a reply's ts value; use its parent's value instead."
		c.s.violateLocked("%s: thread_ts %s is a reply's, not its parent's", c.method, ts)
		return m.thread, nil
	case m != nil:
		return ts, nil
	case ch.gone[ts]:
		return "", nil
	}
	return "", refuse("thread_not_found")
}

// botMessageLocked stores a new message of the bot's and tells the app about it.
func (s *Server) botMessageLocked(ch *channel, thread string, b body, files ...*file) *message {
	m := &message{
		ts: s.stampLocked(), thread: thread, user: s.opt.BotUserID, bot: true, attachments: b.attachments, files: files,
		at: time.Now(),
	}
	if len(files) > 0 {
		m.subtype = "file_share"
	}
	m.versions = []*content{{text: b.text, blocks: b.blocks, at: m.at}}
	s.addLocked(ch, m)
	s.notePingsLocked(ch.id, m.ts, b.pings)
	s.clearStatusLocked(ch.id, thread)
	s.tellLocked(sim.Posted, ch, m)
	return m
}

func postMessage(c *call) (object, *apiError) {
	s := c.s
	ch, fail := c.target("channel")
	if fail != nil {
		return nil, fail
	}
	b, fail := c.body()
	if fail != nil {
		return nil, fail
	}
	meta, fail := c.metadata()
	if fail != nil {
		return nil, fail
	}
	thread, fail := c.threadOf(ch)
	if fail != nil {
		return nil, fail
	}
	m := s.botMessageLocked(ch, thread, b)
	m.metadata = meta
	if thread != "" && c.bool("reply_broadcast") {
		m.broadcast, m.subtype = true, "thread_broadcast"
	}
	s.postedLocked(ch, m)
	return object{"channel": ch.id, "ts": m.ts, "message": s.messageLocked(ch, m, true)}, nil
}

func updateMessage(c *call) (object, *apiError) {
	s := c.s
	ch, m, fail := c.own("message_not_found", "cant_update_message")
	if fail != nil {
		return nil, fail
	}
	if m.stream != nil && m.stream.open {
		// Seen by apps, not documented: a message that still streams takes no edit.
		return nil, refuse("streaming_state_conflict")
	}
	b, fail := c.body()
	if fail != nil {
		return nil, fail
	}
	meta, fail := c.metadata()
	if fail != nil {
		return nil, fail
	}
	before := s.messageLocked(ch, m, false)
	s.reviseLocked(m, b.text, b.blocks)
	m.attachments = b.attachments
	if c.has("metadata") { // left out: stays; {}: goes
		m.metadata = meta
	}
	if b.blocks == nil { // "updates with blocks do not show as edited"
		m.editedBy, m.editedTS = s.opt.BotUserID, s.stampLocked()
	}
	s.notePingsLocked(ch.id, m.ts, b.pings)
	s.tellLocked(sim.Edited, ch, m)
	s.changedLocked(ch, m, before)
	return object{"channel": ch.id, "ts": m.ts, "text": b.text, "message": s.messageLocked(ch, m, true)}, nil
}

func deleteMessage(c *call) (object, *apiError) {
	ch, m, fail := c.own("message_not_found", "cant_delete_message")
	if fail != nil {
		return nil, fail
	}
	c.s.deleteLocked(ch, m)
	return object{"channel": ch.id, "ts": m.ts}, nil
}

// deleteLocked takes a message away; a parent with replies leaves a tombstone.
func (s *Server) deleteLocked(ch *channel, m *message) {
	before := s.messageLocked(ch, m, false)
	if m.bot {
		s.tellLocked(sim.Deleted, ch, m)
	}
	if len(m.replies) == 0 {
		s.removeLocked(ch, m)
		s.removedLocked(ch, m, before)
		return
	}
	m.subtype, m.user, m.bot, m.files, m.reactions = "tombstone", "USLACKBOT", false, nil, nil
	m.metadata, m.attachments = nil, nil
	s.reviseLocked(m, "This message was deleted.", nil)
	ch.gone[m.ts] = true
	s.changedLocked(ch, m, before)
}

func postEphemeral(c *call) (object, *apiError) {
	ch, fail := c.target("channel")
	if fail != nil {
		return nil, fail
	}
	user := c.str("user")
	if !slices.Contains(ch.members, user) {
		return nil, refuse("user_not_in_channel")
	}
	b, fail := c.body()
	if fail != nil {
		return nil, fail
	}
	thread, fail := c.threadOf(ch)
	if fail != nil {
		return nil, fail
	}
	ts := c.s.ephemeralLocked(ch, thread, user, b)
	return object{"message_ts": ts}, nil
}

func getPermalink(c *call) (object, *apiError) {
	ch := c.s.roomLocked(c.str("channel"))
	if ch == nil {
		return nil, refuse("channel_not_found")
	}
	m := ch.byTS[c.str("message_ts")]
	if m == nil {
		return nil, refuse("message_not_found")
	}
	return object{"channel": ch.id, "permalink": c.s.permalink(ch, m)}, nil
}

func (s *Server) permalink(ch *channel, m *message) string {
	link := "https://" + s.opt.TeamDomain + ".slack.com/archives/" + ch.id + "/p" + strings.Replace(m.ts, ".", "", 1)
	if m.thread != "" {
		link += "?thread_ts=" + m.thread + "&cid=" + ch.id
	}
	return link
}
