package docs_test

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// key is what the schema says of a key of the configuration.
type key struct {
	fallback any // its default
	has      bool
	enum     []string
}

// schemaKeys are the keys of `bridge config schema`. Names of apps are *, elements of lists []. What only holds other keys
// is left out.
func schemaKeys(t *testing.T) map[string]key {
	t.Helper()
	r := run(t, t.TempDir(), nil, "config", "schema")
	var schema map[string]any
	if err := json.Unmarshal([]byte(r.out), &schema); r.code != 0 || err != nil {
		t.Fatalf("config schema: exit code %d, %v\n%s", r.code, err, r.err)
	}
	keys := map[string]key{}
	collect("", schema, keys)
	delete(keys, "store.url") // a name that is kept for later; this version refuses it
	return keys
}

func collect(path string, s map[string]any, keys map[string]key) {
	isKey := path != ""
	if properties, ok := s["properties"].(map[string]any); ok {
		isKey = false
		for name, p := range properties {
			collect(strings.TrimPrefix(path+"."+name, "."), p.(map[string]any), keys)
		}
	}
	if each, ok := s["additionalProperties"].(map[string]any); ok {
		isKey = false
		collect(path+".*", each, keys)
	}
	if items, ok := s["items"].(map[string]any); ok {
		// A list of mappings holds keys; a list of texts is one.
		inner := map[string]key{}
		collect(path+"[]", items, inner)
		delete(inner, path+"[]")
		if len(inner) > 0 {
			isKey = false
			maps.Copy(keys, inner)
		}
	}
	k := key{}
	if old, known := keys[path]; known {
		k = old
	}
	choices, _ := s["anyOf"].([]any)
	for _, one := range choices {
		o := one.(map[string]any)
		if _, ok := o["properties"]; ok {
			collect(path, o, keys)
			isKey = isKey && path != "bots[]"
		}
		if enum, ok := o["enum"].([]any); ok {
			k.enum = nil
			for _, e := range enum {
				k.enum = append(k.enum, e.(string))
			}
		}
		if name, ok := o["const"].(string); ok && name != "" {
			k.enum = append(k.enum, name)
		}
	}
	if !isKey {
		return
	}
	if fallback, ok := s["default"]; ok {
		k.fallback, k.has = fallback, true
	}
	keys[path] = k
}

// TestConfigDocument compares docs/config.md with the schema: keys, defaults, choices.
func TestConfigDocument(t *testing.T) {
	t.Parallel()
	want := schemaKeys(t)
	have := map[string]bool{}
	for _, table := range open(t, "docs/config.md").tables {
		head := map[string]int{}
		for i, c := range table.rows[0] {
			head[c.text] = i
		}
		if _, ok := head["default"]; !ok {
			continue
		}
		for _, row := range table.rows[1:] {
			for _, name := range row[head["key"]].spans {
				if have[name] {
					t.Errorf("%s is explained twice", name)
				}
				have[name] = true
				compareKey(t, name, want[name], row[head["values"]], row[head["default"]])
				if text := row[len(row)-1].text; text == "" && !strings.HasPrefix(name, "bots[].attachments.max_bytes.") {
					t.Errorf("%s is not explained", name)
				}
			}
		}
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(have))); diff != "" {
		t.Errorf("keys (-schema +docs/config.md):\n%s", diff)
	}
}

func compareKey(t *testing.T, name string, k key, values, fallback cell) {
	t.Helper()
	if k.enum != nil {
		if diff := cmp.Diff(slices.Sorted(slices.Values(k.enum)), slices.Sorted(slices.Values(values.spans))); diff != "" {
			t.Errorf("%s, values (-schema +docs/config.md):\n%s", name, diff)
		}
	}
	var want string
	switch v := k.fallback.(type) {
	case nil:
		want = "none"
	case string:
		want = v
	default:
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		want = string(raw)
	}
	if want == "" || want == "[]" {
		want = "empty"
	}
	got := fallback.text
	switch got {
	case "required": // has no default, or an empty one that is refused
		if want != "empty" && want != "none" {
			t.Errorf("%s is said to be required, but has the default %s", name, want)
		}
		return
	case "by type", "the platform's own": // told in the row's text, or in rows of their own
		return
	}
	want = strings.ReplaceAll(want, "m0s", "m") // Go writes a minute as 1m0s
	if got != want {
		t.Errorf("%s: the default is %s, docs/config.md says %s", name, want, got)
	}
}

// TestKeysInDocuments wants each key that a document names with its section to be one.
func TestKeysInDocuments(t *testing.T) {
	t.Parallel()
	keys := schemaKeys(t)
	sections := map[string]bool{}
	for k := range keys {
		for i := range len(k) {
			if k[i] == '.' {
				sections[k[:i]] = true
			}
		}
	}
	// Keys of a bot are mostly named without bots[], as they stand in the file.
	bot := regexp.MustCompile(`^(allow|deny|stream|show|feedback|attachments|limits|clickai|store|http|log)\.[a-z_.]+$`)
	for _, name := range documents(t) {
		for _, span := range open(t, name).spans {
			if !bot.MatchString(span) || strings.HasSuffix(span, ".go") || strings.HasSuffix(span, ".db") {
				continue
			}
			_, top := keys[span]
			_, inBot := keys["bots[]."+span]
			if !top && !inBot && !sections[span] && !sections["bots[]."+span] {
				t.Errorf("%s names `%s`, which is no key", name, span)
			}
		}
	}
}
