package playground_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/clickai"
)

// all are the messages of all places of a platform.
func all(p sim.Platform) []sim.Message {
	var out []sim.Message
	seen := map[sim.Ref]bool{}
	for _, x := range p.Places() {
		for _, m := range p.Messages(x.Room, x.Thread) {
			if !seen[m.Ref] {
				seen[m.Ref] = true
				out = append(out, m)
			}
		}
	}
	return out
}

// await waits for a message and returns it.
func (w *world) await(platform, what string, ok func(sim.Message) bool) sim.Message {
	w.t.Helper()
	var found sim.Message
	w.until(platform, what, func(p sim.Platform) bool {
		i := slices.IndexFunc(all(p), ok)
		if i >= 0 {
			found = all(p)[i]
		}
		return i >= 0
	})
	return found
}

func answerTo(text string) func(sim.Message) bool {
	return func(m sim.Message) bool { return m.Bot && strings.Contains(m.Shown, text) }
}

// act clicks one of the things that can be done with a message, as by keyboard: the message first has the focus.
func (p *page) act(platform string, m sim.Ref, name, label string) {
	p.t.Helper()
	node := message(platform, m)
	p.wait("the message", "!!"+node)
	find := `[...` + node + `.querySelectorAll('.acts button[data-act=` + name + `]')].find(b => b.textContent.includes(` + quote(label) + `))`
	p.wait("the act "+name, "!!"+find)
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	for ctx.Err() == nil {
		// What has the focus may be drawn anew before the key is pressed, and has it no more.
		p.wait("the focus on the act "+name, `(`+node+`.focus(), `+find+`.focus(), window.pressed = false,
			document.addEventListener('click', e => { window.pressed = !!e.target.closest('[data-act=`+name+`]'); }, { once: true, capture: true }), document.activeElement.dataset.act === `+quote(name)+`)`)
		p.do(chromedp.KeyEvent(kb.Enter))
		if get[bool](p, "window.pressed") {
			return
		}
	}
	p.t.Fatalf("the act %s never keeps the focus", name)
}

// TestPerson does on each platform what a person does: write as another one, reply, react and take it back, edit, delete.
func TestPerson(t *testing.T) {
	t.Parallel()
	for _, platform := range []string{"slack", "discord", "telegram"} {
		t.Run(platform, func(t *testing.T) {
			t.Parallel()
			w := open(t, nil)
			p := w.browse(1700, 1000)
			anna := get[string](p, `[...document.querySelectorAll('`+pane(platform)+` select option')].find(o => o.textContent === 'Anna').value`)
			p.choose(pane(platform)+" select", anna)
			p.write(platform, "Where is my order?")
			m := w.await(platform, "the answer", answerTo("to see more"))
			q := w.await(platform, "the question", func(m sim.Message) bool { return !m.Bot })
			if q.Author != anna {
				t.Errorf("the question is from %s, not from Anna (%s)", q.Author, anna)
			}
			p.wait("the whole answer", message(platform, m.Ref)+`?.textContent.includes('to see more')`)

			p.act(platform, m.Ref, "react", "👍")
			w.until(platform, "the reaction", func(s sim.Platform) bool {
				x, _ := s.Find(m.Ref)
				return slices.Contains(x.Reactions["👍"], anna)
			})
			p.wait("the reaction on the page", message(platform, m.Ref)+`.querySelector('.reaction.own')?.textContent === '👍 1'`)
			p.wait("its rating", `document.querySelector('.turn.open .facts')?.textContent.includes('like')`)
			get[bool](p, `(`+message(platform, m.Ref)+`.querySelector('.reaction.own').click(), true)`)
			w.until(platform, "no reaction", func(s sim.Platform) bool {
				x, _ := s.Find(m.Ref)
				return len(x.Reactions["👍"]) == 0
			})
			p.wait("null as the rating", `document.querySelector('.turn.open .facts')?.textContent.includes('null')`)

			if platform != "slack" {
				p.act(platform, m.Ref, "reply", "↩")
				p.wait("the line about the reply", `!document.querySelector('`+pane(platform)+` .about').hidden`)
			}
			p.write(platform, "A second quetsion")
			second := w.await(platform, "the second question", func(m sim.Message) bool { return strings.Contains(m.Shown, "quetsion") && !m.Bot })
			if platform != "slack" && second.ReplyTo != m.ID {
				t.Errorf("the second question replies to %q, not to %s", second.ReplyTo, m.ID)
			}
			w.await(platform, "its answer", answerTo("A second quetsion"))
			p.act(platform, second.Ref, "edit", "✎")
			p.wait("the text to edit", `document.querySelector('`+pane(platform)+` .composer.editing textarea').value.includes('quetsion')`)
			p.choose(pane(platform)+" .composer textarea", "A second question")
			p.write(platform, "")
			w.until(platform, "the edit", func(s sim.Platform) bool {
				x, _ := s.Find(second.Ref)
				return strings.Contains(x.Shown, "A second question")
			})
			p.wait("the edit on the page", message(platform, second.Ref)+`.textContent.includes('A second question')`)
			p.act(platform, second.Ref, "delete", "🗑")
			w.until(platform, "the deletion", func(s sim.Platform) bool {
				_, there := s.Find(second.Ref)
				return !there
			})
			p.wait("the deletion on the page", "!"+message(platform, second.Ref))
		})
	}
}

// TestFiles attaches files by picking and by dropping them; they reach ClickAI byte for byte.
func TestFiles(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	p := w.browse(1700, 1000)
	name := filepath.Join(t.TempDir(), "invoice.csv")
	data := "item,price\n" + strings.Repeat("toner,49\n", 400)
	if err := os.WriteFile(name, []byte(data), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, platform := range []string{"slack", "discord", "telegram"} {
		form := pane(platform) + " .composer"
		if platform == "discord" { // dropped
			get[bool](p, `(() => { const d = new DataTransfer(); d.items.add(new File([`+quote(data)+`], 'invoice.csv', { type: 'text/csv' }));
				for (const kind of ['dragover', 'drop']) document.querySelector('`+pane(platform)+` .room').dispatchEvent(new DragEvent(kind, { dataTransfer: d, bubbles: true, cancelable: true })); return true; })()`)
		} else {
			p.pick(form+" input[type=file]", name)
		}
		p.wait("the file", `document.querySelector('`+form+` .chip')?.textContent.includes('invoice.csv')`)
		p.write(platform, "What is in this file?")
		w.await(platform, "the answer", answerTo("invoice.csv"))
		m := w.await(platform, "the question", func(m sim.Message) bool { return !m.Bot && len(m.Files) == 1 })
		if string(m.Files[0].Data) != data {
			t.Errorf("%s: the platform holds other bytes", platform)
		}
		p.wait("the file on the page", message(platform, m.Ref)+`?.querySelector('.file a')?.textContent === 'invoice.csv'`)
		p.wait("the upload", `document.querySelector('.turn.open .facts')?.textContent.includes('invoice.csv')`)
		saved := get[string](p, `fetch(`+message(platform, m.Ref)+`.querySelector('.file a').href).then(r => r.text())`)
		if saved != data {
			t.Errorf("%s: the page hands over other bytes", platform)
		}
	}
	for _, u := range w.Set.ClickAI.Uploads() {
		if string(u.Data) != data {
			t.Errorf("ClickAI has other bytes of %s", u.Name)
		}
	}
	if n := len(w.Set.ClickAI.Uploads()); n != 3 {
		t.Errorf("ClickAI has %d uploads", n)
	}
}

// TestCommands uses the bot's commands in each platform's own way, chosen from what it offers.
func TestCommands(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	p := w.browse(1700, 1000)
	for _, x := range []struct{ platform, typed, command, rest, says string }{
		{"slack", "/c", "/clickai", "help", "begin a new conversation"},
		{"discord", "/he", "/help", "", "begin a new conversation"},
		{"telegram", "/he", "/help", "", "begin a new conversation"},
	} {
		area := pane(x.platform) + " .composer textarea"
		p.enter(area, x.typed)
		// What is typed is looked up when it is typed: it is typed again until the bridge has told the platform its commands.
		p.wait("what "+x.platform+" offers", `(document.querySelector('`+area+`').dispatchEvent(new Event('input', { bubbles: true })), !!document.querySelector('`+pane(x.platform)+` .offers li[data-command="`+x.command+`"]'))`)
		p.click(pane(x.platform) + ` .offers li[data-command="` + x.command + `"]`)
		p.enter(area, x.rest+kb.Enter)
		p.wait("the answer of "+x.platform, `[...document.querySelectorAll('`+pane(x.platform)+` .message.bot')].some(m => m.textContent.toLowerCase().includes('`+x.says+`'))`)
	}
}

// TestButtons presses 👍 under an answer on each platform, and then 👎 where the platform has windows, and says why in the one
// that opens. ClickAI gets the ratings and the words.
func TestButtons(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	p := w.browse(1700, 1000)
	platforms := []string{"slack", "discord", "telegram"}
	for _, platform := range platforms {
		p.write(platform, "Rate me")
	}
	for _, platform := range platforms {
		press := func(label string) {
			button := `[...document.querySelectorAll('` + pane(platform) + ` .message.bot .press')].find(b => b.textContent.includes(` + quote(label) + `))`
			p.wait("the button "+label, "!!"+button)
			get[bool](p, `(`+button+`.click(), true)`)
		}
		m := w.await(platform, "the answer", answerTo("to see more"))
		p.wait("the buttons", `document.querySelectorAll('`+pane(platform)+` .message.bot .press').length >= 2`)
		p.act(platform, m.Ref, "turn", "⚙")
		press("👍")
		p.wait("the rating", `/\blike/.test(document.querySelector('.turn.open .facts')?.textContent)`)
		rated := slices.ContainsFunc(w.Set.ClickAI.Ratings(), func(r clickai.Rating) bool { return r.Rating == "like" && strings.HasPrefix(r.User, platform+":") })
		if !rated {
			t.Errorf("%s: ClickAI has the ratings %+v", platform, w.Set.ClickAI.Ratings())
		}
		if platform == "telegram" {
			continue
		}
		press("👎")
		why := "Wrong figures on " + platform
		why0 := `[...document.querySelectorAll('` + pane(platform) + ` .press')].find(b => !/👍|👎/.test(b.textContent))`
		p.wait("the window, or a button that opens it", `document.querySelector('dialog[open]') || `+why0)
		get[bool](p, `(document.querySelector('dialog[open]') || `+why0+`.click(), true)`)
		p.wait("the window", `!!document.querySelector('dialog[open] textarea')`)
		p.enter("dialog[open] textarea", why)
		p.click("dialog[open] .send")
		p.wait("no window", `!document.querySelector('dialog[open]')`)
		p.wait("the words at ClickAI", `document.querySelector('.turn.open .facts')?.textContent.includes(`+quote(why)+`)`)
	}
}
