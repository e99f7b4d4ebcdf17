package markup_test

import (
	"strings"
	"testing"

	"github.com/clickai/bridge/internal/sim/telegram/markup"
)

// BenchmarkStored is one message of 4,000 characters, from HTML to stored form.
func BenchmarkStored(b *testing.B) {
	s := strings.Repeat("<b>Heading</b>\nSome text with <i>style</i>, <code>code</code> and a link to https://example.com/a. ", 45)
	for b.Loop() {
		t, err := markup.Parse("HTML", s)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := markup.Normalize(t, markup.Options{Detect: true}); err != nil {
			b.Fatal(err)
		}
	}
}
