package telegramfmt

import (
	"testing"

	"github.com/google/go-cmp/cmp"

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

// TestRendererOfAnother gives a renderer sources that begin as the one before does and go on otherwise, and a source that
// grows after it was called whole.
func TestRendererOfAnother(t *testing.T) {
	t.Parallel()
	type step struct {
		source string
		final  bool
	}
	for _, tt := range []struct {
		name  string
		steps []step
	}{
		{"another line", []step{{"- a\n\nb", false}, {"- a\n\n  b", false}, {"- a\n\n      b", true}}},
		{"another whole line", []step{{"- a\nb\n\nc\n", false}, {"- a\nb\n\n  c\n", false}}},
		{"another item", []step{{"- a\n- b\n- c\n", false}, {"- a\n- b\n  - c\n", true}}},
		{"grows when whole", []step{{"- <table>\n  <tr><td>a\n|b|", true}, {"- <table>\n  <tr><td>a\n|b|\n|-", false}}},
		{"line ends", []step{{"- a\r\n\r\nb", false}, {"- a\r\n\r\n b", false}, {"- a\r\r\r\nb\r", false}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := NewRenderer()
			for _, s := range tt.steps {
				if diff := cmp.Diff(Render(s.source, s.final), r.Render(s.source, s.final)); diff != "" {
					t.Errorf("after %q, final %v (-want +got):\n%s", s.source, s.final, diff)
				}
			}
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
