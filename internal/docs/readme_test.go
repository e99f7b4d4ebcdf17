package docs_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReadmeTop wants the two commands that everything begins with, first and alone.
func TestReadmeTop(t *testing.T) {
	t.Parallel()
	d := open(t, "README.md")
	if n := strings.Count(d.text, "\n"); n > 200 {
		t.Errorf("README.md has %d lines, at most 200 are read", n)
	}
	want := [][]string{{"go", "run", "./cmd/bridge", "demo", "--tour"}, {"go", "test", "-race", "-shuffle=on", "./..."}}
	if diff := cmp.Diff(want, commandLines(d.blocks[0].code)); diff != "" {
		t.Errorf("first block (-want +got):\n%s", diff)
	}
}

// TestReadmeMap compares the README's map with the folders that are there.
func TestReadmeMap(t *testing.T) {
	t.Parallel()
	named := map[string]bool{}
	for _, table := range open(t, "README.md").tables {
		if table.rows[0][0].text != "folder" {
			continue
		}
		for _, row := range table.rows[1:] {
			for _, c := range row {
				for _, span := range c.spans {
					if folder, ok := strings.CutSuffix(span, "/"); ok {
						named[folder] = true
					}
				}
			}
			for _, span := range row[0].spans {
				if !exists(span) {
					t.Errorf("the map has %s, which is not there", span)
				}
			}
		}
	}
	var there []string
	for _, name := range folders(t, ".") {
		switch name {
		case "cmd":
			there = append(there, "cmd/bridge")
		case "internal":
			for _, sub := range folders(t, name) {
				there = append(there, "internal/"+sub)
			}
		case "dist", "conf": // made by a release, and by who deploys with compose
		default:
			there = append(there, name)
		}
	}
	for _, name := range there {
		if !named[name] {
			t.Errorf("the map lacks %s/", name)
		}
	}
}

// TestCommandsInReadme wants a row for each command of the program.
func TestCommandsInReadme(t *testing.T) {
	t.Parallel()
	text := help(t)
	_, list, _ := strings.Cut(text, "Available Commands:\n")
	list, _, _ = strings.Cut(list, "\n\n")
	spans := strings.Join(open(t, "README.md").spans, "\n")
	for line := range strings.SplitSeq(list, "\n") {
		if f := strings.Fields(line); len(f) > 0 && f[0] != "help" && !strings.Contains(spans, "bridge "+f[0]) {
			t.Errorf("README.md does not name `bridge %s`", f[0])
		}
	}
}

// TestTranslation compares the Vietnamese README with the English one: sections, blocks, tables, names and links.
func TestTranslation(t *testing.T) {
	t.Parallel()
	en, vi := open(t, "README.md"), open(t, "README.vi.md")
	compare := func(what string, of func(d *document) []string) {
		t.Helper()
		if diff := cmp.Diff(of(en), of(vi)); diff != "" {
			t.Errorf("%s (-README.md +README.vi.md):\n%s", what, diff)
		}
	}
	compare("levels of headings", func(d *document) (all []string) {
		for _, h := range d.headings {
			all = append(all, strings.Repeat("#", h.level))
		}
		return all
	})
	compare("commands", func(d *document) (all []string) {
		for _, c := range shown(d) {
			all = append(all, strings.Join(c, " "))
		}
		return all
	})
	compare("tables", func(d *document) (all []string) {
		for _, table := range d.tables {
			all = append(all, fmt.Sprintf("%d × %d", len(table.rows), len(table.rows[0])))
			for _, row := range table.rows[1:] {
				all = append(all, fmt.Sprint(row[0].spans))
			}
		}
		return all
	})
	compare("names in code", func(d *document) []string {
		return slices.Compact(slices.Sorted(slices.Values(d.spans)))
	})
	compare("links", func(d *document) (all []string) {
		for _, link := range d.links {
			if !strings.HasPrefix(link, "README") && !strings.HasPrefix(link, "#") {
				all = append(all, link)
			}
		}
		slices.Sort(all)
		return slices.Compact(all)
	})
}
