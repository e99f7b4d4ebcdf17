package telegram_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	tgbot "github.com/go-telegram/bot"
	"go.uber.org/goleak"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/telegram"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fast lifts the rate limits out of the way of tests that are about something else.
const fast = 10_000

// start runs a server for one test.
func start(t *testing.T, o telegram.Options) *telegram.Server {
	t.Helper()
	if o.RateScale == 0 {
		o.RateScale = fast
	}
	s, err := telegram.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	})
	return s
}

// client is an HTTP client whose connections end with the test.
func client(t *testing.T) *http.Client {
	t.Helper()
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: 20 * time.Second}
}

// library is a real bot library that talks to the server.
func library(t *testing.T, s *telegram.Server) *tgbot.Bot {
	t.Helper()
	b, err := tgbot.New(s.Token(), tgbot.WithServerURL(s.APIURL()), tgbot.WithHTTPClient(10*time.Second, client(t)))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

type reply struct {
	Status      int
	Header      http.Header
	OK          bool            `json:"ok"`
	Result      json.RawMessage `json:"result"`
	ErrorCode   int             `json:"error_code"`
	Description string          `json:"description"`
	Parameters  struct {
		RetryAfter      int   `json:"retry_after"`
		MigrateToChatID int64 `json:"migrate_to_chat_id"`
	} `json:"parameters"`
}

// raw calls methods with JSON bodies, as a bot without a library would.
type raw struct {
	t *testing.T
	s *telegram.Server
	c *http.Client
}

func newRaw(t *testing.T, s *telegram.Server) raw { return raw{t: t, s: s, c: client(t)} }

func (r raw) call(method string, params any) reply {
	r.t.Helper()
	out, err := r.try(r.t.Context(), method, params)
	if err != nil {
		r.t.Fatal(err)
	}
	return out
}

func (r raw) try(ctx context.Context, method string, params any) (reply, error) {
	body, err := json.Marshal(params)
	if err != nil {
		return reply{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.s.APIURL()+"/bot"+r.s.Token()+"/"+method, bytes.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	return r.do(req)
}

func (r raw) do(req *http.Request) (reply, error) {
	resp, err := r.c.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return reply{}, err
	}
	out := reply{Status: resp.StatusCode, Header: resp.Header}
	if err := json.Unmarshal(b, &out); err != nil {
		return out, fmt.Errorf("%w in %s", err, b)
	}
	return out, nil
}

type obj = map[string]any

// want fails unless a call was refused with this code and description.
func (r raw) want(got reply, code int, description string) {
	r.t.Helper()
	if got.OK || got.Status != code || got.ErrorCode != code || got.Description != description {
		r.t.Errorf("got %d %q, want %d %q", got.Status, got.Description, code, description)
	}
}

// ok fails unless a call went well, and decodes its result.
func (r raw) ok(got reply, dst any) {
	r.t.Helper()
	if !got.OK || got.Status != http.StatusOK {
		r.t.Fatalf("refused: %d %s", got.Status, got.Description)
	}
	if dst != nil {
		if err := json.Unmarshal(got.Result, dst); err != nil {
			r.t.Fatal(err)
		}
	}
}

type message struct {
	ID        int    `json:"message_id"`
	ThreadID  int    `json:"message_thread_id"`
	IsTopic   bool   `json:"is_topic_message"`
	Text      string `json:"text"`
	Caption   string `json:"caption"`
	GroupID   string `json:"media_group_id"`
	MigrateTo int64  `json:"migrate_to_chat_id"`
	From      struct {
		ID    int64 `json:"id"`
		IsBot bool  `json:"is_bot"`
	} `json:"from"`
	Chat struct {
		ID int64 `json:"id"`
	} `json:"chat"`
	Entities []struct {
		Type   string `json:"type"`
		Offset int    `json:"offset"`
		Length int    `json:"length"`
	} `json:"entities"`
	ReplyTo *message `json:"reply_to_message"`
	Photo   []struct {
		FileID string `json:"file_id"`
	} `json:"photo"`
	Document *struct {
		FileID   string `json:"file_id"`
		FileName string `json:"file_name"`
		MimeType string `json:"mime_type"`
	} `json:"document"`
	Voice *struct {
		FileID string `json:"file_id"`
	} `json:"voice"`
	TopicCreated *struct{} `json:"forum_topic_created"`
}

type update struct {
	ID       int64    `json:"update_id"`
	Message  *message `json:"message"`
	Edited   *message `json:"edited_message"`
	Reaction *struct {
		MessageID int `json:"message_id"`
		User      struct {
			ID int64 `json:"id"`
		} `json:"user"`
		Old []struct{ Emoji string } `json:"old_reaction"`
		New []struct{ Emoji string } `json:"new_reaction"`
	} `json:"message_reaction"`
	Callback *struct {
		ID   string `json:"id"`
		Data string `json:"data"`
	} `json:"callback_query"`
	Member *struct {
		New struct {
			Status string `json:"status"`
		} `json:"new_chat_member"`
	} `json:"my_chat_member"`
}

// updates asks once, without waiting.
func (r raw) updates(params obj) []update {
	r.t.Helper()
	var out []update
	r.ok(r.call("getUpdates", params), &out)
	return out
}

func ids(us []update) string {
	var out []string
	for _, u := range us {
		out = append(out, fmt.Sprint(u.ID))
	}
	return strings.Join(out, " ")
}

func say(t *testing.T, s *telegram.Server, what sim.Say) sim.Message {
	t.Helper()
	m, err := s.Say(t.Context(), what)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// noViolations fails when the bot did anything against the documentation.
func noViolations(t *testing.T, s *telegram.Server) {
	t.Helper()
	if v := s.Violations(); len(v) > 0 {
		t.Errorf("violations: %q", v)
	}
}

func violation(t *testing.T, s *telegram.Server, part string) {
	t.Helper()
	for _, v := range s.Violations() {
		if strings.Contains(v, part) {
			return
		}
	}
	t.Errorf("no violation with %q in %q", part, s.Violations())
}

// eventually waits for something that people can see.
func eventually(t *testing.T, s *telegram.Server, what string, ok func() bool) {
	t.Helper()
	limit := time.After(time.Minute)
	for {
		changed := s.Changed()
		if ok() {
			return
		}
		select {
		case <-changed:
		case <-limit:
			t.Fatalf("never seen: %s", what)
		}
	}
}

func picture(t *testing.T, w, h int) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for x := range w {
		img.Set(x, x%h, color.RGBA{R: uint8(x), G: 200, A: 255})
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func download(t *testing.T, s *telegram.Server, r raw, fileID string) []byte {
	t.Helper()
	var f struct {
		Path string `json:"file_path"`
	}
	r.ok(r.call("getFile", obj{"file_id": fileID}), &f)
	resp, err := r.c.Get(s.APIURL() + "/file/bot" + s.Token() + "/" + f.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("download: %d, %v", resp.StatusCode, err)
	}
	return b
}

type ctx = context.Context

// run starts a library's poll loop; the function that it returns stops it and waits.
func run(t *testing.T, b *tgbot.Bot) func() {
	t.Helper()
	c, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.Start(c)
	}()
	return func() {
		cancel()
		<-done
	}
}

func itoa(n int) string { return strconv.Itoa(n) }

func second[T any](_ T, err error) error { return err }
