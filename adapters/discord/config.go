package discord

import (
	"log/slog"
	"net/url"
	"strings"

	"github.com/clickai/bridge/core"
)

// DefaultAPIURL is the base of Discord's REST API in the version that discordgo is written for.
// Source: https://docs.discord.com/developers/reference#api-versioning
const DefaultAPIURL = "https://discord.com/api/v9"

// Config are the keys of a bot that only Discord has.
type Config struct {
	// Token is the bot's token from the developer portal, with or without "Bot " before it.
	Token core.Secret `yaml:"token"`
	// APIURL is the base under which Discord's method paths stand; http or https, a path prefix is kept.
	APIURL string `yaml:"api_url"`
}

// Validate returns what is wrong with the values; nil if nothing is.
func (c *Config) Validate() []core.Problem {
	var found []core.Problem
	switch token := c.token(); {
	case token == "":
		found = append(found, core.Problem{Key: "token", What: "is missing", Mend: "copy it from https://discord.com/developers/applications, page Bot"})
	case strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }):
		found = append(found, core.Problem{Key: "token", What: "contains blanks or other characters that no token has", Mend: "copy the token alone, without quotes"})
	}
	if _, err := parseBase(c.APIURL); err != "" {
		found = append(found, core.Problem{Key: "api_url", What: err, Mend: "write it as " + DefaultAPIURL})
	}
	return found
}

func (c *Config) token() string {
	s := strings.TrimSpace(c.Token.Reveal()) + " "
	return strings.TrimSpace(strings.TrimPrefix(s, "Bot "))
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
	case u.Scheme == "http" && isDiscordHost(u.Hostname()):
		return nil, "would send the token in the open: Discord takes https only"
	}
	u.Path = strings.TrimRight(u.Path, "/")
	u.RawPath = strings.TrimRight(u.RawPath, "/")
	return u, ""
}

// isDiscordHost tells whether a host is one of Discord's own.
// Sources: https://docs.discord.com/developers/reference#api-reference-base-url,
// https://docs.discord.com/developers/events/gateway#connecting
func isDiscordHost(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	for _, domain := range []string{"discord.com", "discordapp.com", "discord.gg"} {
		if host == domain || strings.HasSuffix(host, "."+domain) {
			return true
		}
	}
	return false
}

// Kind describes Discord to the program.
func Kind() core.PlatformKind {
	return core.PlatformKind{
		Name:        "discord",
		Threads:     true,
		Setup:       setup(),
		NewSettings: func() core.Settings { return &Config{APIURL: DefaultAPIURL} },
		New: func(bot string, s core.Settings, log *slog.Logger) (core.Platform, error) {
			cfg, ok := s.(*Config)
			if !ok {
				return nil, &core.Error{Op: "discord.New", Class: core.Invalid, Err: errSettings}
			}
			return New(bot, *cfg, log)
		},
	}
}
