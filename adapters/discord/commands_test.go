package discord_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/clickai/bridge/adapters/discord"
	"github.com/clickai/bridge/core"
	sim "github.com/clickai/bridge/internal/sim"
	simdiscord "github.com/clickai/bridge/internal/sim/discord"
)

// TestSetCommands: whatever core calls a command's argument, Discord takes it; without a connection the application is asked for.
func TestSetCommands(t *testing.T) {
	t.Parallel()
	s := newSim(t, quick())
	clean(t, s)
	p := newBot(t, s.APIURL(), simdiscord.DefaultToken)
	err := p.SetCommands(t.Context(), []core.CommandInfo{
		{Name: "one", Does: strings.Repeat("long ", 50), Arg: "Tên mới của hội thoại, có thể rất dài", In: map[string]string{
			"en": "english", "pt": "português", "xx": "no locale", "vi": "", "de": strings.Repeat("ü", 101),
		}},
		{Name: "two", Does: "", Arg: "!?"},
		{Name: "three", Does: "two\nlines"},
	})
	if err != nil {
		t.Fatal(err)
	}
	got := s.Offers(simdiscord.General, "", "en-GB")
	if len(got) != 3 || got[0].Description != "english" || got[1].Description != "two" || got[2].Description != "two lines" ||
		got[0].Options[0].Name != "tên-mới-của-hội-thoại-có-thể-rất" || got[1].Options[0].Name != "text" || got[0].Options[0].Required {
		t.Errorf("offers %+v", got)
	}
	for locale, want := range map[string]string{"pt-BR": "português", "vi": strings.Repeat("long ", 19) + "long…", "de": strings.Repeat("ü", 99) + "…"} {
		if d := s.Offers(simdiscord.DMAnna, "", locale)[0].Description; d != want {
			t.Errorf("%s: %q", locale, d)
		}
	}
	if err := p.SetCommands(t.Context(), make([]core.CommandInfo, 101)); core.ClassOf(err) != core.Invalid {
		t.Errorf("101 commands: %v", err)
	}
	if err := p.SetCommands(t.Context(), nil); err != nil || len(s.Offers(simdiscord.General, "", "")) != 0 {
		t.Errorf("no commands: %v", err)
	}
}

func TestSetCommandsWithoutApplications(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]core.Class{`{"message":"404: Not Found","code":0}`: core.Unsupported, `{"id":"x"}`: core.Unsupported} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			if !strings.Contains(body, "id") {
				w.WriteHeader(http.StatusNotFound)
			}
			_, _ = w.Write([]byte(body))
		}))
		t.Cleanup(s.Close)
		if err := newBot(t, s.URL+"/api/v9", "token").SetCommands(t.Context(), core.CommandInfos("en")); core.ClassOf(err) != want {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestInviteURL(t *testing.T) {
	t.Parallel()
	u, err := url.Parse(discord.InviteURL(simdiscord.AppID))
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if u.Host != "discord.com" || q.Get("client_id") != simdiscord.AppID || q.Get("scope") != "bot applications.commands" {
		t.Errorf("address %s", u)
	}
	n, err := strconv.ParseUint(q.Get("permissions"), 10, 64)
	if err != nil || simdiscord.Permission(n) != simdiscord.DefaultPermissions || int64(n) != discord.InvitePermissions() {
		t.Errorf("permissions %s: %v", q.Get("permissions"), err)
	}
	if !strings.Contains(discord.InviteURL("x&scope=admin"), "client_id=YOUR_APPLICATION_ID&") {
		t.Errorf("an id that is none: %s", discord.InviteURL("x&scope=admin"))
	}
}

// TestCheckCommands: the check says whether commands and presses reach the bridge.
func TestCheckCommands(t *testing.T) {
	t.Parallel()
	s := newSim(t, quick())
	clean(t, s)
	p := newBot(t, s.APIURL(), simdiscord.DefaultToken)
	line := func() core.Check {
		t.Helper()
		all, err := p.Check(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range all {
			if c.What == "commands and buttons" {
				return c
			}
		}
		return core.Check{}
	}
	if c := line(); !c.OK || !strings.Contains(c.Mend, "no commands registered yet") {
		t.Errorf("before: %+v", c)
	}
	offer(t, p)
	if c := line(); !c.OK || c.Mend != strconv.Itoa(len(core.CommandInfos("en")))+" commands registered" {
		t.Errorf("after: %+v", c)
	}
	s.SetInteractionsEndpoint("https://example.org/interactions")
	if c := line(); c.OK || !strings.Contains(c.Mend, "Interactions Endpoint URL") {
		t.Errorf("with an endpoint: %+v", c)
	}
	s.SetInteractionsEndpoint("")
	s.Faults().Add(sim.Fault{Match: "/commands", Status: 404, Body: `{"message":"404: Not Found","code":0}`})
	if c := line(); c.What != "" {
		t.Errorf("a server without commands: %+v", c)
	}
}
