package telegram

import (
	"log/slog"
	"net/url"
	"regexp"

	"github.com/clickai/bridge/core"
)

// Config are the keys of a Telegram bot.
type Config struct {
	Token         core.Secret `yaml:"token"`
	APIURL        string      `yaml:"api_url"`
	WebhookURL    string      `yaml:"webhook_url"`
	WebhookSecret core.Secret `yaml:"webhook_secret"`
}

// Kind describes the platform to the program.
func Kind() core.PlatformKind {
	return core.PlatformKind{
		Name:        "telegram",
		NewSettings: func() core.Settings { return &Config{APIURL: "https://api.telegram.org"} },
		New: func(bot string, s core.Settings, log *slog.Logger) (core.Platform, error) {
			return New(bot, *s.(*Config), log)
		},
	}
}

// tokenShape is what BotFather gives: the bot's id, a colon, and a secret.
// Source: https://core.telegram.org/bots/api#authorizing-your-bot
var tokenShape = regexp.MustCompile(`^\d{5,20}:[A-Za-z0-9_-]{20,}$`)

// Validate is core.Settings.
func (c *Config) Validate() []core.Problem {
	var found []core.Problem
	switch {
	case c.Token == "":
		found = append(found, core.Problem{Key: "token", What: "is missing", Mend: "get one from @BotFather with /newbot or /token"})
	case !tokenShape.MatchString(c.Token.Reveal()):
		found = append(found, core.Problem{Key: "token", What: "is not a bot token", Mend: "it looks like 123456789:AA…; get it from @BotFather with /token"})
	}
	if u, err := url.Parse(c.APIURL); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" {
		found = append(found, core.Problem{Key: "api_url", What: "is not an http or https address", Mend: "use https://api.telegram.org or the address of your own Bot API server"})
	}
	if c.WebhookURL != "" {
		found = append(found, core.Problem{Key: "webhook_url", What: "is not supported in this version", Mend: "leave it empty: the bridge polls"})
	}
	return found
}
