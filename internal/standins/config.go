package standins

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

// WriteConfig writes config.yaml and .env into dir: a bot on each stand-in, and one app. extra is YAML that goes into every
// bot. It returns the path of config.yaml. What is there already is overwritten.
func (s *Set) WriteConfig(dir string, a AgentConfig, extra string) (string, error) {
	return s.writeConfig(dir, a, Tryout{Extra: func(string) string { return extra }})
}

// WriteTryout is WriteConfig for a set that was started with [TryoutOptions]: further apps answer in rooms of their own.
func (s *Set) WriteTryout(dir string, a AgentConfig, t Tryout) (string, error) {
	return s.writeConfig(dir, a, t)
}

func (s *Set) writeConfig(dir string, a AgentConfig, t Tryout) (string, error) {
	var env strings.Builder
	for _, secret := range s.secrets(a) {
		env.WriteString(secret.name + "=" + secret.value + "\n")
	}
	for _, x := range t.Apps {
		env.WriteString(x.secret() + "=" + x.Key + "\n")
	}
	if err := os.WriteFile(filepath.Join(dir, ".env"), []byte(env.String()), 0o600); err != nil {
		return "", fmt.Errorf("write .env: %w", err)
	}
	text, err := s.config(a, filepath.Join(dir, "bridge.db"), t, false)
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return "", fmt.Errorf("write config.yaml: %w", err)
	}
	return path, nil
}

// WriteConfigFile writes one file that needs no .env beside it, with a bot on each stand-in and one app. store is the path
// of the bridge's store; extra gives the YAML that goes into the bot of a platform. The error wraps [os.ErrExist] when the
// file is there already: it is never overwritten.
func (s *Set) WriteConfigFile(path string, a AgentConfig, store string, extra func(platform string) string) error {
	text, err := s.config(a, store, Tryout{Extra: extra}, true)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	return nil
}

// secret is a value that a configuration takes from the environment.
type secret struct{ name, value string }

func (s *Set) secrets(a AgentConfig) []secret {
	all := []secret{{"CLICKAI_KEY", a.Key}}
	if s.Slack != nil {
		all = append(all, secret{"SLACK_BOT_TOKEN", s.Slack.BotToken()}, secret{"SLACK_APP_TOKEN", s.Slack.AppToken()})
	}
	if s.Discord != nil {
		all = append(all, secret{"DISCORD_TOKEN", s.Discord.Token()})
	}
	if s.Telegram != nil {
		all = append(all, secret{"TELEGRAM_TOKEN", s.Telegram.Token()})
	}
	return all
}

// config is the text of a configuration. With inline the secrets stand in it.
func (s *Set) config(a AgentConfig, store string, t Tryout, inline bool) (string, error) {
	secrets := map[string]string{}
	for _, x := range s.secrets(a) {
		secrets[x.name] = "${" + x.name + "}"
		if inline {
			secrets[x.name] = x.value
		}
	}
	data := map[string]any{"Agent": a, "Store": store, "Secrets": secrets, "More": t.Apps, "Inputs": t.inputs()}
	bots := map[string]any{}
	for _, p := range s.Platforms() {
		bots[p.Name()] = map[string]string{"URL": p.APIURL(), "Extra": indent(t.Extra(p.Name()))}
	}
	data["Bots"] = bots
	var b strings.Builder
	if err := configTemplate.Execute(&b, data); err != nil {
		return "", fmt.Errorf("write the configuration: %w", err)
	}
	return b.String(), nil
}

func indent(yaml string) string {
	if strings.TrimSpace(yaml) == "" {
		return ""
	}
	lines := strings.Split(strings.TrimRight(yaml, "\n"), "\n")
	return "    " + strings.Join(lines, "\n    ") + "\n"
}

var configTemplate = template.Must(template.New("config").Parse(`clickai:
  base_url: {{printf "%q" .Agent.BaseURL}}
  console_url: {{printf "%q" .Agent.ConsoleURL}}
  plan: enterprise
apps:
  demo:
    mode: {{.Agent.Mode}}
    api_key: {{.Secrets.CLICKAI_KEY}}
    inputs: {{.Inputs}}
{{- range .More}}
  {{.Name}}:
    mode: {{.Mode}}
    api_key: ${ {{- .Secret -}} }
    inputs: {{$.Inputs}}
{{- if .QueryInput}}
    query_input: {{.QueryInput}}
{{- end}}
{{- end}}
bots:
{{- with .Bots.slack}}
  - name: demo-slack
    platform: slack
    bot_token: {{$.Secrets.SLACK_BOT_TOKEN}}
    app_token: {{$.Secrets.SLACK_APP_TOKEN}}
    api_url: {{printf "%q" .URL}}
    app: demo
{{.Extra}}{{end}}
{{- with .Bots.discord}}
  - name: demo-discord
    platform: discord
    token: {{$.Secrets.DISCORD_TOKEN}}
    api_url: {{printf "%q" .URL}}
    app: demo
{{.Extra}}{{end}}
{{- with .Bots.telegram}}
  - name: demo-telegram
    platform: telegram
    token: "{{$.Secrets.TELEGRAM_TOKEN}}"
    api_url: {{printf "%q" .URL}}
    app: demo
{{.Extra}}{{end -}}
store:
  path: {{printf "%q" .Store}}
http:
  listen: 127.0.0.1:0
`))
