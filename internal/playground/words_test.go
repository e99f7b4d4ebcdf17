package playground_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	usedWord = regexp.MustCompile(`\bt\('([^']+)'[,)]|data-(?:t|label|hint)="([^"]+)"|\b(?:t|label|hint): '([^']+)'`)
	built    = regexp.MustCompile(`\bt\('([a-z]+\.)' \+`)
	blank    = regexp.MustCompile(`\{\w+\}`)
)

// TestWords: both languages have the same texts with the same blanks, each text is used, and each that is used is there.
func TestWords(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("assets/words.json")
	if err != nil {
		t.Fatal(err)
	}
	var words map[string]map[string]string
	if err := json.Unmarshal(data, &words); err != nil {
		t.Fatal(err)
	}
	en, vi := words["en"], words["vi"]
	if len(words) != 2 || len(en) < 50 {
		t.Fatalf("%d languages, %d texts", len(words), len(en))
	}
	for key, text := range en {
		other, ok := vi[key]
		if !ok || strings.TrimSpace(other) == "" {
			t.Errorf("%s is not in Vietnamese", key)
		}
		a, b := blank.FindAllString(text, -1), blank.FindAllString(other, -1)
		slices.Sort(a)
		slices.Sort(b)
		if !slices.Equal(a, b) {
			t.Errorf("%s has the blanks %v and %v", key, a, b)
		}
	}
	for key := range vi {
		if _, ok := en[key]; !ok {
			t.Errorf("%s is not in English", key)
		}
	}
	files, err := filepath.Glob("assets/*.*")
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	var prefixes []string
	for _, name := range files {
		if !strings.HasSuffix(name, ".js") && !strings.HasSuffix(name, ".html") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range usedWord.FindAllStringSubmatch(string(text), -1) {
			used[m[1]+m[2]+m[3]] = true
		}
		for _, m := range built.FindAllStringSubmatch(string(text), -1) {
			prefixes = append(prefixes, m[1])
		}
	}
	for key := range used {
		if _, ok := en[key]; !ok && key != "" && key != "ClickAI" { // a name
			t.Errorf("%q is used and is no text", key)
		}
	}
	for key := range en {
		starts := func(p string) bool { return strings.HasPrefix(key, p) }
		if !used[key] && !slices.ContainsFunc(prefixes, starts) && !strings.Contains(" connected disconnected reactWith takeBack tourRuns tourStart tourFailed tourDone pageBack pageLost ", " "+key+" ") {
			t.Errorf("%q is not used", key)
		}
	}
}
