package agent

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/clickai/bridge/clickai"
	"github.com/clickai/bridge/core"
)

const (
	historyPage = 20
	// historyPoll is how often the history is looked at while an answer is still being made.
	historyPoll = 2 * time.Second
	historyMost = 15 * time.Second // the pause grows to this: looking counts against the plan
	// clockSkew forgives a difference between ClickAI's clock and ours.
	clockSkew = 2 * time.Minute
)

// resume takes up a question that an earlier process may have asked. done is true if it has been dealt with.
func (a *App) resume(ctx context.Context, q core.Question, emit func(core.Delta) bool) (done bool, err error) {
	if !a.Conversational() {
		if !q.Begun {
			return false, nil // nothing shows that it was asked, and there is no history to look at
		}
		return true, &core.AppError{Notice: core.Notice{Kind: core.NoticeCut}, Class: core.Transient, Begun: true, Err: errors.New("the bridge stopped while the app answered")}
	}
	past, found, err := a.recallSurely(ctx, q, emit)
	if err != nil {
		return true, err
	}
	if !found && q.MessageID == "" {
		return false, nil
	}
	if found && !past.Done {
		if past, found, err = a.waitForAnswer(ctx, q, time.Time{}, emit, func(p stored) bool { return p.Done }); err != nil {
			a.log.WarnContext(ctx, "history could not be read", slog.Any("err", err))
		}
	}
	if !found || past.Text == "" {
		// It was asked and must not be asked again.
		return true, &core.AppError{Notice: core.Notice{Kind: core.NoticeCut}, Class: core.Transient, Begun: true, Err: errors.New("the history has no answer")}
	}
	return true, a.give(ctx, q, past, emit)
}

// look is the look at the history before a call is repeated. done is true if the question has been answered meanwhile.
func (a *App) look(ctx context.Context, q core.Question, emit func(core.Delta) bool) (done bool, err error) {
	if !a.Conversational() || q.Conversation == "" {
		return false, nil
	}
	past, found, err := a.recallSurely(ctx, q, emit)
	switch e, ok := errors.AsType[*core.AppError](err); {
	case ok && e.Class != core.Transient && e.Class != core.RateLimited:
		return false, nil // this server tells nobody
	case err != nil:
		return true, err
	case !found:
		return false, nil
	}
	if !past.Done {
		q.MessageID = past.MessageID
		if past, found, err = a.waitForAnswer(ctx, q, time.Now().Add(recallFor), emit, func(p stored) bool { return p.Done }); err != nil || !found {
			return true, &core.AppError{Notice: retryLine, Class: core.Transient, Begun: true, Err: errors.New("the question is known to ClickAI but has no answer")}
		}
	}
	if past.Text == "" {
		return false, nil // it failed there, and stands in the history without an answer
	}
	return true, a.give(ctx, q, past, emit)
}

// recallSurely is recall, repeated until the history has really answered: before that it is not known whether the question
// was asked.
func (a *App) recallSurely(ctx context.Context, q core.Question, emit func(core.Delta) bool) (stored, bool, error) {
	for pause := historyPoll; ; pause = min(pause*2, historyMost) {
		past, found, err := a.recall(ctx, q)
		if err == nil {
			return past, found, nil
		}
		if ctx.Err() != nil {
			return past, false, context.Cause(ctx)
		}
		e, ok := errors.AsType[*core.AppError](err)
		if !ok {
			e = &core.AppError{Notice: retryLine, Class: core.Transient, Err: err}
		}
		wait := max(pause, e.After)
		again := (e.Class == core.Transient || e.Class == core.RateLimited) && !endsWithin(ctx, wait)
		a.log.WarnContext(ctx, "history could not be read", slog.Bool("again", again), slog.Any("err", cleaned(err)))
		if !again {
			return past, false, e
		}
		core.TellRetry(ctx, a.name, core.AppHistory)
		if !emit(core.Delta{Kind: core.DeltaWaiting, Wait: wait}) {
			return past, false, errClosed
		}
		if !pauseFor(ctx, wait) {
			return past, false, context.Cause(ctx)
		}
	}
}

// stored is an answer in the history, as it is stored.
type stored struct {
	core.PastAnswer
	raw   string // with what the model thought
	files []clickai.File
}

// give passes on an answer from the history.
func (a *App) give(ctx context.Context, q core.Question, past stored, emit func(core.Delta) bool) error {
	t := newTranslator(ctx, a, q, emit)
	defer t.close()
	t.ids = core.Delta{Conversation: past.Conversation, MessageID: past.MessageID}
	if !emit(core.Delta{Kind: core.DeltaIDs, Conversation: past.Conversation, MessageID: past.MessageID}) {
		return errClosed
	}
	return t.give(past)
}

// give puts an answer from the history in place of what was said, with the files that it came with.
func (t *translator) give(past stored) error {
	if t.listedFiles(past.files) && t.replace(past.raw) && t.flush() && t.settle() && t.files.drain(true, t.emit) {
		return nil
	}
	return errClosed
}

// Recall is core.App.Recall. With a message id it looks for that message, else for the newest one with this question that
// was asked since. Where the conversation is not known there is nothing to look at: the person's other conversations may
// be those of other rooms, and the same words may stand in them.
func (a *App) Recall(ctx context.Context, q core.Question) (core.PastAnswer, bool, error) {
	past, found, err := a.recall(ctx, q)
	return past.PastAnswer, found, err
}

func (a *App) recall(ctx context.Context, q core.Question) (stored, bool, error) {
	if !a.Conversational() || q.Conversation == "" {
		return stored{}, false, nil
	}
	return a.recallIn(ctx, q.Conversation, q)
}

// recallIn looks in one conversation.
func (a *App) recallIn(ctx context.Context, conversation string, q core.Question) (stored, bool, error) {
	page, err := a.client.Messages(ctx, clickai.MessagesRequest{ConversationID: conversation, User: q.User, Limit: historyPage})
	if e, ok := errors.AsType[*clickai.Error](err); ok && e.Status == 404 {
		return stored{}, false, nil
	}
	if err != nil {
		return stored{}, false, callError(err)
	}
	since := page.Data
	// Where the turn before is there to be seen, its place tells what came later; clocks may be hours apart.
	before := slices.IndexFunc(since, func(m clickai.StoredMessage) bool { return q.After != "" && m.ID == q.After })
	since = since[before+1:]
	for _, m := range slices.Backward(since) {
		if q.MessageID != "" && m.ID != q.MessageID {
			continue
		}
		if q.MessageID == "" {
			if before < 0 && m.CreatedAt != 0 && m.CreatedAt.Time().Before(q.AskedAt.Add(-clockSkew)) {
				break
			}
			if strings.TrimSpace(m.Query) != strings.TrimSpace(q.Query) {
				continue
			}
		}
		return stored{PastAnswer: core.PastAnswer{
			Conversation: conversation, MessageID: m.ID, Text: withoutThoughts(m.Answer),
			Done: m.Answer != "" || m.Status != "" && m.Status != "normal",
		}, raw: m.Answer, files: m.Files}, true, nil
	}
	return stored{}, false, nil
}

// withoutThoughts is a stored answer without what the model thought.
func withoutThoughts(s string) string {
	if strings.IndexByte(s, '<') < 0 {
		return s
	}
	var t thinkSplitter
	t.add(s)
	t.end()
	return strings.TrimLeft(t.text.String(), "\r\n")
}

// waitForAnswer looks at the history until it has what is wanted, or until then; the zero time is ctx's end. The person is
// told meanwhile.
func (a *App) waitForAnswer(ctx context.Context, q core.Question, until time.Time, emit func(core.Delta) bool, good func(stored) bool) (stored, bool, error) {
	if !a.Conversational() || q.Conversation == "" {
		return stored{}, false, nil
	}
	var failed error
	for pause := historyPoll; ; pause = min(pause*3/2, historyMost) {
		past, found, err := a.recall(ctx, q)
		switch {
		case err != nil:
			failed = err
		case !found:
			return past, false, nil
		case good(past):
			return past, true, nil
		case past.Done:
			return past, false, nil // it will not get better
		}
		if !emit(core.Delta{Kind: core.DeltaWaiting, Wait: pause}) {
			return stored{}, false, errClosed
		}
		if !until.IsZero() && time.Now().After(until) || !pauseFor(ctx, pause) {
			return stored{}, false, failed
		}
	}
}

// longer tells whether a stored answer goes on where the shown text breaks off. Stored and streamed text of agents differ
// in white space.
func longer(stored, shown string) bool {
	a, b := squeeze(stored), squeeze(shown)
	return len(a) >= len(b) && strings.HasPrefix(a, b) && a != ""
}

func squeeze(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
}

// freshURL finds a file's newest link in its message.
func (a *App) freshURL(ctx context.Context, q core.Question, ids core.Delta, f madeFile) (string, bool) {
	conversation := ids.Conversation
	if conversation == "" {
		conversation = q.Conversation
	}
	if conversation == "" {
		return "", false
	}
	page, err := a.client.Messages(ctx, clickai.MessagesRequest{ConversationID: conversation, User: q.User, Limit: historyPage})
	if err != nil {
		a.log.WarnContext(ctx, "history could not be read", slog.Any("err", err))
		return "", false
	}
	for _, m := range page.Data {
		for _, have := range m.Files {
			same := have.ID != "" && have.ID == f.ID || addressKey(have.URL) == addressKey(f.URL)
			if have.URL != "" && have.URL != f.URL && same {
				return have.URL, true
			}
		}
	}
	return "", false
}
