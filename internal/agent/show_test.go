package agent_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/agent"
	sim "github.com/clickai/bridge/internal/sim/clickai"
)

// stands is the text of each thought that stands at the end, in the order in which they came.
func (h heard) stands() []string {
	var ids, texts []string
	for _, th := range h.thoughts {
		if i := slices.Index(ids, th.ID); i >= 0 {
			texts[i] = th.Text
		} else {
			ids, texts = append(ids, th.ID), append(texts, th.Text)
		}
	}
	return slices.DeleteFunc(texts, func(s string) bool { return s == "" })
}

// bytewise cuts a text into pieces of one byte, which is how the tags in it are split in every way.
func bytewise(s string) []string {
	var out []string
	for _, r := range s {
		out = append(out, string(r))
	}
	return out
}

const oldThinking = `<details style="color:gray;background-color: #f8f8f8;padding: 8px;border-radius: 4px;" open> <summary> Thinking... </summary>`

func TestThinking(t *testing.T) {
	long := strings.Repeat("thought ", 40<<10)
	tests := []struct {
		name, in string
		text     string
		thoughts []string
		notice   core.NoticeKind
	}{
		{name: "before the answer", in: "<think>\nhm\n</think>\n\nYes", text: "Yes", thoughts: []string{"hm"}},
		{name: "twice", in: "<think>a</think>one <think>b</think>two", text: "one two", thoughts: []string{"a", "b"}},
		{name: "nothing in it", in: "<think></think>\nYes", text: "Yes"},
		{name: "never closed", in: "<think>all that there is", text: "all that there is"},
		{name: "never closed after text", in: "one <think>two", text: "one two"},
		{name: "closed by half", in: "<think>a</thin", text: "a</thin"},
		{name: "half an opening", in: "a <thi", text: "a <thi"},
		{name: "another tag", in: "a <thing>b</thing> 1 < 2 <b>c</b>", text: "a <thing>b</thing> 1 < 2 <b>c</b>"},
		{name: "in a fence", in: "```xml\n<think>a</think>\n```\nb <think>c</think>d", text: "```xml\n<think>a</think>\n```\nb d", thoughts: []string{"c"}},
		{name: "in a span", in: "Write `<think>` and `</think>`.", text: "Write `<think>` and `</think>`."},
		{name: "details as older servers have it", in: oldThinking + "\n\nhm\n\n</details>\n\nYes", text: "Yes", thoughts: []string{"hm"}},
		{name: "details never closed", in: oldThinking + "\nhm", text: "hm"},
		{name: "details of the answer", in: "<details><summary>More</summary>\nx\n</details>", text: "<details><summary>More</summary>\nx\n</details>"},
		{name: "details without a summary", in: "<details>\nx\n</details>", text: "<details>\nx\n</details>"},
		{name: "details that end early", in: "a <details> <sum", text: "a <details> <sum"},
		{name: "more than is kept", in: "<think>" + long, text: long[:256<<10], notice: core.NoticeEndedEarly},
	}
	for _, tt := range tests {
		for how, cut := range map[string]func(string) []string{"whole": func(s string) []string { return []string{s} }, "in pieces": bytewise} {
			if how == "in pieces" && len(tt.in) > 1000 {
				continue
			}
			t.Run(tt.name+", "+how, func(t *testing.T) {
				t.Parallel()
				r := newRig(t, sim.Options{})
				r.server.Script(nil, sim.Chunks(0, cut(tt.in)...))
				h := ask(t, r.app(t, agent.ModeChat, nil), core.Question{})
				if h.err != nil || h.text != tt.text {
					t.Errorf("text = %d bytes %.200q, %v; want %d bytes %.200q", len(h.text), h.text, h.err, len(tt.text), tt.text)
				}
				if got := h.stands(); !slices.Equal(got, tt.thoughts) {
					t.Errorf("thoughts = %.200q, want %q", got, tt.thoughts)
				}
				if got := len(h.notices) > 0; got != (tt.notice != "") || got && h.notices[0].Kind != tt.notice {
					t.Errorf("notices = %v, want %q", h.notices, tt.notice)
				}
			})
		}
	}
}

func TestThinkingInOnePiece(t *testing.T) {
	r := newRig(t, sim.Options{})
	a := r.app(t, agent.ModeChat, func(c *agent.Config) { c.Blocking = true })
	r.server.Script(nil, sim.Text("<think>a</think>one <think>b</think>two"))
	h := ask(t, a, core.Question{})
	if h.err != nil || h.text != "one two" || !slices.Equal(h.stands(), []string{"a", "b"}) {
		t.Errorf("text %q, thoughts %q, %v", h.text, h.stands(), h.err)
	}
}

// TestThoughtIsBounded has a model think for longer than is shown of it.
func TestThoughtIsBounded(t *testing.T) {
	r := newRig(t, sim.Options{})
	piece := strings.Repeat("thought ", 1<<10)
	r.server.Script(nil, sim.Chunks(0, "<think>"), sim.Chunks(0, slices.Repeat([]string{piece}, 20)...), sim.Chunks(0, "</think>Yes"))
	h := ask(t, r.app(t, agent.ModeChat, nil), core.Question{})
	if h.text != "Yes" {
		t.Errorf("text = %q", h.text)
	}
	if len(h.thoughts) > 6 {
		t.Errorf("%d thoughts were passed on, want none once the bound is reached", len(h.thoughts))
	}
	for _, th := range h.thoughts {
		if len(th.Text) > 17<<10 {
			t.Errorf("a thought of %d bytes", len(th.Text))
		}
	}
}

func TestReasoningOfNodes(t *testing.T) {
	r := newRig(t, sim.Options{})
	r.server.Script(nil,
		sim.Node("llm", "One"), sim.Reason("n1", "let me ", "see"), sim.Node("llm", "Two"), sim.Reason("n2", "and ", "now"),
		sim.Reason("n2", "again"), sim.Text("Yes"))
	h := ask(t, r.app(t, agent.ModeWorkflow, nil), core.Question{})
	if want := []string{"let me see", "and now", "again"}; h.err != nil || h.text != "Yes" || !slices.Equal(h.stands(), want) {
		t.Errorf("text %q, thoughts %q, %v; want %q", h.text, h.stands(), h.err, want)
	}
}

// thoughtEvent is a snapshot of an agent's step.
func thoughtEvent(id, text, tool string, labels any) sim.Step {
	return sim.Send("agent_thought", map[string]any{
		"id": id, "position": 1, "thought": text, "observation": "", "tool": tool, "tool_labels": labels, "tool_input": "{}",
	})
}

func TestAgentThoughts(t *testing.T) {
	labels := map[string]any{"search": map[string]any{"en_US": "Web search", "vi_VN": "Tìm trên web"}}
	t.Run("snapshots and tools", func(t *testing.T) {
		r := newRig(t, sim.Options{})
		r.server.Script(nil, sim.Thought(), sim.Text("I look. "), sim.Tool("web_search", `{}`, "found"), sim.Text("Done."))
		h := ask(t, r.app(t, agent.ModeAgentChat, nil), core.Question{})
		var tools []core.Tool
		for _, th := range h.thoughts {
			tools = append(tools, th.Tools...)
		}
		if h.text != "I look. \n\nDone." || len(h.stands()) != 0 {
			t.Errorf("text %q, thoughts %q; want the streamed text once", h.text, h.stands())
		}
		if len(tools) == 0 || tools[0].Name != "web_search" || tools[0].In("vi") != "tìm trên web" || tools[0].In("en") != "web search" || tools[0].In("fr") != "web_search" {
			t.Errorf("tools = %+v", tools)
		}
	})
	t.Run("each step is a paragraph", func(t *testing.T) {
		says := func(text string) sim.Step { return sim.Send("agent_message", map[string]any{"answer": text}) }
		for _, tt := range []struct {
			name  string
			steps []sim.Step
			text  string
		}{
			{"told before and after", []sim.Step{
				thoughtEvent("t1", "", "", nil), says("I look."), thoughtEvent("t1", "I look.", "search", nil),
				thoughtEvent("t2", "", "", nil), says("## Found"), says(" it"), thoughtEvent("t2", "## Found it", "", nil),
			}, "I look.\n\n## Found it"},
			{"told after alone", []sim.Step{
				says("I look."), thoughtEvent("t1", "I look.", "search", nil), says("## Found"), thoughtEvent("t2", "## Found", "", nil),
			}, "I look.\n\n## Found"},
			{"told in the middle of its text", []sim.Step{thoughtEvent("t1", "", "", nil), says("I "), thoughtEvent("t1", "", "", nil), says("look.")}, "I look."},
			{"steps that say nothing", []sim.Step{
				thoughtEvent("t1", "", "search", nil), thoughtEvent("t2", "", "search", nil), says("Found."), thoughtEvent("t3", "", "search", nil),
			}, "Found."},
			{"a break that is there already", []sim.Step{
				thoughtEvent("t1", "", "", nil), says("I look.\n\n"), thoughtEvent("t2", "", "", nil), says("Found."),
			}, "I look.\n\nFound."},
			{"a break that the next step brings", []sim.Step{
				thoughtEvent("t1", "", "", nil), says("I look."), thoughtEvent("t2", "", "", nil), says("\n"), says("\nFound."),
			}, "I look.\n\nFound."},
		} {
			t.Run(tt.name, func(t *testing.T) {
				t.Parallel()
				r := newRig(t, sim.Options{})
				r.server.Script(nil, tt.steps...)
				if h := ask(t, r.app(t, agent.ModeAgentChat, nil), core.Question{}); h.err != nil || h.text != tt.text {
					t.Errorf("text = %q, %v; want %q", h.text, h.err, tt.text)
				}
			})
		}
	})
	t.Run("the same snapshot twice is one", func(t *testing.T) {
		r := newRig(t, sim.Options{})
		r.server.Script(nil, sim.Text("x"), thoughtEvent("t1", "why", "search", labels), thoughtEvent("t1", "why", "search", labels))
		h := ask(t, r.app(t, agent.ModeChat, nil), core.Question{})
		if len(h.thoughts) != 1 || h.thoughts[0].Tools[0].In("en") != "Web search" {
			t.Errorf("thoughts = %+v", h.thoughts)
		}
	})
	t.Run("several tools, labels of another shape", func(t *testing.T) {
		r := newRig(t, sim.Options{})
		odd := map[string]any{"a": "text", "b": map[string]any{"en_US": 5}, "c": map[string]any{"en-US": "Sea"}}
		r.server.Script(nil, sim.Text("x"), thoughtEvent("t1", "", "a; b;;c", odd))
		h := ask(t, r.app(t, agent.ModeChat, nil), core.Question{})
		var names []string
		for _, tool := range h.thoughts[0].Tools {
			names = append(names, tool.In("en"))
		}
		if !slices.Equal(names, []string{"a", "b", "Sea"}) {
			t.Errorf("tools = %q", names)
		}
	})
	t.Run("thought before its text", func(t *testing.T) {
		r := newRig(t, sim.Options{})
		r.server.Script(nil, thoughtEvent("t1", "I look.\nThen I tell.", "", nil), sim.Text("I look. ", "Then I tell."))
		h := ask(t, r.app(t, agent.ModeChat, nil), core.Question{})
		if len(h.stands()) != 0 {
			t.Errorf("thoughts = %q: they stand in the answer", h.stands())
		}
	})
	t.Run("tool of an agent node", func(t *testing.T) {
		r := newRig(t, sim.Options{})
		entry := map[string]any{"data": map[string]any{"id": "l1", "label": "CALL web_search", "status": "start", "data": map[string]any{}}}
		r.server.Script(nil, sim.Send("agent_log", entry), sim.Text("x"))
		h := ask(t, r.app(t, agent.ModeWorkflow, nil), core.Question{})
		if len(h.thoughts) != 1 || h.thoughts[0].Tools[0].Name != "web_search" {
			t.Errorf("thoughts = %+v", h.thoughts)
		}
	})
}

// TestReplaced has the text that is to stand come in the ways that it comes.
func TestReplaced(t *testing.T) {
	tests := []struct {
		name     string
		mode     agent.Mode
		steps    []sim.Step
		text     string
		thoughts []string
		replaced int
	}{
		{
			name: "moderation after much text, and more after it", steps: []sim.Step{
				sim.Chunks(0, slices.Repeat([]string{strings.Repeat("bad ", 100)}, 50)...), sim.Replace("removed", "output_moderation"), sim.Text(" and", " on"),
			}, text: "removed and on", replaced: 1,
		},
		{
			name: "thoughts go with the text", steps: []sim.Step{
				sim.Text("<think>bad thought</think>bad text"), sim.Replace("removed", "output_moderation"), thoughtEvent("t1", "bad text", "", nil),
			}, text: "removed", replaced: 1,
		},
		{
			name: "the same text, so nothing was wrong", steps: []sim.Step{
				sim.Text("<think>why</think>fine"), sim.Replace("fine", ""),
			}, text: "fine", thoughts: []string{"why"}, replaced: 1,
		},
		{
			name: "text_replace", mode: agent.ModeWorkflow, steps: []sim.Step{sim.Text("bad"), sim.Replace("removed", "")}, text: "removed", replaced: 1,
		},
		{
			name: "a message after agent_message is the whole answer", steps: []sim.Step{
				sim.Send("agent_message", map[string]any{"answer": "I look. "}), sim.Send("agent_message", map[string]any{"answer": "Done"}),
				sim.Send("message", map[string]any{"answer": "All "}), sim.Send("message", map[string]any{"answer": "is done."}),
				sim.Send("agent_message", map[string]any{"answer": " Bye."}),
			}, text: "All is done. Bye.", replaced: 1,
		},
		{
			name: "outputs win over the chunks", mode: agent.ModeWorkflow, steps: []sim.Step{
				sim.Text("half"), sim.Outputs(map[string]any{"result": "<think>hm</think>whole"}),
			}, text: "whole", thoughts: []string{"hm"}, replaced: 1,
		},
		{
			name: "outputs that say the same", mode: agent.ModeWorkflow, steps: []sim.Step{
				sim.Text("<think>hm</think>whole"), sim.Outputs(map[string]any{"result": "<think>hm</think>whole"}),
			}, text: "whole", thoughts: []string{"hm"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, sim.Options{})
			mode := tt.mode
			if mode == "" {
				mode = agent.ModeChat
			}
			r.server.Script(nil, tt.steps...)
			h := ask(t, r.app(t, mode, nil), core.Question{})
			if h.err != nil || h.text != tt.text || h.replaced != tt.replaced {
				t.Errorf("text = %q, replaced %d times, %v; want %q, %d", h.text, h.replaced, h.err, tt.text, tt.replaced)
			}
			if !slices.Equal(h.stands(), tt.thoughts) {
				t.Errorf("thoughts = %q, want %q", h.stands(), tt.thoughts)
			}
		})
	}
}

func TestTextUnderTheNameOfAFile(t *testing.T) {
	r := newRig(t, sim.Options{Quirks: sim.Quirks{TextAsFile: true}})
	r.server.Script(nil, sim.Text("one ", "two"))
	h := ask(t, r.app(t, agent.ModeChat, nil), core.Question{})
	if h.err != nil || h.text != "one two" || len(h.files) != 0 {
		t.Errorf("text %q, files %v, %v", h.text, h.files, h.err)
	}
}

func TestSourcesAndUsage(t *testing.T) {
	r := newRig(t, sim.Options{})
	r.server.Script(nil, sim.Text("Two years."), sim.Send("message_end", map[string]any{
		"metadata": json.RawMessage(`{"retriever_resources":[
			{"position":1,"dataset_name":"Docs","document_id":"d1","document_name":"warranty.md","page":3,"score":0.9},
			{"position":2,"dataset_name":"Docs","document_id":null,"document_name":null,"title":null,"score":null},
			{"position":3}],
			"usage":{"prompt_tokens":56,"completion_tokens":89,"total_tokens":145,"total_price":0.00120,"currency":"USD","latency":1.25}}`),
	}), sim.EndStream())
	h := ask(t, r.app(t, agent.ModeChat, nil), core.Question{})
	want := []core.Source{
		{Position: 1, ID: "d1", Document: "warranty.md", Dataset: "Docs", Page: 3, Score: 0.9},
		{Position: 2, Dataset: "Docs"},
	}
	if h.err != nil || !slices.Equal(h.sources, want) {
		t.Errorf("sources = %+v, %v; want %+v", h.sources, h.err, want)
	}
	if u := h.usage; u.TotalTokens != 145 || u.Currency != "USD" || !strings.HasPrefix(u.Price, "0.0012") || u.Latency.Milliseconds() != 1250 {
		t.Errorf("usage = %+v", u)
	}
}
