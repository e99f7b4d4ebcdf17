package setup

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"text/template"
)

// Answers are what a configuration is made of.
type Answers struct {
	BaseURL    string // of ClickAI
	Mode       string // of the app
	APIKey     string
	QueryInput string // completion, workflow: the input that receives the message's text; "" for its default
	Bots       []Bot
}

// Bot is a bot to be written.
type Bot struct {
	Name     string
	Platform string
	Keys     []Key // in the order of the file
}

// Key is a key of a bot with its value. Env is the variable in .env that holds it; "": it stands in the configuration.
type Key struct{ Name, Value, Env, Comment string }

// secret tells whether it stands in .env.
func (k Key) secret() bool { return k.Env != "" && k.Value != "" }

// appKey is the variable that holds the app's key.
const appKey = "CLICKAI_API_KEY"

// Variables are the names in the .env, in its order.
func (a Answers) Variables() []string {
	names := []string{appKey}
	for _, b := range a.Bots {
		for _, k := range b.Keys {
			if k.secret() {
				names = append(names, k.Env)
			}
		}
	}
	return names
}

// Compose returns the text of a configuration and of the .env beside it. An error says which answer cannot be written.
func Compose(a Answers) (config, env string, err error) {
	var secrets strings.Builder
	secrets.WriteString("# Secrets of the bridge. Keep this file to yourself. The environment's own variables win over it.\n")
	add := func(name, value string) error {
		quoted, err := quoteEnv(value)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		secrets.WriteString(name + "=" + quoted + "\n")
		return nil
	}
	if err := add(appKey, a.APIKey); err != nil {
		return "", "", err
	}
	for _, b := range a.Bots {
		for _, k := range b.Keys {
			if !k.secret() {
				continue
			}
			if err := add(k.Env, k.Value); err != nil {
				return "", "", err
			}
		}
	}
	var b strings.Builder
	if err := page.Execute(&b, a); err != nil {
		return "", "", fmt.Errorf("write the configuration: %w", err)
	}
	return b.String(), secrets.String(), nil
}

// plain is what reads the same in every .env file, with quotes or without.
var plain = regexp.MustCompile(`^[A-Za-z0-9_.:/+=@-]+$`)

// quoteEnv writes a value for a .env file. In single quotes nothing has a meaning of its own, but not everything that reads
// such files knows quotes: kubectl takes them for part of the value
// (https://kubernetes.io/docs/tasks/configure-pod-container/configure-pod-configmap/). Keys and tokens need none.
func quoteEnv(value string) (string, error) {
	if plain.MatchString(value) {
		return value, nil
	}
	if strings.ContainsAny(value, "'\n\r\x00") {
		return "", fmt.Errorf("it holds a quote or a line break, which no key or token has")
	}
	return "'" + value + "'", nil
}

// quoteYAML writes a value that stands in the configuration itself.
func quoteYAML(value string) string {
	return strconv.Quote(strings.ReplaceAll(value, "$", "$$"))
}

// value is how a key's value stands in the configuration.
func (k Key) value() string {
	switch {
	case k.Value == "":
		return `""`
	case k.secret():
		return `"${` + k.Env + `}"`
	}
	return quoteYAML(k.Value)
}

var page = template.Must(template.New("config").Funcs(template.FuncMap{
	"quote": quoteYAML,
	"value": Key.value,
	"comment": func(s string) string {
		if s == "" {
			return ""
		}
		return " # " + s
	},
	"appKey": func() string { return `"${` + appKey + `}"` },
}).Parse(`# Configuration of the bridge, made by bridge init. The secrets are in .env beside it.
# All keys, with their defaults, stand in config.example.yaml. Check what you change with: bridge check
# A running bridge reads it again on SIGHUP.

clickai:
  base_url: {{quote .BaseURL}}
  plan: professional # sandbox | professional | team | enterprise: how many requests the bridge keeps to

# The ClickAI applications, under names of your own.
apps:
  assistant:
    mode: {{.Mode}} # chat | agent-chat | completion | workflow
    api_key: {{appKey}}
{{- if .QueryInput}}
    query_input: {{quote .QueryInput}} # the input that receives the message's text
{{- end}}

# The accounts that answer. A bot's name is part of every key in the store: a renamed bot is a new one.
bots:
{{- range .Bots}}
  - name: {{.Name}}
    platform: {{.Platform}}
{{- range .Keys}}
    {{.Name}}: {{value .}}{{comment .Comment}}
{{- end}}
    app: assistant
    respond: mention # direct | mention | thread | all: what it answers in rooms, besides its direct messages
    language: en # en | vi: of the bridge's own words
    # allow: {rooms: [], users: []} # who may use it, and where; empty: everyone
{{- end}}

store:
  path: bridge.db # its folder must exist

http:
  listen: 127.0.0.1:8080 # /healthz, /readyz, /metrics and webhooks; "" for none

log:
  level: info # debug | info | warn | error
`))
