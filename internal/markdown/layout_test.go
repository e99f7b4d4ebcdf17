package markdown_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/clickai/bridge/internal/markdown"
)

// lay lays a source out in messages of 400 bytes and returns them as in marked.
func lay(src string, final bool) []string {
	units := markdown.Parse(src, markdown.Options{Final: final, Chunk: 200})
	var out []string
	for _, m := range markdown.Layout(units, markdown.Limits{
		Size: 400, Weights: markdown.NewWeights(1, 2, 3, 4, nil), Fence: 8, TableWidth: 40,
	}) {
		list := make([]markdown.Unit, len(m))
		for i, u := range m {
			list[i] = *u
		}
		out = append(out, marked(list))
	}
	return out
}

func TestLayout(t *testing.T) {
	t.Parallel()
	para := strings.TrimSpace(strings.Repeat("word ", 30)) // 149 bytes
	var code, rows []string
	for i := range 40 {
		code = append(code, fmt.Sprintf("line %02d of the code", i))
		rows = append(rows, fmt.Sprintf("|row %02d|value %02d|", i, i))
	}
	for _, tt := range []struct {
		name, src string
		begins    []string // how the messages begin
	}{
		{"one", "a\n\nb", []string{"a\nb"}},
		{"paragraphs stay whole", para + "\n\n" + para + "\n\n" + para, []string{para + "\n" + para, para}},
		{"a heading goes along", para + "\n\n" + para + "\n\n## h\n\n" + para, []string{para + "\n" + para, "##h\n" + para}},
		{
			"an introduction goes along", para + "\n\n" + para + "\n\n## h\n\nDo this:\n\n- " + para + "\n- b",
			[]string{para + "\n" + para, "##h\nDo this:\n-" + para + "\n-b"},
		},
		{
			"an introduction before code", para + "\n\n" + para + "\n\n看这里：\n\n```\n" + strings.Join(code[:10], "\n") + "\n```",
			[]string{para + "\n" + para, "看这里：\ncode::line 00"},
		},
		{
			"a long introduction stays", para + "\n\n" + para[:80] + ":\n\n```\n" + strings.Join(code[:17], "\n") + "\n```",
			[]string{para + "\n" + para[:80] + ":", "code::line 00"},
		},
		{
			"links of a table's part", "|a|b|\n|-|-|\n" + strings.Repeat("|[x](http://y.z)|b|\n", 14), []string{
				"table:a|b|/" + strings.Repeat("{ x→http://y.z}|b|/", 11) + "\n[1] { x→http://y.z}\n[2]",
				"table:a|b|/" + strings.Repeat("{ x→http://y.z}|b|/", 3) + "\n[12] { x→http://y.z}\n[13]",
			},
		},
		{"code is reopened", "```go\n" + strings.Join(code, "\n") + "\n```", []string{
			"code:go:line 00", "code:go:line 19", "code:go:line 38",
		}},
		{"code moves as a whole", para + "\n\n" + para + "\n\n```go\n" + strings.Join(code[:10], "\n") + "\n```", []string{
			para + "\n" + para, "code:go:line 00",
		}},
		{"the head is repeated", "|a|b|\n|-|-|\n" + strings.Join(rows, "\n"), []string{
			"table:a|b|/row 00|value 00|/", "table:a|b|/row 19|value 19|/", "table:a|b|/row 38|value 38|/",
		}},
		{"items stay whole", "1. " + para + "\n2. " + para + "\n3. " + para, []string{"-" + para + "\n-" + para, "-" + para}},
		{"a long line is folded", "```\n" + strings.Repeat("x", 800) + "\n```", []string{"code::xxx", "code::xxx", "code::xxx"}},
		{"a long paragraph", strings.TrimSpace(strings.Repeat("A sentence of words. ", 40)), []string{
			"A sentence of words.", "A sentence of words.", "A sentence of words.", "A sentence of words.",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := lay(tt.src, true)
			ok := slices.EqualFunc(got, tt.begins, strings.HasPrefix)
			if !ok {
				t.Errorf("%d messages, want %d that begin with %q:\n%s", len(got), len(tt.begins), tt.begins, strings.Join(got, "\n---\n"))
			}
		})
	}
}

func TestLayoutKeepsNumbers(t *testing.T) {
	t.Parallel()
	var src strings.Builder
	for i := 1; i <= 30; i++ {
		fmt.Fprintf(&src, "%d. %s\n", i, strings.Repeat("word ", 10))
	}
	n := 0
	for _, m := range markdown.Layout(markdown.Parse(src.String(), markdown.Options{Final: true, Chunk: 200}), markdown.Limits{
		Size: 400, Weights: markdown.NewWeights(1, 2, 3, 4, nil),
	}) {
		for _, u := range m {
			if n++; u.Item.Number != n {
				t.Errorf("item %d has number %d", n, u.Item.Number)
			}
		}
	}
	if n != 30 {
		t.Errorf("%d items, want 30", n)
	}
}

// TestStyleOverPieces checks that a style that a long paragraph's piece leaves open is closed there.
func TestStyleOverPieces(t *testing.T) {
	t.Parallel()
	src := "**" + strings.TrimSpace(strings.Repeat("bold words ", 80)) + "** end"
	for i, m := range lay(src, true)[:1] {
		if !strings.HasPrefix(m, "{b ") {
			t.Errorf("message %d is not bold: %s", i, m)
		}
	}
	before := lay(src[:len(src)/2], false)[0]
	if got := lay(src, true)[0]; got != before {
		t.Errorf("the first message changed:\n%s\nwas\n%s", got, before)
	}
}
