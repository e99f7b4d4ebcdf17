package agent

import (
	"context"
	"log/slog"

	"github.com/clickai/bridge/clickai"
	"github.com/clickai/bridge/core"
)

// translator turns the events of one stream into deltas. It holds what later events depend on.
type translator struct {
	ctx   context.Context // of the attempt, for the log
	app   *App
	q     core.Question
	emit  func(core.Delta) bool // false: the consumer wants no more
	files *spool

	ids      core.Delta // as last emitted
	think    thinkSplitter
	links    linkSplitter
	shown    bool // text has been emitted that stands
	agentMsg bool // agent_message has been seen
	wholeMsg bool // a message after agent_message has been seen
	thoughts thoughts
	stepID   string          // of the agent's step that was told of last
	apart    bool            // what is said next is said by another step than what was said last
	seen     map[string]bool // keys of files that were announced
	made     int             // files that were announced
	uploads  map[string]bool // the person's own

	begun      bool // ClickAI has taken the question in
	ended      bool // message_end has been seen
	finished   bool // workflow_finished has been seen
	flowOK     bool // … with a status that means success
	flowBacked bool
	flowFailed bool   // workflow_finished said so
	flowError  string // … and why, if it did
	paused     bool
	forms      []waitingForm
	skipped    int
	speaking   bool
	spoken     bool
	failure    error // of an event that ends the turn

	closed string              // the conversation that was given up for this one
	stats  clickai.StreamStats // of a stream that broke off
}

// newTranslator makes a translator, which is to be closed.
func newTranslator(ctx context.Context, app *App, q core.Question, emit func(core.Delta) bool) *translator {
	t := &translator{ctx: ctx, app: app, q: q, emit: emit, seen: map[string]bool{}, uploads: map[string]bool{}}
	t.files = newSpool(ctx, app, q, func() core.Delta { return t.ids })
	t.links = linkSplitter{mine: app.ownFile, take: t.linked}
	for _, f := range q.Files {
		t.uploads[f.ID] = true
	}
	return t
}

func (t *translator) close() { t.files.close() }

// event takes the next event. It returns false once no more is wanted: see failure for why, if it is not nil.
func (t *translator) event(ev clickai.Event) bool {
	if !t.files.drain(false, t.emit) {
		return false
	}
	switch ev := ev.(type) {
	case *clickai.Ping:
	case *clickai.Skipped:
		// What is over the bound is no proxy's: ClickAI has begun.
		t.begun = t.begun || ev.Reason == clickai.SkippedTooLong
	default:
		t.begun = true
		if !t.head(ev.Head()) {
			return false
		}
	}
	switch ev := ev.(type) {
	case *clickai.Message:
		if t.agentMsg && !t.wholeMsg {
			// The newer kind of agent ends with one message that repeats the whole answer.
			t.wholeMsg = true
			return t.replace(ev.Answer)
		}
		return t.append(ev.Answer)
	case *clickai.AgentMessage:
		t.agentMsg = true
		return t.append(t.spaced(ev.Answer))
	case *clickai.TextChunk:
		return t.append(ev.Text)
	case *clickai.MessageReplace:
		return t.moderated(ev.Answer)
	case *clickai.TextReplace:
		return t.moderated(ev.Text)
	case *clickai.AgentThought:
		return t.agentThought(ev)
	case *clickai.ReasoningChunk:
		return t.reasoning(ev)
	case *clickai.MessageFile:
		return t.messageFile(ev)
	case *clickai.TTSMessage:
		if len(ev.Audio) == 0 {
			return true
		}
		t.speaking, t.spoken = true, true
		return t.emit(core.Delta{Kind: core.DeltaAudio, Audio: ev.Audio})
	case *clickai.TTSMessageEnd:
		t.speaking = false
		return !t.done()
	case *clickai.MessageEnd:
		return t.messageEnd(ev)
	case *clickai.ErrorEvent:
		t.failure = t.app.eventError(t.ctx, ev)
		return false
	case *clickai.Skipped:
		t.skip(ev)
	case *clickai.Unknown:
		t.app.unknownEvent(t.ctx, ev.Head().Event)
	default:
		return t.flowEvent(ev)
	}
	return true
}

func (t *translator) skip(ev *clickai.Skipped) {
	t.skipped++
	if t.skipped == 1 {
		t.app.log.WarnContext(t.ctx, "event skipped", slog.String("reason", ev.Reason.String()), slog.Int64("bytes", ev.Size),
			slog.String("start", cleanMessage(string(ev.Excerpt))))
	}
}

// done tells whether the answer is complete as far as events tell.
func (t *translator) done() bool {
	return t.ended && !t.speaking && (!t.flowBacked || t.finished)
}

// head passes ids on as soon as they are new.
func (t *translator) head(h *clickai.Header) bool {
	d := core.Delta{Kind: core.DeltaIDs, Conversation: h.ConversationID, MessageID: h.MessageID, TaskID: h.TaskID}
	if !t.app.Conversational() {
		d.Conversation = ""
	}
	if news(d.Conversation, t.ids.Conversation) || news(d.MessageID, t.ids.MessageID) || news(d.TaskID, t.ids.TaskID) {
		if d.Conversation != "" && t.q.Conversation != "" && d.Conversation != t.q.Conversation && d.Conversation != t.ids.Conversation {
			t.app.log.WarnContext(t.ctx, "ClickAI answered in another conversation",
				slog.String("conversation_id", t.q.Conversation), slog.String("new_conversation_id", d.Conversation))
		}
		if d.Conversation != "" && t.closed != "" {
			t.app.log.WarnContext(t.ctx, "a new conversation takes the place of one that ClickAI has no more",
				slog.String("conversation_id", t.closed), slog.String("new_conversation_id", d.Conversation))
			t.closed = ""
		}
		keep(&t.ids.Conversation, d.Conversation)
		keep(&t.ids.MessageID, d.MessageID)
		keep(&t.ids.TaskID, d.TaskID)
		return t.emit(d)
	}
	return true
}

func news(got, had string) bool { return got != "" && got != had }

func keep(dst *string, v string) {
	if v != "" {
		*dst = v
	}
}
