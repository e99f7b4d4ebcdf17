package discord

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/clickai/bridge/internal/sim"
)

func (c *call) channel(need Permission) (*channel, *apiError) {
	id := c.param("channel")
	if !isSnowflake(id) {
		return nil, formError("channel_id", "NUMBER_TYPE_COERCE", "Value \""+id+"\" is not snowflake.")
	}
	ch := c.s.channels[id]
	if ch == nil {
		return nil, errUnknownChannel
	}
	return ch, c.s.require(ch, need)
}

func (c *call) message(need Permission) (*message, *apiError) {
	ch, err := c.channel(need)
	if err != nil {
		return nil, err
	}
	m := ch.message(c.param("message"))
	if m == nil {
		return nil, errUnknownMessage
	}
	return m, nil
}

// restMessage is a message as the REST API shows it: the switch of the portal decides, not the intents of a session.
// Source: https://docs.discord.com/developers/events/gateway#http-restrictions
func (s *Server) restMessage(m *message) map[string]any {
	return s.messageObject(m, view{hide: s.noContent})
}

func getMessages(c *call) (int, any, error) {
	ch, err := c.channel(ViewChannel)
	if err != nil {
		return 0, nil, err
	}
	limit := 50
	if q := c.query.Get("limit"); q != "" {
		n, convErr := strconv.Atoi(q)
		if convErr != nil || n < 1 || n > 100 {
			return 0, nil, formError("limit", "NUMBER_TYPE_MAX", "int value should be between 1 and 100.")
		}
		limit = n
	}
	if ch.typ == typeForum {
		return 0, nil, errNonText
	}
	if c.s.permitted(ch)&ReadMessageHistory == 0 {
		return http.StatusOK, []any{}, nil
	}
	list, err := c.page(ch, limit)
	if err != nil {
		return 0, nil, err
	}
	out := make([]any, 0, len(list))
	for _, m := range slices.Backward(list) {
		out = append(out, c.s.restMessage(m))
	}
	return http.StatusOK, out, nil
}

// page is the part of a channel that before, after or around ask for, oldest first.
func (c *call) page(ch *channel, limit int) ([]*message, *apiError) {
	given := 0
	for _, k := range []string{"before", "after", "around"} {
		v := c.query.Get(k)
		if v == "" {
			continue
		}
		given++
		if _, err := strconv.ParseUint(v, 10, 64); err != nil {
			return nil, formError(k, "NUMBER_TYPE_COERCE", "Value \""+v+"\" is not snowflake.")
		}
	}
	if given > 1 {
		return nil, formError("_errors", "MUTUALLY_EXCLUSIVE", "before, after and around are mutually exclusive.")
	}
	all := ch.messages
	switch {
	case c.query.Has("before"):
		i, _ := ch.find(c.query.Get("before"))
		return all[max(0, i-limit):i], nil
	case c.query.Has("after"):
		i, found := ch.find(c.query.Get("after"))
		if found {
			i++
		}
		return all[i:min(len(all), i+limit)], nil
	case c.query.Has("around"):
		i, _ := ch.find(c.query.Get("around"))
		from := max(0, i-limit/2)
		return all[from:min(len(all), from+limit)], nil
	default:
		return all[max(0, len(all)-limit):], nil
	}
}

func getMessage(c *call) (int, any, error) {
	m, err := c.message(ViewChannel | ReadMessageHistory)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, c.s.restMessage(m), nil
}

func postMessage(c *call) (int, any, error) {
	ch, err := c.channel(0)
	if err != nil {
		return 0, nil, err
	}
	p, err := parsePayload(c.body)
	if err != nil {
		return 0, nil, err
	}
	m, err := c.s.create(ch, p, c)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, c.s.restMessage(m), nil
}

// sendNeeds are the permissions that a message of the bot asks for.
func (p *payload) sendNeeds(ch *channel, files int) Permission {
	need := SendMessages
	if ch.isThread() {
		need = SendMessagesInThreads
	}
	if files > 0 {
		need |= AttachFiles
	}
	if p.Embeds != nil && len(*p.Embeds) > 0 {
		need |= EmbedLinks
	}
	return need
}

// create makes a message of the bot from a request.
func (s *Server) create(ch *channel, p *payload, c *call) (*message, *apiError) {
	if ch.typ == typeForum {
		return nil, errNonText
	}
	if err := s.require(ch, p.sendNeeds(ch, len(c.files))); err != nil {
		return nil, err
	}
	if u := s.users[ch.recipient]; u != nil && u.blocked {
		return nil, errCannotDM
	}
	if ch.locked && s.permitted(ch)&ManageThreads == 0 {
		return nil, errThreadLocked
	}
	if err := p.check(p.Flags&flagComponentsV2 != 0); err != nil {
		return nil, err
	}
	if p.empty() && len(c.files) == 0 {
		return nil, errEmptyMessage
	}
	if old := s.sameNonce(p); old != nil {
		return old, nil
	}
	m, err := s.compose(ch, p, c)
	if err != nil {
		return nil, err
	}
	s.unarchive(ch)
	s.add(ch, m)
	s.joinThread(ch, s.bot)
	s.remember(p, m)
	return m, nil
}

func (p *payload) empty() bool {
	return (p.Content == nil || *p.Content == "") && (p.Embeds == nil || len(*p.Embeds) == 0) &&
		(p.Components == nil || len(*p.Components) == 0) && len(p.Stickers) == 0 && (len(p.Poll) == 0 || string(p.Poll) == "null")
}

// compose fills a new message; it is not in its channel yet.
func (s *Server) compose(ch *channel, p *payload, c *call) (*message, *apiError) {
	m := &message{
		channel: ch, author: s.bot.ID, embeds: p.rawEmbeds, components: p.rawComponents, nonce: p.Nonce,
		flags: p.Flags & settableFlags, raw: c.body, at: time.Now(),
	}
	if p.Content != nil {
		m.content = *p.Content
	}
	if string(p.Nonce) == "null" {
		m.nonce = nil
	}
	replied, err := s.reply(m, p)
	if err != nil {
		return nil, err
	}
	files, err := s.newAttachments(ch, c.files, p.Attachments)
	if err != nil {
		return nil, err
	}
	m.attachments = files
	found := s.mentionsOf(m.flat(), p.AllowedMentions, s.permitted(ch)&MentionEveryone != 0)
	s.address(m, found, replied)
	m.id = s.ids.next(m.at)
	s.notePings(m, found, false)
	return m, nil
}

// reply resolves message_reference. It returns whom the reply pings: the author of the message it answers, when
// allowed_mentions is absent or says so.
func (s *Server) reply(m *message, p *payload) (string, *apiError) {
	r := p.Reference
	if r == nil || r.MessageID == "" {
		return "", nil
	}
	const field = "message_reference"
	if r.Type != 0 {
		return "", formError(field+".type", "BASE_TYPE_CHOICES", "Only replies are supported here.")
	}
	if s.permitted(m.channel)&ReadMessageHistory == 0 {
		return "", errReplyHistory
	}
	if r.ChannelID != "" && r.ChannelID != m.channel.id {
		return "", formError(field, "REPLIES_CANNOT_REFERENCE_OTHER_CHANNEL", "Cannot reply to a message in a different channel")
	}
	target := m.channel.message(r.MessageID)
	if target == nil {
		if r.Fail != nil && !*r.Fail {
			return "", nil // goes out as a plain message
		}
		e := formError(field, "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
		e.fault = false // the message may have gone a moment ago
		return "", e
	}
	if !target.human() {
		return "", formError(field, "REPLIES_CANNOT_REPLY_TO_SYSTEM_MESSAGE", "Cannot reply to a system message")
	}
	m.typ = messageReply
	m.ref = &reference{message: target.id, channel: m.channel.id, guild: m.channel.guild}
	if p.AllowedMentions == nil || p.AllowedMentions.RepliedUser {
		return target.author, nil
	}
	return "", nil
}

// sameNonce is the message that an enforced nonce has made before.
func (s *Server) sameNonce(p *payload) *message {
	n := nonceText(p.Nonce)
	if !p.EnforceNonce || n == "" {
		return nil
	}
	e, ok := s.nonces[n]
	if !ok || time.Since(e.at) > nonceMemory {
		return nil
	}
	return e.message
}

func (s *Server) remember(p *payload, m *message) {
	n := nonceText(p.Nonce)
	if n == "" {
		return
	}
	if len(s.nonces) >= maxNonces {
		for k, e := range s.nonces {
			if time.Since(e.at) > nonceMemory {
				delete(s.nonces, k)
			}
		}
		if len(s.nonces) >= maxNonces {
			clear(s.nonces)
		}
	}
	s.nonces[n] = nonceEntry{message: m, at: m.at}
}

// add puts a message into its channel, tells everybody, and drops the oldest over the bound.
func (s *Server) add(ch *channel, m *message) {
	m.keep(m.at, s.opt.MaxVersions)
	s.tell(sim.Posted, m)
	ch.messages = append(ch.messages, m)
	ch.last = m.id
	if over := len(ch.messages) - s.opt.MaxMessages; over > 0 {
		ch.messages = slices.Delete(ch.messages, 0, over)
	}
	if ch.isThread() && m.typ != messageStarter {
		ch.count++
		ch.total++
	}
	if m.author == s.bot.ID {
		s.stopTyping(ch)
	}
	s.dispatchMessage("MESSAGE_CREATE", m)
	s.notify.Notify()
}

func patchMessage(c *call) (int, any, error) {
	m, err := c.message(ViewChannel)
	if err != nil {
		return 0, nil, err
	}
	if m.author != c.s.bot.ID || m.webhook {
		return 0, nil, errNotAuthor
	}
	if !m.human() {
		return 0, nil, errSystemMessage
	}
	if err := c.s.editable(m); err != nil {
		return 0, nil, err
	}
	if err := c.s.edit(m, c); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, c.s.restMessage(m), nil
}

// editable refuses edits in archived and locked threads, and too many of an old message.
func (s *Server) editable(m *message) error {
	if m.channel.archived {
		return errArchived
	}
	if m.channel.locked && s.permitted(m.channel)&ManageThreads == 0 {
		return errThreadLocked
	}
	now := time.Now()
	if now.Sub(m.at) < oldMessage {
		return nil
	}
	window := s.limits.window(oldEditsWindow)
	m.oldEdits = slices.DeleteFunc(m.oldEdits, func(t time.Time) bool { return now.Sub(t) >= window })
	if len(m.oldEdits) >= oldEditsAllow {
		reset := m.oldEdits[0].Add(window)
		return &rateLimitError{
			u:     usage{limit: limit{"edit old message", oldEditsAllow, oldEditsWindow}, after: reset.Sub(now), reset: reset},
			scope: "user", code: 30046,
		}
	}
	m.oldEdits = append(m.oldEdits, now)
	return nil
}

// edit applies a request to a message of the bot.
// Source: https://docs.discord.com/developers/resources/message#edit-message
func (s *Server) edit(m *message, c *call) error {
	p, err := parsePayload(c.body)
	if err != nil {
		return err
	}
	flags := m.flags
	if p.hasFlags {
		flags = m.flags&^flagSuppressEmbeds | p.Flags&(flagSuppressEmbeds|flagComponentsV2)
	}
	if err := p.check(flags&flagComponentsV2 != 0); err != nil {
		return err
	}
	var fields map[string]json.RawMessage
	if len(c.body) > 0 && json.Unmarshal(c.body, &fields) != nil {
		return errInvalidJSON
	}
	next := *m
	next.flags = flags &^ flagLoading
	if raw, ok := fields["content"]; ok {
		next.content = ""
		if string(raw) != "null" {
			next.content = *p.Content
		}
	}
	if _, ok := fields["embeds"]; ok {
		next.embeds = p.rawEmbeds
	}
	if _, ok := fields["components"]; ok {
		next.components = p.rawComponents
	}
	gone, err := s.editFiles(&next, p, c)
	if err != nil {
		return err
	}
	if next.blank() {
		return errEmptyMessage
	}
	for _, a := range gone {
		s.forget(a)
	}
	found := s.mentionsOf(next.flat(), p.AllowedMentions, s.permitted(m.channel)&MentionEveryone != 0)
	s.address(&next, found, "")
	next.edited, next.raw = time.Now(), c.body
	*m = next
	m.keep(m.edited, s.opt.MaxVersions)
	s.tell(sim.Edited, m)
	s.notePings(m, found, true)
	s.dispatchMessage("MESSAGE_UPDATE", m)
	s.notify.Notify()
	return nil
}

// blank tells whether nothing of a message would be left to see.
func (m *message) blank() bool {
	return m.content == "" && len(m.attachments) == 0 && emptyList(m.embeds) && emptyList(m.components) && len(m.extra) == 0
}

func emptyList(raw json.RawMessage) bool {
	var list []json.RawMessage
	return len(raw) == 0 || json.Unmarshal(raw, &list) != nil || len(list) == 0
}

func deleteMessage(c *call) (int, any, error) {
	m, err := c.message(ViewChannel)
	if err != nil {
		return 0, nil, err
	}
	if m.author != c.s.bot.ID {
		if m.channel.guild == "" {
			return 0, nil, errDMChannel
		}
		if err := c.s.require(m.channel, ManageMessages); err != nil {
			return 0, nil, err
		}
	}
	c.s.remove(m)
	return http.StatusNoContent, noContent, nil
}

// remove takes a message out of its channel and tells it.
func (s *Server) remove(m *message) {
	if s.drop(m) {
		s.tell(sim.Deleted, m)
		o := map[string]any{"id": m.id, "channel_id": m.channel.id}
		if m.channel.guild != "" {
			o["guild_id"] = m.channel.guild
		}
		s.dispatchChannel("MESSAGE_DELETE", m.channel, messageIntents, o)
	}
	s.notify.Notify()
}

func (s *Server) drop(m *message) bool {
	i, ok := m.channel.find(m.id)
	if !ok {
		return false
	}
	m.channel.messages = slices.Delete(m.channel.messages, i, i+1)
	if m.channel.isThread() && m.typ != messageStarter {
		m.channel.count--
	}
	for _, a := range m.attachments {
		s.forget(a)
	}
	return true
}

func bulkDelete(c *call) (int, any, error) {
	ch, err := c.channel(ManageMessages)
	if err != nil {
		return 0, nil, err
	}
	if ch.guild == "" {
		return 0, nil, errDMChannel
	}
	var in struct {
		Messages []string `json:"messages"`
	}
	if err := c.decode(&in); err != nil {
		return 0, nil, err
	}
	if len(in.Messages) < 2 || len(in.Messages) > 100 {
		return 0, nil, errBulkCount
	}
	gone := []string{}
	for _, id := range in.Messages {
		m := ch.message(id)
		if m == nil {
			continue
		}
		if time.Since(m.at) > 14*24*time.Hour {
			return 0, nil, errBulkAge
		}
		gone = append(gone, id)
	}
	for _, id := range gone {
		c.s.drop(ch.message(id))
	}
	c.s.dispatchChannel("MESSAGE_DELETE_BULK", ch, messageIntents, map[string]any{"ids": gone, "channel_id": ch.id, "guild_id": ch.guild})
	c.s.notify.Notify()
	return http.StatusNoContent, noContent, nil
}

func postTyping(c *call) (int, any, error) {
	ch, err := c.channel(0)
	if err != nil {
		return 0, nil, err
	}
	need := SendMessages
	if ch.isThread() {
		need = SendMessagesInThreads
	}
	if err := c.s.require(ch, need); err != nil {
		return 0, nil, err
	}
	if ch.typ == typeForum {
		return 0, nil, errNonText
	}
	c.s.startTyping(ch)
	c.s.dispatchTyping(ch, c.s.bot)
	return http.StatusNoContent, noContent, nil
}
