package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/config"
)

func TestMinimal(t *testing.T) {
	t.Parallel()
	got := mustLoad(t, minimal, nil)
	want := config.Default()
	app := config.DefaultApp()
	app.APIKey = "app-key"
	want.Apps = map[string]config.App{"support": app}
	set := core.DefaultBotSettings()
	set.Name, set.Platform, set.App = "acme", "discord", "support"
	want.Bots = []config.Bot{{BotSettings: set, Settings: &discordSettings{Token: "discord-token", APIURL: "https://discord.com/api/v9"}}}
	if diff := cmp.Diff(&want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestNoFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "config.yaml")
	if _, err := config.Load(path, kinds(), env(nil)); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("missing file: %v", err)
	}
	if _, err := config.Load(filepath.Dir(path), kinds(), env(nil)); err == nil {
		t.Error("a directory is read")
	}
	if err := os.WriteFile(path, []byte(strings.Repeat("# much\n", 200_000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := config.Load(path, kinds(), env(nil)); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("a huge file: %v", err)
	}
}

// bot reads the one bot of a configuration in which lines are added to it.
func bot(t *testing.T, lines string, vars map[string]string) config.Bot {
	t.Helper()
	return mustLoad(t, minimal+lines, vars).Bots[0]
}

func TestValues(t *testing.T) {
	t.Parallel()
	vars := map[string]string{
		"N": "7", "YES": "True", "T": "2w", "SIZE": "3MiB", "RATE": "5/h", "MODE": "final", "EMPTY": "", "HASH": "a # b", "YAML": "[1, 2]", "DOLLARS": "$${N}${N}$N",
	}
	for _, tt := range []struct {
		name, lines string
		get         func(config.Bot) any
		want        any
	}{
		{"number", "    thread_context: 5", func(b config.Bot) any { return b.ThreadContext }, 5},
		{"number from a variable", "    thread_context: ${N}", func(b config.Bot) any { return b.ThreadContext }, 7},
		{"number from a quoted variable", `    thread_context: "${N}"`, func(b config.Bot) any { return b.ThreadContext }, 7},
		{"number from a default", "    thread_context: ${UNSET:-9}", func(b config.Bot) any { return b.ThreadContext }, 9},
		{"number from parts", "    thread_context: 1${N}", func(b config.Bot) any { return b.ThreadContext }, 17},
		{"number from an empty variable", "    thread_context: ${EMPTY}", func(b config.Bot) any { return b.ThreadContext }, 20},
		{"hexadecimal", "    thread_context: 0x10", func(b config.Bot) any { return b.ThreadContext }, 16},
		{"leading zero", "    thread_context: 017", func(b config.Bot) any { return b.ThreadContext }, 17},
		{"null", "    thread_context: null", func(b config.Bot) any { return b.ThreadContext }, 20},
		{"nothing", "    thread_context:", func(b config.Bot) any { return b.ThreadContext }, 20},
		{"switch", "    open_thread: false", func(b config.Bot) any { return b.OpenThread }, false},
		{"switch from a variable", "    show: {usage: '${YES}'}", func(b config.Bot) any { return b.Show.Usage }, true},
		{"time", "    idle_reset: 1h30m", func(b config.Bot) any { return b.IdleReset }, 90 * time.Minute},
		{"days", "    idle_reset: 1d12h", func(b config.Bot) any { return b.IdleReset }, 36 * time.Hour},
		{"weeks from a variable", "    idle_reset: ${T}", func(b config.Bot) any { return b.IdleReset }, 14 * 24 * time.Hour},
		{"zero time", "    catch_up: 0", func(b config.Bot) any { return b.CatchUp }, time.Duration(0)},
		{"fraction", "    limits: {calls_per_second: 1.5}", func(b config.Bot) any { return b.Limits.CallsPerSecond }, 1.5},
		{"whole fraction", "    limits: {calls_per_second: 3}", func(b config.Bot) any { return b.Limits.CallsPerSecond }, 3.0},
		{"exponent", "    limits: {calls_per_second: 1e2}", func(b config.Bot) any { return b.Limits.CallsPerSecond }, 100.0},
		{"rate", "    limits: {turns_per_user: 3/10s}", func(b config.Bot) any { return b.Limits.TurnsPerUser }, core.PerTime{Count: 3, Per: 10 * time.Second}},
		{"rate from a variable", "    limits: {turns_per_user: '${RATE}'}", func(b config.Bot) any { return b.Limits.TurnsPerUser }, core.PerTime{Count: 5, Per: time.Hour}},
		{"no rate", "    limits: {turns_per_user: 0}", func(b config.Bot) any { return b.Limits.TurnsPerUser }, core.PerTime{}},
		{"the rest of a mapping keeps its defaults", "    limits: {turns_per_user: 0}", func(b config.Bot) any { return b.Limits.AnswerTimeout }, 10 * time.Minute},
		{
			"one size for all", "    attachments: {max_bytes: 2MB}",
			func(b config.Bot) any { return b.Attachments.MaxBytes },
			core.SizeByType{Image: 2e6, Document: 2e6, Audio: 2e6, Video: 2e6, Custom: 2e6},
		},
		{
			"a size as a number", "    attachments: {max_bytes: 1000}",
			func(b config.Bot) any { return b.Attachments.MaxBytes.Image }, core.ByteSize(1000),
		},
		{
			"sizes by type", "    attachments:\n      max_bytes:\n        image: ${SIZE}",
			func(b config.Bot) any { return b.Attachments.MaxBytes },
			core.SizeByType{Image: 3 << 20, Document: 15e6, Audio: 50e6, Video: 100e6, Custom: 15e6},
		},
		{"choice", "    respond: thread", func(b config.Bot) any { return b.Respond }, "thread"},
		{"choice that looks like a switch", "    show: {thoughts: off}", func(b config.Bot) any { return b.Show.Thoughts }, "off"},
		{"choice from a variable", "    stream: {mode: '${MODE}'}", func(b config.Bot) any { return b.Stream.Mode }, "final"},
		{"choice from an empty variable", "    language: ${EMPTY}", func(b config.Bot) any { return b.Language }, "en"},
		{"list", "    admins: [U1, 123, '@minh']", func(b config.Bot) any { return b.Admins }, []string{"U1", "123", "@minh"}},
		{"list of negative ids", "    allow:\n      rooms:\n        - -1001234567890\n        - ${N}", func(b config.Bot) any { return b.Allow.Rooms }, []string{"-1001234567890", "7"}},
		{"empty list", "    feedback: {like: []}", func(b config.Bot) any { return len(b.Feedback.Like) }, 0},
		{"empty mapping", "    feedback: {}", func(b config.Bot) any { return len(b.Feedback.Like) }, 4},
		{"a variable is never YAML", "    admins: ['${HASH}', '${YAML}']", func(b config.Bot) any { return b.Admins }, []string{"a # b", "[1, 2]"}},
		{"a variable is never expanded again", "    admins: ['${DOLLARS}']", func(b config.Bot) any { return b.Admins }, []string{"$${N}${N}$N"}},
		{"dollars", "    admins: ['$${N}', 'a$b', '$', '$$', '$$$${N}${N}']", func(b config.Bot) any { return b.Admins }, []string{"${N}", "a$b", "$", "$", "$${N}7"}},
		{"literal text", "    admins:\n      - |\n        two\n        lines", func(b config.Bot) any { return b.Admins }, []string{"two\nlines"}},
		{"tag", "    admins: [!!str true]", func(b config.Bot) any { return b.Admins }, []string{"true"}},
		{"platform's key", "    api_url: http://127.0.0.1:1/x", func(b config.Bot) any { return b.Settings.(*discordSettings).APIURL }, "http://127.0.0.1:1/x"},
		{
			"routes", "    routes:\n      - rooms: [C1]\n        app: support\n      - {rooms: [C2, C3], app: support}",
			func(b config.Bot) any { return b.Routes },
			[]core.Route{{Rooms: []string{"C1"}, App: "support"}, {Rooms: []string{"C2", "C3"}, App: "support"}},
		},
		{"Windows line ends", "    thread_context: 3\r\n    admins:\r\n      - A\r\n", func(b config.Bot) any { return b.Admins }, []string{"A"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, tt.get(bot(t, tt.lines, vars))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestPlatformTypes(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, `apps: {support: {api_key: k}}
bots:
  - {name: a, platform: slack, bot_token: x, app_token: y, app: support, workers: 3, ratio: 0.5, small: 255, nested: {deep: [1, 2]}}
`, nil)
	s := c.Bots[0].Settings.(*slackSettings)
	if s.Workers == nil || *s.Workers != 3 || s.Ratio != 0.5 || s.Small != 255 || !cmp.Equal(s.Nested.Deep, []int{1, 2}) {
		t.Errorf("settings %+v", s)
	}
}

func TestInputsKeepTheirTypes(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, strings.Replace(minimal, "api_key: app-key", `api_key: app-key
    inputs:
      text: vi
      quoted: "5"
      template: "{{.User.Name}}"
      whole: 5
      big: 18446744073709551615
      fraction: 1.5
      yes: true
      nothing: null
      variable: ${N}
      mixed: a${N}
      list: [1, two, "${N}"]
      deep: {a: {b: [false]}}
      empty: {}`, 1), map[string]string{"N": "007"})
	want := map[string]any{
		"text": "vi", "quoted": "5", "template": "{{.User.Name}}", "whole": int64(5), "big": uint64(18446744073709551615), "fraction": 1.5,
		"yes": true, "nothing": nil, "variable": "007", "mixed": "a007", "list": []any{int64(1), "two", "007"},
		"deep": map[string]any{"a": map[string]any{"b": []any{false}}}, "empty": map[string]any{},
	}
	if diff := cmp.Diff(want, c.Apps["support"].Inputs); diff != "" {
		t.Errorf("inputs (-want +got):\n%s", diff)
	}
}

func TestAnchors(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, `apps: {support: {api_key: k}}
bots:
  - &one
    name: one
    platform: discord
    token: t
    app: support
    limits: &limits {turns_per_user: 1/1m, answer_timeout: 5m}
    thread_context: 3
  - <<: *one
    name: two
    thread_context: 4
  - <<: [{name: three, show: {usage: true}}, *one]
    limits:
      <<: *limits
      answer_timeout: 6m
`, nil)
	var got []string
	for _, b := range c.Bots {
		got = append(got, strings.Join([]string{b.Name, b.Limits.TurnsPerUser.String(), b.Limits.AnswerTimeout.String(), b.Settings.(*discordSettings).Token.Reveal()}, " "))
	}
	if diff := cmp.Diff([]string{"one 1/1m 5m0s t", "two 1/1m 5m0s t", "three 1/1m 6m0s t"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if c.Bots[1].ThreadContext != 4 || c.Bots[2].ThreadContext != 3 || !c.Bots[2].Show.Usage {
		t.Errorf("merged %+v", c.Bots)
	}
}

func TestSources(t *testing.T) {
	t.Parallel()
	path := write(t, map[string]string{
		"config.yaml": `apps:
  env: {api_key: "${BOTH}"}
  dotenv: {api_key: "${ONLY}"}
  file: {api_key: "${file:secret}"}
  empty: {api_key: "x${SET_EMPTY}"}
  default: {api_key: "${SET_EMPTY:-d e:f}"}
bots:
  - {name: a, platform: discord, token: "a ${ONLY} ${file:secret} b", app: env}
`,
		".env":   "\ufeff# comment\nBOTH=dotenv\nexport ONLY='from dotenv $x'\nSET_EMPTY=dotenv\n",
		"secret": "from ${BOTH} file\r\n",
	})
	c, err := config.Load(path, kinds(), env(map[string]string{"BOTH": "env", "SET_EMPTY": ""}))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"env": "env", "dotenv": "from dotenv $x", "file": "from ${BOTH} file", "empty": "x", "default": "d e:f",
	} {
		if got := c.Apps[name].APIKey.Reveal(); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	if got, want := c.Bots[0].Settings.(*discordSettings).Token.Reveal(), "a from dotenv $x from ${BOTH} file b"; got != want {
		t.Errorf("token %q, want %q", got, want)
	}
}

func TestWholeConfiguration(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, `# a comment first
clickai: {base_url: http://127.0.0.1:9/base, plan: team, requests_per_minute: "${RPM:-5}", requests_per_day: 100, workspace_id: 42}
`+minimal+`store: {path: /var/lib/bridge/x.db, retention: 2w, url: ""}
http: {listen: ""}
log: {level: debug, format: json}
shutdown_timeout: 0s
`, nil)
	want := config.ClickAI{
		BaseURL: "http://127.0.0.1:9/base", ConsoleURL: "https://clickai.io", WorkspaceID: "42", Plan: "team", RequestsPerMinute: 5, RequestsPerDay: 100,
	}
	if diff := cmp.Diff(want, c.ClickAI); diff != "" {
		t.Errorf("clickai (-want +got):\n%s", diff)
	}
	if c.Store != (config.Store{Path: "/var/lib/bridge/x.db", Retention: 14 * 24 * time.Hour}) || c.HTTP.Listen != "" ||
		c.Log != (config.Log{Level: "debug", Format: "json"}) || c.ShutdownTimeout != 0 {
		t.Errorf("%+v", c)
	}
}
