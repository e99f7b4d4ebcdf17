package core

import (
	"context"
	"errors"
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

// CheckNames looks up the rooms and people that the configuration names, for `bridge check`. What the platform cannot look up is no
// failure.
func CheckNames(ctx context.Context, s *BotSettings, d Directory) []Check {
	var all []Check
	for _, n := range s.names() {
		c := Check{What: fmt.Sprintf("%s %s", n.key, n.pattern)}
		switch id, what, ok, err := n.find(ctx, d); {
		case ClassOf(err) == Unsupported:
			c.OK, c.Mend = true, "the platform cannot look it up"
			if e, ok := errors.AsType[*Error](err); ok && e.Err != nil {
				c.Mend += ": " + oneLine(e.Err.Error())
			}
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

func (k *alsoKnown) add(n named, id string) {
	switch {
	case id == "":
	case n.user:
		k.users[id] = k.users[id].with(n.pattern)
	default:
		k.rooms[id] = k.rooms[id].with(n.pattern)
	}
}

// resolver keeps it.
type resolver struct{ now atomic.Pointer[alsoKnown] }

// mark notes in an event by which names of the configuration its room and sender go.
func (r *resolver) mark(ev *Event) {
	if k := r.now.Load(); k != nil {
		ev.Room.Also, ev.Sender.Also = k.rooms[ev.Room.ID], k.users[ev.Sender.ID]
	}
}

// recallNames takes the names for what they stood for when they were last looked up, until they are again.
func (t *bot) recallNames(ctx context.Context) {
	if _, ok := unobserved(t.platform).(Directory); ok {
		t.learnNames(func(n named) string { return t.nameNoted(ctx, n) })
	}
}

// resolve looks up all names once the bot is connected, and logs those that the platform does not know. The id of a name
// is remembered, so that one which was renamed since is found again and told apart from one that is wrong.
func (t *bot) resolve(ctx context.Context) {
	if dir, ok := unobserved(t.platform).(Directory); ok {
		t.learnNames(func(n named) string { return t.lookUp(ctx, dir, n) })
	}
}

func (t *bot) learnNames(id func(named) string) {
	known := &alsoKnown{rooms: map[string]aliases{}, users: map[string]aliases{}}
	for _, n := range t.settings.names() {
		known.add(n, id(n))
	}
	t.known.now.Store(known)
}

// lookUp is the id that a name stands for: as the platform says, else as it was; "" if that is gone too.
func (t *bot) lookUp(ctx context.Context, dir Directory, n named) string {
	log := t.log.With(slog.String("key", n.key), slog.String("name", n.pattern))
	before := t.nameNoted(ctx, n)
	id, _, ok, err := n.find(ctx, dir)
	switch {
	case ctx.Err() != nil:
	case ClassOf(err) == Unsupported:
		log.Debug("name cannot be looked up", slog.Any("err", err))
	case err != nil:
		log.Warn("name could not be looked up", slog.Any("err", err))
	case !ok:
		return t.renamed(ctx, log, n, dir, before)
	case id == strings.TrimLeft(n.pattern, "#@"):
		return id
	default:
		if err := t.bridge.store.SetCursor(ctx, t.settings.Name, n.cursor(), id); err != nil {
			log.Warn("id of a name not noted", slog.Any("err", err))
		}
		return id
	}
	return before
}

// cursor names where the id of a name is noted.
func (n named) cursor() string { return "name/" + n.kind() + "/" + n.pattern }

// nameNoted is the id that a name stood for when it was last looked up; "" if it never was.
func (t *bot) nameNoted(ctx context.Context, n named) string {
	id, err := t.bridge.store.Cursor(ctx, t.settings.Name, n.cursor())
	if err != nil && ctx.Err() == nil {
		t.log.Warn("id of a name not read", slog.String("name", n.pattern), slog.Any("err", err))
	}
	return id
}

// renamed finds what a name stood for when it was last known; "" if that is gone too.
func (t *bot) renamed(ctx context.Context, log *slog.Logger, n named, dir Directory, before string) (id string) {
	if before != "" {
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
