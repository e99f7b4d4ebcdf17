package clickai

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	pathUpload = "/v1/files/upload"
	// maxFilename is the longest file name in characters; servers cut longer ones.
	// Source: https://docs.dify.ai/en/api-reference (file upload).
	maxFilename = 200
	// expectFrom is the body size in bytes from which the client asks whether the
	// server wants the body at all, before sending it.
	expectFrom = 1 << 20
)

// UploadRequest is a file to upload.
type UploadRequest struct {
	// User must be the one of the question that uses the file.
	User string
	// Filename's extension decides the file's type and size limit. Slashes and
	// control characters are replaced, and it is cut to 200 characters, keeping
	// its extension. If empty it becomes "file" with MIMEType's extension.
	Filename string
	// MIMEType is the file's media type; if empty or malformed, it follows the
	// extension, else it is application/octet-stream.
	MIMEType string
	// Size is the file's size in bytes if known, else 0 or less: then it is sent
	// in chunks of unknown total, which some servers refuse. Content of another
	// length than a given Size fails the upload.
	Size int64
	// Content is read once, through one small buffer. It is not read any more after
	// Upload has returned, unless ctx ended or a timeout struck while a Read was
	// under way: that Read is not waited for, and is the last one.
	Content io.Reader
}

// UploadedFile is an uploaded file as ClickAI knows it.
type UploadedFile struct {
	ID        string `json:"id"` // for UploadedInput
	Name      string `json:"name"`
	Size      int64  `json:"size"`      // bytes
	Extension string `json:"extension"` // without a dot
	MIMEType  string `json:"mime_type"`
	// CreatedBy is the server's own id of the user, not UploadRequest.User.
	CreatedBy string `json:"created_by"`
	CreatedAt Unix   `json:"created_at"`
}

// Upload sends a file, streaming it. A pause without progress ends it after
// Config.HeaderTimeout, whether Content or the server pauses; there is no bound
// for the whole. When the server refuses the file before it has all of it (413),
// its answer is returned as the error if it can still be read; the package's own
// HTTP client reads it even when the server resets the connection at once. To try
// again, give a fresh Content.
func (c *Client) Upload(ctx context.Context, r UploadRequest) (*UploadedFile, error) {
	if r.User == "" {
		return nil, invalid(http.MethodPost, pathUpload, "user is empty")
	}
	if r.Content == nil {
		return nil, invalid(http.MethodPost, pathUpload, "content is nil")
	}
	up, err := newUpload(&r)
	if err != nil {
		return nil, invalid(http.MethodPost, pathUpload, "build multipart body: %w", err)
	}
	var file UploadedFile
	err = c.t.callJSON(ctx, &request{
		method: http.MethodPost, path: pathUpload, upload: up, wait: c.headerTimeout,
	}, &file)
	if err != nil {
		return nil, err
	}
	if file.ID == "" {
		return nil, &Error{
			Kind: KindContent, Method: http.MethodPost, Path: pathUpload, Status: http.StatusOK,
			Err: errors.New("uploaded file has no id"),
		}
	}
	return &file, nil
}

// upload is the multipart body of one upload while it is sent.
type upload struct {
	body        *uploadBody
	length      int64 // -1 if unknown
	contentType string
}

func newUpload(r *UploadRequest) (*upload, error) {
	name := cleanFilename(r.Filename, r.MIMEType)
	var buf bytes.Buffer
	w := multipart.NewWriter(&buf)
	if err := w.WriteField("user", r.User); err != nil {
		return nil, err
	}
	header := textproto.MIMEHeader{}
	header.Set("Content-Disposition", multipart.FileContentDisposition("file", name))
	header.Set("Content-Type", partType(name, r.MIMEType))
	if _, err := w.CreatePart(header); err != nil {
		return nil, err
	}
	head := bytes.Clone(buf.Bytes())
	buf.Reset()
	if err := w.Close(); err != nil {
		return nil, err
	}
	tail := bytes.Clone(buf.Bytes())

	content, length := r.Content, int64(-1)
	if r.Size > 0 {
		content = &exactReader{r: r.Content, left: r.Size}
		length = int64(len(head)) + r.Size + int64(len(tail))
	}
	return &upload{
		body:        newUploadBody(io.MultiReader(bytes.NewReader(head), content, bytes.NewReader(tail))),
		length:      length,
		contentType: w.FormDataContentType(),
	}, nil
}

// expectContinue reports whether the body is large enough to ask first
// (https://www.rfc-editor.org/rfc/rfc9110#field.expect): a proxy that refuses it
// by its size can then say so before it resets the connection.
func (u *upload) expectContinue() bool { return u.length < 0 || u.length >= expectFrom }

// exactReader reads exactly left bytes of r, and fails if r has fewer or more.
type exactReader struct {
	r    io.Reader
	left int64
}

func (e *exactReader) Read(p []byte) (int, error) {
	if e.left == 0 {
		var one [1]byte
		for range maxNoProgress {
			n, err := e.r.Read(one[:])
			if n > 0 {
				return 0, errors.New("content is longer than its size")
			}
			if err != nil {
				return 0, err
			}
		}
		return 0, io.ErrNoProgress
	}
	n, err := e.r.Read(p[:min(int64(len(p)), e.left)])
	e.left -= int64(n)
	if err == io.EOF && e.left > 0 {
		return n, fmt.Errorf("content is %d bytes shorter than its size", e.left)
	}
	if err == io.EOF && n > 0 {
		err = nil // the next Read says it
	}
	return n, err
}

// cleanFilename makes name fit for an upload.
func cleanFilename(name, mimeType string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case r == '/' || r == '\\':
			return '_'
		case unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == utf8.RuneError:
			return '_'
		default:
			return r
		}
	}, strings.TrimSpace(name))
	if strings.Trim(name, ".") == "" {
		name = "file"
		if exts, err := mime.ExtensionsByType(mimeType); err == nil && len(exts) > 0 {
			name += exts[0]
		}
	}
	runes := []rune(name)
	if len(runes) <= maxFilename {
		return name
	}
	ext := []rune(path.Ext(name))
	if len(ext) > 20 { // not an extension but a dot somewhere in a sentence
		ext = nil
	}
	return string(runes[:maxFilename-len(ext)]) + string(ext)
}

// partType returns the media type of a file's part. A part without one is refused
// by servers.
func partType(filename, mimeType string) string {
	for _, t := range []string{mimeType, mime.TypeByExtension(path.Ext(filename))} {
		if media, params, err := mime.ParseMediaType(t); err == nil && strings.Contains(media, "/") {
			if formatted := mime.FormatMediaType(media, params); formatted != "" {
				return formatted
			}
		}
	}
	return "application/octet-stream"
}
