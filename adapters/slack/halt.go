package slack

import (
	"context"
	"sync"

	slackgo "github.com/slack-go/slack"

	"github.com/clickai/bridge/core"
)

// halted remember the streams that people have stopped: what such a message shows is to stay.
type halted struct {
	mu sync.Mutex
	m  map[core.MessageRef]bool // without threads; true: its session is still to be released
}

func newHalted() *halted { return &halted{m: map[core.MessageRef]bool{}} }

func (h *halted) put(room, ts string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	key := core.MessageRef{Place: core.Place{Room: room}, ID: ts}
	if _, known := h.m[key]; !known {
		put(h.m, key, true, maxHalted)
	}
}

// has tells whether a message was stopped; first, whether that was not asked before.
func (h *halted) has(m core.MessageRef) (stopped, first bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	m.Thread = ""
	if first, stopped = h.m[m]; first {
		h.m[m] = false
	}
	return stopped, first
}

// halt notes the streams that a person has stopped. Slack has ended them already.
func (p *Platform) halt(s *stopped) {
	if !isID(s.Channel) {
		return
	}
	for _, ts := range s.Streams[:min(len(s.Streams), maxHalted)] {
		if isTS(ts) {
			p.halted.put(s.Channel, ts)
		}
	}
}

// codeHalted is the error of what is added to a stream that a person has stopped.
const codeHalted = "stopped_by_user"

// stays tells whether a message is to stay as it is, because a person has stopped it. Slack shows the bot at work until
// it says otherwise; where there are no sessions, that is no loss.
// Source: https://docs.slack.dev/reference/events/agent_session_stopped
func (p *Platform) stays(ctx context.Context, m core.MessageRef) bool {
	stopped, first := p.halted.has(m)
	if !stopped {
		return false
	}
	p.streams.drop(m)
	if first && m.Thread != "" {
		_, err := p.call(ctx, "slack.Halt", method("agents.sessions.setStatus"), func(ctx context.Context) error {
			_, err := p.api.SetAgentSessionStatusContext(ctx, slackgo.AgentSessionSetStatusParameters{
				Status: slackgo.AgentSessionStatusActive, ChannelID: m.Room, ThreadTS: m.Thread,
			})
			return err //nolint:wrapcheck // call classifies it
		}, nil)
		if err != nil {
			p.log.Debug("session not released", logErr(err))
		}
	}
	return true
}
