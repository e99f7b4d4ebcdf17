package main

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/clickai/bridge/adapters/slack"
	"github.com/clickai/bridge/internal/sim/clickai"
	"github.com/clickai/bridge/internal/sim/discord"
	simslack "github.com/clickai/bridge/internal/sim/slack"
	"github.com/clickai/bridge/internal/sim/telegram"
	"github.com/clickai/bridge/internal/standins"
)

// missing is one thing that is taken away.
type missing struct {
	name  string
	on    string // the platform that is there besides ClickAI
	opt   standins.Options
	spoil func(s *standins.Set, config string) string
	extra string // of the bot's configuration
	bad   string // regular expression of the one line with ✗, which names it with its mend
	fine  string // the same of a line with ✓, where it can be done without
}

// wrongly gives another value for what stands in the configuration's .env.
func wrongly(old, with string) func(*standins.Set, string) string { return replace("${"+old+"}", with) }

// listing puts a room or a person into the bot's configuration.
func listing(key, value string) string {
	if key == "admins" {
		return "admins: [\"" + value + "\"]"
	}
	if key == "routes" {
		return "routes: [{rooms: [\"" + value + "\"], app: demo}]"
	}
	list, of, _ := strings.Cut(key, ".")
	return list + ": {" + of + ": [\"" + value + "\"]}"
}

// manifestScopes are the scopes that the app's manifest asks for.
func manifestScopes(t *testing.T) []string {
	t.Helper()
	data, err := slack.Manifest("bridge", true, "")
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		OAuth struct {
			Scopes struct {
				Bot []string `json:"bot"`
			} `json:"scopes"`
		} `json:"oauth_config"`
	}
	if err := json.Unmarshal(data, &m); err != nil || len(m.OAuth.Scopes.Bot) < 10 {
		t.Fatalf("%v in the manifest:\n%s", err, data)
	}
	return m.OAuth.Scopes.Bot
}

func whatIsMissing(t *testing.T) []missing {
	t.Helper()
	all := []missing{
		{name: "ClickAI's key", on: "telegram", spoil: wrongly("CLICKAI_KEY", "app-wrong"), bad: `✗ clickai: app demo: .*API key is refused.*Publish → API`},
		{name: "ClickAI's app", on: "telegram", spoil: func(s *standins.Set, c string) string { s.ClickAI.Forbid("support", true); return c }, bad: `✗ clickai: app demo: .*is the app published`},
		{name: "ClickAI's mode", on: "telegram", spoil: replace("mode: chat", "mode: agent-chat"), bad: `✗ clickai: app demo: .*app of mode chat: set mode: chat`},
		{name: "ClickAI's address", on: "telegram", spoil: func(s *standins.Set, c string) string { return replace(s.ClickAI.URL(), s.Telegram.APIURL())(s, c) }, bad: `✗ clickai: app demo: .*clickai.base_url`},
		{name: "ClickAI's access token", on: "telegram", spoil: replace("plan: enterprise", "access_token: wrong"), bad: `✗ clickai: access_token: the access token is refused; it is the console's`},
		{name: "Slack's bot token", on: "slack", spoil: wrongly("SLACK_BOT_TOKEN", "xoxb-1-2-wrong"), bad: `✗ demo-slack: bot_token: invalid_auth: .*OAuth & Permissions`},
		{name: "Slack's app token", on: "slack", spoil: wrongly("SLACK_APP_TOKEN", "xapp-1-A0-2-wrong"), bad: `✗ demo-slack: app_token: invalid_auth: .*connections:write`},
		{name: "scope of Slack's app token", on: "slack", opt: standins.Options{Slack: simslack.Options{AppScopes: []string{"authorizations:read"}}}, bad: `✗ demo-slack: app_token: missing_scope: .*connections:write`},
		{name: "Discord's token", on: "discord", spoil: wrongly("DISCORD_TOKEN", "MTEwMDAwMDAwMDAwMDAwMDkwMA.wrong.token-of-the-bot"), bad: `✗ demo-discord: token: .*copy it anew from .*page Bot`},
		{name: "Discord's intent", on: "discord", opt: standins.Options{Discord: discord.Options{NoMessageContent: true}}, bad: `✗ demo-discord: intent MESSAGE_CONTENT: .*Bot`},
		{name: "Discord's interactions", on: "discord", spoil: func(s *standins.Set, c string) string {
			s.Discord.SetInteractionsEndpoint("https://example.com/take")
			return c
		}, bad: `✗ demo-discord: commands and buttons: an Interactions Endpoint URL is set.*clear it`},
		{name: "Telegram's token", on: "telegram", spoil: wrongly("TELEGRAM_TOKEN", "7000000001:wrong-token-of-the-demo-bot"), bad: `✗ demo-telegram: token: .*@BotFather`},
		{name: "privacy mode, where all is to be answered", on: "telegram", extra: "respond: all", bad: `✗ demo-telegram: messages in groups \(respond: all\): .*@BotFather /setprivacy, Disable`},
		{name: "privacy mode, where topics are to be answered", on: "telegram", extra: "respond: thread", bad: `✗ demo-telegram: messages in groups \(respond: thread\): .*@BotFather /setprivacy, Disable`},
		{name: "privacy mode, where mentions are answered", on: "telegram", fine: `✓ demo-telegram: messages in groups: .*@BotFather /setprivacy`},
		{name: "no privacy mode", on: "telegram", opt: standins.Options{Telegram: telegram.Options{PrivacyOff: true}}, extra: "respond: all", fine: `✓ demo-telegram: messages in groups: all are seen`},
	}
	for _, scope := range manifestScopes(t) {
		m := missing{name: "scope " + scope, on: "slack", bad: `✗ demo-slack: scope ` + scope + `: to .*OAuth & Permissions.*install the app again`}
		m.opt.SlackScopes = slices.DeleteFunc(simslack.DefaultScopes(), func(s string) bool { return s == scope })
		if scope == "commands" {
			m.bad = `✗ demo-slack: scope commands: for the command ` + slack.SlashCommand + `: .*OAuth & Permissions`
		}
		if scope == "assistant:write" {
			m.bad, m.fine = "", `✓ demo-slack: scope assistant:write: not granted, and not needed; .*OAuth & Permissions`
		}
		all = append(all, m)
	}
	for name, bit := range map[string]discord.Permission{
		"View Channels": discord.ViewChannel, "Send Messages": discord.SendMessages, "Read Message History": discord.ReadMessageHistory,
		"Create Public Threads": discord.CreatePublicThreads, "Send Messages in Threads": discord.SendMessagesInThreads,
		"Add Reactions": discord.AddReactions, "Attach Files": discord.AttachFiles, "Embed Links": discord.EmbedLinks,
	} {
		all = append(all, missing{
			name: "permission " + name, on: "discord", opt: standins.Options{Discord: discord.Options{Permissions: discord.DefaultPermissions &^ bit}},
			bad: `✗ demo-discord: permission ` + name + ` in Acme: to .*Server Settings, Roles.*https://discord.com/oauth2/authorize`,
		})
	}
	for _, n := range []struct{ on, room, person string }{{"slack", "support", "@minh.nguyen"}, {"discord", "#support", "minh"}, {"telegram", "-4000000001", "5000000001"}} {
		for _, key := range []string{"allow.rooms", "deny.rooms", "routes"} {
			what := strings.Replace(key, "routes", `routes\[0\].rooms`, 1)
			gone := "renamed-since"
			if n.on == "telegram" {
				gone = "-4999999999"
			}
			all = append(all,
				missing{name: key + " on " + n.on, on: n.on, extra: listing(key, gone), bad: `✗ demo-` + n.on + `: ` + what + ` ` + gone + `: the bot sees no room of this id or name: was it renamed.*An id never changes`},
				missing{name: "known " + key + " on " + n.on, on: n.on, extra: listing(key, n.room), fine: `✓ demo-` + n.on + `: ` + what + ` ` + n.room + `: .*\(`},
			)
		}
		for _, key := range []string{"allow.users", "deny.users", "admins"} {
			gone := "left-since"
			m := missing{name: key + " on " + n.on, on: n.on, extra: listing(key, gone), bad: `✗ demo-` + n.on + `: ` + key + ` ` + gone + `: the bot sees no person of this id or name: was it renamed`}
			if n.on == "telegram" { // bots are not told who has a user name
				m.bad, m.fine = "", `✓ demo-telegram: `+key+` `+gone+`: the platform cannot look it up: .*write the person's id`
			}
			all = append(all, m,
				missing{name: "known " + key + " on " + n.on, on: n.on, extra: listing(key, n.person), fine: `✓ demo-` + n.on + `: ` + key + ` ` + n.person + `: .*\(`},
			)
		}
	}
	return all
}

// TestCheckNamesWhatIsMissing takes away, one at a time, all that a bot needs: check exits 1 with one line that names it and what
// to do. What can be done without is told, and no failure.
func TestCheckNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	for _, m := range whatIsMissing(t) {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			m.opt.Only = []string{m.on}
			s := startSet(t, m.opt)
			path := writeConfig(t, s, clickai.ModeChat, m.extra)
			if m.spoil != nil {
				data, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(m.spoil(s, string(data))), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			code, out, errs := command(t, nil, "check", "--config", path)
			bad, want := lines(out, "✗"), 0
			if m.bad != "" {
				want = 1
			}
			if code != want || len(bad) != want || want == 1 && !regexp.MustCompile(m.bad).MatchString(bad[0]) {
				t.Errorf("exit %d, want %d with %q:\n%s%s", code, want, m.bad, out, errs)
			}
			if !regexp.MustCompile("(?m)^" + m.fine).MatchString(out) {
				t.Errorf("no line of\n%s\nis %q", out, m.fine)
			}
		})
	}
}
