package telegram

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
	"path/filepath"
	"strings"
	"unicode"

	"github.com/clickai/bridge/core"
)

// ownServer tells that the Bot API is not Telegram's own: its limits are others, and it may keep files on this machine.
func (p *Platform) ownServer() bool { return p.base != DefaultAPIURL }

// OpenAttachment returns a file's bytes, of up to 20 MB from Telegram's own server. The link that Telegram gives holds the
// token: it is used here, and neither stored nor logged.
// Source: https://core.telegram.org/bots/api#getfile
func (p *Platform) OpenAttachment(ctx context.Context, a core.Attachment) (io.ReadCloser, error) {
	const op = "OpenAttachment"
	if a.Size > maxDownload && !p.ownServer() {
		return nil, &core.Error{Op: "telegram." + op, Class: core.TooLarge, Err: fmt.Errorf("%d bytes; the Bot API gives out %d", a.Size, maxDownload)}
	}
	one, cancel := context.WithTimeout(ctx, callTimeout)
	var f struct {
		Path string `json:"file_path"`
	}
	err := p.call(one, "getFile", map[string]string{"file_id": a.Ref}, &f)
	cancel()
	switch {
	case err != nil:
		return nil, p.fail(op, err, false)
	case f.Path == "":
		return nil, &core.Error{Op: "telegram." + op, Class: core.NotFound, Err: errors.New("the file has no path")}
	}
	if local, ok := p.onDisk(f.Path); ok {
		return local, nil
	}
	return p.download(ctx, op, f.Path)
}

// onDisk opens a file that a server in local mode keeps on this machine; it then gives an absolute path, under a directory
// with the token's name. Any other file of this machine stays closed, whatever a server says.
// Source: https://core.telegram.org/bots/api#using-a-local-bot-api-server
func (p *Platform) onDisk(name string) (io.ReadCloser, bool) {
	token := p.token.Reveal()
	if !p.ownServer() || !filepath.IsAbs(name) || filepath.Clean(name) != name {
		return nil, false
	}
	under := false
	for dir := range strings.SplitSeq(filepath.ToSlash(filepath.Dir(name)), "/") {
		under = under || dir == token || dir == strings.ReplaceAll(token, ":", "~") // as it is written on Windows
	}
	if !under {
		return nil, false
	}
	info, err := os.Lstat(name)
	if err != nil || !info.Mode().IsRegular() {
		return nil, false // the server may run elsewhere and offer its files over HTTP
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, false
	}
	return f, true
}

func (p *Platform) download(ctx context.Context, op, name string) (io.ReadCloser, error) {
	ctx, cancel := context.WithTimeout(ctx, transferTimeout)
	address := p.base + "/file/bot" + p.token.Reveal() + "/" + (&url.URL{Path: strings.TrimLeft(name, "/")}).EscapedPath()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		cancel()
		return nil, invalid(op, p.mask(err))
	}
	resp, err := p.client.do(req)
	if err != nil {
		cancel()
		return nil, p.fail(op, err, false)
	}
	if resp.StatusCode == http.StatusOK {
		return &transfer{ReadCloser: resp.Body, cancel: cancel}, nil
	}
	_ = resp.Body.Close()
	cancel()
	e := &core.Error{Op: "telegram." + op, Class: core.Transient, Err: fmt.Errorf("download: HTTP %d", resp.StatusCode)}
	switch resp.StatusCode {
	case http.StatusUnauthorized:
		e.Class = core.Auth
	case http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusGone: // the link lives for an hour
		e.Class = core.NotFound
		if filepath.IsAbs(name) {
			e.Err = fmt.Errorf("%w: the Bot API server keeps its files on a disk that this program cannot read: share the directory, or run the server without --local", e.Err)
		}
	case http.StatusTooManyRequests:
		e.Class, e.RetryAfter = core.RateLimited, retryAfter(resp, 0)
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

// fileName makes a name from outside fit for people: no path, no control characters, nothing that turns
// letters around ("\u202Egpj.exe" would show as "exe.jpg"), not endless. One without a name gets
// the extension of its type.
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
		kind, _, _ = mime.ParseMediaType(kind)
		if ext, err := mime.ExtensionsByType(kind); err == nil && len(ext) > 0 {
			name += ext[0]
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
