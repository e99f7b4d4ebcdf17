package docs_test

import (
	"net/url"
	"path"
	"slices"
	"strings"
	"testing"
)

// TestLinks wants each relative link to lead somewhere.
func TestLinks(t *testing.T) {
	t.Parallel()
	for _, name := range documents(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, link := range open(t, name).links {
				if why := broken(t, name, link); why != "" {
					t.Errorf("link %s: %s", link, why)
				}
			}
		})
	}
}

// broken says what is wrong with a link of a document; "" if nothing is.
func broken(t *testing.T, from, link string) string {
	t.Helper()
	u, err := url.Parse(link)
	switch {
	case err != nil:
		return "is not an address"
	case u.Scheme == "https":
		return ""
	case u.Scheme != "":
		return "is neither https nor relative"
	}
	target := from
	if u.Path != "" {
		target = path.Join(path.Dir(from), u.Path)
	}
	switch {
	case strings.HasPrefix(target, ".."):
		return "leads out of the repository"
	case !exists(target):
		return "there is no " + target
	case u.Fragment == "":
		return ""
	case !strings.HasSuffix(target, ".md"):
		return "has an anchor in a file without headings"
	}
	if !slices.ContainsFunc(open(t, target).headings, func(h heading) bool { return h.anchor == u.Fragment }) {
		return "there is no such heading in " + target
	}
	return ""
}

// TestBrokenLinks tests the test.
func TestBrokenLinks(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		link string
		ok   bool
	}{
		{"https://example.org/x", true},
		{"../README.md", true},
		{"../README.md#map", true},
		{"#documents", true},
		{"operate/deploy.md", true},
		{"http://example.org/", false},
		{"README.md", false},
		{"../README.md#nowhere", false},
		{"#nowhere", false},
		{"../../x.md", false},
		{"../Makefile#x", false},
	} {
		if why := broken(t, "docs/index.md", tt.link); (why == "") != tt.ok {
			t.Errorf("%s: %q, want fine: %t", tt.link, why, tt.ok)
		}
	}
}
