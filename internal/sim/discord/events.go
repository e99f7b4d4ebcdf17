package discord

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"
)

// Intents. Source: https://docs.discord.com/developers/events/gateway#list-of-intents
const (
	intentGuilds          = 1 << 0
	intentGuildMembers    = 1 << 1
	intentPresences       = 1 << 8
	intentGuildMessages   = 1 << 9
	intentGuildReactions  = 1 << 10
	intentGuildTyping     = 1 << 11
	intentDirectMessages  = 1 << 12
	intentDirectReactions = 1 << 13
	intentDirectTyping    = 1 << 14
	intentMessageContent  = 1 << 15
	knownIntents          = 1<<17 - 1 | 1<<20 | 1<<21 | 1<<24 | 1<<25
)

// intentPair is what an event needs in a guild and in direct messages; 0 needs nothing.
type intentPair struct{ guild, direct int }

var (
	guildIntents    = intentPair{intentGuilds, 0}
	messageIntents  = intentPair{intentGuildMessages, intentDirectMessages}
	reactionIntents = intentPair{intentGuildReactions, intentDirectReactions}
	typingIntents   = intentPair{intentGuildTyping, intentDirectTyping}
)

func (p intentPair) of(c *channel) int {
	if c.guild == "" {
		return p.direct
	}
	return p.guild
}

// event is one dispatch of a session, kept for a resume.
type event struct {
	seq  int
	name string
	data json.RawMessage
}

// emit runs the delivery of one event now, or keeps it back for [Server.Reorder].
func (s *Server) emit(deliver func()) {
	g := &s.gw
	if g.hold == 0 {
		deliver()
		return
	}
	g.held = append(g.held, deliver)
	if len(g.held) >= g.hold {
		s.releaseHeld()
	}
}

func (s *Server) releaseHeld() {
	held := s.gw.held
	s.gw.hold, s.gw.held = 0, nil
	for _, deliver := range slices.Backward(held) {
		deliver()
	}
}

// wants tells whether a session gets events of a guild or, with "", of direct messages.
func (x *session) wants(need int, guild string) bool {
	if need != 0 && x.intents&need == 0 {
		return false
	}
	if x.shards <= 1 {
		return true
	}
	if guild == "" {
		return x.shard == 0
	}
	id, _ := strconv.ParseUint(guild, 10, 64)
	return int(id>>22%uint64(x.shards)) == x.shard
}

// dispatchGuild sends an event of the guild itself.
func (s *Server) dispatchGuild(name string, need int, object any) {
	if len(s.gw.sessions) == 0 {
		return
	}
	data := mustJSON(object)
	s.emit(func() {
		for _, x := range s.gw.sessions {
			if x.wants(need, s.guild.ID) {
				s.deliver(x, name, data)
			}
		}
	})
}

// dispatchChannel sends an event of a channel that the bot can view.
func (s *Server) dispatchChannel(name string, c *channel, need intentPair, object any) {
	if len(s.gw.sessions) == 0 || !s.sees(c) {
		return
	}
	data := mustJSON(object)
	s.emit(func() {
		for _, x := range s.gw.sessions {
			if x.wants(need.of(c), c.guild) {
				s.deliver(x, name, data)
			}
		}
	})
}

// dispatchMessage sends a whole message, without its content to sessions that lack the intent for it.
func (s *Server) dispatchMessage(name string, m *message) {
	c := m.channel
	if len(s.gw.sessions) == 0 || !s.sees(c) || m.flags&flagEphemeral != 0 {
		return
	}
	full := mustJSON(s.messageObject(m, view{event: true}))
	stripped := full
	if s.hidden(m) || m.ref != nil {
		stripped = mustJSON(s.messageObject(m, view{event: true, hide: true}))
	}
	s.emit(func() {
		for _, x := range s.gw.sessions {
			if !x.wants(messageIntents.of(c), c.guild) {
				continue
			}
			if x.intents&intentMessageContent != 0 {
				s.deliver(x, name, full)
			} else {
				s.deliver(x, name, stripped)
			}
		}
	})
}

// dispatchTyping: https://docs.discord.com/developers/events/gateway-events#typing-start
func (s *Server) dispatchTyping(c *channel, u *user) {
	o := map[string]any{"channel_id": c.id, "user_id": u.ID, "timestamp": time.Now().Unix()}
	if c.guild != "" {
		o["guild_id"] = c.guild
		o["member"] = s.memberObject(u, true)
	}
	s.dispatchChannel("TYPING_START", c, typingIntents, o)
}

// deliver gives a session its next event.
func (s *Server) deliver(x *session, name string, data json.RawMessage) {
	x.seq++
	x.events = append(x.events, event{seq: x.seq, name: name, data: data})
	if over := len(x.events) - s.opt.ResumeBuffer; over > 0 {
		x.events = slices.Delete(x.events, 0, over)
	}
	if x.conn != nil {
		x.conn.send(x.frame(x.events[len(x.events)-1]))
	}
}
