package markdown

import (
	"os"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
)

// BenchmarkGoldmark4KB is the parse alone: ours, and goldmark's as it comes, with GFM.
func BenchmarkGoldmark4KB(b *testing.B) {
	src, err := os.ReadFile("testdata/corpus/long-document.md")
	if err != nil {
		b.Fatal(err)
	}
	src = src[:4096]
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			blockParser.Parse(text.NewReader(src))
		}
	})
	stock := goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser()
	b.Run("stock", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			stock.Parse(text.NewReader(src))
		}
	})
}
