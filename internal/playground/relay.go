package playground

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/clickai/bridge/internal/sim"
)

const (
	// maxBody bounds what is read of a request's or an answer's JSON to be shown; longer ones pass unseen.
	maxBody = 1 << 20
	// relayDial and relayHeader bound how long ClickAI may take to be reached, and to begin to answer.
	relayDial   = 10 * time.Second
	relayHeader = 2 * time.Minute
)

// Relay stands between the bridge and ClickAI, real or stand-in: it passes on what is said, keeps a record of the turns, and
// misbehaves when it is told to. Keys pass through and are not kept. It serves on loopback alone.
type Relay struct {
	up       *url.URL
	listener net.Listener
	server   *http.Server
	// transport is what ClickAI is reached by.
	transport *http.Transport
	served    chan struct{}
	requests  inflight
	notifier  sim.Notifier
	log       *slog.Logger

	mu      sync.Mutex
	turns   []*turn // the newest maxTurns
	lastID  int
	uploads []Upload // the newest maxUploads
	ratings []Rating // the newest maxRatings
	faults  faultList
}

// NewRelay serves a relay to the API at base on a free port of loopback.
func NewRelay(base string, log *slog.Logger) (*Relay, error) {
	up, err := url.Parse(base)
	if err != nil || up.Host == "" {
		return nil, fmt.Errorf("relay to ClickAI: %q is no URL", base)
	}
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("relay to ClickAI: %w", err)
	}
	r := &Relay{up: up, listener: l, served: make(chan struct{}), log: log}
	r.transport = &http.Transport{
		DialContext:           (&net.Dialer{Timeout: relayDial}).DialContext,
		ResponseHeaderTimeout: relayHeader, TLSHandshakeTimeout: relayDial, ForceAttemptHTTP2: true,
		DisableCompression: true, MaxIdleConnsPerHost: 16, IdleConnTimeout: time.Minute,
	}
	proxy := &httputil.ReverseProxy{
		Rewrite:        func(pr *httputil.ProxyRequest) { pr.SetURL(up); pr.Out.Header.Del("Accept-Encoding") },
		ModifyResponse: r.answered,
		Transport:      r.transport,
		ErrorLog:       slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		ErrorHandler:   r.failed,
	}
	r.server = &http.Server{
		Handler:           r.requests.wrap(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { r.serve(proxy, w, req) })),
		ReadHeaderTimeout: relayDial, IdleTimeout: time.Minute,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	go func() {
		defer close(r.served)
		if err := r.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			log.LogAttrs(context.Background(), slog.LevelError, "the relay to ClickAI ended", slog.Any("error", err))
		}
	}()
	return r, nil
}

// URL is what the bridge's clickai.base_url must be.
func (r *Relay) URL() string { return "http://" + r.listener.Addr().String() }

// Close cuts what runs and stops serving.
func (r *Relay) Close() error {
	err := r.server.Close()
	<-r.served
	r.requests.wait()
	r.transport.CloseIdleConnections()
	return err
}

// changed is closed at the next change of what is recorded.
func (r *Relay) changed() <-chan struct{} { return r.notifier.Changed() }

type turnKey struct{}

// serve records a request and passes it on.
func (r *Relay) serve(proxy http.Handler, w http.ResponseWriter, req *http.Request) {
	switch kind, id := routeOf(req); kind {
	case routeAsk:
		t, err := r.begin(req)
		if err != nil {
			http.Error(w, "the request cannot be read", http.StatusBadRequest)
			return
		}
		if r.takeFault(t, FaultBusy) {
			r.refuse(w, t)
			return
		}
		defer r.end(t)
		proxy.ServeHTTP(w, req.WithContext(context.WithValue(req.Context(), turnKey{}, t)))
	case routeStop:
		r.stopped(id)
		proxy.ServeHTTP(w, req)
	case routeRate:
		body, err := peek(&req.Body)
		if err != nil {
			http.Error(w, "the request cannot be read", http.StatusBadRequest)
			return
		}
		proxy.ServeHTTP(w, req.WithContext(context.WithValue(req.Context(), ratingKey{}, ratingOf(id, body))))
	default:
		proxy.ServeHTTP(w, req)
	}
}

// refuse answers as ClickAI does when there are too many requests.
func (r *Relay) refuse(w http.ResponseWriter, t *turn) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Retry-After", strconv.Itoa(busySeconds))
	w.WriteHeader(http.StatusTooManyRequests)
	_, _ = io.WriteString(w, `{"status":429,"code":"too_many_requests","message":"Too many requests. Try again later."}`) // a client that left needs none
	r.mu.Lock()
	t.HTTP, t.Status, t.Ended = http.StatusTooManyRequests, "refused", time.Now()
	r.mu.Unlock()
	r.notifier.Notify()
}

// failed answers when ClickAI is not reached, and cuts the connection when an answer was to be cut.
func (r *Relay) failed(w http.ResponseWriter, req *http.Request, err error) {
	r.log.LogAttrs(req.Context(), slog.LevelWarn, "ClickAI was not reached", slog.Any("error", err))
	w.WriteHeader(http.StatusBadGateway)
}

// answered looks at an answer on its way back.
func (r *Relay) answered(res *http.Response) error {
	ctx := res.Request.Context()
	if t, ok := ctx.Value(turnKey{}).(*turn); ok {
		r.mu.Lock()
		t.HTTP = res.StatusCode
		r.mu.Unlock()
		if strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
			res.Body = &tape{r: r, t: t, ctx: ctx, body: res.Body, lines: newLines(res.Body), from: r.up.Scheme + "://" + r.up.Host, to: r.URL()}
			res.ContentLength = -1
			res.Header.Del("Content-Length")
			return nil
		}
	}
	if !strings.HasPrefix(res.Header.Get("Content-Type"), "application/json") {
		return nil
	}
	body, err := peek(&res.Body)
	if err != nil {
		return fmt.Errorf("read ClickAI's answer: %w", err)
	}
	if t, ok := ctx.Value(turnKey{}).(*turn); ok {
		r.whole(t, res.StatusCode, body)
	}
	if rating, ok := ctx.Value(ratingKey{}).(Rating); ok && res.StatusCode < 300 {
		r.rated(rating)
	}
	if kind, _ := routeOf(res.Request); kind == routeUpload && res.StatusCode < 300 {
		r.uploaded(body)
	}
	// Files are fetched from where the bridge believes ClickAI to be.
	if fixed := bytes.ReplaceAll(body, []byte(r.up.Scheme+"://"+r.up.Host+"/"), []byte(r.URL()+"/")); len(fixed) != len(body) || !bytes.Equal(fixed, body) {
		res.Body = io.NopCloser(bytes.NewReader(fixed))
		res.ContentLength = int64(len(fixed))
		res.Header.Set("Content-Length", strconv.Itoa(len(fixed)))
	}
	return nil
}

type route int

const (
	routeOther route = iota
	routeAsk
	routeStop
	routeRate
	routeUpload
)

// routeOf tells what a request is for; id is the task's or message's. Paths as in ClickAI's API guide.
func routeOf(req *http.Request) (kind route, id string) {
	if req.Method != http.MethodPost {
		return routeOther, ""
	}
	_, path, ok := strings.Cut(req.URL.Path, "/v1/")
	if !ok {
		return routeOther, ""
	}
	parts := strings.Split(path, "/")
	switch {
	case path == "chat-messages", path == "completion-messages", path == "workflows/run":
		return routeAsk, ""
	case path == "files/upload":
		return routeUpload, ""
	case len(parts) == 3 && parts[2] == "stop":
		return routeStop, parts[1]
	case len(parts) == 4 && parts[3] == "stop":
		return routeStop, parts[2]
	case len(parts) == 3 && parts[0] == "messages" && parts[2] == "feedbacks":
		return routeRate, parts[1]
	}
	return routeOther, ""
}

// peek reads the beginning of a body and puts it back; nil when the body is longer than maxBody. One that was read whole is not
// asked again: net/http closes a request's body once its answer begins, and a transport that looks whether there is more of it
// only then would take that for an error and break the answer off.
func peek(body *io.ReadCloser) ([]byte, error) {
	whole := *body
	head, err := io.ReadAll(io.LimitReader(whole, maxBody+1))
	if err != nil {
		return nil, err
	}
	put := func(r io.Reader) {
		*body = struct {
			io.Reader
			io.Closer
		}{r, whole}
	}
	if len(head) > maxBody {
		put(io.MultiReader(bytes.NewReader(head), whole))
		return nil, nil
	}
	put(bytes.NewReader(head))
	return head, nil
}
