package slackfmt

import (
	"testing"

	"github.com/clickai/bridge/internal/markdown/markdowntest"
)

func TestRendererIsRender(t *testing.T) {
	t.Parallel()
	for _, c := range markdowntest.Corpus(t) {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			markdowntest.SameAsRender(t, Render, NewRenderer().RenderFrom, c.Source, uint64(len(c.Source)))
			small := format(400)
			markdowntest.SameAsRender(t, small.Render, small.NewRenderer().RenderFrom, c.Source, 1)
		})
	}
}

// FuzzRenderer compares the renderer of a growing answer with the one that reads it as a whole.
func FuzzRenderer(f *testing.F) {
	for i, c := range markdowntest.Corpus(f) {
		if len(c.Source) < 700 {
			f.Add(c.Source, uint64(i), uint16(300))
		}
	}
	for i, s := range markdowntest.Reaching {
		f.Add(s, uint64(i), uint16(0))
	}
	f.Fuzz(func(t *testing.T, source string, seed uint64, size uint16) {
		if len(source) > 3000 {
			return
		}
		small := format(240 + int(size)%800)
		markdowntest.SameAsRender(t, small.Render, small.NewRenderer().RenderFrom, source, seed)
	})
}
