package discordfmt

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/markdown"
	"github.com/clickai/bridge/internal/markdown/markdowntest"
	discordsim "github.com/clickai/bridge/internal/sim/discord"
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
			for _, m := range messages {
				for _, u := range m {
					u.Spans = addressed(u.Spans)
				}
			}
			markdowntest.SameText(t, parts, shown, messages, func(*markdown.Unit) bool { return false })
		}
	})
}

// addressed is what is written of spans: links that show their address, and that with escapes.
func addressed(spans []markdown.Span) []markdown.Span {
	spans = slices.Clone(honest(spans))
	for i := range spans {
		if s := &spans[i]; s.Auto {
			var w writer
			w.url(s.Text, true)
			s.Text = string(w.buf)
		}
	}
	return spans
}

func shown(p core.Part) (string, error) { return discordsim.Plain(p.Text, nil), nil }

// pings is what Discord would read as a mention.
var pings = regexp.MustCompile(`@(everyone|here)\b|<@[!&]?\d+>|<#\d+>|<a?:\w+:\d+>|</[^>]+:\d+>|<id:\w+>|<t:-?\d+(:\w)?>`)

// bare is a text without its code, in which nothing is a mention.
func bare(s string) string { return code.ReplaceAllString(s, "") }

var code = regexp.MustCompile("(?s)```.*?```|``.*?``|`[^`\n]*`")

func checkFuzz(p core.Part, limit int) error {
	for _, s := range []string{p.Text, p.Plain} {
		if n := utf16Len(s); n > limit {
			return fmt.Errorf("%d units, limit %d", n, limit)
		}
		if strings.TrimSpace(s) == "" || !utf8.ValidString(s) {
			return fmt.Errorf("blank or not UTF-8: %q", s)
		}
	}
	if m := pings.FindString(bare(p.Text)); m != "" {
		return fmt.Errorf("mentions %q", m)
	}
	if m := pings.FindString(p.Plain); m != "" {
		return fmt.Errorf("plain text mentions %q", m)
	}
	return nil
}
