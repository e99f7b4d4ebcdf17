package discordfmt_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/clickai/bridge/adapters/discord/discordfmt"
	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/markdown/markdowntest"
	discordsim "github.com/clickai/bridge/internal/sim/discord"
)

// check says what is wrong with a part.
func check(p core.Part) error {
	for _, s := range []string{p.Text, p.Plain} {
		switch n := len(utf16.Encode([]rune(s))); {
		case n > discordfmt.MaxContent:
			return fmt.Errorf("%d units", n)
		case strings.TrimSpace(s) == "":
			return fmt.Errorf("blank: %q", s)
		case !utf8.ValidString(s):
			return fmt.Errorf("not UTF-8: %q", s)
		}
	}
	if strings.Count(p.Text, "```")%2 != 0 {
		return fmt.Errorf("a fence is open")
	}
	return nil
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
			parts := discordfmt.Render(c.Source, true)
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
			markdowntest.Grow(t, discordfmt.NewRenderer().Render, c.Source, markdowntest.CutsOf(c.Source), check)
		})
	}
}

// TestReaderSeesText compares what a reader of Discord's Markdown sees with the text without markup.
func TestReaderSeesText(t *testing.T) {
	t.Parallel()
	for _, c := range markdowntest.Corpus(t) {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			for i, p := range discordfmt.Render(c.Source, true) {
				seen := discordsim.Plain(p.Text, nil)
				if !markdowntest.SameLetters(withoutAddresses(seen), withoutAddresses(p.Plain)) {
					t.Errorf("part %d: a reader sees\n%s\nnot\n%s\nof\n%s", i, seen, p.Plain, p.Text)
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
