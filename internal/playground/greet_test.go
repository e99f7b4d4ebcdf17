package playground_test

import (
	"strings"
	"testing"
	"time"

	"github.com/clickai/bridge/internal/playground"
	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/clickai"
)

// press presses a button of a pane by its text.
func (p *page) press(platform, label string) {
	p.t.Helper()
	button := `[...document.querySelectorAll('` + pane(platform) + ` :is(.press, .suggested button)')].findLast(b => b.offsetParent && b.textContent.includes(` + quote(label) + `))`
	p.wait("the button "+label+" on "+platform, "!!"+button)
	get[bool](p, `(`+button+`.click(), true)`)
}

// TestGreeting begins a direct chat on each platform in its own way: the app greets, and what it suggests is asked by a button.
// The turn of such a question, which nobody wrote, shows where it was asked and what the bridge did.
func TestGreeting(t *testing.T) {
	t.Parallel()
	w := open(t, func(o *playground.WorldOptions) { o.Standins.ClickAI.Apps = clickai.DemoApps() })
	p := w.browse(1700, 1000)
	greets := answerTo("Ask me anything")
	for _, platform := range []string{"slack", "discord"} {
		p.click(pane(platform) + ` .places li:last-child button`)
	}
	p.write("discord", "Hello") // nothing tells a bot on Discord who looks at its chat
	p.press("telegram", "Start")
	for _, platform := range []string{"slack", "discord", "telegram"} {
		m := w.await(platform, "the greeting", greets)
		p.wait("the greeting on the page", message(platform, m.Ref)+`?.textContent.includes('Ask me anything')`)
		p.press(platform, "Make a picture")
		w.await(platform, "the answer", answerTo("Here is your picture"))
		turn := `[...document.querySelectorAll('.turn')].find(c => c.querySelector('.query').textContent === 'Make a picture' && c.querySelector('.from').textContent.startsWith('` + platform + ` · '))`
		p.wait("its turn, with its place", "!!"+turn)
		// The newest turn is shown until a person has chosen one.
		get[bool](p, `(document.querySelector('#pane-clickai .as input:checked')?.click(), `+turn+`.querySelector('.turn-head').ariaExpanded === 'true' || `+turn+`.querySelector('.turn-head').click(), true)`)
		p.wait("what the bridge did", turn+`.querySelectorAll('.box').length === 6`)
		p.wait("the messages marked", `!!document.querySelector('`+pane(platform)+` .message.bot.lit')`)
		p.press(platform, "Show me a table")
		w.await(platform, "the answer to what was suggested after it", answerTo("The plans side by side"))
	}
}

// TestStop ends a long answer by its button; ClickAI's side says so.
func TestStop(t *testing.T) {
	t.Parallel()
	w := open(t, func(o *playground.WorldOptions) {
		o.Standins.Slack.LimitScale, o.Standins.Telegram.RateScale = 100, 100
	})
	p := w.browse(1700, 1000)
	pieces := strings.SplitAfter(strings.Repeat("word ", 5000), " ")
	w.Set.ClickAI.Script(nil, clickai.Chunks(40*time.Millisecond, pieces...)).Times(3) // far longer than it takes to stop it
	platforms := []string{"slack", "discord", "telegram"}
	for _, platform := range platforms {
		p.write(platform, "Write without end")
	}
	for _, platform := range platforms {
		p.press(platform, "Stop")
	}
	for _, platform := range platforms {
		w.await(platform, "the answer's end", func(m sim.Message) bool { return m.Bot && strings.Contains(m.Shown, "Stopped") })
	}
	p.wait("three stopped turns", `document.querySelectorAll('.turn .status.stopped').length === 3`)
}
