package core

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"
)

// findTimeout bounds the look-up of one name.
const findTimeout = 10 * time.Second

// named is a room or person that the configuration names.
type named struct {
	key     string // of the configuration: "allow.rooms"
	pattern string // as it stands there
	user    bool
}

// names lists what the configuration names, each pattern once for rooms and once for people.
func (s *BotSettings) names() []named {
	var all []named
	seen := map[named]bool{}
	add := func(key string, user bool, patterns []string) {
		for _, p := range patterns {
			if id := (named{pattern: p, user: user}); !seen[id] {
				seen[id] = true
				all = append(all, named{key, p, user})
			}
		}
	}
	add("allow.rooms", false, s.Allow.Rooms)
	add("deny.rooms", false, s.Deny.Rooms)
	for i, r := range s.Routes {
		add(fmt.Sprintf("routes[%d].rooms", i), false, r.Rooms)
	}
	add("allow.users", true, s.Allow.Users)
	add("deny.users", true, s.Deny.Users)
	add("admins", true, s.Admins)
	return all
}

// find looks a name up. what is what the platform calls it.
func (n named) find(ctx context.Context, d Directory) (id, what string, ok bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, findTimeout)
	defer cancel()
	name := strings.TrimLeft(n.pattern, "#@")
	if n.user {
		u, ok, err := d.FindUser(ctx, name)
		return u.ID, u.DisplayName(), ok, err
	}
	r, ok, err := d.FindRoom(ctx, name)
	return r.ID, r.Name, ok, err
}

func (n named) kind() string {
	if n.user {
		return "person"
	}
	return "room"
}

// CheckNames looks up the rooms and people that the configuration names, for `bridge check`. What the platform cannot tell is
// left out.
func CheckNames(ctx context.Context, s *BotSettings, d Directory) []Check {
	var all []Check
	for _, n := range s.names() {
		c := Check{What: fmt.Sprintf("%s %s", n.key, n.pattern)}
		switch id, what, ok, err := n.find(ctx, d); {
		case ClassOf(err) == Unsupported:
			continue
		case err != nil:
			c.Mend = "could not be looked up: " + oneLine(err.Error())
		case !ok:
			c.Mend = fmt.Sprintf("the bot sees no %s of this id or name: was it renamed, or is the bot not in it? An id never changes", n.kind())
		default:
			c.OK, c.Mend = true, strings.TrimSpace(what+" ("+id+")")
		}
		all = append(all, c)
	}
	return all
}

// aliases are names of the configuration that stand for a room or a person, a line each. They can be compared.
type aliases string

func (a aliases) has(name string) bool {
	for one := range strings.Lines(string(a)) {
		if strings.TrimSuffix(one, "\n") == name {
			return true
		}
	}
	return false
}

func (a aliases) with(name string) aliases { return a + aliases(name) + "\n" }

// alsoKnown is which names of the configuration stand for an id, as the platform says: so that a room that is renamed while
// the bridge runs is still the one that was meant.
type alsoKnown struct{ rooms, users map[string]aliases }

// resolver keeps it.
type resolver struct{ now atomic.Pointer[alsoKnown] }

// mark notes in an event by which names of the configuration its room and sender go.
func (r *resolver) mark(ev *Event) {
	if k := r.now.Load(); k != nil {
		ev.Room.Also, ev.Sender.Also = k.rooms[ev.Room.ID], k.users[ev.Sender.ID]
	}
}

// resolve looks up all names once the bot is connected, and logs those that the platform does not know. The id of a name
// is remembered, so that one which was renamed since is found again and told apart from one that is wrong.
func (t *bot) resolve(ctx context.Context) {
	dir, ok := unobserved(t.platform).(Directory)
	all := t.settings.names()
	if !ok || len(all) == 0 {
		return
	}
	known := &alsoKnown{rooms: map[string]aliases{}, users: map[string]aliases{}}
	for _, n := range all {
		if ctx.Err() != nil {
			return
		}
		id, _, ok, err := n.find(ctx, dir)
		log := t.log.With(slog.String("key", n.key), slog.String("name", n.pattern))
		cursor := "name/" + n.kind() + "/" + n.pattern
		switch {
		case ClassOf(err) == Unsupported:
			log.Debug("name cannot be looked up", slog.Any("err", err))
			continue
		case err != nil:
			log.Warn("name could not be looked up", slog.Any("err", err))
			continue
		case !ok:
			if id = t.renamed(ctx, log, n, dir, cursor); id == "" {
				continue
			}
		case id != strings.TrimLeft(n.pattern, "#@"):
			if err := t.bridge.store.SetCursor(ctx, t.settings.Name, cursor, id); err != nil {
				log.Warn("id of a name not noted", slog.Any("err", err))
			}
		}
		if n.user {
			known.users[id] = known.users[id].with(n.pattern)
		} else {
			known.rooms[id] = known.rooms[id].with(n.pattern)
		}
	}
	t.known.now.Store(known)
}

// renamed finds what a name stood for when it was last known; "" if that is gone too.
func (t *bot) renamed(ctx context.Context, log *slog.Logger, n named, dir Directory, cursor string) (id string) {
	before, err := t.bridge.store.Cursor(ctx, t.settings.Name, cursor)
	if err == nil && before != "" {
		byID := n
		byID.pattern = before
		if id, what, ok, err := byID.find(ctx, dir); err == nil && ok {
			log.Warn("the configuration uses a former name: write the id or the new one", slog.String("of", n.kind()), slog.String("id", id), slog.String("new_name", what))
			return id
		}
	}
	log.Warn("the configuration names what the bot does not see", slog.String("of", n.kind()), slog.String("mend", "write its id, or invite the bot"))
	return ""
}
