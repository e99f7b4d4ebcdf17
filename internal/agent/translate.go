package agent

import (
	"strings"

	"github.com/clickai/bridge/clickai"
	"github.com/clickai/bridge/core"
)

// translator turns the events of one stream into deltas. It holds what later events depend on.
type translator struct {
	app   *App
	q     core.Question
	emit  func(core.Delta) bool // false: the consumer wants no more
	think thinkSplitter

	ids      core.Delta // as last emitted
	text     strings.Builder
	agentMsg bool // agent_message has been seen
	wholeMsg bool // a message after agent_message has been seen
	thinks   int  // blocks of reasoning so far
	reason   strings.Builder
	files    map[string]bool // files that were announced
	uploads  map[string]bool // the person's own

	begun      bool // ClickAI has taken the question in
	ended      bool // message_end has been seen
	finished   bool // workflow_finished has been seen
	flowOK     bool // … with a status that means success
	flowBacked bool
	flowError  string
	paused     bool
	waitsAt    string // title of the node that waits for a person
	skipped    int
	speaking   bool
	failure    error // of an event that ends the turn
}

func newTranslator(app *App, q core.Question, emit func(core.Delta) bool) *translator {
	t := &translator{app: app, q: q, emit: emit, files: map[string]bool{}, uploads: map[string]bool{}}
	for _, f := range q.Files {
		t.uploads[f.ID] = true
	}
	return t
}

// event takes the next event. It returns false once no more is wanted: see failure for why, if it is not nil.
func (t *translator) event(ev clickai.Event) bool {
	switch ev.(type) {
	case *clickai.Ping, *clickai.Skipped:
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
		return t.append(ev.Answer)
	case *clickai.TextChunk:
		return t.append(ev.Text)
	case *clickai.MessageReplace:
		return t.replace(ev.Answer)
	case *clickai.TextReplace:
		return t.replace(ev.Text)
	case *clickai.AgentThought:
		return t.thought(ev)
	case *clickai.ReasoningChunk:
		return t.reasoning(ev)
	case *clickai.MessageFile:
		return t.messageFile(ev)
	case *clickai.TTSMessage:
		t.speaking = true
		return len(ev.Audio) == 0 || t.emit(core.Delta{Kind: core.DeltaAudio, Audio: ev.Audio})
	case *clickai.TTSMessageEnd:
		t.speaking = false
		return !t.done()
	case *clickai.MessageEnd:
		return t.messageEnd(ev)
	case *clickai.ErrorEvent:
		t.failure = t.app.eventError(ev)
		return false
	case *clickai.WorkflowStarted:
		t.flowBacked = true
	case *clickai.NodeStarted:
		if ev.Node.Title != "" {
			return t.emit(core.Delta{Kind: core.DeltaStep, Text: ev.Node.Title})
		}
	case *clickai.WorkflowFinished:
		return t.workflowFinished(ev)
	case *clickai.HumanInputRequired:
		t.waitsAt = ev.Form.NodeTitle
	case *clickai.WorkflowPaused:
		t.paused = true
		return false
	case *clickai.Skipped:
		t.skipped++
		if t.skipped == 1 {
			t.app.log.Warn("event skipped", attrString("reason", ev.Reason.String()), attrInt("bytes", ev.Size))
		}
	case *clickai.Unknown:
		t.app.unknownEvent(ev.Head().Event)
	}
	return true
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
			t.app.log.Warn("ClickAI answered in another conversation",
				attrString("conversation_id", t.q.Conversation), attrString("new_conversation_id", d.Conversation))
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

// append adds a piece of text, with what the model thinks taken out.
func (t *translator) append(piece string) bool {
	if piece == "" {
		return true
	}
	answer, grew, closed := t.think.add(piece)
	if grew && !t.emit(t.thinking()) {
		return false
	}
	if closed {
		t.thinks++
	}
	if answer == "" {
		return true
	}
	if t.text.Len() == 0 && t.thinks > 0 {
		if answer = strings.TrimLeft(answer, "\r\n"); answer == "" {
			return true
		}
	}
	t.text.WriteString(answer)
	return t.emit(core.Delta{Kind: core.DeltaText, Text: answer})
}

func (t *translator) thinking() core.Delta {
	return core.Delta{Kind: core.DeltaThought, Thought: core.Thought{
		ID: "think-" + itoa(t.thinks), Text: strings.TrimSpace(t.think.thought.String()),
	}}
}

// replace puts text in place of all that was answered.
func (t *translator) replace(text string) bool {
	t.think = thinkSplitter{}
	t.text.Reset()
	answer, _, _ := t.think.add(text)
	t.text.WriteString(answer)
	return t.emit(core.Delta{Kind: core.DeltaReplace, Text: answer})
}

// flush gives out text that was held back as it might have been a thought.
func (t *translator) flush() bool {
	rest := t.think.end()
	if rest == "" {
		return true
	}
	t.text.WriteString(rest)
	return t.emit(core.Delta{Kind: core.DeltaText, Text: rest})
}

func (t *translator) thought(ev *clickai.AgentThought) bool {
	th := core.Thought{ID: ev.ID, Text: strings.TrimSpace(ev.Thought)}
	for tool := range strings.SplitSeq(ev.Tool, ";") {
		if tool = strings.TrimSpace(tool); tool != "" {
			th.Tools = append(th.Tools, tool)
		}
	}
	if th.Text != "" && strings.Contains(t.text.String(), th.Text) {
		th.Text = "" // in agent-chat the step's text has been streamed as answer
	}
	return t.emit(core.Delta{Kind: core.DeltaThought, Thought: th})
}

func (t *translator) reasoning(ev *clickai.ReasoningChunk) bool {
	if t.reason.Len()+len(ev.Reasoning) > maxThought {
		return true
	}
	t.reason.WriteString(ev.Reasoning)
	return t.emit(core.Delta{Kind: core.DeltaThought, Thought: core.Thought{ID: "reasoning-" + ev.NodeID, Text: strings.TrimSpace(t.reason.String())}})
}

func (t *translator) messageFile(ev *clickai.MessageFile) bool {
	if ev.BelongsTo == "user" || ev.URL == "" {
		return true
	}
	return t.file(madeFile{ID: ev.ID, Type: ev.Type, Name: ev.Filename, MIME: ev.MIMEType, Size: ev.Size, URL: ev.URL})
}

// file announces a file of the app's once, however often and wherever it is named.
func (t *translator) file(f madeFile) bool {
	key := f.key()
	if key == "" || t.files[key] {
		return true
	}
	t.files[key] = true
	return t.emit(core.Delta{Kind: core.DeltaFile, File: t.app.fileOut(t.q, t.ids, f)})
}

func (t *translator) messageEnd(ev *clickai.MessageEnd) bool {
	t.ended = true
	if !t.flush() || !t.listedFiles(ev.Files) {
		return false
	}
	if sources := sourcesOf(ev.Metadata); len(sources) > 0 && !t.emit(core.Delta{Kind: core.DeltaSources, Sources: sources}) {
		return false
	}
	if u := ev.Metadata.Usage; u != nil {
		d := core.Delta{Kind: core.DeltaUsage, Usage: core.Usage{TotalTokens: u.TotalTokens, Price: string(u.TotalPrice), Currency: u.Currency}}
		if !t.emit(d) {
			return false
		}
	}
	return !t.finished || !t.done() // what else comes is waited for a little: see linger
}

// listedFiles announces the files of a list that are not the person's own.
func (t *translator) listedFiles(files []clickai.File) bool {
	for _, f := range files {
		if f.BelongsTo == "user" || t.uploads[f.UploadFileID] || t.uploads[f.RelatedID] || f.TransferMethod == "local_file" && f.UploadFileID != "" && t.uploads[f.ID] {
			continue
		}
		url := f.URL
		if url == "" {
			url = f.RemoteURL
		}
		if url == "" {
			continue
		}
		id := f.RelatedID
		if id == "" {
			id = f.ID
		}
		if !t.file(madeFile{ID: id, Type: f.Type, Name: f.Filename, MIME: f.MIMEType, Size: f.Size, URL: url}) {
			return false
		}
	}
	return true
}

func sourcesOf(m clickai.Metadata) []core.Source {
	sources := make([]core.Source, 0, len(m.RetrieverResources))
	for _, r := range m.RetrieverResources {
		name := r.DocumentName
		if name == "" {
			name = r.Title
		}
		sources = append(sources, core.Source{Position: r.Position, Document: name, Dataset: r.DatasetName, Score: r.Score})
	}
	return sources
}

func (t *translator) workflowFinished(ev *clickai.WorkflowFinished) bool {
	t.finished = true
	run := ev.Run
	workflow := t.app.mode == ModeWorkflow
	switch run.Status {
	case clickai.StatusFailed:
		t.flowError = run.Error
		t.app.log.Error("workflow failed", attrString("workflow_run_id", run.ID), attrString("error", cleanMessage(t.flowError)))
		if workflow {
			t.failure = t.app.runFailed(t.flowError)
			return false
		}
		return true // the error event follows, and says it once
	case clickai.StatusStopped:
		if !t.emit(core.Delta{Kind: core.DeltaNotice, Notice: core.Notice{Kind: core.NoticeEndedEarly}}) {
			return false
		}
	case clickai.StatusPartiallySucceeded:
		t.app.log.Warn("workflow succeeded in part", attrString("workflow_run_id", run.ID), attrInt("exceptions", int64(run.ExceptionsCount)))
	}
	t.flowOK = true
	if !t.flush() || !t.listedFiles(run.Files) {
		return false
	}
	if !workflow {
		return !t.done()
	}
	answer, files := t.app.outputs(run.Outputs)
	for _, f := range files {
		if !t.file(f) {
			return false
		}
	}
	if answer != "" && strings.TrimSpace(answer) != strings.TrimSpace(t.text.String()) && !t.replace(answer) {
		return false
	}
	if !t.flush() {
		return false
	}
	if run.TotalTokens > 0 && !t.emit(core.Delta{Kind: core.DeltaUsage, Usage: core.Usage{TotalTokens: run.TotalTokens}}) {
		return false
	}
	return false // a workflow's stream has nothing more to say
}
