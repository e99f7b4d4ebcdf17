package slack

import (
	"time"

	"github.com/clickai/bridge/internal/sim"
)

// Places lists the rooms, those from the start first, then the threads in the order of their first reply.
func (s *Server) Places() []sim.Place {
	s.mu.Lock()
	defer s.mu.Unlock()
	places := make([]sim.Place, 0, len(s.channels)+len(s.threads))
	for _, ch := range s.channels {
		kind := map[string]string{"im": "direct", "channel": "channel"}[ch.kind]
		if kind == "" {
			kind = "group"
		}
		places = append(places, sim.Place{Room: ch.id, Name: ch.name, Kind: kind})
	}
	for _, k := range s.threads {
		places = append(places, s.threadPlaceLocked(k))
	}
	return places
}

// threadPlaceLocked names a thread by its title, or by the beginning of its first message.
func (s *Server) threadPlaceLocked(k placeKey) sim.Place {
	p := sim.Place{Room: k.room, Thread: k.thread, Kind: "thread"}
	ch := s.byID[k.room]
	if p.Name = ch.titles[k.thread]; p.Name != "" {
		return p
	}
	if m := ch.byTS[k.thread]; m != nil {
		s.lookLocked(m.now())
		name := []rune(m.now().shown)
		p.Name = string(name[:min(len(name), 60)])
	}
	return p
}

// Messages lists a room's messages without the replies of its threads, or a thread's with its parent first, oldest
// first. Ephemeral messages are not among them.
func (s *Server) Messages(room, thread string) []sim.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	ch := s.roomLocked(room)
	if ch == nil {
		return nil
	}
	var out []sim.Message
	for _, m := range ch.messages {
		here := m.thread == "" || m.broadcast
		if thread != "" {
			here = m.thread == thread || m.ts == thread
		}
		if here {
			out = append(out, s.showLocked(ch, m))
		}
	}
	return out
}

// Find is one message. Thread in the reference may be left out.
func (s *Server) Find(at sim.Ref) (sim.Message, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ch, m, err := s.findLocked(at)
	if err != nil {
		return sim.Message{}, false
	}
	return s.showLocked(ch, m), true
}

// Typing is the status line of an assistant thread: set by the bot, gone with its next message there, or after two
// minutes.
func (s *Server) Typing(room, thread string) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st, ok := s.statuses[placeKey{room, thread}]
	if !ok || time.Now().After(st.until) {
		return "", false
	}
	return st.text, true
}

// Streaming tells whether a message of the bot's still grows by chat.appendStream.
func (s *Server) Streaming(at sim.Ref) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, m, err := s.findLocked(at)
	return err == nil && m.stream != nil && m.stream.open
}

// showLocked is a message as a reader sees it.
func (s *Server) showLocked(ch *channel, m *message) sim.Message {
	out := sim.Message{
		Ref: ch.ref(m), Author: m.user, Bot: m.bot, Reactions: map[string][]string{}, At: m.at,
		Raw: plainJSON(s.messageLocked(ch, m, true)), Versions: make([]sim.Version, 0, len(m.versions)),
	}
	for _, c := range m.versions {
		s.lookLocked(c)
		out.Versions = append(out.Versions, sim.Version{At: c.at, Text: c.markup, Shown: c.shown})
	}
	out.Text, out.Shown = m.now().markup, m.now().shown
	for _, f := range m.files {
		out.Files = append(out.Files, sim.File{Name: f.name, MIME: f.mime, Data: f.data})
	}
	for _, r := range m.reactions {
		char := emojiChar(r.name)
		out.Reactions[char] = append(out.Reactions[char], r.users...)
	}
	return out
}
