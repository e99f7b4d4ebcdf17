package slack

import (
	"context"
	"errors"
	"strings"

	slackgo "github.com/slack-go/slack"

	"github.com/clickai/bridge/core"
)

// Limits of what is suggested. Source: https://docs.slack.dev/reference/methods/assistant.threads.setSuggestedPrompts
const (
	maxPrompts     = 4
	maxPromptTitle = 75 // characters, of which a client shows fewer; Slack names no limit
)

var errNoAgent = errors.New("only direct chats with an agent have this")

// Prompt suggests up to four questions in a direct chat. An agent's chat has them under its latest message, an assistant's
// under its thread, and an agent takes no thread here; at says which it is, as the event did that told of the opened chat.
// Source: https://docs.slack.dev/reference/methods/assistant.threads.setSuggestedPrompts
func (p *Platform) Prompt(ctx context.Context, at core.Place, title string, prompts []string) error {
	const op = "slack.Prompt"
	params := slackgo.AssistantThreadsSetSuggestedPromptsParameters{Title: oneLine(title), ChannelID: at.Room, ThreadTS: at.Thread}
	for _, one := range prompts {
		if one = strings.TrimSpace(one); one != "" && len(params.Prompts) < maxPrompts {
			params.Prompts = append(params.Prompts, slackgo.AssistantThreadsPrompt{Title: fit(oneLine(one), maxPromptTitle), Message: one})
		}
	}
	if len(params.Prompts) == 0 {
		return nil
	}
	return p.agentCall(ctx, op, "assistant.threads.setSuggestedPrompts", at, p.noPrompt, func(ctx context.Context) error {
		return p.api.SetAssistantThreadsSuggestedPromptsContext(ctx, params) //nolint:wrapcheck // call classifies it
	})
}

// SetTitle names a thread of a direct chat, in the list that the agent's page shows.
// Source: https://docs.slack.dev/reference/methods/assistant.threads.setTitle
func (p *Platform) SetTitle(ctx context.Context, at core.Place, title string) error {
	const op = "slack.SetTitle"
	title = fit(strings.TrimSpace(oneLine(title)), maxThreadTitle)
	if at.Thread == "" || title == "" {
		return &core.Error{Op: op, Class: core.Unsupported, Err: errNoAgent}
	}
	return p.agentCall(ctx, op, "assistant.threads.setTitle", at, p.noTitle, func(ctx context.Context) error {
		return p.api.SetAssistantThreadsTitleContext(ctx, slackgo.AssistantThreadsSetTitleParameters{ //nolint:wrapcheck // call classifies it
			Title: title, ChannelID: at.Room, ThreadTS: at.Thread,
		})
	})
}

// maxThreadTitle is the most characters of a thread's title.
// Source: https://docs.slack.dev/reference/methods/agents.sessions.rename, which names the same thing
const maxThreadTitle = 200

// agentCall makes a call that works in an agent's direct chats alone. Where it is refused for good, that is remembered.
func (p *Platform) agentCall(
	ctx context.Context, op, name string, at core.Place, refused *refusals, do func(context.Context) error,
) error {
	switch {
	case !isPlace(at):
		return invalid(op, errBadRef)
	case !strings.HasPrefix(at.Room, "D") || refused.has(at.Room):
		return &core.Error{Op: op, Class: core.Unsupported, Err: errNoAgent}
	}
	_, err := p.call(ctx, op, method(name), do, nil)
	switch {
	case err == nil || !lasting(err):
		return err
	case everywhere(err):
		refused.addAll()
	case core.ClassOf(err) == core.ThreadGone || core.ClassOf(err) == core.MessageGone: // this thread is none of an agent's
	default:
		refused.add(at.Room)
	}
	return &core.Error{Op: op, Class: core.Unsupported, Err: err}
}

// openedChat is the event of a person who opens the chat with an assistant, or with an agent.
// Sources: https://docs.slack.dev/reference/events/assistant_thread_started, https://docs.slack.dev/reference/events/app_home_opened
type openedChat struct {
	User    string `json:"user"`
	Channel string `json:"channel"`
	Tab     string `json:"tab"`
	EventTS string `json:"event_ts"`
	Thread  struct {
		User    string `json:"user_id"`
		Channel string `json:"channel_id"`
		TS      string `json:"thread_ts"`
	} `json:"assistant_thread"`
}

// opened decodes that a person has opened the direct chat.
func (d *decoder) opened(ctx context.Context, o *openedChat, c *callback) (core.Event, bool) {
	user, room, thread := o.Thread.User, o.Thread.Channel, o.Thread.TS
	if room == "" {
		if o.Tab != "messages" {
			return core.Event{}, false // the home tab, which this app does not have
		}
		user, room = o.User, o.Channel
	}
	if !isID(user) || !isID(room) || user == d.me.user {
		return core.Event{}, false
	}
	ev := core.Event{Kind: core.KindOpened, Reach: core.ReachDirect, SentAt: timeOf(o.EventTS)}
	d.stands(&ev, &message{Channel: room, ChannelType: "im", ThreadTS: thread}, c.TeamID)
	ev.Sender = d.p.sender(ctx, user, "", d.team(c.TeamID))
	d.nameRoom(ctx, &ev)
	ev.Key = d.key("o", room, user, keyPart(o.EventTS, 20))
	if isID(c.EventID) {
		ev.Key = "o:" + c.EventID
	}
	return ev, true
}

// stoppedBy decodes that a person has ended an answer. Where none was shown yet, nothing tells which it was.
func (d *decoder) stoppedBy(ctx context.Context, s *stopped, c *callback) (core.Event, bool) {
	d.p.halt(s)
	if !isID(s.Channel) || !isID(s.User) {
		return core.Event{}, false
	}
	for _, ts := range s.Streams {
		if !isTS(ts) {
			continue
		}
		ev := core.Event{Kind: core.KindHalt, MessageID: ts, SentAt: timeOf(s.EventTS)}
		d.stands(&ev, &message{TS: ts, ThreadTS: s.Thread, Channel: s.Channel}, c.TeamID)
		ev.Sender = d.p.sender(ctx, s.User, "", d.team(c.TeamID))
		d.nameRoom(ctx, &ev)
		if ev.Room.Direct {
			ev.Reach = core.ReachDirect
		}
		ev.Key = d.key("h", s.Channel, ts, s.User)
		return ev, true
	}
	return core.Event{}, false
}
