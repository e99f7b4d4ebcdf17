package bench

import (
	"slices"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	markdown "github.com/yuin/goldmark/text"
)

func whole(t text, n int) string {
	var b []byte
	for seq := range n {
		b = t.appendPiece(b, seq)
	}
	return string(b)
}

// TestPiecesAreFoundInTheirText wants every piece once, in order, in what a Markdown parser sees as text.
func TestPiecesAreFoundInTheirText(t *testing.T) {
	for _, size := range []int{MinChunkBytes, 20, 97, MaxChunkBytes} {
		tx := text{seed: 7, id: 123456, bytes: size}
		source := whole(tx, 3*layout)
		if want := 3 * layout * size; len(source) < want || len(source) > want+3*layout*3 {
			t.Errorf("size %d: the text has %d bytes, want %d and little more", size, len(source), want)
		}
		var plain strings.Builder
		kinds := map[string]int{}
		root := goldmark.DefaultParser().Parse(markdown.NewReader([]byte(source)))
		_ = ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
			if !entering {
				return ast.WalkContinue, nil
			}
			kinds[n.Kind().String()]++
			switch n := n.(type) {
			case *ast.Text:
				plain.Write(n.Segment.Value([]byte(source)))
				plain.WriteByte('\n')
			case *ast.FencedCodeBlock:
				plain.Write(n.Lines().Value([]byte(source)))
			}
			return ast.WalkContinue, nil
		})
		for _, kind := range []string{"Heading", "Paragraph", "Emphasis", "CodeSpan", "List", "ListItem", "FencedCodeBlock"} {
			if kinds[kind] == 0 {
				t.Errorf("size %d: no %s in the text: formatting is not put to the test", size, kind)
			}
		}
		found := words(plain.String(), nil)
		for seq, w := range found {
			if w != (word{123456, seq}) {
				t.Fatalf("size %d: word %d is %+v", size, seq, w)
			}
		}
		if len(found) != 3*layout {
			t.Errorf("size %d: %d words found, want %d", size, len(found), 3*layout)
		}
		if essence(plain.String()) != essence(source) {
			t.Errorf("size %d: what is read is not what was written", size)
		}
	}
}

// TestInlineMarkupEndsInItsPiece cuts everywhere: no piece leaves a span open.
func TestInlineMarkupEndsInItsPiece(t *testing.T) {
	for seq := range 2 * layout {
		piece := string(text{id: 1, bytes: 24}.appendPiece(nil, seq))
		if strings.Count(piece, "**")%2 != 0 || strings.Count(strings.ReplaceAll(piece, "```", ""), "`")%2 != 0 {
			t.Errorf("piece %d leaves a span open: %q", seq, piece)
		}
	}
}

func TestTextsDiffer(t *testing.T) {
	a, b, c := text{seed: 1, id: 1, bytes: 64}, text{seed: 1, id: 2, bytes: 64}, text{seed: 2, id: 1, bytes: 64}
	if first, second := whole(a, 5), whole(text{seed: 1, id: 1, bytes: 64}, 5); first != second {
		t.Errorf("the same text reads %q and %q", first, second)
	}
	strip := func(t text) string {
		s := whole(t, 50)
		for _, w := range []string{"aaab", "aaac"} {
			s = strings.ReplaceAll(s, w, "")
		}
		return s
	}
	if strip(a) == strip(b) || strip(a) == strip(c) {
		t.Error("two answers say the same but for their names")
	}
}

func TestWords(t *testing.T) {
	tests := []struct {
		name, in string
		want     []word
	}{
		{"alone", "w000012aabc", []word{{26 + 2, 12}}},
		{"markup around", "**w000001aaaa** `w000002aaaa`\nw000003aaaa.", []word{{0, 1}, {0, 2}, {0, 3}}},
		{"inside a longer word", "xw000001aaaa w000001aaaab w000001aaaa2 éw000001aaaa", nil},
		{"cut off", "w000001aaa", nil},
		{"capital", "W000001aaaa w000001aaaA", nil},
		{"two ws", "ww000001aaaa w w000004aaaa", []word{{0, 4}}},
		{"nothing", "", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := words(tt.in, nil); !slices.Equal(got, tt.want) {
				t.Errorf("words = %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestQuestionNamesItsAnswer(t *testing.T) {
	for _, id := range []int{0, 1, 25, 26, maxAnswers - 1} {
		if got, ok := answerOf("Minh: " + question(id)); !ok || got != id {
			t.Errorf("answerOf(%q) = %d, %v", question(id), got, ok)
		}
	}
	for _, q := range []string{"", "hello", "about q", "about qAB12"} {
		if _, ok := answerOf(q); ok {
			t.Errorf("%q names an answer", q)
		}
	}
}
