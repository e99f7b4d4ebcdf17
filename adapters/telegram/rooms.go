package telegram

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"github.com/clickai/bridge/core"
)

// rooms is what is known of chats, so that no call is made in vain. The zero value knows nothing.
type rooms struct {
	mu    sync.Mutex
	moved map[string]*move // groups that have become supergroups; at most maxMoved
	shut  map[string]error // chats that are gone or have shut the bot out, and how that was told; at most maxShut
}

// move is where a group is now.
type move struct {
	to     string
	stored bool // the host has it
}

// now is the id under which a chat is to be reached.
func (r *rooms) now(room string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if m := r.moved[room]; m != nil {
		return m.to
	}
	return room
}

// move notes where a group is now; false if that is known.
func (r *rooms) move(from, to string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if from == to || r.moved[from] != nil && r.moved[from].to == to {
		return false
	}
	if r.moved == nil || len(r.moved) >= maxMoved {
		r.moved = map[string]*move{} // Telegram tells again with the next call
	}
	r.moved[from] = &move{to: to}
	return true
}

// unstored is where a group is now, if the host has yet to be told; else "".
func (r *rooms) unstored(from string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if m := r.moved[from]; m != nil && !m.stored {
		return m.to
	}
	return ""
}

func (r *rooms) store(from, to string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if m := r.moved[from]; m != nil && m.to == to {
		m.stored = true
	}
}

// close notes that a chat takes nothing from the bot.
func (r *rooms) close(room string, why error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.shut == nil || len(r.shut) >= maxShut {
		r.shut = map[string]error{} // those forgotten refuse again
	}
	r.shut[room] = why
}

// open notes that something has come from a chat.
func (r *rooms) open(room string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.shut, room)
}

// closed is why a chat takes nothing; nil if it may.
func (r *rooms) closed(room string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.shut[room]
}

// chatNow is the id under which a chat is to be reached.
func (p *Platform) chatNow(room string) string { return p.rooms.now(room) }

// migrated notes that a group has become a supergroup, whose id is another: replies under way go on there. It returns nil
// once the host has stored it.
// Source: https://core.telegram.org/bots/api#responseparameters
func (p *Platform) migrated(ctx context.Context, from, to string) error {
	if p.rooms.move(from, to) {
		p.log.Info("group has become a supergroup", slog.String("room", from), slog.String("new_room", to))
	}
	return p.storeMove(ctx, from)
}

// storeMove has the host store where a group is now, if it has yet to be told.
func (p *Platform) storeMove(ctx context.Context, from string) error {
	to, host := p.rooms.unstored(from), p.mover()
	if to == "" || host == nil {
		return nil
	}
	if err := host.MoveRoom(ctx, from, to); err != nil {
		return err //nolint:wrapcheck // it says what was being done
	}
	p.rooms.store(from, to)
	return nil
}

// heard opens the chat that an update comes from, or closes it where the update says that the bot was thrown out.
func (p *Platform) heard(u *update) {
	switch {
	case u.Message != nil:
		p.rooms.open(u.Message.Chat.key())
	case u.Edited != nil:
		p.rooms.open(u.Edited.Chat.key())
	case u.Query != nil && u.Query.Message != nil:
		p.rooms.open(u.Query.Message.Chat.key())
	case u.Reaction != nil:
		p.rooms.open(u.Reaction.Chat.key())
	case u.Member != nil:
		// "kicked" in a private chat means that the person has blocked the bot.
		// Source: https://core.telegram.org/bots/api#chatmember
		room, status := u.Member.Chat.key(), oneLine(u.Member.New.Status, 40)
		p.log.Info("membership changed", slog.String("room", room), slog.String("status", status))
		if status == "kicked" || status == "left" {
			p.rooms.close(room, errors.New("the bot was told that it is "+status))
		} else {
			p.rooms.open(room)
		}
	}
}

// gone is the error of a call to a chat that takes nothing.
func gone(op string, why error) error {
	return &core.Error{Op: "telegram." + op, Class: core.RoomGone, Err: why}
}
