package telegramfmt

import (
	"fmt"
	"testing"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/markdown/markdowntest"
	"github.com/clickai/bridge/internal/sim/telegram/markup"
)

// FuzzRender renders a source as it grows, into messages so small that everything is divided somewhere.
func FuzzRender(f *testing.F) {
	for _, c := range markdowntest.Corpus(f) {
		if len(c.Source) < 1500 {
			f.Add(c.Source, uint16(300))
		}
	}
	f.Fuzz(func(t *testing.T, source string, size uint16) {
		limit := 240 + int(size)%800
		render := func(s string, final bool) []core.Part { return render(s, final, limit) }
		check := func(p core.Part) error { return checkFuzz(p, limit) }
		if len(source) > 4000 || markdowntest.HasDefinition(source) {
			for _, final := range []bool{false, true} {
				for _, p := range render(source, final) {
					if err := check(p); err != nil {
						t.Fatalf("render(%q, %v): %v\n%s", source, final, err, p.Text)
					}
				}
			}
			return
		}
		markdowntest.Grow(t, render, source, markdowntest.Cuts(len(source), 80), check)
	})
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
