package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/clickai/bridge/clickai"
	"github.com/clickai/bridge/core"
)

// Mode is the kind of an app, by ClickAI's names.
type Mode string

// The modes.
const (
	ModeChat       Mode = "chat"
	ModeAgentChat  Mode = "agent-chat"
	ModeCompletion Mode = "completion"
	ModeWorkflow   Mode = "workflow"
)

// Config describes one app.
type Config struct {
	Name     string
	Mode     Mode
	Client   *clickai.Client
	BaseURL  string // of the client; files of this host are fetched even from private addresses
	Blocking bool   // ask in blocking mode, where the app allows it
	// Inputs are the app's input variables; texts may be templates over core.Vars.
	Inputs     map[string]any
	QueryInput string // completion, workflow: the input that receives the question
	FilesInput string // workflow: the input that receives the files; "" for none
	Output     string // workflow: the output that is the answer; "" to find it
	Log        *slog.Logger
}

// App is a ClickAI app as core knows it.
type App struct {
	name       string
	mode       Mode
	client     *clickai.Client
	inputs     inputs
	queryInput string
	filesInput string
	output     string
	log        *slog.Logger
	fetcher    *http.Client
	host       string       // of the base URL, with its port
	held       atomic.Int64 // bytes of files in memory; see maxHeld

	blocking atomic.Bool // cleared once the app has refused it
	told     toldCache

	mu      sync.Mutex
	unknown map[string]bool // kinds of events that have been logged; at most maxUnknown
}

const maxUnknown = 100

var _ core.App = (*App)(nil)

// New makes an App. It sends nothing. An error says which part of the configuration is wrong.
func New(c Config) (*App, error) {
	switch c.Mode {
	case ModeChat, ModeAgentChat, ModeCompletion, ModeWorkflow:
	default:
		return nil, fmt.Errorf("app %s: mode %q is not known", c.Name, c.Mode)
	}
	base, err := url.Parse(c.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("app %s: base URL: %w", c.Name, err)
	}
	in, err := newInputs(c.Inputs)
	if err != nil {
		return nil, fmt.Errorf("app %s: %w", c.Name, err)
	}
	a := &App{
		name: c.Name, mode: c.Mode, client: c.Client, inputs: in, queryInput: c.QueryInput, filesInput: c.FilesInput,
		output: c.Output, log: c.Log.With(slog.String("app", c.Name)), fetcher: newFetcher(hostPort(base)), host: base.Host, unknown: map[string]bool{},
	}
	if a.queryInput == "" {
		a.queryInput = "text"
	}
	a.blocking.Store(c.Blocking)
	return a, nil
}

// Name is the app's name in the configuration.
func (a *App) Name() string { return a.name }

// Conversational is false for completion and workflow apps.
func (a *App) Conversational() bool { return a.mode == ModeChat || a.mode == ModeAgentChat }

// Close gives up kept connections. Calls that run are not ended.
func (a *App) Close() {
	a.client.CloseIdleConnections()
	a.fetcher.CloseIdleConnections()
}

// Stop asks ClickAI to end a turn. Servers without this call say 404 or 405; closing the stream is then all there is.
func (a *App) Stop(ctx context.Context, user, taskID string) error {
	var err error
	switch a.mode {
	case ModeCompletion:
		err = a.client.StopCompletion(ctx, taskID, user)
	case ModeWorkflow:
		err = a.client.StopWorkflow(ctx, taskID, user)
	default:
		err = a.client.StopChat(ctx, taskID, user)
	}
	return callError(err)
}

// Rate sends a rating. Apps without messages (workflow) have nothing to rate.
func (a *App) Rate(ctx context.Context, r core.RatingOut) error {
	return callError(a.client.Feedback(ctx, clickai.FeedbackRequest{
		MessageID: r.MessageID, User: r.User, Rating: clickai.Rating(r.Rating), Content: r.Content,
	}))
}

// Check asks ClickAI whether the key works and whether its app is of the configured mode.
func (a *App) Check(ctx context.Context) core.Check {
	what := "app " + a.name
	info, err := a.client.Info(ctx)
	if e, ok := errors.AsType[*clickai.Error](err); ok && (e.Status == http.StatusNotFound || e.Status == http.StatusMethodNotAllowed) {
		// Not every server has this call. The parameters are the next cheapest thing that needs the key.
		_, perr := a.client.Parameters(ctx)
		if perr == nil {
			return core.Check{What: what, OK: true, Mend: "key accepted; this server does not tell the app's mode"}
		}
		if p, ok := errors.AsType[*clickai.Error](perr); ok && p.Status == http.StatusNotFound {
			return core.Check{What: what, Mend: "neither /v1/info nor /v1/parameters is there: is clickai.base_url right?"}
		}
		err = perr
	}
	if err != nil {
		return core.Check{What: what, Mend: checkMend(err)}
	}
	if info.Mode != "" && !fits(a.mode, info.Mode) {
		return core.Check{What: what, Mend: fmt.Sprintf("the key belongs to an app of mode %s: set mode: %s", info.Mode, modeFor(info.Mode))}
	}
	detail := info.Name
	if info.Mode != "" {
		detail += " (" + info.Mode + ")"
	}
	return core.Check{What: what, OK: true, Mend: detail}
}

func checkMend(err error) string {
	e, ok := errors.AsType[*clickai.Error](err)
	switch {
	case !ok:
		return err.Error()
	case e.Status == http.StatusUnauthorized:
		return "the API key is refused: copy it again, or make a new one under Publish → API in ClickAI Studio"
	case e.Status == http.StatusForbidden:
		return "the key has no right to this app: is the app published and its API switched on?"
	case e.Kind == clickai.KindUnsent:
		return "clickai.base_url cannot be reached: " + e.Err.Error()
	case e.Kind == clickai.KindContent, e.Status >= 300 && e.Status < 400:
		return "clickai.base_url does not answer like ClickAI"
	}
	return e.Error()
}

// fits tells whether a server's word for a mode means the configured one. Some servers have further chat kinds.
func fits(mode Mode, info string) bool {
	return modeFor(info) == mode || info == "agent" && mode == ModeChat
}

func modeFor(info string) Mode {
	switch info {
	case "advanced-chat":
		return ModeChat
	case "agent":
		return ModeAgentChat
	}
	return Mode(info)
}

func (a *App) unknownEvent(ctx context.Context, kind string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.unknown[kind] || len(a.unknown) >= maxUnknown {
		return
	}
	a.unknown[kind] = true
	a.log.DebugContext(ctx, "event of an unknown kind", slog.String("event", kind))
}

func itoa(n int) string { return strconv.Itoa(n) }

// told is what GET /v1/parameters says, as far as core can use it.
type told struct {
	rules    core.FileRules
	opening  core.Opening
	suggests bool // questions to ask next, after an answer
}

// toldCache keeps it, also that it said nothing.
type toldCache struct {
	asking singleflight.Group

	mu    sync.Mutex
	until time.Time
	told  told
}

func (c *toldCache) get() (told, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.told, time.Now().Before(c.until)
}

func (c *toldCache) set(t told, keep time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.told, c.until = t, time.Now().Add(keep)
}
