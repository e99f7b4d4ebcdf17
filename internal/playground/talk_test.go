package playground_test

import (
	"strings"
	"testing"

	"github.com/clickai/bridge/internal/sim"
)

// TestTalk asks on each platform from the page, and compares what the page shows with what the stand-in holds.
func TestTalk(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	p := w.browse(1700, 1000)
	for _, platform := range []string{"slack", "discord", "telegram"} {
		p.write(platform, "What does the warranty cover?")
	}
	for _, platform := range []string{"slack", "discord", "telegram"} {
		w.until(platform, "a whole answer", func(x sim.Platform) bool {
			all := bots(x)
			return len(all) == 1 && strings.Contains(all[0].Shown, "to see more")
		})
		m := bots(w.platform(platform))[0]
		p.wait("the answer on the page", message(platform, m.Ref)+`?.textContent.includes('to see more')`)
		if got, want := p.body(platform, m.Ref), w.looks(platform, m.Ref); got != want {
			t.Errorf("%s: the page shows\n%s\nthe stand-in holds\n%s", platform, got, want)
		}
		if m.Thread != "" {
			if at := get[string](p, `document.querySelector('`+pane(platform)+` .room-head h3').textContent`); !strings.Contains(at, "🧵") {
				t.Errorf("%s: the pane shows %q, not the thread", platform, at)
			}
		}
	}
	p.wait("three turns", `document.querySelectorAll('.turn .status.finished').length === 3`)
}
