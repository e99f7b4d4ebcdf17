package main

import (
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/clickai"
)

// scene is what one person does in one place of their own, so that many can play at once.
type scene struct {
	*desk
	t     *testing.T
	name  string
	at    sim.Place // where the conversation stands
	dm    bool
	own   bool // commands are given in the platform's own form
	user  string
	other string // somebody else
	seen  map[string]bool
	end   func() // looks at the place once the bridge has ended; nil: nothing does
}

// scenesAtOnce bounds how many scenes of a test play at the same time.
const scenesAtOnce = 40

// cast plays scenes side by side. A test's own parallel runs are too few: scenes mostly wait for a platform's pace.
type cast struct {
	t     *testing.T
	slots chan struct{}
	wg    sync.WaitGroup
	all   []*scene
}

func newCast(t *testing.T) *cast {
	return &cast{t: t, slots: make(chan struct{}, scenesAtOnce)}
}

// play begins a scene; wait waits for all.
func (c *cast) play(s *scene, do func(*scene)) {
	s.t, s.seen = c.t, map[string]bool{}
	c.all = append(c.all, s)
	c.wg.Go(func() {
		c.slots <- struct{}{}
		defer func() { <-c.slots }()
		do(s)
	})
}

func (c *cast) wait() { c.wg.Wait() }

// end has the scenes look at what stands there after the bridge has ended.
func (c *cast) end() {
	for _, s := range c.all {
		if s.end != nil {
			s.end()
		}
	}
}

// fatalf ends the scene as failed.
func (s *scene) fatalf(format string, args ...any) {
	s.errorf(format, args...)
	runtime.Goexit()
}

func (s *scene) errorf(format string, args ...any) {
	s.t.Errorf(s.name+": "+format, args...)
}

func (s *scene) must(err error) {
	if err != nil {
		s.fatalf("%v", err)
	}
}

// until waits for a condition on what the stand-ins and the log tell.
func (s *scene) until(what string, cond func() bool) {
	over := time.NewTimer(90 * time.Second)
	defer over.Stop()
	for {
		shown, told, logged := s.Changed(), s.set.ClickAI.Changed(), s.log.changed.Changed()
		if cond() {
			return
		}
		select {
		case <-shown:
		case <-told:
		case <-logged:
		case <-over.C:
			var all []string
			for _, m := range append(s.lines(s.user), s.lines(s.other)...) {
				all = append(all, m.Shown)
			}
			s.fatalf("not seen: %s; there is %q", what, all)
		}
	}
}

// lines are what the bot shows to a person in the place.
func (s *scene) lines(user string) []sim.Message {
	var all []sim.Message
	for _, m := range s.Messages(s.at.Room, s.at.Thread) {
		if m.Bot {
			all = append(all, m)
		}
	}
	return append(all, s.alone(s.at, user)...)
}

// mark takes all that is shown now as seen.
func (s *scene) mark(user string) {
	for _, m := range s.lines(user) {
		s.seen[m.ID+"\x00"+m.Shown] = true
	}
}

// sees waits until a person is shown something new with all of the texts in it.
func (s *scene) sees(user string, want ...string) (found sim.Message) {
	s.until(strings.Join(want, " … "), func() bool {
		for _, m := range s.lines(user) {
			if !s.seen[m.ID+"\x00"+m.Shown] && !slices.ContainsFunc(want, func(w string) bool { return !strings.Contains(m.Shown, w) }) {
				found = m
				return true
			}
		}
		return false
	})
	return found
}

// firstLetters are those of a text's beginning, which says which turn it answers.
func firstLetters(text string, n int) string {
	all := []rune(letters(text))
	return string(all[:min(n, len(all))])
}

func (s *scene) say(user, text string, mention bool) sim.Message {
	q, err := s.Say(s.t.Context(), sim.Say{Room: s.at.Room, Thread: s.at.Thread, User: user, Text: text, Mention: mention})
	s.must(err)
	return q
}

// asks begins a question. Its answer stands where the scene goes on.
func (s *scene) asks(user, text string) {
	s.mark(user)
	q := s.say(user, text, !s.dm)
	if s.threads && !s.dm && s.at.Thread == "" {
		s.at.Thread = q.ID
	}
}

// ask has a question answered.
func (s *scene) ask(text string) clickai.Turn {
	return s.next(func() { s.asks(s.user, text) })
}

// next does what is answered by a turn, and waits until that is shown and stored.
func (s *scene) next(do func()) clickai.Turn {
	before := len(s.log.in(s.at.Room))
	do()
	s.until("the end of the turn", func() bool { return len(s.log.in(s.at.Room)) > before })
	end := s.log.in(s.at.Room)[before]
	turn, ok := s.set.ClickAI.Turn(end.message)
	if !ok {
		s.fatalf("ClickAI knows no message %q of the turn that ended as %s", end.message, end.outcome)
	}
	s.until("the answer", func() bool {
		shown := ""
		for _, m := range s.lines(s.user) {
			shown += m.Shown
		}
		shown = letters(shown)
		return strings.Contains(shown, firstLetters(turn.Answer, 20)) && strings.Contains(shown, lastLetters(turn.Answer, 40))
	})
	return turn
}

// gives gives a command and does not wait.
func (s *scene) gives(user, name, args string) {
	s.mark(user)
	if s.own {
		s.must(s.give(s.t.Context(), s.at, user, name, args))
		return
	}
	s.say(user, strings.TrimSpace("!"+name+" "+args), false)
}

// run gives a command and waits for what its person is shown.
func (s *scene) run(user, name, args string, want ...string) sim.Message {
	s.gives(user, name, args)
	return s.sees(user, want...)
}

// presses presses the button of that label.
func (s *scene) presses(user string, at sim.Ref, label string) {
	var id string
	s.until("the button "+label, func() bool {
		for _, b := range s.buttons(at) {
			if b.label == label {
				id = b.id
				return true
			}
		}
		return false
	})
	s.mark(user)
	s.must(s.press(s.t.Context(), at, user, id))
}

// line is one of the bridge's own lines in the language of the bot.
func (s *scene) line(name string) string {
	l, ok := chatLines[name][s.lang]
	if !ok {
		s.fatalf("there is no line %q", name)
	}
	return l
}

// conversation is one that exists at ClickAI.
func (s *scene) conversation(id string) (clickai.Conversation, bool) {
	for _, c := range s.set.ClickAI.Conversations() {
		if c.ID == id {
			return c, true
		}
	}
	return clickai.Conversation{}, false
}

// chatLines are what people read, without the signs before it.
var chatLines = map[string]map[string]string{
	"help":      {"en": "These commands work here", "vi": "Các lệnh dùng được ở đây"},
	"new":       {"en": "A new conversation begins with your next message.", "vi": "sẽ bắt đầu cuộc trò chuyện mới."},
	"idle":      {"en": "Nothing is being answered here.", "vi": "không có câu trả lời nào đang chạy."},
	"stopped":   {"en": "Stopped.", "vi": "Đã dừng."},
	"none":      {"en": "There is no conversation here yet.", "vi": "Ở đây chưa có cuộc trò chuyện nào."},
	"private":   {"en": "I show your conversations only to you", "vi": "Tôi chỉ cho bạn xem các cuộc trò chuyện của mình"},
	"list":      {"en": "Your conversations", "vi": "Các cuộc trò chuyện của bạn"},
	"chosen":    {"en": "We go on with: ", "vi": "Chúng ta tiếp tục với: "},
	"not found": {"en": "I do not find that conversation.", "vi": "Tôi không tìm thấy cuộc trò chuyện đó."},
	"renamed":   {"en": "The conversation is now called: ", "vi": "Cuộc trò chuyện nay có tên: "},
	"not yours": {"en": "Only whoever began this conversation, or an admin, can delete it.", "vi": "hoặc quản trị viên mới xóa được."},
	"deleted":   {"en": "The conversation is deleted.", "vi": "Đã xóa cuộc trò chuyện."},
	"turns":     {"en": "Answers so far: ", "vi": "Số câu trả lời: "},
	"app":       {"en": "App: demo", "vi": "Ứng dụng: demo"},
	"in thread": {"en": "Write the command inside the thread", "vi": "Hãy gõ lệnh trong chủ đề"},
	"no retry":  {"en": "There is nothing to ask again.", "vi": "Không có câu nào để hỏi lại."},
	"denied":    {"en": "I may not talk with you here.", "vi": "Tôi không được phép trò chuyện với bạn ở đây."},
}
