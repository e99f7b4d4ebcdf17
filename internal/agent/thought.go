package agent

import (
	"encoding/json"
	"strings"

	"github.com/clickai/bridge/clickai"
	"github.com/clickai/bridge/core"
)

const (
	// maxThoughtShown bounds the text of one thought as it is passed on, in bytes.
	maxThoughtShown = 16 << 10
	// maxThoughts bounds the thoughts of one answer that are remembered; later ones are passed on, and cannot be taken back.
	maxThoughts = 50
	// maxTools and maxTool bound the tools that one thought names, and their names in bytes.
	maxTools = 8
	maxTool  = 80
)

// thoughts remembers what was passed on.
type thoughts struct {
	list   []core.Thought
	hidden bool // their text is not shown any more
	node   string
	count  int // blocks of reasoning_chunk
	reason strings.Builder
}

// thinks passes a thought on, unless it says nothing new.
func (t *translator) thinks(th core.Thought) bool {
	if t.thoughts.hidden {
		th.Text = ""
	}
	if len(th.Text) > maxThoughtShown {
		th.Text = clip(th.Text, maxThoughtShown) + " …"
	}
	for i, had := range t.thoughts.list {
		if had.ID != th.ID {
			continue
		}
		if had.Text == th.Text && len(had.Tools) == len(th.Tools) {
			return true
		}
		t.thoughts.list[i] = th
		return t.emit(core.Delta{Kind: core.DeltaThought, Thought: th})
	}
	if len(t.thoughts.list) < maxThoughts {
		t.thoughts.list = append(t.thoughts.list, th)
	}
	return t.emit(core.Delta{Kind: core.DeltaThought, Thought: th})
}

// retract takes the text of thoughts back.
func (t *translator) retract(which func(core.Thought) bool) bool {
	for _, th := range t.thoughts.list {
		if th.Text == "" || !which(th) {
			continue
		}
		th.Text = ""
		if !t.thinks(th) {
			return false
		}
	}
	return true
}

// settle takes back the thoughts that have become answer text since.
func (t *translator) settle() bool {
	return t.retract(func(th core.Thought) bool { return t.answers(th.Text) })
}

// answers tells whether a thought's text stands in the answer. Stored and streamed text differ in white space.
func (t *translator) answers(thought string) bool {
	text := t.think.text.String()
	if strings.Contains(text, thought) {
		return true
	}
	const most = 64 << 10 // what is longer is not worth the time
	return len(text) <= most && len(thought) <= most && strings.Contains(squeeze(text), squeeze(thought))
}

// agentThought passes on a step of an agent. In agent-chat its text is what has been streamed as answer.
func (t *translator) agentThought(ev *clickai.AgentThought) bool {
	if ev.ID != t.stepID || ev.Tool != "" { // a step ends with its tool's call
		t.stepID, t.apart = ev.ID, true
	}
	th := core.Thought{ID: ev.ID, Text: strings.TrimSpace(withoutThoughts(ev.Thought))}
	if th.Text != "" && t.answers(th.Text) {
		th.Text = ""
	}
	labels := toolLabels(ev.ToolLabels)
	for name := range strings.SplitSeq(ev.Tool, ";") {
		if name = oneLine(name, maxTool); name != "" && len(th.Tools) < maxTools {
			th.Tools = append(th.Tools, core.Tool{Name: name, Labels: labels[name]})
		}
	}
	return t.thinks(th)
}

// spaced begins a paragraph with the first words of an agent's step. Each step is a text of its own, and nothing stands between
// them in the stream; the stored answer has line breaks there.
func (t *translator) spaced(piece string) string {
	said := t.think.text.String()
	if strings.TrimSpace(said) == "" {
		t.apart = t.apart && piece == ""
	}
	if !t.apart {
		return piece
	}
	piece = strings.TrimLeft(piece, "\r\n")
	if piece == "" {
		return "" // its words come yet
	}
	t.apart = false
	if strings.HasSuffix(said, "\n\n") {
		return piece
	}
	return "\n\n" + piece
}

// toolLabels are the names of tools by tool and language. What has another shape is left out.
func toolLabels(raw json.RawMessage) map[string]map[string]string {
	var tools map[string]json.RawMessage
	if len(raw) == 0 || len(raw) > maxThoughtShown || json.Unmarshal(raw, &tools) != nil {
		return nil
	}
	out := make(map[string]map[string]string, len(tools))
	for tool, raw := range tools {
		var labels map[string]any
		if json.Unmarshal(raw, &labels) != nil {
			continue
		}
		names := map[string]string{}
		for language, v := range labels {
			if s, ok := v.(string); ok && oneLine(s, maxTool) != "" {
				names[language] = oneLine(s, maxTool)
			}
		}
		out[oneLine(tool, maxTool)] = names
	}
	return out
}

// oneLine is a name from outside, fit for a line of text: at most n bytes.
func oneLine(s string, n int) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "")), " ")
	if len(s) > n {
		return clip(s, n) + "…"
	}
	return s
}

// reasoning passes on what a node of a workflow thinks, one thought for each time that it does.
func (t *translator) reasoning(ev *clickai.ReasoningChunk) bool {
	s := &t.thoughts
	if s.node != ev.NodeID {
		s.nextReasoning(ev.NodeID)
	}
	if s.reason.Len() <= maxThoughtShown {
		s.reason.WriteString(clip(ev.Reasoning, 2*maxThoughtShown))
	}
	th := core.Thought{ID: "reasoning-" + itoa(s.count), Text: strings.TrimSpace(s.reason.String())}
	if ev.Final {
		s.nextReasoning(ev.NodeID)
	}
	return th.Text == "" || t.thinks(th)
}

func (s *thoughts) nextReasoning(node string) {
	s.node, s.reason = node, strings.Builder{}
	s.count++
}
