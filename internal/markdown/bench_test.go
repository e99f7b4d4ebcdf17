package markdown_test

import (
	"testing"

	"github.com/clickai/bridge/internal/markdown"
	"github.com/clickai/bridge/internal/markdown/markdowntest"
)

func BenchmarkParse4KB(b *testing.B) {
	src := markdowntest.Answer4KB()
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		markdown.Parse(src, markdown.Options{Final: true, Chunk: 1000})
	}
}
