package clickai_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"testing"

	"github.com/clickai/bridge/clickai"
)

func newConsole(t *testing.T, url string) *clickai.Console {
	t.Helper()
	c, err := clickai.NewConsole(clickai.ConsoleConfig{BaseURL: url, AccessToken: "access-tok3n"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func TestAssistants(t *testing.T) {
	t.Parallel()
	var got seen
	srv := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		got = see(t, r)
		_, _ = w.Write([]byte(`{"page":1,"page_size":10,"total":5,"data":[{"id":"app-abc123","name":"A","mode":"agent-chat","description":"d","created_at":1705395332}]}`))
	})
	page, err := newConsole(t, srv.URL).Assistants(t.Context(), clickai.AssistantsRequest{Page: 2, PageSize: 50, Mode: "agent-chat", WorkspaceID: "w/1"})
	if err != nil {
		t.Fatal(err)
	}
	wantSeen := seen{Method: "GET", Path: "/assistant/api/assistant/my-assistants", Query: "mode=agent-chat&page=2&page_size=50&workspace_id=w%2F1", Auth: "Bearer access-tok3n", Accept: "application/json"}
	if !reflect.DeepEqual(got, wantSeen) {
		t.Errorf("server saw %+v", got)
	}
	want := &clickai.AssistantsPage{Page: 1, PageSize: 10, Total: 5, Data: []clickai.Assistant{{ID: "app-abc123", Name: "A", Mode: "agent-chat", Description: "d", CreatedAt: 1705395332}}}
	if !reflect.DeepEqual(page, want) {
		t.Errorf("got %+v", page)
	}
}

func TestAllAssistants(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		req     clickai.AssistantsRequest
		pages   []string // answers to page 1, 2, …; the last one goes on
		want    []string
		asked   int
		failing bool
	}{
		{"three pages by total", clickai.AssistantsRequest{PageSize: 2}, []string{`{"page_size":2,"total":5,"data":[a,b]}`, `{"page_size":2,"total":5,"data":[c,d]}`, `{"page_size":2,"total":5,"data":[e]}`}, []string{"a", "b", "c", "d", "e"}, 3, false},
		{"a page is shorter than it should be", clickai.AssistantsRequest{PageSize: 2}, []string{`{"page_size":2,"total":4,"data":[a]}`, `{"page_size":2,"total":4,"data":[c]}`}, []string{"a", "c"}, 2, false},
		{"server cuts the page size", clickai.AssistantsRequest{PageSize: 100}, []string{`{"page_size":2,"total":3,"data":[a,b]}`, `{"page_size":2,"total":3,"data":[c]}`}, []string{"a", "b", "c"}, 2, false},
		{"no total: until an empty page", clickai.AssistantsRequest{}, []string{`{"data":[a]}`, `{"data":[b]}`, `{"data":[]}`}, []string{"a", "b"}, 3, false},
		{"no data", clickai.AssistantsRequest{}, []string{`{"total":5}`}, nil, 1, false},
		{"server that knows no pages", clickai.AssistantsRequest{}, []string{`{"data":[a,b]}`}, []string{"a", "b"}, 2, false},
		{"from page 2 on", clickai.AssistantsRequest{Page: 2, PageSize: 1}, []string{`{"page_size":1,"total":2,"data":[a]}`, `{"page_size":1,"total":2,"data":[b]}`}, []string{"b"}, 1, false},
		{"second page fails", clickai.AssistantsRequest{}, []string{`{"data":[a]}`, `!`}, []string{"a"}, 2, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			asked := 0
			srv := newServer(t, func(w http.ResponseWriter, r *http.Request) {
				asked++
				n, err := strconv.Atoi(r.URL.Query().Get("page"))
				if err != nil {
					t.Errorf("page: %v", err)
				}
				body := tt.pages[min(n, len(tt.pages))-1]
				if body == "!" {
					w.WriteHeader(http.StatusUnauthorized)
					return
				}
				_, _ = w.Write(expand(body))
			})
			var got []string
			var failed error
			for a, err := range newConsole(t, srv.URL).AllAssistants(t.Context(), tt.req) {
				if failed = err; err == nil {
					got = append(got, a.ID)
				}
			}
			if !reflect.DeepEqual(got, tt.want) || asked != tt.asked || (failed != nil) != tt.failing {
				t.Errorf("got %v in %d requests, %v; want %v in %d", got, asked, failed, tt.want, tt.asked)
			}
		})
	}
}

// expand writes each bare letter of a list as an assistant of that id.
func expand(body string) []byte {
	out := []byte{}
	for i := range len(body) {
		c := body[i]
		if c >= 'a' && c <= 'z' && (body[i-1] == '[' || body[i-1] == ',') && body[i+1] != '"' {
			b, err := json.Marshal(clickai.Assistant{ID: string(c)})
			if err != nil {
				panic(err)
			}
			out = append(out, b...)
			continue
		}
		out = append(out, c)
	}
	return out
}

func TestAllAssistantsStopsEarly(t *testing.T) {
	t.Parallel()
	asked := 0
	srv := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		asked++
		_, _ = fmt.Fprintf(w, `{"total":1000,"data":[{"id":"a%s"}]}`, r.URL.Query().Get("page"))
	})
	for _, err := range newConsole(t, srv.URL).AllAssistants(t.Context(), clickai.AssistantsRequest{}) {
		if err != nil {
			t.Error(err)
		}
		break
	}
	if asked != 1 {
		t.Errorf("%d requests", asked)
	}
}

func TestConsoleRefuses(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]clickai.ConsoleConfig{
		"no token":         {},
		"bad URL":          {AccessToken: "x", BaseURL: "clickai.io"},
		"negative timeout": {AccessToken: "x", CallTimeout: -1},
	} {
		if _, err := clickai.NewConsole(cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	_, err := newConsole(t, "http://127.0.0.1:1").Assistants(t.Context(), clickai.AssistantsRequest{Page: -1})
	wantKind(t, err, clickai.KindInvalid)
}
