package playground

import (
	"strconv"
	"strings"
	"time"

	"github.com/clickai/bridge/internal/sim"
)

const (
	// maxPlaces bounds the rooms and threads of a platform that are shown, and maxMessages the messages of one: the newest.
	maxPlaces   = 150
	maxMessages = 120
	// lookGap is the least time between two looks at a stand-in; a look that takes long is followed by a longer pause.
	lookGap    = 40 * time.Millisecond
	lookFactor = 4
)

// follow looks whenever something has changed, until the server closes.
func (s *Server) follow(changed func() <-chan struct{}, more func() <-chan struct{}, look func()) {
	for {
		one := changed()
		var two <-chan struct{}
		if more != nil {
			two = more()
		}
		began := time.Now()
		look()
		pause := time.NewTimer(max(lookGap, lookFactor*time.Since(began)))
		select {
		case <-pause.C:
		case <-s.ctx.Done():
			pause.Stop()
			return
		}
		select {
		case <-one:
		case <-two:
		case <-s.ctx.Done():
			return
		}
	}
}

// placeItem is a room or thread.
type placeItem struct {
	Platform string   `json:"p"`
	Room     string   `json:"room"`
	Thread   string   `json:"thread"`
	Name     string   `json:"name"`
	Kind     string   `json:"kind"`
	Order    int      `json:"order"`
	Typing   bool     `json:"typing,omitempty"`
	Status   string   `json:"status,omitempty"`
	Draft    string   `json:"draft,omitempty"`
	Prompts  []string `json:"prompts,omitempty"`
}

// platformItem is how a platform stands.
type platformItem struct {
	Connected  bool      `json:"connected"`
	Violations []string  `json:"violations,omitempty"`
	Commands   []command `json:"commands,omitempty"`
}

// watcher turns what one stand-in tells into items. Only its own goroutine uses it.
type watcher struct {
	s    *Server
	p    *platform
	sums map[string]uint64 // of the messages that are shown
	keys map[string]bool   // of all items that this watcher has put
}

// look tells everything once.
func (w *watcher) look() {
	p, name := w.p, w.p.Name()
	var all []sim.Message
	keys := map[string]bool{}
	places := p.Places()
	for i, x := range newestPlaces(places) {
		key := strings.Join([]string{"p", name, x.Room, x.Thread}, "|")
		item := placeItem{Platform: name, Room: x.Room, Thread: x.Thread, Name: x.Name, Kind: x.Kind, Order: i}
		item.Status, item.Typing = p.Typing(x.Room, x.Thread)
		if p.draft != nil {
			item.Draft = p.draft(x.Room, x.Thread)
		}
		if p.prompts != nil {
			item.Prompts = p.prompts(x.Room, x.Thread)
		}
		keys[key] = true
		w.s.hub.set(key, item)
		messages := p.Messages(x.Room, x.Thread)
		for _, m := range messages[max(0, len(messages)-maxMessages):] {
			if k := messageKey(name, m.Ref); !keys[k] {
				keys[k] = true
				all = append(all, m)
			}
		}
	}
	w.s.links.learn(p, places, all, w.s.relay.snapshot())
	for i := range all {
		m := &all[i]
		key := messageKey(name, m.Ref)
		turn := w.s.links.turnOf(key)
		if n := sum(m, turn); w.sums[key] != n {
			w.sums[key] = n
			w.s.hub.set(key, p.view(*m, turn))
		}
	}
	w.personal(places, keys)
	for key := range w.keys {
		if !keys[key] {
			w.s.hub.drop(key)
			delete(w.sums, key)
		}
	}
	w.keys = keys
	state := platformItem{Connected: p.Connected(), Violations: p.Violations(), Commands: p.commands()}
	state.Violations = state.Violations[max(0, len(state.Violations)-10):]
	w.s.hub.set("c|"+name, state)
}

// personal is what only one person sees: messages, forms, hints.
func (w *watcher) personal(places []sim.Place, keys map[string]bool) {
	p := w.p
	put := func(key string, v any) {
		keys[key] = true
		w.s.hub.set(key, v)
	}
	if p.forms != nil {
		for _, f := range p.forms() {
			put(strings.Join([]string{"w", p.Name(), f.ID}, "|"), f)
		}
	}
	if p.hints != nil {
		for _, x := range p.hints() {
			put(strings.Join([]string{"n", p.Name(), x.ID}, "|"), x)
		}
	}
	if p.only == nil {
		return
	}
	for _, x := range newestPlaces(places) {
		for _, who := range p.people {
			messages := p.only(x.Room, x.Thread, who.ID)
			for _, m := range messages[max(0, len(messages)-20):] {
				v := p.view(m, 0)
				v.Only = who.ID
				put("e"+strings.TrimPrefix(messageKey(p.Name(), m.Ref), "m"), v)
			}
		}
	}
}

// newestPlaces leaves out the oldest threads when there are too many places.
func newestPlaces(all []sim.Place) []sim.Place {
	if len(all) <= maxPlaces {
		return all
	}
	var rooms, threads []sim.Place
	for _, x := range all {
		if x.Kind == "thread" {
			threads = append(threads, x)
		} else {
			rooms = append(rooms, x)
		}
	}
	rooms = rooms[:min(len(rooms), maxPlaces)]
	return append(rooms, threads[max(0, len(threads)-(maxPlaces-len(rooms))):]...)
}

// turnItem is a turn without its events.
type turnItem struct {
	ID             int      `json:"id"`
	Platform       string   `json:"p,omitempty"`
	Where          string   `json:"where,omitempty"` // name of the place
	Path           string   `json:"path"`
	Query          string   `json:"query"`
	User           string   `json:"user"`
	Request        string   `json:"request"`
	Sent           string   `json:"sent"`
	ConversationID string   `json:"conversation"`
	MessageID      string   `json:"message"`
	TaskID         string   `json:"task"`
	RunID          string   `json:"run,omitempty"`
	HTTP           int      `json:"http"`
	Status         string   `json:"status"`
	Error          string   `json:"error,omitempty"`
	Started        int64    `json:"started"`
	Took           int64    `json:"took,omitempty"` // milliseconds
	First          int64    `json:"first,omitempty"`
	Events         int      `json:"events"`
	Letters        int      `json:"letters"`
	Faults         []string `json:"faults,omitempty"`
	Files          []Upload `json:"files,omitempty"`
	Ratings        []Rating `json:"ratings,omitempty"`
}

// eventItem is an event: milliseconds after the question, kind, text, data.
type eventItem [4]any

// eventChunk is how many events share an item, so that an answer that grows changes small items only.
const eventChunk = 40

// turnWatcher turns what the relay records into items.
type turnWatcher struct {
	s    *Server
	keys map[string]bool
}

func (w *turnWatcher) look() {
	r, keys := w.s.relay, map[string]bool{}
	put := func(key string, v any) {
		keys[key] = true
		w.s.hub.set(key, v)
	}
	r.mu.Lock()
	uploads, ratings, armed := r.uploads, r.ratings, r.faults
	type chunk struct {
		key    string
		events []eventItem
	}
	var items []turnItem
	var chunks []chunk
	for _, t := range r.turns {
		it := turnItem{
			ID: t.ID, Path: t.Path, Query: t.Query, User: t.User, Request: t.Request, Sent: t.Sent, ConversationID: t.ConversationID,
			MessageID: t.MessageID, TaskID: t.TaskID, RunID: t.RunID, HTTP: t.HTTP, Status: t.Status, Error: t.Error,
			Started: t.Started.UnixMilli(), Events: t.EventCount, Letters: t.answer, Faults: append([]string{}, t.Faults...),
		}
		if !t.Ended.IsZero() {
			it.Took = t.Ended.Sub(t.Started).Milliseconds()
		}
		if len(t.texts) > 0 {
			it.First = t.texts[0].At.Sub(t.Started).Milliseconds()
		}
		for _, u := range uploads {
			for _, id := range t.Files {
				if u.ID == id {
					it.Files = append(it.Files, u)
				}
			}
		}
		for _, x := range ratings {
			if x.MessageID == t.MessageID && t.MessageID != "" {
				it.Ratings = append(it.Ratings, x)
			}
		}
		items = append(items, it)
		for from := 0; from < len(t.Events); from += eventChunk {
			c := chunk{key: "v|" + strconv.Itoa(t.ID) + "|" + strconv.Itoa(from/eventChunk)}
			// A full chunk whose item stands already does not change any more.
			if full := from+eventChunk <= len(t.Events); full && w.keys[c.key+"!"] {
				keys[c.key], keys[c.key+"!"] = true, true
				continue
			}
			for _, e := range t.Events[from:min(from+eventChunk, len(t.Events))] {
				c.events = append(c.events, eventItem{e.At.Sub(t.Started).Milliseconds(), e.Kind, e.Text, e.Data})
			}
			chunks = append(chunks, c)
		}
	}
	waiting := append(faultList{}, armed...)
	r.mu.Unlock()
	for i := range items {
		it := &items[i]
		it.Platform, it.Where = w.s.links.whereIs(it.ID)
		put("t|"+strconv.Itoa(it.ID), it)
		if did, ok := w.s.links.did(it.ID); ok {
			put("d|"+strconv.Itoa(it.ID), did)
		}
	}
	for _, c := range chunks {
		put(c.key, c.events)
		if len(c.events) == eventChunk {
			keys[c.key+"!"] = true // not an item: a mark that it is complete
		}
	}
	put("f", waiting)
	for key := range w.keys {
		if !keys[key] {
			w.s.hub.drop(key)
		}
	}
	w.keys = keys
}
