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
