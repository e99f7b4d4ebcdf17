package clickai

import (
	"log/slog"
	"maps"
	"net"
	"slices"
	"time"
)

// Mode is the kind of a ClickAI app. The assistants list names the first four; the servers that ClickAI's API is
// compatible with know two more conversational kinds.
type Mode string

// The modes.
const (
	ModeChat       Mode = "chat"
	ModeAgentChat  Mode = "agent-chat"
	ModeCompletion Mode = "completion"
	ModeWorkflow   Mode = "workflow"
	// ModeAdvancedChat is a chatflow: a conversation that a workflow answers.
	ModeAdvancedChat Mode = "advanced-chat"
	// ModeAgent is the newer agent kind, which repeats its whole answer in one closing message event.
	ModeAgent Mode = "agent"
)

// conversational tells whether the app keeps conversations.
func (m Mode) conversational() bool {
	return m == ModeChat || m == ModeAgentChat || m == ModeAdvancedChat || m == ModeAgent
}

// flow tells whether a workflow runs behind the app.
func (m Mode) flow() bool { return m == ModeWorkflow || m == ModeAdvancedChat }

// agent tells whether the app streams agent_message and agent_thought.
func (m Mode) agent() bool { return m == ModeAgentChat || m == ModeAgent }

func (m Mode) known() bool {
	return m.conversational() || m == ModeCompletion || m == ModeWorkflow
}

// FileType is ClickAI's class of a file.
type FileType string

// The file types.
const (
	Image    FileType = "image"
	Document FileType = "document"
	Audio    FileType = "audio"
	Video    FileType = "video"
	Custom   FileType = "custom"
)

// Input is one variable that an app declares.
type Input struct {
	Variable string
	Label    string   // Variable if empty
	Kind     string   // text-input (if empty), paragraph, select, number, checkbox, file, file-list
	Required bool     // refused with 400 when a conversation starts without it
	Options  []string // what a select takes
	// MaxLength bounds a text in characters; 0 means no bound.
	MaxLength int
	Default   any
}

// App is one app with the one key that belongs to it.
type App struct {
	Name        string // unique
	Description string
	Mode        Mode
	Key         string // secret key, unique
	// RequiredInputs is short for Inputs of text with Required set.
	RequiredInputs []string
	Inputs         []Input
	// AllowBlocking lets an agent-chat app answer blocking requests, which such apps refuse otherwise.
	AllowBlocking bool
	// FileTypes are the types a message may carry; empty means all.
	FileTypes []FileType
	// Extensions are what a custom file may end in, with the dot (".zip"); empty means any.
	Extensions []string
	// MaxFiles is the most files a message may carry; 0 means 3.
	MaxFiles int
	// Opening is the opening statement.
	Opening string
	// Questions are the suggested questions of the opening.
	Questions []string
	// NoSuggested switches the suggested questions after an answer off.
	NoSuggested bool
	// Output is the name of a workflow's output variable; "" means "result".
	Output string
}

func (a App) inputs() []Input {
	all := slices.Clone(a.Inputs)
	for _, v := range a.RequiredInputs {
		if !slices.ContainsFunc(all, func(in Input) bool { return in.Variable == v }) {
			all = append(all, Input{Variable: v, Required: true})
		}
	}
	return all
}

func (a App) maxFiles() int {
	if a.MaxFiles > 0 {
		return a.MaxFiles
	}
	return 3
}

func (a App) output() string {
	if a.Output != "" {
		return a.Output
	}
	return "result"
}

// Assistant is one entry of the assistants list.
type Assistant struct {
	ID, Name    string
	Mode        Mode
	Description string
	CreatedAt   time.Time
}

// Plan is a rate limit, counted per key over all requests made with it. The zero value has no limit.
type Plan struct {
	PerMinute, PerDay int // 0: no limit
	// Minute is how long the minute takes; 0 means a minute. Tests shorten it.
	Minute time.Duration
}

// Sandbox is ClickAI's plan of 100 requests a minute and 10,000 a day.
func Sandbox() Plan { return Plan{PerMinute: 100, PerDay: 10_000} }

// Professional is ClickAI's plan of 500 requests a minute and 100,000 a day.
func Professional() Plan { return Plan{PerMinute: 500, PerDay: 100_000} }

// Team is ClickAI's plan of 1,000 requests a minute and 500,000 a day.
func Team() Plan { return Plan{PerMinute: 1000, PerDay: 500_000} }

// Quirks are the ways in which compatible servers of other versions differ. The zero value is a current server.
type Quirks struct {
	// ASCII writes JSON with \u escapes for all that is not ASCII.
	ASCII bool
	// FinishFirst sends workflow_finished before message_end in chatflow streams.
	FinishFirst bool
	// DataPing sends keep-alives as data: {"event":"ping"}.
	DataPing bool
	// TextAsFile sends text deltas under the event name message_file.
	TextAsFile bool
	// BareErrors sends error events as the plain error body, without an event name.
	BareErrors bool
	// OldStatus answers uploads with 200 in place of 201, and deletions with 200 and a body in place of 204.
	OldStatus bool
	// HoldOpen keeps a stream open that long after its last event.
	HoldOpen time.Duration
	// AbsoluteURLs makes every file URL absolute; otherwise only the sample that says so.
	AbsoluteURLs bool
}

// Keep bounds what the server remembers; the oldest goes first. A 0 takes the default, a negative number keeps none.
type Keep struct {
	Conversations int   // 10,000
	Messages      int   // in one conversation; 1,000
	Requests      int   // 2,000
	RequestBytes  int64 // bodies of the kept requests together; 32 MiB
	Turns         int   // 2,000
	TurnEvents    int   // events kept of one turn; 1,000 (later ones are only counted)
	Files         int   // uploads and generated files; 2,000
	FileBytes     int64 // their contents together; 64 MiB (an older file keeps its name, size and hash)
	Ratings       int   // 10,000
	Violations    int   // 1,000
}

func (k Keep) withDefaults() Keep {
	set := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
		*v = max(*v, 0)
	}
	set64 := func(v *int64, d int64) {
		if *v == 0 {
			*v = d
		}
		*v = max(*v, 0)
	}
	set(&k.Conversations, 10_000)
	set(&k.Messages, 1_000)
	set(&k.Requests, 2_000)
	set64(&k.RequestBytes, 32<<20)
	set(&k.Turns, 2_000)
	set(&k.TurnEvents, 1_000)
	set(&k.Files, 2_000)
	set64(&k.FileBytes, 64<<20)
	set(&k.Ratings, 10_000)
	set(&k.Violations, 1_000)
	return k
}

// ReadableInterval is a ChunkInterval at which a person can read along.
const ReadableInterval = 30 * time.Millisecond

// DefaultAccessToken is the access token of the assistants list unless Options say otherwise.
const DefaultAccessToken = "demo-access-token"

// Options set a Server up. The zero value is right for tests: default apps, no limits, answers as fast as possible.
type Options struct {
	// Listen is the TCP address; "" means a free port of 127.0.0.1.
	Listen string
	// Listener is listened on in place of Listen, and closed by [Server.Close]; nil: Listen. With one that waits on channels
	// the server runs under a fake clock.
	Listener net.Listener
	// Apps are the apps with their keys; nil means DefaultApps.
	Apps []App
	// Assistants are listed besides the apps, without a key of their own.
	Assistants []Assistant
	// AccessToken opens the assistants list; "" means DefaultAccessToken.
	AccessToken string
	// Workspace is the workspace's id; "" takes any workspace_id.
	Workspace string

	// ChunkInterval is the time between two pieces of a built-in answer; 0 means as fast as possible.
	ChunkInterval time.Duration
	// PingInterval is the time between keep-alives; 0 means 10 s, negative means none.
	PingInterval time.Duration
	// Agent makes the answers; nil means the built-in agent. It must be safe for concurrent use.
	Agent func(Ask) []Step

	// Plan is the rate limit of each key.
	Plan Plan
	// RetryAfter adds a Retry-After header (whole seconds, rounded up) to the 429 of the plan's minute.
	RetryAfter bool
	// MaxConcurrent bounds the running requests of one app; 0 means no bound.
	MaxConcurrent int
	// BlockingTimeout is when a blocking request ends as 504 while its run goes on; 0 means 60 s.
	BlockingTimeout time.Duration
	// MaxRun is when a run is stopped as if by its user; 0 means 20 minutes.
	MaxRun time.Duration

	// FileLimits are the upload limits in bytes; a missing class has the API's default (image 10 MiB, document and
	// custom 15 MiB, audio 50 MiB, video 100 MiB).
	FileLimits map[FileType]int64
	// ProxyLimit is the body size in bytes from which a front proxy answers 413 with HTML; 0 means 128 MiB.
	ProxyLimit int64
	// BlockedExtensions are refused at upload, without the dot.
	BlockedExtensions []string
	// FileURLTTL is how long a signed file URL holds; 0 means 300 s.
	FileURLTTL time.Duration

	// GuideOnly answers 404 on every route that ClickAI's guide does not name.
	GuideOnly bool
	// Missing are routes that answer 404, each as the part of "METHOD /path" that it must contain.
	Missing []string
	Quirks  Quirks
	Keep    Keep

	// NewID makes ids; kind is "conv", "msg", "task", "file" …; nil means kind, a dash and random hexadecimal digits.
	// Ids must be unique and may hold any character.
	NewID func(kind string) string
	// Log is where each request is told at debug level; nil means nowhere.
	Log *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	if o.Apps == nil {
		o.Apps = DefaultApps()
	}
	if o.AccessToken == "" {
		o.AccessToken = DefaultAccessToken
	}
	if o.PingInterval == 0 {
		o.PingInterval = 10 * time.Second
	}
	if o.Agent == nil {
		o.Agent = Answer
	}
	if o.BlockingTimeout == 0 {
		o.BlockingTimeout = 60 * time.Second
	}
	if o.MaxRun == 0 {
		o.MaxRun = 20 * time.Minute
	}
	limits := map[FileType]int64{Image: 10 << 20, Document: 15 << 20, Custom: 15 << 20, Audio: 50 << 20, Video: 100 << 20}
	maps.Copy(limits, o.FileLimits)
	o.FileLimits = limits
	if o.ProxyLimit == 0 {
		o.ProxyLimit = 128 << 20
	}
	if o.FileURLTTL == 0 {
		o.FileURLTTL = 300 * time.Second
	}
	if o.NewID == nil {
		o.NewID = randomID
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Keep = o.Keep.withDefaults()
	return o
}

// DefaultApps is one app of each mode. They say and suggest nothing unasked.
func DefaultApps() []App {
	all := DemoApps()
	for i := range all {
		all[i].Opening, all[i].Questions, all[i].NoSuggested = "", nil, true
	}
	return all
}

// DemoApps is one app of each mode, as the demo has them: the chat apps have an opening statement and suggest questions.
func DemoApps() []App {
	opening := "Hello! Ask me anything; *long answer*, *code* or *table* show what I can do."
	questions := []string{"Show me a long answer", "Show me some code", "Make a picture"}
	return []App{
		{
			Name: "support", Description: "Answers questions", Mode: ModeChat, Key: "app-demo-support",
			MaxFiles: 10, Opening: opening, Questions: questions,
			Inputs: []Input{{Variable: "language", Label: "Language", Kind: "select", Options: []string{"en", "vi"}}},
		},
		{
			Name: "assistant", Description: "Thinks and uses tools", Mode: ModeAgentChat, Key: "app-demo-assistant",
			MaxFiles: 10, Opening: opening, Questions: questions,
		},
		{
			Name: "planner", Description: "A chatflow", Mode: ModeAdvancedChat, Key: "app-demo-planner",
			MaxFiles: 10, Opening: opening, Questions: questions,
		},
		{
			Name: "writer", Description: "Writes one text", Mode: ModeCompletion, Key: "app-demo-writer",
			MaxFiles: 10, Inputs: []Input{{Variable: "text", Label: "Text", Kind: "paragraph"}},
		},
		{
			Name: "pipeline", Description: "Runs a workflow", Mode: ModeWorkflow, Key: "app-demo-pipeline",
			MaxFiles: 10, Inputs: []Input{{Variable: "input_text", Label: "Text", Kind: "paragraph"}},
		},
	}
}
