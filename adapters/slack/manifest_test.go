package slack_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	slackgo "github.com/slack-go/slack"

	"github.com/clickai/bridge/adapters/slack"
	simslack "github.com/clickai/bridge/internal/sim/slack"
)

// TestManifest holds that a manifest has nothing but what Slack knows, every scope that Check asks for, and the addresses of
// the bot's webhook where it is to have some.
func TestManifest(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name         string
		bot, base    string
		socket       bool
		url, problem string
	}{
		{name: "socket", bot: "acme-slack", socket: true},
		{name: "HTTP", bot: "acme-slack", base: "https://bridge.example/prefix/", url: "https://bridge.example/prefix/webhooks/acme-slack"},
		{name: "both", bot: "acme", base: "https://bridge.example", socket: true, url: "https://bridge.example/webhooks/acme"},
		{name: "no address", bot: "acme", problem: "https address"},
		{name: "http", bot: "acme", base: "http://bridge.example", problem: "https address"},
		{name: "no URL", bot: "acme", base: "https://%", problem: "https address"},
		{name: "query", bot: "acme", base: "https://bridge.example?x=1", problem: "https address"},
		{name: "no name", bot: " ", socket: true, problem: "1 to 35 characters"},
		{name: "long name", bot: strings.Repeat("a", 36), socket: true, problem: "1 to 35 characters"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			raw, err := slack.Manifest(tt.bot, tt.socket, tt.base)
			if tt.problem != "" {
				if err == nil || !strings.Contains(err.Error(), tt.problem) {
					t.Errorf("Manifest = %s, %v; want %q", raw, err, tt.problem)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var m slackgo.Manifest
			d := json.NewDecoder(bytes.NewReader(raw))
			d.DisallowUnknownFields()
			if err := d.Decode(&m); err != nil {
				t.Fatalf("%v in %s", err, raw)
			}
			if m.Display.Name != tt.bot || m.Settings.SocketModeEnabled != tt.socket || m.Settings.EventSubscriptions.RequestUrl != tt.url ||
				m.Settings.Interactivity.RequestUrl != tt.url || m.Features.SlashCommands[0].Url != tt.url {
				t.Errorf("manifest %s", raw)
			}
			if !m.Settings.Interactivity.IsEnabled || m.Features.SlashCommands[0].Command != "/clickai" || m.Features.AgentView == nil ||
				!m.Features.AppHome.MessagesTabEnabled || !bytes.Contains(raw, []byte(`"messages_tab_read_only_enabled": false`)) {
				t.Errorf("manifest %s", raw)
			}
			for _, event := range []string{"app_mention", "message.im", "message.channels", "app_home_opened", "agent_session_stopped", "reaction_removed"} {
				if !slices.Contains(m.Settings.EventSubscriptions.BotEvents, event) {
					t.Errorf("event %s is missing", event)
				}
			}
		})
	}
}

// TestManifestHasAllScopes holds that an app made from the manifest misses no scope, and that each of them is asked for by
// Check when it is missing.
func TestManifestHasAllScopes(t *testing.T) {
	t.Parallel()
	raw, err := slack.Manifest("acme", true, "")
	if err != nil {
		t.Fatal(err)
	}
	var m slackgo.Manifest
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	granted := m.OAuthConfig.Scopes.Bot
	found, err := newBot(t, config(newSim(t, simslack.Options{Scopes: granted}))).Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range found {
		if !line.OK || strings.HasPrefix(line.What, "scope ") {
			t.Errorf("with all scopes: %+v", line)
		}
	}
	found, err = newBot(t, config(newSim(t, simslack.Options{Scopes: []string{"team:read"}}))).Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var missed []string
	for _, line := range found {
		if scope, ok := strings.CutPrefix(line.What, "scope "); ok {
			missed = append(missed, scope)
			if line.OK != (scope == "assistant:write") {
				t.Errorf("line %+v", line)
			}
		}
	}
	if !slices.Equal(missed, granted) {
		t.Errorf("Check asks for %q, the manifest for %q", missed, granted)
	}
}
