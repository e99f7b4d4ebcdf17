package standins_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"go.uber.org/goleak"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/clickai"
	"github.com/clickai/bridge/internal/sim/discord"
	"github.com/clickai/bridge/internal/sim/slack"
	"github.com/clickai/bridge/internal/sim/telegram"
	"github.com/clickai/bridge/internal/standins"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t *testing.T, opt standins.Options) *standins.Set {
	t.Helper()
	s, err := standins.Start(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// configuration is what tests look at of a written one.
type configuration struct {
	Apps map[string]struct {
		Key string `yaml:"api_key"`
	}
	Bots []struct {
		Name, Platform, Token string
		BotToken              string `yaml:"bot_token"`
		Stream                struct{ Mode string }
		Conversation          string
	}
	Store struct{ Path string }
}

func read(t *testing.T, path string) (c configuration, text string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(data, &c); err != nil {
		t.Fatalf("%v in:\n%s", err, data)
	}
	return c, string(data)
}

func TestOnly(t *testing.T) {
	s := start(t, standins.Options{Only: []string{"telegram"}})
	if all := s.Platforms(); len(all) != 1 || all[0].Name() != "telegram" || s.Slack != nil || s.Discord != nil {
		t.Errorf("platforms = %v", all)
	}
	path, err := s.WriteConfig(t.TempDir(), s.Agent(clickai.ModeChat), "stream: {mode: final}\n")
	if err != nil {
		t.Fatal(err)
	}
	c, _ := read(t, path)
	if len(c.Bots) != 1 || c.Bots[0].Platform != "telegram" || c.Bots[0].Token != "${TELEGRAM_TOKEN}" || c.Bots[0].Stream.Mode != "final" {
		t.Errorf("bots = %+v", c.Bots)
	}
}

func TestWriteConfigFile(t *testing.T) {
	s := start(t, standins.Options{})
	path := filepath.Join(t.TempDir(), "load.yaml")
	extra := func(platform string) string {
		if platform == "telegram" {
			return "conversation: user"
		}
		return ""
	}
	if err := s.WriteConfigFile(path, s.Agent(clickai.ModeChat), "/somewhere/b.db", extra); err != nil {
		t.Fatal(err)
	}
	c, text := read(t, path)
	if len(c.Bots) != 3 || c.Bots[0].BotToken != s.Slack.BotToken() || c.Bots[1].Token != s.Discord.Token() || c.Bots[2].Token != s.Telegram.Token() {
		t.Errorf("bots = %+v", c.Bots)
	}
	if c.Bots[2].Conversation != "user" || c.Bots[1].Conversation != "" || c.Store.Path != "/somewhere/b.db" || c.Apps["demo"].Key == "" || strings.Contains(text, "${") {
		t.Errorf("the file is\n%s", text)
	}
	if err := s.WriteConfigFile(path, s.Agent(clickai.ModeChat), "", extra); !errors.Is(err, os.ErrExist) {
		t.Errorf("err = %v, want one that says that the file exists", err)
	}
}

// TestCrowd lets everybody of a crowd write everywhere.
func TestCrowd(t *testing.T) {
	c := standins.Crowd{People: 5, Rooms: 2}
	so, do, to := c.Slack(slack.Options{}), c.Discord(discord.Options{}), c.Telegram(telegram.Options{})
	s := start(t, standins.Options{Slack: so, Discord: do, Telegram: to})
	for name, n := range map[string]int{"slack": len(s.Slack.Places()), "discord": len(s.Discord.Places()), "telegram": len(s.Telegram.Places())} {
		if n != 7 {
			t.Errorf("%s has %d places, want 2 rooms and 5 direct chats", name, n)
		}
	}
	say := func(p sim.Platform, room, user string) {
		if _, err := p.Say(t.Context(), sim.Say{Room: room, User: user, Text: "hello"}); err != nil {
			t.Errorf("%s: %v", p.Name(), err)
		}
	}
	for i := range c.People {
		for room := range c.Rooms {
			say(s.Slack, so.Channels[room].ID, so.Users[i].ID)
			say(s.Discord, do.Channels[room].ID, do.People[i].ID)
		}
		say(s.Slack, slack.DM(so.Users[i].ID), so.Users[i].ID)
		say(s.Discord, do.People[i].DM, do.People[i].ID)
		places := s.Telegram.Places()
		say(s.Telegram, places[i].Room, places[i].Room)
		say(s.Telegram, places[5+i%2].Room, places[i].Room)
	}
}
