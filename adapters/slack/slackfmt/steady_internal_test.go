package slackfmt

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/markdown"
	"github.com/clickai/bridge/internal/markdown/markdowntest"
)

// TestCorpusStays checks that nothing that was shown moves while a document grows, and that in the end all of it is shown.
func TestCorpusStays(t *testing.T) {
	t.Parallel()
	board := newBoard(t)
	for _, c := range markdowntest.Corpus(t) {
		t.Run(c.Name, func(t *testing.T) {
			if markdowntest.Moves[c.Name] == "" {
				markdowntest.Steady(t, NewRenderer().Render, words, c.Source, markdowntest.CutsOf(c.Source))
			}
			opt := options(MaxText)
			opt.Final = true
			messages := markdown.Layout(markdown.Parse(c.Source, opt), layout(MaxText))
			markdowntest.SameText(t, Render(c.Source, true), board.shown, messages, nativeTable)
		})
	}
	board.check(t)
}

// words are all texts in the blocks of a part, in order.
func words(p core.Part) (string, error) {
	m, err := Decode(p.Text)
	if err != nil || m.Blocks == nil {
		return m.Text, err
	}
	var list any
	if err := json.Unmarshal(m.Blocks, &list); err != nil {
		return "", err
	}
	var b strings.Builder
	texts(&b, list)
	return b.String(), nil
}

func texts(b *strings.Builder, v any) {
	switch v := v.(type) {
	case string:
		b.WriteString(v)
	case []any:
		for _, e := range v {
			if _, ok := e.(string); !ok {
				texts(b, e)
			}
		}
	case map[string]any:
		texts(b, v["text"])
		texts(b, v["elements"])
		texts(b, v["rows"])
	}
}

func TestNothingPings(t *testing.T) {
	t.Parallel()
	board := newBoard(t)
	for k, source := range markdowntest.MentionDocuments() {
		for i, p := range Render(source, true) {
			if k%3 == 0 { // the stand-in takes its time
				if _, err := board.shown(p); err != nil {
					t.Errorf("part %d: %v\n%s", i, err, p.Text)
				}
			}
			if err := checkFuzz(p, MaxText); err != nil {
				t.Errorf("part %d: %v\n%s", i, err, p.Text)
			}
		}
	}
	board.check(t)
}

func TestLongBlocks(t *testing.T) {
	t.Parallel()
	for i, p := range Render(markdowntest.LongTable(300), true) {
		if !strings.Contains(p.Text, `"rows":[[{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"Key"`) ||
			!strings.HasPrefix(p.Text, `{"text":"`+"```"+`\nKey `) {
			t.Errorf("part %d of a table does not begin with its head:\n%s", i, p.Text)
		}
	}
	for i, p := range Render(markdowntest.LongFence(400), true) {
		if !strings.Contains(p.Text, `"type":"rich_text_preformatted","language":"python","elements":[{"type":"text","text":"line_`) {
			t.Errorf("part %d of a fence is not a fence of its language:\n%s", i, p.Text)
		}
	}
	board := newBoard(t)
	text := ""
	for _, p := range Render(markdowntest.LongList(7, 60), true) {
		seen, err := board.shown(p)
		if err != nil {
			t.Fatal(err)
		}
		text += "\n" + seen
	}
	for n := 7; n < 67; n++ {
		if strings.Count(text, fmt.Sprintf("\n%d. item-%d ", n, n)) != 1 {
			t.Errorf("item %d is not there once with its number", n)
		}
	}
}
