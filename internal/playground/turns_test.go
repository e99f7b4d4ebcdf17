package playground_test

import (
	"context"
	"strconv"
	"strings"
	"testing"

	"github.com/clickai/bridge/internal/playground"
	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/standins"
)

// TestTurns asks on each platform from the page, and compares what the page shows with what the stand-in holds. Then it goes
// from messages to their turns and back, and compares what ClickAI's side shows with what ClickAI saw.
func TestTurns(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	p := w.browse(1700, 1000)
	for _, platform := range []string{"slack", "discord", "telegram"} {
		p.write(platform, "A question on "+platform)
	}
	for _, platform := range []string{"slack", "discord", "telegram"} {
		w.until(platform, "a whole answer", func(x sim.Platform) bool {
			all := bots(x)
			return len(all) == 1 && strings.Contains(all[0].Shown, "to see more")
		})
		m := bots(w.platform(platform))[0]
		p.wait("the answer on the page", message(platform, m.Ref)+`?.textContent.includes('to see more')`)
		p.same(platform, m.Ref)
		if m.Thread != "" {
			p.wait("the thread", `document.querySelector('`+pane(platform)+` .room-head h3').textContent.includes('🧵')`)
		}
	}
	p.wait("three turns", `document.querySelectorAll('.turn .status.finished').length === 3`)
	for _, turn := range w.Set.ClickAI.Turns() {
		platform, _, _ := strings.Cut(turn.User, ":")
		m := w.await(platform, "the answer", answerTo("to see more"))
		p.act(platform, m.Ref, "turn", "⚙")
		p.wait("the turn of "+platform, `document.querySelector('.turn.open')?.textContent.includes(`+quote(turn.Question)+`)`)
		p.wait("the message marked", message(platform, m.Ref)+`.classList.contains('lit')`)
		if others := get[int](p, `document.querySelectorAll('.pane:not(`+pane(platform)+`) .message.lit').length`); others != 0 {
			t.Errorf("%s: %d messages of other platforms are marked", platform, others)
		}
		for _, want := range []string{turn.ConversationID, turn.MessageID, turn.User, "message_end", "/v1/chat-messages", `"response_mode": "streaming"`} {
			p.wait("ClickAI's side of "+platform, `document.querySelector('.turn.open').textContent.includes(`+quote(want)+`)`)
		}
		// Pings are left out: they come by the clock.
		pings := 0
		for _, e := range turn.Events {
			if e.Kind == "ping" {
				pings++
			}
		}
		if n := get[int](p, `[...document.querySelectorAll('.turn.open .event b')].filter(b => b.textContent !== 'ping').length`); n != turn.EventCount-pings {
			t.Errorf("%s: %d events, ClickAI sent %d", platform, n, turn.EventCount-pings)
		}
		answer := get[string](p, `[...document.querySelectorAll('.turn.open .event.text span')].map(s => s.textContent).join('')`)
		if answer != turn.Answer {
			t.Errorf("%s: the events say %q, ClickAI %q", platform, answer, turn.Answer)
		}
		p.wait("what the bridge did", `document.querySelectorAll('.turn.open .box').length === 6`)
	}
	// Back: a click on a turn shows its messages, also when the pane shows another place.
	p.click(pane("slack") + ` .places button[data-at="C0SUPPORT1|"]`)
	turn := get[string](p, `[...document.querySelectorAll('.turn')].find(c => c.textContent.includes('A question on slack')).id`)
	p.click("#" + turn + " .turn-head")
	p.wait("the messages of the turn", `document.querySelectorAll('`+pane("slack")+` .message.lit').length === 2`)
}

// TestSamples asks for each built-in answer from the menu, on all platforms at once.
func TestSamples(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	p := w.browse(1700, 1000)
	names := get[[]string](p, `[...document.querySelectorAll('#answers button')].map(b => b.dataset.sample)`)
	if len(names) < 10 {
		t.Fatalf("%d samples: %v", len(names), names)
	}
	shows := map[string]string{"picture": "img", "voice": "audio"}
	n := 0
	for _, name := range []string{"picture", "voice", "tools", "steps", "error", "moderation", "long"} {
		get[bool](p, `(document.querySelector('#answers').open = true)`)
		p.click(`#answers button[data-sample="` + name + `"]`)
		get[bool](p, `(document.querySelector('#answers').open = false, true)`)
		n += 3
		p.wait("the turns of "+name, `document.querySelectorAll('.turn .status:not(.running)').length === `+strconv.Itoa(n))
		if tag := shows[name]; tag != "" {
			for _, platform := range []string{"slack", "discord", "telegram"} {
				p.wait(tag+" on "+platform, `!!document.querySelector('`+pane(platform)+` .message.bot .files `+tag+`')`)
			}
		}
	}
	for _, mode := range []string{"agent-chat", "workflow"} {
		found := 0
		for _, turn := range w.Set.ClickAI.Turns() {
			if string(turn.Mode) == mode {
				found++
			}
		}
		if found != 3 {
			t.Errorf("%d turns of mode %s", found, mode)
		}
	}
	// What the panes show is what the stand-ins hold, in all that can be seen.
	for _, platform := range []string{"slack", "discord", "telegram"} {
		compared := 0
		for _, m := range bots(w.platform(platform)) {
			if p.body(platform, m.Ref) != "" {
				compared++
				p.compare(platform, m.Ref, strings.HasPrefix)
			}
		}
		if compared == 0 {
			t.Errorf("%s: nothing to compare", platform)
		}
	}
	if bad := w.Set.Violations(); len(bad) > 0 {
		t.Errorf("the bridge broke rules: %v", bad)
	}
}

// TestTour plays a tour from the page; a step that fails shows as such.
func TestTour(t *testing.T) {
	t.Parallel()
	w := open(t, func(o *playground.WorldOptions) {
		o.Tour = func(ctx context.Context, set *standins.Set, _ standins.AgentConfig, report func(playground.Step)) error {
			for _, st := range set.Stages() {
				m, err := st.Platform.Say(ctx, sim.Say{Room: st.Room.Room, Thread: st.Room.Thread, User: st.Person, Mention: st.Mention, Text: "A tour"})
				report(playground.Step{Platform: st.Title, Name: "a question", Seen: err == nil, Detail: m.ID})
			}
			return nil
		}
	})
	p := w.browse(1700, 1000)
	get[bool](p, `(document.querySelector('#tour').open = true)`)
	p.click("#tour-start")
	p.wait("the end of the tour", `document.querySelector('#tour-result')?.textContent === 'Every step was seen.'`)
	p.wait("its steps", `document.querySelectorAll('#tour .steps .seen').length === 3`)
	for _, platform := range []string{"slack", "discord", "telegram"} {
		w.await(platform, "the answer", answerTo("to see more"))
	}
}

// TestPlaces opens threads, posts and topics as people do.
func TestPlaces(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	p := w.browse(1700, 1000)
	// Slack: a thread under a message of somebody, in which the bot is asked.
	get[bool](p, `(document.querySelector('`+pane("slack")+` .mention input').click(), true)`)
	p.write("slack", "Has anybody seen the invoice?")
	q := w.await("slack", "the message", func(m sim.Message) bool { return strings.Contains(m.Shown, "invoice") })
	p.act("slack", q.Ref, "thread", "🧵")
	get[bool](p, `(document.querySelector('`+pane("slack")+` .mention input').checked = true)`)
	p.write("slack", "Where is it?")
	m := w.await("slack", "the answer", answerTo("to see more"))
	if m.Thread != q.ID {
		t.Errorf("Slack: the answer stands in thread %q", m.Thread)
	}
	p.click(pane("slack") + " .back")
	p.wait("the thread's line", message("slack", q.Ref)+`?.querySelector('.thread button')?.textContent.includes('2')`)

	// Discord: a post in the forum, and a thread of a message.
	p.click(pane("discord") + ` .places button[data-at="1100000000000000013|"]`)
	p.write("discord", "How do I return it?")
	post := w.await("discord", "the answer in the post", answerTo("to see more"))
	if post.Room != "1100000000000000013" || post.Thread == "" {
		t.Errorf("Discord: the answer stands in %+v", post.Ref)
	}
	p.wait("the post's answer on the page", "!!"+message("discord", post.Ref))
	p.click(pane("discord") + ` .places button[data-at="1100000000000000012|"]`)
	get[bool](p, `(document.querySelector('`+pane("discord")+` .mention input').checked = false, true)`)
	p.write("discord", "Just saying")
	said := w.await("discord", "the message", func(m sim.Message) bool { return strings.Contains(m.Shown, "Just saying") })
	p.act("discord", said.Ref, "thread", "🧵")
	w.until("discord", "the thread", func(s sim.Platform) bool {
		for _, x := range s.Places() {
			if x.Thread == said.ID {
				return true
			}
		}
		return false
	})

	// Telegram: a new topic in the forum, in which the bot is asked.
	p.click(pane("telegram") + ` .places button[data-at="-1002000000001|"]`)
	p.enter(pane("telegram")+" .composer textarea", "Returns")
	p.click(pane("telegram") + " .newtopic")
	p.wait("the topic", `document.querySelector('`+pane("telegram")+` .room-head h3').textContent.includes('Returns')`)
	p.write("telegram", "How long?")
	topic := w.await("telegram", "the answer in the topic", answerTo("to see more"))
	if topic.Thread == "" {
		t.Errorf("Telegram: the answer stands in %+v", topic.Ref)
	}

	// Direct chats: each person has one.
	for _, platform := range []string{"slack", "discord"} {
		p.click(pane(platform) + ` .places li:last-child button`)
		p.write(platform, "A direct question")
		w.await(platform, "the direct answer", answerTo("A direct question"))
	}
}
