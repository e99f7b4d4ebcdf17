package docs_test

import (
	"regexp"
	"strings"
	"testing"
)

// TestTrouble wants each line that docs/operate/trouble.md explains to be one that the program can write.
func TestTrouble(t *testing.T) {
	t.Parallel()
	text, code := read(t, "docs/operate/trouble.md"), sources(t)
	all := func(pattern string) (found []string) {
		for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
			found = append(found, m[1])
		}
		if len(found) == 0 {
			t.Errorf("nothing looks like %s", pattern)
		}
		return found
	}
	for _, line := range append(all("msg=\"([^\"`]+)\""), all("msg=([a-z]+)`")...) {
		if !strings.Contains(code, `"`+line+`"`) {
			t.Errorf("no log line says %q", line)
		}
	}
	for _, line := range all("“([^”]+)”") {
		if !strings.Contains(code, strings.TrimSuffix(strings.TrimSpace(strings.TrimSuffix(line, "…")), ":")) {
			t.Errorf("nobody is told “%s”", line)
		}
	}
	for _, line := range all("✗ acme-[a-z]+: ([^`]+)`") {
		words := strings.Fields(line)
		name := line
		switch words[0] {
		case "scope":
			name = words[1]
		case "permission":
			name, _, _ = strings.Cut(strings.TrimPrefix(line, "permission "), " in ")
		}
		if !strings.Contains(code, `"`+name) {
			t.Errorf("`bridge check` looks at nothing called %q", name)
		}
	}
	// What is said without a key of the log stands in the sections on starting and on Telegram.
	for _, said := range []string{
		"is not set", "in use by another process", "does not exist: create it, or change store.path", `choose another address, or \"\" for none`,
		"http.listen is empty, but bot", "make it readable for the bridge, or remove it", "another program polls with this token",
		"not mentioned", "respond: direct", "deny.users", "deny.rooms", "allow.users", "allow.rooms",
	} {
		if !strings.Contains(text, strings.ReplaceAll(said, `\"`, `"`)) {
			t.Errorf("docs/operate/trouble.md does not explain %q", said)
		}
		if !strings.Contains(code, said) {
			t.Errorf("the program does not say %q", said)
		}
	}
}
