package agent

import (
	"log/slog"
	"strings"
	"time"

	"github.com/clickai/bridge/clickai"
	"github.com/clickai/bridge/core"
)

// maxSources bounds the passages of one answer that are looked at.
const maxSources = 200

// append adds a piece of text, with what the model thinks and the links to files taken out.
func (t *translator) append(piece string) bool {
	if piece == "" {
		return true
	}
	answer, ok := t.split(piece)
	return ok && t.say(core.DeltaText, answer)
}

// split passes on what the model thinks in a piece, and returns what the piece adds to the answer.
func (t *translator) split(piece string) (answer string, ok bool) {
	at := t.think.text.Len()
	_, grown := t.think.add(piece)
	for _, b := range grown {
		if !t.thinks(core.Thought{ID: thinkID(b.n), Text: b.text}) {
			return "", false
		}
	}
	return t.links.add(t.think.text.String(), at), true
}

func thinkID(n int) string { return "think-" + itoa(n) }

func (t *translator) say(kind core.DeltaKind, text string) bool {
	if !t.shown && t.think.blocks > 0 {
		text = strings.TrimLeft(text, "\r\n") // what stood between the reasoning and the answer
	}
	if text == "" && kind == core.DeltaText {
		return true
	}
	t.shown = t.shown || text != ""
	return t.emit(core.Delta{Kind: kind, Text: text})
}

// replace puts text in place of all that was answered.
func (t *translator) replace(text string) bool {
	t.think, t.links.code, t.links.held, t.shown = thinkSplitter{}, codeScanner{}, "", false
	answer, ok := t.split(text)
	return ok && t.say(core.DeltaReplace, answer)
}

// moderated is replace for a text that ClickAI itself puts in place of what was shown, the text of thoughts included: the
// same words may stand there. Servers send it with the same text too; then nothing was wrong with it.
func (t *translator) moderated(text string) bool {
	if strings.TrimSpace(withoutThoughts(text)) != strings.TrimSpace(t.think.text.String()) {
		t.thoughts.hidden = true
		if !t.retract(func(core.Thought) bool { return true }) {
			return false
		}
	}
	return t.replace(text)
}

// flush gives out what was held back as it might have been a thought or a link.
func (t *translator) flush() bool {
	at := t.think.text.Len()
	open := thinkID(t.think.blocks)
	_, unclosed, cut := t.think.end()
	if unclosed && !t.retract(func(th core.Thought) bool { return th.ID == open }) {
		return false
	}
	text := t.think.text.String()
	if cut && !t.emit(core.Delta{Kind: core.DeltaNotice, Notice: core.Notice{Kind: core.NoticeEndedEarly}}) {
		return false
	}
	return t.say(core.DeltaText, t.links.add(text, at)+t.links.end(text))
}

// messageFile announces a file.
func (t *translator) messageFile(ev *clickai.MessageFile) bool {
	if ev.BelongsTo == "user" || ev.URL == "" {
		return true
	}
	return t.file(madeFile{ID: ev.ID, Type: ev.Type, Name: ev.Filename, MIME: ev.MIMEType, Size: ev.Size, URL: ev.URL})
}

// file announces a file of the app's once, however often and wherever it is named, unless the person sent it.
func (t *translator) file(f madeFile) bool {
	const maxSeen = 8 * maxMadeFiles
	keys := f.keys()
	known := len(keys) == 0 || t.uploaded(f)
	for _, key := range keys {
		known = known || t.seen[key]
	}
	for _, key := range keys {
		if len(t.seen) < maxSeen {
			t.seen[key] = true
		}
	}
	if known || t.made == maxMadeFiles {
		return true
	}
	t.made++
	t.files.add(f)
	return t.files.drain(false, t.emit)
}

// uploaded tells whether a file is one that the person sent with the question.
func (t *translator) uploaded(f madeFile) bool {
	if len(t.uploads) == 0 {
		return false
	}
	for _, id := range append([]string{f.ID}, f.IDs...) {
		if t.uploads[id] {
			return true
		}
	}
	address, _, _ := strings.Cut(f.URL, "?")
	for part := range strings.SplitSeq(address, "/") {
		if t.uploads[part] {
			return true
		}
	}
	return false
}

// linked announces a file that the answer links to, and returns what stands for the link.
func (t *translator) linked(address, label string) string {
	f := madeFile{URL: address}
	label = strings.TrimSpace(label)
	if plain := unescaped(label); fileLike(plain) {
		f.Name = plain
	}
	t.file(f) // when the consumer is gone, the next delta tells
	if label == "" || strings.Contains(label, "://") {
		label = escaped(f.name())
	}
	return fileSign + label
}

// fileLike tells whether a label is a file's name.
func fileLike(s string) bool {
	ext := s[strings.LastIndexByte(s, '.')+1:]
	return baseName(s) == s && len(ext) < len(s)-1 && len(ext) > 0 && len(ext) <= 8 && !strings.ContainsAny(ext, " \t")
}

// punctuation is what Markdown may give a meaning to.
const punctuation = "\\`*_{}[]()<>#+!|~"

func escaped(s string) string {
	var b strings.Builder
	for _, r := range s {
		if strings.ContainsRune(punctuation, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

func unescaped(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) && strings.IndexByte(punctuation, s[i+1]) >= 0 {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func (t *translator) messageEnd(ev *clickai.MessageEnd) bool {
	t.ended = true
	if !t.flush() || !t.settle() || !t.listedFiles(ev.Files) {
		return false
	}
	if sources := sourcesOf(ev.Metadata); len(sources) > 0 && !t.emit(core.Delta{Kind: core.DeltaSources, Sources: sources}) {
		return false
	}
	if u := ev.Metadata.Usage; u != nil {
		usage := core.Usage{
			TotalTokens: u.TotalTokens, Price: string(u.TotalPrice), Currency: u.Currency, Latency: seconds(u.Latency),
		}
		if usage.TotalTokens == 0 {
			usage.TotalTokens = u.PromptTokens + u.CompletionTokens
		}
		if !t.emit(core.Delta{Kind: core.DeltaUsage, Usage: usage}) {
			return false
		}
	}
	return !t.finished || !t.done() // what else comes is waited for a little: see linger
}

// seconds is a duration that ClickAI tells in seconds; 0 if it cannot be one.
func seconds(s float64) time.Duration {
	if s <= 0 || s > 24*3600 {
		return 0
	}
	return time.Duration(s * float64(time.Second))
}

// listedFiles announces the files of a list that are not the person's own.
func (t *translator) listedFiles(files []clickai.File) bool {
	for _, f := range files {
		address := f.URL
		if address == "" {
			address = f.RemoteURL
		}
		if f.BelongsTo == "user" || address == "" {
			continue
		}
		made := madeFile{
			ID: f.RelatedID, Type: f.Type, Name: f.Filename, MIME: f.MIMEType, Size: f.Size, URL: address,
			IDs: []string{f.ID, f.UploadFileID},
		}
		if !t.file(made) {
			return false
		}
	}
	return true
}

// sourcesOf are the passages that an answer draws on, in the order of the numbers that it quotes them by.
func sourcesOf(m clickai.Metadata) []core.Source {
	var sources []core.Source
	for _, r := range m.RetrieverResources {
		name := r.DocumentName
		if name == "" {
			name = r.Title
		}
		if len(sources) == maxSources || name == "" && r.DatasetName == "" {
			continue
		}
		sources = append(sources, core.Source{
			Position: r.Position, ID: r.DocumentID, Document: name, Dataset: r.DatasetName, Page: r.Page, Score: r.Score,
		})
	}
	return sources
}

// outcome is how a stream that has ended went.
func (t *translator) outcome(stats clickai.StreamStats) error {
	if !t.files.drain(true, t.emit) {
		return errClosed
	}
	switch {
	case t.failure != nil:
		if !t.flush() {
			return errClosed
		}
		return t.failure
	case t.paused:
		return t.pausedOutcome()
	case t.flowFailed:
		// A failed chatflow's error event did not come.
		if !t.flush() {
			return errClosed
		}
		return t.app.runFailed(t.flowError)
	case t.answered():
		// The last text may link to a file.
		if !t.flush() || !t.files.drain(true, t.emit) {
			return errClosed
		}
		if strings.TrimSpace(t.think.text.String()) == "" && t.made == 0 && !t.spoken {
			t.app.log.WarnContext(t.ctx, "the app gave no answer", slog.String("message_id", t.ids.MessageID))
		}
		if !t.ended && t.app.mode != ModeWorkflow {
			t.app.log.DebugContext(t.ctx, "the stream ended without message_end after its workflow had succeeded", slog.String("message_id", t.ids.MessageID))
		}
		if t.ids.Conversation == "" && t.app.Conversational() {
			t.app.log.DebugContext(t.ctx, "the answer names no conversation", slog.String("message_id", t.ids.MessageID))
		}
		return nil
	case !t.begun:
		return &clickai.Error{Kind: clickai.KindBroken, Method: "POST", Err: clickai.ErrEmptyStream}
	}
	t.stats = stats
	return errCut
}

// answered tells whether an event said that the answer is complete.
func (t *translator) answered() bool { return t.ended || t.flowOK }
