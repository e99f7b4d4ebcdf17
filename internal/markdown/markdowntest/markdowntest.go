// Package markdowntest holds what the tests of all formatters share: the corpus, golden files, and the rules that every
// rendering must keep while its source grows. It is for tests only.
package markdowntest

import (
	"flag"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/clickai/bridge/core"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// Case is a document of the corpus.
type Case struct {
	Name   string
	Source string
}

// Corpus reads the documents of internal/markdown/testdata/corpus.
func Corpus(tb testing.TB) []Case {
	tb.Helper()
	_, file, _, _ := runtime.Caller(0)
	names, err := filepath.Glob(filepath.Join(filepath.Dir(file), "..", "testdata", "corpus", "*.md"))
	if err != nil || len(names) == 0 {
		tb.Fatalf("read corpus: %d files, %v", len(names), err)
	}
	cases := make([]Case, 0, len(names))
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			tb.Fatal(err)
		}
		cases = append(cases, Case{Name: strings.TrimSuffix(filepath.Base(name), ".md"), Source: string(b)})
	}
	return cases
}

// Golden compares got with testdata/<name>.golden, or writes it with -update.
func Golden(tb testing.TB, name, got string) {
	tb.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			tb.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		tb.Errorf("%s is not as in %s (-want +got):\n%s", name, path, diff)
	}
}

// Render is the function under test.
type Render func(source string, final bool) []core.Part

// Grow renders the source as it comes in, cut at each of the given bytes, and then whole. It fails if a sealed part
// changes, and calls check for every part. The last result is returned.
func Grow(tb testing.TB, render Render, source string, cuts []int, check func(core.Part) error) []core.Part {
	tb.Helper()
	var before []core.Part
	step := func(src string, final bool) {
		parts := render(src, final)
		if final && len(parts) == 0 && strings.TrimSpace(src) != "" {
			tb.Fatalf("render(%q, %v): no parts", clip(src), final)
		}
		for i, p := range parts {
			if i < len(before) && before[i] == p {
				continue
			}
			if err := check(p); err != nil {
				tb.Fatalf("render(%q, %v): part %d: %v\n%s", clip(src), final, i, err, p.Text)
			}
		}
		for i := 0; i+1 < len(before); i++ {
			if i >= len(parts) {
				tb.Fatalf("render(%q, %v): %d parts, had %d", clip(src), final, len(parts), len(before))
			}
			if parts[i] != before[i] {
				tb.Fatalf("render(%q, %v): sealed part %d changed:\n%s", clip(src), final, i, cmp.Diff(before[i], parts[i]))
			}
		}
		before = parts
	}
	for _, cut := range cuts {
		step(source[:min(cut, len(source))], false)
	}
	step(source, false)
	step(source, true)
	return before
}

func clip(s string) string {
	if len(s) > 300 {
		return "…" + s[len(s)-300:]
	}
	return s
}

// Cuts returns where a source of n bytes is cut: everywhere, or at about most places if that is too often.
func Cuts(n, most int) []int {
	step := max(1, n/most)
	if step > 1 && step%2 == 0 {
		step++ // so that all remainders come up
	}
	var cuts []int
	for i := 1; i < n; i += step {
		cuts = append(cuts, i)
	}
	return cuts
}

// CutsOf returns where a document is cut in tests of the whole corpus: everywhere if it is short, and so rarely if it is
// long that it costs about the same.
func CutsOf(source string) []int { return Cuts(len(source), 100_000/max(1, len(source))) }

// HasDefinition reports whether the source may hold the definition of a link, which changes text that stands before it.
func HasDefinition(source string) bool { return strings.Contains(source, "]:") }

// Letters is s without all that is not a letter or a digit: text as it is, whatever marks stand in it.
func Letters(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, s)
}

// Solid is s without white space and without the characters that show nothing.
func Solid(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '\u200b' || r == '\u2060' {
			return -1
		}
		return r
	}, s)
}

// SameLetters reports whether a and b have the same letters and digits, in any order: a table's cells that are wrapped
// stand side by side.
func SameLetters(a, b string) bool {
	if a == b {
		return true
	}
	x, y := []rune(Letters(a)), []rune(Letters(b))
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}

// Answer4KB is an answer of about 4 KB with everything that answers have: prose, headings, lists, code, a table.
func Answer4KB() string { return Answer(8)[:4096] }

// Answer32KB is the same, longer.
func Answer32KB() string { return Answer(64)[:32768] }

// Answer is an answer of n sections of a little more than 500 bytes.
func Answer(n int) string {
	const section = "## Step %\n\nThis part explains what happens in step %, and why. It uses **bold** for what matters and `code` for " +
		"names; see [the guide](https://example.com/guide/%?a=b) for more. Most answers are mostly plain sentences such as this " +
		"one, which has no markup in it at all, and a second one that goes on for a while before it ends.\n\n" +
		"1. First point of %\n2. Second point, with *emphasis*\n   - and a detail\n   - and another\n\n" +
		"```js\nconst step = %;\nconsole.log(`step ${step}`);\n```\n\n| Key | Value |\n|---|---:|\n| id | % |\n| name | Step % |\n\n"
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.ReplaceAll(section, "%", strconv.Itoa(i+1)))
	}
	return b.String()
}

// BenchGrow measures a rendering while an answer grows by 40 bytes a time, on average over the whole answer.
func BenchGrow(b *testing.B, source string, newRender func() Render) {
	b.Helper()
	const step = 40
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		render := newRender()
		for cut := step; cut < len(source); cut += step {
			render(source[:cut], false)
			n++
		}
		render(source, true)
		n++
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/render")
}
