package clickai

import (
	"strings"

	"github.com/clickai/bridge/internal/sim"
)

// thought is one step of an agent.
type thought struct {
	id          string
	position    int
	text        string
	tool        string
	input       string
	observation string
	files       []string
}

func (t thought) labels() map[string]any {
	out := map[string]any{}
	for name := range strings.SplitSeq(t.tool, ";") {
		if name != "" {
			label := map[string]string{"en_US": strings.ReplaceAll(name, "_", " ")}
			if vi, ok := toolNamesVi[name]; ok {
				label["vi_VN"] = vi
			}
			out[name] = label
		}
	}
	return out
}

func (t thought) event() map[string]any {
	files := t.files
	if files == nil {
		files = []string{}
	}
	return map[string]any{
		"id": t.id, "position": t.position, "thought": t.text, "observation": t.observation, "tool": t.tool,
		"tool_labels": t.labels(), "tool_input": t.input, "message_files": files,
	}
}

// toolNamesVi are the Vietnamese labels of the tools that the built-in agent uses.
var toolNamesVi = map[string]string{toolName: "tìm trên web", "draw": "vẽ"}

// openThought sends the empty snapshot that a step starts with.
func (r *run) openThought() {
	r.thinking = true
	r.thoughts = append(r.thoughts, thought{id: r.s.opt.NewID("thought"), position: len(r.thoughts) + 1})
	r.event("agent_thought", r.thoughts[len(r.thoughts)-1].event())
}

// closeThought sends the filled snapshot; after a tool's call also its files, and the snapshot with what it gave.
func (r *run) closeThought(tool, input, observation string, files ...sim.File) {
	if !r.thinking {
		r.openThought()
	}
	r.thinking = false
	t := &r.thoughts[len(r.thoughts)-1]
	t.text = r.rest()
	if t.text != "" {
		r.parts = append(r.parts, t.text)
	}
	t.tool, t.input = tool, input
	r.event("agent_thought", t.event())
	if tool == "" {
		return
	}
	for _, f := range files {
		t.files = append(t.files, r.giveFile(f, false))
	}
	t.observation = observation
	r.event("agent_thought", t.event())
}

// Source is a passage that an answer rests on.
type Source struct {
	Dataset, Document, Segment, Content string
	Score                               float64
	Page                                int // 0: not told
}

func (s Source) json(position int) map[string]any {
	var page any
	if s.Page > 0 {
		page = s.Page
	}
	return map[string]any{
		"position": position, "dataset_id": "dataset-" + s.Dataset, "dataset_name": s.Dataset,
		"document_id": "document-" + s.Document, "document_name": s.Document, "segment_id": s.Segment,
		"data_source_type": "upload_file", "score": s.Score, "content": s.Content, "hit_count": 1,
		"word_count": len(strings.Fields(s.Content)), "segment_position": position, "index_node_hash": nil,
		"title": nil, "page": page, "doc_metadata": nil, "summary": nil,
	}
}
