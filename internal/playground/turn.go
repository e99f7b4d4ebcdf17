package playground

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"
)

const (
	maxTurns   = 60
	maxUploads = 100
	maxRatings = 200
	// maxEvents bounds the events kept of a turn; later ones are counted.
	maxEvents = 2000
	// maxShownData bounds what is kept of one event, and maxShownRequest of a request, in bytes.
	maxShownData    = 2 << 10
	maxShownRequest = 16 << 10
)

// turn is a question to ClickAI with what came back, as it passed the relay. Guarded by Relay.mu.
type turn struct {
	ID             int
	Path           string
	Request        string // body, indented
	Query, User    string
	Sent           string // conversation_id as sent
	Inputs         map[string]any
	Files          []string // ids of uploads
	ConversationID string
	MessageID      string
	TaskID         string
	RunID          string
	HTTP           int
	Status         string // running, finished, failed, refused, cut, stopped
	Error          string
	Started, Ended time.Time
	Events         []event
	EventCount     int
	Faults         []string

	texts  []textMark // how the answer grew
	answer int        // letters so far
}

// event is one event as it arrived.
type event struct {
	At   time.Time
	Kind string
	Text string // the piece of the answer that it brought
	Data string // the rest of what it says, cut
}

// textMark says that so many letters of the answer had arrived at a time.
type textMark struct {
	At      time.Time
	Letters int
}

// Upload is a file that ClickAI took.
type Upload struct {
	ID   string    `json:"id"`
	Name string    `json:"name"`
	MIME string    `json:"mime"`
	Size int64     `json:"size"`
	At   time.Time `json:"at"`
}

// Rating is a rating that ClickAI took.
type Rating struct {
	MessageID string    `json:"message"`
	Rating    string    `json:"rating"` // "" for null
	Content   string    `json:"content"`
	User      string    `json:"user"`
	At        time.Time `json:"at"`
}

type ratingKey struct{}

// begin records a question.
func (r *Relay) begin(req *http.Request) (*turn, error) {
	body, err := peek(&req.Body)
	if err != nil {
		return nil, err
	}
	var in struct {
		Query          string         `json:"query"`
		User           string         `json:"user"`
		ConversationID string         `json:"conversation_id"`
		Inputs         map[string]any `json:"inputs"`
		Files          []struct {
			ID string `json:"upload_file_id"`
		} `json:"files"`
	}
	_ = json.Unmarshal(body, &in) // what is no JSON is ClickAI's to refuse
	t := &turn{
		Path: req.URL.Path, Request: indent(body), Query: in.Query, User: in.User, Sent: in.ConversationID,
		ConversationID: in.ConversationID, Inputs: in.Inputs, Status: "running", Started: time.Now(),
	}
	for _, f := range in.Files {
		t.Files = append(t.Files, f.ID)
	}
	for _, v := range in.Inputs {
		if text, ok := v.(string); ok && t.Query == "" && strings.Contains(text, " ") {
			t.Query = text // of a workflow or completion, whose question is an input
		}
	}
	r.mu.Lock()
	r.lastID++
	t.ID = r.lastID
	r.turns = append(r.turns, t)
	r.turns = r.turns[max(0, len(r.turns)-maxTurns):]
	r.mu.Unlock()
	r.notifier.Notify()
	return t, nil
}

func indent(body []byte) string {
	var v any
	if json.Unmarshal(body, &v) != nil {
		return clip(string(body), maxShownRequest)
	}
	out, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return ""
	}
	return clip(string(out), maxShownRequest)
}

// clip cuts a text to about n bytes, between characters.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}

// note records an event of a stream.
func (r *Relay) note(t *turn, name string, data []byte) {
	var in struct {
		Event          string `json:"event"`
		Answer         string `json:"answer"`
		ConversationID string `json:"conversation_id"`
		MessageID      string `json:"message_id"`
		TaskID         string `json:"task_id"`
		RunID          string `json:"workflow_run_id"`
		Code           string `json:"code"`
		Message        string `json:"message"`
		Data           struct {
			Text   string `json:"text"`
			Status string `json:"status"`
			Error  string `json:"error"`
		} `json:"data"`
	}
	known := json.Unmarshal(data, &in) == nil
	e := event{At: time.Now(), Kind: name}
	if in.Event != "" {
		e.Kind = in.Event
	}
	switch e.Kind {
	case "message", "agent_message":
		e.Text = in.Answer
	case "text_chunk":
		e.Text = in.Data.Text
	default:
		e.Data = clip(string(data), maxShownData)
	}
	r.mu.Lock()
	t.EventCount++
	if len(t.Events) < maxEvents {
		t.Events = append(t.Events, e)
	}
	if known {
		set := func(to *string, v string) {
			if v != "" {
				*to = v
			}
		}
		set(&t.ConversationID, in.ConversationID)
		set(&t.MessageID, in.MessageID)
		set(&t.TaskID, in.TaskID)
		set(&t.RunID, in.RunID)
	}
	switch e.Kind {
	case "message_replace", "text_replace":
		t.texts, t.answer = nil, 0
		e.Text = in.Answer
		fallthrough
	case "message", "agent_message", "text_chunk":
		if n := letters(e.Text); n > 0 {
			t.answer += n
			t.texts = append(t.texts, textMark{e.At, t.answer})
			t.texts = t.texts[max(0, len(t.texts)-maxEvents):]
		}
	case "error":
		t.Status, t.Error = "failed", clip(in.Code+": "+in.Message, 300)
	case "workflow_finished":
		if in.Data.Status == "failed" {
			t.Status, t.Error = "failed", clip(in.Data.Error, 300)
		} else if t.Status == "running" {
			t.Status = "finished"
		}
	case "message_end":
		if t.Status == "running" {
			t.Status = "finished"
		}
	}
	r.mu.Unlock()
	r.notifier.Notify()
}

// letters counts the letters and digits of a text: what is the same in every platform's formatting.
func letters(s string) int {
	n := 0
	for _, c := range s {
		if unicode.IsLetter(c) || unicode.IsDigit(c) {
			n++
		}
	}
	return n
}

// whole records an answer that came in one piece: of a blocking request, or a refusal.
func (r *Relay) whole(t *turn, status int, body []byte) {
	r.mu.Lock()
	t.Status = "finished"
	if status >= 300 {
		t.Status = "refused"
	}
	r.mu.Unlock()
	name := "answer"
	if status >= 300 {
		name = fmt.Sprintf("HTTP %d", status)
	}
	r.note(t, name, body)
}

// end closes the record of a turn.
func (r *Relay) end(t *turn) {
	r.mu.Lock()
	t.Ended = time.Now()
	if t.Status == "running" {
		t.Status = "cut"
	}
	r.mu.Unlock()
	r.notifier.Notify()
}

// stopped records that an answer was stopped; the bridge may have left its stream before it says so.
func (r *Relay) stopped(task string) {
	r.mu.Lock()
	for _, t := range r.turns {
		if t.TaskID == task && (t.Status == "running" || t.Status == "cut") {
			t.Status = "stopped"
		}
	}
	r.mu.Unlock()
	r.notifier.Notify()
}

func (r *Relay) uploaded(body []byte) {
	var in struct {
		ID   string `json:"id"`
		Name string `json:"name"`
		MIME string `json:"mime_type"`
		Size int64  `json:"size"`
	}
	if json.Unmarshal(body, &in) != nil || in.ID == "" {
		return
	}
	r.mu.Lock()
	r.uploads = append(r.uploads, Upload{in.ID, in.Name, in.MIME, in.Size, time.Now()})
	r.uploads = r.uploads[max(0, len(r.uploads)-maxUploads):]
	r.mu.Unlock()
	r.notifier.Notify()
}

func ratingOf(message string, body []byte) Rating {
	var in struct {
		Rating  *string `json:"rating"`
		Content string  `json:"content"`
		User    string  `json:"user"`
	}
	_ = json.Unmarshal(body, &in) // what is no JSON is ClickAI's to refuse
	out := Rating{MessageID: message, Content: clip(in.Content, 500), User: in.User, At: time.Now()}
	if in.Rating != nil {
		out.Rating = *in.Rating
	}
	return out
}

func (r *Relay) rated(rating Rating) {
	r.mu.Lock()
	r.ratings = append(r.ratings, rating)
	r.ratings = r.ratings[max(0, len(r.ratings)-maxRatings):]
	r.mu.Unlock()
	r.notifier.Notify()
}
