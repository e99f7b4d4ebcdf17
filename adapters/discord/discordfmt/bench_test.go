package discordfmt_test

import (
	"testing"

	"github.com/clickai/bridge/adapters/discord/discordfmt"
	"github.com/clickai/bridge/internal/markdown/markdowntest"
)

func BenchmarkRender4KB(b *testing.B) {
	src := markdowntest.Answer4KB()
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		discordfmt.Render(src, true)
	}
}

// BenchmarkRender4KBGrowing renders running text that ends in an open paragraph.
func BenchmarkRender4KBGrowing(b *testing.B) {
	src := markdowntest.Answer4KB()[:3800] + "\n\nAnd **this is"
	b.ReportAllocs()
	for b.Loop() {
		discordfmt.Render(src, false)
	}
}
