package telegramfmt_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/clickai/bridge/adapters/telegram/telegramfmt"
	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/markdown/markdowntest"
	"github.com/clickai/bridge/internal/sim/telegram/markup"
)

// check says what is wrong with a part.
func check(p core.Part) error {
	text, err := parse("HTML", p.Text)
	if err != nil {
		return err
	}
	plain, err := parse("", p.Plain)
	if err != nil {
		return err
	}
	for _, s := range []markup.Text{text, plain} {
		if n := markup.Len(s.Text); n > telegramfmt.MaxText {
			return fmt.Errorf("%d units", n)
		}
		for _, e := range s.Entities {
			if e.Type == markup.Mention || e.Type == markup.TextMention {
				return fmt.Errorf("mentions %q", markup.Slice(s.Text, e))
			}
		}
	}
	return nil
}

// parse reads a text as Telegram does.
func parse(mode, s string) (markup.Text, error) {
	text := markup.Text{Text: s}
	if mode != "" {
		var err error
		if text, err = markup.Parse(mode, s); err != nil {
			return text, err
		}
	}
	return markup.Normalize(text, markup.Options{Detect: true})
}

func dump(parts []core.Part) string {
	var b strings.Builder
	for i, p := range parts {
		fmt.Fprintf(&b, "=== message %d ===\n%s\n", i+1, p.Text)
	}
	fmt.Fprintf(&b, "=== plain ===\n")
	for _, p := range parts {
		fmt.Fprintf(&b, "%s\n", p.Plain)
	}
	return b.String()
}

func TestCorpus(t *testing.T) {
	t.Parallel()
	for _, c := range markdowntest.Corpus(t) {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			parts := telegramfmt.Render(c.Source, true)
			for i, p := range parts {
				if err := check(p); err != nil {
					t.Errorf("part %d: %v", i, err)
				}
			}
			markdowntest.Golden(t, c.Name, dump(parts))
		})
	}
}

func TestCorpusGrows(t *testing.T) {
	t.Parallel()
	for _, c := range markdowntest.Corpus(t) {
		if markdowntest.HasDefinition(c.Source) {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			markdowntest.Grow(t, telegramfmt.NewRenderer().Render, c.Source, markdowntest.CutsOf(c.Source), check)
		})
	}
}

// TestReaderSeesText compares what Telegram reads with the text without markup.
func TestReaderSeesText(t *testing.T) {
	t.Parallel()
	for _, c := range markdowntest.Corpus(t) {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			for i, p := range telegramfmt.Render(c.Source, true) {
				seen, err := parse("HTML", p.Text)
				if err != nil {
					t.Fatal(err)
				}
				if !markdowntest.SameLetters(withoutAddresses(seen.Text), withoutAddresses(p.Plain)) {
					t.Errorf("part %d: a reader sees\n%s\nnot\n%s\nof\n%s", i, seen.Text, p.Plain, p.Text)
				}
			}
		})
	}
}

// withoutAddresses drops the addresses that Plain shows behind labels, and those that stand in the text.
func withoutAddresses(s string) string {
	var b strings.Builder
	for s != "" {
		i := strings.Index(s, "http")
		if i < 0 {
			break
		}
		b.WriteString(s[:i])
		s = s[i:]
		end := strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r == '>' || r == ')' || r >= 0x80 })
		if end < 0 {
			end = len(s)
		}
		s = s[end:]
	}
	return b.String() + s
}
