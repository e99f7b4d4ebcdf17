package slack_test

import (
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	slackgo "github.com/slack-go/slack"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/slack"
)

func TestRequests(t *testing.T) {
	s := start(t, slack.Options{Scopes: []string{"channels:read"}})
	const (
		form  = "application/x-www-form-urlencoded"
		js    = "application/json; charset=utf-8"
		multi = "multipart/form-data; boundary=x"
	)
	for _, tc := range []struct {
		name, method, kind, token, body, want string
		violation                             bool
	}{
		{"no token", "auth.test", form, "", "", "not_authed", false},
		{"wrong token", "auth.test", form, "xoxb-no", "", "invalid_auth", false},
		{"header", "auth.test", form, s.BotToken(), "", "", false},
		{"form token", "auth.test", form, "", "token=" + s.BotToken(), "", false},
		{"multipart token", "auth.test", multi, "", "--x\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\n" + s.BotToken() + "\r\n--x--\r\n", "", false},
		{"json", "auth.test", js, s.BotToken(), "{}", "", false},
		{"json null, as clients send for no arguments", "auth.test", js, s.BotToken(), "null\n", "", false},
		{"token in json does not count", "auth.test", js, "", `{"token":"` + s.BotToken() + `"}`, "not_authed", false},
		{"broken json", "auth.test", js, s.BotToken(), "{", "invalid_json", true},
		{"json list", "auth.test", js, s.BotToken(), "[1]", "json_not_object", true},
		{"no content type", "auth.test", "", s.BotToken(), "a=b", "missing_post_type", true},
		{"odd content type", "auth.test", "text/plain", s.BotToken(), "a=b", "invalid_post_type", true},
		{"broken form", "auth.test", form, s.BotToken(), "%zz", "invalid_form_data", true},
		{"unknown method", "chat.shout", form, s.BotToken(), "", "unknown_method", true},
		{"missing scope", "chat.postMessage", form, s.BotToken(), "channel=" + slack.General + "&text=x", "missing_scope", false},
		{"app token for the bot's methods", "chat.postMessage", form, s.AppToken(), "", "not_allowed_token_type", false},
		{"bot token for sockets", "apps.connections.open", form, s.BotToken(), "", "not_allowed_token_type", false},
		{"app token as a parameter", "apps.connections.open", form, "", "token=" + s.AppToken(), "not_authed", true},
		{"no channel", "conversations.info", form, s.BotToken(), "", "invalid_arguments", true},
		{"unknown channel", "conversations.info", form, s.BotToken(), "channel=C404", "channel_not_found", false},
		{"history scope", "conversations.history", form, s.BotToken(), "channel=" + slack.General, "missing_scope", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			before := len(s.Violations())
			r := send(t, s, tc.method, tc.kind, tc.token, tc.body)
			if r.err() != tc.want || r.status != http.StatusOK {
				t.Errorf("%s: error %q status %d, want %q 200", tc.method, r.err(), r.status, tc.want)
			}
			if noted := len(s.Violations()) > before; noted != tc.violation {
				t.Errorf("noted as a violation: %v, want %v", noted, tc.violation)
			}
		})
	}
}

func TestMissingScopeSaysWhich(t *testing.T) {
	s := start(t, slack.Options{Scopes: []string{"users:read", "channels:read"}})
	r := call(t, s, "chat.postMessage", "channel", slack.General, "text", "x")
	if r.str("needed") != "chat:write" || r.str("provided") != "channels:read,users:read" {
		t.Errorf("needed %q provided %q", r.str("needed"), r.str("provided"))
	}
	if r = call(t, s, "conversations.replies", "channel", slack.DM(slack.Anna), "ts", "1.000001"); r.str("needed") != "im:history" {
		t.Errorf("needed %q, want im:history", r.str("needed"))
	}
}

func TestAuthTest(t *testing.T) {
	s := start(t, slack.Options{})
	who, err := client(s).AuthTestContext(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if who.TeamID != slack.DefaultTeamID || who.UserID != s.BotUserID() || who.BotID != slack.DefaultBotID || who.Team != "Acme" {
		t.Errorf("auth.test: %+v", who)
	}
	if scopes := strings.Split(who.Header.Get("x-oauth-scopes"), ","); !slices.Contains(scopes, "chat:write") {
		t.Errorf("x-oauth-scopes %q", scopes)
	}
	wantClean(t, s)
}

func TestAppTokenScopes(t *testing.T) {
	s := start(t, slack.Options{AppScopes: []string{"authorizations:read"}})
	if r := send(t, s, "auth.test", "", s.AppToken(), ""); r.err() != "" || r.header.Get("x-oauth-scopes") != "authorizations:read" {
		t.Errorf("auth.test: %q, scopes %q", r.err(), r.header.Get("x-oauth-scopes"))
	}
	r := send(t, s, "apps.connections.open", "", s.AppToken(), "")
	if r.err() != "missing_scope" || r.str("needed") != "connections:write" {
		t.Errorf("apps.connections.open: %v", r.body)
	}
}

func TestPeopleAndRooms(t *testing.T) {
	s := start(t, slack.Options{Channels: []slack.Channel{
		{ID: "C1", Name: "open"},
		{ID: "C2", Name: "secret", Private: true, Absent: true},
		{ID: "C3", Name: "away", Absent: true},
		{ID: "C4", Name: "old", Archived: true},
		{ID: "G5", Name: "trio", Group: true},
	}})
	api, ctx := client(s), t.Context()
	u, err := api.GetUserInfoContext(ctx, slack.Anna)
	if err != nil || u.Profile.DisplayName != "Anna" || u.IsBot {
		t.Errorf("users.info: %+v, %v", u, err)
	}
	if u, err = api.GetUserInfoContext(ctx, s.BotUserID()); err != nil || !u.IsBot || u.Profile.BotID != slack.DefaultBotID {
		t.Errorf("users.info of the bot: %+v, %v", u, err)
	}
	_, err = api.GetUserInfoContext(ctx, "U404")
	wantErr(t, err, "user_not_found")
	all, err := api.GetUsersContext(ctx, slackgo.GetUsersOptionLimit(2))
	if err != nil || len(all) != 4 {
		t.Errorf("users.list over pages: %d, %v", len(all), err)
	}
	team, err := api.GetTeamInfoContext(ctx)
	if err != nil || team.ID != slack.DefaultTeamID || team.Domain != "acme" {
		t.Errorf("team.info: %+v, %v", team, err)
	}
	bot, err := api.GetBotInfoContext(ctx, slackgo.GetBotInfoParameters{Bot: slack.DefaultBotID})
	if err != nil || bot.UserID != s.BotUserID() {
		t.Errorf("bots.info: %+v, %v", bot, err)
	}
	rooms, _, err := api.GetConversationsContext(ctx, &slackgo.GetConversationsParameters{
		Types: []string{"public_channel", "private_channel", "im", "mpim"}, ExcludeArchived: true,
	})
	names := make([]string, 0, len(rooms))
	for _, r := range rooms {
		names = append(names, r.ID)
	}
	if want := []string{"C1", "C3", "G5", slack.DM(slack.Minh), slack.DM(slack.Anna), slack.DM(slack.Tom)}; err != nil || !slices.Equal(names, want) {
		t.Errorf("conversations.list: %q, want %q, %v", names, want, err)
	}
	im, err := api.GetConversationInfoContext(ctx, &slackgo.GetConversationInfoInput{ChannelID: slack.DM(slack.Anna)})
	if err != nil || !im.IsIM || im.User != slack.Anna {
		t.Errorf("conversations.info: %+v, %v", im, err)
	}
	members, _, err := api.GetUsersInConversationContext(ctx, &slackgo.GetUsersInConversationParameters{ChannelID: "C1"})
	if err != nil || len(members) != 4 {
		t.Errorf("conversations.members: %q, %v", members, err)
	}
	opened, _, already, err := api.OpenConversationContext(ctx, &slackgo.OpenConversationParameters{Users: []string{slack.Tom}})
	if err != nil || opened.ID != slack.DM(slack.Tom) || !already {
		t.Errorf("conversations.open: %+v %v, %v", opened, already, err)
	}
	group, _, already, err := api.OpenConversationContext(ctx, &slackgo.OpenConversationParameters{Users: []string{slack.Tom, slack.Anna}})
	if err != nil || already {
		t.Fatalf("conversations.open of two: %v %v", already, err)
	}
	same, _, already, err := api.OpenConversationContext(ctx, &slackgo.OpenConversationParameters{Users: []string{slack.Anna, slack.Tom}})
	if err != nil || !already || same.ID != group.ID {
		t.Errorf("conversations.open again: %+v %v, %v", same, already, err)
	}
	for room, code := range map[string]string{"C2": "channel_not_found", "C3": "not_in_channel", "C4": "is_archived", "C9": "channel_not_found"} {
		_, _, err := api.PostMessageContext(ctx, room, slackgo.MsgOptionText("x", false))
		wantErr(t, err, code)
	}
	wantClean(t, s)
	if kinds := s.Places(); kinds[0].Kind != "channel" || kinds[4].Kind != "group" || kinds[5].Kind != "direct" || kinds[5].Name != "Minh" {
		t.Errorf("places: %+v", kinds)
	}
}

func TestRateLimits(t *testing.T) {
	s := start(t, slack.Options{Limits: slack.Limits{Post: slack.Rate{PerMinute: 1, Burst: 2}}})
	post := func(room string) reply { return call(t, s, "chat.postMessage", "channel", room, "text", "x") }
	for range 2 {
		if r := post(slack.General); r.err() != "" {
			t.Fatal(r.err())
		}
	}
	r := post(slack.General)
	// A busy machine takes some of the minute.
	if after, err := strconv.Atoi(r.header.Get("Retry-After")); r.status != http.StatusTooManyRequests || r.err() != "ratelimited" || err != nil || after < 30 || after > 60 {
		t.Errorf("third post: %d %q Retry-After %q, want 429 ratelimited 60", r.status, r.err(), r.header.Get("Retry-After"))
	}
	if r := post(slack.Support); r.err() != "" {
		t.Errorf("another channel shares the limit: %s", r.err())
	}
	wantViolation(t, s, "over the rate limit")

	_, _, err := client(s).PostMessageContext(t.Context(), slack.General, slackgo.MsgOptionText("x", false))
	limited, ok := err.(*slackgo.RateLimitedError) //nolint:errorlint // the library returns it bare
	if !ok || limited.RetryAfter < time.Second || limited.RetryAfter > time.Minute {
		t.Errorf("library error %v", err)
	}
}

func TestTiers(t *testing.T) {
	s := start(t, slack.Options{Limits: slack.DefaultLimits()})
	bot, err := slackPost(t, s)
	if err != nil {
		t.Fatal(err)
	}
	count := func(method string, args ...string) int {
		for n := range 1000 {
			if call(t, s, method, args...).status == http.StatusTooManyRequests {
				return n
			}
		}
		return 1000
	}
	limits := slack.DefaultLimits()
	for _, tc := range []struct {
		name  string
		got   int
		burst float64
	}{
		{"chat.update", count("chat.update", "channel", slack.General, "ts", bot, "text", "y"), limits.Tier3.Burst},
		{"chat.startStream", count("chat.startStream", "channel", slack.General), limits.Tier2.Burst},
		{"reactions.remove", count("reactions.remove", "channel", slack.General, "timestamp", bot, "name", "eyes"), limits.Tier2.Burst},
	} {
		// A slow machine lets a few tokens come back meanwhile.
		if got := float64(tc.got); got < tc.burst || got > tc.burst+5 {
			t.Errorf("%s: refused after %d, want about %v", tc.name, tc.got, tc.burst)
		}
	}
}

func slackPost(t *testing.T, s *slack.Server) (string, error) {
	t.Helper()
	_, ts, err := client(s).PostMessageContext(t.Context(), slack.General, slackgo.MsgOptionText("x", false))
	return ts, err
}

func TestTokensComeBack(t *testing.T) {
	s := start(t, slack.Options{Limits: slack.Limits{Tier3: slack.Rate{PerMinute: 60_000, Burst: 1}}})
	passed := 0
	for deadline := time.Now().Add(patience); passed < 3 && time.Now().Before(deadline); {
		if call(t, s, "conversations.info", "channel", slack.General).status == http.StatusOK {
			passed++
		}
	}
	if passed < 3 {
		t.Errorf("only %d calls passed", passed)
	}
}

func TestFaults(t *testing.T) {
	s := start(t, slack.Options{})
	s.Faults().Add(sim.TooManyRequests("POST /api/chat.postMessage", 7*time.Second, 1))
	s.Faults().Add(sim.Fault{Match: "POST /api/chat.postMessage", Times: 1, Cut: true, Handled: true})
	_, err := slackPost(t, s)
	if limited, ok := err.(*slackgo.RateLimitedError); !ok || limited.RetryAfter != 7*time.Second { //nolint:errorlint // the library returns it bare
		t.Errorf("error %v, want a wait of 7 s", err)
	}
	if _, err = slackPost(t, s); err == nil {
		t.Error("the cut connection gave no error")
	}
	if n := len(s.Messages(slack.General, "")); n != 1 {
		t.Errorf("%d messages, want 1: the cut request had taken effect", n)
	}
	wantClean(t, s)
}

func TestCloseEndsHeldRequests(t *testing.T) {
	s := start(t, slack.Options{})
	s.Faults().Add(sim.Fault{Match: "POST /api/", Delay: time.Hour})
	done := make(chan error, 1)
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { _, err := slackPost(t, s); done <- err })
	for s.Faults().Hits() == 0 {
		runtime.Gosched()
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err == nil {
		t.Error("the held request was answered")
	}
}

func TestNewRefuses(t *testing.T) {
	for name, opt := range map[string]slack.Options{
		"address":     {Listen: "256.0.0.1:x"},
		"same room":   {Channels: []slack.Channel{{ID: "C1"}, {ID: "C1"}}},
		"no user id":  {Users: []slack.User{{Name: "x"}}},
		"room has no": {Channels: []slack.Channel{{Name: "x"}}},
	} {
		if s, err := slack.New(opt); err == nil {
			t.Errorf("%s: no error", name)
			_ = s.Close()
		}
	}
}

func TestCloseTwice(t *testing.T) {
	s := start(t, slack.Options{})
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := slackPost(t, s); err == nil {
		t.Error("a closed workspace answers")
	}
}
