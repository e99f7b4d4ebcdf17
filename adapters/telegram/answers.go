package telegram

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode/utf16"

	tgbot "github.com/go-telegram/bot"
	"golang.org/x/sync/errgroup"

	"github.com/clickai/bridge/core"
)

const (
	maxNotice       = 200                // UTF-16 units of an answer. Source: https://core.telegram.org/bots/api#answercallbackquery
	alertOver       = 80                 // units that can be read in the line which shows for a moment only
	maxQueries      = 1_000              // presses that nothing was answered to yet
	queriesAtOnce   = 4                  // calls that acknowledge
	acknowledgeTime = 5 * time.Second    // after which a press is acknowledged unasked
	queryTimeout    = 10 * time.Second   // of such a call: Telegram takes it for a while only
	staleQuery      = "query is too old" // and "response timeout expired or query ID is invalid"
	unknownQuery    = "query_id_invalid" // MTProto's word for the same
)

var (
	errNoticeLate   = errors.New("the press was acknowledged already, or is not known")
	errNoticeUnfit  = errors.New("it does not fit into the answer to a press")
	errNoticeHandle = errors.New("there is no handle")
)

// answers are the presses that are to be answered. Until then the person's client shows a sign of progress, so what core
// does not answer in time is acknowledged. Telegram takes one answer. Make it with newAnswers.
type answers struct {
	wake chan struct{} // capacity 1: there is a new one

	mu    sync.Mutex
	open  map[string]struct{}
	queue []query // the same in the order of their time, and some that were answered; at most maxQueries
}

type query struct {
	id  string
	due time.Time
}

func newAnswers() *answers {
	return &answers{wake: make(chan struct{}, 1), open: map[string]struct{}{}}
}

// add notes a press. Of too many the oldest are forgotten.
func (a *answers) add(id string, due time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, there := a.open[id]; there {
		return
	}
	if len(a.queue) >= maxQueries {
		delete(a.open, a.queue[0].id)
		a.queue = a.queue[1:]
	}
	a.open[id] = struct{}{}
	a.queue = append(a.queue, query{id, due})
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// claim tells whether a press has yet to be answered, which is then the caller's to do.
func (a *answers) claim(id string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, open := a.open[id]
	delete(a.open, id)
	return open
}

// claimDue claims what is to be acknowledged by then; next is when something is again, zero if nothing waits.
func (a *answers) claimDue(now time.Time) (due []string, next time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for len(a.queue) > 0 {
		q := a.queue[0]
		_, open := a.open[q.id]
		if open && q.due.After(now) {
			return due, q.due
		}
		if open {
			delete(a.open, q.id)
			due = append(due, q.id)
		}
		a.queue = a.queue[1:]
	}
	a.queue = nil // not the end of a long array
	return due, time.Time{}
}

// acknowledge is one of Run's goroutines: it acknowledges what core does not answer, and what is left at the end.
func (p *Platform) acknowledge(ctx context.Context) {
	for {
		due, next := p.answers.claimDue(time.Now())
		p.answerBlank(ctx, queryTimeout, due)
		timer := time.NewTimer(time.Until(next))
		var ring <-chan time.Time
		if !next.IsZero() {
			ring = timer.C
		}
		select {
		case <-p.answers.wake:
		case <-ring:
		case <-ctx.Done():
			timer.Stop()
			left, _ := p.answers.claimDue(time.Now().Add(p.times.acknowledge))
			p.answerBlank(context.WithoutCancel(ctx), confirmTimeout, left)
			return
		}
		timer.Stop()
	}
}

func (p *Platform) answerBlank(ctx context.Context, atMost time.Duration, ids []string) {
	if len(ids) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, atMost)
	defer cancel()
	var calls errgroup.Group
	calls.SetLimit(queriesAtOnce)
	for _, id := range ids {
		calls.Go(func() error {
			if err := p.answerQuery(ctx, id, ""); err != nil {
				p.log.Debug("press not acknowledged", slog.Any("err", err))
			}
			return nil
		})
	}
	_ = calls.Wait() // they return none
}

// answerQuery answers a press. A blank answer that comes too late is no error.
func (p *Platform) answerQuery(ctx context.Context, id, text string) error {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	_, err := p.bot.AnswerCallbackQuery(ctx, &tgbot.AnswerCallbackQueryParams{
		CallbackQueryID: id, Text: text, ShowAlert: unitsOf(text) > alertOver || strings.Contains(text, "\n"),
	})
	if !says(err, staleQuery, unknownQuery) {
		return p.fail("Answer", err, false)
	}
	if text == "" {
		return nil
	}
	return &core.Error{Op: "telegram.Answer", Class: core.NotFound, Err: p.mask(err)}
}

// Answer implements [core.Answerer]: p says it to the person who pressed, in a line that shows for a moment, or, where it
// is long, in a window to be closed. What is longer than 200 characters or has buttons is [core.Unsupported], and so is any
// text once the press was acknowledged: Telegram takes one answer to a press, which [Platform] gives by itself after five
// seconds. Too late for Telegram is [core.NotFound]. A blank answer is never too late.
// Source: https://core.telegram.org/bots/api#answercallbackquery
func (p *Platform) Answer(ctx context.Context, handle string, part core.Part) error {
	const op = "Answer"
	if handle == "" {
		return invalid(op, errNoticeHandle)
	}
	text := strings.TrimSpace(cmp.Or(part.Plain, part.Text))
	blank := text == "" && part.Buttons == ""
	if !p.answers.claim(handle) {
		if blank {
			return nil
		}
		return &core.Error{Op: "telegram." + op, Class: core.Unsupported, Err: errNoticeLate}
	}
	if part.Buttons != "" || unitsOf(text) > maxNotice {
		if err := p.answerQuery(ctx, handle, ""); err != nil {
			p.log.Debug("press not acknowledged", slog.Any("err", err))
		}
		return &core.Error{Op: "telegram." + op, Class: core.Unsupported, Err: errNoticeUnfit}
	}
	return p.answerQuery(ctx, handle, text)
}

// unitsOf is the length of a text as Telegram counts it.
func unitsOf(s string) int { return len(utf16.Encode([]rune(s))) }
