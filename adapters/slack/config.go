package slack

import (
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"

	"github.com/clickai/bridge/core"
)

// DefaultAPIURL is the base of Slack's Web API. GovSlack's is https://slack-gov.com/api.
// Source: https://docs.slack.dev/apis/web-api
const DefaultAPIURL = "https://slack.com/api"

// Config are the keys of a bot that only Slack has.
type Config struct {
	// BotToken (xoxb-…) is for the Web API.
	BotToken core.Secret `yaml:"bot_token"`
	// AppToken (xapp-…) with the scope connections:write is for Socket Mode.
	AppToken core.Secret `yaml:"app_token"`
	// SigningSecret is for events over HTTP, with or without an app token.
	SigningSecret core.Secret `yaml:"signing_secret"`
	// APIURL is the base under which Slack's methods stand; http or https, a path prefix is kept.
	APIURL string `yaml:"api_url"`
}

const (
	appsPage    = "https://api.slack.com/apps"
	mendBot     = "copy it from " + appsPage + ", page OAuth & Permissions, Bot User OAuth Token (xoxb-…)"
	mendApp     = "make one at " + appsPage + ", page Basic Information, App-Level Tokens, with the scope connections:write (xapp-…)"
	mendSigning = "copy it from " + appsPage + ", page Basic Information, App Credentials, Signing Secret"
	mendInstl   = "install the app to the workspace again at " + appsPage + ", page Install App"
)

// Validate returns what is wrong with the values; nil if nothing is.
func (c *Config) Validate() []core.Problem {
	var found []core.Problem
	bad := func(key, what, mend string) { found = append(found, core.Problem{Key: key, What: what, Mend: mend}) }

	if what := wrongToken(c.BotToken, "xoxb-"); what != "" {
		bad("bot_token", what, mendBot)
	}
	switch {
	case c.AppToken != "":
		if what := wrongToken(c.AppToken, "xapp-"); what != "" {
			bad("app_token", what, mendApp)
		}
	case c.SigningSecret == "":
		bad("app_token", "is missing", mendApp+"; or set signing_secret, for events over HTTP")
	}
	if c.SigningSecret != "" && !isSecret(c.SigningSecret) {
		bad("signing_secret", "is none", mendSigning)
	}
	if _, what := parseBase(c.APIURL); what != "" {
		bad("api_url", what, "write it as "+DefaultAPIURL)
	}
	return found
}

// kinds are what a token's prefix tells. Source: https://docs.slack.dev/authentication/tokens
var kinds = map[string]string{
	"xoxb-": "a bot token", "xapp-": "an app-level token", "xoxp-": "a user token", "xoxe": "a configuration or refresh token",
	"xoxc-": "a browser's token", "xoxa-": "a legacy token", "xoxr-": "a legacy token", "xoxs-": "a legacy token", "xwfp-": "a workflow token",
}

// wrongToken says what is wrong with a token that should have a prefix; "" if nothing is.
func wrongToken(secret core.Secret, prefix string) string {
	token := strings.TrimSpace(secret.Reveal())
	switch {
	case token == "":
		return "is missing"
	case strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }):
		return "contains blanks or other characters that no token has"
	case strings.HasPrefix(token, prefix):
		return ""
	case prefix == "xoxb-" && strings.HasPrefix(token, "xoxe.xoxb-"):
		return "" // a bot token that is rotated
	}
	for p, kind := range kinds {
		if strings.HasPrefix(token, p) {
			return fmt.Sprintf("is %s, not %s", kind, kinds[prefix])
		}
	}
	return fmt.Sprintf("does not begin with %s", prefix)
}

// isSecret tells whether a value can be a signing secret, which is letters and digits.
// Source: https://docs.slack.dev/authentication/verifying-requests-from-slack
func isSecret(secret core.Secret) bool {
	s := strings.TrimSpace(secret.Reveal())
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r > '~' || !isWord(byte(r)) })
}

// parseBase reads a base URL; the text says what is wrong, "" if nothing is.
func parseBase(raw string) (*url.URL, string) {
	u, err := url.Parse(strings.TrimSpace(raw))
	switch {
	case err != nil:
		return nil, "is not a URL" // the error would repeat what may hold a password
	case u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "":
		return nil, "is not an http or https URL"
	case u.User != nil:
		return nil, "contains a user name"
	case u.RawQuery != "" || u.Fragment != "":
		return nil, "has a query or fragment"
	case u.Scheme == "http" && isSlackHost(u.Hostname()):
		return nil, "would send the tokens in the open: Slack takes https only"
	}
	u.Path = strings.TrimRight(u.Path, "/")
	u.RawPath = strings.TrimRight(u.RawPath, "/")
	return u, ""
}

// isSlackHost tells whether a host is one of Slack's own.
func isSlackHost(host string) bool {
	host = strings.ToLower(host)
	for _, domain := range []string{"slack.com", "slack-gov.com"} {
		if host == domain || strings.HasSuffix(host, "."+domain) {
			return net.ParseIP(host) == nil
		}
	}
	return false
}

// Kind describes Slack to the program.
func Kind() core.PlatformKind {
	return core.PlatformKind{
		Name:        "slack",
		Threads:     true,
		Setup:       setup(),
		NewSettings: func() core.Settings { return &Config{APIURL: DefaultAPIURL} },
		New: func(bot string, s core.Settings, log *slog.Logger) (core.Platform, error) {
			cfg, ok := s.(*Config)
			if !ok {
				return nil, invalid("slack.New", errSettings)
			}
			return New(bot, *cfg, log)
		},
	}
}
