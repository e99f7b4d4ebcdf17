package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/rivo/uniseg"
)

func TestTable(t *testing.T) {
	t.Parallel()
	tab := table{header: []string{"A", "TITLE", "N"}}
	tab.add("x", "plain", "1")
	tab.add("保修", "日本語のスレッド", "2")
	tab.add("👍🏽", "two\nlines\tand \x1b[31mred\x07", "3")
	tab.add("", "", "4")
	var b bytes.Buffer
	if err := tab.print(&b); err != nil {
		t.Fatal(err)
	}
	var at []int
	for line := range strings.SplitSeq(strings.TrimSuffix(b.String(), "\n"), "\n") {
		cells := strings.Fields(line)
		at = append(at, uniseg.StringWidth(strings.TrimSuffix(line, cells[len(cells)-1])))
	}
	for _, n := range at {
		if n != at[0] {
			t.Errorf("the last column begins at %v:\n%s", at, b.String())
			break
		}
	}
	if len(at) != 5 || strings.ContainsAny(b.String(), "\x1b\x07") {
		t.Errorf("%d lines:\n%q", len(at), b.String())
	}
}

func TestCutWidth(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, in, want string
		width          int
	}{
		{"fits", "abc", "abc", 3},
		{"too long", "abcd", "ab…", 3},
		{"wide", "日本語", "日…", 4},
		{"wide fits", "日本", "日本", 4},
		{"one character of many", "👨‍👩‍👧 family", "👨‍👩‍👧…", 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := cutWidth(tt.in, tt.width)
			if got != tt.want || uniseg.StringWidth(got) > tt.width {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}
