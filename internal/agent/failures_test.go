package agent_test

import (
	"context"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clickai/bridge/clickai"
	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/agent"
	"github.com/clickai/bridge/internal/memnet"
	faults "github.com/clickai/bridge/internal/sim"
	sim "github.com/clickai/bridge/internal/sim/clickai"
)

// failure is one way in which ClickAI fails, and all that must come of it.
type failure struct {
	name string

	mode    agent.Mode // chat, unless said
	real    bool       // over real sockets and in real time: for files, which are fetched with a dialer of their own
	options func(*sim.Options)
	client  func(*clickai.Config)
	config  func(*agent.Config)
	dial    func(*memnet.Listener) dialer
	most    int64 // bytes of a file that the platform takes

	first  bool // a question was answered before: the conversation is known
	do     func(*whole)
	faults []faults.Fault
	plays  [][]sim.Step // for the requests of the question, one after the other; then "fine"
	files  []string     // that come with the question

	asked  int           // generation requests that the stand-in saw; or many
	looked int           // looks at the history
	soon   bool          // one more look may have come before the stand-in had stored the answer that it was cut in
	sees   string        // what stands in the end
	also   []string      // further messages of the reply
	busy   bool          // whether the busy line stood meanwhile
	took   time.Duration // at least
	within time.Duration // at most; 0: no bound
	log    []string      // "LEVEL text": lines that must be there; nothing of a higher level may be
	conv   string        // of the stored id: kept, new
	check  func(*testing.T, *whole)
}

// many are as many requests as ten minutes with backoff bring.
const many = -1

type dialer = func(ctx context.Context, network, address string) (net.Conn, error)

// The bridge's own lines, as people see them.
const (
	setupText   = "⚠️ I am not set up correctly. Please tell whoever runs me. (ref …)"
	retryText   = "⚠️ I could not get an answer. `!retry` asks again. (ref …)"
	cutText     = "⚠️ The answer broke off. `!retry` asks again. (ref …)"
	quotaText   = "⚠️ My quota is used up for now. Please try again later. (ref …)"
	tooLongText = "⚠️ That is too long for me. Please shorten it. (ref …)"
	busyText    = "*⏳ This takes longer than usual; I keep trying …*"
)

// cannot is the line that passes on what ClickAI said.
func cannot(message string) string { return "⚠️ I could not answer: " + message + " (ref …)" }

// TestFailures is the whole of what the bridge does when ClickAI fails: before it has begun to answer, after that, and with
// its other calls. Each row runs the bridge against the stand-in over HTTP and looks at all sides: what ClickAI saw, what
// the person sees, what the log says, and what is stored.
func TestFailures(t *testing.T) {
	for _, table := range []struct {
		name string
		rows func() []failure
	}{{"before", beforeItHasBegun}, {"after", afterItHasBegun}, {"calls", otherCalls}} {
		t.Run(table.name, func(t *testing.T) {
			for i, f := range table.rows() {
				t.Run(f.name, func(t *testing.T) {
					if f.real {
						f.run(t)
						return
					}
					synctest.Test(t, func(t *testing.T) {
						table.rows()[i].run(t) // made anew: its gates have to belong to the bubble
					})
				})
			}
		})
	}
}

func (f *failure) run(t *testing.T) {
	w := newWhole(t, f)
	if f.first {
		w.server.Script(sim.ForQuery("first"), sim.Text("hello"))
		w.say("first")
	}
	for _, p := range f.plays {
		w.server.Script(nil, p...)
	}
	w.server.Script(nil, sim.Text("fine")).Times(0)
	for _, rule := range f.faults {
		w.server.Faults().Add(rule)
	}
	if f.do != nil {
		f.do(w)
	}
	asked, looked, shown, before, began := w.generations(), w.requests("GET /v1/messages"), w.room.count(), w.conversation(), time.Now()
	w.say("question", f.files...)
	took := time.Since(began)
	after := w.conversation()
	if got := w.generations() - asked; got != f.asked && (f.asked != many || got < 15 || got > 60) {
		t.Errorf("ClickAI was asked %d times, want %d", got, f.asked)
	}
	if got := w.requests("GET /v1/messages") - looked; got != f.looked && (!f.soon || got != f.looked+1) {
		t.Errorf("the history was looked at %d times, want %d", got, f.looked)
	}
	also := w.room.last(shown + 1)
	if f.check != nil {
		f.check(t, w)
	}
	w.stop()

	versions := w.room.versions(shown)
	switch want := append([]string{f.sees}, f.also...); {
	case f.real: // files and text are sent side by side
		all := w.room.last(shown)
		slices.Sort(all)
		slices.Sort(want)
		if !slices.Equal(all, want) {
			t.Errorf("the person sees\n%q, want\n%q", all, want)
		}
	case len(versions) == 0 || versions[len(versions)-1] != f.sees || !slices.Equal(also, f.also):
		t.Errorf("the person sees\n%q and %q, want\n%q and %q", versions, also, f.sees, f.also)
	}
	if got := slices.ContainsFunc(versions, func(v string) bool { return strings.HasSuffix(v, busyText) }); got != f.busy {
		t.Errorf("busy line seen: %v, want %v in %q", got, f.busy, versions)
	}
	if took < f.took || f.within > 0 && took > f.within {
		t.Errorf("the turn took %v, want %v to %v", took, f.took, f.within)
	}
	switch {
	case f.conv == "new" && (after == "" || after == before), f.conv == "kept" && after != before, f.conv == "":
		t.Errorf("stored conversation %q, before %q, want it %s", after, before, f.conv)
	}
	f.checkLog(t, w)
	for _, v := range w.server.Violations() {
		// Which apps refuse blocking mode cannot be known before one has been asked.
		if !strings.Contains(v, "does not support blocking mode") {
			t.Errorf("against the API: %s", v)
		}
	}
	journal, running, err := w.store.Turn(context.WithoutCancel(t.Context()), core.NewConvKey("acme", "support", core.Place{Room: "D1"}, ""))
	if err != nil || running {
		t.Errorf("journal left behind: %+v, %v", journal, err)
	}
}

// checkLog looks for the lines that must be there, for what is worse than they are, for secrets, and for the reference that
// the person was given.
func (f *failure) checkLog(t *testing.T, w *whole) {
	t.Helper()
	lines := w.log.lines()
	worst := "INFO"
	for _, want := range f.log {
		level, text, _ := strings.Cut(want, " ")
		if level == "ERROR" || level == "WARN" && worst == "INFO" {
			worst = level
		}
		if !slices.ContainsFunc(lines, func(line string) bool {
			return strings.Contains(line, " level="+level+" ") && strings.Contains(strings.ReplaceAll(line, `\"`, `"`), text)
		}) {
			t.Errorf("the log does not say: %s", want)
		}
	}
	for _, line := range lines {
		if strings.Contains(line, " level=ERROR ") && worst != "ERROR" || strings.Contains(line, " level=WARN ") && worst == "INFO" {
			t.Errorf("the log says more than it should: %s", line)
		}
		if strings.Contains(line, w.secret) || strings.Contains(line, "sk-abcdef") {
			t.Errorf("a key is in the log: %s", line)
		}
	}
	for _, all := range w.room.shown {
		for _, s := range all {
			if m := reference.FindStringSubmatch(s); m != nil && !slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, "turn_id="+m[1]) }) {
				t.Errorf("reference %s is not in the log", m[1])
			}
		}
	}
}
