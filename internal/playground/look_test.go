package playground_test

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/telegram"
)

// TestNarrow uses the page as on a telephone: one pane at a time, nothing wider than the screen.
func TestNarrow(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	p := w.browse(390, 844)
	for _, name := range []string{"slack", "discord", "telegram", "clickai"} {
		p.click(`#tabs button[data-pane="pane-` + name + `"]`)
		if got := get[[]string](p, `[...document.querySelectorAll('#stage > .pane')].filter(x => x.offsetParent).map(x => x.id)`); len(got) != 1 || got[0] != "pane-"+name {
			t.Errorf("%s: %v show", name, got)
		}
		if name != "clickai" {
			p.write(name, "Show me a table")
			p.wait("the answer", `document.querySelector('`+pane(name)+` .message.bot')?.textContent.length > 60`)
		}
		if get[bool](p, `document.documentElement.scrollWidth > innerWidth`) {
			t.Errorf("%s is wider than the screen", name)
		}
	}
}

// TestLooks changes language and colours, and keeps both.
func TestLooks(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	p := w.browse(1700, 1000)
	p.click("#language")
	p.wait("Vietnamese", `document.documentElement.lang === 'vi' && document.querySelector('#answers summary').textContent === 'Câu trả lời mẫu' && document.querySelector('.send').textContent === 'Gửi'`)
	background := `getComputedStyle(document.body).backgroundColor`
	p.click("#theme")
	light := get[string](p, background)
	p.click("#theme")
	dark := get[string](p, background)
	if light == dark {
		t.Errorf("light and dark are both %s", light)
	}
	p.do(chromedp.Reload())
	p.wait("both kept", `document.documentElement.lang === 'vi' && document.documentElement.dataset.theme === 'dark' && `+background+` === `+quote(dark))
}

// TestKeyboard asks and reacts without a mouse, and looks at what is told to people who hear the page.
func TestKeyboard(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	p := w.browse(1700, 1000)
	p.write("slack", "A question by keyboard")
	m := w.await("slack", "the answer", answerTo("to see more"))
	p.wait("the answer on the page", message("slack", m.Ref)+`?.textContent.includes('to see more')`)
	p.wait("the end told", `document.querySelector('#announcer').textContent.includes('slack')`)
	get[bool](p, `(document.querySelector('`+pane("slack")+` .timeline').focus(), true)`)
	p.do(chromedp.KeyEvent(kb.ArrowUp))
	p.wait("the focus on the last message", `document.activeElement === document.querySelector('`+pane("slack")+` .message:last-child')`)
	p.do(chromedp.KeyEvent(kb.ArrowUp), chromedp.KeyEvent(kb.ArrowDown))
	p.wait("the focus on the last message", `document.activeElement === document.querySelector('`+pane("slack")+` .message:last-child')`)
	get[bool](p, `(document.querySelector('#answers summary').focus(), true)`)
	p.do(chromedp.KeyEvent(kb.Enter))
	p.wait("the menu", `document.querySelector('#answers').open`)
	p.do(chromedp.KeyEvent(kb.Escape))
	p.wait("no menu, and the focus back", `!document.querySelector('#answers').open && document.activeElement === document.querySelector('#answers summary')`)
	// Whatever can be used has a name.
	nameless := get[[]string](p, `[...document.querySelectorAll('button, a, input, select, textarea, summary')].filter(x => x.offsetParent && x.type !== 'file' && !(x.textContent.trim() || x.getAttribute('aria-label') || x.title || x.labels?.length || x.querySelector('img')?.alt)).map(x => x.outerHTML)`)
	if len(nameless) > 0 {
		t.Errorf("without a name: %v", nameless)
	}
	if n := get[int](p, `document.querySelectorAll('main, header, nav').length`); n < 3 {
		t.Errorf("%d landmarks", n)
	}
}

// TestScroll: what is written last can be seen while an answer grows, the line to write in stays on the screen, and who has
// scrolled up is left there.
func TestScroll(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	p := w.browse(1700, 700)
	p.write("telegram", "Give me a long answer")
	p.wait("the end", `document.querySelector('.turn .status.finished') && [...document.querySelectorAll('`+pane("telegram")+` .message.bot')].pop()?.textContent.includes('all of it')`)
	list := `document.querySelector('` + pane("telegram") + ` .timeline')`
	p.wait("the end of the list", list+`.scrollHeight > `+list+`.clientHeight * 2 && `+list+`.scrollHeight - `+list+`.scrollTop - `+list+`.clientHeight < 100`)
	if !get[bool](p, `document.querySelector('`+pane("telegram")+` .composer').getBoundingClientRect().bottom <= innerHeight && document.documentElement.scrollHeight <= innerHeight`) {
		t.Error("the line to write in is off the screen")
	}
	get[bool](p, `(`+list+`.scrollTop = 0, true)`)
	before := len(bots(w.platform("telegram")))
	if _, err := w.platform("telegram").Say(t.Context(), sim.Say{Room: telegram.Minh, User: telegram.Minh, Text: "Another question"}); err != nil {
		t.Fatal(err)
	}
	w.until("telegram", "another answer", func(s sim.Platform) bool { return len(bots(s)) > before })
	p.wait("it on the page", `[...document.querySelectorAll('`+pane("telegram")+` .message.bot')].pop().textContent.includes('Another question')`)
	if at := get[float64](p, list+`.scrollTop`); at > 5 {
		t.Errorf("who has scrolled up is taken to %v", at)
	}
}
