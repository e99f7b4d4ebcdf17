package crashtest

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestPlanner wants every point once for its first and once for a later occurrence before any comes again.
func TestPlanner(t *testing.T) {
	points := Points([]string{"slack", "discord", "telegram"}, "native")
	for _, p := range points {
		if p.String() == "" || p.What == "" {
			t.Errorf("point %+v has no name", p)
		}
	}
	p := newPlanner(newRand(1, 0), points, nil)
	first, later, random := map[Point]int{}, map[Point]int{}, 0
	for len(p.queue) > 0 || len(first) == 0 {
		pl := p.next()
		switch {
		case pl.point == (Point{}):
			random++
			if pl.after < 0 || pl.after > lifetime {
				t.Errorf("a process lives %v", pl.after)
			}
		case pl.nth == 1+greeting(pl.point.Service, pl.point.What):
			first[pl.point]++
		default:
			later[pl.point]++
		}
	}
	if len(first) != len(points) || len(later) != len(points) {
		t.Errorf("%d and %d of %d points were planned", len(first), len(later), len(points))
	}
	for pt, n := range first {
		if n != 1 || later[pt] != 1 {
			t.Errorf("%v was planned %d and %d times", pt, n, later[pt])
		}
	}
	if random < len(points)/2 {
		t.Errorf("%d random times among %d points", random, len(points))
	}
}

func TestRequestName(t *testing.T) {
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	if err := w.WriteField("offset", "1795603246"); err != nil {
		t.Fatal(err)
	}
	if err := w.WriteField("timeout", "30"); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	multi := w.FormDataContentType()
	for _, c := range []struct{ service, method, path, mediaType, body, want string }{
		{"clickai", "POST", "/v1/files/upload", "", "", "files/upload"},
		{"clickai", "POST", "/v1/chat-messages", "", "", "chat-messages"},
		{"clickai", "GET", "/v1/messages", "", "", "messages"},
		{"clickai", "POST", "/v1/messages/msg-1/feedbacks", "", "", "feedbacks"},
		{"clickai", "GET", "/files/tools/tool-1.txt", "", "", "file fetch"},
		{"slack", "POST", "/api/chat.postMessage", "", "", "chat.postMessage"},
		{"slack", "POST", "/upload/v1/abc", "", "", "upload"},
		{"slack", "GET", "/files-pri/F1/download/a.txt", "", "", "file download"},
		{"discord", "POST", "/api/v9/channels/1/messages", "application/json", "", "message post"},
		{"discord", "POST", "/api/v9/channels/1/messages", multi, "", "file post"},
		{"discord", "PATCH", "/api/v9/channels/1/messages/2", "application/json", "", "message edit"},
		{"discord", "POST", "/api/v9/channels/1/messages/2/threads", "", "", "thread start"},
		{"discord", "POST", "/api/v9/channels/1/typing", "", "", "typing"},
		{"discord", "GET", "/attachments/1/2/a.txt", "", "", "file download"},
		{"telegram", "POST", "/bot7:x/sendMessage", "", "", "sendMessage"},
		{"telegram", "GET", "/file/bot7:x/documents/a.txt", "", "", "file download"},
		{"telegram", "POST", "/bot7:x/getUpdates", "application/json", `{"offset":12,"timeout":30}`, "getUpdates"},
		{"telegram", "POST", "/bot7:x/getUpdates", "application/x-www-form-urlencoded", "offset=12&timeout=30", "getUpdates"},
		{"telegram", "POST", "/bot7:x/getUpdates", multi, form.String(), "getUpdates"},
	} {
		t.Run(c.want+" of "+c.service, func(t *testing.T) {
			tp := &tap{service: c.service, k: &killer{}}
			name := func() string {
				r := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
				r.Header.Set("Content-Type", c.mediaType)
				return tp.name(r)
			}
			if got := name(); got != c.want {
				t.Errorf("name = %q, want %q", got, c.want)
			}
			if c.want != "getUpdates" {
				return
			}
			if got := name(); got != "getUpdates again" {
				t.Errorf("the same offset again is %q", got)
			}
		})
	}
}

// TestTapLetsPass wants requests and frames unchanged where nothing is aimed at.
func TestTapLetsPass(t *testing.T) {
	tp := &tap{service: "slack", k: &killer{}}
	w := httptest.NewRecorder()
	tp.Request(w, httptest.NewRequest(http.MethodPost, "/api/chat.update", nil), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
	}))
	tp.Frame("event")
	if w.Code != http.StatusTeapot {
		t.Errorf("status %d", w.Code)
	}
}

// TestPlannerOrder wants points first that were not hit yet, and one that did not come once more.
func TestPlannerOrder(t *testing.T) {
	points := Points([]string{"telegram"}, "edit")
	hit := map[Point][2]int{}
	for _, pt := range points[1:] {
		hit[pt] = [2]int{1, 1}
	}
	p := newPlanner(newRand(1, 0), points, hit)
	aimed := func() plan {
		for {
			if pl := p.next(); pl.point != (Point{}) {
				return pl
			}
			p.again() // a random time does not come again
		}
	}
	for range 2 {
		if pl := aimed(); pl.point != points[0] {
			t.Errorf("aimed at %v before %v", pl.point, points[0])
		}
	}
	n := len(p.queue)
	missed := aimed()
	p.again()
	if got := p.queue[tryAfter]; len(p.queue) != n || got.point != missed.point {
		t.Errorf("%v was put back as %v", missed.point, got)
	}
}
