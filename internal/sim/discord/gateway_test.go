package discord_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bwmarrin/discordgo"
	"github.com/gorilla/websocket"

	"github.com/clickai/bridge/internal/memnet"
	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/discord"
)

func TestOpenDeliversInOrder(t *testing.T) {
	t.Parallel()
	s := start(t, fast())
	c := library(t, s)
	c.open(t)
	var ready struct {
		Session string `json:"session_id"`
		Resume  string `json:"resume_gateway_url"`
		User    struct {
			ID  string `json:"id"`
			Bot bool   `json:"bot"`
		} `json:"user"`
		Guilds []struct {
			ID          string `json:"id"`
			Unavailable bool   `json:"unavailable"`
		} `json:"guilds"`
		App struct {
			ID    string `json:"id"`
			Flags int    `json:"flags"`
		} `json:"application"`
	}
	if err := json.Unmarshal(c.want(t, "READY"), &ready); err != nil {
		t.Fatal(err)
	}
	if ready.Session == "" || !strings.HasPrefix(ready.Resume, "ws://127.0.0.1:") || ready.User.ID != discord.BotID ||
		!ready.User.Bot || len(ready.Guilds) != 1 || !ready.Guilds[0].Unavailable || ready.App.ID != discord.AppID ||
		ready.App.Flags != 1<<19 {
		t.Errorf("READY is %+v", ready)
	}
	var g discordgo.Guild
	if err := json.Unmarshal(c.want(t, "GUILD_CREATE"), &g); err != nil {
		t.Fatal(err)
	}
	if g.Name != "Acme" || len(g.Channels) != 3 || g.Channels[2].Type != discordgo.ChannelTypeGuildForum || len(g.Roles) != 2 {
		t.Errorf("guild %s with %d channels, %d roles", g.Name, len(g.Channels), len(g.Roles))
	}
	if !s.Connected() {
		t.Error("not connected after READY")
	}
	for i := range 50 {
		say(t, s, sim.Say{Room: discord.General, User: discord.Minh, Text: fmt.Sprint("n", i)})
	}
	last := int64(2)
	for i := range 50 {
		e := <-c.events
		var m discordgo.Message
		if err := json.Unmarshal(e.RawData, &m); err != nil {
			t.Fatal(err)
		}
		if e.Sequence != last+1 || m.Content != fmt.Sprint("n", i) || m.Author.ID != discord.Minh || m.Member == nil || m.GuildID != discord.GuildAcme {
			t.Fatalf("event %d: seq %d after %d, content %q", i, e.Sequence, last, m.Content)
		}
		last = e.Sequence
	}
	clean(t, s)
}

func TestResumeAfterCut(t *testing.T) {
	t.Parallel()
	s := start(t, fast())
	c := connect(t, s)
	s.Cut()
	until(t, s, "disconnected", func() bool { return !s.Connected() })
	for i := range 3 {
		say(t, s, sim.Say{Room: discord.General, User: "Anna", Text: fmt.Sprint("missed ", i)})
	}
	reopen(t, c)
	for i := range 3 {
		if m := c.message(t, "MESSAGE_CREATE"); m.Content != fmt.Sprint("missed ", i) {
			t.Errorf("replayed %q", m.Content)
		}
	}
	c.want(t, "RESUMED")
	say(t, s, sim.Say{Room: discord.General, User: "Anna", Text: "after"})
	if m := c.message(t, "MESSAGE_CREATE"); m.Content != "after" {
		t.Errorf("after the resume came %q", m.Content)
	}
	if s.Sessions() != 1 {
		t.Errorf("%d sessions were started", s.Sessions())
	}
	clean(t, s)
}

// reopen opens again once the library has noticed that its connection is gone.
func reopen(t *testing.T, c *client) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		err := c.Open()
		if err == nil {
			return
		}
		if !errors.Is(err, discordgo.ErrWSAlreadyOpen) || time.Now().After(deadline) {
			t.Fatalf("reopen: %v", err)
		}
	}
}

func TestRefusedIdentify(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		options discord.Options
		token   string
		intents discordgo.Intent
		code    int
	}{
		{"wrong token", discord.Options{}, "Bot nonsense", allIntents, 4004},
		{"content intent is off", discord.Options{NoMessageContent: true}, "", allIntents, 4014},
		{"members intent is off", discord.Options{}, "", discordgo.IntentGuildMembers, 4014},
		{"unknown intent", discord.Options{}, "", 1 << 30, 4013},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, tt.options)
			c := library(t, s)
			c.Identify.Intents = tt.intents
			if tt.token != "" {
				c.Identify.Token = tt.token
			}
			err := c.Open()
			closed, ok := errors.AsType[*websocket.CloseError](err)
			if !ok || closed.Code != tt.code {
				t.Fatalf("open gave %v, want close code %d", err, tt.code)
			}
			if s.Connected() {
				t.Error("connected all the same")
			}
		})
	}
}

// socket is a bare gateway client.
type socket struct {
	*websocket.Conn
	t *testing.T
}

type packet struct {
	Op   int             `json:"op"`
	Type string          `json:"t"`
	Seq  int             `json:"s"`
	Data json.RawMessage `json:"d"`
}

func dial(t *testing.T, s *discord.Server, query string) socket {
	t.Helper()
	return dialBy(t, s, query, websocket.DefaultDialer)
}

func dialBy(t *testing.T, s *discord.Server, query string, d *websocket.Dialer) socket {
	t.Helper()
	ws, resp, err := d.DialContext(t.Context(), s.GatewayURL()+"/?"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	t.Cleanup(func() { _ = ws.Close() })
	return socket{ws, t}
}

func (w socket) next() packet {
	w.t.Helper()
	var p packet
	_ = w.SetReadDeadline(time.Now().Add(patience))
	if err := w.ReadJSON(&p); err != nil {
		w.t.Fatalf("read: %v", err)
	}
	return p
}

func (w socket) op(op int, data any) {
	w.t.Helper()
	if err := w.WriteJSON(object{"op": op, "d": data}); err != nil {
		w.t.Fatal(err)
	}
}

// closedWith reads on to the end and gives the close code.
func (w socket) closedWith() int {
	w.t.Helper()
	_ = w.SetReadDeadline(time.Now().Add(patience))
	for {
		if _, _, err := w.ReadMessage(); err != nil {
			closed, ok := errors.AsType[*websocket.CloseError](err)
			if !ok {
				w.t.Fatalf("no close frame: %v", err)
			}
			return closed.Code
		}
	}
}

func identified(t *testing.T, s *discord.Server, intents int) (socket, string) {
	t.Helper()
	return identifiedBy(t, s, intents, websocket.DefaultDialer)
}

func identifiedBy(t *testing.T, s *discord.Server, intents int, d *websocket.Dialer) (socket, string) {
	t.Helper()
	w := dialBy(t, s, "v=9&encoding=json", d)
	if p := w.next(); p.Op != 10 {
		t.Fatalf("first packet has op %d", p.Op)
	}
	w.op(2, object{"token": s.Token(), "intents": intents, "properties": object{}})
	p := w.next()
	if p.Type != "READY" {
		t.Fatalf("got %s for READY", p.Type)
	}
	var ready struct {
		Session string `json:"session_id"`
	}
	if err := json.Unmarshal(p.Data, &ready); err != nil {
		t.Fatal(err)
	}
	if intents&1 != 0 {
		w.next() // GUILD_CREATE
	}
	return w, ready.Session
}

func TestGatewayProtocol(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		do   func(*testing.T, *discord.Server, socket)
		code int
	}{
		{"unknown op", func(_ *testing.T, _ *discord.Server, w socket) { w.op(99, nil) }, 4001},
		{"no JSON", func(_ *testing.T, _ *discord.Server, w socket) {
			_ = w.WriteMessage(websocket.TextMessage, []byte("{"))
		}, 4002},
		{"too large", func(_ *testing.T, _ *discord.Server, w socket) { w.op(3, strings.Repeat("x", 4097)) }, 4002},
		{"identify twice", func(_ *testing.T, s *discord.Server, w socket) { w.op(2, object{"token": s.Token(), "intents": 1}) }, 4005},
		{"too many payloads", func(_ *testing.T, _ *discord.Server, w socket) {
			for range 121 {
				w.op(1, nil)
			}
		}, 4008},
		{"closed by command", func(_ *testing.T, s *discord.Server, _ socket) { s.CloseGateway(4009, "Session timed out.") }, 4009},
		{"token changed", func(_ *testing.T, s *discord.Server, _ socket) { s.SetToken("another") }, 4004},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, discord.Options{})
			w, _ := identified(t, s, 1)
			tt.do(t, s, w)
			if code := w.closedWith(); code != tt.code {
				t.Errorf("closed with %d, want %d", code, tt.code)
			}
		})
	}
}

func TestGatewayBeforeIdentify(t *testing.T) {
	t.Parallel()
	s := start(t, discord.Options{})
	w := dial(t, s, "v=9&encoding=json")
	w.next()
	w.op(3, object{})
	if code := w.closedWith(); code != 4003 {
		t.Errorf("closed with %d, want 4003", code)
	}
	w = dial(t, s, "v=3&encoding=json")
	if code := w.closedWith(); code != 4012 {
		t.Errorf("closed with %d, want 4012", code)
	}
	w = dial(t, s, "v=9")
	w.next()
	w.op(2, object{"token": s.Token(), "intents": 1, "shard": []int{2, 2}})
	if code := w.closedWith(); code != 4010 {
		t.Errorf("closed with %d, want 4010", code)
	}
}

func TestHeartbeats(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		<-time.After(26 * 365 * 24 * time.Hour) // virtual time begins in 2000, Discord's ids in 2015
		l := memnet.Listen()
		s := start(t, discord.Options{Listener: l, HeartbeatInterval: 30 * time.Second})
		w, _ := identifiedBy(t, s, 1, &websocket.Dialer{NetDialContext: l.DialContext})
		w.op(1, nil)
		if p := w.next(); p.Op != 11 {
			t.Errorf("heartbeat is answered by op %d", p.Op)
		}
		s.WithholdAcks(true)
		w.op(1, nil)
		s.Reconnect()
		if p := w.next(); p.Op != 7 {
			t.Errorf("op %d came where an ack was withheld and a reconnect asked for", p.Op)
		}
		began := time.Now()
		if code := w.closedWith(); code != 4000 { // no heartbeat follows
			t.Errorf("closed with %d, want 4000", code)
		}
		if took := time.Since(began); took != 45*time.Second {
			t.Errorf("closed after %v, want one and a half of the interval", took)
		}
		violated(t, s, "no heartbeat")
	})
}

func resume(t *testing.T, s *discord.Server, session string, seq int) socket {
	t.Helper()
	w := dial(t, s, "v=9&encoding=json")
	w.next()
	w.op(6, object{"token": s.Token(), "session_id": session, "seq": seq})
	return w
}

func TestResumeByHand(t *testing.T) {
	t.Parallel()
	s := start(t, discord.Options{ResumeBuffer: 5, RateScale: 1e-9})
	w, id := identified(t, s, 1|1<<9)
	s.Cut()
	_, _, err := w.ReadMessage()
	if _, ok := errors.AsType[*websocket.CloseError](err); ok && !websocket.IsCloseError(err, websocket.CloseAbnormalClosure) {
		t.Errorf("a cut sent a close frame: %v", err)
	}
	until(t, s, "cut", func() bool { return !s.Connected() })
	for range 4 {
		say(t, s, sim.Say{Room: discord.General, User: "Tom", Text: "hi"})
	}
	w = resume(t, s, id, 4) // of READY, GUILD_CREATE and four messages
	for _, want := range []string{"MESSAGE_CREATE", "MESSAGE_CREATE", "RESUMED"} {
		if p := w.next(); p.Type != want {
			t.Fatalf("resumed with %s, want %s", p.Type, want)
		}
	}
	s.Cut()
	until(t, s, "cut", func() bool { return !s.Connected() })
	if code := resume(t, s, id, 99).closedWith(); code != 4007 {
		t.Errorf("a sequence from the future closes with %d", code)
	}

	_, id = identified(t, s, 1|1<<9)
	s.Cut()
	for range 9 {
		say(t, s, sim.Say{Room: discord.General, User: "Tom", Text: "more than the buffer"})
	}
	w = resume(t, s, id, 2)
	if p := w.next(); p.Op != 9 || string(p.Data) != "false" {
		t.Errorf("op %d %s where events are lost", p.Op, p.Data)
	}
	w.op(2, object{"token": s.Token(), "intents": 1})
	if p := w.next(); p.Type != "READY" {
		t.Errorf("identify after Op 9 gave %s", p.Type)
	}
}

func TestSessionEnds(t *testing.T) {
	t.Parallel()
	s := start(t, discord.Options{SessionTTL: time.Nanosecond})
	w, id := identified(t, s, 1)
	msg := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
	if err := w.WriteControl(websocket.CloseMessage, msg, time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	until(t, s, "closed", func() bool { return !s.Connected() })
	if p := resume(t, s, id, 1).next(); p.Op != 9 {
		t.Errorf("op %d: close code 1000 must end the session", p.Op)
	}
	_, id = identified(t, s, 1)
	s.Cut()
	until(t, s, "cut", func() bool { return !s.Connected() })
	if p := resume(t, s, id, 1).next(); p.Op != 9 {
		t.Errorf("op %d: the session must have timed out", p.Op)
	}
	w, _ = identified(t, s, 1)
	s.InvalidateSessions(false)
	if p := w.next(); p.Op != 9 || s.Connected() {
		t.Errorf("op %d, connected %v after the session was made invalid", p.Op, s.Connected())
	}
}

func TestMisbehaviour(t *testing.T) {
	t.Parallel()
	s := start(t, fast())
	w, id := identified(t, s, 1|1<<9|1<<15)
	type text struct {
		Content string `json:"content"`
	}
	content := func(w socket) string {
		t.Helper()
		p := w.next()
		var m text
		if p.Type != "MESSAGE_CREATE" || json.Unmarshal(p.Data, &m) != nil {
			t.Fatalf("%s %s", p.Type, p.Data)
		}
		return m.Content
	}
	speak := func(what string) sim.Ref {
		return say(t, s, sim.Say{Room: discord.General, User: "Tom", Text: what}).Ref
	}

	first := speak("one")
	if err := s.Redeliver(first); err != nil {
		t.Fatal(err)
	}
	speak("two")
	s.RedeliverEvents(2)
	got := []string{}
	for range 5 {
		got = append(got, content(w))
	}
	if want := []string{"one", "one", "two", "one", "two"}; !slices.Equal(got, want) {
		t.Errorf("delivered %q, want %q", got, want)
	}

	s.Reorder(2)
	speak("a")
	speak("b")
	speak("c")
	got = []string{content(w), content(w), content(w)}
	if want := []string{"b", "a", "c"}; !slices.Equal(got, want) {
		t.Errorf("reordered %q, want %q", got, want)
	}

	s.Silence()
	speak("lost on the way")
	w.op(1, nil)
	s.Cut()
	w = resume(t, s, id, 10)
	if c := content(w); c != "lost on the way" {
		t.Errorf("after the silence: %q", c)
	}
	w.next() // RESUMED

	s.ReconnectFirst(1)
	s.Cut()
	w = resume(t, s, id, 12)
	if p := w.next(); p.Op != 7 {
		t.Errorf("op %d, want 7 first", p.Op)
	}

	s.StallConnects(1)
	w = dial(t, s, "v=9")
	_ = w.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if _, data, err := w.ReadMessage(); err == nil {
		t.Errorf("a stalled connection sent %s", data)
	}
	clean(t, s)
}

func TestIdentifyPace(t *testing.T) {
	t.Parallel()
	s := start(t, discord.Options{IdentifyEvery: time.Hour})
	identified(t, s, 1)
	w := dial(t, s, "v=9")
	w.next()
	w.op(2, object{"token": s.Token(), "intents": 1})
	if p := w.next(); p.Op != 9 {
		t.Errorf("op %d for a second identify at once", p.Op)
	}
	violated(t, s, "too early")
	var limits struct {
		Limit struct {
			Remaining int `json:"remaining"`
			Total     int `json:"total"`
		} `json:"session_start_limit"`
	}
	call(t, s, "GET", "/gateway/bot", nil).ok(t).into(t, &limits)
	if limits.Limit.Total != 1000 || limits.Limit.Remaining != 998 {
		t.Errorf("limits %+v", limits)
	}
}

func TestIntentsSelectEvents(t *testing.T) {
	t.Parallel()
	s := start(t, fast())
	guild, _ := identified(t, s, 1<<9)
	direct, _ := identified(t, s, 1<<12)
	say(t, s, sim.Say{Room: discord.General, User: "Tom", Text: "secret"})
	say(t, s, sim.Say{Room: discord.DMTom, User: "Tom", Text: "direct"})
	say(t, s, sim.Say{Room: discord.General, User: "Tom", Text: "to you", Mention: true})
	mine := post(t, s, discord.General, object{"content": "mine"})
	contents := func(w socket, n int) []string {
		var out []string
		for range n {
			var m struct{ ID, Content string }
			if err := json.Unmarshal(w.next().Data, &m); err != nil {
				t.Fatal(err)
			}
			out = append(out, m.Content)
		}
		return out
	}
	if got, want := contents(guild, 3), []string{"", "<@" + discord.BotID + "> to you", "mine"}; !slices.Equal(got, want) {
		t.Errorf("without the content intent: %q, want %q", got, want)
	}
	if got := contents(direct, 1); got[0] != "direct" {
		t.Errorf("direct message has %q", got)
	}
	if err := s.React(t.Context(), sim.Ref{Room: discord.General, ID: mine}, "Tom", "👍"); err != nil {
		t.Fatal(err)
	}
	say(t, s, sim.Say{Room: discord.General, User: "Tom", Text: "x"})
	if p := guild.next(); p.Type != "MESSAGE_CREATE" {
		t.Errorf("%s came without its intent", p.Type)
	}
}

func TestShards(t *testing.T) {
	t.Parallel()
	s := start(t, fast())
	shards := []socket{}
	for i := range 2 {
		w := dial(t, s, "v=9")
		w.next()
		w.op(2, object{"token": s.Token(), "intents": 1<<9 | 1<<12, "shard": []int{i, 2}})
		w.next()
		shards = append(shards, w)
	}
	say(t, s, sim.Say{Room: discord.DMTom, User: "Tom", Text: "direct"})
	if p := shards[0].next(); p.Type != "MESSAGE_CREATE" {
		t.Errorf("shard 0 got %s for a direct message", p.Type)
	}
	// (1100000000000000000 >> 22) % 2
	owner := (1100000000000000000 >> 22) % 2
	say(t, s, sim.Say{Room: discord.General, User: "Tom", Text: "guild"})
	if p := shards[owner].next(); p.Type != "MESSAGE_CREATE" {
		t.Errorf("shard %d got %s for its guild", owner, p.Type)
	}
}

func TestRequestMembers(t *testing.T) {
	t.Parallel()
	s := start(t, discord.Options{})
	c := connect(t, s)
	if err := c.RequestGuildMembersList(discord.GuildAcme, []string{discord.Anna, "1100000000000000999"}, 0, "n", false); err != nil {
		t.Fatal(err)
	}
	var chunk discordgo.GuildMembersChunk
	if err := json.Unmarshal(c.want(t, "GUILD_MEMBERS_CHUNK"), &chunk); err != nil {
		t.Fatal(err)
	}
	if len(chunk.Members) != 1 || chunk.Members[0].User.ID != discord.Anna || len(chunk.NotFound) != 1 || chunk.Nonce != "n" {
		t.Errorf("chunk %+v", chunk)
	}
}
