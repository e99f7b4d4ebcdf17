package discord

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"path"
	"strings"
	"sync"
	"unicode"

	"github.com/bwmarrin/discordgo"

	"github.com/clickai/bridge/core"
)

// attachments describes a message's files. A handle is made of ids, never of the address, which is signed and expires.
func (p *Platform) attachments(m *wireMessage) []core.Attachment {
	var all []core.Attachment
	add := func(list []wireAttachment) {
		for _, a := range list {
			if !isID(a.ID) {
				continue
			}
			ref := m.ChannelID + "/" + m.ID + "/" + a.ID
			kind := a.ContentType
			if kind == "" && m.Flags&int(discordgo.MessageFlagsIsVoiceMessage) != 0 {
				kind = "audio/ogg"
			}
			p.urls.put(ref, a.URL)
			all = append(all, core.Attachment{Ref: ref, Name: a.Filename, MIME: kind, Size: a.Size})
		}
	}
	add(m.Attachments)
	for i := range m.Snapshots {
		add(m.Snapshots[i].Message.Attachments)
	}
	return all
}

// urls remembers the addresses of attachments that have just come, which saves a request for most of them.
type urls struct {
	mu    sync.Mutex
	byRef map[string]string
	order []string // oldest first
}

func (u *urls) put(ref, address string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.byRef == nil {
		u.byRef = map[string]string{}
	}
	if _, known := u.byRef[ref]; !known {
		if len(u.order) >= maxKnownURLs {
			delete(u.byRef, u.order[0])
			u.order = u.order[1:]
		}
		u.order = append(u.order, ref)
	}
	u.byRef[ref] = address
}

func (u *urls) get(ref string) string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.byRef[ref]
}

// OpenAttachment returns a file's bytes. Its address is signed and expires, so when it is not known, or refused, the
// message is fetched for a fresh one.
// Source: https://docs.discord.com/developers/reference#signed-attachment-cdn-urls
func (p *Platform) OpenAttachment(ctx context.Context, a core.Attachment) (io.ReadCloser, error) {
	const op = "discord.OpenAttachment"
	if address := p.urls.get(a.Ref); address != "" {
		body, err := p.download(ctx, op, address)
		if core.ClassOf(err) != core.NotFound {
			return body, err
		}
	}
	address, err := p.freshURL(ctx, op, a.Ref)
	if err != nil {
		return nil, err
	}
	p.urls.put(a.Ref, address)
	return p.download(ctx, op, address)
}

func (p *Platform) freshURL(ctx context.Context, op, ref string) (string, error) {
	ids := strings.Split(ref, "/")
	if len(ids) != 3 || !isID(ids[0]) || !isID(ids[1]) {
		return "", invalid(op, errBadID)
	}
	var raw json.RawMessage
	if err := p.read(ctx, op, discordgo.EndpointChannelMessage(ids[0], ids[1]), "message", ids[0], &raw); err != nil {
		if lasting(err) {
			return "", &core.Error{Op: op, Class: core.NotFound, Err: err}
		}
		return "", err
	}
	m, err := decodeMessage(raw)
	if err != nil {
		return "", &core.Error{Op: op, Class: core.Transient, Err: err}
	}
	found := m.Attachments
	for i := range m.Snapshots {
		found = append(found, m.Snapshots[i].Message.Attachments...)
	}
	for _, f := range found {
		if f.ID == ids[2] {
			return f.URL, nil
		}
	}
	return "", &core.Error{Op: op, Class: core.NotFound, Err: errors.New("the message has no such file any more")}
}

// download gets a file by its address, without the token.
func (p *Platform) download(ctx context.Context, op, address string) (io.ReadCloser, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return nil, &core.Error{Op: op, Class: core.NotFound, Err: errors.New("the file has no usable address")}
	}
	ctx, cancel := context.WithTimeout(ctx, transferTimeout)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		cancel()
		return nil, invalid(op, plainError(err))
	}
	req.Header.Set("User-Agent", userAgent)
	resp, err := p.downloads.Do(req)
	if err != nil {
		cancel()
		if errors.Is(err, errPrivate) {
			return nil, &core.Error{Op: op, Class: core.Denied, Err: errPrivate}
		}
		return nil, &core.Error{Op: op, Class: core.Transient, Err: plainError(err)}
	}
	if resp.StatusCode == http.StatusOK {
		return &transfer{ReadCloser: resp.Body, cancel: cancel}, nil
	}
	_ = resp.Body.Close()
	cancel()
	e := &core.Error{Op: op, Class: core.Transient, Err: fmt.Errorf("download: HTTP %d", resp.StatusCode)}
	switch resp.StatusCode {
	case http.StatusForbidden, http.StatusNotFound, http.StatusGone: // expired, or deleted
		e.Class = core.NotFound
	case http.StatusTooManyRequests:
		e.Class = core.RateLimited
		e.RetryAfter, _ = seconds(resp.Header.Get("Retry-After"))
	}
	return nil, e
}

// transfer ends the request's context when the body is closed.
type transfer struct {
	io.ReadCloser
	cancel context.CancelFunc
}

func (t *transfer) Close() error {
	defer t.cancel()
	return t.ReadCloser.Close() //nolint:wrapcheck // nothing to add
}

// Upload sends a file as a message of its own. It is streamed: discordgo would hold it in memory. The limit is that of
// the server's boost tier, 10 MiB elsewhere; over it the error is [core.TooLarge]. With a nonce Discord returns the message that it has taken for it in the
// last minutes, as for Post.
// Source: https://docs.discord.com/developers/reference#uploading-files
func (p *Platform) Upload(ctx context.Context, at core.Place, replyTo string, f core.File) (core.MessageRef, error) {
	const op = "discord.Upload"
	channelID, err := target(op, at)
	if err != nil {
		return core.MessageRef{}, err
	}
	room, _ := p.dir.channel(at.Room)
	limit := p.dir.uploadLimit(room.guild)
	if f.Size > limit {
		return core.MessageRef{}, &core.Error{Op: op, Class: core.TooLarge, Err: fmt.Errorf("%d bytes, limit %d", f.Size, limit)}
	}
	ctx, cancel := context.WithTimeout(ctx, transferTimeout)
	defer cancel()
	name := fileName(f.Name, f.MIME)
	for {
		msg := newMessage("", f.Nonce, replyTo)
		msg.Attachments = []outAttachment{{ID: 0, Filename: name}}
		sent, err := p.uploadOnce(ctx, call{
			op: op, method: http.MethodPost, url: discordgo.EndpointChannelMessages(channelID), route: "messages", major: channelID,
			wait: waitPost, timeout: transferTimeout, inThread: at.Thread != "",
		}, msg, f, name, limit)
		if err != nil && replyTo != "" && replyRefused(err) {
			replyTo = ""
			continue
		}
		if err != nil {
			return core.MessageRef{}, err
		}
		return core.MessageRef{Place: at, ID: sent}, nil
	}
}

func (p *Platform) uploadOnce(ctx context.Context, c call, msg *outMessage, f core.File, name string, limit int64) (id string, err error) {
	payload, err := json.Marshal(msg)
	if err != nil {
		return "", invalid(c.op, err)
	}
	src, err := f.Open(ctx)
	if err != nil {
		return "", asError(c.op, fmt.Errorf("open the file: %w", err))
	}
	defer func() { _ = src.Close() }()

	var head, tail strings.Builder
	form := multipart.NewWriter(&head)
	if err := errors.Join(formPart(form, "payload_json", "", "application/json", payload),
		formPart(form, "files[0]", name, contentType(f.MIME), nil)); err != nil {
		return "", invalid(c.op, err)
	}
	fmt.Fprintf(&tail, "\r\n--%s--\r\n", form.Boundary())
	file := &exactReader{r: src, size: f.Size, left: limit}
	c.stream = func(r *http.Request) {
		r.Body = io.NopCloser(io.MultiReader(strings.NewReader(head.String()), file, strings.NewReader(tail.String())))
		r.GetBody = nil // it cannot be read twice
		r.ContentLength = -1
		if f.Size >= 0 {
			r.ContentLength = int64(head.Len()) + f.Size + int64(tail.Len())
		}
		r.Header.Set("Content-Type", form.FormDataContentType())
	}
	var sent struct {
		ID string `json:"id"`
	}
	err = p.api.do(ctx, c, &sent)
	switch broken := file.broken(); {
	case err != nil && errors.Is(broken, errOversize):
		return "", &core.Error{Op: c.op, Class: core.TooLarge, Err: broken}
	case err != nil && broken != nil:
		return "", &core.Error{Op: c.op, Class: core.Transient, Err: fmt.Errorf("read the file: %w", broken)}
	case err != nil:
		return "", err
	case !isID(sent.ID):
		return "", &core.Error{Op: c.op, Class: core.Transient, Maybe: true, Err: errNotOwn}
	}
	return sent.ID, nil
}

func formPart(w *multipart.Writer, field, file, kind string, content []byte) error {
	disposition := fmt.Sprintf(`form-data; name="%s"`, field)
	if file != "" {
		// As browsers write it: UTF-8 as it is. fileName has taken quotes out.
		disposition += fmt.Sprintf(`; filename="%s"`, file)
	}
	part, err := w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {disposition}, "Content-Type": {kind}})
	if err != nil {
		return fmt.Errorf("form part %s: %w", field, err)
	}
	_, err = part.Write(content)
	return err //nolint:wrapcheck // a strings.Builder does not fail
}

var (
	errOversize = errors.New("file is larger than the server takes")
	errSize     = errors.New("file has not the size that it was said to have")
)

// exactReader gives exactly size bytes, or at most left when size is unknown, and fails otherwise. It is read by the
// transport's goroutine.
type exactReader struct {
	r          io.Reader
	size, left int64 // left: the server's limit

	mu  sync.Mutex
	n   int64
	err error
}

func (e *exactReader) Read(b []byte) (int, error) {
	n, err := e.r.Read(b)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.n += int64(n)
	switch {
	case e.n > e.left:
		e.err = errOversize
	case e.size >= 0 && e.n > e.size:
		e.err = errSize
	case errors.Is(err, io.EOF) && e.size >= 0 && e.n < e.size:
		e.err = errSize
	case err != nil && !errors.Is(err, io.EOF):
		e.err = err
	}
	if e.err != nil {
		return 0, e.err
	}
	return n, err //nolint:wrapcheck // io.EOF must stay what it is
}

// broken is why the file could not be read whole.
func (e *exactReader) broken() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.err
}

// contentType is a MIME type from outside, if it is one.
func contentType(s string) string {
	if kind, _, err := mime.ParseMediaType(s); err == nil && strings.Contains(kind, "/") {
		return kind
	}
	return anyType
}

const anyType = "application/octet-stream"

// fileName makes a name from outside fit for people: no path, no control characters, nothing that turns
// letters around ("\u202Egpj.exe" would show as "exe.jpg"), not endless.
func fileName(name, kind string) string {
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '"' || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, name)
	name = strings.TrimLeft(strings.TrimSpace(name), ".")
	if name == "" || name == "/" {
		name = "file"
		if kind = contentType(kind); kind != anyType {
			if ext, err := mime.ExtensionsByType(kind); err == nil && len(ext) > 0 {
				name += ext[0]
			}
		}
	}
	if r := []rune(name); len(r) > 120 {
		ext := []rune(path.Ext(name))
		if len(ext) > 20 {
			ext = nil
		}
		name = string(r[:120-len(ext)]) + string(ext)
	}
	return name
}
