package playground_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/clickai/bridge/internal/playground"
	"github.com/clickai/bridge/internal/sim"
)

// fault opens the menu and presses one of its buttons.
func (p *page) fault(name string) {
	p.t.Helper()
	get[bool](p, `(document.querySelector('#faults').open = true)`)
	p.click(`#faults button[data-fault="` + name + `"]`)
	get[bool](p, `(document.querySelector('#faults').open = false, true)`)
}

// turnSays waits until the turn of a number is in a state, and says something.
func (p *page) turnSays(n int, status, text string) {
	p.t.Helper()
	card := `document.querySelector('#turn-` + strconv.Itoa(n) + `')`
	p.wait("turn "+strconv.Itoa(n)+" "+status, card+`?.querySelector('.status.`+status+`') && `+card+`.textContent.includes(`+quote(text)+`)`)
}

// TestFaultsOfClickAI makes each of ClickAI's failures happen from the page, and sees what the person is told.
func TestFaultsOfClickAI(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	p := w.browse(1700, 1000)

	p.fault("busy")
	p.wait("the fault waiting", `document.querySelector('#armed').textContent.includes('429')`)
	p.write("telegram", "The first question")
	p.turnSays(1, "refused", "429")
	w.await("telegram", "the answer after the wait", answerTo("to see more"))
	p.turnSays(2, "finished", "The first question")

	p.fault("error")
	p.write("telegram", "The second question")
	p.turnSays(3, "failed", "made this error")
	w.await("telegram", "the half answer with its error", func(m sim.Message) bool { return m.Bot && strings.Contains(m.Shown, "The second") })

	p.fault("cut")
	p.write("telegram", "The third question")
	p.turnSays(4, "cut", "The third question")
	w.await("telegram", "the cut answer, made whole", func(m sim.Message) bool {
		return m.Bot && strings.Contains(m.Shown, "third") && (strings.Contains(m.Shown, "to see more") || strings.Contains(m.Shown, "retry"))
	})

	p.fault("slow")
	p.write("telegram", "The fourth question")
	w.await("telegram", "the slow answer", func(m sim.Message) bool {
		return m.Bot && strings.Contains(m.Shown, "fourth") && strings.Contains(m.Shown, "to see more")
	})
	p.turnSays(5, "finished", "Slow answer")
}

// TestFaultsOfPlatforms refuses edits and breaks connections while answers grow; all of them get whole.
func TestFaultsOfPlatforms(t *testing.T) {
	t.Parallel()
	w := open(t, func(o *playground.WorldOptions) { o.Standins.ChunkInterval = 12 * time.Millisecond })
	p := w.browse(1700, 1000)
	platforms := []string{"slack", "discord", "telegram"}
	for _, platform := range platforms {
		p.fault("limit-" + platform)
		p.write(platform, "Give me a long answer")
	}
	for _, platform := range platforms {
		p.wait("the beginning of the answer", `!!document.querySelector('`+pane(platform)+` .message.bot')`)
		p.fault("disconnect-" + platform)
		p.write(platform, "And a second question")
	}
	p.wait("six whole turns", `document.querySelectorAll('.turn .status.finished').length === 6`)
	for _, platform := range platforms {
		w.await(platform, "the second answer", func(m sim.Message) bool {
			return m.Bot && strings.Contains(m.Shown, "second question") && strings.Contains(m.Shown, "to see more")
		})
		p.wait("the connection", `!!document.querySelector('`+pane(platform)+` .dot.on')`)
		if w.platform(platform).Faults().Hits() == 0 {
			t.Errorf("%s: no edit was refused", platform)
		}
	}
}

// TestKill kills the bridge in the middle of answers on all platforms and starts it again: each question has one whole answer.
func TestKill(t *testing.T) {
	t.Parallel()
	w := open(t, func(o *playground.WorldOptions) { o.Standins.ChunkInterval = 30 * time.Millisecond })
	p := w.browse(1700, 1000)
	platforms := []string{"slack", "discord", "telegram"}
	for _, platform := range platforms {
		p.write(platform, "What does the warranty cover?")
	}
	for _, platform := range platforms {
		p.wait("the beginning of the answer on "+platform, `document.querySelector('`+pane(platform)+` .message.bot')?.textContent.length > 40`)
	}
	p.click("#bridge-kill")
	p.wait("the bridge down", `!!document.querySelector('.bridge-state.stopped')`)
	for _, platform := range platforms {
		w.until(platform, "no connection", func(s sim.Platform) bool { return !s.Connected() })
	}
	p.write("telegram", "Are you there?")
	p.click("#bridge-start")
	p.wait("the bridge running", `!!document.querySelector('.bridge-state.running')`)
	for _, platform := range platforms {
		m := w.await(platform, "the whole answer", answerTo("to see more"))
		p.wait("it on the page", message(platform, m.Ref)+`?.textContent.includes('to see more')`)
	}
	w.await("telegram", "the answer to what was asked meanwhile", func(m sim.Message) bool {
		return m.Bot && strings.Contains(m.Shown, "Are you there") && strings.Contains(m.Shown, "to see more")
	})
	for _, platform := range platforms {
		n := len(slices.DeleteFunc(bots(w.platform(platform)), func(m sim.Message) bool { return !strings.Contains(m.Shown, "to see more") }))
		if want := map[string]int{"slack": 1, "discord": 1, "telegram": 2}[platform]; n != want {
			t.Errorf("%s: %d whole answers, want %d", platform, n, want)
		}
	}
}
