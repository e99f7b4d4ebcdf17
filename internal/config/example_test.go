package config_test

import (
	"fmt"
	"maps"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/config"
)

const examplePath = "../../config.example.yaml"

var exampleEnv = map[string]string{
	"CLICKAI_SUPPORT_KEY": "app-1", "SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1", "DISCORD_TOKEN": "d-1", "TELEGRAM_TOKEN": "t-1",
}

// The example shows the defaults, so it is the defaults but for what has none.
func TestExampleIsTheDefaults(t *testing.T) {
	t.Parallel()
	got, err := config.Load(examplePath, kinds(), env(exampleEnv))
	if err != nil {
		t.Fatal(err)
	}
	want := config.Default()
	app := config.DefaultApp()
	app.APIKey = "app-1"
	app.Inputs = map[string]any{"language": "vi"}
	want.Apps = map[string]config.App{"support": app}
	slack := kinds()[0].NewSettings().(*slackSettings)
	slack.BotToken, slack.AppToken = "xoxb-1", "xapp-1"
	discord := kinds()[1].NewSettings().(*discordSettings)
	discord.Token = "d-1"
	telegram := kinds()[2].NewSettings().(*telegramSettings)
	telegram.Token = "t-1"
	for _, b := range []struct {
		platform string
		s        core.Settings
	}{{"slack", slack}, {"discord", discord}, {"telegram", telegram}} {
		set := core.DefaultBotSettings()
		set.Name, set.Platform, set.App = "acme-"+b.platform, b.platform, "support"
		if b.platform == "telegram" {
			set.Routes = []core.Route{{Rooms: []string{"-1001234567890"}, App: "support"}}
		}
		want.Bots = append(want.Bots, config.Bot{BotSettings: set, Settings: b.s})
	}
	if diff := cmp.Diff(&want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("the example differs from the defaults (-defaults +example):\n%s", diff)
	}
}

// Each key that the configuration has stands in the example, but for the one that this version refuses.
func TestExampleHasEveryKey(t *testing.T) {
	t.Parallel()
	have := map[string]bool{}
	for path := range readExample(t) {
		have[path] = true
	}
	want := map[string]bool{}
	collect := func(prefix string, v any) { keys(prefix, reflect.TypeOf(v), want) }
	collect("", config.Config{})
	collect("apps.*", config.App{})
	collect("bots[]", core.BotSettings{})
	collect("bots[]", telegramSettings{})
	collect("bots[]", discordSettings{})
	for _, key := range []string{"bot_token", "app_token", "signing_secret", "api_url"} {
		want["bots[]."+key] = true
	}
	delete(want, "store.url")
	want["apps.*.inputs.language"] = true
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("keys (-configuration +example):\n%s", diff)
	}
}

// keys adds the paths of all keys of a struct.
func keys(prefix string, t reflect.Type, to map[string]bool) {
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if name == "" || name == "-" {
			continue
		}
		path := strings.TrimPrefix(prefix+"."+name, ".")
		to[path] = true
		ft := f.Type
		if ft.Kind() == reflect.Slice && ft.Elem().Kind() == reflect.Struct {
			path, ft = path+"[]", ft.Elem()
		}
		if ft.Kind() == reflect.Struct {
			keys(path, ft, to)
		}
	}
}

func readExample(t *testing.T) map[string]any {
	t.Helper()
	raw, err := os.ReadFile(examplePath)
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := yaml.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	flat := map[string]any{}
	flatten("", doc, flat)
	return flat
}

// flatten lists all keys of a document by their paths; names of apps become *.
func flatten(prefix string, v any, to map[string]any) {
	switch x := v.(type) {
	case map[string]any:
		for k, e := range x {
			if prefix == "apps" {
				k = "*"
			}
			path := strings.TrimPrefix(prefix+"."+k, ".")
			if path != "apps.*" {
				to[path] = e
			}
			flatten(path, e, to)
		}
	case []any:
		for _, e := range x {
			flatten(prefix+"[]", e, to)
		}
	}
}

func TestExampleNamesWhatIsUnset(t *testing.T) {
	t.Parallel()
	for name := range exampleEnv {
		vars := maps.Clone(exampleEnv)
		delete(vars, name)
		_, err := config.Load(examplePath, kinds(), env(vars))
		if err == nil || strings.Count(err.Error(), "\n") != 0 || !strings.Contains(err.Error(), fmt.Sprintf("%s is not set", name)) {
			t.Errorf("without %s: %v", name, err)
		}
	}
}
