package slack

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
	Room  string `json:"room"`
	TS    string `json:"ts"`
	User  string `json:"user"`
	Emoji string `json:"emoji"`
}

// marks remember which reactions the host knows of, so that a history, which tells only which there are, tells which were
// put and taken back meanwhile. Of many, those of the newest messages are kept.
type marks struct {
	host core.Host

	mu    sync.Mutex
	m     map[mark]bool
	dirty bool
}

const cursorMarks = "reactions" // a list of mark

func newMarks(host core.Host) *marks { return &marks{host: host, m: map[mark]bool{}} }

func (s *marks) load() error {
	stored, err := s.host.Cursor(cursorMarks)
	if err != nil {
		return fmt.Errorf("read the reactions: %w", err)
	}
	var list []mark
	if stored == "" || json.Unmarshal([]byte(stored), &list) != nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range list[:min(len(list), maxMarks)] {
		s.m[m] = true
	}
	return nil
}

// note takes over a reaction that the host has taken.
func (s *marks) note(ev *core.Event) {
	if ev.Kind != core.KindReaction {
		return
	}
	m := mark{ev.Room.ID, ev.MessageID, ev.Sender.ID, ev.Reaction.Emoji}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dirty = true
	if !ev.Reaction.Added {
		delete(s.m, m)
		return
	}
	s.m[m] = true
	if len(s.m) > 2*maxMarks {
		s.trimLocked()
	}
}

// under lists the reactions to a message, in some order that stays the same.
func (s *marks) under(room, ts string) []mark {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []mark
	for m := range s.m {
		if m.TS == ts && m.Room == room {
			found = append(found, m)
		}
	}
	slices.SortFunc(found, func(a, b mark) int { return cmp.Or(cmp.Compare(a.User, b.User), cmp.Compare(a.Emoji, b.Emoji)) })
	return found
}

func (s *marks) trimLocked() []mark {
	list := make([]mark, 0, len(s.m))
	for m := range s.m {
		list = append(list, m)
	}
	slices.SortFunc(list, func(a, b mark) int {
		x, _ := microOf(a.TS)
		y, _ := microOf(b.TS)
		return cmp.Or(cmp.Compare(y, x), cmp.Compare(a.Room, b.Room), cmp.Compare(a.User, b.User), cmp.Compare(a.Emoji, b.Emoji))
	})
	for _, m := range list[min(len(list), maxMarks):] {
		delete(s.m, m)
	}
	return list[:min(len(list), maxMarks)]
}

// flush writes what has changed. What could not be written is tried again next time.
func (s *marks) flush(ctx context.Context) error {
	s.mu.Lock()
	if !s.dirty {
		s.mu.Unlock()
		return nil
	}
	raw, _ := json.Marshal(s.trimLocked()) // strings only
	s.dirty = false
	s.mu.Unlock()
	if err := s.host.SetCursor(ctx, cursorMarks, string(raw)); err != nil {
		s.mu.Lock()
		s.dirty = true
		s.mu.Unlock()
		return fmt.Errorf("store the reactions: %w", err)
	}
	return nil
}
