package discord

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/clickai/bridge/internal/sim"
)

// Limits of application commands.
// Source: https://docs.discord.com/developers/interactions/application-commands
const (
	maxCommands       = 100
	maxCommandOptions = 25
	maxCommandName    = 32
	maxCommandText    = 100
)

var commandName = sim.Regexp(`^[-_'\p{L}\p{N}]{1,32}$`)

type command struct {
	ID           string            `json:"id"`
	Name         string            `json:"name"`
	Description  string            `json:"description"`
	In           map[string]string `json:"description_localizations"`
	Type         int               `json:"type"`
	Options      []commandOption   `json:"options"`
	Contexts     *[]int            `json:"contexts"`
	Integrations []int             `json:"integration_types"`
	Guild        string            `json:"guild_id"`
}

type commandOption struct {
	Type        int               `json:"type"`
	Name        string            `json:"name"`
	Description string            `json:"description"`
	In          map[string]string `json:"description_localizations"`
	Required    bool              `json:"required"`
	MinLength   *int              `json:"min_length"`
	MaxLength   *int              `json:"max_length"`
	Options     []commandOption   `json:"options"`
}

const (
	optionString   = 3
	maxOptionValue = 6000
)

// locales of the clients. Source: https://docs.discord.com/developers/reference#locales
var locales = strings.Fields("bg cs da de el en-GB en-US es-419 es-ES fi fr hi hr hu id it ja ko lt nl no pl pt-BR ro ru sv-SE th tr uk vi zh-CN zh-TW")

func checkLocalized(f form, at string, in map[string]string) {
	for locale, text := range in {
		if !slices.Contains(locales, locale) {
			f.add(at, "DICT_TYPE_KEY_CHOICES", fmt.Sprintf("Locale %q is not one of those that clients have.", locale))
		}
		if n := length(text); n < 1 || n > maxCommandText {
			f.badLength(at+"."+locale, 1, maxCommandText)
		}
	}
}

func checkNumbers(f form, at string, list []int, most int) {
	for i, n := range list {
		if n < 0 || n > most {
			f.add(fmt.Sprintf("%s.%d", at, i), "BASE_TYPE_CHOICES", fmt.Sprintf("Value must be one of 0 to %d.", most))
		}
	}
}

// scope is where the commands of a path live: "" is global.
func (c *call) scope() (string, *apiError) {
	if c.param("app") != c.s.appID() {
		return "", &apiError{status: http.StatusForbidden, code: 20012, message: "You are not authorized to perform this action on this application"}
	}
	g := c.param("guild")
	if g != "" && g != c.s.guild.ID {
		return "", errMissingAccess
	}
	return g, nil
}

func checkCommand(f form, at string, cmd command) {
	if cmd.Type > 1 { // user and message commands: any name, no description
		if n := length(cmd.Name); n < 1 || n > maxCommandName {
			f.badLength(at+"name", 1, maxCommandName)
		}
		return
	}
	if !commandName().MatchString(cmd.Name) || strings.ToLower(cmd.Name) != cmd.Name {
		f.add(at+"name", "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
	}
	if n := length(cmd.Description); n < 1 || n > maxCommandText {
		f.badLength(at+"description", 1, maxCommandText)
	}
	checkLocalized(f, at+"description_localizations", cmd.In)
	if cmd.Contexts != nil {
		checkNumbers(f, at+"contexts", *cmd.Contexts, 2)
	}
	checkNumbers(f, at+"integration_types", cmd.Integrations, 1)
	checkOptions(f, at, cmd.Options)
}

func checkOptions(f form, at string, options []commandOption) {
	if len(options) > maxCommandOptions {
		f.tooLong(at+"options", maxCommandOptions)
	}
	optional := false
	names := map[string]bool{}
	for i, o := range options {
		at := fmt.Sprintf("%soptions.%d.", at, i)
		if names[o.Name] {
			f.add(at+"name", "APPLICATION_COMMAND_OPTIONS_NAME_INVALID", "Option names must be unique")
		}
		names[o.Name] = true
		checkLocalized(f, at+"description_localizations", o.In)
		checkOptionLength(f, at, o)
		if !commandName().MatchString(o.Name) || strings.ToLower(o.Name) != o.Name {
			f.add(at+"name", "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
		}
		if n := length(o.Description); n < 1 || n > maxCommandText {
			f.badLength(at+"description", 1, maxCommandText)
		}
		if o.Type < 1 || o.Type > 11 {
			f.add(at+"type", "BASE_TYPE_CHOICES", "Value must be one of (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11).")
		}
		if o.Required && optional {
			f.add(at+"required", "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", "Required options must be placed before non-required options")
		}
		optional = optional || !o.Required
		checkOptions(f, at, o.Options)
	}
}

func checkOptionLength(f form, at string, o commandOption) {
	for name, n := range map[string]*int{"min_length": o.MinLength, "max_length": o.MaxLength} {
		low := 0
		if name == "max_length" {
			low = 1
		}
		if n != nil && (o.Type != optionString || *n < low || *n > maxOptionValue) {
			f.add(at+name, "NUMBER_TYPE_MAX", fmt.Sprintf("int value should be between %d and %d, for text only.", low, maxOptionValue))
		}
	}
}

// stored makes the object that the API gives back for a command.
func (c *call) stored(scope string, raw json.RawMessage, old []map[string]any) (map[string]any, error) {
	o := map[string]any{}
	if err := json.Unmarshal(raw, &o); err != nil {
		return nil, errInvalidJSON
	}
	id := c.s.ids.next(time.Now())
	for _, x := range old {
		if x["name"] == o["name"] {
			id, _ = x["id"].(string)
		}
	}
	for k, v := range o {
		if v == nil {
			delete(o, k)
		}
	}
	maps.Copy(o, map[string]any{"id": id, "application_id": c.s.appID(), "version": id})
	if scope != "" {
		o["guild_id"] = scope
	}
	if o["type"] == nil {
		o["type"] = 1
	}
	return o, nil
}

func getCommands(c *call) (int, any, error) {
	scope, err := c.scope()
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, nonNil(c.s.commands[scope]), nil
}

// putCommands overwrites all commands of a scope.
func putCommands(c *call) (int, any, error) {
	scope, err := c.scope()
	if err != nil {
		return 0, nil, err
	}
	var cmds []command
	var raws []json.RawMessage
	if err := c.decode(&cmds); err != nil {
		return 0, nil, err
	}
	if err := c.decode(&raws); err != nil {
		return 0, nil, err
	}
	f := form{}
	if len(cmds) > maxCommands {
		f.tooLong("_errors", maxCommands)
	}
	names := map[string]bool{}
	for i, cmd := range cmds {
		checkCommand(f, fmt.Sprintf("%d.", i), cmd)
		if names[cmd.Name] {
			f.add(fmt.Sprint(i), "APPLICATION_COMMANDS_DUPLICATE_NAME", "Application command names must be unique")
		}
		names[cmd.Name] = true
	}
	if err := f.err(); err != nil {
		return 0, nil, err
	}
	out := make([]map[string]any, 0, len(raws))
	for _, raw := range raws {
		o, err := c.stored(scope, raw, c.s.commands[scope])
		if err != nil {
			return 0, nil, err
		}
		out = append(out, o)
	}
	c.s.commands[scope] = out
	c.s.notify.Notify()
	return http.StatusOK, out, nil
}

func postCommand(c *call) (int, any, error) {
	scope, err := c.scope()
	if err != nil {
		return 0, nil, err
	}
	var cmd command
	if err := c.decode(&cmd); err != nil {
		return 0, nil, err
	}
	f := form{}
	checkCommand(f, "", cmd)
	if err := f.err(); err != nil {
		return 0, nil, err
	}
	old := c.s.commands[scope]
	o, serr := c.stored(scope, c.body, old)
	if serr != nil {
		return 0, nil, serr
	}
	list := slices.DeleteFunc(slices.Clone(old), func(x map[string]any) bool { return x["name"] == cmd.Name })
	if len(list) >= maxCommands {
		return 0, nil, &apiError{status: http.StatusBadRequest, code: 30032, message: "Maximum number of application commands reached (100)", fault: true}
	}
	c.s.commands[scope] = append(list, o)
	c.s.notify.Notify()
	return http.StatusCreated, o, nil
}

func deleteCommand(c *call) (int, any, error) {
	scope, err := c.scope()
	if err != nil {
		return 0, nil, err
	}
	list := slices.DeleteFunc(slices.Clone(c.s.commands[scope]), func(x map[string]any) bool { return x["id"] == c.param("command") })
	if len(list) == len(c.s.commands[scope]) {
		return 0, nil, errUnknownCommand
	}
	c.s.commands[scope] = list
	return http.StatusNoContent, noContent, nil
}
