package slackfmt_test

import (
	"testing"

	"github.com/clickai/bridge/adapters/slack/slackfmt"
	"github.com/clickai/bridge/internal/markdown/markdowntest"
)

func BenchmarkRender4KB(b *testing.B) {
	src := markdowntest.Answer4KB()
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		slackfmt.Render(src, true)
	}
}

// BenchmarkRender4KBGrowing renders running text that ends in an open paragraph.
func BenchmarkRender4KBGrowing(b *testing.B) {
	src := markdowntest.Answer4KB()[:3800] + "\n\nAnd **this is"
	b.ReportAllocs()
	for b.Loop() {
		slackfmt.Render(src, false)
	}
}

// BenchmarkGrow renders answers as they grow: "whole" by Render, "renderer" by a renderer of the answer.
func BenchmarkGrow(b *testing.B) {
	for _, a := range []struct{ name, source string }{
		{"4KB", markdowntest.Answer4KB()},
		{"32KB", markdowntest.Answer32KB()},
		{"4KB-list", markdowntest.LongList(1, 60)[:4096]},
		{"4KB-code", markdowntest.LongFence(400)[:4096]},
		{"4KB-table", markdowntest.LongTable(200)[:4096]},
		{"4KB-paragraph", markdowntest.LongParagraph(4096)},
	} {
		b.Run(a.name+"/whole", func(b *testing.B) {
			markdowntest.BenchGrow(b, a.source, func() markdowntest.Render { return slackfmt.Render })
		})
		b.Run(a.name+"/renderer", func(b *testing.B) {
			markdowntest.BenchGrow(b, a.source, func() markdowntest.Render { return slackfmt.NewRenderer().Render })
		})
	}
}
