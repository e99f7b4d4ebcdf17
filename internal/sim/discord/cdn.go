package discord

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	_ "image/gif"  // sizes of pictures
	_ "image/jpeg" // sizes of pictures
	_ "image/png"  // sizes of pictures
	"mime"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/clickai/bridge/internal/sim"
)

// newAttachments keeps the files of a request. refs give the names and descriptions for files[n] by n; a request
// without them keeps the names of the parts.
// Source: https://docs.discord.com/developers/reference#uploading-files
func (s *Server) newAttachments(ch *channel, files []upload, refs *[]attachmentRef) ([]*attachment, *apiError) {
	out := make([]*attachment, 0, len(files))
	for i, f := range files {
		a := &attachment{filename: f.name, contentType: f.contentType, data: f.data}
		if refs != nil {
			if n, ok := strings.CutPrefix(f.field, "files["); ok {
				if ref := findRef(*refs, strings.TrimSuffix(n, "]")); ref != nil {
					if ref.Filename != "" {
						a.filename = ref.Filename
					}
					a.description, a.title = ref.Description, ref.Title
				}
			}
		}
		if strings.HasPrefix(f.field, "files[") || f.field == "file" {
			s.keepFile(ch, a)
			out = append(out, a)
			continue
		}
		return nil, formError(fmt.Sprintf("files.%d", i), "ATTACHMENT_NOT_FOUND", "Files are named files[n]")
	}
	return out, nil
}

func findRef(refs []attachmentRef, n string) *attachmentRef {
	for i := range refs {
		if nonceText(refs[i].ID) == n {
			return &refs[i]
		}
	}
	return nil
}

// keepFile gives a file its id and stores it; the oldest files go when the bound is reached.
func (s *Server) keepFile(ch *channel, a *attachment) {
	a.id = s.ids.next(time.Now())
	a.channel = ch.id
	a.size = len(a.data)
	if a.data == nil {
		a.data = []byte{}
	}
	if clean := strings.ReplaceAll(path.Base("/"+a.filename), " ", "_"); clean != a.filename {
		if a.title == "" {
			a.title = strings.TrimSuffix(a.filename, path.Ext(a.filename))
		}
		a.filename = clean
	}
	if a.contentType == "" || a.contentType == "application/octet-stream" {
		if t := mime.TypeByExtension(path.Ext(a.filename)); t != "" {
			a.contentType = t
		}
	}
	if strings.HasPrefix(a.contentType, "image/") {
		if cfg, _, err := image.DecodeConfig(bytes.NewReader(a.data)); err == nil {
			a.width, a.height = cfg.Width, cfg.Height
		}
	}
	s.files[a.id] = a
	s.stored = append(s.stored, a)
	s.storedBytes += int64(a.size)
	for s.storedBytes > s.opt.MaxStored && len(s.stored) > 1 {
		s.forget(s.stored[0])
	}
}

// forget drops the bytes of a file.
func (s *Server) forget(a *attachment) {
	if a.data == nil {
		return
	}
	s.storedBytes -= int64(a.size)
	a.data = nil
	delete(s.files, a.id)
	s.stored = slices.DeleteFunc(s.stored, func(x *attachment) bool { return x == a })
}

// editFiles: the attachments field tells what stays, new files are appended. It returns the files that go once the edit
// is accepted.
func (s *Server) editFiles(m *message, p *payload, c *call) (gone []*attachment, err *apiError) {
	if p.Attachments != nil {
		var kept []*attachment
		for _, a := range m.attachments {
			if findRef(*p.Attachments, a.id) != nil {
				kept = append(kept, a)
			} else {
				gone = append(gone, a)
			}
		}
		m.attachments = kept
	}
	if len(c.files) == 0 {
		return gone, nil
	}
	if err := s.require(m.channel, AttachFiles); err != nil {
		return nil, err
	}
	if len(m.attachments)+len(c.files) > maxFiles {
		f := form{}
		f.tooLong("attachments", maxFiles)
		return nil, f.err()
	}
	added, err := s.newAttachments(m.channel, c.files, p.Attachments)
	if err != nil {
		return nil, err
	}
	m.attachments = append(slices.Clone(m.attachments), added...)
	return gone, nil
}

// signedURL: https://docs.discord.com/developers/reference#signed-attachment-cdn-urls
func (s *Server) signedURL(a *attachment) string {
	now := time.Now()
	ex := strconv.FormatInt(now.Add(s.opt.AttachmentTTL).UnixMilli(), 16)
	is := strconv.FormatInt(now.UnixMilli(), 16)
	p := "/attachments/" + a.channel + "/" + a.id + "/" + url.PathEscape(a.filename)
	return s.base() + p + "?ex=" + ex + "&is=" + is + "&hm=" + s.sign(p, ex, is) + "&"
}

func (s *Server) sign(p, ex, is string) string {
	mac := hmac.New(sha256.New, s.key)
	_, _ = fmt.Fprintf(mac, "%s %s %s", p, ex, is)
	return hex.EncodeToString(mac.Sum(nil))
}

// serveAttachment gives a file to anyone who has its signed URL, as long as it is young enough.
func (s *Server) serveAttachment(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	if r.Header.Get("Authorization") != "" {
		s.mu.Lock()
		s.violate("%s %s: the bot's token was sent to the CDN", r.Method, r.URL.Path)
		s.mu.Unlock()
	}
	gone := func() { http.Error(w, "This content is no longer available.", http.StatusNotFound) }
	q := r.URL.Query()
	ex, is := q.Get("ex"), q.Get("is")
	until, err := strconv.ParseInt(ex, 16, 64)
	if err != nil || time.Now().UnixMilli() > until ||
		!hmac.Equal([]byte(q.Get("hm")), []byte(s.sign(r.URL.EscapedPath(), ex, is))) {
		gone()
		return
	}
	parts := strings.Split(r.URL.Path, "/") // "", attachments, channel, id, name
	if len(parts) != 5 {
		gone()
		return
	}
	s.mu.Lock()
	a := s.files[parts[3]]
	var data []byte
	var kind string
	var at time.Time
	if a != nil {
		data, kind = a.data, a.contentType
	}
	s.mu.Unlock()
	if data == nil {
		gone()
		return
	}
	if kind == "" {
		kind = "application/octet-stream"
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	http.ServeContent(w, r, "", at, bytes.NewReader(data))
}

// filesOf are a message's files as people would download them.
func (m *message) filesOf() []sim.File {
	var out []sim.File
	for _, a := range m.attachments {
		out = append(out, sim.File{Name: a.filename, MIME: a.contentType, Data: bytes.Clone(a.data)})
	}
	return out
}
