package slack

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/clickai/bridge/core"
)

// scope is one of the bot token's.
type scope struct {
	name, use string
	optional  bool // the bot does without; not every plan of Slack's has it
}

// scopes are those of the bot token, with what each is for. [Manifest] asks for them all.
// Source: https://docs.slack.dev/reference/scopes
var scopes = []scope{
	{name: "app_mentions:read", use: "to be told of mentions"},
	{name: "chat:write", use: "to answer"},
	{name: "commands", use: "for the command " + SlashCommand},
	{name: "channels:history", use: "to read messages in public channels"},
	{name: "groups:history", use: "to read messages in private channels"},
	{name: "im:history", use: "to read direct messages"},
	{name: "mpim:history", use: "to read messages in group chats"},
	{name: "channels:read", use: "to know the names of public channels"},
	{name: "groups:read", use: "to know the names of private channels"},
	{name: "im:read", use: "to find missed direct messages"},
	{name: "mpim:read", use: "to find missed messages in group chats"},
	{name: "users:read", use: "to know people's names"},
	{name: "files:read", use: "to fetch files that people send"},
	{name: "files:write", use: "to send files"},
	{name: "reactions:read", use: "to count reactions as ratings"},
	{name: "assistant:write", use: "to suggest questions and name threads in an agent's chats", optional: true},
}

// Check asks Slack for everything that the bot needs: the bot token and its scopes, and the app token with Socket Mode.
// Whether the app's request URL leads here cannot be asked.
func (p *Platform) Check(ctx context.Context) ([]core.Check, error) {
	var found []core.Check
	add := func(what string, ok bool, mend string) {
		found = append(found, core.Check{What: what, OK: ok, Mend: mend})
	}
	me, scopes, err := p.authTest(ctx, method("auth.test").paced())
	switch {
	case core.ClassOf(err) == core.Auth, core.ClassOf(err) == core.Denied:
		add("bot_token", false, refusedToken(err, mendBot))
	case err != nil:
		return nil, err
	default:
		add("bot_token", true, fmt.Sprintf("%s in %s", oneLine(me.userName), oneLine(me.teamName)))
		checkScopes(scopes, me.bot != "", add)
	}
	if p.signing != "" {
		add("signing_secret", true, "the app's request URLs for events, interactivity and "+SlashCommand+" are to lead to /webhooks/"+p.name)
	}
	if p.appToken == "" {
		if p.signing == "" {
			add("app_token", false, mendApp)
		}
		return found, nil
	}
	var out struct {
		URL string `json:"url"`
	}
	_, err = p.call(ctx, "slack.Check", turn{given: true, blame: "apps.connections.open"}, func(ctx context.Context) error {
		_, _, err := p.api.StartSocketModeContext(ctx)
		return err //nolint:wrapcheck // call classifies it
	}, &out)
	switch {
	case err != nil && lasting(err), core.ClassOf(err) == core.Auth:
		add("app_token", false, refusedToken(err, mendApp))
	case err != nil:
		return nil, err
	default:
		add("app_token, Socket Mode", true, "")
	}
	return found, nil
}

// refusedToken says what to do about a refused token.
func refusedToken(err error, mend string) string {
	switch code := codeOf(err); code {
	case "":
		return mend
	case "invalid_auth", "not_authed", "not_allowed_token_type":
		return code + ": " + mend
	case "missing_scope":
		return "missing_scope: " + mend
	default:
		return strings.TrimPrefix(err.Error(), "slack.Check: ")
	}
}

// checkScopes compares the scopes that Slack names in a header. A server that names none is not asked for any.
// Source: https://docs.slack.dev/authentication/using-token-rotation and https://docs.slack.dev/apis/web-api
func checkScopes(header string, bot bool, add func(string, bool, string)) {
	if strings.TrimSpace(header) == "" {
		add("scopes", true, "the server does not tell them")
		return
	}
	if !bot {
		add("bot_token", false, "belongs to a person, not to a bot: "+mendBot)
	}
	have := strings.FieldsFunc(header, func(r rune) bool { return r == ',' || r == ' ' })
	complete := true
	for _, n := range scopes {
		if slices.Contains(have, n.name) {
			continue
		}
		mend := n.use + ": add it at " + appsPage + ", page OAuth & Permissions, Bot Token Scopes, and install the app again"
		if n.optional {
			mend = "not granted, and not needed; " + mend
		}
		complete = complete && n.optional
		add("scope "+n.name, n.optional, mend)
	}
	if complete {
		add("scopes", true, fmt.Sprintf("all %d that are needed", len(scopes)-optional()))
	}
}

func optional() (n int) {
	for _, s := range scopes {
		if s.optional {
			n++
		}
	}
	return n
}
