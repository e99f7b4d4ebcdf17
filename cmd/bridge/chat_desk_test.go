package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/clickai"
	"github.com/clickai/bridge/internal/sim/discord"
	"github.com/clickai/bridge/internal/sim/slack"
	"github.com/clickai/bridge/internal/sim/telegram"
	"github.com/clickai/bridge/internal/standins"
)

// The first people of a world. All others are there to be taken, one for each scene.
const (
	theAdmin = iota
	theDenied
	theFirst
)

// world sizes the stand-ins: everybody is in every room. Room i is a channel on Slack and Discord, and on Telegram a group;
// room i+rooms is there a forum with one topic, in which the bot sees all.
func world(people, rooms int) standins.Options {
	crowd := standins.Crowd{People: people, Rooms: rooms}
	// How soon a bot answers what people press is not measured here, where many tests share a machine.
	opt := standins.Options{
		Slack:   crowd.Slack(slack.Options{LimitScale: 10, AckDeadline: time.Minute}),
		Discord: crowd.Discord(discord.Options{InteractionDeadline: time.Minute}),
	}
	opt.Telegram = crowd.Telegram(telegram.Options{})
	for i := range opt.Telegram.Chats {
		opt.Telegram.Chats[i].Members = nil // everybody
		opt.Telegram.Chats = append(opt.Telegram.Chats, telegram.Chat{
			ID: -1_003_000_000_001 - int64(i), Type: "supergroup", Title: fmt.Sprint("Forum ", i+1), Forum: true, BotAdmin: true,
			Topics: []telegram.Topic{{ID: 2, Name: "Billing"}},
		})
	}
	return opt
}

// choice is a button as a person sees it; id is what its press says.
type choice struct{ id, label string }

// desk is one platform as people use it, the same for all platforms.
type desk struct {
	sim.Platform
	set     *standins.Set
	log     *lineLog
	lang    string
	threads bool // the answer to a question in a room stands in a thread of it
	person  func(i int) string
	direct  func(i int) sim.Place // a person's chat with the bot
	room    func(i int) sim.Place // a room without threads of its own; see forum
	forum   func(i int) sim.Place // where people write commands as text
	// menu is what is offered to somebody whose client has the language: names and descriptions. nil: nothing is, or the app's
	// manifest says what.
	menu func(language string) []choice
	// give gives a command in the platform's own form.
	give func(ctx context.Context, at sim.Place, user, name, args string) error
	// alone is what this person alone is shown in a place, with a key for each.
	alone   func(at sim.Place, user string) []sim.Message
	buttons func(at sim.Ref) []choice
	press   func(ctx context.Context, at sim.Ref, user, id string) error
	// reason writes what was wrong into the form that is open for a person; nil where there are no forms.
	reason func(ctx context.Context, at sim.Place, user, text string) (ok bool, err error)
}

func desks(s *standins.Set, log *lineLog, people standins.Options) []*desk {
	return []*desk{slackDesk(s, log, people.Slack), discordDesk(s, log, people.Discord), telegramDesk(s, log, people.Telegram)}
}

func slackDesk(s *standins.Set, log *lineLog, opt slack.Options) *desk {
	d := &desk{Platform: s.Slack, set: s, log: log, lang: "en", threads: true}
	d.person = func(i int) string { return opt.Users[i].ID }
	d.direct = func(i int) sim.Place { return sim.Place{Room: slack.DM(opt.Users[i].ID)} }
	d.room = func(i int) sim.Place { return sim.Place{Room: opt.Channels[i].ID} }
	d.forum = d.room
	d.give = func(ctx context.Context, at sim.Place, user, name, args string) error {
		return s.Slack.Command(ctx, user, at.Room, "/clickai", strings.TrimSpace(name+" "+args))
	}
	d.alone = func(at sim.Place, user string) []sim.Message { return s.Slack.Ephemerals(at.Room, user) }
	d.buttons = func(at sim.Ref) (all []choice) {
		for _, b := range s.Slack.Buttons(at) {
			all = append(all, choice{b.ID, b.Label})
		}
		return all
	}
	d.press = s.Slack.Press
	d.reason = func(ctx context.Context, _ sim.Place, user, text string) (bool, error) {
		for _, v := range s.Slack.Views() {
			if v.User == user && v.Open {
				return true, s.Slack.Submit(ctx, v.ID, text)
			}
		}
		return false, nil
	}
	return d
}

func discordDesk(s *standins.Set, log *lineLog, opt discord.Options) *desk {
	d := &desk{Platform: s.Discord, set: s, log: log, lang: "en", threads: true}
	d.person = func(i int) string { return opt.People[i].ID }
	d.direct = func(i int) sim.Place { return sim.Place{Room: opt.People[i].DM} }
	d.room = func(i int) sim.Place { return sim.Place{Room: opt.Channels[i].ID} }
	d.forum = d.room
	d.give = func(ctx context.Context, at sim.Place, user, name, args string) error {
		options := map[string]any{}
		for _, o := range s.Discord.Offers(at.Room, at.Thread, "en-US") {
			if o.Name == name && args != "" && len(o.Options) > 0 {
				options[o.Options[0].Name] = args
			}
		}
		_, err := s.Discord.Command(ctx, at.Room, at.Thread, user, name, options)
		return err
	}
	d.menu = func(language string) (all []choice) {
		for _, o := range s.Discord.Offers(opt.Channels[0].ID, "", language) {
			all = append(all, choice{o.Name, o.Description})
		}
		return all
	}
	d.alone = func(at sim.Place, user string) []sim.Message { return s.Discord.Private(at.Room, at.Thread, user) }
	d.buttons = func(at sim.Ref) (all []choice) {
		for _, b := range s.Discord.Buttons(at) {
			all = append(all, choice{b.ID, b.Label})
		}
		return all
	}
	d.press = func(ctx context.Context, at sim.Ref, user, id string) error {
		_, err := s.Discord.Press(ctx, at, user, id)
		return err
	}
	d.reason = func(ctx context.Context, at sim.Place, user, text string) (bool, error) {
		for _, i := range s.Discord.Interactions(at.Room, at.Thread, user) {
			if i.Form != nil {
				_, err := s.Discord.SendForm(ctx, i.ID, map[string]string{i.Form.Fields[0].ID: text})
				return true, err
			}
		}
		return false, nil
	}
	return d
}

func telegramDesk(s *standins.Set, log *lineLog, opt telegram.Options) *desk {
	d := &desk{Platform: s.Telegram, set: s, log: log, lang: "en"}
	rooms := len(opt.Chats) / 2
	d.person = func(i int) string { return fmt.Sprint(opt.Users[i].ID) }
	d.direct = func(i int) sim.Place { return sim.Place{Room: d.person(i)} }
	d.room = func(i int) sim.Place { return sim.Place{Room: fmt.Sprint(opt.Chats[i].ID)} }
	d.forum = func(i int) sim.Place { return sim.Place{Room: fmt.Sprint(opt.Chats[rooms+i].ID), Thread: "2"} }
	d.give = func(ctx context.Context, at sim.Place, user, name, args string) error {
		text := strings.TrimSpace(s.Telegram.CommandText(at.Room, name) + " " + args)
		_, err := s.Telegram.Say(ctx, sim.Say{Room: at.Room, Thread: at.Thread, User: user, Text: text})
		return err
	}
	d.menu = func(language string) (all []choice) {
		for _, c := range s.Telegram.Menu(d.room(0).Room, d.person(theFirst), language) {
			all = append(all, choice{c.Command, c.Description})
		}
		return all
	}
	d.alone = func(at sim.Place, user string) (all []sim.Message) {
		for _, p := range s.Telegram.Presses() {
			if p.User == user && p.At.Room == at.Room && p.Answered && p.Text != "" {
				all = append(all, sim.Message{Ref: sim.Ref{ID: "press " + p.ID}, Shown: p.Text})
			}
		}
		return all
	}
	d.buttons = func(at sim.Ref) (all []choice) {
		for _, row := range s.Telegram.Buttons(at) {
			for _, b := range row {
				all = append(all, choice{b.Data, b.Text})
			}
		}
		return all
	}
	d.press = func(_ context.Context, at sim.Ref, user, id string) error {
		_, err := s.Telegram.Press(at, user, id)
		return err
	}
	return d
}

// lineLog is a bridge's log as it grows. It knows which turns have ended where.
type lineLog struct {
	changed sim.Notifier

	mu    sync.Mutex
	text  bytes.Buffer
	rest  []byte
	ended map[string][]ending // by room
	bad   []string            // lines of level ERROR
	late  int                 // lines that were to be shown to a person, and forms, but for which it was too late
}

// ending is a turn that has ended and is stored.
type ending struct{ message, outcome string }

func (l *lineLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	l.text.Write(p)
	l.rest = append(l.rest, p...)
	for {
		line, rest, ok := bytes.Cut(l.rest, []byte("\n"))
		if !ok {
			break
		}
		l.rest = rest
		l.readLocked(line)
	}
	l.mu.Unlock()
	l.changed.Notify()
	return len(p), nil
}

func (l *lineLog) readLocked(raw []byte) {
	var line struct {
		Level, Msg, Conv, Outcome string
		Message                   string `json:"message_id"`
	}
	if json.Unmarshal(raw, &line) != nil {
		return
	}
	if line.Msg == "notice not sent" {
		l.late++
	}
	if line.Level == "ERROR" {
		l.bad = append(l.bad, string(raw))
	}
	if parts := strings.Split(line.Conv, "/"); line.Msg == "turn finished" && len(parts) > 2 {
		l.ended[parts[2]] = append(l.ended[parts[2]], ending{line.Message, line.Outcome})
	}
}

// in are the turns that have ended in a room.
func (l *lineLog) in(room string) []ending {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]ending(nil), l.ended[room]...)
}

func (l *lineLog) tooLate() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.late
}

func (l *lineLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *lineLog) errors() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.bad...)
}

// runHere runs `bridge run` in this process until the test ends, and waits until its bots are connected. stop ends it before.
func runHere(t *testing.T, s *standins.Set, config string) (log *lineLog, stop func()) {
	t.Helper()
	log = &lineLog{ended: map[string][]ending{}}
	ready := make(chan struct{})
	p := program{in: strings.NewReader(""), out: log, err: log, env: noEnv, ready: func(string) { close(ready) }}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	code := make(chan int, 1)
	go func() { code <- p.execute(ctx, []string{"run", "--config", config}) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if c := <-code; c != 0 {
			t.Errorf("run: exit %d", c)
		}
		if t.Failed() {
			t.Logf("log of the bridge:\n%s", log)
		}
	})
	t.Cleanup(stop)
	select {
	case <-ready:
	case c := <-code:
		code <- c
		t.Fatalf("the bridge ended at once: exit %d", c)
	case <-time.After(time.Minute):
		t.Fatal("the bridge did not start")
	}
	connected(t, s)
	return log, stop
}

// well wants that nobody has complained: the stand-ins of a broken rule, the bridge's log of an error that the test has not made.
func well(t *testing.T, s *standins.Set, log *lineLog, made ...string) {
	t.Helper()
	for _, v := range s.Violations() {
		t.Errorf("against the rules: %s", v)
	}
	for _, f := range s.Slack.Failures() {
		t.Errorf("a person on Slack saw: %s", f)
	}
	if len(s.Slack.Pings())+len(s.Discord.Pings())+len(s.Telegram.Pings()) > 0 {
		t.Errorf("people were pinged: %v %v %v", s.Slack.Pings(), s.Discord.Pings(), s.Telegram.Pings())
	}
	for _, line := range log.errors() {
		if slices.ContainsFunc(made, func(m string) bool { return strings.Contains(line, m) }) {
			continue
		}
		t.Errorf("in the log: %s", line)
	}
	secrets(t, log.String(), s)
}

// writeChat writes a configuration with the app of a mode; extra is YAML for the bot of a platform.
func writeChat(t *testing.T, s *standins.Set, mode clickai.Mode, extra func(platform string) string) string {
	t.Helper()
	path, err := s.WriteTryout(t.TempDir(), s.Agent(mode), standins.Tryout{Extra: extra})
	if err != nil {
		t.Fatal(err)
	}
	return path
}
