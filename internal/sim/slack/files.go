package slack

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"
)

// file is an uploaded file. data is nil before the upload, and after the file was dropped for room.
type file struct {
	id, name, title, mime string
	user                  string
	bot                   bool
	size                  int64
	data                  []byte
	uploaded, shared      bool
	created               time.Time
	shares                []share
}

type share struct{ room, ts, thread string }

// mimeOf finds a file's type by its name, else by its content.
func mimeOf(name string, data []byte) string {
	kind := mime.TypeByExtension(strings.ToLower(path.Ext(name)))
	if kind == "" {
		kind = http.DetectContentType(data)
	}
	kind, _, _ = strings.Cut(kind, ";")
	return kind
}

// maxFiles bounds the files that are kept, and the uploads that may be under way.
const maxFiles = 10_000

// keepLocked stores a file's content and drops the oldest files over the bound.
func (s *Server) keepLocked(f *file, data []byte) {
	f.data, f.size, f.uploaded = data, int64(len(data)), true
	s.fileOrder = append(s.fileOrder, f)
	s.fileBytes += f.size
	for len(s.fileOrder) > 1 && (s.fileBytes > s.opt.MaxAllFileBytes || len(s.fileOrder) > maxFiles) {
		old := s.fileOrder[0]
		s.fileOrder = s.fileOrder[1:]
		s.fileBytes -= old.size
		old.data = nil
		delete(s.files, old.id)
	}
}

// fileLocked is a file object.
// Source: https://docs.slack.dev/reference/objects/file-object
func (s *Server) fileLocked(f *file) object {
	kind := strings.TrimPrefix(strings.ToLower(path.Ext(f.name)), ".")
	switch kind {
	case "":
		kind = "binary"
	case "jpeg":
		kind = "jpg"
	case "txt":
		kind = "text"
	case "md":
		kind = "markdown"
	}
	base := s.base() + "/files-pri/" + s.opt.TeamID + "-" + f.id + "/"
	name := url.PathEscape(f.name)
	o := object{
		"id": f.id, "created": f.created.Unix(), "timestamp": f.created.Unix(), "name": f.name, "title": f.title,
		"mimetype": f.mime, "filetype": kind, "pretty_type": strings.ToUpper(kind), "user": f.user, "user_team": s.opt.TeamID,
		"editable": false, "size": f.size, "mode": "hosted", "is_external": false, "external_type": "", "is_public": true,
		"public_url_shared": false, "display_as_bot": false, "username": "", "has_rich_preview": false,
		"file_access": "visible", "url_private": base + name, "url_private_download": base + "download/" + name,
		"permalink": "https://" + s.opt.TeamDomain + ".slack.com/files/" + f.user + "/" + f.id + "/" + name,
	}
	if strings.HasPrefix(f.mime, "text/") {
		o["mode"], o["editable"] = "snippet", true
		o["preview"] = string(f.data[:min(len(f.data), 250)]) // cut short, as Slack does
		o["preview_is_truncated"] = len(f.data) > 250
	}
	public, private := object{}, object{}
	for _, sh := range f.shares {
		ch := s.byID[sh.room]
		into := private
		if ch.kind == "channel" {
			into = public
		}
		rows, _ := into[sh.room].([]object)
		row := object{"ts": sh.ts, "channel_name": ch.name, "team_id": s.opt.TeamID}
		if sh.thread != "" {
			row["thread_ts"] = sh.thread
		}
		into[sh.room] = append(rows, row)
	}
	o["shares"] = object{"public": public, "private": private}
	return o
}

// filesGetUploadURL gives a place to upload to.
// Source: https://docs.slack.dev/reference/methods/files.getUploadURLExternal
func filesGetUploadURL(c *call) (object, *apiError) {
	s := c.s
	name, length := c.str("filename"), c.int("length", 0)
	switch {
	case name == "" || length <= 0:
		return nil, refuse("invalid_arguments").broken().because("filename and a length over 0 are required")
	case int64(length) > s.opt.MaxFileBytes:
		return nil, refuse("file_upload_size_restricted").broken()
	}
	if len(s.uploads) >= maxFiles {
		return nil, refuse("storage_limit_reached")
	}
	f := &file{
		id: s.newIDLocked("F"), name: name, title: name, user: s.opt.BotUserID, bot: true, size: int64(length),
		mime: mimeOf(name, nil), created: c.now,
	}
	token := rand.Text()
	s.files[f.id], s.uploads[token] = f, f
	return object{"upload_url": s.base() + "/upload/v1/" + token, "file_id": f.id}, nil
}

// serveUpload takes the bytes, raw or as the one file of a multipart form.
func (s *Server) serveUpload(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	f := s.uploads[r.PathValue("token")]
	s.mu.Unlock()
	if f == nil {
		http.Error(w, "upload not found", http.StatusNotFound)
		return
	}
	// The multipart frame takes a little on top of the file.
	r.Body = http.MaxBytesReader(w, r.Body, s.opt.MaxFileBytes+64<<10)
	data, err := uploaded(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil && int64(len(data)) != f.size {
		err = fmt.Errorf("%d bytes came, %d were announced", len(data), f.size)
	}
	if err == nil && f.uploaded {
		err = errors.New("uploaded twice")
	}
	if err != nil {
		s.violateLocked("upload of %s: %v", f.id, err)
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	delete(s.uploads, r.PathValue("token"))
	f.mime = mimeOf(f.name, data)
	s.keepLocked(f, data)
	_, _ = fmt.Fprintf(w, "OK - %d", len(data))
}

func uploaded(r *http.Request) ([]byte, error) {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind != "multipart/form-data" {
		return io.ReadAll(r.Body)
	}
	mr, err := r.MultipartReader()
	if err != nil {
		return nil, fmt.Errorf("read the upload form: %w", err)
	}
	for {
		part, err := mr.NextPart()
		if err != nil {
			return nil, fmt.Errorf("find a file in the upload form: %w", err)
		}
		if part.FileName() == "" && part.FormName() != "file" {
			continue
		}
		return io.ReadAll(part)
	}
}

// filesCompleteUpload shares uploaded files, all of a call in one message for each channel.
// Source: https://docs.slack.dev/reference/methods/files.completeUploadExternal
func filesCompleteUpload(c *call) (object, *apiError) {
	s := c.s
	files, fail := c.uploadedFiles()
	if fail != nil {
		return nil, fail
	}
	rooms := c.list("channels")
	if id := c.str("channel_id"); id != "" {
		rooms = append(rooms, id)
	}
	if len(rooms) > 1 && c.str("thread_ts") != "" {
		return nil, refuse("invalid_arguments").broken().because("thread_ts with more than one channel")
	}
	b, fail := c.comment()
	if fail != nil {
		return nil, fail
	}
	type goal struct {
		ch     *channel
		thread string
	}
	var goals []goal
	for _, id := range rooms {
		at := &call{s: s, method: c.method, form: url.Values{"channel": {id}, "thread_ts": {c.str("thread_ts")}}}
		ch, fail := at.target("channel")
		if fail != nil {
			return nil, fail
		}
		thread, fail := at.threadOf(ch)
		if fail != nil {
			return nil, fail
		}
		goals = append(goals, goal{ch, thread})
	}
	out := make([]object, 0, len(files))
	for _, f := range files {
		f.shared = true
		out = append(out, object{"id": f.id, "title": f.title})
	}
	for _, g := range goals {
		m := s.botMessageLocked(g.ch, g.thread, b, files...)
		for _, f := range files {
			f.shares = append(f.shares, share{g.ch.id, m.ts, g.thread})
		}
		s.postedLocked(g.ch, m)
	}
	return object{"files": out}, nil
}

func (c *call) uploadedFiles() ([]*file, *apiError) {
	var want []struct{ ID, Title string }
	if err := json.Unmarshal([]byte(c.str("files")), &want); err != nil || len(want) == 0 {
		return nil, refuse("invalid_arguments").broken().because("files must be a list of {id, title}")
	}
	var files []*file
	for _, w := range want {
		f := c.s.files[w.ID]
		if f == nil || !f.uploaded || f.shared || slices.Contains(files, f) {
			return nil, refuse("file_not_found").broken().because(w.ID)
		}
		if w.Title != "" {
			f.title = w.Title
		}
		files = append(files, f)
	}
	return files, nil
}

// comment is the text or the blocks that go with the files; the text wins.
func (c *call) comment() (body, *apiError) {
	var b body
	if b.text = c.str("initial_comment"); b.text != "" {
		if runes(b.text) > maxText {
			return b, refuse("msg_too_long").broken()
		}
	} else if raw := c.str("blocks"); raw != "" {
		// A markdown block here is answered with internal_error:
		// https://github.com/slackapi/python-slack-sdk/issues/1756
		for _, block := range decodeBlocks(json.RawMessage(raw)) {
			if str(block, "type") == "markdown" {
				return b, refuse("internal_error").broken().because("a markdown block beside files")
			}
		}
		var fail *apiError
		if b.blocks, fail = checkBlocks([]byte(raw)); fail != nil {
			return b, fail
		}
	}
	b.pings = pingsIn(b.text, b.blocks, false)
	return b, nil
}

func filesInfo(c *call) (object, *apiError) {
	f := c.s.files[c.str("file")]
	if f == nil || !f.uploaded {
		return nil, refuse("file_not_found")
	}
	return object{"file": c.s.fileLocked(f), "comments": []object{}, "response_metadata": object{"next_cursor": ""}}, nil
}

// serveFile gives a file to who shows the bot token with files:read; everyone else is sent to the sign-in page.
func (s *Server) serveFile(w http.ResponseWriter, r *http.Request) {
	_, id, _ := strings.Cut(r.PathValue("id"), "-")
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if token != s.opt.BotToken || !slices.Contains(s.opt.Scopes, "files:read") {
		http.Redirect(w, r, s.base()+"/?redir="+url.QueryEscape(r.URL.Path), http.StatusFound)
		return
	}
	s.mu.Lock()
	f := s.files[id]
	var data []byte
	found := f != nil && f.uploaded
	if found {
		data = f.data
	}
	s.mu.Unlock()
	if !found {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", f.mime)
	if strings.Contains(r.URL.Path, "/download/") {
		w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.name}))
	}
	http.ServeContent(w, r, "", f.created, bytes.NewReader(data))
}
