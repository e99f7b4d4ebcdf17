package slack

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/clickai/bridge/internal/sim"
)

// maxTyped is the longest message of a person, in characters.
// Source: https://docs.slack.dev/changelog/2018-truncating-really-long-messages
const maxTyped = 40_000

// Say makes a person write: as Slack's clients do it, "@Name" and "#channel" become mentions, links get their
// brackets, emoji their short names, and & < > are escaped. Thread is the parent's timestamp. Slack has no replies
// outside threads, so ReplyTo must be empty.
func (s *Server) Say(_ context.Context, say sim.Say) (sim.Message, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ch, err := s.memberLocked(say.Room, say.User)
	if err != nil {
		return sim.Message{}, fmt.Errorf("say: %w", err)
	}
	switch {
	case say.ReplyTo != "":
		return sim.Message{}, fmt.Errorf("say in %s: Slack has no replies but threads; set Thread", say.Room)
	case ch.archived:
		return sim.Message{}, fmt.Errorf("say in %s: the channel is archived", say.Room)
	case strings.TrimSpace(say.Text) == "" && !say.Mention && len(say.Files) == 0:
		return sim.Message{}, fmt.Errorf("say in %s: neither text nor files", say.Room)
	case runes(say.Text) > maxTyped:
		return sim.Message{}, fmt.Errorf("say in %s: %d characters, %d are allowed", say.Room, runes(say.Text), maxTyped)
	case say.Thread != "" && (ch.byTS[say.Thread] == nil || ch.byTS[say.Thread].thread != ""):
		return sim.Message{}, fmt.Errorf("say in %s: %q is no message that a thread can hang under", say.Room, say.Thread)
	}
	m := &message{ts: s.stampLocked(), thread: say.Thread, user: say.User, clientID: newUUID(), at: time.Now()}
	text, blocks := s.typedLocked(say.Text, say.Mention)
	m.versions = []*content{{text: text, blocks: blocks, typed: true, at: m.at}}
	for _, f := range say.Files {
		if int64(len(f.Data)) > s.opt.MaxFileBytes {
			return sim.Message{}, fmt.Errorf("say in %s: file %s has %d bytes, %d are allowed", say.Room, f.Name, len(f.Data), s.opt.MaxFileBytes)
		}
		stored := &file{
			id: s.newIDLocked("F"), name: f.Name, title: f.Name, mime: f.MIME, user: say.User, created: m.at, shared: true,
			shares: []share{{ch.id, m.ts, m.thread}},
		}
		if stored.mime == "" {
			stored.mime = mimeOf(f.Name, f.Data)
		}
		s.files[stored.id] = stored
		s.keepLocked(stored, slices.Clone(f.Data))
		m.files = append(m.files, stored)
		m.subtype = "file_share"
	}
	s.addLocked(ch, m)
	s.postedLocked(ch, m)
	s.changed.Notify() // also where the bot is not in the channel
	return s.showLocked(ch, m), nil
}

// memberLocked finds a room that a person is in.
func (s *Server) memberLocked(room, user string) (*channel, error) {
	ch := s.roomLocked(room)
	if ch == nil {
		return nil, fmt.Errorf("no room %q", room)
	}
	if _, ok := s.userLocked(user); !ok {
		return nil, fmt.Errorf("no person %q", user)
	}
	if !ch.has(user) {
		return nil, fmt.Errorf("%s is not in %s", user, room)
	}
	return ch, nil
}

func (s *Server) findLocked(at sim.Ref) (*channel, *message, error) {
	ch := s.roomLocked(at.Room)
	if ch == nil {
		return nil, nil, fmt.Errorf("no room %q", at.Room)
	}
	m := ch.byTS[at.ID]
	if m == nil || (at.Thread != "" && at.Thread != m.thread && at.Thread != m.ts) {
		return nil, nil, fmt.Errorf("no message %s in %s", at.ID, at.Room)
	}
	return ch, m, nil
}

// mineLocked finds a person's own message.
func (s *Server) mineLocked(at sim.Ref, user string) (*channel, *message, error) {
	ch, m, err := s.findLocked(at)
	if err != nil {
		return nil, nil, err
	}
	if m.user != user {
		return nil, nil, fmt.Errorf("message %s in %s is not from %s", at.ID, at.Room, user)
	}
	return ch, m, nil
}

// Edit changes the text of a person's message. An edit that changes nothing raises no event, as in Slack.
func (s *Server) Edit(_ context.Context, at sim.Ref, user, text string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	ch, m, err := s.mineLocked(at, user)
	if err != nil {
		return fmt.Errorf("edit: %w", err)
	}
	now, blocks := s.typedLocked(text, false)
	if now == m.now().text {
		return nil
	}
	before := s.messageLocked(ch, m, false)
	s.reviseLocked(m, now, blocks)
	m.now().typed = true
	m.editedBy, m.editedTS = user, s.stampLocked()
	s.changedLocked(ch, m, before)
	s.changed.Notify()
	return nil
}

// Unfurl makes Slack add a link preview to a message: a message_changed event in which the text stays the same.
func (s *Server) Unfurl(_ context.Context, at sim.Ref) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	ch, m, err := s.findLocked(at)
	if err != nil {
		return fmt.Errorf("unfurl: %w", err)
	}
	before := s.messageLocked(ch, m, false)
	m.unfurled = true
	s.changedLocked(ch, m, before)
	s.changed.Notify()
	return nil
}

// Delete removes a person's message. One with replies leaves a tombstone, and the event is then message_changed.
func (s *Server) Delete(_ context.Context, at sim.Ref, user string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	ch, m, err := s.mineLocked(at, user)
	if err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	s.deleteLocked(ch, m)
	s.changed.Notify()
	return nil
}

// React adds a person's reaction: a Unicode emoji with or without a skin tone, or ":name:". It fails if the person
// has reacted so already.
func (s *Server) React(_ context.Context, at sim.Ref, user, emoji string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	ch, m, name, err := s.reactionLocked(at, user, emoji)
	if err != nil {
		return fmt.Errorf("react: %w", err)
	}
	if !m.react(name, user) {
		return fmt.Errorf("react: %s has reacted with %s already", user, emoji)
	}
	s.reactedLocked("reaction_added", ch, m, name, user)
	return nil
}

// Unreact takes a person's reaction back. It fails if there is none.
func (s *Server) Unreact(_ context.Context, at sim.Ref, user, emoji string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	ch, m, name, err := s.reactionLocked(at, user, emoji)
	if err != nil {
		return fmt.Errorf("unreact: %w", err)
	}
	if !m.unreact(name, user) {
		return fmt.Errorf("unreact: %s has not reacted with %s", user, emoji)
	}
	s.reactedLocked("reaction_removed", ch, m, name, user)
	return nil
}

func (s *Server) reactionLocked(at sim.Ref, user, emoji string) (*channel, *message, string, error) {
	ch, m, err := s.findLocked(at)
	if err != nil {
		return nil, nil, "", err
	}
	if _, err := s.memberLocked(at.Room, user); err != nil {
		return nil, nil, "", err
	}
	name, err := emojiName(emoji)
	return ch, m, name, err
}
