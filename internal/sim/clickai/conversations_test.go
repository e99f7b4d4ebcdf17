package clickai_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/clickai/bridge/internal/sim/clickai"
)

func (c *client) get(path, key string, query ...string) (int, obj) {
	c.t.Helper()
	v := url.Values{}
	for i := 0; i < len(query); i += 2 {
		v.Set(query[i], query[i+1])
	}
	status, out, _ := c.do(http.MethodGet, path+"?"+v.Encode(), key, nil)
	return status, out
}

// column is one field of all entries of a list.
func column(out obj, field string) []string {
	var s []string
	for _, e := range out["data"].([]any) {
		s = append(s, fmt.Sprint(e.(obj)[field]))
	}
	return s
}

func TestConversationIsRemembered(t *testing.T) {
	c := start(t, clickai.Options{})
	key := keyOf(clickai.ModeChat)
	first, conv := c.ask(key, "first question", "", "u")
	body := chatBody("second question", conv, "u")
	body["inputs"] = obj{"language": "vi"} // ignored by now
	second := c.open("/v1/chat-messages", key, body).all()
	if a := answer(first); !strings.Contains(a, "Turn 1") || !strings.Contains(a, "> first question") || strings.Contains(a, "Before that") {
		t.Errorf("first answer %q", a)
	}
	if a := answer(second); !strings.Contains(a, "Turn 2") || !strings.Contains(a, "*first question*") {
		t.Errorf("second answer %q", a)
	}
	if id := second[0].text("conversation_id"); id != conv {
		t.Errorf("conversation %q, was %q", id, conv)
	}
	again, other := c.ask(key, "first question", "", "u")
	if other == conv || answer(again) != answer(first) {
		t.Error("a new conversation with the same question differs, or isn't new")
	}
	turns := c.s.Turns()
	if turns[1].ConversationSent != conv || turns[1].ConversationID != conv || turns[0].ConversationSent != "" {
		t.Errorf("turns %+v", turns)
	}
	if turns[1].Inputs["language"] != "vi" || len(turns[0].Inputs) != 0 {
		t.Errorf("inputs as sent: %v %v", turns[0].Inputs, turns[1].Inputs)
	}
	c.noViolations()
}

func TestConversationBelongsToItsUser(t *testing.T) {
	c := start(t, clickai.Options{})
	key := keyOf(clickai.ModeChat)
	frames, conv := c.ask(key, "mine", "", "u")
	msg := frames[0].text("message_id")
	for _, tt := range []struct {
		name string
		do   func() (int, obj)
	}{
		{"chat by another user", func() (int, obj) {
			s, o, _ := c.do(http.MethodPost, "/v1/chat-messages", key, chatBody("q", conv, "other"))
			return s, o
		}},
		{"chat by another app", func() (int, obj) {
			s, o, _ := c.do(http.MethodPost, "/v1/chat-messages", keyOf(clickai.ModeAdvancedChat), chatBody("q", conv, "u"))
			return s, o
		}},
		{"history", func() (int, obj) { return c.get("/v1/messages", key, "user", "other", "conversation_id", conv) }},
		{"rename", func() (int, obj) {
			s, o, _ := c.do(http.MethodPost, "/v1/conversations/"+conv+"/name", key, obj{"name": "n", "user": "other"})
			return s, o
		}},
		{"delete", func() (int, obj) {
			s, o, _ := c.do(http.MethodDelete, "/v1/conversations/"+conv, key, obj{"user": "other"})
			return s, o
		}},
		{"rating", func() (int, obj) {
			s, o, _ := c.do(http.MethodPost, "/v1/messages/"+msg+"/feedbacks", key, obj{"rating": "like", "user": "other"})
			return s, o
		}},
		{"suggested", func() (int, obj) { return c.get("/v1/messages/"+msg+"/suggested", key, "user", "other") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := len(c.s.Violations())
			status, out := tt.do()
			if status != 404 || out["code"] != "not_found" {
				t.Errorf("%d %v", status, out)
			}
			if v := c.s.Violations(); len(v) != before+1 || !strings.Contains(v[before], "belongs to another") {
				t.Errorf("violations %q", v[before:])
			}
		})
	}
}

func TestHistory(t *testing.T) {
	c := start(t, clickai.Options{})
	key := keyOf(clickai.ModeChat)
	conv := ""
	for i := range 5 {
		_, conv = c.ask(key, fmt.Sprintf("q%d", i), conv, "u")
	}
	page := func(extra ...string) obj {
		t.Helper()
		status, out := c.get("/v1/messages", key, append([]string{"user", "u", "conversation_id", conv, "limit", "2"}, extra...)...)
		if status != 200 {
			t.Fatalf("%d %v", status, out)
		}
		return out
	}
	var got []string
	first := page()
	for {
		got = append(got, strings.Join(column(first, "query"), " "))
		if first["has_more"] != true {
			break
		}
		first = page("first_id", column(first, "id")[0])
	}
	if want := []string{"q3 q4", "q1 q2", "q0"}; !slices.Equal(got, want) {
		t.Errorf("pages %q, want %q", got, want)
	}
	if status, out := c.get("/v1/messages", key, "user", "u", "conversation_id", conv, "first_id", "x"); status != 404 || out["message"] != "First Message Not Exists." {
		t.Errorf("unknown first_id: %d %v", status, out)
	}
	if status, out := c.get("/v1/messages", key, "user", "u", "conversation_id", ""); status != 200 || len(out["data"].([]any)) != 0 {
		t.Errorf("no conversation: %d %v", status, out)
	}
	if status, _ := c.get("/v1/messages", key, "user", "u", "conversation_id", "x"); status != 404 {
		t.Errorf("unknown conversation: %d", status)
	}
	for _, limit := range []string{"0", "101", "x"} {
		if status, out := c.get("/v1/messages", key, "user", "u", "conversation_id", conv, "limit", limit); status != 400 || out["params"] != "limit" {
			t.Errorf("limit %s: %d %v", limit, status, out)
		}
	}
	if status, out := c.get("/v1/messages", keyOf(clickai.ModeWorkflow), "user", "u", "conversation_id", conv); status != 400 || out["code"] != "not_chat_app" {
		t.Errorf("workflow app: %d %v", status, out)
	}
}

func TestRunningMessageIsInTheHistory(t *testing.T) {
	c := start(t, clickai.Options{})
	key := keyOf(clickai.ModeChat)
	feed := make(chan string)
	c.s.Script(nil, clickai.Feed(feed))
	s := c.open
	done := make(chan []frame, 1)
	feedDone := make(chan struct{})
	go func() {
		defer close(feedDone)
		feed <- "half "
	}()
	st := s("/v1/chat-messages", key, chatBody("q", "", "u"))
	f := st.must()
	<-feedDone
	_, out := c.get("/v1/messages", key, "user", "u", "conversation_id", f.text("conversation_id"))
	if column(out, "query")[0] != "q" || column(out, "answer")[0] != "" {
		t.Errorf("while it runs: %v", out)
	}
	if status, _, _ := c.do(http.MethodPost, "/v1/messages/"+f.text("message_id")+"/feedbacks", key, obj{"rating": "like", "user": "u"}); status != 200 {
		t.Errorf("rating a running message: %d", status)
	}
	go func() { done <- st.all() }()
	feed <- "done"
	close(feed)
	<-done
	_, out = c.get("/v1/messages", key, "user", "u", "conversation_id", f.text("conversation_id"))
	if column(out, "answer")[0] != "half done" || column(out, "feedback")[0] != "map[rating:like]" {
		t.Errorf("after it: %v", out)
	}
}

func TestConversationList(t *testing.T) {
	c := start(t, clickai.Options{})
	key := keyOf(clickai.ModeChat)
	var ids []string
	for _, q := range []string{"one", "two", "three"} {
		_, id := c.ask(key, q, "", "u")
		ids = append(ids, id)
	}
	c.ask(key, "elsewhere", "", "other")
	c.ask(key, "again", ids[0], "u") // the first is now the one updated last
	list := func(q ...string) []string {
		t.Helper()
		status, out := c.get("/v1/conversations", key, append([]string{"user", "u"}, q...)...)
		if status != 200 {
			t.Fatalf("%d %v", status, out)
		}
		return column(out, "name")
	}
	for _, tt := range []struct {
		name  string
		query []string
		want  []string
	}{
		{"default", nil, []string{"one", "three", "two"}},
		{"oldest first", []string{"sort_by", "created_at"}, []string{"one", "two", "three"}},
		{"newest first", []string{"sort_by", "-created_at"}, []string{"three", "two", "one"}},
		{"page", []string{"limit", "2"}, []string{"one", "three"}},
		{"next page", []string{"limit", "2", "last_id", ids[2]}, []string{"two"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := list(tt.query...); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	if _, out := c.get("/v1/conversations", key, "user", "u", "limit", "2"); out["has_more"] != true || out["limit"] != 2.0 {
		t.Errorf("page %v", out)
	}
	if status, out := c.get("/v1/conversations", key, "user", "u", "last_id", "x"); status != 404 || out["message"] != "Last Conversation Not Exists." {
		t.Errorf("%d %v", status, out)
	}
	if status, _ := c.get("/v1/conversations", key, "user", "u", "sort_by", "name"); status != 400 {
		t.Errorf("sort_by: %d", status)
	}
	c.noViolationsBut("sort_by")

	t.Run("rename", func(t *testing.T) {
		path := "/v1/conversations/" + ids[1] + "/name"
		status, out, _ := c.do(http.MethodPost, path, key, obj{"name": "Neu", "auto_generate": false, "user": "u"})
		if status != 200 || out["name"] != "Neu" || out["id"] != ids[1] {
			t.Errorf("%d %v", status, out)
		}
		if status, out, _ = c.do(http.MethodPost, path, key, obj{"name": "x", "auto_generate": true, "user": "u"}); out["name"] != "two" {
			t.Errorf("%d %v", status, out)
		}
		if status, _, _ = c.do(http.MethodPost, path, key, obj{"name": "", "auto_generate": false, "user": "u"}); status != 400 {
			t.Errorf("no name: %d", status)
		}
	})
	t.Run("delete", func(t *testing.T) {
		path := "/v1/conversations/" + ids[1]
		if status, _, _ := c.do(http.MethodDelete, path, key, nil); status != 415 {
			t.Errorf("without body: %d", status)
		}
		if status, _, _ := c.do(http.MethodDelete, path, key, obj{}); status != 404 {
			t.Errorf("without user: %d", status)
		}
		if status, _, _ := c.do(http.MethodDelete, path, key, obj{"user": "u"}); status != 204 {
			t.Errorf("%d", status)
		}
		if status, _, _ := c.do(http.MethodDelete, path, key, obj{"user": "u"}); status != 404 {
			t.Errorf("twice: %d", status)
		}
		if status, out, _ := c.do(http.MethodPost, "/v1/chat-messages", key, chatBody("q", ids[1], "u")); status != 404 || out["message"] != "Conversation Not Exists." {
			t.Errorf("chat after it: %d %v", status, out)
		}
		if n := len(c.s.Conversations()); n != 3 {
			t.Errorf("%d conversations", n)
		}
	})
	t.Run("forgotten and completed", func(t *testing.T) {
		if !c.s.Forget(ids[0]) || !c.s.Complete(ids[2]) || c.s.Forget("x") || c.s.Complete("x") {
			t.Error("wrong report")
		}
		if status, _, _ := c.do(http.MethodPost, "/v1/chat-messages", key, chatBody("q", ids[0], "u")); status != 404 {
			t.Errorf("forgotten: %d", status)
		}
		if status, out, _ := c.do(http.MethodPost, "/v1/chat-messages", key, chatBody("q", ids[2], "u")); status != 400 || out["code"] != "conversation_completed" {
			t.Errorf("completed: %d %v", status, out)
		}
	})
}

func (c *client) noViolationsBut(part string) {
	c.t.Helper()
	for _, v := range c.s.Violations() {
		if !strings.Contains(v, part) {
			c.t.Errorf("violation %q", v)
		}
	}
}

func TestFeedback(t *testing.T) {
	c := start(t, clickai.Options{})
	key := keyOf(clickai.ModeChat)
	frames, _ := c.ask(key, "q", "", "u")
	id := frames[0].text("message_id")
	rate := func(rating any, content any) int {
		body := obj{"rating": rating, "user": "u"}
		if content != nil {
			body["content"] = content
		}
		status, _, _ := c.do(http.MethodPost, "/v1/messages/"+id+"/feedbacks", key, body)
		return status
	}
	for i, tt := range []struct {
		rating  any
		content any
		want    int
	}{{nil, nil, 400}, {"like", "by Ann", 200}, {"dislike", nil, 200}, {nil, nil, 200}, {nil, nil, 400}} {
		if got := rate(tt.rating, tt.content); got != tt.want {
			t.Errorf("step %d: %d, want %d", i, got, tt.want)
		}
	}
	var got []string
	for _, r := range c.s.Ratings() {
		if r.MessageID != id || r.User != "u" {
			t.Errorf("rating %+v", r)
		}
		got = append(got, r.Rating+"/"+r.Content)
	}
	if want := []string{"like/by Ann", "dislike/", "/"}; !slices.Equal(got, want) {
		t.Errorf("ratings %q", got)
	}
	c.noViolations()

	t.Run("completion", func(t *testing.T) {
		path, body := call(clickai.ModeCompletion, "q", "blocking")
		_, out, _ := c.do(http.MethodPost, path, keyOf(clickai.ModeCompletion), body)
		status, _, _ := c.do(http.MethodPost, "/v1/messages/"+out["id"].(string)+"/feedbacks", keyOf(clickai.ModeCompletion), obj{"rating": "like", "user": "u"})
		if status != 200 {
			t.Errorf("%d", status)
		}
	})
}

func TestSuggested(t *testing.T) {
	apps := append(clickai.DemoApps(), clickai.App{Name: "quiet", Mode: clickai.ModeChat, Key: "app-quiet", NoSuggested: true})
	c := start(t, clickai.Options{Apps: apps})
	for _, tt := range []struct {
		key    string
		status int
	}{{keyOf(clickai.ModeChat), 200}, {"app-quiet", 400}} {
		frames, _ := c.ask(tt.key, "about tea", "", "u")
		status, out := c.get("/v1/messages/"+frames[0].text("message_id")+"/suggested", tt.key, "user", "u")
		if status != tt.status {
			t.Errorf("%s: %d %v", tt.key, status, out)
		}
		if status == 200 && (out["result"] != "success" || len(out["data"].([]any)) != 3) {
			t.Errorf("%v", out)
		}
	}
}
