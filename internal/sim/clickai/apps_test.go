package clickai_test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/clickai"
)

const assistantsPath = "/assistant/api/assistant/my-assistants"

func (c *client) assistants(token, query string) (int, obj) {
	c.t.Helper()
	req := c.request(http.MethodGet, assistantsPath+"?"+query, token, nil)
	req.Header.Set("Accept", "application/json")
	status, out, _ := c.send(req)
	return status, out
}

func TestAssistants(t *testing.T) {
	opt := clickai.Options{AccessToken: "token", Workspace: "w1"}
	for i := range 20 {
		opt.Assistants = append(opt.Assistants, clickai.Assistant{
			ID: fmt.Sprintf("extra-%d", i), Name: fmt.Sprintf("Extra %d", i), Mode: clickai.ModeWorkflow, CreatedAt: time.Unix(1705395332, 0),
		})
	}
	c := start(t, opt)
	for _, tt := range []struct {
		name, query        string
		page, size, total  int
		entries            int
		firstName, lastOne string
	}{
		{"default", "", 1, 10, 25, 10, "support", "Extra 4"},
		{"second page", "page=2", 2, 10, 25, 10, "Extra 5", "Extra 14"},
		{"last page", "page=3", 3, 10, 25, 5, "Extra 15", "Extra 19"},
		{"past the end", "page=9", 9, 10, 25, 0, "", ""},
		{"large page", "page_size=100", 1, 100, 25, 25, "support", "Extra 19"},
		{"mode", "mode=chat", 1, 10, 1, 1, "support", "support"},
		{"mode and page", "mode=workflow&page_size=3&page=2", 2, 3, 21, 3, "Extra 2", "Extra 4"},
		{"workspace", "workspace_id=w1&mode=completion", 1, 10, 1, 1, "writer", "writer"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, out := c.assistants("token", tt.query)
			if status != 200 || out["page"] != float64(tt.page) || out["page_size"] != float64(tt.size) || out["total"] != float64(tt.total) {
				t.Fatalf("%d %v", status, out)
			}
			names := column(out, "name")
			if len(names) != tt.entries || (len(names) > 0 && (names[0] != tt.firstName || names[len(names)-1] != tt.lastOne)) {
				t.Errorf("names %q", names)
			}
		})
	}
	c.noViolations()
	for _, tt := range []struct {
		name, token, query string
		status             int
	}{
		{"secret key", keyOf(clickai.ModeChat), "", 401},
		{"other workspace", "token", "workspace_id=w2", 403},
		{"page zero", "token", "page=0", 400},
		{"page size", "token", "page_size=x", 400},
	} {
		if status, out := c.assistants(tt.token, tt.query); status != tt.status {
			t.Errorf("%s: %d %v", tt.name, status, out)
		}
	}
	if status, _, _ := c.do(http.MethodGet, assistantsPath, "token", nil); status != 200 {
		t.Errorf("without accept: %d", status)
	}
	if v := c.s.Violations(); !strings.Contains(v[len(v)-1], "accept") {
		t.Errorf("violations %q", v)
	}
	_, out := c.assistants("token", "page=2&page_size=20")
	if e := out["data"].([]any)[0].(obj); e["created_at"] != 1705395332.0 || e["mode"] != "workflow" || e["id"] != "extra-15" {
		t.Errorf("entry %v", e)
	}
}

func TestAppInformation(t *testing.T) {
	c := start(t, clickai.Options{})
	key := keyOf(clickai.ModeChat)
	_, info, _ := c.do(http.MethodGet, "/v1/info", key, nil)
	if info["name"] != "support" || info["mode"] != "chat" {
		t.Errorf("info %v", info)
	}
	_, p, _ := c.do(http.MethodGet, "/v1/parameters", key, nil)
	form := p["user_input_form"].([]any)[0].(obj)["select"].(obj)
	if form["variable"] != "language" || p["file_upload"].(obj)["number_limits"] != 10.0 ||
		p["system_parameters"].(obj)["image_file_size_limit"] != 10.0 || p["opening_statement"] == "" {
		t.Errorf("parameters %v", p)
	}
	for _, path := range []string{"/v1/meta", "/v1/site"} {
		if status, _, _ := c.do(http.MethodGet, path, key, nil); status != 200 {
			t.Errorf("%s: %d", path, status)
		}
	}
	c.noViolations()
}

func TestGuideOnly(t *testing.T) {
	for _, tt := range []struct {
		name string
		opt  clickai.Options
		gone []string
		kept []string
	}{
		{"guide only", clickai.Options{GuideOnly: true}, []string{"GET /v1/site", "GET /v1/info", "POST /v1/chat-messages/t/stop"}, nil},
		{"one missing", clickai.Options{Missing: []string{"GET /v1/site"}}, []string{"GET /v1/site"}, []string{"GET /v1/info"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := start(t, tt.opt)
			key := keyOf(clickai.ModeChat)
			status := func(route string) int {
				method, path, _ := strings.Cut(route, " ")
				st, _, _ := c.do(method, path, key, obj{"user": "u"})
				return st
			}
			for _, r := range tt.gone {
				if st := status(r); st != 404 {
					t.Errorf("%s: %d", r, st)
				}
			}
			for _, r := range tt.kept {
				if st := status(r); st != 200 {
					t.Errorf("%s: %d", r, st)
				}
			}
			if got := answer(c.chat("hello").all()); !strings.Contains(got, "> hello") {
				t.Errorf("chat %q", got)
			}
			c.noViolations()
		})
	}
}

func TestPlanLimits(t *testing.T) {
	info := func(c *client, key string) (int, obj, http.Header) { return c.do(http.MethodGet, "/v1/info", key, nil) }
	t.Run("a minute", func(t *testing.T) {
		c := start(t, clickai.Options{Plan: clickai.Plan{PerMinute: 3}, RetryAfter: true})
		key := keyOf(clickai.ModeChat)
		for i := range 3 {
			if status, _, _ := info(c, key); status != 200 {
				t.Fatalf("request %d: %d", i, status)
			}
		}
		status, out, h := info(c, key)
		if secs, _ := strconv.Atoi(h.Get("Retry-After")); status != 429 || out["code"] != "too_many_requests" || secs < 58 || secs > 60 {
			t.Errorf("%d %v %v", status, out, h)
		}
		if status, _, _ := info(c, keyOf(clickai.ModeWorkflow)); status != 200 {
			t.Errorf("another key: %d", status)
		}
		if v := c.s.Violations(); len(v) != 1 || !strings.Contains(v[0], "requests a minute") {
			t.Errorf("violations %q", v)
		}
	})
	t.Run("the minute passes", func(t *testing.T) {
		c := start(t, clickai.Options{Plan: clickai.Plan{PerMinute: 1, Minute: time.Nanosecond}})
		for range 3 {
			if status, _, _ := info(c, keyOf(clickai.ModeChat)); status != 200 {
				t.Fatalf("%d", status)
			}
		}
	})
	t.Run("a day", func(t *testing.T) {
		c := start(t, clickai.Options{Plan: clickai.Plan{PerDay: 2}, RetryAfter: true})
		for range 2 {
			info(c, keyOf(clickai.ModeChat))
		}
		if status, out, h := info(c, keyOf(clickai.ModeChat)); status != 429 || out["code"] != "rate_limit_error" || h.Get("Retry-After") != "" {
			t.Errorf("%d %v", status, out)
		}
	})
	t.Run("running requests", func(t *testing.T) {
		c := start(t, clickai.Options{MaxConcurrent: 1})
		gate := clickai.NewGate()
		c.s.Script(nil, clickai.Text("a"), clickai.Wait(gate))
		s := c.chat("q")
		s.must()
		status, out, h := c.do(http.MethodPost, "/v1/chat-messages", keyOf(clickai.ModeChat), chatBody("q", "", "u"))
		if status != 429 || out["code"] != "too_many_requests" || h.Get("Retry-After") != "" {
			t.Errorf("%d %v", status, out)
		}
		gate.Open()
		s.all()
		c.wait(func(t clickai.Turn) bool { return !t.Ended.IsZero() })
		c.noViolations()
	})
	if p := clickai.Sandbox(); p.PerMinute != 100 || p.PerDay != 10_000 {
		t.Errorf("sandbox %+v", p)
	}
	if p, q := clickai.Professional(), clickai.Team(); p.PerMinute != 500 || p.PerDay != 100_000 || q.PerMinute != 1000 || q.PerDay != 500_000 {
		t.Errorf("%+v %+v", p, q)
	}
}

func TestFaultsComeFirst(t *testing.T) {
	c := start(t, clickai.Options{})
	c.s.Faults().Add(sim.TooManyRequests("POST /v1/chat-messages", 2*time.Second, 1))
	c.s.Faults().Add(sim.Fault{Match: "POST /v1/chat-messages", Times: 1, Cut: true, Handled: true})
	key := keyOf(clickai.ModeChat)
	if status, _, h := c.do(http.MethodPost, "/v1/chat-messages", key, chatBody("q", "", "u")); status != 429 || h.Get("Retry-After") != "2" {
		t.Errorf("%d %v", status, h)
	}
	c.fails(c.request(http.MethodPost, "/v1/chat-messages", key, chatBody("taken", "", "u")))
	if convs := c.s.Conversations(); len(convs) != 1 || convs[0].Messages[0].Query != "taken" || convs[0].Messages[0].Answer == "" {
		t.Errorf("the request had no effect: %+v", convs)
	}
	c.chat("third").all()
	reqs := c.s.Requests()
	var got []string
	for _, r := range reqs {
		got = append(got, fmt.Sprintf("%d %s", r.Status, r.Text("query")))
	}
	if want := []string{"429 q", "0 taken", "200 third"}; !slices.Equal(got, want) {
		t.Errorf("requests %q, want %q", got, want)
	}
	if r := reqs[2]; r.App != "support" || r.ID != 3 || r.Inputs() == nil || !strings.Contains(string(r.Raw), `"third"`) {
		t.Errorf("request %+v", r)
	}
}

func TestBounds(t *testing.T) {
	c := start(t, clickai.Options{Keep: clickai.Keep{
		Conversations: 2, Messages: 2, Requests: 3, Turns: 2, TurnEvents: 1, Files: 2, FileBytes: 10, Ratings: 1, Violations: 1,
	}})
	key := keyOf(clickai.ModeChat)
	_, first := c.ask(key, "q0", "", "u")
	_, conv := c.ask(key, "q1", "", "u")
	for i := range 3 {
		frames, _ := c.ask(key, fmt.Sprintf("m%d", i), conv, "u")
		c.do(http.MethodPost, "/v1/messages/"+frames[0].text("message_id")+"/feedbacks", key, obj{"rating": "like", "user": "u"})
	}
	c.ask(key, "q2", "", "u")
	if status, _, _ := c.do(http.MethodPost, "/v1/chat-messages", key, chatBody("q", first, "u")); status != 404 {
		t.Errorf("the oldest conversation is still there: %d", status)
	}
	for _, n := range []string{"a", "b", "c"} {
		c.upload(key, "u", n+".txt", "text/plain", []byte("12345678"))
	}
	big := c.upload(key, "u", "big.txt", "text/plain", make([]byte, 100))
	c.do(http.MethodPost, "/v1/chat-messages", key, "x")
	c.do(http.MethodPost, "/v1/chat-messages", key, "y")
	convs, turns, ups := c.s.Conversations(), c.s.Turns(), c.s.Uploads()
	if len(convs) != 2 || len(convs[0].Messages) != 2 || convs[0].Messages[1].Query != "m2" {
		t.Errorf("conversations %+v", convs)
	}
	if len(turns) != 2 || len(turns[1].Events) != 1 || turns[1].EventCount < 10 {
		t.Errorf("%d turns, %d events of %d", len(turns), len(turns[1].Events), turns[1].EventCount)
	}
	if len(ups) != 2 || ups[0].Dropped || !ups[1].Dropped || ups[1].Size != 100 || ups[1].ID != big || ups[1].SHA256 == "" {
		t.Errorf("uploads %+v", ups)
	}
	if n := len(c.s.Requests()); n != 3 {
		t.Errorf("%d requests", n)
	}
	if len(c.s.Ratings()) != 1 || len(c.s.Violations()) != 1 {
		t.Errorf("%d ratings, %q", len(c.s.Ratings()), c.s.Violations())
	}
}

func TestIDsMayHoldAnything(t *testing.T) {
	n := 0
	c := start(t, clickai.Options{NewID: func(kind string) string {
		n++ // all ids of this test are made by one request at a time
		return fmt.Sprintf("%s/%d?ü", kind, n)
	}})
	frames, conv := c.ask(keyOf(clickai.ModeChat), "q", "", "u")
	esc := strings.NewReplacer("/", "%2F", "?", "%3F", "ü", "%C3%BC")
	status, _, _ := c.do(http.MethodPost, "/v1/messages/"+esc.Replace(frames[0].text("message_id"))+"/feedbacks", keyOf(clickai.ModeChat), obj{"rating": "like", "user": "u"})
	if status != 200 {
		t.Errorf("rating: %d", status)
	}
	if status, _, _ := c.do(http.MethodDelete, "/v1/conversations/"+esc.Replace(conv), keyOf(clickai.ModeChat), obj{"user": "u"}); status != 204 {
		t.Errorf("delete: %d", status)
	}
}
