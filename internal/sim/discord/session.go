package discord

import (
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"strings"
	"time"
)

type identify struct {
	Token    string          `json:"token"`
	Intents  *int            `json:"intents"`
	Compress bool            `json:"compress"`
	Shard    *[2]int         `json:"shard"`
	Props    json.RawMessage `json:"properties"`
}

// identify: https://docs.discord.com/developers/events/gateway#identifying
func (c *conn) identify(data json.RawMessage) {
	s := c.s
	var in identify
	switch {
	case json.Unmarshal(data, &in) != nil:
		s.violate("gateway: Identify cannot be decoded")
		c.shut(closeDecode, "Error while decoding payload.")
		return
	case c.session != nil:
		s.violate("gateway: Identify on an identified connection")
		c.shut(closeAlready, "Already authenticated.")
		return
	case cutBot(in.Token) != s.token:
		c.shut(closeAuthFailed, "Authentication failed.")
		return
	case in.Intents == nil || *in.Intents&^knownIntents != 0 || *in.Intents < 0:
		s.violate("gateway: invalid intents")
		c.shut(closeIntents, "Invalid intent(s).")
		return
	case *in.Intents&s.disallowed() != 0:
		c.shut(closeDisallowed, "Disallowed intent(s).")
		return
	}
	shard := [2]int{0, 1}
	if in.Shard != nil {
		shard = *in.Shard
		if shard[1] < 1 || shard[0] < 0 || shard[0] >= shard[1] {
			s.violate("gateway: invalid shard %v", shard)
			c.shut(closeShard, "Invalid shard.")
			return
		}
	}
	if !s.countIdentify() {
		c.sendOp(opInvalidSession, false)
		return
	}
	c.start(&session{id: strings.ToLower(rand.Text()), intents: *in.Intents, compress: in.Compress, shard: shard[0], shards: shard[1]})
}

// disallowed are the privileged intents that are off in the portal.
func (s *Server) disallowed() int {
	off := 0
	if s.noContent {
		off |= intentMessageContent
	}
	if !s.opt.GuildMembers {
		off |= intentGuildMembers
	}
	if !s.opt.Presences {
		off |= intentPresences
	}
	return off
}

func (s *Server) countIdentify() bool {
	g, now := &s.gw, time.Now()
	if now.Sub(g.since) > identifyWindow {
		g.since, g.identifies = now, 0
	}
	g.identifies++
	if g.identifies > maxIdentifies {
		s.violate("gateway: more than %d Identify in a day", maxIdentifies)
	}
	if early := g.lastIdentify.Add(s.opt.IdentifyEvery).Sub(now); s.opt.IdentifyEvery > 0 && early > 0 {
		s.violate("gateway: Identify %s too early", early)
		return false
	}
	g.lastIdentify = now
	return true
}

// start gives a connection its new session: READY, then the guild.
func (c *conn) start(x *session) {
	s := c.s
	if c.reconnectInstead() {
		return
	}
	s.sweepSessions()
	s.gw.sessions[x.id] = x
	c.session, x.conn = x, c
	s.log.Info("gateway session", slog.Int("intents", x.intents))
	s.deliver(x, "READY", mustJSON(map[string]any{
		"v": 9, "user": s.me(), "session_id": x.id, "session_type": "normal",
		"resume_gateway_url": "ws://" + s.addr + "/resume", "shard": [2]int{x.shard, x.shards},
		"guilds":           []any{map[string]any{"id": s.guild.ID, "unavailable": true}},
		"application":      map[string]any{"id": s.appID(), "flags": s.appFlags()},
		"private_channels": []any{}, "presences": []any{}, "relationships": []any{}, "geo_ordered_rtc_regions": []any{},
	}))
	if x.wants(intentGuilds, s.guild.ID) {
		s.deliver(x, "GUILD_CREATE", mustJSON(s.guildCreate()))
	}
	s.notify.Notify()
}

func (s *Server) me() map[string]any {
	o := userObject(s.bot)
	o["verified"], o["mfa_enabled"], o["email"], o["flags"] = true, false, nil, 0
	return o
}

// reconnectInstead answers with Op 7 where READY or RESUMED would stand, when told to.
func (c *conn) reconnectInstead() bool {
	if c.s.gw.reconnectFirst == 0 {
		return false
	}
	c.s.gw.reconnectFirst--
	c.sendOp(opReconnect, nil)
	return true
}

// sweepSessions forgets the sessions that can no longer be resumed, and the oldest one over the bound.
func (s *Server) sweepSessions() {
	var oldest *session
	for id, x := range s.gw.sessions {
		if x.conn != nil {
			continue
		}
		if time.Since(x.left) > s.opt.SessionTTL {
			delete(s.gw.sessions, id)
			continue
		}
		if oldest == nil || x.left.Before(oldest.left) {
			oldest = x
		}
	}
	if len(s.gw.sessions) >= maxSessions && oldest != nil {
		delete(s.gw.sessions, oldest.id)
	}
}

// resume: https://docs.discord.com/developers/events/gateway#resuming
func (c *conn) resume(data json.RawMessage) {
	s := c.s
	var in struct {
		Token   string `json:"token"`
		Session string `json:"session_id"`
		Seq     int    `json:"seq"`
	}
	switch {
	case json.Unmarshal(data, &in) != nil:
		s.violate("gateway: Resume cannot be decoded")
		c.shut(closeDecode, "Error while decoding payload.")
		return
	case c.session != nil:
		s.violate("gateway: Resume on an identified connection")
		c.shut(closeAlready, "Already authenticated.")
		return
	case cutBot(in.Token) != s.token:
		c.shut(closeAuthFailed, "Authentication failed.")
		return
	}
	s.sweepSessions()
	x := s.gw.sessions[in.Session]
	if x == nil {
		c.sendOp(opInvalidSession, false)
		return
	}
	if in.Seq > x.seq {
		s.violate("gateway: Resume with seq %d, the session is at %d", in.Seq, x.seq)
		delete(s.gw.sessions, x.id)
		c.shut(closeSeq, "Invalid seq.")
		return
	}
	if c.reconnectInstead() {
		return
	}
	missed := x.after(in.Seq)
	if missed < 0 {
		delete(s.gw.sessions, x.id)
		c.sendOp(opInvalidSession, false)
		return
	}
	if old := x.conn; old != nil {
		old.session = nil
		old.cut()
	}
	x.conn, c.session = c, x
	for _, e := range x.events[missed:] {
		if e.name != "RESUMED" { // of an earlier resume
			c.send(x.frame(e))
		}
	}
	s.deliver(x, "RESUMED", mustJSON(map[string]any{"_trace": []string{"stand-in"}}))
	s.notify.Notify()
}

// after is the index of the first event after seq, or -1 when that event is no longer kept.
func (x *session) after(seq int) int {
	if seq == x.seq {
		return len(x.events)
	}
	if len(x.events) == 0 || x.events[0].seq > seq+1 {
		return -1
	}
	return seq + 1 - x.events[0].seq
}

// members answers a request for guild members.
// Source: https://docs.discord.com/developers/events/gateway-events#request-guild-members
func (c *conn) members(data json.RawMessage) {
	s, x := c.s, c.session
	var in struct {
		Query *string         `json:"query"`
		Users json.RawMessage `json:"user_ids"`
		Nonce string          `json:"nonce"`
	}
	if json.Unmarshal(data, &in) != nil {
		c.shut(closeDecode, "Error while decoding payload.")
		return
	}
	var ids []string
	if json.Unmarshal(in.Users, &ids) != nil {
		ids = []string{nonceText(in.Users)}
	}
	members, missing := []any{}, []string{}
	for _, id := range ids {
		if u := s.users[id]; u != nil {
			members = append(members, s.memberObject(u, true))
		} else if id != "" {
			missing = append(missing, id)
		}
	}
	if in.Query != nil && (*in.Query != "" || x.intents&intentGuildMembers != 0) {
		for _, id := range s.people {
			if u := s.users[id]; strings.HasPrefix(u.Username, strings.ToLower(*in.Query)) {
				members = append(members, s.memberObject(u, true))
			}
		}
	}
	s.deliver(x, "GUILD_MEMBERS_CHUNK", mustJSON(map[string]any{
		"guild_id": s.guild.ID, "members": members, "not_found": missing, "chunk_index": 0, "chunk_count": 1, "nonce": in.Nonce,
	}))
}

// endAll forgets every session.
func (g *gateway) endAll() {
	for id, x := range g.sessions {
		if x.conn != nil {
			x.conn.session = nil
		}
		delete(g.sessions, id)
	}
}
