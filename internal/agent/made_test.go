package agent_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/clickai/bridge/clickai"
	"github.com/clickai/bridge/core"
	"github.com/clickai/bridge/internal/agent"
	base "github.com/clickai/bridge/internal/sim"
	sim "github.com/clickai/bridge/internal/sim/clickai"
)

// onePixel is a small picture.
func onePixel(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 1, 1))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// content reads a file that was announced.
func content(t *testing.T, f core.FileOut) []byte {
	t.Helper()
	body, err := f.File.Open(t.Context())
	if err != nil {
		t.Fatalf("open %s: %v", f.File.Name, err)
	}
	defer func() { _ = body.Close() }()
	data, err := io.ReadAll(body)
	if err != nil {
		t.Fatalf("read %s: %v", f.File.Name, err)
	}
	return data
}

// TestMadeFiles has files come in every way, and in several at once: each is passed on once, and no link of it is left.
func TestMadeFiles(t *testing.T) {
	picture := base.File{Name: "chart.png", MIME: "image/png", Data: onePixel(t)}
	doc := base.File{Name: "report.pdf", MIME: "application/pdf", Data: []byte("%PDF-1.7\n")}
	tests := []struct {
		name  string
		mode  agent.Mode
		steps []sim.Step
		text  string
		files []string
	}{
		{name: "event with a relative address, and message_end", steps: []sim.Step{sim.Text("Here."), sim.Picture(picture, false)}, text: "Here.", files: []string{"tool.png"}},
		{name: "event with an absolute address", steps: []sim.Step{sim.Text("Here."), sim.Picture(picture, true)}, text: "Here.", files: []string{"tool.png"}},
		{name: "file of an agent's tool", mode: agent.ModeAgentChat, steps: []sim.Step{sim.Thought(), sim.Tool("draw", "{}", "ok", picture), sim.Text("Here.")}, text: "Here.", files: []string{"tool.png"}},
		{name: "outputs and files of a workflow", mode: agent.ModeWorkflow, steps: []sim.Step{sim.Text("Here."), sim.Picture(picture, false)}, text: "Here.", files: []string{"chart.png"}},
		{name: "relative link", steps: []sim.Step{sim.Linked(doc, false, "See [report.pdf](%s) now."), sim.Text(" Bye.")}, text: "See 📎 report.pdf now. Bye.", files: []string{"report.pdf"}},
		{name: "signed link", steps: []sim.Step{sim.Linked(doc, true, "See [the **report**](%s \"a title\").")}, text: "See 📎 the **report**.", files: []string{"tool.pdf"}},
		{name: "picture in the text", steps: []sim.Step{sim.Linked(picture, false, "![chart](%s)")}, text: "📎 chart", files: []string{"tool.png"}},
		{name: "picture without a name", steps: []sim.Step{sim.Linked(picture, false, "Look: ![](<%s>)!")}, text: "Look: 📎 tool.png!", files: []string{"tool.png"}},
		{name: "signed address as it is", steps: []sim.Step{sim.Linked(doc, true, "At %s"), sim.Text("\nBye")}, text: "At 📎 tool.pdf\nBye", files: []string{"tool.pdf"}},
		{name: "signed address at the end", steps: []sim.Step{sim.Linked(doc, true, "At %s.")}, text: "At 📎 tool.pdf.", files: []string{"tool.pdf"}},
		{name: "in code", steps: []sim.Step{sim.Text("```\n[a](/files/tools/x.png?timestamp=1&nonce=2&sign=3)\n```\n`[b](/files/y.png)`")}, text: "```\n[a](/files/tools/x.png?timestamp=1&nonce=2&sign=3)\n```\n`[b](/files/y.png)`"},
		{name: "links that stay", steps: []sim.Step{sim.Text("[a](https://example.com/files/a.png) ![b](https://example.com/b.png) [1] [x] (y) ! [r][s] https://example.com/?q=1. ok!")}, text: "[a](https://example.com/files/a.png) ![b](https://example.com/b.png) [1] [x] (y) ! [r][s] https://example.com/?q=1. ok!"},
		{name: "half a link at the end", steps: []sim.Step{sim.Text("see [report](/fil")}, text: "see [report](/fil"},
		{name: "link in a replaced text", steps: []sim.Step{sim.Text("bad"), sim.Send("message_replace", map[string]any{"answer": "See [a.png](/files/tools/x.png)"})}, text: "See 📎 a.png", files: []string{"a.png"}},
		{name: "picture that is a link", steps: []sim.Step{sim.Linked(picture, false, "[![chart](%s)](https://example.com/)")}, text: "[📎 chart](https://example.com/)", files: []string{"tool.png"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, sim.Options{NewID: stableIDs()})
			mode := tt.mode
			if mode == "" {
				mode = agent.ModeChat
			}
			r.server.Script(nil, tt.steps...)
			h := ask(t, r.app(t, mode, nil), core.Question{})
			if h.err != nil || h.text != tt.text {
				t.Errorf("text = %q, %v; want %q", h.text, h.err, tt.text)
			}
			var names []string
			for _, f := range h.files {
				names = append(names, f.File.Name)
			}
			if !slices.Equal(names, tt.files) {
				t.Fatalf("files = %q, want %q", names, tt.files)
			}
			if strings.HasPrefix(tt.name, "link in a replaced") {
				return
			}
			for _, f := range h.files {
				data := content(t, f)
				want, mime, kind := picture, "image/png", core.FileImage
				if strings.HasSuffix(f.File.Name, ".pdf") {
					want, mime, kind = doc, "application/pdf", core.FileDocument
				}
				if !bytes.Equal(data, want.Data) || f.File.MIME != mime || f.Type != kind || f.File.Size != int64(len(data)) {
					t.Errorf("%s is %s, %s, %d bytes said, %d read", f.File.Name, f.File.MIME, f.Type, f.File.Size, len(data))
				}
			}
		})
	}
}

// stableIDs makes ids whose kind is all that they say, but for the first of each being without a number.
func stableIDs() func(string) string {
	mu := make(chan map[string]int, 1)
	mu <- map[string]int{}
	return func(kind string) string {
		seen := <-mu
		defer func() { mu <- seen }()
		seen[kind]++
		if n := seen[kind]; n > 1 {
			return fmt.Sprint(kind, n)
		}
		return kind
	}
}

// TestOwnUploadsAreNotSentBack has the app name the person's own file in all the ways that it can.
func TestOwnUploadsAreNotSentBack(t *testing.T) {
	for _, mode := range []agent.Mode{agent.ModeChat, agent.ModeWorkflow} {
		t.Run(string(mode), func(t *testing.T) {
			r := newRig(t, sim.Options{})
			a := r.app(t, mode, func(c *agent.Config) { c.FilesInput = "files" })
			ref, err := a.Upload(t.Context(), "test:U1", core.File{Name: "notes.txt", MIME: "text/plain", Size: 5, Open: func(context.Context) (io.ReadCloser, error) {
				return io.NopCloser(strings.NewReader("notes")), nil
			}})
			if err != nil {
				t.Fatal(err)
			}
			address := "/files/" + ref.ID + "/file-preview?timestamp=1&nonce=2&sign=3"
			r.server.Script(nil, sim.Text("Your [notes]("+address+")."), sim.Outputs(map[string]any{
				"text": "Your [notes](" + address + ").",
				"file": map[string]any{"dify_model_identity": "__dify__file__", "related_id": ref.ID, "filename": "notes.txt", "url": address, "transfer_method": "local_file"},
			}))
			h := ask(t, a, core.Question{Query: "read", Files: []core.FileRef{ref}})
			if h.err != nil || len(h.files) != 0 || h.text != "Your 📎 notes." {
				t.Errorf("text %q, files %+v, %v", h.text, h.files, h.err)
			}
		})
	}
}

// TestFilesAreFetchedAtOnce has the links run out before the files are sent. A workflow has no history with fresh ones.
func TestFilesAreFetchedAtOnce(t *testing.T) {
	r := newRig(t, sim.Options{})
	picture := base.File{Name: "chart.png", MIME: "image/png", Data: onePixel(t)}
	r.server.Script(nil, sim.Text("Here."), sim.Picture(picture, false))
	h := ask(t, r.app(t, agent.ModeWorkflow, nil), core.Question{})
	r.server.ExpireFileURLs()
	if len(h.files) != 1 || !bytes.Equal(content(t, h.files[0]), picture.Data) {
		t.Errorf("files = %+v", h.files)
	}
	if again := content(t, h.files[0]); !bytes.Equal(again, picture.Data) {
		t.Error("the file cannot be opened twice")
	}
}

// TestFileComesWhileTheAnswerRuns has a file announced in the middle: it is passed on before the next text.
func TestFileComesWhileTheAnswerRuns(t *testing.T) {
	r := newRig(t, sim.Options{})
	gate := sim.NewGate()
	t.Cleanup(gate.Open)
	r.server.Script(nil, sim.Text("one "), sim.Picture(base.File{Name: "a.png", MIME: "image/png", Data: onePixel(t)}, false), sim.Wait(gate), sim.Text("two"))
	var order []core.DeltaKind
	for d, err := range r.app(t, agent.ModeChat, nil).Ask(t.Context(), core.Question{User: "u", Query: "hi", AskedAt: time.Now()}) {
		if err != nil {
			t.Fatal(err)
		}
		if d.Kind == core.DeltaText || d.Kind == core.DeltaFile {
			order = append(order, d.Kind)
		}
		if d.Kind == core.DeltaFile {
			gate.Open()
		}
	}
	if !slices.Equal(order, []core.DeltaKind{core.DeltaText, core.DeltaFile, core.DeltaText}) {
		t.Errorf("order = %v", order)
	}
}

// TestFilesFromTheHistory has an answer taken up after a restart: its files come with it, its links go.
func TestFilesFromTheHistory(t *testing.T) {
	r := newRig(t, sim.Options{NewID: stableIDs()})
	a := r.app(t, agent.ModeChat, nil)
	r.server.Script(nil, sim.Text("<think>hm</think>"), sim.Picture(base.File{Name: "b.png", MIME: "image/png", Data: onePixel(t)}, false), sim.Linked(base.File{Name: "a.png", MIME: "image/png", Data: onePixel(t)}, false, "![a](%s)"))
	asked := time.Now()
	first := ask(t, a, core.Question{Query: "one"})
	h := ask(t, a, core.Question{Query: "one", Conversation: first.ids.Conversation, MessageID: first.ids.MessageID, Retried: true, Begun: true, AskedAt: asked})
	if h.err != nil || h.text != "📎 a" || len(h.files) != 2 || h.files[0].File.Name != "b.png" || len(r.server.Turns()) != 1 {
		t.Errorf("text %q, files %+v, %v", h.text, h.files, h.err)
	}
}

// TestTypeIsWhatTheBytesAre has servers say wrong things, or nothing, about what they send.
func TestTypeIsWhatTheBytesAre(t *testing.T) {
	pixel := string(onePixel(t))
	opus := "OggS\x00\x02" + strings.Repeat("\x00", 20) + "\x01\x13OpusHead\x01\x01" + strings.Repeat("\x00", 9)
	wav := "RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00" + strings.Repeat("\x00", 24)
	mp3 := "\xff\xfb\x90\xc4" + strings.Repeat("\x00", 500)
	mp4 := "\x00\x00\x00\x18ftypM4A \x00\x00\x00\x00M4A isom" + strings.Repeat("\x00", 100)
	tests := []struct {
		name     string
		announce string // fields of message_file beside the address
		path     string
		header   http.Header
		body     string
		want     string // name, MIME type, type
	}{
		{name: "all is right", announce: `"type":"image","filename":"a.png","mime_type":"image/png"`, path: "/files/a.png", body: pixel, want: "a.png image/png image"},
		{name: "nothing is said", path: "/files/12345", body: pixel, want: "file.png image/png image"},
		{name: "octets", announce: `"type":"document","filename":"a.png"`, path: "/files/a", header: http.Header{"Content-Type": {"application/octet-stream"}}, body: pixel, want: "a.png image/png image"},
		{name: "a wrong extension", announce: `"filename":"a.jpg","mime_type":"image/jpeg"`, path: "/files/a.jpg", body: pixel, want: "a.png image/png image"},
		{name: "a page in place of the picture", announce: `"type":"image","filename":"a.png","mime_type":"image/png"`, path: "/files/a.png", body: "<!DOCTYPE html><html><body>Log in</body></html>", want: "a.html text/html document"},
		{name: "voice", announce: `"type":"audio"`, path: "/files/tools/v.bin", body: opus, want: "v.bin.ogg audio/ogg audio"},
		{name: "voice under another extension", announce: `"type":"audio","filename":"v.mp3","mime_type":"audio/mpeg"`, path: "/files/v.mp3", body: opus, want: "v.ogg audio/ogg audio"},
		{name: "wav", announce: `"filename":"v","mime_type":"audio/x-wav"`, path: "/files/v", body: wav, want: "v.wav audio/wav audio"},
		{name: "mp3 without a tag", path: "/files/v", body: mp3, want: "file.mp3 audio/mpeg audio"},
		{name: "sound in mp4", announce: `"filename":"v.m4a","mime_type":"audio/mp4"`, path: "/files/v.m4a", body: mp4, want: "v.m4a audio/mp4 audio"},
		{name: "text keeps its kind", announce: `"filename":"a.csv","mime_type":"text/csv"`, path: "/files/a.csv", body: "a;b\n1;2\n", want: "a.csv text/csv document"},
		{name: "name in the header", path: "/files/12345", header: http.Header{"Content-Disposition": {`attachment; filename="báo cáo.pdf"; filename*=UTF-8''b%C3%A1o%20c%C3%A1o.pdf`}, "Content-Type": {"application/pdf"}}, body: "%PDF-1.4", want: "báo cáo.pdf application/pdf document"},
		{name: "archive that is a document", announce: `"filename":"a.docx"`, path: "/files/a.docx", header: http.Header{"Content-Type": {"application/vnd.openxmlformats-officedocument.wordprocessingml.document"}}, body: "PK\x03\x04" + strings.Repeat("\x00", 60), want: "a.docx application/vnd.openxmlformats-officedocument.wordprocessingml.document document"},
		{name: "picture of lines", announce: `"filename":"a.svg","mime_type":"image/svg+xml"`, path: "/files/a.svg", body: `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>`, want: "a.svg image/svg+xml image"},
		{name: "a name that leads elsewhere", announce: `"filename":"../../etc/passwd"`, path: "/files/x", body: "root:x:0:0\n", want: "passwd.txt text/plain document"},
		{name: "large", announce: `"filename":"big"`, path: "/files/big", body: pixel + strings.Repeat("\x00", 5<<20), want: "big.png image/png image"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodGet {
					if r.Header.Get("Authorization") != "" {
						t.Error("the key goes along with the fetch of a file")
					}
					w.Header()["Content-Type"] = nil
					maps.Copy(w.Header(), tt.header)
					w.Header().Set("Content-Length", strconv.Itoa(len(tt.body)))
					_, _ = io.WriteString(w, tt.body)
					return
				}
				extra := tt.announce
				if extra != "" {
					extra += ","
				}
				w.Header().Set("Content-Type", "text/event-stream")
				_, _ = io.WriteString(w, `data: {"event":"message_file","conversation_id":"c1","message_id":"m1","id":"f1","belongs_to":"assistant",`+extra+`"url":"`+tt.path+`?sign=1"}`+"\n\n"+
					`data: {"event":"message_end","conversation_id":"c1","message_id":"m1"}`+"\n\n")
			}))
			defer server.Close()
			h := ask(t, plainApp(t, server.URL), core.Question{})
			if h.err != nil || len(h.files) != 1 {
				t.Fatalf("files %+v, %v", h.files, h.err)
			}
			f := h.files[0]
			if got := f.File.Name + " " + f.File.MIME + " " + f.Type; got != tt.want {
				t.Errorf("file = %q, want %q", got, tt.want)
			}
			if f.File.Size != int64(len(tt.body)) || string(content(t, f)) != tt.body {
				t.Errorf("size %d, want %d and the same bytes", f.File.Size, len(tt.body))
			}
		})
	}
}

// plainApp is a chat app at an address.
func plainApp(t *testing.T, address string) *agent.App {
	t.Helper()
	client, err := clickai.New(clickai.Config{BaseURL: address, APIKey: "k"})
	if err != nil {
		t.Fatal(err)
	}
	return appOf(t, client, address)
}

func appOf(t *testing.T, client *clickai.Client, address string) *agent.App {
	t.Helper()
	a, err := agent.New(agent.Config{Name: "x", Mode: agent.ModeChat, Client: client, BaseURL: address, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	return a
}

// TestManyFiles has an app announce files without end.
func TestManyFiles(t *testing.T) {
	r := newRig(t, sim.Options{})
	var steps []sim.Step
	for i := range 200 {
		steps = append(steps, sim.Send("message_file", map[string]any{
			"id": fmt.Sprint("f", i), "type": "image", "belongs_to": "assistant", "url": fmt.Sprintf("/files/tools/none%d.png?timestamp=1&nonce=2&sign=3", i),
		}))
	}
	r.server.Script(nil, append(steps, sim.Text("done"))...)
	h := ask(t, r.app(t, agent.ModeChat, nil), core.Question{})
	if h.err != nil || len(h.files) != 64 || h.text != "done" {
		t.Errorf("%d files, text %q, %v", len(h.files), h.text, h.err)
	}
	if _, err := h.files[0].File.Open(t.Context()); core.ClassOf(err) != core.NotFound {
		t.Errorf("err = %v, want what is wrong with the file to show when it is sent", err)
	}
}
