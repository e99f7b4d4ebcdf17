package clickai_test

import (
	"bytes"
	"image/png"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clickai/bridge/internal/sim/clickai"
)

func TestUpload(t *testing.T) {
	opt := clickai.Options{
		FileLimits: map[clickai.FileType]int64{clickai.Image: 100, clickai.Document: 10}, ProxyLimit: 4096,
		BlockedExtensions: []string{"exe"},
	}
	c := start(t, opt)
	key := keyOf(clickai.ModeChat)
	long := strings.Repeat("n", 250) + ".txt"
	for _, tt := range []struct {
		name, user, file, mime string
		data                   []byte
		status                 int
		code                   string
		blame                  bool
	}{
		{"document", "u", "a.txt", "text/plain", []byte("0123456789"), 201, "", false},
		{"document too large", "u", "a.TXT", "image/png", []byte("0123456789a"), 413, "file_too_large", false},
		{"image", "u", "a.png", "application/octet-stream", make([]byte, 100), 201, "", false},
		{"unknown kind", "u", "a.qqq", "text/plain", make([]byte, 200), 201, "", false},
		{"long name", "u", long, "text/plain", []byte("x"), 201, "", false},
		{"empty file", "u", "empty.txt", "text/plain", []byte{}, 201, "", false},
		{"no user", "", "a.txt", "text/plain", []byte("x"), 400, "invalid_param", true},
		{"no file", "u", "", "", nil, 400, "no_file_uploaded", true},
		{"no name", "u", "", "text/plain", []byte("x"), 400, "filename_not_exists_error", true},
		{"no type", "u", "a.txt", "", []byte("x"), 415, "unsupported_file_type", true},
		{"slash", "u", "a/b.txt", "text/plain", []byte("x"), 400, "invalid_param", true},
		{"blocked", "u", "a.EXE", "text/plain", []byte("x"), 400, "invalid_param", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before, blamed := len(c.s.Uploads()), len(c.s.Violations())
			status, out, _ := c.send(c.form(key, tt.user, tt.file, tt.mime, tt.data))
			code, _ := out["code"].(string)
			if status != tt.status || code != tt.code {
				t.Fatalf("%d %v", status, out)
			}
			if got := len(c.s.Violations()) > blamed; got != tt.blame {
				t.Errorf("violation %v", got)
			}
			ups := c.s.Uploads()
			if status != 201 {
				if len(ups) != before {
					t.Error("it was kept")
				}
				return
			}
			up := ups[len(ups)-1]
			if up.ID != out["id"] || !bytes.Equal(up.Data, tt.data) || up.User != tt.user || up.App != "support" || up.MIME != tt.mime {
				t.Errorf("upload %+v", up)
			}
			if out["size"] != float64(len(tt.data)) || out["name"] != up.Name || out["mime_type"] != tt.mime || strings.Contains(out["extension"].(string), ".") {
				t.Errorf("answer %v", out)
			}
			if len(up.Name) > 204 {
				t.Errorf("name of %d", len(up.Name))
			}
			if again, ok := c.s.File(up.ID); !ok || again.SHA256 != up.SHA256 || len(up.SHA256) != 64 {
				t.Errorf("File: %v %+v", ok, again)
			}
		})
	}
	t.Run("over the proxy's limit", func(t *testing.T) {
		status, out, h := c.send(c.form(key, "u", "a.bin", "text/plain", make([]byte, 5000)))
		if status != 413 || !strings.Contains(out["raw"].(string), "<html>") || h.Get("Content-Type") != "text/html" {
			t.Errorf("%d %v", status, out)
		}
	})
	t.Run("two files", func(t *testing.T) {
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		for _, n := range []string{"a.txt", "b.txt"} {
			p, _ := w.CreateFormFile("file", n)
			_, _ = p.Write([]byte("x"))
		}
		_ = w.WriteField("user", "u")
		_ = w.Close()
		req := c.request(http.MethodPost, "/v1/files/upload", key, nil)
		req.Body = io.NopCloser(&b)
		req.Header.Set("Content-Type", w.FormDataContentType())
		if status, out, _ := c.send(req); status != 400 || out["code"] != "too_many_files" {
			t.Errorf("%d %v", status, out)
		}
	})
	t.Run("not a form", func(t *testing.T) {
		if status, out, _ := c.do(http.MethodPost, "/v1/files/upload", key, obj{}); status != 400 || out["code"] != "no_file_uploaded" {
			t.Errorf("%d %v", status, out)
		}
	})
}

func (c *client) upload(key, user, name, mime string, data []byte) string {
	c.t.Helper()
	status, out, _ := c.send(c.form(key, user, name, mime, data))
	if status != 201 {
		c.t.Fatalf("upload: %d %v", status, out)
	}
	return out["id"].(string)
}

func local(kind, id string) obj {
	return obj{"type": kind, "transfer_method": "local_file", "upload_file_id": id}
}

func TestFilesOfATurn(t *testing.T) {
	apps := append(clickai.DefaultApps(),
		clickai.App{Name: "pictures", Mode: clickai.ModeChat, Key: "app-pictures", FileTypes: []clickai.FileType{clickai.Image}},
		clickai.App{Name: "zips", Mode: clickai.ModeChat, Key: "app-zips", Extensions: []string{".zip"}},
	)
	c := start(t, clickai.Options{Apps: apps})
	key := keyOf(clickai.ModeChat)
	doc := c.upload(key, "u", "notes.txt", "text/plain", []byte("some notes"))

	t.Run("named and remembered", func(t *testing.T) {
		body := chatBody("what is this", "", "u")
		body["files"] = []any{local("document", doc), obj{"type": "image", "transfer_method": "remote_url", "url": "https://files.example/cat.png?x=1"}}
		frames := c.open("/v1/chat-messages", key, body).all()
		if a := answer(frames); !strings.Contains(a, "`notes.txt` (document, 10 bytes)") || !strings.Contains(a, "`cat.png`") {
			t.Errorf("answer %q", a)
		}
		turn := c.s.Turns()[0]
		if len(turn.Files) != 2 || string(turn.Files[0].Data) != "some notes" || turn.Files[0].UploadID != doc || turn.Files[1].URL == "" {
			t.Errorf("files %+v", turn.Files)
		}
		end := frames[len(frames)-1].json["files"].([]any)
		if len(end) != 2 || end[0].(obj)["upload_file_id"] != doc || end[0].(obj)["extension"] != ".txt" {
			t.Errorf("message_end %v", end)
		}
		_, page := c.get("/v1/messages", key, "user", "u", "conversation_id", frames[0].text("conversation_id"))
		f := page["data"].([]any)[0].(obj)["message_files"].([]any)[0].(obj)
		if f["belongs_to"] != "user" || f["upload_file_id"] != doc || f["size"] != 10.0 {
			t.Errorf("history %v", f)
		}
	})
	t.Run("inside a workflow's inputs", func(t *testing.T) {
		wf := keyOf(clickai.ModeWorkflow)
		a := c.upload(wf, "u", "a.png", "image/png", []byte("a"))
		b := c.upload(wf, "u", "b.png", "image/png", []byte("b"))
		body := obj{"inputs": obj{"list": []any{local("image", a), local("image", b)}}, "response_mode": "streaming", "user": "u"}
		c.open("/v1/workflows/run", wf, body).all()
		turns := c.s.Turns()
		if got := turns[len(turns)-1].Files; len(got) != 2 {
			t.Errorf("files %+v", got)
		}
	})
	pic := c.upload("app-pictures", "u", "p.png", "image/png", []byte("p"))
	note := c.upload("app-pictures", "u", "n.txt", "text/plain", []byte("n"))
	rar := c.upload("app-zips", "u", "a.rar", "application/octet-stream", []byte("r"))
	voice := c.upload(key, "u", "v.ogg", "audio/ogg", []byte("v"))
	for _, tt := range []struct {
		name, key, user string
		files           []any
		text            string // "" if it is taken
	}{
		{"picture", "app-pictures", "u", []any{local("image", pic)}, ""},
		{"by MIME type", key, "u", []any{local("audio", voice)}, ""},
		{"other user's", key, "other", []any{local("document", doc)}, "Invalid upload file"},
		{"other app's", "app-pictures", "u", []any{local("document", doc)}, "Invalid upload file"},
		{"type not taken", "app-pictures", "u", []any{local("document", note)}, "File validation failed for file: n.txt"},
		{"wrong type", "app-pictures", "u", []any{local("document", pic)}, "does not fit"},
		{"extension not taken", "app-zips", "u", []any{local("custom", rar)}, "File validation failed for file: a.rar"},
		{"too many", "app-pictures", "u", []any{local("image", pic), local("image", pic), local("image", pic), local("image", pic)}, "Number of files exceeds"},
		{"bad address", key, "u", []any{obj{"type": "image", "transfer_method": "remote_url", "url": "cat.png"}}, "Invalid file url"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			body := chatBody("q", "", tt.user)
			body["files"], body["response_mode"] = tt.files, "blocking"
			status, out, _ := c.do(http.MethodPost, "/v1/chat-messages", tt.key, body)
			message, _ := out["message"].(string)
			if (status == 200) != (tt.text == "") || !strings.Contains(message, tt.text) {
				t.Errorf("%d %v", status, out)
			}
		})
	}
	t.Run("preview", func(t *testing.T) {
		status, out, h := c.do(http.MethodGet, "/v1/files/"+doc+"/preview?as_attachment=true&user=u", key, nil)
		if status != 200 || out["raw"] != "some notes" || !strings.Contains(h.Get("Content-Disposition"), "notes.txt") {
			t.Errorf("%d %v %v", status, out, h)
		}
		if status, _, _ := c.do(http.MethodGet, "/v1/files/"+doc+"/preview?user=other", key, nil); status != 404 {
			t.Errorf("other user: %d", status)
		}
	})
}

func TestPictures(t *testing.T) {
	c := start(t, clickai.Options{})
	key := keyOf(clickai.ModeChat)
	fetch := func(u string) (int, []byte, string) {
		t.Helper()
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, u, nil)
		resp, err := c.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		b, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, b, resp.Header.Get("Content-Type")
	}
	frames, conv := c.ask(key, "a picture", "", "u")
	relative := pick(frames, "message_file")[0].text("url")
	if !strings.HasPrefix(relative, "/files/tools/") || !strings.Contains(relative, ".png?timestamp=") {
		t.Fatalf("url %q", relative)
	}
	status, data, mime := fetch(c.s.URL() + relative)
	if _, err := png.Decode(bytes.NewReader(data)); status != 200 || mime != "image/png" || err != nil {
		t.Errorf("%d %s %v", status, mime, err)
	}
	if status, _, _ := fetch(c.s.URL() + strings.Replace(relative, "nonce=", "nonce=0", 1)); status != 403 {
		t.Errorf("forged: %d", status)
	}
	frames, _ = c.ask(key, "an image", "", "u")
	if u := pick(frames, "message_file")[0].text("url"); !strings.HasPrefix(u, c.s.URL()+"/files/tools/") {
		t.Errorf("url %q", u)
	}
	c.s.ExpireFileURLs()
	if status, _, _ := fetch(c.s.URL() + relative); status != 403 {
		t.Errorf("expired: %d", status)
	}
	_, page := c.get("/v1/messages", key, "user", "u", "conversation_id", conv)
	f := page["data"].([]any)[0].(obj)["message_files"].([]any)[0].(obj)
	if status, again, _ := fetch(c.s.URL() + f["url"].(string)); status != 200 || !bytes.Equal(again, data) || f["belongs_to"] != "assistant" {
		t.Errorf("fresh link: %d %v", status, f)
	}
	_, body := call(clickai.ModeWorkflow, "picture", "streaming")
	end := c.open("/v1/workflows/run", keyOf(clickai.ModeWorkflow), body).all()
	files := end[len(end)-1].inner()["files"].([]any)
	if status, _, _ := fetch(c.s.URL() + files[0].(obj)["url"].(string)); status != 200 {
		t.Errorf("workflow file: %d", status)
	}
}

func TestFileURLsExpire(t *testing.T) {
	c := start(t, clickai.Options{FileURLTTL: time.Nanosecond})
	frames, _ := c.ask(keyOf(clickai.ModeChat), "an image", "", "u")
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, pick(frames, "message_file")[0].text("url"), nil)
	if status, out, _ := c.send(req); status != 403 || out["code"] != "forbidden" {
		t.Errorf("%d %v", status, out)
	}
}
