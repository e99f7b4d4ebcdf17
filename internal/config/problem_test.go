package config_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clickai/bridge/internal/config"
)

// botLines adds lines to the bot of the minimal configuration; they begin on line 9.
func botLines(lines string) string { return minimal + lines + "\n" }

func TestProblems(t *testing.T) {
	t.Parallel()
	vars := map[string]string{"WORD": "secret-word", "SHORT": "x", "NUM": "999", "EMPTY": "", "RESPONDD": "mention"}
	for _, tt := range []struct {
		name, text string
		want       []string // a line each; a trailing … cuts the comparison there
	}{
		// Keys.
		{"unknown key", botLines("    respnd: all"), []string{"config.yaml:9:5: bots[0].respnd: unknown key; did you mean respond?"}},
		{"unknown key far off", minimal + "xylophone: 1\n", []string{"config.yaml:9:1: xylophone: unknown key; nearest valid name: …"}},
		{"unknown key deep down", botLines("    stream: {mod: edit}"), []string{"config.yaml:9:14: bots[0].stream.mod: unknown key; did you mean mode?"}},
		{"unknown key of an app", strings.Replace(minimal, "api_key", "apikey", 1), []string{
			"config.yaml:3:5: apps.support.apikey: unknown key; did you mean api_key?",
			"config.yaml:3:5: apps.support.api_key: is missing; copy it from the app's API access page in ClickAI",
		}},
		{"another platform's key", botLines("    bot_token: x"), []string{"config.yaml:9:5: bots[0].bot_token: unknown key; it is a key of slack; …"}},
		{"duplicate key", botLines("    respond: all\n    respond: direct"), []string{"config.yaml:10:5: bots[0].respond: duplicate key, first on line 9; keep one of them"}},
		{"duplicate key in a flow mapping", botLines("    show: {usage: true, usage: true}"), []string{"config.yaml:9:25: bots[0].show.usage: duplicate key, first on line 9; keep one of them"}},
		{"odd key", minimal + `"a b.c": 1` + "\n", []string{`config.yaml:9:1: "a b.c": unknown key; nearest valid name: …`}},
		{"number as key", minimal + "12: 1\n", []string{"config.yaml:9:1: 12: unknown key; nearest valid name: …"}},

		// Types.
		{"text for a number", botLines("    thread_context: many"), []string{`config.yaml:9:21: bots[0].thread_context: "many" is not a whole number`}},
		{"quoted number", botLines(`    thread_context: "5"`), []string{`config.yaml:9:21: bots[0].thread_context: "5" is text, not a number; remove the quotes: write the number alone`}},
		{"fraction for a whole number", botLines("    thread_context: 1.5"), []string{`config.yaml:9:21: bots[0].thread_context: "1.5" is not a whole number`}},
		{"huge number", botLines("    thread_context: 99999999999999999999"), []string{`config.yaml:9:21: bots[0].thread_context: "99999999999999999999" is too large a number`}},
		{"text for a fraction", botLines("    limits: {calls_per_second: fast}"), []string{`config.yaml:9:32: bots[0].limits.calls_per_second: "fast" is not a number; write it as 1.5`}},
		{"infinity", botLines("    limits: {calls_per_second: .inf}"), []string{`config.yaml:9:32: bots[0].limits.calls_per_second: ".inf" is not a number; write it as 1.5`}},
		{"text for a switch", botLines("    open_thread: yes"), []string{`config.yaml:9:18: bots[0].open_thread: "yes" is not true or false; write true or false`}},
		{"quoted switch", botLines("    open_thread: 'true'"), []string{`config.yaml:9:18: bots[0].open_thread: "true" is text, not true or false; remove the quotes: write true or false`}},
		{"switch for text", minimal + "store: {path: true}\n", []string{"config.yaml:9:15: store.path: true is a switch where text is due; put it in quotes"}},
		{"time without unit", botLines("    idle_reset: 30"), []string{`config.yaml:9:17: bots[0].idle_reset: "30" is not a time; it has no unit: write it as 30s`}},
		{"no time", botLines("    idle_reset: soon"), []string{`config.yaml:9:17: bots[0].idle_reset: "soon" is not a time; write a number with its unit, …`}},
		{"days after hours", botLines("    idle_reset: 1h2d"), []string{`config.yaml:9:17: bots[0].idle_reset: "1h2d" is not a time; …`}},
		{"endless time", botLines("    idle_reset: 99999999w"), []string{`config.yaml:9:17: bots[0].idle_reset: "99999999w" is not a time; …`}},
		{"no size", botLines("    attachments: {max_bytes: {image: big}}"), []string{`config.yaml:9:38: bots[0].attachments.max_bytes.image: "big" is not a size; write it as 15MB or 1GiB`}},
		{"no size for all", botLines("    attachments: {max_bytes: big}"), []string{`config.yaml:9:30: bots[0].attachments.max_bytes: "big" is not a size; write it as 15MB or 1GiB, or a mapping of sizes by type`}},
		{"no rate", botLines("    limits: {turns_per_user: 20}"), []string{`config.yaml:9:30: bots[0].limits.turns_per_user: "20" is not a rate; write it as 20/1m; 0 for no limit`}},
		{"one value for a list", botLines("    admins: minh"), []string{`config.yaml:9:13: bots[0].admins: "minh" is one value where a list is due; write [minh]`}},
		{"one value for a mapping", botLines("    stream: edit"), []string{`config.yaml:9:13: bots[0].stream: "edit" is one value where a mapping is due; indent its keys under it`}},
		{"list for a mapping", botLines("    stream: [edit]"), []string{"config.yaml:9:13: bots[0].stream: is a list where a mapping is due"}},
		{"list for text", botLines("    respond: [all]"), []string{"config.yaml:9:14: bots[0].respond: is a list where text is due"}},
		{"list for a time", botLines("    catch_up: [1h]"), []string{"config.yaml:9:15: bots[0].catch_up: is a list where a time such as 30s is due"}},
		{"mapping for a list", botLines("    admins: {a: b}"), []string{"config.yaml:9:13: bots[0].admins: is a mapping where a list is due"}},
		{"mapping for a rate", botLines("    limits:\n      turns_per_user:\n        count: 1"), []string{"config.yaml:11:9: bots[0].limits.turns_per_user: is a mapping where a rate such as 20/1m is due"}},
		{"mapping for a number", botLines("    thread_context: {a: 1}"), []string{"config.yaml:9:21: bots[0].thread_context: is a mapping where a whole number is due"}},
		{"empty item", botLines("    admins:\n      - a\n      -"), []string{"config.yaml:11:8: bots[0].admins[1]: is empty; remove the item, or give it a value"}},
		{"list for the whole", "- a\n", []string{"config.yaml:1:1: is a list where the configuration's keys are due; begin with bots: or apps:"}},
		{"text for the whole", "hello\n", []string{`config.yaml:1:1: "hello" is one value where a mapping is due; …`}},
		{"mapping for bots", "apps: {a: {api_key: k}}\nbots: {a: 1}\n", []string{"config.yaml:2:7: bots: is a mapping where a list is due"}},
		{"text for a bot", "apps: {a: {api_key: k}}\nbots: [acme]\n", []string{"config.yaml:2:8: bots[0]: a bot is a mapping; write its keys under - name:"}},
		{"list for apps", minimal[strings.Index(minimal, "bots"):] + "apps: [a]\n", []string{"config.yaml:6:7: apps: is a list where a mapping is due"}},

		// Choices.
		{"choice", botLines("    respond: mentions"), []string{`config.yaml:9:14: bots[0].respond: "mentions" is not valid; did you mean mention?`}},
		{"choice far off", botLines("    respond: always-and-ever"), []string{`config.yaml:9:14: bots[0].respond: "always-and-ever" is not valid; nearest valid name: all; valid here: direct, mention, thread, all`}},
		{"choice in a list", botLines("    attachments: {types: [image, vidoe]}"), []string{`config.yaml:9:34: bots[0].attachments.types[1]: "vidoe" is not valid; did you mean video?`}},
		{"empty choice", botLines(`    respond: ""`), []string{`config.yaml:9:14: bots[0].respond: "" is not valid; nearest valid name: …`}},
		{"plan", minimal + "clickai: {plan: pro}\n", []string{`config.yaml:9:17: clickai.plan: "pro" is not valid; nearest valid name: …`}},
		{"app mode", strings.Replace(minimal, "api_key", "mode: agent_chat\n    api_key", 1), []string{`config.yaml:3:11: apps.support.mode: "agent_chat" is not valid; did you mean agent-chat?`}},

		// Variables.
		{"unset", botLines("    respond: ${RESPOND}"), []string{"config.yaml:9:14: bots[0].respond: RESPOND is not set; set it in the environment or in .env, or write ${RESPOND:-default}"}},
		{"two unset in one value", botLines("    admins: ['${A} ${B}']"), []string{"config.yaml:9:14: bots[0].admins[0]: A is not set; …", "config.yaml:9:14: bots[0].admins[0]: B is not set; …"}},
		{"unset secret is told once", strings.Replace(minimal, "discord-token", "${DISCORD_TOKEN}", 1), []string{"config.yaml:7:12: bots[0].token: DISCORD_TOKEN is not set; …"}},
		{"not closed", botLines("    respond: ${RESPOND"), []string{"config.yaml:9:14: bots[0].respond: ${ is not closed; add a }, or write $${ for a plain ${"}},
		{"no name", botLines("    respond: ${}"), []string{`config.yaml:9:14: bots[0].respond: "${}" is not a variable; write ${NAME}, ${NAME:-default} or ${file:/path}; $${ for a plain ${`}},
		{"bad name", botLines("    respond: ${a-b}"), []string{`config.yaml:9:14: bots[0].respond: "${a-b}" is not a variable; …`}},
		{"nested", botLines("    respond: ${A:-${B}}"), []string{"config.yaml:9:14: bots[0].respond: ${A} has a variable in its default; a default is plain text"}},
		{"no file", botLines("    respond: ${file:nowhere}"), []string{"config.yaml:9:14: bots[0].respond: ${file:nowhere}: no such file or directory; make the file readable for the bridge, or correct its path"}},
		{"no file name", botLines("    respond: ${file:}"), []string{"config.yaml:9:14: bots[0].respond: ${file:}: no path is given; …"}},
		{"wrong number from a variable", botLines("    thread_context: ${WORD}"), []string{"config.yaml:9:21: bots[0].thread_context: the value of ${WORD} is not a whole number"}},
		{"wrong switch from a variable", botLines("    open_thread: ${SHORT}"), []string{"config.yaml:9:18: bots[0].open_thread: the value of ${SHORT} is not true or false; write true or false"}},
		{"wrong choice from a variable", botLines("    respond: ${WORD}"), []string{"config.yaml:9:14: bots[0].respond: the value of ${WORD} is not valid; valid here: direct, mention, thread, all"}},
		{"wrong size from a variable", botLines("    attachments: {max_bytes: '${WORD}'}"), []string{"config.yaml:9:30: bots[0].attachments.max_bytes: the value of ${WORD} is not a size; …"}},
		{"wrong rate from variables", botLines("    limits: {turns_per_user: '${WORD}${SHORT}${WORD}'}"), []string{"config.yaml:9:30: bots[0].limits.turns_per_user: the value of ${WORD} and ${SHORT} is not a rate; …"}},
		{"list from a variable", botLines("    admins: ${WORD}"), []string{"config.yaml:9:13: bots[0].admins: the value of ${WORD} is one value where a list is due; write - before each item, or [a, b]"}},
		{"unquoted in a list", botLines("    admins: [${WORD}]"), []string{"config.yaml:9:15: is not YAML: ',' or ']' must be specified; put ${…} in quotes when it stands inside [ ] or { }"}},

		// What the values mean.
		{"nothing at all", "", []string{"config.yaml:1:1: apps: no app is configured; …", "config.yaml:1:1: bots: no bot is configured; …"}},
		{"null", "bots:\napps:\n", []string{"config.yaml:1:6: bots: no bot is configured; …", "config.yaml:2:6: apps: no app is configured; …"}},
		{"app without key", strings.Replace(minimal, "\n    api_key: app-key", "", 1), []string{"config.yaml:2:11: apps.support.api_key: is missing; …"}},
		{"bot without anything", "apps: {a: {api_key: k}}\nbots:\n  - {}\n", []string{
			"config.yaml:3:5: bots[0].name: is missing; give the bot a name of its own",
			"config.yaml:3:5: bots[0].platform: is missing; use one of slack, discord, telegram",
			"config.yaml:3:5: bots[0].app: is missing; name one of apps",
		}},
		{"bad bot name", strings.Replace(minimal, "acme", "a/b", 1), []string{"config.yaml:5:11: bots[0].name: is not a name; …"}},
		{"duplicate bot name", minimal + "  - {name: acme, platform: discord, token: t, app: support}\n", []string{"config.yaml:9:12: bots[1].name: another bot has this name, on line 5; give each bot a name of its own"}},
		{"unknown platform", strings.Replace(minimal, "discord\n", "discrod\n", 1), []string{`config.yaml:6:15: bots[0].platform: unknown platform "discrod"; did you mean discord?`}},
		{"unknown platform and key", strings.Replace(minimal, "discord\n", "irc\n    tokens: x\n", 1), []string{
			`config.yaml:6:15: bots[0].platform: unknown platform "irc"; …`, "config.yaml:7:5: bots[0].tokens: unknown key; did you mean token?",
		}},
		{"unknown app", strings.Replace(minimal, "app: support", "app: supprt", 1), []string{`config.yaml:8:10: bots[0].app: there is no app "supprt"; did you mean support?`}},
		{"route to an unknown app", botLines("    routes:\n      - rooms: [C1]\n        app: sales"), []string{`config.yaml:11:14: bots[0].routes[0].app: there is no app "sales"; only support is valid here`}},
		{"route without all", botLines("    routes:\n      - {}"), []string{
			"config.yaml:10:9: bots[0].routes[0].rooms: is missing: the route is never taken; name the rooms", "config.yaml:10:9: bots[0].routes[0].app: is missing; …",
		}},
		{"platform's own check", strings.Replace(minimal, "    token: discord-token\n", "", 1), []string{"config.yaml:5:5: bots[0].token: is missing"}},
		{"platform's check of the whole", "apps: {a: {api_key: k}}\nbots:\n  - {name: s, platform: slack, bot_token: x, app: a}\n", []string{
			"config.yaml:3:5: bots[0]: neither app_token nor signing_secret is set; set one of them",
		}},
		{"platform's check of a variable", "apps: {a: {api_key: k}}\nbots:\n  - {name: s, platform: slack, bot_token: x, app_token: y, app: a, api_url: '${WORD}'}\n", []string{
			"config.yaml:3:77: bots[0].api_url: ${WORD} is not an address; not ${WORD}",
		}},
		{"platform's check of a short variable", "apps: {a: {api_key: k}}\nbots:\n  - {name: s, platform: slack, bot_token: x, app_token: y, app: a, api_url: '${SHORT}'}\n", []string{
			"config.yaml:3:77: bots[0].api_url: ${SHORT} is not an address; not ${SHORT}",
		}},
		{"common check", botLines("    thread_context: 500"), []string{"config.yaml:9:21: bots[0].thread_context: 500 is out of range; use 0 to 200"}},
		{"common check of a variable", botLines("    thread_context: ${NUM}"), []string{"config.yaml:9:21: bots[0].thread_context: ${NUM} is out of range; use 0 to 200"}},
		{"common check of a list", botLines("    feedback: {dislike: ['👍']}"), []string{"config.yaml:9:25: bots[0].feedback.dislike: 👍 is in like and in dislike; keep one of them"}},
		{"address", minimal + "clickai: {base_url: api.clickai.io}\n", []string{"config.yaml:9:21: clickai.base_url: is not an http or https address; write it as https://host, with a path if it has one"}},
		{"address with password", minimal + "clickai: {console_url: 'https://u:p@clickai.io'}\n", []string{"config.yaml:9:24: clickai.console_url: has a user, a query or a fragment; leave them out"}},
		{"address from a variable", minimal + "clickai:\n  base_url: ${WORD}\n", []string{"config.yaml:10:13: clickai.base_url: is not an http or https address (from ${WORD}); …"}},
		{"negative figures", minimal + "clickai: {requests_per_minute: -1, requests_per_day: -1}\nshutdown_timeout: -1s\n", []string{
			"config.yaml:9:32: clickai.requests_per_minute: is negative; …", "config.yaml:9:54: clickai.requests_per_day: is negative; …", "config.yaml:10:19: shutdown_timeout: is negative; …",
		}},
		{"shared store", minimal + "store:\n  url: postgres://u:hidden-password@h/db\n", []string{"config.yaml:10:8: store.url: a shared database is not supported in this version; use store.path"}},
		{"store", minimal + "store: {path: '', retention: 0s}\n", []string{"config.yaml:9:15: store.path: is empty; use bridge.db", "config.yaml:9:30: store.retention: is not a length of time; …"}},
		{"listen", minimal + "http: {listen: 8080}\n", []string{"config.yaml:9:16: http.listen: is not host:port; …"}},
		{"listen on a wrong port", minimal + "http: {listen: 'localhost:99999'}\n", []string{"config.yaml:9:16: http.listen: is not host:port; …"}},

		// YAML.
		{"open quote", minimal + "log: \"x\n", []string{"config.yaml:9:6: is not YAML: could not find end character of double-quoted text; check quotes and indentation"}},
		{"tab", minimal + "\tlog: x\n", []string{`config.yaml:9:1: is not YAML: found character '\t' that cannot start any token; indent with blanks, not with tabs`}},
		{"unquoted template", strings.Replace(minimal, "api_key: app-key", "api_key: k\n    inputs: {a: {{.Bot}}}", 1), []string{"config.yaml:4:18: is not YAML: could not find flow map content; put texts with {{…}} in quotes"}},
		{"two documents", minimal + "---\nlog: {}\n", []string{"config.yaml:10:1: a second document begins here; keep all in one, without ---"}},
		{"unknown alias", botLines("    stream: *nowhere"), []string{"config.yaml:9:13: bots[0].stream: *nowhere is not defined"}},
		{"alias to itself", botLines("    stream: &a {mode: *a}"), []string{"config.yaml:9:16: bots[0].stream.mode: is a mapping where text is due"}},
		{"tag", botLines("    respond: !secret all"), []string{`config.yaml:9:14: bots[0].respond: the tag "!secret" means nothing here; leave it out`}},
		{"merge of text", botLines("    <<: all"), []string{"config.yaml:9:9: bots[0]: << merges mappings; name one with *anchor"}},
		{"deep", minimal + "log: " + strings.Repeat("[", 100) + strings.Repeat("]", 100) + "\n", []string{"config.yaml:9:70: is nested more than 64 levels deep"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := write(t, map[string]string{"config.yaml": tt.text})
			_, err := config.Load(path, kinds(), env(vars))
			got := complaints(t, path, err)
			for i := range min(len(got), len(tt.want)) {
				if head, cut := strings.CutSuffix(tt.want[i], "…"); cut && strings.HasPrefix(got[i], head) {
					got[i] = tt.want[i]
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// All at once: the five kinds that people make most, in one file.
func TestAllAtOnce(t *testing.T) {
	t.Parallel()
	path := write(t, map[string]string{"config.yaml": `apps:
  support:
    mode: agent-chat
    api_key: ${CLICKAI_SUPPORT_KEY}
    respons_mode: streaming
bots:
  - name: acme
    platform: discord
    token: t
    app: support
    thread_context: many
  - name: acme
    platform: telegram
    token: t
    app: supprt
    routes:
      - rooms: [C1]
        app: sales
`})
	_, err := config.Load(path, kinds(), env(nil))
	want := []string{
		"config.yaml:4:14: apps.support.api_key: CLICKAI_SUPPORT_KEY is not set; set it in the environment or in .env, or write ${CLICKAI_SUPPORT_KEY:-default}",
		"config.yaml:5:5: apps.support.respons_mode: unknown key; did you mean response_mode?",
		`config.yaml:11:21: bots[0].thread_context: "many" is not a whole number`,
		"config.yaml:12:11: bots[1].name: another bot has this name, on line 7; give each bot a name of its own",
		`config.yaml:15:10: bots[1].app: there is no app "supprt"; did you mean support?`,
		`config.yaml:18:14: bots[1].routes[0].app: there is no app "sales"; only support is valid here`,
	}
	if diff := cmp.Diff(want, complaints(t, path, err)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDotenvProblems(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, dotenv, want string }{
		{"no assignment", "A=1\nB=2\nthe-secret-value in the open\nC=3\n", ".env:3:1: is not NAME=value; …"},
		{"open quote", "A=1\nB='the-secret-value\n", ".env:2:1: is not NAME=value; …"},
		{"near name", "DISCORD_TOKN=the-secret-value\n", "config.yaml:7:12: bots[0].token: DISCORD_TOKEN is not set; .env has DISCORD_TOKN; …"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			text := minimal
			if tt.name == "near name" {
				text = strings.Replace(minimal, "discord-token", "${DISCORD_TOKEN}", 1)
			}
			path := write(t, map[string]string{"config.yaml": text, ".env": tt.dotenv})
			_, err := config.Load(path, kinds(), env(nil))
			got := strings.Join(complaints(t, path, err), "\n")
			if !strings.HasPrefix(got, strings.TrimSuffix(tt.want, "…")) || strings.Contains(got, "the-secret-value") || strings.Contains(got, "\n") {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// Whatever is wrong, neither a secret of the file nor one of a variable is shown.
func TestSecretsAreNotShown(t *testing.T) {
	t.Parallel()
	const secret = "planted-Secret-4711"
	slack := "apps: {a: {api_key: k}}\nbots:\n  - {name: s, platform: slack, bot_token: %s, app_token: %s, app: a, api_url: %s}\n"
	for _, text := range []string{
		fmt.Sprintf(slack, secret, "x", "'"+secret+"'"),
		fmt.Sprintf(slack, "'${S}'", "x", "'${S}'"),
		fmt.Sprintf(slack, "'a${S}b'", "x", "'a${S}b'"),
		fmt.Sprintf(slack, "'${S}'", "x", secret),
		fmt.Sprintf(slack, "'${file:s}'", "x", "'${file:s}'"),
		fmt.Sprintf(slack, secret, "["+secret+"]", "{a: "+secret+"}"),
		minimal + "clickai: {access_token: " + secret + ", plan: " + secret + "}\n",
		minimal + "clickai: {access_token: [" + secret + "]}\nstore: {url: 'postgres://" + secret + "@x'}\n",
		strings.ReplaceAll(minimal, "support", "'${S}'"),
		strings.ReplaceAll(minimal, "discord\n", "'${S}'\n"),
		strings.ReplaceAll(minimal, "acme", "'${S} '"),
		botLines("    feedback: {like: ['${S}'], dislike: ['${S}']}"),
		botLines("    attachments: {types: ['${S}'], max_bytes: {image: '${S}'}, max_count: '${S}'}"),
		botLines("    idle_reset: ${S}\n    routes: '${S}'\n    limits: '${S}'\n    allow: {rooms: '${S}'}"),
	} {
		path := write(t, map[string]string{"config.yaml": text, "s": secret + "\n"})
		_, err := config.Load(path, kinds(), env(map[string]string{"S": secret}))
		if err == nil {
			t.Errorf("no problem with:\n%s", text)
			continue
		}
		if strings.Contains(err.Error(), secret) {
			t.Errorf("it is shown: %v", err)
		}
	}
	c := mustLoad(t, strings.Replace(minimal, "discord-token", "'${S}'", 1), map[string]string{"S": secret})
	if text := fmt.Sprintf("%v %+v %#v", c, c, c.Bots[0].Settings); strings.Contains(text, secret) {
		t.Errorf("the configuration prints it: %s", text)
	}
}

func TestProblemsAreBounded(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString(minimal)
	for i := range 1000 {
		fmt.Fprintf(&b, "key%d: 1\n", i)
	}
	_, err := load(t, b.String(), nil)
	e, ok := errors.AsType[*config.Error](err)
	if !ok || len(e.Problems) != 201 || e.Problems[200].What != "800 more problems" {
		t.Errorf("%d problems, the last %v", len(e.Problems), e.Problems[len(e.Problems)-1])
	}
	if strings.Count(err.Error(), "\n") != 200 {
		t.Error("not one line each")
	}

	// A few lines that stand for billions of values.
	b.Reset()
	b.WriteString(strings.Replace(minimal, "api_key: app-key", "api_key: k\n    inputs:\n      l0: &l0 [x, x, x, x, x, x, x, x, x, x]", 1))
	text := b.String()
	for i := range 12 {
		line := fmt.Sprintf("      l%d: &l%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*l%d, ", i), 10), ", "))
		text = strings.Replace(text, "bots:\n", line+"bots:\n", 1)
	}
	if _, err := load(t, text, nil); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Errorf("a bomb: %v", err)
	}
}

func TestUnreadableSecretFile(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"it is not text": "\xff\xfe", "it is larger than 65536 bytes": strings.Repeat("x", 70_000),
	} {
		path := write(t, map[string]string{"config.yaml": strings.Replace(minimal, "app-key", "${file:s}", 1), "s": content})
		_, err := config.Load(path, kinds(), env(nil))
		if err == nil || !strings.Contains(err.Error(), "${file:s}: "+name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	path := write(t, map[string]string{"config.yaml": strings.Replace(minimal, "app-key", "${file:.}", 1)})
	if _, err := config.Load(path, kinds(), env(nil)); err == nil || !strings.Contains(err.Error(), "is a directory") {
		t.Errorf("a directory: %v", err)
	}
}
