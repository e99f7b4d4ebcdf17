package discord

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"github.com/clickai/bridge/core"
)

// mark is a person's reaction to a message. Emoji is as in [core.Reaction].
type mark struct {
	Channel string `json:"c"` // where the message stands: a thread rather than its room
	Message string `json:"m"`
	User    string `json:"u"`
	Emoji   string `json:"e"`
}

// marks remember which reactions the host knows of, so that a history, which tells only which there are, tells which were
// put and taken back meanwhile; and in which channels the bot has written lately, since reactions leave no trace in what the
// gateway tells of a channel. Of many, the newest are kept.
//
// A reaction is stored right after the host has taken it. Own messages are stored with the positions, ahead of them: those of
// which a crash leaves nothing are behind the position, and found in the history.
type marks struct {
	host core.Host

	writing sync.Mutex // one write at a time, so that the newest state is the last one

	mu    sync.Mutex
	m     map[mark]struct{}
	own   map[string]ownChannel // by channel
	dirty bool                  // of own
}

// ownChannel is a channel in which the bot has written.
type ownChannel struct {
	Guild string    `json:"g,omitempty"`
	Last  snowflake `json:"l"` // the newest message of the bot's
}

const (
	cursorMarks = "reactions" // a list of mark
	cursorOwn   = "own"       // a map of ownChannel
)

func newMarks(host core.Host) *marks {
	return &marks{host: host, m: map[mark]struct{}{}, own: map[string]ownChannel{}}
}

// load reads what was stored. A value that cannot be decoded is taken as none: it was not written by this version.
func (s *marks) load() error {
	var list []mark
	var own map[string]ownChannel
	for name, v := range map[string]any{cursorMarks: &list, cursorOwn: &own} {
		raw, err := s.host.Cursor(name)
		if err != nil {
			return fmt.Errorf("read the reactions: %w", err)
		}
		if raw != "" {
			_ = json.Unmarshal([]byte(raw), v) // what was decoded until then is as good
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range list[:min(len(list), maxMarks)] {
		s.m[m] = struct{}{}
	}
	for id, c := range own {
		if isID(id) && c.Last != 0 {
			s.own[id] = c
		}
	}
	return nil
}

// wrote notes a message of the bot's.
func (s *marks) wrote(ch *channel, id snowflake) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id <= s.own[ch.id].Last {
		return
	}
	s.own[ch.id] = ownChannel{Guild: ch.guild, Last: id}
	s.dirty = true
	if len(s.own) > 2*maxOwnChannels {
		s.trimOwnLocked()
	}
}

func (s *marks) trimOwnLocked() {
	last := make(map[string]snowflake, len(s.own))
	for id, c := range s.own {
		last[id] = c.Last
	}
	trim(last, maxOwnChannels, nil)
	for id := range s.own {
		if _, kept := last[id]; !kept {
			delete(s.own, id)
		}
	}
}

// lately lists the channels of a server in which the bot has written after a message; "" lists direct chats.
func (s *marks) lately(guild string, after snowflake) map[string]snowflake {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := map[string]snowflake{}
	for id, c := range s.own {
		if c.Guild == guild && c.Last > after {
			found[id] = c.Last
		}
	}
	return found
}

// note stores a reaction that the host has taken. An error means that the event is to come again.
func (s *marks) note(ctx context.Context, ev *core.Event) error {
	if ev.Kind != core.KindReaction {
		return nil
	}
	m := markOf(ev)
	s.writing.Lock()
	defer s.writing.Unlock()
	s.mu.Lock()
	_, known := s.m[m]
	if known == ev.Reaction.Added {
		s.mu.Unlock()
		return nil
	}
	if ev.Reaction.Added {
		s.m[m] = struct{}{}
	} else {
		delete(s.m, m)
	}
	raw, _ := json.Marshal(s.listLocked()) // strings only
	s.mu.Unlock()
	if err := s.host.SetCursor(ctx, cursorMarks, string(raw)); err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		if ev.Reaction.Added {
			delete(s.m, m)
		} else {
			s.m[m] = struct{}{}
		}
		return fmt.Errorf("store a reaction: %w", err)
	}
	return nil
}

func markOf(ev *core.Event) mark {
	return mark{Channel: cmp.Or(ev.Thread, ev.Room.ID), Message: ev.MessageID, User: ev.Sender.ID, Emoji: ev.Reaction.Emoji}
}

// listLocked is what is kept, the reactions to the newest messages first. The rest is forgotten.
func (s *marks) listLocked() []mark {
	list := make([]mark, 0, len(s.m))
	for m := range s.m {
		list = append(list, m)
	}
	slices.SortFunc(list, func(a, b mark) int { return cmp.Or(cmp.Compare(idOf(b.Message), idOf(a.Message)), compareMarks(a, b)) })
	for _, m := range list[min(len(list), maxMarks):] {
		delete(s.m, m)
	}
	return list[:min(len(list), maxMarks)]
}

func compareMarks(a, b mark) int {
	return cmp.Or(cmp.Compare(a.Emoji, b.Emoji), cmp.Compare(a.User, b.User))
}

// under lists the reactions to a message, in an order that stays the same.
func (s *marks) under(channelID, messageID string) []mark {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []mark
	for m := range s.m {
		if m.Message == messageID && m.Channel == channelID {
			found = append(found, m)
		}
	}
	slices.SortFunc(found, compareMarks)
	return found
}

// flush stores in which channels the bot has written. What could not be stored is tried again next time.
func (s *marks) flush(ctx context.Context) error {
	s.mu.Lock()
	if !s.dirty {
		s.mu.Unlock()
		return nil
	}
	s.trimOwnLocked()
	raw, _ := json.Marshal(s.own) // strings and numbers only
	s.dirty = false
	s.mu.Unlock()
	if err := s.host.SetCursor(ctx, cursorOwn, string(raw)); err != nil {
		s.mu.Lock()
		s.dirty = true
		s.mu.Unlock()
		return fmt.Errorf("store where the bot has written: %w", err)
	}
	return nil
}
