package core

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestWords holds that every language has every line, and that each has its place for a detail where the others do.
func TestWords(t *testing.T) {
	en, vi := reflect.ValueOf(english), reflect.ValueOf(vietnamese)
	for i := range en.NumField() {
		name := en.Type().Field(i).Name
		if en.Field(i).Kind() != reflect.String {
			continue
		}
		a, b := en.Field(i).String(), vi.Field(i).String()
		if a == "" || b == "" || strings.Count(a, detailMark) != strings.Count(b, detailMark) {
			t.Errorf("%s: %q, %q", name, a, b)
		}
	}
	kinds := slices.Sorted(maps.Keys(english.lines))
	if other := slices.Sorted(maps.Keys(vietnamese.lines)); !slices.Equal(kinds, other) {
		t.Errorf("lines differ: %q, %q", kinds, other)
	}
	for _, k := range kinds {
		a, b := english.lines[k], vietnamese.lines[k]
		if a == "" || b == "" || strings.Count(a, detailMark) != strings.Count(b, detailMark) {
			t.Errorf("%s: %q, %q", k, a, b)
		}
	}
}

// TestEscapeMarkdown holds that nothing of a text is taken for a mark, nor for TeX.
func TestEscapeMarkdown(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"marks", "*a* _b_ `c`", "\\*a\\* \\_b\\_ \\`c\\`"},
		{"round brackets, which TeX has behind backslashes", "report (1).pdf", `report (1)\.pdf`},
		{"a link", "[a](b)", `\[a\](b)`},
		{"square brackets around what looks like a formula", "[x=1]", "&#91;x=1&#93;"},
		{"dollars", "$x$", `\$x\$`},
		{"lines", "a\r\nb", "a  b"},
	} {
		if got := escapeMarkdown(tt.text); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
