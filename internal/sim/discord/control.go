package discord

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/clickai/bridge/internal/sim"
)

// Connected tells whether a gateway session of the bot is up: identified or resumed, and its connection open.
func (s *Server) Connected() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.connectedLocked()
}

func (s *Server) connectedLocked() bool {
	for _, x := range s.gw.sessions {
		if x.conn != nil && !x.conn.closing.Load() {
			return true
		}
	}
	return false
}

// each does something with every open gateway connection.
func (s *Server) each(do func(*conn)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.gw.conns {
		do(c)
	}
	s.notify.Notify()
}

// Cut drops every gateway connection without a close frame. Sessions can be resumed.
func (s *Server) Cut() { s.each((*conn).cut) }

// CloseGateway closes every gateway connection with a code, such as 4000, 4009 or 4014. After 4004, 4007, 4009 and
// 4010 to 4014 the sessions are gone.
func (s *Server) CloseGateway(code int, reason string) {
	s.each(func(c *conn) {
		c.shut(code, reason)
		if code == closeAuthFailed || code == closeSeq || code == 4009 || (code >= closeShard && code <= closeDisallowed) {
			if x := c.session; x != nil {
				delete(s.gw.sessions, x.id)
				c.session, x.conn = nil, nil
			}
		}
	})
}

// Reconnect asks every client to reconnect and resume (Op 7).
func (s *Server) Reconnect() { s.each(func(c *conn) { c.sendOp(opReconnect, nil) }) }

// InvalidateSessions tells every client that its session is no longer valid (Op 9). With resumable a resume works all
// the same; without, every session is forgotten.
func (s *Server) InvalidateSessions(resumable bool) {
	s.each(func(c *conn) { c.sendOp(opInvalidSession, resumable) })
	if resumable {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gw.endAll()
	s.notify.Notify()
}

// ReconnectFirst makes the next n Identify or Resume be answered by Op 7 where READY or RESUMED is due.
func (s *Server) ReconnectFirst(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gw.reconnectFirst = n
}

// StallConnects makes the next n gateway connections open and then stay silent: not even Hello is sent.
func (s *Server) StallConnects(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gw.stalls = n
}

// Silence makes the present gateway connections carry nothing more to the client, neither events nor acks, as when the
// network lost them. The sessions go on and can be resumed.
func (s *Server) Silence() { s.each(func(c *conn) { c.silent = true }) }

// WithholdAcks makes heartbeats stay unanswered, or be answered again.
func (s *Server) WithholdAcks(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gw.withhold = on
}

// Sessions is how often the bot has identified so far; resumes do not count.
func (s *Server) Sessions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gw.identifies
}

// Redeliver sends the MESSAGE_CREATE of a message once more, as a new event.
func (s *Server) Redeliver(at sim.Ref) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, err := s.lookup(at)
	if err != nil {
		return fmt.Errorf("redeliver: %w", err)
	}
	s.dispatchMessage("MESSAGE_CREATE", m)
	return nil
}

// RedeliverEvents sends the last n events of every session once more, in their order, as new events. READY,
// GUILD_CREATE and RESUMED are left out.
func (s *Server) RedeliverEvents(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.gw.sessions {
		again := slices.DeleteFunc(slices.Clone(x.events), func(e event) bool {
			return e.name == "READY" || e.name == "RESUMED" || e.name == "GUILD_CREATE"
		})
		for _, e := range again[max(0, len(again)-n):] {
			s.deliver(x, e.name, e.data)
		}
	}
}

// Reorder keeps the next n events back and then sends them in reverse order. 0 sends at once what is kept back.
func (s *Server) Reorder(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.releaseHeld()
	s.gw.hold = n
}

// Backdate makes a message look older than it is, as for the limit on edits after an hour. Its id stays.
func (s *Server) Backdate(at sim.Ref, by time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, err := s.lookup(at)
	if err != nil {
		return fmt.Errorf("backdate: %w", err)
	}
	m.at = m.at.Add(-by)
	return nil
}

// Archive archives or opens a thread; locked ones only moderators can open.
func (s *Server) Archive(threadID string, archived, locked bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.channels[threadID]
	if t == nil || !t.isThread() {
		return fmt.Errorf("archive: no thread %s", threadID)
	}
	t.archived, t.locked, t.archivedAt = archived, locked, time.Now()
	s.dispatchChannelUpdate(t)
	return nil
}

// DeleteChannel deletes a channel or thread of the guild, as a moderator would.
func (s *Server) DeleteChannel(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.channels[id]
	if c == nil || c.guild == "" {
		return fmt.Errorf("delete: no channel %s in the guild", id)
	}
	s.deleteChannel(c)
	return nil
}

// CreateChannel makes a channel of the guild; its id is chosen unless given.
func (s *Server) CreateChannel(c Channel) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	typ, ok := channelKinds[c.Kind]
	if !ok || strings.TrimSpace(c.Name) == "" || s.channels[c.ID] != nil {
		return "", fmt.Errorf("create channel %q of kind %q with id %q", c.Name, c.Kind, c.ID)
	}
	if c.ID == "" {
		c.ID = s.ids.next(time.Now())
	}
	ch := &channel{id: c.ID, guild: s.guild.ID, typ: typ, name: c.Name, topic: c.Topic, position: len(s.rooms), deny: c.Deny}
	s.channels[c.ID] = ch
	s.rooms = append(s.rooms, c.ID)
	s.dispatchChannel("CHANNEL_CREATE", ch, guildIntents, s.channelObject(ch))
	s.notify.Notify()
	return c.ID, nil
}
