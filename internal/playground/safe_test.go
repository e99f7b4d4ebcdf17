package playground_test

import (
	"testing"

	"github.com/clickai/bridge/internal/playground"
	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/discord"
	"github.com/clickai/bridge/internal/sim/slack"
	"github.com/clickai/bridge/internal/sim/telegram"
)

const attack = `<img src=x onerror="window.ran=1"><script>window.ran=1</script>`

// TestNothingRuns puts a script into a message, a file's name and contents, and the names of a person and a room.
func TestNothingRuns(t *testing.T) {
	t.Parallel()
	w := open(t, func(o *playground.WorldOptions) {
		o.Standins.Slack = slack.Options{
			Users:    []slack.User{{ID: slack.Minh, Name: "minh.nguyen", Real: attack, Display: attack}},
			Channels: []slack.Channel{{ID: slack.General, Name: attack}},
		}
		o.Standins.Discord = discord.Options{People: []discord.Person{{ID: discord.Minh, Name: attack, DM: discord.DMMinh}}}
		o.Standins.Telegram = telegram.Options{Users: []telegram.User{{ID: 5000000001, FirstName: attack, Username: "minh_tran", Language: "en"}}}
	})
	p := w.browse(1700, 1000)
	for _, x := range []struct{ platform, room, user string }{
		{"slack", slack.DM(slack.Minh), slack.Minh}, {"discord", discord.DMMinh, discord.Minh}, {"telegram", telegram.Minh, telegram.Minh},
	} {
		files := []sim.File{
			{Name: attack + ".html", MIME: "text/html", Data: []byte("<script>parent.ran=1</script>")},
			{Name: "picture.svg", MIME: "image/svg+xml", Data: []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>window.ran=1</script></svg>`)},
		}
		text := attack + " [click](javascript:window.ran=1)"
		q, err := w.platform(x.platform).Say(t.Context(), sim.Say{Room: x.room, User: x.user, Text: text, Files: files})
		if err != nil {
			t.Fatal(err)
		}
		w.await(x.platform, "the answer", func(m sim.Message) bool { return m.Bot && m.Room == x.room })
		get[bool](p, `([...document.querySelectorAll('`+pane(x.platform)+` .places button')].find(b => b.dataset.at === `+quote(x.room+"|")+`).click(), true)`)
		p.wait("the message", "!!"+message(x.platform, q.Ref))
		if got := get[string](p, message(x.platform, q.Ref)+`.querySelector('.head strong').textContent`); got != attack {
			t.Errorf("%s: the name reads %q", x.platform, got)
		}
		if got := p.body(x.platform, q.Ref); got != w.looks(x.platform, q.Ref) {
			t.Errorf("%s: the message reads %q", x.platform, got)
		}
		for _, link := range get[[]string](p, `[...document.querySelectorAll('`+pane(x.platform)+` .file a')].map(a => a.href)`) {
			kind := get[string](p, `fetch(`+quote(link)+`).then(r => r.headers.get('Content-Type') + ' ' + r.headers.get('Content-Disposition').split(';')[0] + ' ' + r.headers.get('Content-Security-Policy'))`)
			if want := "application/octet-stream attachment default-src 'none'; sandbox"; kind != want {
				t.Errorf("%s: a file is served as %q, not as %q", x.platform, kind, want)
			}
		}
	}
	p.wait("the turns", `document.querySelectorAll('.turn .status.finished').length >= 3`)
	if get[bool](p, `'ran' in window`) {
		t.Error("a script ran")
	}
	if n := get[int](p, `document.querySelectorAll('.pane img[src="x"], .pane script, [onerror], a[href^="javascript"]').length`); n != 0 {
		t.Errorf("%d elements were made of text", n)
	}
	// Nor can the page itself be made to run what stands in it.
	if !get[bool](p, `new Promise(done => { addEventListener('securitypolicyviolation', () => done(true), { once: true }); const s = document.createElement('div'); try { s.innerHTML = '<b onclick="window.ran=1">'; } catch (e) { done(true); } })`) {
		t.Error("markup can be written into the page")
	}
	p.forgive()
}

// forgive forgets complaints that a test has caused on purpose.
func (p *page) forgive() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.said = nil
}
