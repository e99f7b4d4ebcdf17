package discord_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/clickai/bridge/adapters/discord"
	"github.com/clickai/bridge/core"
)

// plainServer speaks the least of Discord's protocol that a compatible server may: behind a path prefix, in another
// version, without GET /gateway/bot, without an address for resuming, and deaf to Resume.
type plainServer struct {
	*httptest.Server
	t *testing.T

	mu       sync.Mutex
	requests []string
	foreign  []string // requests that carried the token elsewhere
	sessions int
	resumes  int
	conn     *websocket.Conn
	ready    chan struct{} // one token for each READY
}

const plainToken = "plain-token" //nolint:gosec // opens nothing

func newPlainServer(t *testing.T) *plainServer {
	t.Helper()
	s := &plainServer{t: t, ready: make(chan struct{}, 10)}
	mux := http.NewServeMux()
	mux.HandleFunc("/proxy/discord/api/v10/", s.api)
	mux.HandleFunc("/ws", s.gateway)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.foreign = append(s.foreign, r.Method+" "+r.URL.Path)
		http.NotFound(w, r)
	})
	s.Server = httptest.NewServer(mux)
	t.Cleanup(func() {
		s.Close()
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.conn != nil {
			_ = s.conn.Close()
		}
		for _, r := range s.foreign {
			t.Errorf("request outside api_url: %s", r)
		}
	})
	return s
}

func (s *plainServer) api(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/proxy/discord/api/v10")
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	s.requests = append(s.requests, r.Method+" "+path+" "+string(body))
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	switch {
	case r.Header.Get("Authorization") != "Bot "+plainToken:
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"message":"401: Unauthorized","code":0}`)
	case path == "/gateway":
		_, _ = io.WriteString(w, `{"url":"ws`+strings.TrimPrefix(s.URL, "http")+`/ws"}`)
	case strings.HasSuffix(path, "/messages") && r.Method == http.MethodPost:
		w.Header().Set("X-RateLimit-Reset-After", "soon") // discordgo would throw the answer away
		w.Header().Set("X-RateLimit-Remaining", "many")
		_, _ = io.WriteString(w, `{"id":"1300000000000000001","components":[{"type":99}]}`)
	case strings.HasPrefix(path, "/channels/301/"):
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	default:
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"message":"404: Not Found","code":0}`)
	}
}

func (s *plainServer) gateway(w http.ResponseWriter, r *http.Request) {
	if v := r.URL.Query().Get("v"); v != "10" {
		s.t.Errorf("gateway version %q", v)
	}
	up := websocket.Upgrader{}
	c, err := up.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer func() { _ = c.Close() }()
	s.mu.Lock()
	s.conn = c
	s.mu.Unlock()
	send := func(v string) { _ = c.WriteMessage(websocket.TextMessage, []byte(v)) }
	send(`{"op":10,"d":{"heartbeat_interval":41250}}`)
	for {
		var f struct {
			Op int             `json:"op"`
			D  json.RawMessage `json:"d"`
		}
		if c.ReadJSON(&f) != nil {
			return
		}
		switch f.Op {
		case 1:
			send(`{"op":11}`)
		case 6:
			s.mu.Lock()
			s.resumes++
			s.mu.Unlock()
		case 2:
			s.mu.Lock()
			s.sessions++
			s.mu.Unlock()
			send(`{"op":0,"s":1,"t":"READY","d":{"session_id":"x","user":{"id":"1100000000000000900"},"guilds":[]}}`)
			send(`{"op":0,"s":2,"t":"MESSAGE_CREATE","d":{"id":"1300000000000000000","channel_id":"1200000000000000000","content":"hi","author":{"id":"1100000000000000101","username":"minh"}}}`)
			s.ready <- struct{}{}
		}
	}
}

func TestCompatibleServer(t *testing.T) {
	t.Parallel()
	s := newPlainServer(t)
	p := newBot(t, s.URL+"/proxy/discord/api/v10/", "Bot "+plainToken)
	discord.Unanswered(p, 300*time.Millisecond)
	h := newHost()
	start(t, p, h)
	ev := h.event(t, core.KindMessage, 1)
	if ev.Reach != core.ReachDirect || ev.Text != "hi" {
		t.Errorf("event = %+v", ev)
	}
	ref, err := p.Post(t.Context(), core.Post{Place: ev.Place(), Nonce: "n", Part: core.Part{Text: "hello"}})
	if err != nil || ref.ID != "1300000000000000001" {
		t.Errorf("Post = %+v, %v", ref, err)
	}
	// A redirect would carry the token along.
	if _, err := p.Post(t.Context(), core.Post{Place: core.Place{Room: "302"}}); err != nil {
		t.Errorf("Post = %v", err)
	}
	if err := p.Typing(t.Context(), core.Place{Room: "301"}); core.ClassOf(err) != core.Transient {
		t.Errorf("a redirect: %v", err)
	}
	<-s.ready
	s.mu.Lock()
	_ = s.conn.Close()
	s.mu.Unlock()
	h.waitUp(t, 2)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.resumes == 0 || s.sessions != 2 {
		t.Errorf("%d resumes, %d sessions; want a resume in vain and a second session", s.resumes, s.sessions)
	}
	var post string
	for _, r := range s.requests {
		if strings.HasPrefix(r, "POST /channels/1200000000000000000/messages ") {
			post = r
		}
	}
	want := `POST /channels/1200000000000000000/messages {"content":"hello","nonce":"n","enforce_nonce":true,"allowed_mentions":{"parse":[],"replied_user":false},"flags":4}`
	if post != want {
		t.Errorf("request %s\nwant    %s", post, want)
	}
}

// TestRefusedTokenIsNotRepeated: requests with a refused token lead to a ban, so they end.
func TestRefusedTokenIsNotRepeated(t *testing.T) {
	t.Parallel()
	s := newPlainServer(t)
	p := newBot(t, s.URL+"/proxy/discord/api/v10", "wrong")
	for range 5 {
		if _, err := p.Post(t.Context(), core.Post{Place: core.Place{Room: "1"}, Part: core.Part{Text: "x"}}); core.ClassOf(err) != core.Auth {
			t.Errorf("Post = %v", err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.requests) != 1 {
		t.Errorf("%d requests: %q", len(s.requests), s.requests)
	}
}

func TestIDsFromOutside(t *testing.T) {
	t.Parallel()
	s := newPlainServer(t)
	p := newBot(t, s.URL+"/proxy/discord/api/v10", plainToken)
	ctx := t.Context()
	for _, id := range []string{"", "x", "../1", "1/2", "-1", "1?a", "99999999999999999999999"} {
		at := core.Place{Room: id}
		_, postErr := p.Post(ctx, core.Post{Place: at})
		_, threadErr := p.OpenThread(ctx, core.MessageRef{Place: at, ID: id}, "x")
		_, readErr := p.ThreadBefore(ctx, core.MessageRef{Place: core.Place{Room: "1", Thread: "1"}, ID: id}, 5)
		_, fileErr := p.OpenAttachment(ctx, core.Attachment{Ref: id + "/1/1"})
		_, upErr := p.Upload(ctx, at, "", core.File{})
		for what, err := range map[string]error{
			"Post": postErr, "OpenThread": threadErr, "ThreadBefore": readErr, "OpenAttachment": fileErr, "Upload": upErr,
			"Edit": p.Edit(ctx, core.MessageRef{Place: core.Place{Room: "1"}, ID: id}, core.Part{}), "Typing": p.Typing(ctx, at),
			"Delete": p.Delete(ctx, core.MessageRef{Place: core.Place{Room: "1"}, ID: id}),
		} {
			if core.ClassOf(err) != core.Invalid {
				t.Errorf("%s with id %q: %v", what, id, err)
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.requests) != 0 {
		t.Errorf("requests: %q", s.requests)
	}
}
