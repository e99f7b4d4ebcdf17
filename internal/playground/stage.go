package playground

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/discord"
	"github.com/clickai/bridge/internal/sim/slack"
	"github.com/clickai/bridge/internal/sim/telegram"
	"github.com/clickai/bridge/internal/standins"
)

// Person is somebody that the page can write as.
type Person struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	DM   string `json:"dm"` // the room of the direct chat with the bot
}

// platform is a stand-in with what only its kind has.
type platform struct {
	sim.Looker
	title  string
	bot    string // as others call it
	people []Person
	emoji  []string // to react with

	// command makes a person use the bot's command in the platform's own way; nil where it is text like any other.
	command func(ctx context.Context, at place, line string) error
	// press makes a person press a button. note is what the platform shows to that person alone.
	press func(ctx context.Context, at sim.Ref, user, id string) error
	// open makes a person look at the direct chat with the bot; nil where nothing tells the bot of it.
	open func(ctx context.Context, user string) error
	// prompts are the questions that the platform suggests in a place; nil where it does not.
	prompts func(room, thread string) []string
	// thread makes a person open a thread from a message, or a topic in a room; nil where writing into it does so.
	thread func(ctx context.Context, at sim.Ref, user, name string) (sim.Place, error)
	// commands are those that the platform offers.
	commands func() []command
	// only are the messages that this person alone sees in a place; nil where there is no such thing.
	only func(room, thread, user string) []sim.Message
	// forms are the open ones, and form sends or closes one; nil where there are none.
	forms func() []form
	form  func(ctx context.Context, f form, text string, send bool) error
	// hints are what single people are shown for a moment; nil where there is no such thing.
	hints func() []hint
	// draft is the text that shows in a place before it is a message; nil where there are none.
	draft func(room, thread string) string
	// buttons are those under a message.
	buttons func(sim.Ref) [][]Button
	// allows is what limits the edits of an answer in a place.
	allows func(room string) allowance
	// cut breaks the bot's connection, and busy refuses its next edits.
	cut  func()
	busy sim.Fault
}

// place is where somebody acts.
type place struct{ Room, Thread, User string }

// refusals is how many edits a platform refuses when it is told to, and refuseFor what it asks to wait, in seconds.
const (
	refusals  = 2
	refuseFor = 5
	// cutFor is how long Telegram's polls fail: it has no connection that could be cut.
	cutFor = 6 * time.Second
)

func platforms(set *standins.Set) []*platform {
	var all []*platform
	if set.Slack != nil {
		all = append(all, slackPlatform(set.Slack))
	}
	if set.Discord != nil {
		all = append(all, discordPlatform(set.Discord))
	}
	if set.Telegram != nil {
		all = append(all, telegramPlatform(set.Telegram))
	}
	return all
}

func slackPlatform(s *slack.Server) *platform {
	p := &platform{
		Looker: s, title: "Slack", bot: "bridge", emoji: []string{"👍", "👎", "❤️", "🎉", "💯", "😕"},
		command: func(ctx context.Context, at place, line string) error {
			name, rest := cutWord(line)
			return s.Command(ctx, at.User, at.Room, name, rest)
		},
		press: s.Press,
		open: func(ctx context.Context, user string) error {
			_, err := s.OpenMessages(ctx, user)
			return err
		},
		prompts:  s.Prompts,
		commands: slackCommands,
		only: func(room, thread, user string) []sim.Message {
			if thread != "" {
				return nil // a room's are all of its threads'
			}
			return s.Ephemerals(room, user)
		},
		forms:   slackForms(s),
		form:    slackForm(s),
		buttons: slackButtons(s),
		// https://docs.slack.dev/reference/methods/chat.update is in tier 3; the burst is the stand-in's.
		allows: func(string) allowance {
			return allowance{calls: int(slack.DefaultLimits().Tier3.PerMinute), window: time.Minute, burst: int(slack.DefaultLimits().Tier3.Burst), edits: true, whole: true}
		},
		cut: s.CutSockets,
		// https://docs.slack.dev/apis/web-api/rate-limits
		busy: sim.TooManyRequests("POST /api/chat.update", refuseFor*time.Second, refusals),
	}
	for _, u := range s.Users() {
		p.people = append(p.people, Person{u.ID, u.Display, slack.DM(u.ID)})
	}
	return p
}

func discordPlatform(s *discord.Server) *platform {
	p := &platform{
		Looker: s, title: "Discord", bot: s.BotUser().Name, emoji: []string{"👍", "👎", "❤️", "🎉", "💯", "😕"},
		command: discordCommand(s),
		press: func(ctx context.Context, at sim.Ref, user, id string) error {
			_, err := s.Press(ctx, at, user, id)
			return err
		},
		thread:  s.StartThread,
		only:    s.Private,
		form:    discordForm(s),
		buttons: discordButtons(s),
		allows: func(string) allowance {
			edit := s.Limits().Edit
			return allowance{calls: edit.Calls, window: edit.Window, edits: true}
		},
		cut:  s.Cut,
		busy: discordBusy(),
	}
	for _, u := range s.People() {
		p.people = append(p.people, Person{u.ID, u.Name, u.DM})
	}
	p.commands, p.forms = discordCommands(s, p.people), discordForms(s, p.people)
	return p
}

// discordBusy is a 429 as of https://docs.discord.com/developers/topics/rate-limits#exceeding-a-rate-limit
func discordBusy() sim.Fault {
	f := sim.TooManyRequests("PATCH /api/v9/channels/", refuseFor*time.Second, refusals)
	body, err := json.Marshal(map[string]any{"message": "You are being rate limited.", "retry_after": refuseFor, "global": false})
	if err == nil {
		f.Body = string(body)
	}
	f.Header = http.Header{
		"Content-Type": {"application/json"}, "Retry-After": {strconv.Itoa(refuseFor)},
		"X-Ratelimit-Scope": {"user"}, "X-Ratelimit-Limit": {"5"}, "X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset-After": {strconv.Itoa(refuseFor)},
	}
	return f
}

func telegramPlatform(s *telegram.Server) *platform {
	p := &platform{
		Looker: s, title: "Telegram", bot: "Acme Support", emoji: []string{"👍", "👎", "❤", "🎉", "💯", "🔥"},
		press: func(_ context.Context, at sim.Ref, user, id string) error {
			_, err := s.Press(at, user, id)
			return err
		},
		thread: func(_ context.Context, at sim.Ref, user, name string) (sim.Place, error) {
			id, err := s.CreateTopic(at.Room, name, user)
			return sim.Place{Room: at.Room, Thread: id, Name: name, Kind: "topic"}, err
		},
		draft:   s.Draft,
		hints:   telegramHints(s),
		buttons: telegramButtons(s),
		// https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
		allows: func(room string) allowance {
			if strings.HasPrefix(room, "-") { // a group
				return allowance{calls: telegram.GroupPerMinute, window: time.Minute}
			}
			return allowance{calls: 1, window: time.Second, burst: telegram.ChatBurst}
		},
		cut:  func() { s.Faults().Add(sim.Fault{Match: "getUpdates", Cut: true, For: cutFor}) },
		busy: telegram.TooManyRequests("editMessageText", refuseFor, refusals),
	}
	for _, x := range s.Places() {
		if x.Kind == "direct" {
			p.people = append(p.people, Person{x.Room, x.Name, x.Room})
		}
	}
	p.commands = telegramCommands(s, p.people)
	return p
}
