package core

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
)

var _ Mover = (*bot)(nil)

// errTwoAtWork is the refusal to make one conversation of two while both are answered.
var errTwoAtWork = errors.New("a conversation of the room is being answered under its old id and another under its new one: to be tried again")

// MoveRoom implements [Mover]. Conversations go on in the room's new id, and a turn that runs ends there. Where nothing can
// be stored, nothing has changed.
func (t *bot) MoveRoom(ctx context.Context, from, to string) error {
	if from == "" || to == "" || from == to {
		return fmt.Errorf("move room %q to %q: %w", from, to, &Error{Op: "core.MoveRoom", Class: Invalid})
	}
	name := t.settings.Name
	err := t.bridge.dispatch.move(room{bot: name, id: from}, to, func() error {
		return t.bridge.store.MoveRoom(ctx, name, from, to)
	})
	if err != nil {
		return fmt.Errorf("move room %s to %s: %w", from, to, err)
	}
	t.log.Info("room has another id, its conversations go on there", slog.String("room", from), slog.String("new_room", to))
	if t.settings.mentions(from) {
		t.log.Warn("the configuration names the room by its old id: write the new one",
			slog.String("room", from), slog.String("new_room", to))
	}
	return nil
}

// mentions tells whether a room's id stands in the lists that say who is answered and by which app.
func (s *BotSettings) mentions(id string) bool {
	return slices.Contains(s.Allow.Rooms, id) || slices.Contains(s.Deny.Rooms, id) ||
		slices.ContainsFunc(s.Routes, func(r Route) bool { return slices.Contains(r.Rooms, id) })
}

// Moved is the key of the same conversation after its room has got another id; k itself if it is of another bot or room.
func (k ConvKey) Moved(bot, from, to string) ConvKey {
	if parts, at := k.parts(); at == (room{bot: bot, id: from}) {
		parts[roomPart] = url.PathEscape(to)
		return ConvKey(strings.Join(parts, "/"))
	}
	return k
}

// Room is the id of the room that the conversation belongs to; "" if k has not the form that [NewConvKey] gives it.
func (k ConvKey) Room() string {
	_, at := k.parts()
	return at.id
}

// room names a room of a bot.
type room struct{ bot, id string }

// roomPart is which element of a ConvKey is its room.
const roomPart = 2

func (k ConvKey) parts() (parts []string, at room) {
	parts = strings.Split(string(k), "/")
	if len(parts) <= roomPart {
		return parts, room{}
	}
	bot, err := url.PathUnescape(parts[0])
	id, err2 := url.PathUnescape(parts[roomPart])
	if err != nil || err2 != nil {
		return parts, room{}
	}
	return parts, room{bot: bot, id: id}
}

// move gives the conversations of a room their new keys, if commit does so in the store. No worker begins or ends
// meanwhile, so that none is at work under one key while another begins under the other. It waits for commit alone.
func (d *dispatcher) move(from room, to string, commit func() error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	keys := map[ConvKey]ConvKey{}
	for old := range d.active {
		next := old.Moved(from.bot, from.id, to)
		if next == old {
			continue
		}
		if _, both := d.active[next]; both {
			return errTwoAtWork
		}
		keys[old] = next
	}
	if err := commit(); err != nil {
		return err
	}
	for old, next := range keys {
		d.active[next] = d.active[old]
		delete(d.active, old)
	}
	for i, conv := range d.ready {
		if next, ok := keys[conv]; ok {
			d.ready[i] = next
		}
	}
	if d.moved == nil {
		d.moved = map[room]string{}
	}
	delete(d.moved, room{bot: from.bot, id: to}) // it is where things are now, so keys lead in no circle
	d.moved[from] = to
	return nil
}

// nowLocked is the key that a conversation goes by now.
func (d *dispatcher) nowLocked(conv ConvKey) ConvKey {
	for range d.moved {
		_, at := conv.parts()
		to, ok := d.moved[at]
		if !ok {
			break
		}
		conv = conv.Moved(at.bot, at.id, to)
	}
	return conv
}
