package slack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"path"
	"strings"
	"sync"
	"unicode"

	slackgo "github.com/slack-go/slack"

	"github.com/clickai/bridge/core"
)

// fileURLs remembers where files can be fetched: messages do not carry that over to a later OpenAttachment.
type fileURLs struct {
	mu sync.Mutex
	m  map[string]string
}

func newFileURLs() *fileURLs { return &fileURLs{m: map[string]string{}} }

func (f *fileURLs) get(id string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.m[id]
}

func (f *fileURLs) put(id, address string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	put(f.m, id, address, maxFileURLs)
}

func (f *fileURLs) drop(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.m, id)
}

// learn takes the addresses of a message's files. Files of other workspaces have none that can be used yet.
func (f *fileURLs) learn(files []file) {
	for _, one := range files {
		if address := one.address(); isID(one.ID) && address != "" {
			f.put(one.ID, address)
		}
	}
}

// address is where a file of Slack's own can be fetched; "" if it is none, or not known yet.
func (f *file) address() string {
	switch {
	case f.External || f.Mode == "external", f.Access == "check_file_info", f.Mode == "file_access":
		return ""
	case f.DownloadURL != "":
		return f.DownloadURL
	}
	return f.URL
}

var (
	errExternal = errors.New("the file is kept outside Slack")
	errNoFile   = errors.New("the file is no longer there")
	errEmpty    = errors.New("the file is empty")
	errOversize = errors.New("the file is larger than Slack takes")
)

// OpenAttachment fetches a file of a message. slack-go's GetFile writes into a Writer and so tells of an error only after
// a reader has begun; here errors come first. The token goes to Slack's hosts and that of api_url only. Without the scope
// files:read Slack answers with its sign-in page, which is taken for what it is: the error is then [core.Denied].
// Source: https://docs.slack.dev/messaging/working-with-files
func (p *Platform) OpenAttachment(ctx context.Context, a core.Attachment) (io.ReadCloser, error) {
	const op = "slack.OpenAttachment"
	if !isID(a.Ref) {
		return nil, invalid(op, errBadRef)
	}
	if address := p.files.get(a.Ref); address != "" {
		body, err := p.download(ctx, op, address)
		if core.ClassOf(err) != core.NotFound {
			return body, err
		}
		p.files.drop(a.Ref)
	}
	info, err := p.fileInfo(ctx, op, a.Ref)
	if err != nil {
		return nil, err
	}
	address := info.address()
	switch {
	case info.External || info.Mode == "external":
		return nil, &core.Error{Op: op, Class: core.Unsupported, Err: errExternal} // its address is anybody's
	case info.Mode == "tombstone" || info.Mode == "hidden_by_limit" || address == "":
		return nil, &core.Error{Op: op, Class: core.NotFound, Err: errNoFile}
	}
	p.files.put(a.Ref, address)
	return p.download(ctx, op, address)
}

// fileInfo asks for a file object. Slack Connect gives no more than the id with a message (file_access check_file_info).
// Source: https://docs.slack.dev/reference/methods/files.info
func (p *Platform) fileInfo(ctx context.Context, op, id string) (file, error) {
	var out struct {
		File file `json:"file"`
	}
	_, err := p.call(ctx, op, method("files.info"), func(ctx context.Context) error {
		_, _, _, err := p.api.GetFileInfoContext(ctx, id, 0, 0)
		return err //nolint:wrapcheck // call classifies it
	}, &out)
	return out.File, err
}

// download gets a file by its address.
func (p *Platform) download(ctx context.Context, op, address string) (io.ReadCloser, error) {
	u, err := url.Parse(address)
	if err != nil || !p.http.own(u) {
		return nil, &core.Error{Op: op, Class: core.Unsupported, Err: errForeign}
	}
	ctx, cancel := context.WithTimeout(ctx, transferTimeout)
	resp, err := p.http.get(ctx, u)
	if err != nil {
		cancel()
		e := &core.Error{Op: op, Class: core.Transient, Err: err}
		switch {
		case errors.Is(err, errSignIn):
			e.Class, e.Err = core.Denied, fmt.Errorf("%w: add the scope files:read and install the app again", err)
		case errors.Is(err, errForeign):
			e.Class = core.Unsupported
		}
		return nil, e
	}
	if resp.StatusCode == http.StatusOK {
		return &transfer{ReadCloser: resp.Body, cancel: cancel}, nil
	}
	_ = resp.Body.Close()
	cancel()
	e := &core.Error{Op: op, Class: core.Transient, Err: fmt.Errorf("download: HTTP %d", resp.StatusCode)}
	switch resp.StatusCode {
	case http.StatusForbidden, http.StatusNotFound, http.StatusGone:
		e.Class = core.NotFound
	case http.StatusTooManyRequests:
		e.Class, e.RetryAfter = core.RateLimited, retryAfter(resp.Header)
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

// Upload sends a file in three steps: Slack names an address, takes the bytes there, and shares the file. Slack wants to
// know the size first, so a file of unknown size is written to a temporary one, of maxSpool bytes at the most. An empty
// file cannot be sent. With Again, a file that was stored under the same nonce is not uploaded again, nor shared again where
// it is known to be. The returned reference is zero when Slack does not tell in time which message shows the file.
// Source: https://docs.slack.dev/messaging/working-with-files#uploading_files
func (p *Platform) Upload(ctx context.Context, at core.Place, _ string, f core.File) (core.MessageRef, error) {
	const op = "slack.Upload"
	switch {
	case !isPlace(at):
		return core.MessageRef{}, invalid(op, errBadRef)
	case f.Size > maxUpload:
		return core.MessageRef{}, &core.Error{Op: op, Class: core.TooLarge, Err: errOversize}
	case f.Size == 0:
		return core.MessageRef{}, invalid(op, errEmpty)
	}
	ctx, cancel := context.WithTimeout(ctx, transferTimeout)
	defer cancel()
	name := fileName(f.Name, f.MIME)
	if f.Again {
		if ref, done, err := p.uploaded(ctx, op, at, f.Nonce, name); done || err != nil {
			return ref, err
		}
	}
	src, err := f.Open(ctx)
	if err != nil {
		return core.MessageRef{}, opened(op, err)
	}
	defer func() { _ = src.Close() }()
	body, size := io.Reader(src), f.Size
	if size < 0 {
		spool, n, err := spoolFile(op, src)
		if err != nil {
			return core.MessageRef{}, err
		}
		defer spool.close()
		body, size = spool.f, n
	}
	id, err := p.store(ctx, op, name, size, body)
	if err != nil {
		return core.MessageRef{}, err
	}
	switch err := p.notes.put(ctx, f.Nonce, id); {
	case errors.Is(err, errNoNotes):
		return core.MessageRef{}, &core.Error{Op: op, Class: core.Transient, Err: err}
	case err != nil:
		p.log.Warn("file not noted", logErr(err))
	}
	if err := p.complete(ctx, op, at, id, name); err != nil {
		return core.MessageRef{}, err
	}
	return p.showing(ctx, op, at, id), nil
}

// complete shares a stored file.
func (p *Platform) complete(ctx context.Context, op string, at core.Place, id, name string) error {
	_, err := p.call(ctx, op, posting("files.completeUploadExternal", at.Room), func(ctx context.Context) error {
		_, err := p.api.CompleteUploadExternalContext(ctx, slackgo.CompleteUploadExternalParameters{
			Files: []slackgo.FileSummary{{ID: id, Title: name}}, Channel: at.Room, ThreadTimestamp: at.Thread,
		})
		return err //nolint:wrapcheck // call classifies it
	}, nil)
	return err
}

// showing is the message that shows a shared file; zero if Slack does not tell yet.
func (p *Platform) showing(ctx context.Context, op string, at core.Place, id string) core.MessageRef {
	info, err := p.fileInfo(ctx, op, id)
	if err != nil {
		p.log.Debug("message of a file not found", logErr(err))
		return core.MessageRef{}
	}
	ref, _ := info.shown(at)
	return ref
}

// opened is the error of a file that could not be opened or read.
func opened(op string, err error) *core.Error {
	if e, ok := errors.AsType[*core.Error](err); ok {
		return e
	}
	return &core.Error{Op: op, Class: core.Transient, Err: fmt.Errorf("open the file: %w", err)}
}

// store brings the bytes to Slack, which gives them an id. slack-go's own way would leave a goroutine behind that reads the
// file, and would send the token along, which the address does not need.
func (p *Platform) store(ctx context.Context, op, name string, size int64, body io.Reader) (id string, err error) {
	var out struct {
		URL string `json:"upload_url"`
		ID  string `json:"file_id"`
	}
	_, err = p.call(ctx, op, method("files.getUploadURLExternal"), func(ctx context.Context) error {
		_, err := p.api.GetUploadURLExternalContext(ctx, slackgo.GetUploadURLExternalParameters{FileName: name, FileSize: int(size)})
		return err //nolint:wrapcheck // call classifies it
	}, &out)
	if err != nil {
		return "", err
	}
	u, perr := url.Parse(out.URL)
	if perr != nil || !isID(out.ID) || !p.http.own(u) {
		return "", &core.Error{Op: op, Class: core.Transient, Err: errNotOwn}
	}
	src := &source{r: body}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), io.NopCloser(src))
	if err != nil {
		return "", invalid(op, plainError(err))
	}
	r.ContentLength, r.GetBody = size, nil // the transport fails if fewer or more bytes come
	r.Header.Set("Content-Type", "application/octet-stream")
	resp, err := p.http.calls.Do(r)
	if err != nil {
		if broken := src.broken(); broken != nil {
			return "", opened(op, broken)
		}
		return "", &core.Error{Op: op, Class: core.Transient, Err: plainError(err)}
	}
	_, _ = io.CopyN(io.Discard, resp.Body, 64<<10) // so that the connection can be used again
	_ = resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
		return out.ID, nil
	case http.StatusRequestEntityTooLarge:
		return "", &core.Error{Op: op, Class: core.TooLarge, Err: errOversize}
	}
	return "", &core.Error{
		Op: op, Class: core.Transient, RetryAfter: retryAfter(resp.Header), Err: fmt.Errorf("upload: HTTP %d", resp.StatusCode),
	}
}

// source notes why a file could not be read. It is read by the transport's goroutine.
type source struct {
	r   io.Reader
	mu  sync.Mutex
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.mu.Lock()
		s.err = err
		s.mu.Unlock()
	}
	return n, err //nolint:wrapcheck // io.EOF must stay what it is
}

func (s *source) broken() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// spool is a temporary file.
type spool struct {
	f     *os.File
	named bool // it still has a name
}

func (s spool) close() {
	_ = s.f.Close()
	if s.named {
		_ = os.Remove(s.f.Name())
	}
}

// spoolFile writes a file of unknown size to disk and rewinds it.
func spoolFile(op string, src io.Reader) (spool, int64, error) {
	f, err := os.CreateTemp("", "bridge-upload-*")
	if err != nil {
		return spool{}, 0, &core.Error{Op: op, Class: core.Transient, Err: fmt.Errorf("make a temporary file: %w", err)}
	}
	// Without a name from the start, so that a crash leaves nobody's file behind. Windows refuses; close does it there.
	s := spool{f: f, named: os.Remove(f.Name()) != nil}
	n, err := io.Copy(f, io.LimitReader(src, maxSpool+1))
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	switch {
	case err != nil:
		s.close()
		return spool{}, 0, opened(op, err)
	case n > maxSpool:
		s.close()
		return spool{}, 0, &core.Error{Op: op, Class: core.TooLarge, Err: errOversize}
	case n == 0:
		s.close()
		return spool{}, 0, invalid(op, errEmpty)
	}
	return s, n, nil
}

// fileName makes a name from outside fit for people: no path, no control characters, nothing that turns
// letters around ("\u202Egpj.exe" would show as "exe.jpg"), not endless.
func fileName(name, kind string) string {
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, name)
	name = strings.TrimLeft(strings.TrimSpace(name), ".")
	if name == "" || name == "/" {
		name = "file"
		if media, _, err := mime.ParseMediaType(kind); err == nil {
			if ext, err := mime.ExtensionsByType(media); err == nil && len(ext) > 0 {
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
