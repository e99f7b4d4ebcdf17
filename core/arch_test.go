package core_test

import (
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/clickai/bridge"

// importRules say what each part must not reach, not even through others. The reason stands beside it.
var importRules = []struct {
	from, not, why string
}{
	{"core", "adapters/", "core knows no platform"},
	{"core", "store", "core owns the interface and store implements it"},
	{"core", "clickai", "core owns App"},
	{"core", "internal/", "core stands alone"},
	{"adapters/slack", "adapters/discord", "an adapter knows no other"},
	{"adapters/slack", "adapters/telegram", "an adapter knows no other"},
	{"adapters/discord", "adapters/slack", "an adapter knows no other"},
	{"adapters/discord", "adapters/telegram", "an adapter knows no other"},
	{"adapters/telegram", "adapters/slack", "an adapter knows no other"},
	{"adapters/telegram", "adapters/discord", "an adapter knows no other"},
	{"adapters/slack", "clickai", "an adapter knows nothing of ClickAI"},
	{"adapters/discord", "clickai", "an adapter knows nothing of ClickAI"},
	{"adapters/telegram", "clickai", "an adapter knows nothing of ClickAI"},
	{"adapters/slack", "store", "events go through core"},
	{"adapters/discord", "store", "events go through core"},
	{"adapters/telegram", "store", "events go through core"},
	{"adapters/slack", "internal/sim", "the bridge does not know its stand-ins"},
	{"adapters/discord", "internal/sim", "the bridge does not know its stand-ins"},
	{"adapters/telegram", "internal/sim", "the bridge does not know its stand-ins"},
	{"clickai", "core", "the SDK is usable by others"},
	{"clickai", "internal/", "the SDK is usable by others"},
	{"store", "internal/", "the store knows core alone"},
	{"internal/agent", "adapters/", "an app knows no platform"},
	{"internal/sim/clickai", "clickai", "a stand-in is not written from the code that it tests"},
	{"internal/sim/clickai", "core", "a stand-in is not written from the code that it tests"},
	{"internal/sim/slack", "adapters/", "a stand-in is not written from the code that it tests"},
	{"internal/sim/discord", "adapters/", "a stand-in is not written from the code that it tests"},
	{"internal/sim/telegram", "adapters/", "a stand-in is not written from the code that it tests"},
}

func TestImports(t *testing.T) {
	deps := map[string][]string{}
	for _, rule := range importRules {
		if _, ok := deps[rule.from]; ok {
			continue
		}
		out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{.ImportPath}} {{.Standard}}", module+"/"+rule.from).Output()
		if err != nil {
			t.Fatalf("go list %s: %v", rule.from, err)
		}
		deps[rule.from] = strings.Split(strings.TrimSpace(string(out)), "\n")
	}
	for _, rule := range importRules {
		for _, line := range deps[rule.from] {
			path, _, _ := strings.Cut(line, " ")
			rel, ours := strings.CutPrefix(path, module+"/")
			if !ours || rel == rule.from {
				continue
			}
			if rel == rule.not || strings.HasPrefix(rel+"/", strings.TrimSuffix(rule.not, "/")+"/") {
				t.Errorf("%s reaches %s: %s", rule.from, rel, rule.why)
			}
		}
	}
	for _, line := range deps["core"] {
		if path, std, _ := strings.Cut(line, " "); std != "true" && !strings.HasPrefix(path, module) {
			t.Errorf("core reaches %s: it imports the standard library alone", path)
		}
	}
}
