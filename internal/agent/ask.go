package agent

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/clickai/bridge/clickai"
	"github.com/clickai/bridge/core"
)

const (
	backoffFirst = time.Second
	backoffMost  = 30 * time.Second
	// linger is how long a stream is read on after its answer is complete: moderation may still replace it, speech may
	// still come. Servers may keep the connection open for minutes.
	linger = 2 * time.Second
	// lingerSpeech is the same while speech is still coming.
	lingerSpeech = 20 * time.Second
	// recallFor is how long the rest of an answer that broke off is waited for in the history.
	recallFor = 60 * time.Second
)

// Ask is core.App.Ask.
func (a *App) Ask(ctx context.Context, q core.Question) iter.Seq2[core.Delta, error] {
	return func(yield func(core.Delta, error) bool) {
		open := true // false once the consumer wants no more
		message := q.MessageID
		emit := func(d core.Delta) bool {
			if d.MessageID != "" {
				message = d.MessageID
			}
			open = open && yield(d, nil)
			return open
		}
		err := a.ask(ctx, q, emit)
		switch {
		case !open:
		case err != nil:
			yield(core.Delta{}, err)
		default:
			if q.Suggest {
				a.suggest(ctx, q.User, message, emit)
			}
			if open {
				yield(core.Delta{Kind: core.DeltaEnd}, nil)
			}
		}
	}
}

// errClosed is the outcome of an attempt whose consumer wants no more.
var errClosed = errors.New("consumer is gone")

// ask repeats the call as long as it may be repeated.
func (a *App) ask(parent context.Context, q core.Question, emit func(core.Delta) bool) error {
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	// Calls made here wait for the plan's next slot while this goroutine, whose it is to emit, stands still.
	ctx = clickai.WithSlotWait(ctx, func(wait time.Duration) {
		if !emit(core.Delta{Kind: core.DeltaWaiting, Wait: wait}) {
			cancel(errClosed)
		}
	})
	if q.Retried {
		if done, err := a.resume(ctx, q, emit); done || err != nil {
			return err
		}
	}
	used := map[string]bool{} // reasons that allow one repetition
	closed := ""              // the conversation that was given up for a new one
	wait := backoffFirst
	for attempt := 1; ; attempt++ {
		begun, err := a.once(ctx, q, closed, emit)
		if err == nil || errors.Is(err, errClosed) || begun {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if _, ok := errors.AsType[*core.AppError](err); ok {
			return err
		}
		v := judge(err, q.Conversation != "")
		pause := v.after
		if pause == 0 && v.pauses() {
			pause = wait/2 + rand.N(wait/2+1)
			wait = min(wait*2, backoffMost)
		}
		again := v.again && !used[v.once] && !endsWithin(ctx, pause)
		err = a.notAnswered(ctx, err, v, attempt, q.Conversation, again, pause)
		if again {
			core.TellRetry(ctx, a.name, core.AppAsk)
		}
		if !again {
			return &core.AppError{Notice: v.notice, Class: core.Invalid, Err: err}
		}
		if v.once != "" {
			used[v.once] = true
		}
		switch {
		case v.stream:
			a.blocking.Store(false)
			continue
		case v.reset:
			closed = q.Conversation
			q.Conversation, q.Retried = "", false
			continue
		}
		if !emit(core.Delta{Kind: core.DeltaWaiting, Wait: pause}) {
			return errClosed
		}
		if !pauseFor(ctx, pause) {
			return context.Cause(ctx)
		}
		if v.look {
			if done, err := a.look(ctx, q, emit); done || err != nil {
				return err
			}
		}
	}
}

// notAnswered logs why an attempt failed, and returns the error as it may be seen.
func (a *App) notAnswered(ctx context.Context, err error, v verdict, attempt int, conversation string, again bool, pause time.Duration) error {
	level := v.level
	attrs := []slog.Attr{slog.String("meaning", v.msg), slog.Int("attempt", attempt)}
	switch {
	case again && pause > 0:
		attrs = append(attrs, slog.Int64("wait_ms", pause.Milliseconds()))
	case v.again && !again:
		level = max(level, v.final)
	}
	if v.reset {
		attrs = append(attrs, slog.String("conversation_id", conversation))
	}
	if e, ok := errors.AsType[*clickai.Error](err); ok {
		if e.Status == 0 {
			attrs = append(attrs, slog.String("host", a.host))
		} else {
			attrs = append(attrs, slog.Int("status", e.Status), slog.String("code", oneLine(e.Code, maxStep)))
		}
		if v.body > 0 && len(e.Body) > 0 {
			attrs = append(attrs, slog.String("content_type", oneLine(e.ContentType, maxStep)), slog.String("body", cleanExcerpt(e.Body, v.body)))
		}
	}
	err = cleaned(err)
	a.log.LogAttrs(ctx, level, "question not answered", append(attrs, slog.Bool("again", again), slog.Any("err", err))...)
	return err
}

// endsWithin tells whether ctx ends before so much time is over, so that waiting is of no use.
func endsWithin(ctx context.Context, d time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return ok && d > 0 && time.Until(deadline) < d
}

// once asks once, and completes an answer that broke off as far as it can. begun is true if it must not be asked again.
// closed is the conversation that this one begins anew; "" for none.
func (a *App) once(ctx context.Context, q core.Question, closed string, emit func(core.Delta) bool) (begun bool, err error) {
	t := newTranslator(ctx, a, q, emit)
	defer t.close()
	t.closed = closed
	err = a.attempt(ctx, q, t)
	switch {
	case err == nil || errors.Is(err, errClosed):
	case ctx.Err() != nil:
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			a.log.WarnContext(ctx, "answer took too long", slog.Bool("begun", t.begun), slog.String("message_id", t.ids.MessageID), slog.Int("bytes", t.think.text.Len()))
		}
		err = context.Cause(ctx)
	case t.begun:
		err = a.brokenOff(ctx, q, t, err)
	}
	return t.begun, err
}

func pauseFor(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// attempt asks once. A nil error means that the answer is complete.
func (a *App) attempt(ctx context.Context, q core.Question, t *translator) error {
	in, err := a.inputs.render(q.Vars)
	if err != nil {
		return &core.AppError{Notice: setupLine, Class: core.Invalid, Err: err}
	}
	if a.blocking.Load() {
		return a.attemptBlocking(ctx, q, in, t)
	}
	stream, err := a.openStream(ctx, q, in)
	if err != nil {
		return err
	}
	defer stream.Close()
	if stream.Stats().Blocking {
		a.log.WarnContext(ctx, "a streaming request was answered in one piece")
	}
	for ev, err := range stream.Events() {
		if err != nil {
			if t.answered() {
				break // complete; how the connection ended does not matter
			}
			t.stats = stream.Stats()
			return err
		}
		if !t.event(ev) {
			break
		}
		switch {
		case !t.answered() && !t.flowFailed:
		case t.speaking:
			stream.EndWithin(lingerSpeech)
		default:
			stream.EndWithin(linger)
		}
	}
	return t.outcome(stream.Stats())
}

// errCut is a stream that ended in the middle.
var errCut = errors.New("the stream ended without a terminal event")

// openStream starts a streaming call.
func (a *App) openStream(ctx context.Context, q core.Question, in map[string]any) (*clickai.Stream, error) {
	switch a.mode {
	case ModeCompletion:
		return a.client.CompleteStream(ctx, clickai.CompletionRequest{User: q.User, Inputs: a.withQuery(in, q), Files: inputFiles(q.Files)})
	case ModeWorkflow:
		return a.client.RunWorkflowStream(ctx, clickai.WorkflowRequest{User: q.User, Inputs: a.withQuery(in, q)})
	default:
		return a.client.ChatStream(ctx, chatRequest(q, in))
	}
}

// attemptBlocking asks in one piece and passes the answer on as the events that it stands for.
func (a *App) attemptBlocking(ctx context.Context, q core.Question, in map[string]any, t *translator) error {
	var answer *clickai.Answer
	var err error
	switch a.mode {
	case ModeWorkflow:
		var run *clickai.WorkflowResult
		run, err = a.client.RunWorkflow(ctx, clickai.WorkflowRequest{User: q.User, Inputs: a.withQuery(in, q)})
		if err != nil {
			return err
		}
		h := clickai.Header{TaskID: run.TaskID, WorkflowRunID: run.WorkflowRunID}
		t.event(&clickai.WorkflowFinished{Header: h, Run: run.Run})
		return t.outcome(clickai.StreamStats{})
	case ModeCompletion:
		answer, err = a.client.Complete(ctx, clickai.CompletionRequest{User: q.User, Inputs: a.withQuery(in, q), Files: inputFiles(q.Files)})
	default:
		answer, err = a.client.Chat(ctx, chatRequest(q, in))
	}
	if err != nil {
		return err
	}
	h := clickai.Header{ConversationID: answer.ConversationID, MessageID: answer.MessageID, TaskID: answer.TaskID}
	_ = t.event(&clickai.Message{Header: h, Answer: answer.Text}) && t.event(&clickai.MessageEnd{Header: h, Metadata: answer.Metadata})
	return t.outcome(clickai.StreamStats{})
}

// chatRequest sends inputs with the first turn only: ClickAI ignores them later.
func chatRequest(q core.Question, in map[string]any) clickai.ChatRequest {
	if q.Conversation != "" {
		in = nil
	}
	return clickai.ChatRequest{Query: q.Query, User: q.User, ConversationID: q.Conversation, Inputs: in, Files: inputFiles(q.Files)}
}

// withQuery puts the question, and a workflow's files, among the inputs.
func (a *App) withQuery(in map[string]any, q core.Question) clickai.Inputs {
	in[a.queryInput] = q.Query
	if a.mode == ModeWorkflow && a.filesInput != "" && len(q.Files) > 0 {
		in[a.filesInput] = inputFiles(q.Files)
	}
	return in
}

func inputFiles(files []core.FileRef) []clickai.InputFile {
	out := make([]clickai.InputFile, 0, len(files))
	for _, f := range files {
		out = append(out, clickai.UploadedInput(f.Type, f.ID))
	}
	return out
}

// brokenOff ends a turn that ClickAI had begun and that cannot be asked again: the history may have the whole answer.
func (a *App) brokenOff(ctx context.Context, q core.Question, t *translator, cause error) error {
	if _, ok := errors.AsType[*core.AppError](cause); ok {
		return cause // ClickAI said itself how it ended
	}
	a.log.WarnContext(ctx, "answer broke off", slog.String("message_id", t.ids.MessageID), slog.Int64("bytes", t.stats.Bytes), slog.Int("events", t.stats.Events),
		slog.String("last_event", t.stats.LastEvent), slog.Int("skipped", t.stats.Skipped), slog.Any("err", cleaned(cause)))
	if !t.flush() {
		return errClosed
	}
	q.MessageID = t.ids.MessageID
	if t.ids.Conversation != "" {
		q.Conversation = t.ids.Conversation
	}
	shown := t.think.text.String()
	past, found, err := a.waitForAnswer(ctx, q, time.Now().Add(recallFor), t.emit, func(p stored) bool { return longer(p.Text, shown) })
	if errors.Is(err, errClosed) {
		return err
	}
	if err != nil {
		a.log.WarnContext(ctx, "history could not be read", slog.Any("err", err))
	}
	if found {
		return t.give(past)
	}
	n := core.Notice{Kind: core.NoticeCut}
	if shown == "" {
		n = retryLine
	}
	return &core.AppError{Notice: n, Class: core.Transient, Begun: true, Err: cause}
}
