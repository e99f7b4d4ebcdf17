package playground

import (
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"time"

	"github.com/clickai/bridge/internal/sim"
)

// message is a message as the page shows it.
type message struct {
	Platform  string     `json:"p"`
	Room      string     `json:"room"`
	Thread    string     `json:"thread"`
	ID        string     `json:"id"`
	Author    string     `json:"author"`
	Bot       bool       `json:"bot"`
	At        int64      `json:"at"` // Unix milliseconds
	Blocks    []block    `json:"blocks"`
	Files     []file     `json:"files,omitempty"`
	Reactions []reaction `json:"reactions,omitempty"`
	Buttons   [][]Button `json:"buttons,omitempty"`
	ReplyTo   string     `json:"replyTo,omitempty"`
	Edits     int        `json:"edits,omitempty"`
	Text      string     `json:"text,omitempty"` // of a person's message, to be edited
	Turn      int        `json:"turn,omitempty"` // that it asks, or that it answers
	Only      string     `json:"only,omitempty"` // who alone sees it
}

type reaction struct {
	Emoji string   `json:"emoji"`
	Who   []string `json:"who"`
}

type file struct {
	Name string `json:"name"`
	MIME string `json:"mime"`
	Size int    `json:"size"`
	Kind string `json:"kind"` // "image", "audio" or "" for what is downloaded
}

// block is a [sim.Block] for the page.
type block struct {
	Kind   string   `json:"k"`
	Level  int      `json:"l,omitempty"`
	Quote  int      `json:"q,omitempty"`
	Indent int      `json:"i,omitempty"`
	Mark   string   `json:"m,omitempty"`
	Lang   string   `json:"c,omitempty"`
	Spans  []span   `json:"s,omitempty"`
	Rows   [][]cell `json:"r,omitempty"`
}

type cell struct {
	Align string `json:"a,omitempty"`
	Spans []span `json:"s"`
}

type span struct {
	Text  string    `json:"t"`
	Style sim.Style `json:"s,omitempty"`
	URL   string    `json:"u,omitempty"`
}

func spans(in []sim.Span) []span {
	out := make([]span, 0, len(in))
	for _, s := range in {
		out = append(out, span{s.Text, s.Style, safeURL(s.URL)})
	}
	return out
}

func blocks(in []sim.Block) []block {
	out := make([]block, 0, len(in))
	for _, b := range in {
		x := block{Kind: string(b.Kind), Level: b.Level, Quote: b.Quote, Indent: b.Indent, Mark: b.Mark, Lang: b.Lang, Spans: spans(b.Spans)}
		for _, row := range b.Rows {
			cells := make([]cell, 0, len(row))
			for _, c := range row {
				cells = append(cells, cell{c.Align, spans(c.Spans)})
			}
			x.Rows = append(x.Rows, cells)
		}
		out = append(out, x)
	}
	return out
}

// plainBlocks shows text line by line, for what there is no drawing for.
func plainBlocks(text string) []block {
	var out []block
	for line := range strings.SplitSeq(text, "\n") {
		b := block{Kind: string(sim.LineBlock)}
		if line != "" {
			b.Spans = []span{{Text: line}}
		}
		out = append(out, b)
	}
	return out
}

// view makes the page's form of a message.
func (p *platform) view(m sim.Message, turn int) message {
	v := message{
		Platform: p.Name(), Room: m.Room, Thread: m.Thread, ID: m.ID, Author: m.Author, Bot: m.Bot, At: m.At.UnixMilli(),
		ReplyTo: m.ReplyTo, Edits: len(m.Versions) - 1, Turn: turn, Buttons: p.buttons(m.Ref),
	}
	if look, err := p.Look(m.Ref); err == nil {
		if len(v.Buttons) > 0 {
			look = withoutControls(look)
		}
		v.Blocks = blocks(look)
	} else {
		v.Blocks = plainBlocks(m.Shown)
	}
	if !m.Bot {
		v.Text = m.Shown
	}
	for _, f := range m.Files {
		v.Files = append(v.Files, file{Name: f.Name, MIME: f.MIME, Size: len(f.Data), Kind: showKind(f)})
	}
	for emoji, who := range m.Reactions {
		v.Reactions = append(v.Reactions, reaction{emoji, slices.Sorted(slices.Values(who))})
	}
	slices.SortFunc(v.Reactions, func(a, b reaction) int { return strings.Compare(a.Emoji, b.Emoji) })
	return v
}

var seed = maphash.MakeSeed()

// sum tells whether a message would look the same again.
func sum(m *sim.Message, turn int) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	last := time.Time{}
	if n := len(m.Versions); n > 0 {
		last = m.Versions[n-1].At
	}
	_, _ = fmt.Fprintf(&h, "%d %d %d %v ", turn, len(m.Versions), last.UnixNano(), m.Reactions) // a map prints in the order of its keys
	_, _ = h.WriteString(m.Text)
	_, _ = h.Write(m.Raw)
	return h.Sum64()
}

func messageKey(platform string, r sim.Ref) string {
	return strings.Join([]string{"m", platform, r.Room, r.Thread, r.ID}, "|")
}
