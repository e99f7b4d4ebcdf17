package playground

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/clickai/bridge/internal/sim"
)

// links knows which messages belong to which turn. It works that out from outside: a turn names its platform in its user, and
// its room in the inputs of its conversation's first turn; its query holds what the person wrote; and turns of one
// conversation run one after the other, so what the bot writes in its place until the next one belongs to it.
type links struct {
	notifier sim.Notifier // told when a did changed

	mu    sync.Mutex
	turns map[int]*linked
	byMsg map[string]int    // message → turn
	convs map[string]string // conversation → place key
	// counts are the letters of each state of a message, by its time: they are counted once.
	counts map[string]map[int64]int
}

// linked is a turn with its place.
type linked struct {
	platform, room, thread, where string
	did                           did
	seen                          string // what did was worked out from
}

// did is what the bridge did with a turn, as far as its platform saw it.
type did struct {
	Messages []string `json:"messages"` // keys, the questions' first
	Posts    int      `json:"posts"`
	Edits    int      `json:"edits"`
	First    int64    `json:"first"` // milliseconds from the question to the first text
	Last     int64    `json:"last"`  // to the last change
	// Lag is how long after ClickAI's event the text was to be seen: the newest state, the middle one, the worst one.
	Lag    int64   `json:"lag"`
	Median int64   `json:"median"`
	Worst  int64   `json:"worst"`
	States []state `json:"states"` // the newest maxStates
	Shown  int     `json:"shown"`  // letters that stand there now
	Budget budget  `json:"budget"` // what was left of the platform's allowance
}

// state is one state of the reply: milliseconds after the question, letters, lag in milliseconds.
type state struct {
	At      int64 `json:"at"`
	Letters int   `json:"n"`
	Lag     int64 `json:"lag"`
}

const maxStates = 60

func newLinks() *links {
	return &links{turns: map[int]*linked{}, byMsg: map[string]int{}, convs: map[string]string{}, counts: map[string]map[int64]int{}}
}

func (l *links) turnOf(key string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.byMsg[key]
}

func (l *links) whereIs(turn int) (platform, where string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if t := l.turns[turn]; t != nil {
		return t.platform, t.where
	}
	return "", ""
}

func (l *links) did(turn int) (did, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.turns[turn]
	if t == nil {
		return did{}, false
	}
	d := t.did
	d.Messages, d.States = slices.Clone(d.Messages), slices.Clone(d.States)
	return d, true
}

// turnMark is what links need to know of a turn.
type turnMark struct {
	id             int
	platform, room string
	query          string
	conversation   string
	started        time.Time
	texts          []textMark
}

// snapshot is the turns as links need them.
func (r *Relay) snapshot() []turnMark {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]turnMark, 0, len(r.turns))
	for _, t := range r.turns {
		platform, _, _ := strings.Cut(t.User, ":")
		room, _ := t.Inputs["room"].(string)
		// The marks are only ever appended to, or replaced.
		out = append(out, turnMark{t.ID, platform, room, t.Query, t.ConversationID, t.Started, slices.Clip(t.texts)})
	}
	return out
}

// learn works out what the messages of a platform belong to. messages are all that are shown, in the order of their places.
func (l *links) learn(p *platform, places []sim.Place, messages []sim.Message, turns []turnMark) {
	l.mu.Lock()
	defer l.mu.Unlock()
	asked := map[string]bool{} // messages that are part of a question already
	alive := map[int]bool{}
	for _, t := range turns {
		alive[t.id] = true
		if t.platform != p.Name() {
			continue
		}
		lt := l.turns[t.id]
		questions := l.questions(p, messages, t, asked)
		if lt == nil {
			lt = &linked{platform: p.Name()}
			if len(questions) == 0 && !l.unwritten(messages, t, lt) {
				continue
			}
			l.turns[t.id] = lt
		}
		if n := len(questions); n > 0 {
			lt.room, lt.thread = answerPlace(p, messages, questions[n-1])
		}
		lt.where = placeName(places, lt.room, lt.thread)
		if t.conversation != "" {
			l.convs[t.conversation] = lt.room + "|" + lt.thread
		}
		lt.did.Messages = lt.did.Messages[:0]
		for _, q := range questions {
			key := messageKey(p.Name(), q.Ref)
			asked[key] = true
			l.byMsg[key] = t.id
			lt.did.Messages = append(lt.did.Messages, key)
		}
	}
	for i, t := range turns {
		if lt := l.turns[t.id]; lt != nil && t.platform == p.Name() {
			l.replies(p, messages, t, lt, l.next(turns[i+1:], lt))
		}
	}
	for id := range l.turns {
		if !alive[id] {
			delete(l.turns, id)
		}
	}
	l.forget(p, messages)
	l.notifier.Notify()
}

// forget drops messages of a platform that are not shown any more.
func (l *links) forget(p *platform, messages []sim.Message) {
	shown := make(map[string]bool, len(messages))
	for _, m := range messages {
		shown[messageKey(p.Name(), m.Ref)] = true
	}
	for key := range l.byMsg {
		if strings.HasPrefix(key, "m|"+p.Name()+"|") && !shown[key] {
			delete(l.byMsg, key)
			delete(l.counts, key)
		}
	}
	const most = 1000
	if len(l.convs) > most {
		clear(l.convs)
	}
}

// questions are the messages that a turn asks.
func (l *links) questions(p *platform, messages []sim.Message, t turnMark, asked map[string]bool) []sim.Message {
	home, known := l.convs[t.conversation]
	query := squash(t.query)
	var out []sim.Message
	for _, m := range messages {
		key := messageKey(p.Name(), m.Ref)
		room, thread := m.Room, m.Thread
		if was := l.byMsg[key]; was == t.id {
			out = append(out, m)
			continue
		} else if was != 0 || asked[key] || m.Bot || m.At.After(t.started) || t.room != "" && room != t.room {
			continue
		}
		if known && room+"|"+thread != home && room+"|"+m.ID != home {
			continue
		}
		if text := squash(cutMentions(m.Shown, p.bot)); text != "" && strings.Contains(query, text) || text == "" && len(m.Files) > 0 && strings.Contains(t.query, m.Files[0].Name) {
			out = append(out, m)
		}
	}
	slices.SortStableFunc(out, func(a, b sim.Message) int { return a.At.Compare(b.At) })
	// Words that were said before in the same way are not asked again: the newest place counts.
	if n := len(out); n > 1 {
		last := out[n-1]
		out = slices.DeleteFunc(out, func(m sim.Message) bool {
			return m.Room != last.Room || m.Thread != last.Thread || m.ID != last.ID && squash(m.Shown) == squash(last.Shown)
		})
	}
	return out
}

// unwritten finds where a question was asked that nobody wrote, but asked by a button: where its conversation is, or where the
// bot repeats it above its answer.
func (l *links) unwritten(messages []sim.Message, t turnMark, lt *linked) bool {
	if home, ok := l.convs[t.conversation]; ok {
		lt.room, lt.thread, _ = strings.Cut(home, "|")
		return true
	}
	query := squash(t.query)
	for _, m := range messages {
		if m.Bot && !m.At.Before(t.started) && (t.room == "" || m.Room == t.room) && query != "" && strings.Contains(squash(m.Shown), query) {
			lt.room, lt.thread = m.Room, m.Thread
			return true
		}
	}
	return false
}

// answerPlace is where the answer to a question stands: in a thread that has the question's id, if there is one.
func answerPlace(p *platform, messages []sim.Message, q sim.Message) (room, thread string) {
	if q.Thread == "" && p.Name() != "telegram" && slices.ContainsFunc(messages, func(m sim.Message) bool { return m.Room == q.Room && m.Thread == q.ID }) {
		return q.Room, q.ID
	}
	return q.Room, q.Thread
}

func placeName(places []sim.Place, room, thread string) string {
	name := ""
	for _, x := range places {
		if x.Room == room && x.Thread == "" {
			name = x.Name
		}
	}
	for _, x := range places {
		if thread != "" && x.Room == room && x.Thread == thread {
			name += " › " + x.Name
		}
	}
	return name
}

// next is when the next turn in the same place began.
func (l *links) next(later []turnMark, lt *linked) time.Time {
	for _, t := range later {
		if x := l.turns[t.id]; x != nil && x.platform == lt.platform && x.room == lt.room && x.thread == lt.thread {
			return t.started
		}
	}
	return time.Time{}
}

// replies finds what the bot wrote for a turn, and measures it.
func (l *links) replies(p *platform, messages []sim.Message, t turnMark, lt *linked, until time.Time) {
	d := &lt.did
	var changes []change
	posts, edits := 0, 0
	for _, m := range messages {
		if !m.Bot || m.Room != lt.room || m.Thread != lt.thread || m.At.Before(t.started) || !until.IsZero() && m.At.After(until) {
			continue
		}
		key := messageKey(p.Name(), m.Ref)
		l.byMsg[key] = t.id
		d.Messages = append(d.Messages, key)
		posts++
		edits += len(m.Versions) - 1
		changes = append(changes, change{key: key, message: m})
	}
	seen := fmt.Sprint(d.Messages, edits, len(t.texts))
	if seen == lt.seen {
		return
	}
	lt.seen, d.Posts, d.Edits = seen, posts, edits
	l.measure(t, d, changes)
	a := p.allows(lt.room)
	d.Budget = a.scarcest(a.times(messages, lt.room, lt.thread), t.started, t.started.Add(time.Duration(d.Last+1)*time.Millisecond))
}

// change is a message with its states.
type change struct {
	key     string
	message sim.Message
}

func (l *links) measure(t turnMark, d *did, all []change) {
	type step struct {
		at             time.Time
		index, letters int
	}
	var steps []step
	for i, c := range all {
		known := l.counts[c.key]
		if known == nil {
			known = map[int64]int{}
			l.counts[c.key] = known
		}
		for _, v := range c.message.Versions {
			at := v.At.UnixNano()
			n, ok := known[at]
			if !ok {
				n = letters(v.Shown)
				known[at] = n
			}
			steps = append(steps, step{v.At, i, n})
		}
	}
	slices.SortStableFunc(steps, func(a, b step) int { return a.at.Compare(b.at) })
	now, total := make([]int, len(all)), 0
	lags := make([]int64, 0, len(steps))
	d.States = nil
	for _, c := range steps {
		total += c.letters - now[c.index]
		now[c.index] = c.letters
		s := state{At: c.at.Sub(t.started).Milliseconds(), Letters: total, Lag: lag(t.texts, total, c.at)}
		d.States = append(d.States, s)
		lags = append(lags, s.Lag)
	}
	d.Shown = total
	if len(lags) == 0 {
		return
	}
	d.First, d.Last, d.Lag = d.States[0].At, d.States[len(d.States)-1].At, lags[len(lags)-1]
	slices.Sort(lags)
	d.Median, d.Worst = lags[len(lags)/2], lags[len(lags)-1]
	d.States = d.States[max(0, len(d.States)-maxStates):]
}

// lag is how much later than ClickAI's event the last letter shown was to be seen, in milliseconds. What the bridge adds of
// its own counts with the last event.
func lag(texts []textMark, shown int, at time.Time) int64 {
	for _, m := range texts {
		if m.Letters >= shown {
			return max(0, at.Sub(m.At).Milliseconds())
		}
	}
	if len(texts) == 0 {
		return 0
	}
	return max(0, at.Sub(texts[len(texts)-1].At).Milliseconds())
}

// cutMentions takes the bot's name out of a question, as it is not part of the query.
func cutMentions(text, bot string) string {
	for _, name := range []string{"@" + bot, "@acme_support_bot"} {
		text = strings.ReplaceAll(text, name, "")
	}
	return text
}

// squash makes texts comparable that differ in white space.
func squash(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }
