package slack

import (
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/clickai/bridge/internal/sim"
)

// channel is a room. kind is "channel", "group", "mpim" or "im", as events call it.
type channel struct {
	id, name, kind string
	user           string // the person of an im
	members        []string
	archived       bool
	created        time.Time
	messages       []*message // by timestamp
	byTS           map[string]*message
	gone           map[string]bool // timestamps of deleted thread parents and messages, bounded by MaxMessages
	titles         map[string]string
	prompts        map[string][]string
}

// message is what the workspace stores. Its first version is how it was posted.
type message struct {
	ts, thread  string // thread is "" outside threads, and for a parent
	user        string
	bot         bool
	subtype     string
	clientID    string
	editedBy    string
	editedTS    string
	broadcast   bool
	unfurled    bool
	assistant   bool // the root of an assistant thread
	metadata    json.RawMessage
	attachments json.RawMessage
	files       []*file
	reactions   []reaction
	replies     []string // timestamps
	repliers    []string
	versions    []*content
	size        int // bytes of the versions after the first
	stream      *stream
	at          time.Time
}

// content is one state of a message.
type content struct {
	text   string
	blocks json.RawMessage // nil for none
	at     time.Time
	typed  bool // by a person: the blocks say what the text says

	read   bool // markup and shown are worked out, on the first look
	markup string
	shown  string
}

func (c *content) size() int { return len(c.text) + len(c.blocks) }

type reaction struct {
	name  string
	users []string
}

// status is the line that an assistant shows under a thread.
type status struct {
	text  string
	until time.Time
	seq   int
}

type placeKey struct{ room, thread string }

func (m *message) now() *content { return m.versions[len(m.versions)-1] }

// stampLocked is a new timestamp: seconds and six digits, unique in the workspace and growing.
// Source: https://docs.slack.dev/messaging/retrieving-messages
func (s *Server) stampLocked() string {
	micro := max(time.Now().UnixMicro(), s.lastStamp+1)
	s.lastStamp = micro
	return fmt.Sprintf("%d.%06d", micro/1e6, micro%1e6)
}

// validTS tells whether a string has a timestamp's form.
func validTS(ts string) bool {
	sec, frac, ok := strings.Cut(ts, ".")
	if !ok || len(frac) != 6 || sec == "" {
		return false
	}
	_, err1 := strconv.ParseUint(sec, 10, 63)
	_, err2 := strconv.ParseUint(frac, 10, 63)
	return err1 == nil && err2 == nil
}

// tsLess compares two timestamps; a missing fraction counts as zero, as in the oldest and latest arguments.
func tsLess(a, b string) bool {
	as, af, _ := strings.Cut(a, ".")
	bs, bf, _ := strings.Cut(b, ".")
	an, _ := strconv.ParseInt(as, 10, 64)
	bn, _ := strconv.ParseInt(bs, 10, 64)
	if an != bn {
		return an < bn
	}
	pad := func(f string) string { return (f + "000000")[:6] }
	return pad(af) < pad(bf)
}

// newIDLocked is an id of Slack's form: a letter and some ten upper-case characters.
func (s *Server) newIDLocked(prefix string) string {
	s.lastID++
	return prefix + "0" + strings.ToUpper(strconv.FormatInt(1<<47+s.lastID*7919, 36))
}

// addLocked stores a message under its timestamp and drops the oldest one over the bound.
func (s *Server) addLocked(ch *channel, m *message) {
	ch.messages = append(ch.messages, m)
	ch.byTS[m.ts] = m
	if m.thread != "" {
		if p := ch.byTS[m.thread]; p != nil {
			if len(p.replies) == 0 {
				s.threads = append(s.threads, placeKey{ch.id, p.ts})
			}
			p.replies = append(p.replies, m.ts)
			if !slices.Contains(p.repliers, m.user) {
				p.repliers = append(p.repliers, m.user)
			}
		}
	}
	if len(ch.messages) > s.opt.MaxMessages {
		old := ch.messages[0]
		ch.messages = slices.Delete(ch.messages, 0, 1)
		delete(ch.byTS, old.ts)
		s.forgetThreadLocked(ch.id, old.ts)
	}
}

func (s *Server) forgetThreadLocked(room, ts string) {
	s.threads = slices.DeleteFunc(s.threads, func(k placeKey) bool { return k == placeKey{room, ts} })
}

// removeLocked takes a message out of its channel, and out of its parent's replies.
func (s *Server) removeLocked(ch *channel, m *message) {
	i := sort.Search(len(ch.messages), func(i int) bool { return !tsLess(ch.messages[i].ts, m.ts) })
	if i < len(ch.messages) && ch.messages[i] == m {
		ch.messages = slices.Delete(ch.messages, i, i+1)
	}
	delete(ch.byTS, m.ts)
	if len(ch.gone) >= s.opt.MaxMessages {
		clear(ch.gone)
	}
	ch.gone[m.ts] = true
	if p := ch.byTS[m.thread]; p != nil {
		p.replies = slices.DeleteFunc(p.replies, func(ts string) bool { return ts == m.ts })
		if len(p.replies) == 0 {
			s.forgetThreadLocked(ch.id, p.ts)
		}
	}
}

// reviseLocked gives a message a new state.
func (s *Server) reviseLocked(m *message, text string, blocks json.RawMessage) {
	c := &content{text: text, blocks: blocks, at: time.Now()}
	m.versions = append(m.versions, c)
	m.size += c.size()
	for len(m.versions) > 2 && (len(m.versions) > s.opt.MaxVersions || m.size > s.opt.MaxVersionBytes) {
		m.size -= m.versions[1].size()
		m.versions = slices.Delete(m.versions, 1, 2)
	}
}

// tellLocked tells the observer what a message of the bot's says now.
func (s *Server) tellLocked(kind sim.SeenKind, ch *channel, m *message) {
	if s.opt.Observe == nil {
		return
	}
	text := ""
	if kind != sim.Deleted {
		text = m.now().raw()
	}
	s.opt.Observe.Tell(kind, ch.ref(m), time.Now(), text)
}

// ref names a message to the outside.
func (ch *channel) ref(m *message) sim.Ref {
	return sim.Ref{Room: ch.id, Thread: m.thread, ID: m.ts}
}

func (ch *channel) has(user string) bool { return slices.Contains(ch.members, user) }

// violateLocked records something that the bot did against the documentation.
func (s *Server) violateLocked(format string, args ...any) {
	if len(s.violations) < maxNotes {
		s.violations = append(s.violations, fmt.Sprintf(format, args...))
	}
	s.changed.Notify()
}

// maxNotes bounds the lists of violations and of pings; the first ones are the telling ones.
const maxNotes = 2000
