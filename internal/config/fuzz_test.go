package config_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/clickai/bridge/internal/config"
)

// FuzzLoad looks for panics, for secrets in errors, and for configurations that are taken although they are incomplete.
func FuzzLoad(f *testing.F) {
	const secret = "planted-Secret-4711"
	example, err := os.ReadFile(examplePath)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(example), "DISCORD_TOKEN=x")
	for _, s := range []string{
		minimal, minimal + "    admins: [\"${S}\", *x]\n", minimal + "    <<: &a {b: *a}\n", strings.ReplaceAll(minimal, "acme", "'${S}'"),
		"apps: &a [*a]\n", "? [a]\n: b\n", "- - - -", "{{{{", "a: !!str\n", "a: |\n  ${S}", "\ufeffbots:\r\n- name: ${S", "a: &x &y 1", "<<: 1", "apps: {a: {inputs: {b: ${S:-x}}}}",
		minimal + "    respond: ${S}\n    idle_reset: \"${S}\"\n    api_url: ${file:s}\n", "bots: [{platform: slack, api_url: '${S}', nested: {deep: ['${S}']}}]", "a: *b\n", "\ufeffbos namep:\r- {", "&a : *a", "!!map {a: 1}",
	} {
		f.Add(s, "A='${S}'\nB=\"$S\"")
	}
	f.Fuzz(func(t *testing.T, text, dotenv string) {
		if strings.Contains(text+dotenv, "${file:") && !strings.Contains(text, "${file:s}") {
			return // files of the machine are not for the fuzzer
		}
		path := write(t, map[string]string{"config.yaml": text, ".env": dotenv, "s": secret})
		c, err := config.Load(path, kinds(), env(map[string]string{"S": secret, "SECRET": secret}))
		if err == nil {
			if len(c.Bots) == 0 || len(c.Apps) == 0 || c.Bots[0].Settings == nil || c.Bots[0].Name == "" || c.ClickAI.BaseURL == "" {
				t.Errorf("incomplete: %+v", c)
			}
			return
		}
		if c != nil {
			t.Error("a configuration comes with an error")
		}
		if strings.Contains(err.Error(), secret) {
			t.Errorf("a secret is shown: %v", err)
		}
		if e, ok := errors.AsType[*config.Error](err); ok {
			if len(e.Problems) == 0 {
				t.Error("an error without problems")
			}
			for _, p := range e.Problems {
				if strings.ContainsAny(p.String(), "\n\r") || p.What == "" || p.Line > strings.Count(text+dotenv, "\n")+strings.Count(text+dotenv, "\r")+1 {
					t.Errorf("problem %q", p.String())
				}
			}
		}
	})
}
