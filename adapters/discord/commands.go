package discord

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/bwmarrin/discordgo"

	"github.com/clickai/bridge/core"
)

// Limits of commands. Lengths are in characters.
// Source: https://docs.discord.com/developers/interactions/application-commands#application-command-object
const (
	maxCommands    = 100
	maxCommandName = 32
	maxCommandText = 100
)

// outCommand is a command as it is registered. discordgo's writes empty lists of an option as null.
type outCommand struct {
	Name         string            `json:"name"`
	Type         int               `json:"type"`
	Description  string            `json:"description"`
	In           map[string]string `json:"description_localizations,omitempty"`
	Options      []outOption       `json:"options"`
	Contexts     []int             `json:"contexts"`
	Integrations []int             `json:"integration_types"`
}

type outOption struct {
	Type        int    `json:"type"`
	Name        string `json:"name"`
	Description string `json:"description"`
	Required    bool   `json:"required"`
	MaxLength   int    `json:"max_length"`
}

const maxOptionText = 2000 // of what follows a command: as long as a message

var errTooMany = errors.New("more commands than Discord takes")

// SetCommands replaces the global commands of the application: they are offered in every server and in direct chats. Discord takes
// 200 new commands a day for each application; those that are known under their name do not count.
// Source: https://docs.discord.com/developers/interactions/application-commands#bulk-overwrite-global-application-commands
func (p *Platform) SetCommands(ctx context.Context, all []core.CommandInfo) error {
	const op = "discord.SetCommands"
	if len(all) > maxCommands {
		return invalid(op, errTooMany)
	}
	body := make([]outCommand, 0, len(all))
	for _, c := range all {
		body = append(body, commandOf(c))
	}
	app, err := p.applicationID(ctx, op)
	if err != nil {
		return err
	}
	return p.api.do(ctx, call{
		op: op, method: http.MethodPut, url: discordgo.EndpointApplicationGlobalCommands(app), route: "commands",
		body: body, aside: true, wait: waitCommands,
	}, nil)
}

func commandOf(c core.CommandInfo) outCommand {
	out := outCommand{
		Name: c.Name, Type: chatCommand, Description: cmp.Or(described(c.Does), c.Name), Options: []outOption{},
		// In servers and in the chat with the bot, for those who have it in their server.
		Contexts: []int{0, 1}, Integrations: []int{0},
	}
	if c.Arg != "" {
		out.Options = append(out.Options, outOption{
			Type: int(discordgo.ApplicationCommandOptionString), Name: optionName(c.Arg), Description: cmp.Or(described(c.Arg), c.Name),
			MaxLength: maxOptionText,
		})
	}
	for _, language := range slices.Sorted(maps.Keys(c.In)) {
		text := described(c.In[language])
		if text == "" {
			continue
		}
		for _, locale := range localesOf(language) {
			if out.In == nil {
				out.In = map[string]string{}
			}
			out.In[locale] = text
		}
	}
	return out
}

func described(s string) string {
	return clipUnits(strings.TrimSpace(oneLine(s, 2*maxCommandText)), maxCommandText)
}

var notInName = regexp.MustCompile(`[^-_'\p{L}\p{N}]+`)

// optionName makes a name that Discord takes for an option.
// Source: https://docs.discord.com/developers/interactions/application-commands#application-command-object-application-command-naming
func optionName(s string) string {
	s = strings.Trim(notInName.ReplaceAllString(strings.ToLower(s), "-"), "-")
	if r := []rune(s); len(r) > maxCommandName {
		s = string(r[:maxCommandName])
	}
	return cmp.Or(s, "text")
}

// locales are those of Discord's clients.
// Source: https://docs.discord.com/developers/reference#locales
var locales = []string{
	"bg", "cs", "da", "de", "el", "en-GB", "en-US", "es-419", "es-ES", "fi", "fr", "hi", "hr", "hu", "id", "it", "ja", "ko", "lt", "nl",
	"no", "pl", "pt-BR", "ro", "ru", "sv-SE", "th", "tr", "uk", "vi", "zh-CN", "zh-TW",
}

// localesOf are the locales of a language.
func localesOf(language string) []string {
	var found []string
	for _, l := range locales {
		if l == language || strings.HasPrefix(l, language+"-") {
			found = append(found, l)
		}
	}
	return found
}

// wireApplication: https://docs.discord.com/developers/resources/application#application-object
type wireApplication struct {
	ID       string `json:"id"`
	Flags    int64  `json:"flags"`
	Endpoint string `json:"interactions_endpoint_url"`
}

// application asks for the bot's application.
func (p *Platform) application(ctx context.Context, op string) (app wireApplication, err error) {
	err = p.read(ctx, op, discordgo.EndpointAPI+"applications/@me", "applications", "", &app)
	if lasting(err) {
		err = p.read(ctx, op, discordgo.EndpointOAuth2+"applications/@me", "oauth2", "", &app)
	}
	if err == nil {
		p.dir.identify("", app.ID)
	}
	return app, err
}

// applicationID is the application's id, asked for if no connection has told it yet.
func (p *Platform) applicationID(ctx context.Context, op string) (string, error) {
	if id := p.dir.application(); isID(id) {
		return id, nil
	}
	app, err := p.application(ctx, op)
	switch {
	case err != nil:
		return "", err
	case !isID(app.ID):
		return "", &core.Error{Op: op, Class: core.Unsupported, Err: errNotOwn}
	}
	return app.ID, nil
}
