package config_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/clickai/bridge/internal/config"
)

// compile reads the schema as an editor does; it must be a right schema of its draft.
func compile(t *testing.T) (*jsonschema.Schema, map[string]any) {
	t.Helper()
	raw, err := config.Schema(kinds())
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("config.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("config.json")
	if err != nil {
		t.Fatal(err)
	}
	return s, doc.(map[string]any)
}

// instance is a YAML document in the form that the validator takes.
func instance(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := yaml.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestSchemaTakesTheExample(t *testing.T) {
	t.Parallel()
	s, _ := compile(t)
	raw, err := os.ReadFile(filepath.FromSlash(examplePath))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(instance(t, string(raw))); err != nil {
		t.Error(err)
	}
}

// What the schema says of a value and what Load says is the same, as far as a schema can say it.
func TestSchemaAgreesWithLoad(t *testing.T) {
	t.Parallel()
	s, _ := compile(t)
	for _, tt := range []struct {
		text string
		ok   bool
	}{
		{minimal, true},
		{minimal + "log:\nhttp:\n", true},
		{minimal + "lgo: {}\n", false},
		{minimal + "clickai: {plan: team, requests_per_minute: 5, base_url: 'http://x'}\n", true},
		{minimal + "clickai: {plan: gold}\n", false},
		{minimal + "clickai: {plan: '${N}', requests_per_minute: '${N}'}\n", true},
		{minimal + "clickai: {requests_per_minute: 1.5}\n", false},
		{minimal + "clickai: {requests_per_minute: '5'}\n", false},
		{minimal + "shutdown_timeout: 1h30m\n", true},
		{minimal + "shutdown_timeout: 0\n", true},
		{minimal + "shutdown_timeout: 5\n", false},
		{minimal + "shutdown_timeout: soon\n", false},
		{minimal + "store: {retention: 2w1d}\n", true},
		{minimal + "store: {path: [x]}\n", false},
		{strings.Replace(minimal, "    api_key: app-key\n", "", 1), false},
		{strings.Replace(minimal, "api_key: app-key", "api_key: k\n    inputs: {a: 1, b: {c: [true]}, d: x}", 1), true},
		{strings.Replace(minimal, "api_key: app-key", "api_key: k\n    inputs: [1]", 1), false},
		{strings.Replace(minimal, "api_key: app-key", "api_key: k\n    mode: bot", 1), false},
		{strings.Replace(minimal, "    app: support\n", "", 1), false},
		{strings.Replace(minimal, "discord\n", "irc\n", 1), false},
		{minimal + "    api_url: http://x\n", true},
		{minimal + "    bot_token: x\n", false},
		{minimal + "    respond: all\n    language: vi\n", true},
		{minimal + "    respond: nothing\n", false},
		{minimal + "    open_thread: false\n", true},
		{minimal + "    open_thread: nope\n", false},
		{minimal + "    admins: [U1, 42, '${N}']\n", true},
		{minimal + "    admins: U1\n", false},
		{minimal + "    attachments: {max_bytes: 5MB, types: [image]}\n", true},
		{minimal + "    attachments: {max_bytes: {image: 1GiB, audio: 1000}}\n", true},
		{minimal + "    attachments: {max_bytes: {picture: 1GiB}}\n", false},
		{minimal + "    attachments: {max_bytes: much}\n", false},
		{minimal + "    attachments: {types: [imago]}\n", false},
		{minimal + "    limits: {turns_per_user: 5/1h, calls_per_second: 0.5}\n", true},
		{minimal + "    limits: {turns_per_user: 0}\n", true},
		{minimal + "    limits: {turns_per_user: 5}\n", false},
		{minimal + "    routes: [{rooms: [C1], app: support}]\n", true},
		{minimal + "    routes: [{room: [C1], app: support}]\n", false},
		{minimal + "    routes: {}\n", false},
		{"bots: []\napps: {}\n", false},
		{"{}\n", false},
	} {
		schemaErr := s.Validate(instance(t, tt.text))
		_, loadErr := load(t, tt.text, map[string]string{"N": ""})
		if (schemaErr == nil) != tt.ok || (loadErr == nil) != tt.ok {
			t.Errorf("want ok %v; the schema says %v; Load says %v; of\n%s", tt.ok, schemaErr, loadErr, tt.text)
		}
	}
}

// Each key of the schema has a description, and each default is valid where it stands.
func TestSchemaIsDescribed(t *testing.T) {
	t.Parallel()
	_, doc := compile(t)
	bots := doc["properties"].(map[string]any)["bots"].(map[string]any)["items"].(map[string]any)["anyOf"].([]any)
	if len(bots) != 3 {
		t.Fatalf("%d kinds of bots", len(bots))
	}
	want := map[string]any{
		"respond": "mention", "catch_up": "1h", "idle_reset": "0s", "language": "en", "open_thread": true, "thread_context": json.Number("20"),
		"api_url": "https://discord.com/api/v9",
	}
	keys := bots[1].(map[string]any)["properties"].(map[string]any)
	for name, def := range want {
		got := keys[name].(map[string]any)
		if diff := cmp.Diff(def, got["default"]); diff != "" {
			t.Errorf("default of %s (-want +got):\n%s", name, diff)
		}
		if got["description"] == "" || got["description"] == nil {
			t.Errorf("%s has no description", name)
		}
	}
	store := doc["properties"].(map[string]any)["store"].(map[string]any)["properties"].(map[string]any)
	if got := store["retention"].(map[string]any)["default"]; got != "90d" {
		t.Errorf("retention %v", got)
	}
	if got := doc["$schema"]; got != "https://json-schema.org/draft/2020-12/schema" {
		t.Errorf("draft %v", got)
	}
	first, err := config.Schema(kinds())
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if again, err := config.Schema(kinds()); err != nil || !bytes.Equal(first, again) {
			t.Fatalf("the schema is written differently each time, %v", err)
		}
	}
}
