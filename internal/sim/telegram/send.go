package telegram

import (
	"bytes"
	"context"
	"encoding/json"
	"reflect"
	"strings"
	"time"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/telegram/markup"
)

// deleteWindow is how long a bot may delete its own messages: https://core.telegram.org/bots/api#deletemessage.
const deleteWindow = 48 * time.Hour

// sendMessage is https://core.telegram.org/bots/api#sendmessage.
func (s *Server) sendMessage(_ context.Context, p *params) (any, error) {
	body, err := s.textOf(p, "text", "entities", messageRules)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d, err := s.destinationOf(p)
	if err != nil {
		return nil, err
	}
	if err := s.spend(d.chat, 1); err != nil {
		return nil, err
	}
	return s.post(d, &message{body: body}), nil
}

// post stores a message of the bot where d says, and returns its wire form. Called with mu held.
func (s *Server) post(d destination, m *message) *wireMessage {
	m.chat, m.topic, m.replyTo, m.keyboard, m.preview = d.chat, d.topic, d.replyTo, d.keyboard, d.preview
	m.from = s.me
	s.store(m)
	d.chat.settle(d.topic)
	s.tell(sim.Posted, m)
	s.changed.Notify()
	return s.wire(m, true)
}

// ownMessage finds a message of the bot to edit. Called with mu held.
func (s *Server) ownMessage(p *params) (*message, error) {
	if p.str("inline_message_id") != "" {
		return nil, bad("MESSAGE_ID_INVALID")
	}
	c, err := s.chatOf(p)
	if err != nil {
		return nil, err
	}
	if !p.has("message_id") {
		return nil, wrong("message identifier is not specified")
	}
	m := c.find(int(p.int("message_id")))
	switch {
	case m == nil:
		return nil, bad("message to edit not found")
	case m.from != s.me || m.service != nil:
		return nil, bad("message can't be edited")
	}
	return m, nil
}

func (s *Server) editMessageText(_ context.Context, p *params) (any, error) {
	if s.opts.RichMessages && p.has("rich_message") {
		return s.editRich(p)
	}
	body, err := s.textOf(p, "text", "entities", messageRules)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	m, err := s.ownMessage(p)
	if err != nil {
		return nil, err
	}
	if m.media != nil {
		return nil, bad("there is no text in the message to edit")
	}
	return s.edit(p, m, func(next *message) error {
		next.body, next.rich = body, nil
		_, err := p.object("link_preview_options", &next.preview)
		return err
	})
}

func (s *Server) editMessageCaption(_ context.Context, p *params) (any, error) {
	body, err := s.textOf(p, "caption", "caption_entities", captionRules)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	m, err := s.ownMessage(p)
	if err != nil {
		return nil, err
	}
	if m.media == nil {
		return nil, bad("there is no caption in the message to edit")
	}
	return s.edit(p, m, func(next *message) error { next.body = body; return nil })
}

func (s *Server) editMessageReplyMarkup(_ context.Context, p *params) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, err := s.ownMessage(p)
	if err != nil {
		return nil, err
	}
	return s.edit(p, m, func(*message) error { return nil })
}

// edit applies a change to a message of the bot. An edit without reply_markup takes the keyboard away. Called with mu
// held.
func (s *Server) edit(p *params, m *message, change func(*message) error) (any, error) {
	next := *m
	var err error
	if next.keyboard, err = keyboardOf(p); err != nil {
		return nil, err
	}
	if err := change(&next); err != nil {
		return nil, err
	}
	if err := s.spend(m.chat, 1); err != nil {
		return nil, err
	}
	if sameText(next.body, m.body) && bytes.Equal(next.keyboard, m.keyboard) && bytes.Equal(next.rich, m.rich) {
		return nil, bad("message is not modified: specified new message content and reply markup are exactly the same " +
			"as a current content and reply markup of the message")
	}
	changedText := !sameText(next.body, m.body) || !bytes.Equal(next.rich, m.rich)
	m.body, m.keyboard, m.preview, m.rich = next.body, next.keyboard, next.preview, next.rich
	m.edited = time.Now()
	if changedText {
		s.newVersion(m, m.edited)
	}
	s.tell(sim.Edited, m)
	s.changed.Notify()
	return s.wire(m, true), nil
}

func sameText(a, b markup.Text) bool {
	return a.Text == b.Text && len(a.Entities) == len(b.Entities) &&
		(len(a.Entities) == 0 || reflect.DeepEqual(a.Entities, b.Entities))
}

func (s *Server) deleteMessage(_ context.Context, p *params) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.chatOf(p)
	if err != nil {
		return nil, err
	}
	m := c.find(int(p.int("message_id")))
	if m == nil {
		return nil, bad("message to delete not found")
	}
	if !s.deletable(m) {
		return nil, bad("message can't be deleted")
	}
	c.remove(m.id)
	s.tell(sim.Deleted, m)
	s.changed.Notify()
	return true, nil
}

// deletable: its own messages for 48 hours, any in a private chat, any where the bot is an administrator.
func (s *Server) deletable(m *message) bool {
	if m.chat.admin() {
		return true
	}
	return time.Since(m.at) < deleteWindow && m.service == nil && (m.from == s.me || m.chat.kind == private)
}

func (s *Server) deleteMessages(_ context.Context, p *params) (any, error) {
	var ids []int
	if _, err := p.list("message_ids", &ids); err != nil {
		return nil, err
	}
	if len(ids) < 1 || len(ids) > 100 {
		return nil, wrong("message identifiers are not specified, or there are more than 100")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.chatOf(p)
	if err != nil {
		return nil, err
	}
	for _, id := range ids { // those that cannot be found are skipped, as documented
		if m := c.find(id); m != nil && s.deletable(m) {
			c.remove(id)
			s.tell(sim.Deleted, m)
		}
	}
	s.changed.Notify()
	return true, nil
}

// richOf reads rich_message of https://core.telegram.org/bots/api#sendrichmessage: the text as it would be read, and the
// object as stored. Markdown and HTML are kept as they were sent; blocks are flattened to their text.
func richOf(p *params) (markup.Text, json.RawMessage, error) {
	var in struct {
		Blocks   []json.RawMessage `json:"blocks"`
		HTML     string            `json:"html"`
		Markdown string            `json:"markdown"`
	}
	if ok, err := p.object("rich_message", &in); err != nil || !ok {
		return markup.Text{}, nil, wrong("rich_message is empty")
	}
	var text strings.Builder
	text.WriteString(in.HTML + in.Markdown)
	for i, b := range in.Blocks {
		var v any
		if err := json.Unmarshal(b, &v); err != nil {
			return markup.Text{}, nil, wrong("can't parse rich_message: block %d", i)
		}
		flatten(&text, v)
		text.WriteByte('\n')
	}
	kinds := 0
	for _, given := range []bool{len(in.Blocks) > 0, in.HTML != "", in.Markdown != ""} {
		if given {
			kinds++
		}
	}
	if kinds != 1 {
		return markup.Text{}, nil, wrong("rich_message must have exactly one of blocks, html and markdown")
	}
	body, err := markup.Normalize(markup.Text{Text: text.String()}, markup.Options{})
	if err != nil {
		return markup.Text{}, nil, wrong("%s", lowerFirst(err.Error()))
	}
	if markup.Len(body.Text) > maxRich {
		return markup.Text{}, nil, wrong("message is too long")
	}
	stored, err := json.Marshal(map[string]any{
		"blocks": []any{map[string]any{"type": "paragraph", "text": body.Text}},
	})
	return body, stored, err
}

// flatten writes the text of a block and of what is inside it.
func flatten(out *strings.Builder, v any) {
	switch v := v.(type) {
	case string:
		out.WriteString(v)
	case []any:
		for _, x := range v {
			flatten(out, x)
		}
	case map[string]any:
		for _, k := range []string{"text", "title", "summary", "blocks", "items", "cells", "caption"} {
			flatten(out, v[k])
		}
	}
}

func (s *Server) sendRichMessage(_ context.Context, p *params) (any, error) {
	body, rich, err := richOf(p)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d, err := s.destinationOf(p)
	if err != nil {
		return nil, err
	}
	if err := s.spend(d.chat, 1); err != nil {
		return nil, err
	}
	return s.post(d, &message{body: body, rich: rich}), nil
}

func (s *Server) sendRichMessageDraft(_ context.Context, p *params) (any, error) {
	body, _, err := richOf(p)
	if err != nil {
		return nil, err
	}
	return s.draft(p, body)
}

func (s *Server) editRich(p *params) (any, error) {
	body, rich, err := richOf(p)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	m, err := s.ownMessage(p)
	if err != nil {
		return nil, err
	}
	if m.media != nil {
		return nil, bad("there is no text in the message to edit")
	}
	return s.edit(p, m, func(next *message) error { next.body, next.rich = body, rich; return nil })
}
