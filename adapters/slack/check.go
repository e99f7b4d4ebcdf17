package slack

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/clickai/bridge/core"
)

// needed are the scopes of the bot token, with what each is for.
// Source: https://docs.slack.dev/reference/scopes
var needed = []struct{ scope, use string }{
	{"app_mentions:read", "to be told of mentions"},
	{"chat:write", "to answer"},
	{"channels:history", "to read messages in public channels"},
	{"groups:history", "to read messages in private channels"},
	{"im:history", "to read direct messages"},
	{"mpim:history", "to read messages in group chats"},
	{"channels:read", "to know the names of public channels"},
	{"groups:read", "to know the names of private channels"},
	{"im:read", "to find missed direct messages"},
	{"mpim:read", "to find missed messages in group chats"},
	{"users:read", "to know people's names"},
	{"files:read", "to fetch files that people send"},
	{"files:write", "to send files"},
	{"reactions:read", "to count reactions as ratings"},
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
		add("signing_secret", true, "the app's request URLs are to lead to /webhooks/"+p.name)
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
	for _, n := range needed {
		if slices.Contains(have, n.scope) {
			continue
		}
		complete = false
		add("scope "+n.scope, false, n.use+": add it at "+appsPage+", page OAuth & Permissions, Bot Token Scopes, and install the app again")
	}
	if complete {
		add("scopes", true, fmt.Sprintf("all %d that are needed", len(needed)))
	}
}
