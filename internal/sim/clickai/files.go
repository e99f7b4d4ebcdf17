package clickai

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/clickai/bridge/internal/sim"
)

// classOf is the API's table of file classes; the upload limit goes by it alone.
func classOf(ext string) (FileType, bool) {
	switch strings.ToLower(ext) {
	case "jpg", "jpeg", "png", "webp", "gif", "svg":
		return Image, true
	case "mp3", "m4a", "wav", "amr", "mpga":
		return Audio, true
	case "mp4", "mov", "mpeg", "webm":
		return Video, true
	case "txt", "markdown", "md", "mdx", "pdf", "html", "htm", "xlsx", "xls", "docx", "csv", "vtt", "properties",
		"doc", "eml", "msg", "pptx", "ppt", "xml", "epub":
		return Document, true
	}
	return Custom, false
}

func typeOf(ext, mimeType string) FileType {
	if t, ok := classOf(ext); ok {
		return t
	}
	switch {
	case strings.HasPrefix(mimeType, "image/"):
		return Image
	case strings.HasPrefix(mimeType, "video/"):
		return Video
	case strings.HasPrefix(mimeType, "audio/"):
		return Audio
	case strings.HasPrefix(mimeType, "text/"), mimeType == "application/pdf":
		return Document
	}
	return Custom
}

// extension is a file name's ending without the dot; "" if there is none.
func extension(name string) string {
	i := strings.LastIndexByte(name, '.')
	if i < 0 {
		return ""
	}
	return name[i+1:]
}

func dropContents(f *file) { f.Data, f.Dropped = nil, true }

// received is the file as a turn tells it. The caller holds mu.
func (f messageFile) received() ReceivedFile {
	out := ReceivedFile{Type: f.kind, TransferMethod: f.transfer, URL: f.url}
	out.Name = f.name
	if f.file != nil {
		out.File, out.UploadID, out.Size, out.SHA256 = f.file.File, f.file.ID, f.file.Size, f.file.SHA256
		out.DroppedContents = f.file.Dropped
	}
	return out
}

// intake takes the bytes of an upload: it hashes all of them and keeps those within the limit.
type intake struct {
	sum   hash.Hash
	size  int64
	limit int64 // over it nothing is kept
	data  []byte
}

// Write implements io.Writer.
func (i *intake) Write(p []byte) (int, error) {
	i.size += int64(len(p))
	_, _ = i.sum.Write(p) // never fails, by its documentation
	if i.size > i.limit {
		i.data = nil
	} else {
		i.data = append(i.data, p...)
	}
	return len(p), nil
}

// upload is POST /v1/files/upload. The whole form is read before it is judged, so that a client that is still sending
// gets its answer; over ProxyLimit the answer comes at once.
func (s *Server) upload(c *call) error {
	if c.r.ContentLength > s.opt.ProxyLimit {
		return proxyError(http.StatusRequestEntityTooLarge, "")
	}
	mr, err := c.r.MultipartReader()
	if err != nil {
		e := refused("no_file_uploaded", "Please upload your file as multipart/form-data.")
		e.blame = "the body is not multipart/form-data"
		return e
	}
	c.r.Body = http.MaxBytesReader(c.w, c.r.Body, s.opt.ProxyLimit)
	var up *Upload
	var problem error
	user := ""
	for {
		part, err := mr.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			switch part.FormName() {
			case "file":
				if up != nil {
					problem = cmp.Or(problem, error(refused("too_many_files", "Only one file is allowed.")))
					break
				}
				up = &Upload{}
				if e := s.takeFile(part, up); e != nil {
					problem = cmp.Or(problem, error(e))
				}
			case "user":
				b, _ := io.ReadAll(io.LimitReader(part, 4<<10)) // a broken body shows at the next part
				user = string(b)
			}
			_, err = io.Copy(io.Discard, part)
		}
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			return proxyError(http.StatusRequestEntityTooLarge, "")
		}
		if err != nil {
			return refused("bad_request", "The form could not be read.")
		}
	}
	switch {
	case user == "":
		return invalid("user", "The 'user' field is required")
	case up == nil:
		e := refused("no_file_uploaded", "Please upload your file.")
		e.blame = "there is no part named file"
		return e
	case problem != nil:
		return problem
	}
	up.App, up.User, up.At, up.ID = c.app.Name, user, time.Now(), s.opt.NewID("file")
	s.mu.Lock()
	s.addFileLocked(&file{Upload: *up})
	s.mu.Unlock()
	s.notifier.Notify()
	status := http.StatusCreated
	if s.opt.Quirks.OldStatus {
		status = http.StatusOK
	}
	writeJSON(c.w, status, map[string]any{
		"id": up.ID, "name": up.Name, "size": up.Size, "extension": up.Extension, "mime_type": up.MIME,
		"created_by": s.endUser(owner{app: up.App, user: up.User}), "created_at": up.At.Unix(), "preview_url": nil,
		"source_url": "", "original_url": nil, "user_id": nil, "tenant_id": nil, "conversation_id": nil, "file_key": nil,
		"reference": nil,
	})
	return nil
}

// takeFile reads the file part and checks it.
func (s *Server) takeFile(part *multipart.Part, up *Upload) *apiError {
	// Part.FileName would cut directories off, and they have to be refused.
	_, params, err := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
	name := params["filename"]
	if err != nil || name == "" {
		e := refused("filename_not_exists_error", "The file has no name.")
		e.blame = "the file part has no file name"
		return e
	}
	if strings.ContainsAny(name, `/\`) {
		return invalid("file", "The file name must not hold a slash")
	}
	mimeType := part.Header.Get("Content-Type")
	if mimeType == "" {
		return &apiError{
			status: http.StatusUnsupportedMediaType, code: "unsupported_file_type", message: "File type not allowed.",
			blame: "the file part has no Content-Type",
		}
	}
	ext := extension(name)
	if slices.ContainsFunc(s.opt.BlockedExtensions, func(b string) bool { return strings.EqualFold(b, ext) }) {
		return refused("invalid_param", "Files of the kind .%s are not allowed", ext)
	}
	if utf8.RuneCountInString(name) > 200 {
		base := []rune(strings.TrimSuffix(name, "."+ext))
		name = string(base[:min(200, len(base))]) + "." + ext
	}
	class, _ := classOf(ext)
	limit := s.opt.FileLimits[class]
	in := &intake{sum: sha256.New(), limit: min(limit, s.opt.Keep.FileBytes)}
	if _, err := io.Copy(in, part); err != nil {
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			return proxyError(http.StatusRequestEntityTooLarge, "")
		}
		return refused("bad_request", "The form could not be read.")
	}
	if in.size > limit {
		return &apiError{
			status: http.StatusRequestEntityTooLarge, code: "file_too_large",
			message: fmt.Sprintf("File size exceeded: %d bytes, the limit is %d.", in.size, limit),
		}
	}
	up.Name, up.MIME, up.Data = name, mimeType, in.data
	up.Extension, up.Type, up.Size = ext, typeOf(ext, mimeType), in.size
	up.SHA256 = hex.EncodeToString(in.sum.Sum(nil))
	up.Dropped = in.size > in.limit
	return nil
}

// endUser is the API's own id of a user.
func (s *Server) endUser(o owner) string {
	sum := sha256.Sum256([]byte(o.app + "\x00" + o.user))
	return "user-" + hex.EncodeToString(sum[:8])
}

// preview is GET /v1/files/{file_id}/preview.
func (s *Server) preview(c *call) error {
	user := c.queryUser()
	s.mu.Lock()
	f, ok := s.fileByID[c.r.PathValue("file_id")]
	var up Upload
	if ok {
		up = f.Upload
	}
	s.mu.Unlock()
	if !ok || up.App != c.app.Name || up.User != user || up.Dropped {
		return notFound("File Not Exists.")
	}
	serveFile(c.w, up, c.r.URL.Query().Get("as_attachment") == "true")
	return nil
}

func serveFile(w http.ResponseWriter, up Upload, attachment bool) {
	w.Header().Set("Content-Type", up.MIME)
	w.Header().Set("Content-Length", strconv.Itoa(len(up.Data)))
	if attachment {
		w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": up.Name}))
	}
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(up.Data)
}

// giveFile keeps a file made by the AI and, where the app's kind has that event, tells it. It returns the file's id.
func (r *run) giveFile(in sim.File, absolute bool) string {
	mf := r.keepFile(in)
	if r.app.Mode != ModeWorkflow {
		r.event("message_file", map[string]any{
			"id": mf.id, "type": mf.kind, "belongs_to": "assistant", "url": r.s.signedURL(mf.file, absolute),
		})
	}
	return mf.id
}

// keepFile keeps a file made by the AI, for the terminal event and the history.
func (r *run) keepFile(in sim.File) messageFile {
	s := r.s
	ext := extension(in.Name)
	sum := sha256.Sum256(in.Data)
	f := &file{tool: true, Upload: Upload{
		File: in, ID: s.opt.NewID("tool"), App: r.owner.app, User: r.owner.user, Extension: ext,
		Type: typeOf(ext, in.MIME), Size: int64(len(in.Data)), SHA256: hex.EncodeToString(sum[:]), At: time.Now(),
	}}
	s.mu.Lock()
	s.addFileLocked(f)
	s.mu.Unlock()
	mf := messageFile{
		file: f, id: s.opt.NewID("messagefile"), kind: f.Type, transfer: "tool_file", name: in.Name, assistant: true,
	}
	r.made = append(r.made, mf)
	return mf
}

// signedURL opens a kept file for as long as FileURLTTL says.
func (s *Server) signedURL(f *file, absolute bool) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.signedURLLocked(f, absolute)
}

func (s *Server) signedURLLocked(f *file, absolute bool) string {
	name := url.PathEscape(f.ID)
	if f.Extension != "" {
		name += "." + f.Extension
	}
	stamp, nonce := strconv.FormatInt(time.Now().Unix(), 10), hex.EncodeToString(randomBytes(8))
	u := "/files/tools/" + name + "?timestamp=" + stamp + "&nonce=" + nonce + "&sign=" + s.sign(f.ID, stamp, nonce)
	if absolute || s.opt.Quirks.AbsoluteURLs {
		return s.url + u
	}
	return u
}

func (s *Server) sign(id, stamp, nonce string) string {
	h := hmac.New(sha256.New, s.secret)
	_, _ = fmt.Fprintf(h, "%s|%s|%s", id, stamp, nonce) // never fails, by its documentation
	return hex.EncodeToString(h.Sum(nil))
}

// ExpireFileURLs makes every file URL handed out so far answer 403, as time would.
func (s *Server) ExpireFileURLs() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secret = randomBytes(16)
}

// toolFile is GET /files/tools/{name}.
func (s *Server) toolFile(c *call) error {
	name := c.r.PathValue("name")
	q := c.r.URL.Query()
	stamp, _ := strconv.ParseInt(q.Get("timestamp"), 10, 64)
	s.mu.Lock()
	id := name
	f, ok := s.fileByID[id]
	if !ok {
		id = strings.TrimSuffix(name, "."+extension(name))
		f, ok = s.fileByID[id]
	}
	var up Upload
	if ok {
		up = f.Upload
	}
	want := s.sign(id, q.Get("timestamp"), q.Get("nonce"))
	s.mu.Unlock()
	if !hmac.Equal([]byte(want), []byte(q.Get("sign"))) || time.Since(time.Unix(stamp, 0)) > s.opt.FileURLTTL {
		return &apiError{status: http.StatusForbidden, code: "forbidden", message: "The link is not valid, or not any more."}
	}
	if !ok || up.Dropped {
		return notFound("File Not Exists.")
	}
	serveFile(c.w, up, q.Get("as_attachment") == "true")
	return nil
}

// messageFileJSON is a file as the history has it. The caller holds mu.
func (s *Server) messageFileJSON(f messageFile) map[string]any {
	belongs := "user"
	if f.assistant {
		belongs = "assistant"
	}
	out := map[string]any{
		"id": f.id, "filename": f.name, "type": f.kind, "url": f.url, "transfer_method": f.transfer, "belongs_to": belongs,
		"mime_type": "", "size": -1, "upload_file_id": nil,
	}
	if f.file != nil {
		out["mime_type"], out["size"] = f.file.MIME, f.file.Size
		if !f.assistant {
			out["upload_file_id"] = f.file.ID
		}
		out["url"] = s.signedURLLocked(f.file, false)
	}
	return out
}

func (s *Server) endFileJSON(f messageFile) map[string]any {
	out := map[string]any{
		"related_id": f.id, "type": f.kind, "filename": f.name, "extension": "", "mime_type": "", "size": -1,
		"transfer_method": f.transfer, "url": f.url, "upload_file_id": nil, "remote_url": nil,
	}
	if f.url != "" {
		out["remote_url"] = f.url
	}
	if f.file != nil {
		out["extension"], out["mime_type"], out["size"] = "."+f.file.Extension, f.file.MIME, f.file.Size
		out["url"] = s.signedURL(f.file, false)
		if !f.assistant {
			out["upload_file_id"] = f.file.ID
		}
	}
	return out
}

// flowFileJSON is a file in a workflow's outputs.
func (s *Server) flowFileJSON(f messageFile) map[string]any {
	out := s.endFileJSON(f)
	out["dify_model_identity"], out["id"] = "__dify__file__", nil
	return out
}
