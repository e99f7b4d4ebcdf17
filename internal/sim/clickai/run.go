package clickai

import (
	"errors"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"
)

// How playing steps ends before the last one.
var (
	errStopped = errors.New("stopped")
	errClosing = errors.New("server closes")
	errEnded   = errors.New("ended by its script")
)

// run is one generation. Only its handler's goroutine touches it, but for stop.
//
// A client that goes away does not end it: as with the real API the run goes on to its end, and the history has the
// answer then.
type run struct {
	s     *Server
	call  *call
	app   *app
	turn  *turn
	ask   Ask
	owner owner
	body  request
	conv  *conversation // nil until begin for a new one, and for apps without conversations
	msg   *message      // nil until begin, and for workflows
	flow  *flow         // nil until begin, and for apps without a workflow behind them

	out     *http.ResponseController // of call.w
	task    string
	created time.Time
	stopped chan struct{}
	once    sync.Once

	streaming bool
	begun     bool // ids exist, the question is stored
	opened    bool // the first events were sent
	bare      bool // neither first nor last events are sent on their own
	headed    bool // the header was written
	ended     bool // the terminal event was sent, or what stands for it
	settled   bool // the answer is stored
	ending    bool // the terminal event is being written
	gone      bool // the client is gone or was cut off: nothing is sent any more

	left     <-chan struct{} // closed when the client goes away; nil once that is known
	timer    *time.Timer
	next     time.Time // when the next chunk is due, zero before the first
	pingAt   time.Time
	deadline time.Time // longest run time
	giveUp   time.Time // blocking timeout

	head, tail []byte // a text event up to and from its text
	textKind   string
	buf        []byte
	written    int64
	sent       int
	cutBytes   int64
	cutEvents  int

	answer   strings.Builder
	parts    []string // texts of the agent's finished thoughts
	stored   *string  // what the history is to have in place of the answer
	thoughts []thought
	thinking bool
	sources  []Source
	made     []messageFile
	voice    bool
	node     *node
	steps    int
	outputs  map[string]any // of a workflow, in place of the answer
	// exceptions counts the nodes that failed.
	exceptions int
}

// stop ends the run as its user's stop request does. It may be called from any goroutine.
func (r *run) stop() { r.once.Do(func() { close(r.stopped) }) }

// execute plays the steps and the ending, and leaves nothing running.
func (r *run) execute(steps []Step) {
	r.timer = time.NewTimer(time.Hour)
	defer r.timer.Stop()
	defer r.leave()
	now := time.Now()
	r.deadline = now.Add(r.s.opt.MaxRun)
	if r.s.opt.PingInterval > 0 {
		r.pingAt = now.Add(r.s.opt.PingInterval)
	}
	if !r.streaming {
		r.giveUp = now.Add(r.s.opt.BlockingTimeout)
	}
	err := r.play(steps)
	switch {
	case errors.Is(err, errClosing):
		r.lose()
		r.settle("error", "the server was closed")
		return
	case errors.Is(err, errStopped) && !r.ended:
		r.begin()
		r.finish(StatusStopped)
	case err == nil && r.bare:
		r.ended = true // what the script sent is taken for the whole
		r.mark(StatusFinished)
	case err == nil && !r.ended:
		r.begin()
		r.open()
		r.finish(StatusFinished)
	}
	r.closeStream()
}

// closeStream is what follows the last event.
func (r *run) closeStream() {
	if r.begun {
		r.settle("normal", "")
	}
	if r.voice && !r.bare {
		r.event("tts_message_end", map[string]any{"audio": ""})
	}
	if hold := r.s.opt.Quirks.HoldOpen; hold > 0 && r.headed && !r.gone {
		// Stop and close end the wait early, which is all they can do by now.
		_ = r.wait(time.Now().Add(hold), nil, false)
	}
	if !r.ended && r.streaming {
		r.lose()
	}
}

// play plays steps in order until one of them ends the run.
func (r *run) play(steps []Step) error {
	for _, st := range steps {
		if st.visible || st.begins {
			r.begin()
		}
		if st.visible {
			r.open()
		}
		if err := st.play(r); err != nil {
			return err
		}
	}
	return nil
}

// begin gives the turn its ids and stores the question.
func (r *run) begin() {
	if r.begun {
		return
	}
	r.begun = true
	s := r.s
	id := s.opt.NewID
	r.task, r.created = id("task"), time.Now()
	overlapped := false
	s.mu.Lock()
	if r.app.Mode.conversational() && r.conv == nil {
		r.conv = &conversation{
			id: id("conv"), owner: r.owner, name: "New conversation", autoName: r.body.autoName, inputs: r.body.inputs,
			opening: r.app.Opening, created: r.created,
		}
		s.addConversationLocked(r.conv)
	}
	if r.conv != nil {
		overlapped = r.conv.running > 0
		r.conv.running++
	}
	if r.app.Mode != ModeWorkflow {
		r.msg = &message{
			id: id("msg"), owner: r.owner, conv: r.conv, query: r.body.query, inputs: r.body.inputs, status: "normal",
			running: true, files: r.body.files, created: r.created,
		}
		s.addMessageLocked(r.msg)
	}
	if r.app.Mode.flow() {
		r.flow = &flow{
			id: id("run"), workflow: "workflow-" + r.app.Name, owner: r.owner, status: "running",
			inputs: string(encode(r.body.inputs)), created: r.created,
		}
		s.flows[r.flow.id] = r.flow
		s.flowOrder.add(r.flow, 0)
	}
	s.tasks[r.task] = r
	s.mu.Unlock()
	r.turn.update(func(t *Turn) {
		t.TaskID, t.Overlapped = r.task, overlapped
		if r.conv != nil {
			t.ConversationID = r.conv.id
		}
		if r.msg != nil {
			t.MessageID = r.msg.id
		}
		if r.flow != nil {
			t.WorkflowRunID = r.flow.id
		}
	})
	r.encodeText()
	s.notifier.Notify()
}

// open sends what comes before the first event of a run that a workflow makes.
func (r *run) open() {
	if r.opened {
		return
	}
	r.opened = true
	if r.bare || r.flow == nil {
		return
	}
	r.ping()
	inputs := map[string]any{"sys.user_id": r.owner.user, "sys.workflow_run_id": r.flow.id, "sys.files": []any{}}
	if r.conv != nil {
		inputs["sys.query"], inputs["sys.conversation_id"] = r.body.query, r.conv.id
	}
	maps.Copy(inputs, r.body.inputs)
	r.event("workflow_started", map[string]any{"data": map[string]any{
		"id": r.flow.id, "workflow_id": r.flow.workflow, "inputs": inputs, "created_at": r.created.Unix(), "reason": "initial",
	}})
}

// leave takes the run out of what is running.
func (r *run) leave() {
	s := r.s
	s.mu.Lock()
	delete(s.tasks, r.task)
	if r.begun && r.conv != nil {
		r.conv.running--
	}
	s.mu.Unlock()
	r.turn.update(func(t *Turn) {
		t.Ended = time.Now()
		if t.Status == StatusRunning {
			t.Status = StatusCut
		}
	})
	s.notifier.Notify()
}

// mark sets how the turn ended for the client, if that isn't known yet.
func (r *run) mark(st Status) {
	r.turn.update(func(t *Turn) {
		if t.Status == StatusRunning {
			t.Status = st
		}
	})
}

// lose notes that the client gets nothing more.
func (r *run) lose() {
	r.gone, r.left = true, nil
	r.turn.update(func(t *Turn) {
		if t.Status == StatusRunning || r.ending {
			t.Status = StatusCut
		}
	})
	r.s.notifier.Notify()
}

// cut closes the client's connection in the middle of the answer. The run goes on.
func (r *run) cut() {
	if conn, _, err := r.out.Hijack(); err == nil {
		_ = conn.Close() // cutting it is the point
	}
	r.lose()
}

// wait returns when until has come (zero: never) or gate is closed (nil: never), or at once if there is neither. It
// sends pings meanwhile if told to. Errors: errStopped, errClosing.
func (r *run) wait(until time.Time, gate <-chan struct{}, pings bool) error {
	for {
		due := r.deadline
		if !until.IsZero() && until.Before(due) {
			due = until
		}
		pings := pings && !r.pingAt.IsZero() && r.streaming && !r.gone && !r.ended
		if pings && r.pingAt.Before(due) {
			due = r.pingAt
		}
		if !r.giveUp.IsZero() && r.giveUp.Before(due) {
			due = r.giveUp
		}
		r.timer.Reset(time.Until(due))
		select {
		case <-r.timer.C:
		case <-gate:
			return nil
		case <-r.stopped:
			return errStopped
		case <-r.left:
			r.lose()
			continue
		case <-r.s.closing:
			return errClosing
		}
		now := time.Now()
		if !until.IsZero() && !now.Before(until) {
			return nil
		}
		if !now.Before(r.deadline) {
			return errStopped
		}
		if !r.giveUp.IsZero() && !now.Before(r.giveUp) {
			r.giveUp = time.Time{}
			r.timeout()
		}
		if pings && !now.Before(r.pingAt) {
			r.ping()
		}
	}
}

// poll looks without waiting whether the run has to end.
func (r *run) poll() error {
	select {
	case <-r.stopped:
		return errStopped
	case <-r.s.closing:
		return errClosing
	case <-r.left:
		r.lose()
	default:
	}
	return nil
}

// pace waits until the next chunk of a stream with that interval is due. The times are those of a fixed grid, so
// that a late chunk doesn't delay the following ones; after a stall of a second (a gate, a long pause) the grid starts
// anew.
func (r *run) pace(every time.Duration) error {
	if every <= 0 {
		return r.poll()
	}
	now := time.Now()
	if r.next = r.next.Add(every); r.next.Before(now.Add(-max(every, time.Second))) {
		r.next = now.Add(every)
	}
	if !r.next.After(now) {
		return r.poll()
	}
	return r.wait(r.next, nil, true)
}

// timeout ends a blocking request whose run takes too long, as the proxy in front does; the run goes on.
func (r *run) timeout() {
	if r.gone {
		return
	}
	// The handler stays with the run, so the connection cannot take another request.
	r.call.w.Header().Set("Connection", "close")
	r.turn.update(func(t *Turn) { t.HTTPStatus = http.StatusGatewayTimeout })
	proxyError(http.StatusGatewayTimeout, "").write(r.call.w)
	_ = r.out.Flush() // fails only for a client that has gone
	r.lose()
}
