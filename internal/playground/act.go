package playground

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"time"

	"github.com/clickai/bridge/internal/sim"
)

const (
	// maxUpload bounds what a person sends in one message, and maxFiles how many files.
	maxUpload = 24 << 20
	maxFiles  = 10
	maxJSON   = 256 << 10
	// readTimeout bounds how long its body may take to come.
	readTimeout = time.Minute
)

// act is what a person does on the page.
type act struct {
	Platform string `json:"p"`
	Room     string `json:"room"`
	Thread   string `json:"thread"`
	ID       string `json:"id"`
	User     string `json:"user"`
	Text     string `json:"text"`
	Mention  bool   `json:"mention"`
	ReplyTo  string `json:"replyTo"`
	Emoji    string `json:"emoji"`
	On       bool   `json:"on"`
	Button   string `json:"button"`
	Kind     string `json:"kind"`

	p     *platform
	files []sim.File
}

func (a *act) ref() sim.Ref { return sim.Ref{Room: a.Room, Thread: a.Thread, ID: a.ID} }

// acting reads an act and answers with what came of it.
func (s *Server) acting(do func(context.Context, *act) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxUpload)
		// A body that does not come is not waited for longer. What cannot be set is not needed: it is for sockets.
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(readTimeout))
		a := &act{}
		err := a.read(r)
		if err == nil {
			err = s.find(a)
		}
		var out any
		if err == nil {
			out, err = do(r.Context(), a)
		}
		if err != nil {
			writeJSON(w, http.StatusUnprocessableEntity, map[string]string{"error": err.Error()})
			return
		}
		if out == nil {
			out = map[string]bool{"ok": true}
		}
		writeJSON(w, http.StatusOK, out)
	}
}

// read takes JSON, or a form with the JSON in "act" and files beside it.
func (a *act) read(r *http.Request) error {
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
		if err := json.NewDecoder(io.LimitReader(r.Body, maxJSON)).Decode(a); err != nil {
			return fmt.Errorf("the request is no JSON: %w", err)
		}
		return nil
	}
	parts, err := r.MultipartReader()
	if err != nil {
		return fmt.Errorf("read the form: %w", err)
	}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = a.part(part)
		}
		if _, over := errors.AsType[*http.MaxBytesError](err); over {
			return fmt.Errorf("the files are larger than %d MB", maxUpload>>20)
		}
		if err != nil {
			return fmt.Errorf("read the form: %w", err)
		}
	}
}

func (a *act) part(part *multipart.Part) error {
	if part.FormName() == "act" {
		return json.NewDecoder(io.LimitReader(part, maxJSON)).Decode(a)
	}
	if len(a.files) == maxFiles {
		return fmt.Errorf("more than %d files", maxFiles)
	}
	data, err := io.ReadAll(part)
	if err != nil {
		return err
	}
	a.files = append(a.files, sim.File{Name: part.FileName(), MIME: fileType(part.Header.Get("Content-Type"), data), Data: data})
	return nil
}

// fileType is what the browser says of a file, or what its bytes say where it says nothing.
func fileType(said string, data []byte) string {
	if said == "" || said == "application/octet-stream" {
		said = http.DetectContentType(data)
	}
	kind, _, _ := strings.Cut(said, ";")
	return strings.TrimSpace(kind)
}

// find looks the platform up.
func (s *Server) find(a *act) error {
	if a.Platform == "" {
		return nil
	}
	for _, p := range s.platforms {
		if p.Name() == a.Platform {
			a.p = p
			return nil
		}
	}
	return fmt.Errorf("there is no platform %q", a.Platform)
}

func (a *act) onPlatform() error {
	if a.p == nil {
		return errors.New("no platform is named")
	}
	return nil
}

// said is where a message stands now.
type said struct {
	Room   string `json:"room"`
	Thread string `json:"thread"`
	ID     string `json:"id,omitempty"`
	Name   string `json:"name,omitempty"`
}

// say writes a message; a line that begins with a slash is a command where the platform has commands of its own.
func (s *Server) say(ctx context.Context, a *act) (any, error) {
	if err := a.onPlatform(); err != nil {
		return nil, err
	}
	if strings.HasPrefix(a.Text, "/") && len(a.Text) > 1 && len(a.files) == 0 && a.p.command != nil {
		return nil, a.p.command(ctx, place{a.Room, a.Thread, a.User}, a.Text)
	}
	m, err := a.p.Say(ctx, sim.Say{
		Room: a.Room, Thread: a.Thread, User: a.User, Text: a.Text, Mention: a.Mention, ReplyTo: a.ReplyTo, Files: a.files,
	})
	return said{m.Room, m.Thread, m.ID, ""}, err
}

func (s *Server) edit(ctx context.Context, a *act) (any, error) {
	if err := a.onPlatform(); err != nil {
		return nil, err
	}
	return nil, a.p.Edit(ctx, a.ref(), a.User, a.Text)
}

func (s *Server) remove(ctx context.Context, a *act) (any, error) {
	if err := a.onPlatform(); err != nil {
		return nil, err
	}
	return nil, a.p.Delete(ctx, a.ref(), a.User)
}

func (s *Server) react(ctx context.Context, a *act) (any, error) {
	if err := a.onPlatform(); err != nil {
		return nil, err
	}
	if a.On {
		return nil, a.p.React(ctx, a.ref(), a.User, a.Emoji)
	}
	return nil, a.p.Unreact(ctx, a.ref(), a.User, a.Emoji)
}

func (s *Server) press(ctx context.Context, a *act) (any, error) {
	if err := a.onPlatform(); err != nil {
		return nil, err
	}
	return nil, a.p.press(ctx, a.ref(), a.User, a.Button)
}

// open is a person's look at the direct chat.
func (s *Server) open(ctx context.Context, a *act) (any, error) {
	if err := a.onPlatform(); err != nil {
		return nil, err
	}
	if a.p.open == nil {
		return nil, fmt.Errorf("%s tells the bot nothing of it", a.p.title)
	}
	return nil, a.p.open(ctx, a.User)
}

func (s *Server) thread(ctx context.Context, a *act) (any, error) {
	if err := a.onPlatform(); err != nil {
		return nil, err
	}
	if a.p.thread == nil {
		return nil, fmt.Errorf("%s opens a thread with its first message", a.p.title)
	}
	at, err := a.p.thread(ctx, a.ref(), a.User, a.Text)
	return said{at.Room, at.Thread, "", at.Name}, err
}

// fault makes something fail.
func (s *Server) fault(_ context.Context, a *act) (any, error) {
	switch f := Fault(a.Kind); f {
	case FaultBusy, FaultCut, FaultSlow, FaultError:
		s.relay.Break(f)
		return nil, nil
	}
	if err := a.onPlatform(); err != nil {
		return nil, err
	}
	switch a.Kind {
	case "disconnect":
		a.p.cut()
	case "limit":
		a.p.Faults().Add(a.p.busy)
	default:
		return nil, fmt.Errorf("there is no fault %q", a.Kind)
	}
	return nil, nil
}

// bridge stops and starts the bridge.
func (s *Server) bridge(ctx context.Context, a *act) (any, error) {
	b := s.opt.Bridge
	if b == nil {
		return nil, errors.New("the bridge cannot be stopped from here")
	}
	switch a.Kind {
	case "kill":
		return nil, b.Kill(ctx)
	case "stop":
		return nil, b.Stop(ctx)
	case "start":
		return nil, b.Start()
	}
	return nil, fmt.Errorf("the bridge cannot %q", a.Kind)
}
