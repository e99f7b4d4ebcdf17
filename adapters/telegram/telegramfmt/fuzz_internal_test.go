package telegramfmt

import (
	"fmt"
	"strings"
	"testing"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/markdown"
	"github.com/clickai/bridge/internal/markdown/markdowntest"
	"github.com/clickai/bridge/internal/sim/telegram/markup"
)

// FuzzRender renders a source as it grows, cut at any byte, into messages so small that everything is divided somewhere.
func FuzzRender(f *testing.F) {
	for _, c := range markdowntest.Corpus(f) {
		if len(c.Source) < 700 {
			f.Add(c.Source, uint16(300))
		}
	}
	for _, source := range markdowntest.Found {
		f.Add(source, uint16(0))
	}
	f.Fuzz(func(t *testing.T, source string, size uint16) {
		limit := 240 + int(size)%800
		render := format(limit).Render
		check := func(p core.Part) error { return checkFuzz(p, limit) }
		opt := options(limit)
		if len(source) > 4000 || markdowntest.HasDefinition(source) {
			for _, final := range []bool{false, true} {
				for _, p := range render(source, final) {
					if err := check(p); err != nil {
						t.Fatalf("render(%q, %v): %v\n%s", source, final, err, p.Text)
					}
				}
			}
		} else {
			cuts := markdowntest.Cuts(len(source), 80)
			markdowntest.Grow(t, render, source, cuts, check)
			markdowntest.Settled(t, render, shown, opt, source, cuts)
			if !strings.ContainsAny(source, "`<\\$&|*_~(") { // there is no mark that may never find its end
				markdowntest.Steady(t, render, shown, source, cuts)
			}
		}
		opt.Final = true
		if parts := render(source, true); len(parts) > 0 {
			messages := markdown.Layout(markdown.Parse(source, opt), layout(limit))
			markdowntest.SameText(t, parts, shown, messages, func(*markdown.Unit) bool { return false })
		}
	})
}

func shown(p core.Part) (string, error) {
	text, err := markup.Parse("HTML", p.Text)
	return text.Text, err
}

func checkFuzz(p core.Part, limit int) error {
	text, err := markup.Parse("HTML", p.Text)
	if err != nil {
		return err
	}
	if text, err = markup.Normalize(text, markup.Options{Detect: true}); err != nil {
		return err
	}
	if n := markup.Len(text.Text); n > limit {
		return fmt.Errorf("%d units, limit %d", n, limit)
	}
	for _, e := range text.Entities {
		if e.Type == markup.Mention || e.Type == markup.TextMention {
			return fmt.Errorf("mentions %q", markup.Slice(text.Text, e))
		}
	}
	plain, err := markup.Normalize(markup.Text{Text: p.Plain}, markup.Options{})
	if err != nil {
		return err
	}
	if n := markup.Len(plain.Text); n > limit {
		return fmt.Errorf("plain: %d units, limit %d", n, limit)
	}
	return nil
}
