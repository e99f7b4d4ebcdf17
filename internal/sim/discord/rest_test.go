package discord_test

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bwmarrin/discordgo"

	"github.com/clickai/bridge/internal/memnet"
	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/discord"
)

func TestUnknownRoutes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, method, path string
		status             int
		violation          string
	}{
		{"no such route", "GET", "/guilds/1/nonsense", 404, "GET /api/v9/guilds/1/nonsense: 404 0 404: Not Found"},
		{"no such method", "PUT", "/users/@me", 405, "405"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, discord.Options{})
			e := call(t, s, tt.method, tt.path, nil).fails(t, tt.status, 0)
			if e.Message != strconv.Itoa(tt.status)+": "+http.StatusText(tt.status) {
				t.Errorf("message %q", e.Message)
			}
			violated(t, s, tt.violation)
		})
	}
}

func TestVersionTokenAndAgent(t *testing.T) {
	t.Parallel()
	s := start(t, discord.Options{})
	get := func(url, token, agent string) answer {
		req, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", token)
		req.Header.Set("User-Agent", agent)
		return send(t, req)
	}
	base := s.APIURL()[:len(s.APIURL())-len("/v9")]
	const agent = "DiscordBot (https://example.org, 1)"
	get(base+"/v10/users/@me", "Bot "+s.Token(), agent).ok(t)
	get(base+"/v9/gateway", "", agent).ok(t)
	get(base+"/v9/users/@me", s.Token(), agent).fails(t, 401, 0)
	clean(t, s)
	for range 12 {
		get(base+"/v9/users/@me", "", agent).fails(t, 401, 0)
	}
	violated(t, s, "invalid token")
	get(base+"/v3/users/@me", "Bot "+s.Token(), agent).fails(t, 400, 50041)
	get(base+"/v9/users/@me", "Bot "+s.Token(), "Go-http-client/1.1").ok(t)
	if v := s.Violations(); len(v) != 3 {
		t.Errorf("violations %q", v)
	}
}

func TestLibraryReads(t *testing.T) {
	t.Parallel()
	s := start(t, discord.Options{GuildMembers: true})
	c := library(t, s)
	me, err := c.User("@me")
	if err != nil || me.ID != discord.BotID || !me.Bot || me.Username != "bridge" {
		t.Errorf("me: %+v %v", me, err)
	}
	if u, err := c.User(discord.Anna); err != nil || u.GlobalName != "Anna" {
		t.Errorf("user: %+v %v", u, err)
	}
	if g, err := c.Guild(discord.GuildAcme); err != nil || g.Name != "Acme" {
		t.Errorf("guild: %+v %v", g, err)
	}
	if list, err := c.GuildChannels(discord.GuildAcme); err != nil || len(list) != 3 || list[1].Name != "support" {
		t.Errorf("channels: %v %v", list, err)
	}
	if list, err := c.UserGuilds(10, "", "", false); err != nil || len(list) != 1 || list[0].Permissions != int64(discord.DefaultPermissions) {
		t.Errorf("guilds: %v %v", list, err)
	}
	if m, err := c.GuildMember(discord.GuildAcme, discord.Tom); err != nil || m.User.Username != "tom" {
		t.Errorf("member: %+v %v", m, err)
	}
	if list, err := c.GuildMembers(discord.GuildAcme, "", 100); err != nil || len(list) != 4 {
		t.Errorf("members: %v %v", list, err)
	}
	if roles, err := c.GuildRoles(discord.GuildAcme); err != nil || len(roles) != 2 {
		t.Errorf("roles: %v %v", roles, err)
	}
	if app, err := c.Application("@me"); err != nil || app.ID != discord.AppID {
		t.Errorf("application: %+v %v", app, err)
	}
	dm, err := c.UserChannelCreate(discord.Anna)
	if err != nil || dm.ID != discord.DMAnna || dm.Type != discordgo.ChannelTypeDM || dm.Recipients[0].ID != discord.Anna {
		t.Errorf("dm: %+v %v", dm, err)
	}
	var app struct {
		Flags int `json:"flags"`
	}
	call(t, s, "GET", "/applications/@me", nil).ok(t).into(t, &app)
	if app.Flags != 1<<19|1<<15 {
		t.Errorf("application flags %b", app.Flags)
	}
	s.SetMessageContent(false)
	call(t, s, "GET", "/applications/@me", nil).ok(t).into(t, &app)
	if app.Flags&(1<<19) != 0 {
		t.Error("the content intent is still in the flags")
	}
	call(t, s, "GET", "/guilds/1100000000000000666", nil).fails(t, 404, 10004)
	call(t, s, "POST", "/users/@me/channels", object{"recipient_id": "1"}).fails(t, 400, 50033)
	clean(t, s)
}

func TestRestHidesContentToo(t *testing.T) {
	t.Parallel()
	s := start(t, discord.Options{NoMessageContent: true})
	say(t, s, sim.Say{Room: discord.General, User: "Tom", Text: "hidden", Files: []sim.File{{Name: "a.txt", Data: []byte("x")}}})
	say(t, s, sim.Say{Room: discord.General, User: "Tom", Text: "seen", Mention: true})
	var list []struct {
		Content     string
		Attachments []any
	}
	call(t, s, "GET", "/channels/"+discord.General+"/messages", nil).ok(t).into(t, &list)
	if list[1].Content != "" || len(list[1].Attachments) != 0 || list[0].Content == "" {
		t.Errorf("got %+v", list)
	}
}

func TestReactions(t *testing.T) {
	t.Parallel()
	s := start(t, fast())
	c := connect(t, s)
	m := say(t, s, sim.Say{Room: discord.General, User: "Minh", Text: "x"})
	c.want(t, "MESSAGE_CREATE")
	if err := s.React(t.Context(), m.Ref, "Tom", "👍🏽"); err != nil {
		t.Fatal(err)
	}
	add := &discordgo.MessageReactionAdd{}
	if err := discordgo.Unmarshal(c.want(t, "MESSAGE_REACTION_ADD"), add); err != nil {
		t.Fatal(err)
	}
	if add.UserID != discord.Tom || add.Emoji.Name != "👍🏽" || add.Emoji.ID != "" || add.MessageID != m.ID || add.Member.User.ID != discord.Tom {
		t.Errorf("reaction %+v", add)
	}
	for _, emoji := range []string{"❤️", "#️⃣"} {
		if err := c.MessageReactionAdd(discord.General, m.ID, emoji); err != nil {
			t.Fatal(err)
		}
		c.want(t, "MESSAGE_REACTION_ADD")
	}
	users, err := c.MessageReactions(discord.General, m.ID, "❤️", 10, "", "")
	if err != nil || len(users) != 1 || users[0].ID != discord.BotID {
		t.Errorf("reactors %v %v", users, err)
	}
	got, err := c.ChannelMessage(discord.General, m.ID)
	if err != nil || len(got.Reactions) != 3 || got.Reactions[0].Count != 1 || got.Reactions[0].Me || !got.Reactions[1].Me {
		t.Errorf("reactions %v %v", got.Reactions, err)
	}
	if err := c.MessageReactionRemove(discord.General, m.ID, "❤️", "@me"); err != nil {
		t.Fatal(err)
	}
	c.want(t, "MESSAGE_REACTION_REMOVE")
	if err := s.Unreact(t.Context(), m.Ref, "Tom", "👍🏽"); err != nil {
		t.Fatal(err)
	}
	c.want(t, "MESSAGE_REACTION_REMOVE")
	seen, _ := s.Find(m.Ref)
	if len(seen.Reactions) != 1 || !slices.Equal(seen.Reactions["#️⃣"], []string{discord.BotID}) {
		t.Errorf("people see %v", seen.Reactions)
	}
	if err := s.ClearReactions(m.Ref, "#️⃣"); err != nil {
		t.Fatal(err)
	}
	c.want(t, "MESSAGE_REACTION_REMOVE_EMOJI")
	clean(t, s)
	path := "/channels/" + discord.General + "/messages/" + m.ID + "/reactions/"
	call(t, s, "PUT", path+"thumbsup/@me", nil).fails(t, 400, 10014)
}

func TestTyping(t *testing.T) {
	t.Parallel()
	s := start(t, fast())
	c := library(t, s)
	if err := c.ChannelTyping(discord.General); err != nil {
		t.Fatal(err)
	}
	if _, on := s.Typing(discord.General, ""); !on {
		t.Error("the bot does not show as typing")
	}
	if _, on := s.Typing(discord.Support, ""); on {
		t.Error("the bot types elsewhere too")
	}
	post(t, s, discord.General, object{"content": "x"})
	if _, on := s.Typing(discord.General, ""); on {
		t.Error("the message did not end the typing")
	}
}

func TestRateLimits(t *testing.T) {
	t.Parallel()
	const window = 60                                     // seconds: longer than a busy machine takes
	s := start(t, discord.Options{RateScale: window / 5}) // 5 in 5 seconds otherwise
	c := library(t, s)
	path := "/channels/" + discord.General + "/messages"
	for i := range 5 {
		a := call(t, s, "POST", path, object{"content": "x"}).ok(t)
		h := a.header
		after, err := strconv.ParseFloat(h.Get("X-RateLimit-Reset-After"), 64)
		if err != nil || after <= 0 || after > window || h.Get("X-RateLimit-Limit") != "5" ||
			h.Get("X-RateLimit-Remaining") != strconv.Itoa(4-i) || h.Get("X-RateLimit-Bucket") == "" || h.Get("X-RateLimit-Scope") != "" {
			t.Errorf("headers of post %d: %v", i, h)
		}
	}
	clean(t, s)
	a := call(t, s, "POST", path, object{"content": "x"})
	var body struct {
		Message string
		Retry   float64 `json:"retry_after"`
		Global  *bool
	}
	a.into(t, &body)
	if a.status != 429 || body.Message != "You are being rate limited." || body.Retry <= 0 || body.Retry > window || body.Global == nil || *body.Global ||
		a.header.Get("X-RateLimit-Scope") != "user" || a.header.Get("Retry-After") == "" || a.header.Get("X-RateLimit-Remaining") != "0" {
		t.Errorf("429 is %v %s", a.header, a.body)
	}
	violated(t, s, "429 POST")
	call(t, s, "POST", "/channels/"+discord.Support+"/messages", object{"content": "another bucket"}).ok(t)

	_, err := c.ChannelMessageSendComplex(discord.General, &discordgo.MessageSend{Content: "x"}, discordgo.WithRetryOnRatelimit(false))
	limited, ok := err.(*discordgo.RateLimitError) //nolint:errorlint // not wrapped by the library
	if !ok || limited.RetryAfter <= 0 || limited.RetryAfter > window*time.Second {
		t.Errorf("the library read %v", err)
	}
}

func TestRateWindowsScale(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		<-time.After(26 * 365 * 24 * time.Hour) // virtual time begins in 2000, Discord's ids in 2015
		l := memnet.Listen()
		start(t, discord.Options{Listener: l, RateScale: 0.2}) // 5 in a second
		post := func() int { return dialled(t, l)("POST", "/channels/"+discord.General+"/typing", "{}").status }
		for i := range 5 {
			if got := post(); got != http.StatusNoContent {
				t.Errorf("number %d gave %d", i+1, got)
			}
		}
		<-time.After(900 * time.Millisecond)
		if got := post(); got != http.StatusTooManyRequests {
			t.Errorf("the sixth in a second gave %d", got)
		}
		<-time.After(200 * time.Millisecond)
		if got := post(); got != http.StatusNoContent {
			t.Errorf("in the next second: %d", got)
		}
	})
}

func TestGlobalLimit(t *testing.T) {
	t.Parallel()
	s := start(t, discord.Options{RateScale: 60}) // windows a minute long
	var last answer
	for i := range 51 {
		last = call(t, s, "GET", "/users/@me", nil)
		if i < 50 {
			last.ok(t)
		}
	}
	var body struct{ Global bool }
	last.into(t, &body)
	if last.status != 429 || !body.Global || last.header.Get("X-RateLimit-Global") != "true" || last.header.Get("X-RateLimit-Scope") != "global" ||
		last.header.Get("X-RateLimit-Reset-After") != "" {
		t.Errorf("global 429 is %v %s", last.header, last.body)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	s := start(t, discord.Options{})
	s.Faults().Add(discord.RateLimited("POST /api/v9/channels/", 1500*time.Millisecond, 1, "shared"))
	a := call(t, s, "POST", "/channels/"+discord.General+"/messages", object{"content": "x"})
	var body struct {
		Retry float64 `json:"retry_after"`
	}
	a.into(t, &body)
	if a.status != 429 || body.Retry != 1.5 || a.header.Get("Retry-After") != "2" || a.header.Get("X-RateLimit-Scope") != "shared" {
		t.Errorf("fault is %v %s", a.header, a.body)
	}
	s.Faults().Add(sim.Fault{Match: "/attachments/", Times: 1, Status: http.StatusBadGateway})
	m := say(t, s, sim.Say{Room: discord.General, User: "Tom", Files: []sim.File{{Name: "a.txt", Data: []byte("x")}}})
	u := attachmentURL(t, s, m)
	if a := download(t, u); a.status != http.StatusBadGateway {
		t.Errorf("the CDN has no faults: %d", a.status)
	}
	if a := download(t, u); a.status != http.StatusOK {
		t.Errorf("download after the fault: %d", a.status)
	}
	clean(t, s)
}

func TestModeratorClearsReactions(t *testing.T) {
	t.Parallel()
	s := start(t, fast())
	c := connect(t, s)
	m := say(t, s, sim.Say{Room: discord.General, User: "Minh", Text: "x"})
	c.want(t, "MESSAGE_CREATE")
	react := func() {
		t.Helper()
		if err := s.React(t.Context(), m.Ref, "Tom", "👍"); err != nil {
			t.Fatal(err)
		}
		c.want(t, "MESSAGE_REACTION_ADD")
	}
	react()
	path := "/channels/" + discord.General + "/messages/" + m.ID + "/reactions"
	const thumb = "/%F0%9F%91%8D"
	call(t, s, "DELETE", path+thumb+"/"+discord.Tom, nil).fails(t, 403, 50013)
	call(t, s, "DELETE", path, nil).fails(t, 403, 50013)
	s.SetPermissions(discord.DefaultPermissions | discord.ManageMessages)
	c.want(t, "GUILD_ROLE_UPDATE")
	for _, tt := range []struct{ path, event string }{
		{path + thumb + "/" + discord.Tom, "MESSAGE_REACTION_REMOVE"},
		{path + thumb, "MESSAGE_REACTION_REMOVE_EMOJI"},
		{path, "MESSAGE_REACTION_REMOVE_ALL"},
	} {
		call(t, s, "DELETE", tt.path, nil).ok(t)
		c.want(t, tt.event)
		if seen, _ := s.Find(m.Ref); len(seen.Reactions) != 0 {
			t.Errorf("after %s people see %v", tt.event, seen.Reactions)
		}
		react()
	}
	clean(t, s)
	for i := range 25 {
		a := call(t, s, "PUT", path+"/"+url.PathEscape(string(rune(0x1F600+i)))+"/@me", nil)
		if i < 19 { // one is there already
			a.ok(t)
		} else {
			a.fails(t, 400, 30010)
		}
	}
}
