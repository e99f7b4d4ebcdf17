package playground_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"unicode"

	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/clickai/bridge/internal/sim"
)

// page is the playground in a tab of the browser.
type page struct {
	t   *testing.T
	ctx context.Context
	w   *world

	mu   sync.Mutex
	said []string // what the browser complained about
}

// browse opens the page at a size of the window.
func (w *world) browse(width, height int64) *page {
	w.t.Helper()
	if errBrowser != nil {
		w.t.Fatal(errBrowser)
	}
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	p := &page{t: w.t, ctx: ctx, w: w}
	err := chromedp.Listen(ctx, func(e any) {
		switch e := e.(type) {
		case *runtime.EventExceptionThrown:
			p.complain(fmt.Sprintf("exception: %s %+v", e.ExceptionDetails.Text, e.ExceptionDetails.Exception))
		case *log.EventEntryAdded:
			// Refused acts are answered with 422, which the browser notes as an error.
			if e.Entry.Level == log.EntryLevelError && !strings.Contains(e.Entry.Text, "422") {
				p.complain(e.Entry.Text + " " + e.Entry.URL)
			}
		}
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if len(p.said) > 0 {
			w.t.Errorf("the browser complained:\n%s", strings.Join(p.said, "\n"))
		}
		cancel()
	})
	// Several pages are used at once; each is to behave as the one in front.
	p.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
		return err
	}))
	p.do(chromedp.EmulateViewport(width, height), chromedp.Navigate(w.Server.URL()))
	p.wait("the places of three panes", `document.querySelectorAll('.pane .places button[aria-current]').length === 3`)
	return p
}

func (p *page) complain(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.said = append(p.said, text)
}

// do runs actions in the browser.
func (p *page) do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		p.t.Fatal(err)
	}
}

// wait waits until an expression of the page is true.
func (p *page) wait(what, expression string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	// Not chromedp.Poll: it compiles text in the page, which the page's policy forbids.
	// What is not there yet has no properties: that is no reason to give up.
	look := `new Promise(done => {
		const holds = () => { try { return !!(` + expression + `); } catch (e) { if (e instanceof TypeError) return false; throw e; } };
		const look = () => { if (holds()) done(true); else setTimeout(look, 50); };
		look();
	})`
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool](look, chromedp.EvalAwaitPromise)); err != nil {
		text, _ := chromedp.Run(p.ctx, chromedp.Evaluate[string](`document.body.innerText.slice(0, 4000)`))
		p.t.Fatalf("wait for %s (%s): %v\nthe page says:\n%s", what, expression, err, text)
	}
}

// get evaluates an expression.
func get[T any](p *page, expression string) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	out, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("%s: %v", expression, err)
	}
	return out
}

// click clicks what a selector finds first, as a mouse does: where it shows, and with nothing over it. chromedp's own ways by
// selectors keep a copy of the document, which they read while they change it.
func (p *page) click(selector string) {
	p.t.Helper()
	node := "document.querySelector(" + quote(selector) + ")"
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	for ctx.Err() == nil {
		p.wait("something to click at "+selector, `(() => { const n = `+node+`; if (!n || n.disabled) return false; n.scrollIntoView({ block: 'nearest', inline: 'nearest' });
			const r = n.getBoundingClientRect(), x = r.x + r.width / 2, y = r.y + r.height / 2; const at = document.elementFromPoint(x, y);
			if (!at || !(n === at || n.contains(at))) return false; window.clickAt = [x, y]; window.clicked = false;
			document.addEventListener('click', e => { window.clicked = !!e.target.closest(`+quote(selector)+`); }, { once: true, capture: true }); return true; })()`)
		at := get[[2]float64](p, "window.clickAt")
		p.do(chromedp.MouseClickXY(at[0], at[1]))
		if get[bool](p, "window.clicked") {
			return
		}
		// It has moved before the mouse was there.
	}
	p.t.Fatalf("%s is never where the mouse is", selector)
}

// enter types into what a selector finds first.
func (p *page) enter(selector, text string) {
	p.t.Helper()
	p.wait("the field "+selector, "!!document.querySelector("+quote(selector)+")")
	get[bool](p, "(document.querySelector("+quote(selector)+").focus(), true)")
	p.do(chromedp.KeyEvent(text))
}

// choose sets the value of a list or field, as its own control does.
func (p *page) choose(selector, value string) {
	p.t.Helper()
	get[bool](p, `(() => { const n = document.querySelector(`+quote(selector)+`); n.value = `+quote(value)+`; for (const e of ['input', 'change']) n.dispatchEvent(new Event(e, { bubbles: true })); return true; })()`)
}

// pick chooses a file of this machine in a file field.
func (p *page) pick(selector, file string) {
	p.t.Helper()
	p.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		found, err := chromedp.Call(ctx, runtime.Evaluate, runtime.EvaluateParams{Expression: "document.querySelector(" + quote(selector) + ")"})
		if err != nil {
			return err
		}
		_, err = chromedp.Call(ctx, dom.SetFileInputFiles, dom.SetFileInputFilesParams{Files: []string{file}, ObjectID: found.Result.ObjectID})
		return err
	}))
}

func pane(name string) string { return "#pane-" + name }

// write types into a pane's composer and presses Enter.
func (p *page) write(platform, text string) {
	p.t.Helper()
	p.enter(pane(platform)+" .composer textarea", text+kb.Enter)
}

// key is how the page names a message.
func key(platform string, m sim.Ref) string {
	return strings.Join([]string{"m", platform, m.Room, m.Thread, m.ID}, "|")
}

func quote(s string) string {
	data, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(data)
}

// message is an expression for the node of a message.
func message(platform string, m sim.Ref) string {
	return "document.querySelector('.message[data-key='+JSON.stringify(" + quote(key(platform, m)) + ")+']')"
}

// body is what the page shows of a message, without white space.
func (p *page) body(platform string, m sim.Ref) string {
	p.t.Helper()
	return bare(get[string](p, fmt.Sprintf("(%s?.querySelector('.body').textContent) || ''", message(platform, m))))
}

// same waits until the page shows of a message what the stand-in holds.
func (p *page) same(platform string, m sim.Ref) {
	p.t.Helper()
	p.compare(platform, m, func(want, got string) bool { return want == got })
}

// compare waits until what the stand-in holds of a message and what the page shows of it are as they should be.
func (p *page) compare(platform string, m sim.Ref, fit func(want, got string) bool) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	for {
		got, want := p.body(platform, m), p.w.looks(platform, m)
		if fit(want, got) {
			return
		}
		if ctx.Err() != nil {
			p.t.Errorf("%s: the page shows\n%s\nthe stand-in holds\n%s", platform, got, want)
			return
		}
		p.frame()
	}
}

// frame waits until the page has drawn once more, or might have.
func (p *page) frame() {
	p.t.Helper()
	get[bool](p, `new Promise(done => setTimeout(() => done(true), 50))`)
}

func bare(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
}

// looks is what the stand-in holds of a message, as its client draws it, without white space.
func (w *world) looks(platform string, m sim.Ref) string {
	w.t.Helper()
	for _, p := range w.Set.Platforms() {
		if p.Name() != platform {
			continue
		}
		blocks, err := p.(sim.Looker).Look(m)
		if err != nil {
			w.t.Fatal(err)
		}
		var b strings.Builder
		for _, x := range blocks {
			b.WriteString(x.Mark + sim.Text(x.Spans))
			for _, row := range x.Rows {
				for _, c := range row {
					b.WriteString(sim.Text(c.Spans))
				}
			}
		}
		// Buttons are text in this drawing, and buttons on the page.
		return strings.TrimSuffix(bare(b.String()), "[👍][👎]")
	}
	w.t.Fatalf("no platform %s", platform)
	return ""
}

func (w *world) platform(name string) sim.Platform {
	w.t.Helper()
	for _, p := range w.Set.Platforms() {
		if p.Name() == name {
			return p
		}
	}
	w.t.Fatalf("no platform %s", name)
	return nil
}

// until waits until a stand-in's state is as wanted.
func (w *world) until(platform, what string, ok func(sim.Platform) bool) {
	w.t.Helper()
	p := w.platform(platform)
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	for {
		changed := p.Changed()
		if ok(p) {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			w.t.Fatalf("%s: waited in vain for %s", platform, what)
		}
	}
}

// bots are the messages of the bot in all places of a platform.
func bots(p sim.Platform) []sim.Message {
	var out []sim.Message
	seen := map[sim.Ref]bool{}
	for _, x := range p.Places() {
		for _, m := range p.Messages(x.Room, x.Thread) {
			if m.Bot && !seen[m.Ref] {
				seen[m.Ref] = true
				out = append(out, m)
			}
		}
	}
	return out
}
