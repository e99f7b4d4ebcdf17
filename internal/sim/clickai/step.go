package clickai

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/clickai/bridge/internal/sim"
)

// Step is one thing that an answer does. Steps hold no state of a run, so one list can be played by many runs at
// once; only a Gate and a Feed's channel are shared by all runs that play them.
type Step struct {
	play    func(*run) error
	begins  bool // needs ids: the question is stored before it
	visible bool // sends something: the opening events of the app's kind go before it
}

// Text sends pieces of the answer, one event each, in the app's own kind of text event, at the server's ChunkInterval.
func Text(parts ...string) Step { return Chunks(-1, parts...) }

// Chunks is Text with an interval of its own between the pieces; 0 means as fast as possible, negative the server's.
func Chunks(every time.Duration, parts ...string) Step {
	return Step{begins: true, visible: true, play: func(r *run) error {
		gap := every
		if gap < 0 {
			gap = r.s.opt.ChunkInterval
		}
		for _, p := range parts {
			if err := r.pace(gap); err != nil {
				return err
			}
			r.delta(p)
		}
		return nil
	}}
}

// Feed sends each text that comes over the channel as one piece of the answer, until the channel is closed.
func Feed(ch <-chan string) Step {
	return Step{begins: true, visible: true, play: func(r *run) error {
		for {
			text, err := r.receive(ch)
			if err != nil || text == nil {
				return err
			}
			r.delta(*text)
		}
	}}
}

// receive is wait for a channel of texts; nil when it is closed.
func (r *run) receive(ch <-chan string) (*string, error) {
	for {
		due := r.deadline
		pings := r.streaming && !r.gone && !r.pingAt.IsZero()
		if pings && r.pingAt.Before(due) {
			due = r.pingAt
		}
		r.timer.Reset(time.Until(due))
		select {
		case text, ok := <-ch:
			if !ok {
				return nil, nil
			}
			return &text, nil
		case <-r.timer.C:
			if !time.Now().Before(r.deadline) {
				return nil, errStopped
			}
			r.ping()
		case <-r.stopped:
			return nil, errStopped
		case <-r.left:
			r.lose()
		case <-r.s.closing:
			return nil, errClosing
		}
	}
}

// Send sends one event; fields are added to what every event of the app carries and win over it. A field of
// Omitted leaves it out, nil is null.
func Send(kind string, fields map[string]any) Step {
	return Step{begins: true, visible: true, play: func(r *run) error {
		r.event(kind, fields)
		return nil
	}}
}

// Raw sends exactly these bytes, and is no event of its own in what the turn tells but "raw".
func Raw(bytes string) Step {
	return Step{begins: true, play: func(r *run) error {
		r.send("raw", "", []byte(bytes), []byte(bytes))
		return nil
	}}
}

// Huge sends a node_finished event whose one line has at least n bytes of output.
func Huge(n int) Step {
	return Step{begins: true, visible: true, play: func(r *run) error {
		const piece = 64 << 10
		fill := make([]byte, min(n, piece))
		for i := range fill {
			fill[i] = 'x'
		}
		data := encode(r.envelope("node_finished"))
		r.send("huge", "", nil, append(append([]byte("data: "), data[:len(data)-1]...), `,"data":{"status":"succeeded","outputs":{"text":"`...))
		for left := n; left > 0 && !r.gone; left -= len(fill) {
			r.write(fill[:min(left, len(fill))])
		}
		r.write([]byte("\"}}}\n\n"))
		return r.poll()
	}}
}

// Ping sends a keep-alive now.
func Ping() Step {
	return Step{play: func(r *run) error {
		r.ping()
		return nil
	}}
}

// Pause waits; pings go on.
func Pause(d time.Duration) Step {
	return Step{play: func(r *run) error { return r.wait(time.Now().Add(d), nil, true) }}
}

// Beats waits n times the server's ChunkInterval; pings go on.
func Beats(n int) Step {
	return Step{play: func(r *run) error {
		if d := time.Duration(n) * r.s.opt.ChunkInterval; d > 0 {
			return r.wait(time.Now().Add(d), nil, true)
		}
		return r.poll()
	}}
}

// Gate holds runs back until it is opened. The zero value is not ready: use NewGate.
type Gate struct {
	opened, reached chan struct{}
	open, reach     sync.Once
}

// NewGate makes a closed gate.
func NewGate() *Gate { return &Gate{opened: make(chan struct{}), reached: make(chan struct{})} }

// Open lets everyone through, for ever.
func (g *Gate) Open() { g.open.Do(func() { close(g.opened) }) }

// Reached is closed when the first run stands at the gate.
func (g *Gate) Reached() <-chan struct{} { return g.reached }

func (g *Gate) step(pings bool) Step {
	return Step{play: func(r *run) error {
		g.reach.Do(func() { close(g.reached) })
		return r.wait(time.Time{}, g.opened, pings)
	}}
}

// Wait holds the answer back until the gate opens; pings go on.
func Wait(g *Gate) Step { return g.step(true) }

// Silence holds the answer back until the gate opens, without pings. As a first step it delays the header too.
func Silence(g *Gate) Step { return g.step(false) }

// Hang sends nothing more, not even pings, until the client goes away or the server is closed. The answer so far is
// stored.
func Hang() Step {
	return Step{play: func(r *run) error {
		r.settle("normal", "")
		for !r.gone {
			// A gate that never opens; the client's going ends the wait.
			if err := r.wait(time.Time{}, r.left, false); err != nil {
				return err
			}
			r.lose()
		}
		return errEnded
	}}
}

// Begin stores the question and gives the turn its ids without sending anything.
func Begin() Step { return Step{begins: true, play: func(*run) error { return nil }} }

// Store makes the history have this answer, whatever was streamed.
func Store(answer string) Step {
	return Step{begins: true, play: func(r *run) error {
		r.stored = &answer
		return nil
	}}
}

// Replace sends the text that is to stand in place of all so far: message_replace, or text_replace in a workflow.
func Replace(text, reason string) Step {
	return Step{begins: true, visible: true, play: func(r *run) error {
		r.answer.Reset()
		r.answer.WriteString(text)
		r.parts = nil
		if r.app.Mode == ModeWorkflow {
			r.event("text_replace", map[string]any{"data": map[string]any{"text": text}})
			return nil
		}
		r.event("message_replace", map[string]any{"answer": text, "reason": reason})
		return nil
	}}
}

// Fail ends the answer with an error event, as the app's kind has it.
func Fail(status int, code, message string) Step {
	return Step{begins: true, visible: true, play: func(r *run) error {
		r.fail(status, code, message)
		return nil
	}}
}

// AwaitPerson ends the stream of a workflow or chatflow at a node that waits for a person. Other apps take no notice.
func AwaitPerson(title, token string) Step {
	return Step{begins: true, visible: true, play: func(r *run) error {
		r.pause(title, token)
		return nil
	}}
}

// End sends the terminal events now; steps after it send what comes late.
func End() Step {
	return Step{begins: true, visible: true, play: func(r *run) error {
		r.finish(StatusFinished)
		return nil
	}}
}

// EndStream ends the stream properly but without a terminal event. The answer so far is stored.
func EndStream() Step { return Step{play: func(*run) error { return errEnded }} }

// Cut closes the connection. Steps after it still add to the answer that the history gets.
func Cut() Step {
	return Step{play: func(r *run) error {
		r.cut()
		return nil
	}}
}

// CutAfterBytes arms a cut: the connection is closed when n bytes of the stream have been sent.
func CutAfterBytes(n int64) Step {
	return Step{play: func(r *run) error {
		r.cutBytes = n
		return nil
	}}
}

// CutAfterEvents arms a cut: the connection is closed when n events, pings included, have been sent.
func CutAfterEvents(n int) Step {
	return Step{play: func(r *run) error {
		r.cutEvents = n
		return nil
	}}
}

// Reply answers with an HTTP response of any kind in place of the stream. Nothing is stored unless Begin came before.
func Reply(status int, header http.Header, body string) Step {
	return Step{play: func(r *run) error {
		if r.gone || r.headed {
			return errEnded
		}
		r.headed, r.ended = true, true
		r.turn.update(func(t *Turn) { t.HTTPStatus = status })
		r.mark(StatusRefused)
		w := r.call.w
		for k, v := range header {
			w.Header()[http.CanonicalHeaderKey(k)] = v
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body)) // a client that went away needs no answer
		return errEnded
	}}
}

// ReplyError is Reply with the API's own error body.
func ReplyError(status int, code, message string) Step {
	e := &apiError{status: status, code: code, message: message}
	return Reply(status, http.Header{"Content-Type": {"application/json"}}, string(e.body()))
}

// AsJSON answers a streaming request with the blocking body. It must come before anything is sent.
func AsJSON() Step {
	return Step{play: func(r *run) error {
		r.streaming = false
		return nil
	}}
}

// Bare leaves out the opening and terminal events that the server would add by itself.
func Bare() Step {
	return Step{play: func(r *run) error {
		r.bare = true
		return nil
	}}
}

// BuiltIn plays what the server's agent answers.
func BuiltIn() Step {
	return Step{play: func(r *run) error { return r.play(r.s.opt.Agent(r.ask)) }}
}

// Do calls f with the turn as it stands.
func Do(f func(Turn)) Step {
	return Step{play: func(r *run) error {
		f(r.turn.snapshot())
		return nil
	}}
}

// Thought opens a thought of an agent: text that follows belongs to it until Tool or EndThought.
func Thought() Step {
	return Step{begins: true, visible: true, play: func(r *run) error {
		r.openThought()
		return nil
	}}
}

// EndThought closes the open thought with its whole text.
func EndThought() Step {
	return Step{begins: true, visible: true, play: func(r *run) error {
		r.closeThought("", "", "")
		return nil
	}}
}

// Tool closes the open thought with a tool's call, what it gave, and the files it made. input is JSON.
func Tool(name, input, observation string, files ...sim.File) Step {
	return Step{begins: true, visible: true, play: func(r *run) error {
		r.closeThought(name, input, observation, files...)
		return nil
	}}
}

// Picture gives a file made by the AI; its URL is absolute or relative. In a workflow it comes in the outputs alone.
func Picture(f sim.File, absolute bool) Step {
	return Step{begins: true, visible: true, play: func(r *run) error {
		r.giveFile(f, absolute)
		return nil
	}}
}

// Voice sends audio in chunks; tts_message_end follows as the stream's last event.
func Voice(chunks ...[]byte) Step {
	return Step{begins: true, visible: true, play: func(r *run) error {
		r.speak(chunks)
		return nil
	}}
}

// Sources sets what the answer rests on, told in message_end.
func Sources(list ...Source) Step {
	return Step{begins: true, play: func(r *run) error {
		r.sources = list
		return nil
	}}
}

// Node starts a workflow's node and finishes the one before. Apps without a workflow behind them take no notice.
func Node(kind, title string) Step {
	return Step{begins: true, visible: true, play: func(r *run) error {
		r.openNode(kind, title)
		return nil
	}}
}

// FailNode ends the workflow's running node with a failure that the workflow has a way around: the run goes on, and ends
// as partial-succeeded.
func FailNode() Step {
	return Step{begins: true, visible: true, play: func(r *run) error {
		r.closeNode("exception")
		return nil
	}}
}

// Reason sends reasoning apart from the answer, in pieces; the last one says so. Only workflows and chatflows have it.
func Reason(node string, parts ...string) Step {
	return Step{begins: true, visible: true, play: func(r *run) error {
		for i, p := range parts {
			r.event("reasoning_chunk", map[string]any{"data": map[string]any{
				"reasoning": p, "node_id": node, "is_final": i == len(parts)-1, "message_id": nil,
			}})
		}
		return nil
	}}
}

// Linked sends text that links to a file made by the AI, as models write it into their answers: format has a %s for the
// address. It comes in pieces of a few characters. The terminal event and the history list the file too.
func Linked(f sim.File, absolute bool, format string) Step {
	return Step{begins: true, visible: true, play: func(r *run) error {
		text := []rune(fmt.Sprintf(format, r.s.signedURL(r.keepFile(f).file, absolute)))
		for piece := range slices.Chunk(text, 3) {
			r.delta(string(piece))
		}
		return nil
	}}
}

// Outputs sets the outputs of a workflow in place of its answer.
func Outputs(outputs map[string]any) Step {
	return Step{begins: true, play: func(r *run) error {
		r.outputs = outputs
		return nil
	}}
}
