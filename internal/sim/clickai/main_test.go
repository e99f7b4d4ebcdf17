package clickai_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/clickai/bridge/internal/sim/clickai"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type obj = map[string]any

// client is a plain HTTP client that knows nothing of the API.
type client struct {
	t    testing.TB
	s    *clickai.Server
	http *http.Client
}

func start(t testing.TB, opt clickai.Options) *client {
	t.Helper()
	if opt.Apps == nil {
		opt.Apps = clickai.DemoApps()
	}
	s, err := clickai.New(opt)
	if err != nil {
		t.Fatal(err)
	}
	tr := &http.Transport{MaxIdleConnsPerHost: 4}
	t.Cleanup(func() {
		tr.CloseIdleConnections()
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return &client{t: t, s: s, http: &http.Client{Transport: tr, Timeout: 30 * time.Second}}
}

// keyOf is the default key of the app of that mode.
func keyOf(mode clickai.Mode) string {
	for _, a := range clickai.DefaultApps() {
		if a.Mode == mode {
			return a.Key
		}
	}
	return "app-" + string(mode)
}

func (c *client) request(method, path, key string, body any) *http.Request {
	c.t.Helper()
	var r io.Reader
	if body != nil {
		if raw, ok := body.(string); ok {
			r = strings.NewReader(raw)
		} else {
			b, err := json.Marshal(body)
			if err != nil {
				c.t.Fatal(err)
			}
			r = bytes.NewReader(b)
		}
	}
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.s.URL()+path, r)
	if err != nil {
		c.t.Fatal(err)
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return req
}

// do sends a request and decodes a JSON answer.
func (c *client) do(method, path, key string, body any) (int, obj, http.Header) {
	c.t.Helper()
	return c.send(c.request(method, path, key, body))
}

func (c *client) send(req *http.Request) (int, obj, http.Header) {
	c.t.Helper()
	resp, err := c.http.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	var out obj
	if strings.Contains(resp.Header.Get("Content-Type"), "json") {
		if err := json.Unmarshal(raw, &out); err != nil {
			c.t.Fatalf("%s %s: %v in %q", req.Method, req.URL.Path, err, raw)
		}
	} else {
		out = obj{"raw": string(raw)}
	}
	return resp.StatusCode, out, resp.Header
}

// fails sends a request that must not be answered.
func (c *client) fails(req *http.Request) {
	c.t.Helper()
	resp, err := c.http.Do(req)
	if err == nil {
		_ = resp.Body.Close()
		c.t.Errorf("%s %s: answered with %d", req.Method, req.URL.Path, resp.StatusCode)
	}
}

// frame is one SSE record: its event line, its data, and its decoded data.
type frame struct {
	event string
	data  string
	json  obj
}

func (f frame) kind() string {
	if f.event != "" {
		return f.event
	}
	s, _ := f.json["event"].(string)
	return s
}

func (f frame) text(field string) string {
	s, _ := f.json[field].(string)
	return s
}

// stream is an open answer.
type stream struct {
	t    testing.TB
	resp *http.Response
	in   *bufio.Reader
	stop context.CancelFunc
}

// open starts a streaming request and checks the header.
func (c *client) open(path, key string, body obj) *stream {
	c.t.Helper()
	ctx, cancel := context.WithCancel(c.t.Context())
	c.t.Cleanup(cancel)
	resp, err := c.http.Do(c.request(http.MethodPost, path, key, body).WithContext(ctx))
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = resp.Body.Close() })
	if resp.StatusCode != 200 || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		raw, _ := io.ReadAll(resp.Body)
		c.t.Fatalf("%s: %d %s %s", path, resp.StatusCode, resp.Header.Get("Content-Type"), raw)
	}
	return &stream{t: c.t, resp: resp, in: bufio.NewReader(resp.Body), stop: cancel}
}

// next reads one record and is strict about its framing.
func (s *stream) next() (frame, error) {
	s.t.Helper()
	line, err := s.in.ReadString('\n')
	if err != nil {
		if line != "" {
			return frame{data: line}, io.ErrUnexpectedEOF
		}
		return frame{}, err
	}
	end, err := s.in.ReadString('\n')
	if err != nil {
		return frame{data: line}, io.ErrUnexpectedEOF
	}
	if end != "\n" {
		s.t.Fatalf("record %q is followed by %q", line, end)
	}
	line = strings.TrimSuffix(line, "\n")
	if name, ok := strings.CutPrefix(line, "event: "); ok {
		return frame{event: name}, nil
	}
	data, ok := strings.CutPrefix(line, "data: ")
	if !ok {
		s.t.Fatalf("line %q", line)
	}
	f := frame{data: data}
	if err := json.Unmarshal([]byte(data), &f.json); err != nil {
		s.t.Fatalf("%v in %q", err, data)
	}
	return f, nil
}

func (s *stream) must() frame {
	s.t.Helper()
	f, err := s.next()
	if err != nil {
		s.t.Fatalf("reading the stream: %v", err)
	}
	return f
}

// all reads to the end.
func (s *stream) all() []frame {
	s.t.Helper()
	var out []frame
	for {
		f, err := s.next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			s.t.Fatalf("after %d records: %v", len(out), err)
		}
		out = append(out, f)
	}
}

func kinds(frames []frame) []string {
	var out []string
	for _, f := range frames {
		out = append(out, f.kind())
	}
	return out
}

// squeezed is kinds with repetitions joined.
func squeezed(frames []frame) string { return strings.Join(slices.Compact(kinds(frames)), " ") }

func answer(frames []frame) string {
	var b strings.Builder
	for _, f := range frames {
		switch f.kind() {
		case "message", "agent_message":
			b.WriteString(f.text("answer"))
		case "text_chunk":
			d, _ := f.json["data"].(obj)
			s, _ := d["text"].(string)
			b.WriteString(s)
		}
	}
	return b.String()
}

func (f frame) inner() obj {
	d, _ := f.json["data"].(obj)
	return d
}

func pick(frames []frame, kind string) []frame {
	return slices.DeleteFunc(slices.Clone(frames), func(f frame) bool { return f.kind() != kind })
}

func chatBody(query, conv, user string) obj {
	return obj{"inputs": obj{}, "query": query, "response_mode": "streaming", "conversation_id": conv, "user": user}
}

// ask runs one chat turn and returns its frames and conversation.
func (c *client) ask(key, query, conv, user string) ([]frame, string) {
	c.t.Helper()
	frames := c.open("/v1/chat-messages", key, chatBody(query, conv, user)).all()
	for _, f := range frames {
		if id := f.text("conversation_id"); id != "" {
			return frames, id
		}
	}
	c.t.Fatalf("no conversation_id in %v", kinds(frames))
	return nil, ""
}

// form builds an upload. A nil data leaves the file out.
func (c *client) form(key, user, name, mimeType string, data []byte) *http.Request {
	c.t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	if data != nil {
		h := textproto.MIMEHeader{}
		d := `form-data; name="file"`
		if name != "" {
			d += fmt.Sprintf("; filename=%q", name)
		}
		h.Set("Content-Disposition", d)
		if mimeType != "" {
			h.Set("Content-Type", mimeType)
		}
		p, err := w.CreatePart(h)
		if err != nil {
			c.t.Fatal(err)
		}
		_, _ = p.Write(data)
	}
	if user != "" {
		_ = w.WriteField("user", user)
	}
	_ = w.Close()
	req := c.request(http.MethodPost, "/v1/files/upload", key, nil)
	req.Body, req.ContentLength = io.NopCloser(&b), int64(b.Len())
	req.Header.Set("Content-Type", w.FormDataContentType())
	return req
}

func (c *client) noViolations() {
	c.t.Helper()
	if v := c.s.Violations(); len(v) > 0 {
		c.t.Errorf("violations: %q", v)
	}
}

func (c *client) wait(match func(clickai.Turn) bool) clickai.Turn {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), time.Minute)
	defer cancel()
	t, err := c.s.WaitTurn(ctx, match)
	if err != nil {
		c.t.Fatal(err)
	}
	return t
}
