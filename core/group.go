package core

import (
	"sync"
	"time"
)

const (
	groupFor  = time.Minute // the messages of a group come within seconds, also after a reconnect
	maxGroups = 1000        // of a bot; over it the oldest is forgotten, of which nothing more is likely to come
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
	key := groupKey(ev)
	if _, ok := g.seen[key]; !ok && len(g.seen) >= maxGroups {
		oldest := ""
		for k, s := range g.seen {
			switch {
			case now.Sub(s.at) >= groupFor:
				delete(g.seen, k)
			case oldest == "" || s.at.Before(g.seen[oldest].at):
				oldest = k
			}
		}
		if len(g.seen) >= maxGroups {
			delete(g.seen, oldest)
		}
	}
	g.seen[key] = groupSeen{reach: ev.Reach, at: now}
}
