package discordfmt

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/markdown/markdowntest"
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
	for _, s := range []string{p.Text, p.Plain} {
		if n := utf16Len(s); n > limit {
			return fmt.Errorf("%d units, limit %d", n, limit)
		}
		if strings.TrimSpace(s) == "" || !utf8.ValidString(s) {
			return fmt.Errorf("blank or not UTF-8: %q", s)
		}
	}
	return nil
}
