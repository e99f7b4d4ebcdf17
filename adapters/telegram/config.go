package telegram

import (
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/clickai/bridge/core"
)

// DefaultAPIURL is the address of Telegram's own Bot API server.
// Source: https://core.telegram.org/bots/api#making-requests
const DefaultAPIURL = "https://api.telegram.org"

// Config are the keys of a bot that only Telegram has.
type Config struct {
	// Token is what BotFather gives: "<bot id>:<secret>".
	Token core.Secret `yaml:"token"`
	// APIURL is the base under which /bot<token>/<method> and /file/bot<token>/<path> stand; http or https, a path prefix
	// is kept. An own Bot API server has another address than [DefaultAPIURL].
	APIURL string `yaml:"api_url"`
	// WebhookURL is the whole public address that Telegram is to call, which leads to the handler that
	// [Platform.Webhook] returns; "": updates are polled. It is https, on port 443, 80, 88 or 8443; an own Bot API server
	// takes http and other ports too. Source: https://core.telegram.org/bots/api#setwebhook
	WebhookURL string `yaml:"webhook_url"`
	// WebhookSecret is what Telegram sends with each update, so that nobody else can: 16 to 256 characters of A–Z, a–z,
	// 0–9, _ and -.
	WebhookSecret core.Secret `yaml:"webhook_secret"`
}

// tokenShape is what BotFather gives: the bot's id, a colon, and a secret.
// Source: https://core.telegram.org/bots/api#authorizing-your-bot
var tokenShape = regexp.MustCompile(`^[0-9]{5,20}:[A-Za-z0-9_-]{20,128}$`)

const (
	mendToken = "get it from @BotFather with /token; it looks like 123456789:AAF3…"
	mendAPI   = "use " + DefaultAPIURL + " or the address of your own Bot API server"
)

// Validate returns what is wrong with the values; nil if nothing is.
func (c *Config) Validate() []core.Problem {
	var found []core.Problem
	add := func(key, what, mend string) {
		found = append(found, core.Problem{Key: key, What: what, Mend: mend})
	}
	switch token := c.token(); {
	case token == "":
		add("token", "is missing", "get one from @BotFather with /newbot, or /token for a bot that is there already")
	case tokenShape.MatchString(token):
	case strings.HasPrefix(token, "bot") && tokenShape.MatchString(token[3:]):
		add("token", `begins with "bot", which belongs to the address and not to the token`, `leave "bot" out`)
	case strings.Contains(token, "/"):
		add("token", "is an address rather than a token", mendToken)
	case !strings.Contains(token, ":"):
		add("token", "has no colon, so it is a part of a token at most", mendToken)
	default:
		add("token", "does not look like a bot token", mendToken)
	}
	if _, wrong := parseBase(c.APIURL); wrong != "" {
		add("api_url", wrong, mendAPI)
	}
	if c.WebhookURL == "" {
		return found
	}
	if wrong := c.wrongHook(); wrong != "" {
		add("webhook_url", wrong, `use the https address at which Telegram reaches this bridge, or "" to poll`)
	}
	switch secret := c.WebhookSecret.Reveal(); {
	case secret == "":
		add("webhook_secret", "is missing", mendSecret)
	case len(secret) < minSecret || len(secret) > maxSecret:
		add("webhook_secret", fmt.Sprintf("has %d characters", len(secret)), mendSecret)
	case !secretShape.MatchString(secret):
		add("webhook_secret", "has characters that Telegram does not take", mendSecret)
	}
	return found
}

// secretShape is what Telegram takes as a secret. Source: https://core.telegram.org/bots/api#setwebhook
var secretShape = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

var mendSecret = fmt.Sprintf("make one of %d to %d characters of A-Z, a-z, 0-9, _ and -, with `openssl rand -hex 32`", minSecret, maxSecret)

// wrongHook says what is wrong with webhook_url; "" if nothing is.
// Sources: https://core.telegram.org/bots/api#setwebhook, https://core.telegram.org/bots/api#using-a-local-bot-api-server
func (c *Config) wrongHook() string {
	base, _ := parseBase(c.APIURL)
	u, err := url.Parse(strings.TrimSpace(c.WebhookURL))
	switch {
	case err != nil:
		return "is not a URL" // the error would repeat what may hold a password
	case u.Scheme != "https" && u.Scheme != "http", u.Hostname() == "":
		return "is not an https URL"
	case u.User != nil:
		return "contains a user name"
	case u.Fragment != "":
		return "has a fragment"
	case base != DefaultAPIURL:
	case u.Scheme != "https":
		return "is not an https URL"
	case !slices.Contains([]string{"", "443", "80", "88", "8443"}, u.Port()):
		return "has a port that Telegram does not call: it calls 443, 80, 88 and 8443"
	}
	return ""
}

func (c *Config) token() string { return strings.TrimSpace(c.Token.Reveal()) }

// parseBase reads the base URL, without a slash at its end; wrong says what is wrong with it, "" if nothing is.
func parseBase(raw string) (base, wrong string) {
	u, err := url.Parse(strings.TrimSpace(raw))
	switch {
	case err != nil:
		return "", "is not a URL" // the error would repeat what may hold a password
	case u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "":
		return "", "is not an http or https URL"
	case u.User != nil:
		return "", "contains a user name"
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return "", "has a query or fragment"
	case u.Scheme == "http" && strings.EqualFold(strings.TrimSuffix(u.Hostname(), "."), "api.telegram.org"):
		return "", "would send the token in the open: Telegram's own server takes https only"
	}
	return strings.TrimRight(u.String(), "/"), ""
}

// Kind describes Telegram to the program.
func Kind() core.PlatformKind {
	return core.PlatformKind{
		Name:        "telegram",
		Setup:       setup(),
		NewSettings: func() core.Settings { return &Config{APIURL: DefaultAPIURL} },
		New: func(bot string, s core.Settings, log *slog.Logger) (core.Platform, error) {
			cfg, ok := s.(*Config)
			if !ok {
				return nil, invalid("New", errSettings)
			}
			return New(bot, *cfg, log)
		},
	}
}
