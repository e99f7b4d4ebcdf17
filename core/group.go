package core

import (
	"sync"
	"time"
)

const (
	groupFor  = time.Minute // the messages of a group come within seconds, also after a reconnect
	maxGroups = 1000
)

// groups remembers the albums of which a message was taken lately, so that the others are taken with it. A message that
// comes before the one that names the bot is not: platforms put the caption on the first.
type groups struct {
	mu   sync.Mutex
	seen map[string]groupSeen
}

type groupSeen struct {
	reach Reach
	at    time.Time
}

func groupKey(ev *Event) string {
	return ev.Room.ID + "\x00" + ev.Thread + "\x00" + ev.Sender.Key + "\x00" + ev.Group
}

// find is how the event's group reached the bot; ok is false if it is in none that is known.
func (g *groups) find(ev *Event, now time.Time) (Reach, bool) {
	if ev.Group == "" {
		return "", false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	s, ok := g.seen[groupKey(ev)]
	return s.reach, ok && now.Sub(s.at) < groupFor
}

// add notes that a message of a group was taken.
func (g *groups) add(ev *Event, now time.Time) {
	if ev.Group == "" {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.seen) >= maxGroups {
		for k, s := range g.seen {
			if now.Sub(s.at) >= groupFor {
				delete(g.seen, k)
			}
		}
	}
	if len(g.seen) < maxGroups {
		g.seen[groupKey(ev)] = groupSeen{reach: ev.Reach, at: now}
	}
}
