package slack

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// SlashCommand is the app's slash command. Its first word is one of the bridge's commands.
const SlashCommand = "/clickai"

// botEvents are the events that the adapter reads. An agent must subscribe to app_home_opened.
// Sources: https://docs.slack.dev/reference/events, https://docs.slack.dev/ai/migrating-to-agent-messaging
var botEvents = []string{
	"agent_session_stopped", "app_home_opened", "app_mention", "message.channels", "message.groups", "message.im", "message.mpim",
	"reaction_added", "reaction_removed",
}

// manifest is what an app manifest needs to say. slack-go's own type leaves out what is false, which for some of it is not
// the default.
// Source: https://docs.slack.dev/reference/app-manifest
type manifest struct {
	Display struct {
		Name        string `json:"name"`
		Description string `json:"description"`
	} `json:"display_information"`
	Features struct {
		Home struct {
			HomeTab  bool `json:"home_tab_enabled"`
			Messages bool `json:"messages_tab_enabled"`
			ReadOnly bool `json:"messages_tab_read_only_enabled"`
		} `json:"app_home"`
		Bot struct {
			Name   string `json:"display_name"`
			Online bool   `json:"always_online"`
		} `json:"bot_user"`
		Agent struct {
			Description string `json:"agent_description"`
		} `json:"agent_view"`
		Commands []manifestCommand `json:"slash_commands"`
	} `json:"features"`
	OAuth struct {
		Scopes struct {
			Bot []string `json:"bot"`
		} `json:"scopes"`
	} `json:"oauth_config"`
	Settings struct {
		Events struct {
			URL string   `json:"request_url,omitempty"`
			Bot []string `json:"bot_events"`
		} `json:"event_subscriptions"`
		Interactivity struct {
			Enabled bool   `json:"is_enabled"`
			URL     string `json:"request_url,omitempty"`
		} `json:"interactivity"`
		OrgDeploy bool `json:"org_deploy_enabled"`
		Socket    bool `json:"socket_mode_enabled"`
		Rotation  bool `json:"token_rotation_enabled"`
	} `json:"settings"`
}

type manifestCommand struct {
	Command string `json:"command"`
	URL     string `json:"url,omitempty"`
	Does    string `json:"description"`
	Usage   string `json:"usage_hint"`
	Escape  bool   `json:"should_escape"`
}

// maxAppName is the most characters of an app's name.
// Source: https://docs.slack.dev/reference/app-manifest#display-information
const maxAppName = 35

var (
	errAppName = fmt.Errorf("an app's name has 1 to %d characters", maxAppName)
	errBaseURL = errors.New("events over HTTP need the bridge's public https address")
)

// Manifest is the manifest, as JSON, from which Slack makes an app that has all that the bot uses: name is the bot's in the
// configuration, of up to 35 characters, and the app's. With socket the app has Socket Mode. With baseURL, the https address
// of the bridge's HTTP server as Slack reaches it, requests go to /webhooks/<name> there; without socket there must be one.
func Manifest(name string, socket bool, baseURL string) ([]byte, error) {
	if name = strings.TrimSpace(name); name == "" || len([]rune(name)) > maxAppName {
		return nil, errAppName
	}
	to := ""
	if baseURL != "" || !socket {
		u, err := url.Parse(strings.TrimSpace(baseURL))
		if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return nil, errBaseURL
		}
		to = u.JoinPath("webhooks", name).String()
	}
	var m manifest
	m.Display.Name, m.Display.Description = name, "A ClickAI agent that answers in channels and direct messages."
	m.Features.Home.Messages = true
	m.Features.Bot.Name, m.Features.Bot.Online = name, true
	m.Features.Agent.Description = m.Display.Description
	m.Features.Commands = []manifestCommand{{
		Command: SlashCommand, URL: to, Does: "Commands for the ClickAI agent, such as help, new and stop", Usage: "[help | new | stop | …]",
	}}
	for _, s := range scopes {
		m.OAuth.Scopes.Bot = append(m.OAuth.Scopes.Bot, s.name)
	}
	m.Settings.Events.URL, m.Settings.Events.Bot = to, botEvents
	m.Settings.Interactivity.Enabled, m.Settings.Interactivity.URL = true, to
	m.Settings.Socket = socket
	raw, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode the manifest: %w", err)
	}
	return append(raw, '\n'), nil
}
