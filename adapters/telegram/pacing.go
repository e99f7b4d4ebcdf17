package telegram

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/pace"
)

// The budgets. Telegram names no budget in a 429; it is taken to be that of the chat.
//
//	all          what the bot sends, edits and drafts in all chats
//	chat:<id>    the same in one chat
//	group:<id>   the same in one group; it has a chat: budget besides
//	held:<id>    nothing is counted here: it is held while a 429 to one of those calls holds the chat
//	leaving      calls that leave now: turns are given out evenly, but on a busy machine a call may leave late after its turn,
//	             and many of them together; then the last ones wait once more, for a moment
//	light:<id>   nor here: held while a 429 to a deletion or a sign of typing holds these
const (
	budgetAll   = "all"
	budgetChat  = "chat:"
	budgetGroup = "group:"
	budgetHeld  = "held:"
	budgetLight = "light:"
	budgetLeave = "leaving"
)

// newPacer returns what shares Telegram's limits out among all calls of a bot.
func newPacer() *pace.Pacer {
	return pace.New(func(name string) pace.Rule {
		switch {
		case name == budgetAll:
			return overall(allPerSecond)
		case name == budgetLeave:
			return leaving(allPerSecond)
		case strings.HasPrefix(name, budgetChat):
			return pace.Rule{Count: chatPerSecond, Per: time.Second, Burst: chatBurst, Reserve: chatReserve}
		case strings.HasPrefix(name, budgetGroup):
			return pace.Rule{Count: groupPerMinute, Per: groupWindow, Reserve: groupReserve, Spread: groupSpread}
		}
		return pace.Rule{}
	})
}

// overall is the rule for all chats: n calls a second, evenly, and no more than a fifteenth of that at once.
func overall(n float64) pace.Rule {
	return pace.Rule{Count: 1, Per: time.Duration(float64(time.Second) / n), Burst: max(1, int(n/15))}
}

// leaving is the rule for calls that leave after their turns.
func leaving(n float64) pace.Rule {
	return pace.Rule{Count: max(1, int(n*28/allPerSecond)), Per: time.Second}
}

// leave waits until a call that has had its turn may leave. The error is ctx's.
func (p *Platform) leave(ctx context.Context, t turn) error {
	if t == light {
		return nil // it is not counted
	}
	return p.pacer.Wait(ctx, pace.Call{Budgets: []string{budgetLeave}}) //nolint:wrapcheck // the caller adds the operation
}

// SetCallsPerSecond replaces the ceiling over all chats, for an own server or a paid rate. Those of single chats stay.
func (p *Platform) SetCallsPerSecond(n float64) {
	p.pacer.Set(budgetAll, overall(n))
	p.pacer.Set(budgetLeave, leaving(n))
}

// counted are the budgets of a send, an edit or a draft in a chat.
func counted(chat string) []string {
	if isGroup(chat) {
		return []string{budgetAll, budgetGroup + chat, budgetChat + chat}
	}
	return []string{budgetAll, budgetChat + chat}
}

// showing is the call that shows s: posts, edits and drafts in a chat share its budgets.
func (p *Platform) showing(s core.Show) pace.Call {
	c := pace.Call{Budgets: counted(p.chatNow(s.Place.Room)), Since: s.Since, Wake: s.Wake}
	if !s.Urgent {
		c.Priority = pace.Refresh
	}
	return c
}

// Pace implements [core.Pacer].
func (p *Platform) Pace(ctx context.Context, s core.Show) error {
	err := p.pacer.Wait(ctx, p.showing(s))
	switch {
	case errors.Is(err, pace.ErrWoken):
		return core.ErrWoken
	case err != nil:
		return fmt.Errorf("telegram.Pace: %w", err)
	}
	return nil
}

// Unpace implements [core.Pacer].
func (p *Platform) Unpace(s core.Show) { p.pacer.Return(p.showing(s)) }

// turn is how a call of the adapter gets its turn.
type turn int

const (
	asked turn = iota // the caller has called Pace for it: it goes at once, or not at all while its chat is held
	own               // it counts, and nobody has asked for it
	light             // it counts against nothing; no limit is documented for it
)

// take waits for the turn of a call to a chat, at most for so long, and not at all where it can be told that it would take
// longer, or longer than ctx. The error is then a *tooSoonError.
func (p *Platform) take(ctx context.Context, t turn, chat string, atMost time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err //nolint:wrapcheck // the caller adds the operation
	}
	c := pace.Call{Budgets: []string{budgetHeld + chat}}
	switch t {
	case own:
		c.Budgets = counted(chat)
	case light:
		c.Budgets = append(c.Budgets, budgetLight+chat)
	case asked:
		atMost = 0
	}
	if deadline, ok := ctx.Deadline(); ok {
		atMost = min(atMost, time.Until(deadline))
	}
	if wait := p.pacer.Delay(c); wait > atMost {
		return &tooSoonError{wait: wait}
	}
	if atMost <= 0 && t != own {
		return nil // nothing is counted
	}
	one, cancel := context.WithTimeout(ctx, atMost)
	defer cancel()
	err := p.pacer.Wait(one, c)
	if err != nil && ctx.Err() == nil {
		return &tooSoonError{wait: max(p.pacer.Delay(c), time.Second)}
	}
	return err //nolint:wrapcheck // the caller adds the operation
}

// refused holds what a 429 stops, and lowers its rate.
func (p *Platform) refused(t turn, chat string, after time.Duration) {
	if t == light {
		p.pacer.Hold(budgetLight+chat, after)
		return
	}
	p.pacer.Hold(budgetHeld+chat, after)
	if isGroup(chat) {
		p.pacer.Hold(budgetGroup+chat, after)
	} else {
		p.pacer.Hold(budgetChat+chat, after)
	}
}
