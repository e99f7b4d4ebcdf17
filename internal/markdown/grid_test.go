package markdown_test

import (
	"strings"
	"testing"

	"github.com/clickai/bridge/internal/markdown"
)

// drawn are the lines of the only table in a source that is laid out with the given width for tables.
func drawn(t *testing.T, src string, width int) string {
	t.Helper()
	for _, m := range markdown.Layout(markdown.Parse(src, markdown.Options{Final: true}), markdown.Limits{
		Size: 4000, Weights: markdown.NewWeights(1, 2, 3, 4, nil), Fence: 8, TableWidth: width,
	}) {
		for _, u := range m {
			if u.Kind == markdown.Table {
				return strings.Join(u.Table.Lines(), "\n")
			}
		}
	}
	t.Fatalf("no table in %q", src)
	return ""
}

func TestGridWraps(t *testing.T) {
	t.Parallel()
	head := func(cells string) string { return "|a|b|\n|-|-:|\n" + cells }
	for _, tt := range []struct {
		name  string
		src   string
		width int
		want  string
	}{
		{"all fits", head("|one two|3|"), 40, "a       | b\n--------+--\none two | 3"},
		{
			"the widest column gives way", head("|one two|three four five six seven|"), 22,
			"a       | b\n--------+-------------\none two |   three four\n        |     five six\n        |        seven",
		},
		{"numbers stay whole", head("|one two|1.450.000 ₫|"), 12, "a   | b\n----+------------\none | 1.450.000 ₫\ntwo |"},
		{"a number and a word", head("|x|1450000 pieces|"), 12, "a | b\n--+---------\nx |  1450000\n  |   pieces"},
		{"short words stay whole", head("|日本・韓国|versioning|"), 12, "a          | b\n-----------+-----------\n日本・韓国 | versioning"},
		{
			"an address breaks at its parts", head("|https://docs.example.com/guide|1|"), 20,
			"a                | b\n-----------------+--\nhttps://         | 1\ndocs.example.com |\n/guide           |",
		},
		{"a long word breaks anywhere", head("|" + strings.Repeat("x", 20) + "|1|"), 12, "a            | b\n-------------+--\nxxxxxxxxxxxx | 1\nxxxxxxxx     |"},
		{
			"Chinese breaks between characters", head("|这是一个很长的句子，没有空格。|1|"), 20,
			"a                | b\n-----------------+--\n这是一个很长的句 | 1\n子，没有空格。   |",
		},
		{
			"without a head", "<table><tr><td>one two</td><td>three</td></tr></table>", 14, "one    | three\ntwo    |",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := drawn(t, tt.src, tt.width); got != tt.want {
				t.Errorf("in %d columns:\n%s\nwant\n%s", tt.width, got, tt.want)
			}
		})
	}
}
