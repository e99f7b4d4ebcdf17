package discord

import (
	"context"
	"errors"
	"net/http"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/pace"
)

// SetCallsPerSecond replaces the ceiling over all calls, which is Discord's global limit. n of 0 or less changes nothing.
func (p *Platform) SetCallsPerSecond(n float64) { p.api.limits.setRate(n) }

// Pace waits for the turn of a message or an edit: until its route bucket and the global limit have room, and nothing more
// urgent or older waits there. For a place that is none it returns at once, and the call itself fails.
func (p *Platform) Pace(ctx context.Context, s core.Show) error {
	r, ok := showRoute(s)
	if !ok {
		return nil
	}
	err := p.api.limits.pace(ctx, r, pace.Call{Priority: priority(s), Since: s.Since, Wake: s.Wake})
	if errors.Is(err, pace.ErrWoken) {
		return core.ErrWoken
	}
	return err
}

// Unpace gives back a turn that Pace gave.
func (p *Platform) Unpace(s core.Show) {
	if r, ok := showRoute(s); ok {
		p.api.limits.unpace(r, priority(s))
	}
}

func priority(s core.Show) pace.Priority {
	if s.Urgent {
		return pace.Urgent
	}
	return pace.Refresh
}

// showRoute is the route of the call that a turn is wanted for; false for what Discord has not.
func showRoute(s core.Show) (route, bool) {
	channel, err := target("discord.Pace", s.Place)
	if err != nil {
		return route{}, false
	}
	switch s.Kind {
	case core.ShowPost:
		return route{name: http.MethodPost + " messages", major: channel}, true
	case core.ShowEdit:
		return route{name: http.MethodPatch + " message", major: channel}, true
	default:
		return route{}, false
	}
}
