package slack

import "github.com/clickai/bridge/core"

// setup is how a person gets an app. Sources: https://docs.slack.dev/app-manifests/configuring-apps-with-app-manifests,
// https://docs.slack.dev/apis/events-api/using-socket-mode
func setup() *core.Setup {
	return &core.Setup{
		Title: "Slack",
		Steps: []string{
			"Open " + appsPage + "?new_app=1, choose From a manifest, and paste what bridge init --slack-manifest prints.",
			"On the page Install App install it to the workspace; OAuth & Permissions then shows the bot token.",
			"On the page Basic Information, App-Level Tokens, make a token with the scope connections:write.",
		},
		Questions: []core.SetupQuestion{
			{Key: "bot_token", Ask: "Bot User OAuth Token (xoxb-…)", Env: "SLACK_BOT_TOKEN"},
			{Key: "app_token", Ask: "App-Level Token (xapp-…); empty to take events over HTTP", Env: "SLACK_APP_TOKEN", Optional: true},
			{Key: "signing_secret", Ask: "Signing Secret, from Basic Information", Env: "SLACK_SIGNING_SECRET", Unless: "app_token"},
		},
		Manifest: func(name, baseURL string) ([]byte, error) { return Manifest(name, baseURL == "", baseURL) },
		Next: func(s core.Settings) []string {
			next := []string{"Invite the bot to the channels where it is to answer: /invite @ its name."}
			if c, ok := s.(*Config); ok && c.AppToken == "" {
				next = append(next, "Slack has to reach the bridge's web server at /webhooks/ and the bot's name: set http.listen, and the address under Event Subscriptions and Interactivity.")
			}
			return next
		},
	}
}
