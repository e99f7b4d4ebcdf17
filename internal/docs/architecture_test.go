package docs_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

const architecture = "docs/architecture.md"

// TestArchitectureNames wants docs/architecture.md to name every folder of internal/ and every bucket of the store, and no
// bound that the code does not have.
func TestArchitectureNames(t *testing.T) {
	t.Parallel()
	d := open(t, architecture)
	for _, name := range folders(t, "internal") {
		if !strings.Contains(d.text, "internal/"+name) {
			t.Errorf("the map lacks internal/%s", name)
		}
	}
	for _, m := range regexp.MustCompile(`bucket = "([a-z_]+)"`).FindAllStringSubmatch(read(t, "store/schema.go"), -1) {
		if !regexp.MustCompile(`\b` + m[1] + `\b`).MatchString(section(d.text, "What is remembered")) {
			t.Errorf("what is remembered lacks the bucket %s", m[1])
		}
	}
	code := sources(t)
	for _, name := range bounds(t, d) {
		if !regexp.MustCompile(`\b` + name + `\b`).MatchString(code) {
			t.Errorf("nothing in the code is called %s", name)
		}
	}
}

// section is the text under a heading of the second level.
func section(text, heading string) string {
	_, found, _ := strings.Cut(text, "\n## "+heading+"\n")
	found, _, _ = strings.Cut(found, "\n## ")
	return found
}

// bounds are the names in the table of bounds.
func bounds(t *testing.T, d *document) []string {
	t.Helper()
	var all []string
	for _, table := range d.tables {
		if table.rows[0][0].text != "what" || table.rows[0][1].text != "constant or key" {
			continue
		}
		for _, row := range table.rows[1:] {
			for _, span := range row[1].spans {
				if at := strings.LastIndexByte(span, '.'); !strings.HasSuffix(span, ".go") && at >= 0 {
					span = span[at+1:]
				}
				if regexp.MustCompile(`^[A-Za-z_]+$`).MatchString(span) {
					all = append(all, span)
				}
			}
		}
	}
	if len(all) < 30 {
		t.Errorf("%d names of bounds were found: is the table there?", len(all))
	}
	return all
}

// TestIndex wants docs/index.md to lead to every document under docs/.
func TestIndex(t *testing.T) {
	t.Parallel()
	links := open(t, "docs/index.md").links
	for _, name := range documents(t) {
		if link, ok := strings.CutPrefix(name, "docs/"); ok && link != "index.md" && !slices.Contains(links, link) {
			t.Errorf("docs/index.md does not lead to %s", link)
		}
	}
}

// TestLibraries wants a line for each module that go.mod requires for itself.
func TestLibraries(t *testing.T) {
	t.Parallel()
	note := read(t, "docs/decisions/0001-libraries.md")
	for _, m := range regexp.MustCompile(`(?m)^\t([a-z0-9.]+/\S+) v\S+$`).FindAllStringSubmatch(read(t, "go.mod"), -1) {
		name := regexp.MustCompile(`/v\d+$`).ReplaceAllString(m[1], "")
		name = strings.TrimPrefix(name, "github.com/")
		if short := strings.TrimPrefix(name, "go.opentelemetry.io/otel/exporters/"); !strings.Contains(note, strings.TrimPrefix(short, "go.opentelemetry.io/")) {
			t.Errorf("docs/decisions/0001-libraries.md has no line for %s", m[1])
		}
	}
}
