package markdowntest

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clickai/bridge/core"
)

// RenderFrom is Render without the first parts, from of which are left out, at most stands.
type RenderFrom func(source string, final bool, stands int) (from int, parts []core.Part)

// SameAsRender feeds a renderer with a source that grows by random steps, each once and now and then twice or as if it
// were whole, and fails where its result is not that of render. Now and then it does not want again what stands by then,
// and now and then it wants that again. Where seed is odd the source is put in place of another one halfway, in the end.
func SameAsRender(tb testing.TB, render Render, renderer RenderFrom, source string, seed uint64) {
	tb.Helper()
	rnd := rand.New(rand.NewPCG(seed, 1))
	most := 1 + len(source)/30 // bytes of a step; larger in long sources, whose reading as a whole takes its time
	if len(source) > 2000 {
		most = len(source) / 8
	}
	var before []core.Part // the last result, the parts that were left out too
	check := func(src string, final bool) {
		stands := len(before)
		if rnd.IntN(3) == 0 {
			stands = rnd.IntN(stands + 1)
		}
		from, got := renderer(src, final, stands)
		want := render(src, final)
		switch {
		case from < 0 || from > stands || from > 0 && len(got) == 0:
			tb.Fatalf("%d parts are left out and %d not, after %d that stand", from, len(got), stands)
		case len(want) == 0 && len(got) == 0:
			before = nil
			return
		}
		got = append(slices.Clone(before[:from]), got...)
		before = got
		if diff := cmp.Diff(want, got); diff != "" {
			tb.Fatalf("the renderer differs after %d bytes, final %v (-want +got):\n%s\nof %q", len(src), final, diff, clip(src))
		}
	}
	for cut := 0; cut < len(source); cut += 1 + rnd.IntN(most) {
		check(source[:cut], false)
		switch rnd.IntN(12) {
		case 0:
			check(source[:cut], true)
		case 1:
			check(source[:cut], false)
		}
	}
	check(source, false)
	check(source, true)
	if seed%2 == 1 {
		other := source[len(source)/3:]
		check(other, false)
		check(source[:len(source)/2]+other, false)
		check(source, true)
	}
}
