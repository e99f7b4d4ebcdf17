package discordfmt

import (
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
	for _, c := range markdowntest.Corpus(t) {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			if markdowntest.Moves[c.Name] == "" {
				markdowntest.Steady(t, NewRenderer().Render, shown, c.Source, markdowntest.CutsOf(c.Source))
			}
			opt := options(MaxContent)
			opt.Final = true
			messages := markdown.Layout(markdown.Parse(c.Source, opt), layout(MaxContent))
			for _, m := range messages {
				for _, u := range m {
					u.Spans = addressed(u.Spans)
				}
			}
			markdowntest.SameText(t, Render(c.Source, true), shown, messages, func(*markdown.Unit) bool { return false })
		})
	}
}

func TestNothingPings(t *testing.T) {
	t.Parallel()
	for _, source := range markdowntest.MentionDocuments() {
		for i, p := range append(Render(source, true), Render(source, false)...) {
			if err := checkFuzz(p, MaxContent); err != nil {
				t.Errorf("part %d: %v\n%s", i, err, p.Text)
			}
		}
	}
}

// TestSealedStays checks messages of sources whose blocks once were measured otherwise when they were read again.
func TestSealedStays(t *testing.T) {
	t.Parallel()
	words := strings.Repeat("sentence of words with some. ", 12)
	for _, tt := range []struct {
		name, source string
		size         int
	}{
		{"task before a line that grows", words[:300] + "\n\n- [x] done\n- [x] d\n> a word or two of text here, and some more\n\n", 399},
		{"long HTML", "a\n\n<div>" + words + "\n" + words + "\n" + words + "\n" + words + "</div>\n", 320},
		{"long text behind a table", "<table><tr><td>a</td></tr></table>\n" + words + "\n" + words + "\n" + words + "\n", 320},
		{"introductions", words[:200] + "\n\n# Head\n\nDo this:\n\n- b:\n\n  " + words[:150] + "\n- c\n\nAnd:\n\n    code\n    code\n", 320},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for size := tt.size - 30; size < tt.size+30; size += 5 {
				check := func(p core.Part) error { return checkFuzz(p, size) }
				markdowntest.Grow(t, format(size).Render, tt.source, markdowntest.Cuts(len(tt.source), 150), check)
			}
		})
	}
}

func TestLongBlocks(t *testing.T) {
	t.Parallel()
	for i, p := range Render(markdowntest.LongTable(200), true) {
		if !strings.HasPrefix(p.Text, "```\nKey ") || !strings.Contains(p.Text, "\nkey-") {
			t.Errorf("part %d of a table does not begin with its head:\n%s", i, p.Text)
		}
	}
	for i, p := range Render(markdowntest.LongFence(400), true) {
		if !strings.HasPrefix(p.Text, "```python\nline_") || !strings.HasSuffix(p.Text, "\n```") {
			t.Errorf("part %d of a fence is not a fence of its language:\n%s", i, p.Text)
		}
	}
	text := ""
	for _, p := range Render(markdowntest.LongList(7, 60), true) {
		text += "\n" + p.Text
	}
	for n := 7; n < 67; n++ {
		if strings.Count(text, fmt.Sprintf("\n%d. item-%d ", n, n)) != 1 {
			t.Errorf("item %d is not there once with its number", n)
		}
	}
}
