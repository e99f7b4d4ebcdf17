package main

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/clickai"
	"github.com/clickai/bridge/internal/sim/telegram"
	"github.com/clickai/bridge/internal/standins"
)

// lines are the lines of the log with a message, as they came.
func (p *process) lines(msg string) []map[string]any {
	var found []map[string]any
	for line := range strings.Lines(p.text()) {
		var l map[string]any
		if json.Unmarshal([]byte(line), &l) == nil && l["msg"] == msg {
			found = append(found, l)
		}
	}
	return found
}

// byBot counts the lines of the log with a message, by the bot that they are of.
func (p *process) byBot(msg string) map[any]int {
	all := map[any]int{}
	for _, l := range p.lines(msg) {
		all[l["bot"]]++
	}
	return all
}

const (
	reloadedLine = "configuration reloaded"
	refusedLine  = "configuration refused, the one before goes on"
)

// hup asks for a reload and returns the line that tells of it: of success, or the first one of a refusal.
func (p *process) hup() map[string]any {
	p.t.Helper()
	good, bad := len(p.lines(reloadedLine)), len(p.lines(refusedLine))
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		p.t.Fatal(err)
	}
	var line map[string]any
	until(p.t, "the reload is told in the log", func() bool {
		if all := p.lines(reloadedLine); len(all) > good {
			line = all[good]
		} else if all := p.lines(refusedLine); len(all) > bad {
			line = all[bad]
		}
		return line != nil
	}, p.changed)
	return line
}

// file is a configuration that a test changes.
type file struct {
	t    *testing.T
	path string
	text string // as it was first
}

func newFile(t *testing.T, path string) *file {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return &file{t: t, path: path, text: string(data)}
}

// write writes the first text with pairs of texts replaced.
func (f *file) write(pairs ...string) {
	f.t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(f.text, pairs[i]) {
			f.t.Fatalf("the configuration has no %q:\n%s", pairs[i], f.text)
		}
	}
	if err := os.WriteFile(f.path, []byte(strings.NewReplacer(pairs...).Replace(f.text)), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

// TestReloadUnderTraffic sends messages on all platforms while the configuration is read again twenty times: one bot changes
// each time, two do not. Each message is answered once, and the two keep their connection.
func TestReloadUnderTraffic(t *testing.T) {
	t.Parallel()
	const rounds, rooms = 20, 10
	crowd := standins.Crowd{People: rooms, Rooms: rooms}
	opt := standins.Options{ClickAI: clickai.Options{Agent: func(a clickai.Ask) []clickai.Step {
		return []clickai.Step{clickai.Text("echo ", a.Question)}
	}}}
	opt.Slack, opt.Discord, opt.Telegram = crowd.Slack(opt.Slack), crowd.Discord(opt.Discord), crowd.Telegram(opt.Telegram)
	s := startSet(t, opt)
	f := newFile(t, writeConfig(t, s, clickai.ModeChat, ""))
	p := runBridge(t, f.path)
	connected(t, s)

	say := func(pf sim.Platform, round int) string {
		n := round % rooms
		text := fmt.Sprintf("question-%s-%d.", pf.Name(), round)
		who := sim.Say{Mention: true, Text: text}
		switch pf.Name() {
		case "slack":
			who.Room, who.User = fmt.Sprintf("C0LOAD%05d", n+1), fmt.Sprintf("U0LOAD%05d", n+1)
		case "discord":
			who.Room, who.User = fmt.Sprintf("11000000000030%05d", n+1), fmt.Sprintf("11000000000010%05d", n+1)
		case "telegram":
			who.Room, who.User = fmt.Sprint(-5_000_000_001-n), fmt.Sprint(6_000_000_001+n)
		}
		if _, err := pf.Say(t.Context(), who); err != nil {
			t.Fatal(err)
		}
		return text
	}
	var asked []string
	for round := range rounds {
		var wg sync.WaitGroup
		for _, pf := range s.Platforms() {
			asked = append(asked, say(pf, round))
		}
		f.write("    platform: telegram\n", fmt.Sprintf("    platform: telegram\n    thread_context: %d\n", round+1))
		wg.Wait()
		connects := p.byBot("connected")["demo-telegram"]
		line := p.hup()
		if got := fmt.Sprint(line["changed"], line["untouched"]); got != "[demo-telegram] [demo-slack demo-discord]" {
			t.Fatalf("reload %d: %v", round, line)
		}
		if round%2 == 0 { // else the next one comes as soon as may be
			until(t, "Telegram's bot is back", func() bool { return p.byBot("connected")["demo-telegram"] > connects }, p.changed)
		}
	}
	count := func(text string) (n int) {
		for _, pf := range s.Platforms() {
			for _, place := range pf.Places() {
				for _, m := range pf.Messages(place.Room, place.Thread) {
					if m.Bot && strings.Contains(m.Shown, "echo") && strings.Contains(m.Shown, text) {
						n++
					}
				}
			}
		}
		return n
	}
	for _, text := range asked {
		until(t, text+" is answered", func() bool { return count(text) > 0 }, s.Slack.Changed, s.Discord.Changed, s.Telegram.Changed)
	}
	p.stop()
	for _, text := range asked {
		turns := 0
		for _, turn := range s.ClickAI.Turns() {
			if strings.Contains(turn.Question, text) {
				turns++
			}
		}
		if n := count(text); n != 1 || turns != 1 {
			t.Errorf("%s was asked %d times and answered %d times", text, turns, n)
		}
	}
	for _, msg := range []string{"connected", "disconnected"} {
		// Each connects once, and ends with the process.
		if byBot := p.byBot(msg); byBot["demo-slack"] != 1 || byBot["demo-discord"] != 1 || byBot["demo-telegram"] < rounds/2 {
			t.Errorf("%s: %v", msg, byBot)
		}
	}
	for _, v := range s.Violations() {
		t.Errorf("against the rules: %s", v)
	}
	secrets(t, p.text(), s)
}

// TestReload changes one thing after the other in a running bridge.
func TestReload(t *testing.T) {
	t.Parallel()
	s := startSet(t, standins.Options{})
	f := newFile(t, writeConfig(t, s, clickai.ModeChat, ""))
	p := runBridge(t, f.path)
	connected(t, s)
	slack, discord, tele := s.Stages()[0], s.Stages()[1], s.Stages()[2]

	// An answer runs on each platform all the time.
	gate := clickai.NewGate()
	var opened sync.Once
	t.Cleanup(func() { opened.Do(gate.Open) })
	s.ClickAI.Script(func(r clickai.Request) bool { return strings.Contains(r.Text("query"), "running") }, clickai.Begin(), clickai.Wait(gate), clickai.Text("the end of it")).Times(0)
	for _, st := range s.Stages() {
		if _, err := st.Platform.Say(t.Context(), sim.Say{Room: st.Other.Room, Thread: st.Other.Thread, Mention: st.OtherMention, User: st.Person, Text: "running on " + st.Title}); err != nil {
			t.Fatal(err)
		}
		until(t, "the question reaches ClickAI", func() bool { return requested(s, "running on "+st.Title) }, s.ClickAI.Changed)
	}

	t.Run("a bad file changes nothing", func(t *testing.T) {
		f.write("  - name: demo-discord", "  - nom: demo-discord", "plan: enterprise", "plan: golden", "app: demo", "app: other")
		p.hup()
		until(t, "each problem has a line", func() bool { return len(p.lines(refusedLine)) >= 5 }, p.changed)
		for _, want := range []string{"nom", "golden", "other"} {
			if !strings.Contains(fmt.Sprint(p.lines(refusedLine)), want) {
				t.Errorf("no line says what is wrong about %s: %v", want, p.lines(refusedLine))
			}
		}
		if code, body := p.get("/readyz"); code != http.StatusOK || strings.Count(body, `"connected"`) != 3 {
			t.Errorf("/readyz = %d %s", code, body)
		}
		for _, st := range s.Stages() {
			ask(t, s, st, "still there on "+st.Title+"?")
		}
		if n := len(p.lines("disconnected")); n > 0 {
			t.Errorf("%d connections ended", n)
		}
	})
	t.Run("the same file changes nothing", func(t *testing.T) {
		f.write()
		if line := p.hup(); fmt.Sprint(line["untouched"]) != "[demo-slack demo-discord demo-telegram]" || line["apps_changed"] != nil {
			t.Errorf("%v", line)
		}
	})
	t.Run("another app, for one bot and in one topic", func(t *testing.T) {
		apps := "apps:\n  second: {mode: agent-chat, api_key: app-demo-assistant}\n"
		route := fmt.Sprintf("    platform: telegram\n    routes: [{rooms: [%q], app: second}]\n", telegram.Forum)
		f.write("apps:\n", apps, "    platform: telegram\n", route)
		if line := p.hup(); fmt.Sprint(line["changed"], line["untouched"], line["apps_changed"]) != "[demo-telegram] [demo-slack demo-discord] [second]" {
			t.Errorf("%v", line)
		}
		until(t, "Telegram's bot is back", func() bool { return p.byBot("connected")["demo-telegram"] > 1 }, p.changed)
		other := tele
		other.Room, other.Mention = tele.Other, true
		if ex := ask(t, s, other, "who answers in the topic?"); ex.turn.App != "assistant" {
			t.Errorf("app %s answers in the topic", ex.turn.App)
		}
		if ex := ask(t, s, tele, "who answers in the chat?"); ex.turn.App != "support" {
			t.Errorf("app %s answers in the chat", ex.turn.App)
		}
	})
	t.Run("another key of an app that all use", func(t *testing.T) {
		f.write("api_key: ${CLICKAI_KEY}", "api_key: app-demo-assistant", "mode: chat", "mode: agent-chat")
		if line := p.hup(); fmt.Sprint(line["apps_changed"], line["untouched"]) != "[demo] [demo-slack demo-discord]" {
			t.Errorf("%v", line)
		}
		for _, st := range []standins.Stage{slack, discord} {
			if ex := ask(t, s, st, "who answers on "+st.Title+" now?"); ex.turn.App != "assistant" {
				t.Errorf("app %s answers on %s", ex.turn.App, st.Title)
			}
		}
	})
	t.Run("another language", func(t *testing.T) {
		denied := func(lang, person string) string {
			f.write("    platform: telegram\n", fmt.Sprintf("    platform: telegram\n    language: %s\n    deny: {users: [%q]}\n", lang, person))
			n := p.byBot("connected")["demo-telegram"]
			p.hup()
			until(t, "Telegram's bot is back", func() bool { return p.byBot("connected")["demo-telegram"] > n }, p.changed)
			q, err := tele.Platform.Say(t.Context(), sim.Say{Room: person, User: person, Text: "may I?"})
			if err != nil {
				t.Fatal(err)
			}
			var shown string
			until(t, "the refusal", func() bool {
				asked := false
				for _, m := range tele.Platform.Messages(q.Room, q.Thread) {
					asked = asked || m.ID == q.ID
					if asked && m.Bot {
						shown = m.Shown
						return true
					}
				}
				return false
			}, tele.Platform.Changed)
			return shown
		}
		if en, vi := denied("en", telegram.Minh), denied("vi", telegram.Minh); en == vi {
			t.Errorf("in both languages: %q", en)
		}
	})
	t.Run("a wrong token and back", func(t *testing.T) {
		f.write("${DISCORD_TOKEN}", "MTEwMDAwMDAwMDAwMDAwMDkwMA.wrong.token-of-the-bot")
		p.hup()
		until(t, "the bot is stopped", func() bool { return len(p.lines("bot stopped: this needs someone to act")) == 1 }, p.changed)
		if _, body := p.get("/readyz"); strings.Count(body, `"stopped"`) != 1 {
			t.Errorf("/readyz = %s", body)
		}
		ask(t, s, slack, "are you there all the same?")
		f.write()
		p.hup()
		until(t, "the bot is back", discord.Platform.Connected, discord.Platform.Changed)
		ask(t, s, discord, "are you back?")
	})
	t.Run("a bot goes and comes back", func(t *testing.T) {
		start, end := strings.Index(f.text, "  - name: demo-discord"), strings.Index(f.text, "  - name: demo-telegram")
		f.write(f.text[start:end], "")
		if line := p.hup(); fmt.Sprint(line["removed"], line["untouched"]) != "[demo-discord] [demo-slack demo-telegram]" {
			t.Errorf("%v", line)
		}
		until(t, "the bot leaves", func() bool { return !discord.Platform.Connected() }, discord.Platform.Changed)
		if code, body := p.get("/readyz"); code != http.StatusOK || strings.Contains(body, "demo-discord") {
			t.Errorf("/readyz = %d %s", code, body)
		}
		f.write()
		if line := p.hup(); fmt.Sprint(line["added"]) != "[demo-discord]" {
			t.Errorf("%v", line)
		}
		until(t, "the bot is back", discord.Platform.Connected, discord.Platform.Changed)
		ask(t, s, discord, "are you back again?")
	})
	t.Run("what needs a restart is told and the rest applies", func(t *testing.T) {
		f.write("127.0.0.1:0", "127.0.0.1:1", "bridge.db", "other.db", "http:\n", "log: {level: debug}\nhttp:\n")
		p.hup()
		var keys []any
		for _, l := range p.lines("changed in the configuration, but needs a restart") {
			keys = append(keys, l["key"])
		}
		if fmt.Sprint(keys) != "[store.path http.listen]" {
			t.Errorf("keys %v", keys)
		}
		if code, _ := p.get("/healthz"); code != http.StatusOK {
			t.Errorf("/healthz = %d", code)
		}
		ask(t, s, slack, "a line for debugging, please")
		until(t, "a line of the new level of the log", func() bool { return strings.Contains(p.text(), `"level":"DEBUG"`) }, p.changed)
	})

	opened.Do(gate.Open)
	for _, st := range s.Stages() {
		until(t, "the running answer ends on "+st.Title, func() bool {
			n := 0
			for _, place := range st.Platform.Places() {
				for _, m := range st.Platform.Messages(place.Room, place.Thread) {
					if m.Bot && strings.Contains(m.Shown, "the end of it") {
						n++
					}
				}
			}
			return n == 1
		}, st.Platform.Changed)
	}
	for _, v := range s.Violations() {
		t.Errorf("against the rules: %s", v)
	}
	for _, turn := range s.ClickAI.Turns() {
		if strings.Contains(turn.Question, "running") && turn.App != "support" {
			t.Errorf("%q was asked of %s", turn.Question, turn.App)
		}
	}
	p.stop()
	secrets(t, p.text(), s)
}

// TestWebhooksFollow wants webhooks of the bots that there are now, and none where nothing listens.
func TestWebhooksFollow(t *testing.T) {
	t.Parallel()
	w, err := startWeb(t.Context(), "127.0.0.1:0", nil, hookBots()[1:], slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := w.close(); err != nil {
			t.Error(err)
		}
	}()
	status := func(bot string) int {
		res, err := http.Post("http://"+w.addr()+"/webhooks/"+bot, "text/plain", strings.NewReader("hello"))
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		return res.StatusCode
	}
	if a, b := status("one"), status("two%20words"); a != http.StatusNotFound || b != http.StatusAccepted {
		t.Errorf("before: %d, %d", a, b)
	}
	w.serve(hookBots()[:1])
	if a, b := status("one"), status("two%20words"); a != http.StatusAccepted || b != http.StatusNotFound {
		t.Errorf("after: %d, %d", a, b)
	}
	if err := w.canServe(hookBots()); err != nil {
		t.Error(err)
	}
	none, err := startWeb(t.Context(), "", nil, hookBots()[2:], slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := none.canServe(hookBots()); err == nil || !strings.Contains(err.Error(), "http.listen") {
		t.Errorf("without a server: %v", err)
	}
}
