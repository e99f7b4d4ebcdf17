package agent_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clickai/bridge/clickai"
	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/agent"
	sim "github.com/clickai/bridge/internal/sim/clickai"
)

// rig is an app of each mode against one stand-in.
type rig struct {
	server *sim.Server
	log    strings.Builder
}

func newRig(t *testing.T, opt sim.Options) *rig {
	t.Helper()
	s, err := sim.New(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		for _, v := range s.Violations() {
			// Which apps refuse blocking mode cannot be known before one has been asked.
			if !strings.Contains(v, "does not support blocking mode") {
				t.Errorf("against the API: %s", v)
			}
		}
	})
	return &rig{server: s}
}

func (r *rig) app(t *testing.T, mode agent.Mode, change func(*agent.Config)) *agent.App {
	t.Helper()
	var key string
	for _, a := range sim.DefaultApps() {
		if string(a.Mode) == string(mode) {
			key = a.Key
		}
	}
	client, err := clickai.New(clickai.Config{BaseURL: r.server.URL(), APIKey: key})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.CloseIdleConnections)
	c := agent.Config{
		Name: "support", Mode: mode, Client: client, BaseURL: r.server.URL(),
		Log: slog.New(slog.NewTextHandler(io.MultiWriter(t.Output(), &r.log), nil)),
	}
	if mode == agent.ModeCompletion || mode == agent.ModeWorkflow {
		for _, a := range sim.DefaultApps() {
			if string(a.Mode) == string(mode) && len(a.Inputs) > 0 {
				c.QueryInput = a.Inputs[0].Variable
			}
		}
	}
	if change != nil {
		change(&c)
	}
	a, err := agent.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// heard is what came of a question.
type heard struct {
	text     string
	ids      core.Delta
	thoughts []core.Thought
	steps    []string
	files    []core.FileOut
	audio    []byte
	sources  []core.Source
	usage    core.Usage
	notices  []core.Notice
	waits    int
	replaced int
	ended    bool
	err      error
}

func ask(t *testing.T, a *agent.App, q core.Question) heard {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	return askIn(ctx, a, q)
}

func askIn(ctx context.Context, a *agent.App, q core.Question) (h heard) {
	if q.User == "" {
		q.User = "test:U1"
	}
	if q.Query == "" {
		q.Query = "hello"
	}
	if q.AskedAt.IsZero() {
		q.AskedAt = time.Now()
	}
	for d, err := range a.Ask(ctx, q) {
		if err != nil {
			h.err = err
			return h
		}
		switch d.Kind {
		case core.DeltaIDs:
			for _, p := range []struct{ dst, v *string }{{&h.ids.Conversation, &d.Conversation}, {&h.ids.MessageID, &d.MessageID}, {&h.ids.TaskID, &d.TaskID}} {
				if *p.v != "" {
					*p.dst = *p.v
				}
			}
		case core.DeltaText:
			h.text += d.Text
		case core.DeltaReplace:
			h.text = d.Text
			h.replaced++
		case core.DeltaThought:
			h.thoughts = append(h.thoughts, d.Thought)
		case core.DeltaStep:
			h.steps = append(h.steps, d.Text)
		case core.DeltaFile:
			h.files = append(h.files, d.File)
		case core.DeltaAudio:
			h.audio = append(h.audio, d.Audio...)
		case core.DeltaSources:
			h.sources = d.Sources
		case core.DeltaUsage:
			h.usage = d.Usage
		case core.DeltaWaiting:
			h.waits++
		case core.DeltaNotice:
			h.notices = append(h.notices, d.Notice)
		case core.DeltaSuggestions:
		case core.DeltaEnd:
			h.ended = true
		}
	}
	return h
}

func (h heard) notice() core.NoticeKind {
	if e, ok := errors.AsType[*core.AppError](h.err); ok {
		return e.Notice.Kind
	}
	return ""
}

// TestModes asks an app of each mode in each response mode.
func TestModes(t *testing.T) {
	for _, mode := range []agent.Mode{agent.ModeChat, agent.ModeAgentChat, agent.ModeCompletion, agent.ModeWorkflow} {
		for _, blocking := range []bool{false, true} {
			name := string(mode) + "/streaming"
			if blocking {
				name = string(mode) + "/blocking"
			}
			t.Run(name, func(t *testing.T) {
				r := newRig(t, sim.Options{})
				a := r.app(t, mode, func(c *agent.Config) {
					c.Blocking = blocking
					c.Inputs = map[string]any{"language": "en", "who": "{{.User.Name}} on {{.Platform}}"}
				})
				vars := core.Vars{User: core.VarsUser{ID: "U1", Name: "Minh"}, Platform: "slack"}
				h := ask(t, a, core.Question{Query: "What is the warranty?", Vars: vars})
				if h.err != nil || !h.ended {
					t.Fatalf("err = %v, ended = %v", h.err, h.ended)
				}
				turns := r.server.Turns()
				turn := turns[len(turns)-1]
				if !strings.Contains(h.text, "warranty") {
					t.Errorf("text = %q, want an answer about the warranty", h.text)
				}
				if turn.User != "test:U1" || turn.Inputs["who"] != "Minh on slack" || turn.Inputs["language"] != "en" {
					t.Errorf("turn = user %q, inputs %v", turn.User, turn.Inputs)
				}
				if a.Conversational() {
					if h.ids.Conversation == "" || h.ids.MessageID == "" {
						t.Errorf("ids = %+v, want conversation and message", h.ids)
					}
					h2 := ask(t, a, core.Question{Query: "And then?", Conversation: h.ids.Conversation, Vars: vars})
					turns := r.server.Turns()
					second := turns[len(turns)-1]
					if h2.err != nil || second.ConversationSent != h.ids.Conversation || len(second.Inputs) != 0 {
						t.Errorf("second turn: err %v, conversation sent %q (want %q), inputs %v (want none)", h2.err, second.ConversationSent, h.ids.Conversation, second.Inputs)
					}
				} else if h.ids.Conversation != "" {
					t.Errorf("conversation = %q, want none", h.ids.Conversation)
				}
				if mode == agent.ModeAgentChat && blocking && !strings.Contains(r.log.String(), "set response_mode: streaming") {
					t.Error("a refused blocking mode is not told in the log")
				}
			})
		}
	}
}

// TestMenu asks for each of the stand-in's samples, and looks at what is special about it.
func TestMenu(t *testing.T) {
	r := newRig(t, sim.Options{})
	chat, agents, flow := r.app(t, agent.ModeChat, nil), r.app(t, agent.ModeAgentChat, nil), r.app(t, agent.ModeWorkflow, nil)
	t.Run("picture", func(t *testing.T) {
		h := ask(t, chat, core.Question{Query: "Draw me a picture"})
		if h.err != nil || len(h.files) != 1 || h.files[0].Type != core.FileImage {
			t.Fatalf("err %v, files %+v", h.err, h.files)
		}
		body, err := h.files[0].File.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = body.Close() }()
		data, err := io.ReadAll(body)
		if err != nil || !strings.HasPrefix(string(data), "\x89PNG") {
			t.Errorf("data = %.8q, %v; want a PNG", data, err)
		}
	})
	t.Run("picture whose link has run out", func(t *testing.T) {
		h := ask(t, chat, core.Question{Query: "Draw me a picture"})
		r.server.ExpireFileURLs()
		body, err := h.files[0].File.Open(t.Context())
		if err != nil {
			t.Fatalf("open: %v; want a fresh link from the history", err)
		}
		_ = body.Close()
	})
	t.Run("voice", func(t *testing.T) {
		if h := ask(t, chat, core.Question{Query: "voice please"}); h.err != nil || len(h.audio) == 0 {
			t.Errorf("err %v, %d bytes of audio", h.err, len(h.audio))
		}
	})
	t.Run("sources", func(t *testing.T) {
		if h := ask(t, chat, core.Question{Query: "with sources"}); h.err != nil || len(h.sources) == 0 || h.sources[0].Document == "" {
			t.Errorf("err %v, sources %+v", h.err, h.sources)
		}
	})
	t.Run("tools", func(t *testing.T) {
		h := ask(t, agents, core.Question{Query: "use your tools"})
		named := slices.ContainsFunc(h.thoughts, func(th core.Thought) bool { return len(th.Tools) > 0 })
		doubled := slices.ContainsFunc(h.thoughts, func(th core.Thought) bool { return th.Text != "" && strings.Contains(h.text, th.Text) })
		if h.err != nil || !named || doubled {
			t.Errorf("err %v, thoughts %+v; want tools named and no text twice", h.err, h.thoughts)
		}
	})
	t.Run("steps", func(t *testing.T) {
		if h := ask(t, flow, core.Question{Query: "show the steps"}); h.err != nil || len(h.steps) == 0 || h.text == "" {
			t.Errorf("err %v, steps %v, text %q", h.err, h.steps, h.text)
		}
	})
	t.Run("usage", func(t *testing.T) {
		if h := ask(t, chat, core.Question{}); h.usage.TotalTokens == 0 {
			t.Errorf("usage = %+v", h.usage)
		}
	})
}

func TestFilesGoAlong(t *testing.T) {
	r := newRig(t, sim.Options{})
	a := r.app(t, agent.ModeChat, nil)
	content := strings.Repeat("data ", 1000)
	opened := 0
	r.server.Faults().Add(faultOnce("POST /v1/files/upload", 503))
	ref, err := a.Upload(t.Context(), "test:U1", core.File{Name: "notes.txt", MIME: "text/plain", Size: int64(len(content)), Open: func(context.Context) (io.ReadCloser, error) {
		opened++
		return io.NopCloser(strings.NewReader(content)), nil
	}})
	if err != nil || ref.Type != core.FileDocument || opened != 2 {
		t.Fatalf("Upload = %+v, %v after %d tries; want a document at the second", ref, err, opened)
	}
	h := ask(t, a, core.Question{Query: "read this", Files: []core.FileRef{ref}})
	turns := r.server.Turns()
	files := turns[len(turns)-1].Files
	if h.err != nil || len(files) != 1 || string(files[0].Data) != content || files[0].Name != "notes.txt" {
		t.Errorf("err %v, files %+v", h.err, files)
	}
}

func TestResume(t *testing.T) {
	r := newRig(t, sim.Options{})
	a := r.app(t, agent.ModeChat, nil)
	asked := time.Now()
	first := ask(t, a, core.Question{Query: "one"})
	turns := len(r.server.Turns())

	t.Run("answered before the restart", func(t *testing.T) {
		h := ask(t, a, core.Question{Query: "one", Conversation: first.ids.Conversation, MessageID: first.ids.MessageID, Retried: true, AskedAt: asked})
		if h.err != nil || strings.TrimSpace(h.text) != strings.TrimSpace(first.text) || len(r.server.Turns()) != turns {
			t.Errorf("err %v, text\n%q, want\n%q, %d turns more; want the answer from the history", h.err, h.text, first.text, len(r.server.Turns())-turns)
		}
	})
	t.Run("same words where no conversation is known", func(t *testing.T) {
		// The person may have said them in another room: that conversation is not this one's.
		h := ask(t, a, core.Question{Query: "one", Retried: true, AskedAt: asked})
		if h.err != nil || h.ids.Conversation == first.ids.Conversation || len(r.server.Turns()) != turns+1 {
			t.Errorf("err %v, ids %+v, %d turns more; want a conversation of its own", h.err, h.ids, len(r.server.Turns())-turns)
		}
		turns = len(r.server.Turns())
	})
	t.Run("never asked", func(t *testing.T) {
		h := ask(t, a, core.Question{Query: "two", Conversation: first.ids.Conversation, Retried: true})
		if h.err != nil || len(r.server.Turns()) != turns+1 {
			t.Errorf("err %v, %d turns more; want it asked once", h.err, len(r.server.Turns())-turns)
		}
	})
	t.Run("the same words as the question before", func(t *testing.T) {
		again := ask(t, a, core.Question{Query: "go on", Conversation: first.ids.Conversation})
		turns = len(r.server.Turns())
		h := ask(t, a, core.Question{Query: "go on", Conversation: first.ids.Conversation, Retried: true, After: again.ids.MessageID})
		if h.err != nil || h.ids.MessageID == again.ids.MessageID || len(r.server.Turns()) != turns+1 {
			t.Errorf("err %v, message %q after %q, %d turns more; want an answer of its own", h.err, h.ids.MessageID, again.ids.MessageID, len(r.server.Turns())-turns)
		}
		turns = len(r.server.Turns()) - 1
	})
	t.Run("asked, and gone from the history", func(t *testing.T) {
		h := ask(t, a, core.Question{Query: "three", Conversation: first.ids.Conversation, MessageID: "unknown", Retried: true})
		if h.notice() != core.NoticeCut || len(r.server.Turns()) != turns+1 {
			t.Errorf("notice %q, %d turns more; want the retry line and no second question", h.notice(), len(r.server.Turns())-turns-1)
		}
	})
}

// TestHistoryOfAnotherClock has ClickAI's clock hours behind: what came after the turn before is told by its place.
func TestHistoryOfAnotherClock(t *testing.T) {
	r := newRig(t, sim.Options{})
	a := r.app(t, agent.ModeChat, nil)
	first := ask(t, a, core.Question{Query: "go on"})
	second := ask(t, a, core.Question{Query: "go on", Conversation: first.ids.Conversation})
	q := core.Question{Query: "go on", Conversation: first.ids.Conversation, Retried: true, After: first.ids.MessageID, AskedAt: time.Now().Add(3 * time.Hour)}
	h := ask(t, a, q)
	if h.err != nil || h.ids.MessageID != second.ids.MessageID || len(r.server.Turns()) != 2 {
		t.Errorf("err %v, message %q after %q, %d turns; want the answer that it has already", h.err, h.ids.MessageID, second.ids.MessageID, len(r.server.Turns()))
	}
}

// TestHistoryOutOfReachAtRestart has the history fail once: the question, which was answered, is not asked again.
func TestHistoryOutOfReachAtRestart(t *testing.T) {
	r := newRig(t, sim.Options{})
	a := r.app(t, agent.ModeChat, nil)
	asked := time.Now()
	first := ask(t, a, core.Question{Query: "one"})
	r.server.Faults().Add(faultOnce("GET /v1/messages", 503))
	h := ask(t, a, core.Question{Query: "one", Conversation: first.ids.Conversation, Retried: true, AskedAt: asked})
	if h.err != nil || h.ids.MessageID != first.ids.MessageID || len(r.server.Turns()) != 1 {
		t.Errorf("err %v, message %q, %d turns; want the first answer", h.err, h.ids.MessageID, len(r.server.Turns()))
	}
}

// TestBegunWorkflowIsNotRunAgain has no history to look at: what had begun before a restart is not run twice.
func TestBegunWorkflowIsNotRunAgain(t *testing.T) {
	r := newRig(t, sim.Options{})
	a := r.app(t, agent.ModeWorkflow, nil)
	if h := ask(t, a, core.Question{Query: "one", Retried: true, Begun: true}); h.notice() != core.NoticeCut || len(r.server.Turns()) != 0 {
		t.Errorf("notice %q, %d runs", h.notice(), len(r.server.Turns()))
	}
	if h := ask(t, a, core.Question{Query: "one", Retried: true}); h.err != nil || len(r.server.Turns()) != 1 {
		t.Errorf("err %v, %d runs; what never began is run", h.err, len(r.server.Turns()))
	}
}

// TestFailedInTheHistoryIsAskedAgain has a known conversation whose question failed with a 500: it stands there without an
// answer.
func TestFailedInTheHistoryIsAskedAgain(t *testing.T) {
	var posts atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodGet:
			w.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprintf(w, `{"limit":20,"has_more":false,"data":[{"id":"m1","conversation_id":"c1","query":"hello","answer":"","status":"error","created_at":%d}]}`, time.Now().Unix())
		case posts.Add(1) == 1:
			w.WriteHeader(http.StatusInternalServerError)
		default:
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = io.WriteString(w, `data: {"event":"message","conversation_id":"c1","message_id":"m2","answer":"fine"}`+"\n\n"+`data: {"event":"message_end","conversation_id":"c1","message_id":"m2"}`+"\n\n")
		}
	}))
	defer server.Close()
	client, err := clickai.New(clickai.Config{BaseURL: server.URL, APIKey: "k"})
	if err != nil {
		t.Fatal(err)
	}
	a, err := agent.New(agent.Config{Name: "x", Mode: agent.ModeChat, Client: client, BaseURL: server.URL, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if h := ask(t, a, core.Question{Conversation: "c1"}); h.text != "fine" || posts.Load() != 2 {
		t.Errorf("asked %d times, text %q, err %v; want the answer of the second try", posts.Load(), h.text, h.err)
	}
}

func TestCheck(t *testing.T) {
	r := newRig(t, sim.Options{})
	if c := r.app(t, agent.ModeChat, nil).Check(t.Context()); !c.OK {
		t.Errorf("check = %+v, want ok", c)
	}
	wrongMode := r.app(t, agent.ModeChat, func(c *agent.Config) { c.Mode = agent.ModeWorkflow }).Check(t.Context())
	if wrongMode.OK || !strings.Contains(wrongMode.Mend, "set mode: chat") {
		t.Errorf("check = %+v, want it to say which mode", wrongMode)
	}
	for _, a := range sim.DefaultApps() {
		r.server.SetKey(a.Name, "another-"+a.Key)
	}
	if c := r.app(t, agent.ModeChat, nil).Check(t.Context()); c.OK || !strings.Contains(c.Mend, "API key is refused") {
		t.Errorf("check = %+v, want the key refused", c)
	}
}

func TestWrongTemplateIsFoundAtOnce(t *testing.T) {
	_, err := agent.New(agent.Config{Name: "x", Mode: agent.ModeChat, BaseURL: "http://x", Inputs: map[string]any{"a": "{{.User.Nane}}"}, Log: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), "Nane") {
		t.Errorf("err = %v, want the wrong name in it", err)
	}
}
