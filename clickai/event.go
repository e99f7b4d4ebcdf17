package clickai

import "encoding/json"

// Names of the events, as in the JSON field "event". The first nine are named
// by ClickAI's API guide, the others by
// https://docs.dify.ai/en/api-reference (streaming events).
const (
	eventMessage        = "message"
	eventAgentMessage   = "agent_message"
	eventAgentThought   = "agent_thought"
	eventMessageFile    = "message_file"
	eventMessageEnd     = "message_end"
	eventTTSMessage     = "tts_message"
	eventMessageReplace = "message_replace"
	eventError          = "error"
	eventPing           = "ping"

	eventTTSMessageEnd      = "tts_message_end"
	eventWorkflowStarted    = "workflow_started"
	eventWorkflowPaused     = "workflow_paused"
	eventWorkflowFinished   = "workflow_finished"
	eventNodeStarted        = "node_started"
	eventNodeFinished       = "node_finished"
	eventNodeRetry          = "node_retry"
	eventTextChunk          = "text_chunk"
	eventTextReplace        = "text_replace"
	eventReasoningChunk     = "reasoning_chunk"
	eventAgentLog           = "agent_log"
	eventHumanInputRequired = "human_input_required"
	eventHumanInputFilled   = "human_input_form_filled"
	eventHumanInputTimeout  = "human_input_form_timeout"
)

// Event is one event of a stream: one of the pointer types of this package
// that embed a Header. Use a type switch; kinds unknown to this version come
// as *Unknown.
type Event interface {
	// Head returns the fields that all events share. It is never nil.
	Head() *Header
}

// Header holds what all events share. Each field is "" or 0 where the event
// doesn't carry it: conversations are absent in completion and workflow streams,
// tasks in error events.
type Header struct {
	// Event is the kind as the server named it; "" if it didn't.
	Event string `json:"event"`
	// ConversationID is the conversation's id, in every event of chat apps.
	ConversationID string `json:"conversation_id"`
	// MessageID is the answer's id, for Feedback and SuggestedQuestions: the
	// field message_id, else, in Message, AgentMessage and MessageEnd, id.
	MessageID string `json:"message_id"`
	// TaskID is for the Stop methods and valid while the run lasts.
	TaskID string `json:"task_id"`
	// WorkflowRunID is the lasting id of a run, from WorkflowStarted on.
	WorkflowRunID string `json:"workflow_run_id"`
	// CreatedAt is when the message was made: the same in all its events.
	CreatedAt Unix `json:"created_at"`
}

// Head returns h.
func (h *Header) Head() *Header { return h }

// Message is a piece of the answer's text; pieces append. It also stands for
// text that some servers send under the name message_file (then
// Header.Event says so).
type Message struct {
	Header
	ID string `json:"id"` // the message's id
	// Answer is the piece; it may be "".
	Answer string `json:"answer"`
	// Selector is the workflow variable that the text comes from; nil in other
	// apps. It is shared between events: don't change it.
	Selector []string `json:"from_variable_selector"`
}

// AgentMessage is a piece of the answer's text from an app in agent mode.
type AgentMessage struct {
	Header
	ID       string   `json:"id"` // the message's id
	Answer   string   `json:"answer"`
	Selector []string `json:"from_variable_selector"`
}

// AgentThought is a snapshot of one step of an agent: a later one with the same
// ID replaces it. In agent-chat apps Thought repeats the text that AgentMessage
// streamed.
type AgentThought struct {
	Header
	ID          string `json:"id"`       // the step's id
	Position    int    `json:"position"` // from 1
	Thought     string `json:"thought"`
	Observation string `json:"observation"` // the tools' output
	Tool        string `json:"tool"`        // names joined by ";"
	// ToolLabels maps tool to language to name, as JSON; nil if absent.
	ToolLabels json.RawMessage `json:"tool_labels"`
	// ToolInput is JSON in text: the tools' arguments.
	ToolInput string `json:"tool_input"`
	// MessageFiles are ids of files that the step made.
	MessageFiles []string `json:"message_files"`
}

// MessageFile announces a file made by the app.
type MessageFile struct {
	Header
	ID        string `json:"id"`         // the file's id
	Type      string `json:"type"`       // image, document, audio, video, custom
	BelongsTo string `json:"belongs_to"` // assistant, sometimes user
	// URL is signed and lives about five minutes. It may be relative: see
	// Client.FileURL.
	URL      string `json:"url"`
	Filename string `json:"filename"`
	MIMEType string `json:"mime_type"`
	Size     int64  `json:"size"` // bytes; 0 if not said
}

// MessageEnd says that the answer is complete. It holds no text.
type MessageEnd struct {
	Header
	ID       string   `json:"id"` // the message's id
	Metadata Metadata `json:"metadata"`
	// Files lists the files of the turn, the user's own uploads included.
	Files []File `json:"files"`
}

// MessageReplace replaces the whole text so far; pieces that follow append to it.
type MessageReplace struct {
	Header
	Answer string `json:"answer"`
	Reason string `json:"reason"` // such as output_moderation; may be ""
}

// TTSMessage is a chunk of the answer's speech.
type TTSMessage struct {
	Header
	// Audio is the decoded chunk, MP3 in most set-ups. Chunks concatenate.
	Audio []byte `json:"-"`
}

// TTSMessageEnd says that no more speech follows.
type TTSMessageEnd struct {
	Header
}

// ErrorEvent is a failure within the stream; the stream ends after it. Its
// status and code are about the run inside ClickAI: a 401, 403 or 429 here says
// nothing about the client's own key or limits.
type ErrorEvent struct {
	Header
	Status  int    // 0 if the server did not say
	Code    string // such as completion_request_error
	Message string
}

// Ping keeps the connection alive. It doesn't count as an answer.
type Ping struct {
	Header
}

// Unknown is an event of a kind that this package doesn't know.
type Unknown struct {
	Header
	Raw json.RawMessage // the whole event
}

// SkipReason says why an event was skipped.
type SkipReason uint8

const (
	// SkippedMalformed means that the event's data is no JSON object.
	SkippedMalformed SkipReason = iota + 1
	// SkippedTooLong means that the event is longer than Config.MaxLine.
	SkippedTooLong
)

// String returns the reason in words.
func (r SkipReason) String() string {
	switch r {
	case SkippedMalformed:
		return "malformed"
	case SkippedTooLong:
		return "too long"
	default:
		return "unknown"
	}
}

// Skipped reports an event that could not be used. The stream goes on.
type Skipped struct {
	Header
	Reason  SkipReason
	Size    int64  // bytes
	Excerpt []byte // the first 200 bytes; for the log
}

// Metadata is what MessageEnd and blocking answers say about an answer. Every
// part may be missing.
type Metadata struct {
	Usage              *Usage              `json:"usage"`
	RetrieverResources []RetrieverResource `json:"retriever_resources"`
	// AnnotationReply is set when the answer is a stored annotation.
	AnnotationReply *AnnotationReply `json:"annotation_reply"`
}

// Usage counts what an answer cost. Prices are "" where the server doesn't say.
type Usage struct {
	PromptTokens        int     `json:"prompt_tokens"`
	CompletionTokens    int     `json:"completion_tokens"`
	TotalTokens         int     `json:"total_tokens"`
	PromptUnitPrice     Decimal `json:"prompt_unit_price"`
	PromptPriceUnit     Decimal `json:"prompt_price_unit"`
	PromptPrice         Decimal `json:"prompt_price"`
	CompletionUnitPrice Decimal `json:"completion_unit_price"`
	CompletionPriceUnit Decimal `json:"completion_price_unit"`
	CompletionPrice     Decimal `json:"completion_price"`
	TotalPrice          Decimal `json:"total_price"`
	Currency            string  `json:"currency"` // such as USD
	Latency             float64 `json:"latency"`  // seconds
}

// RetrieverResource is a passage of a knowledge base that an answer used.
type RetrieverResource struct {
	Position        int     `json:"position"`
	DatasetID       string  `json:"dataset_id"`
	DatasetName     string  `json:"dataset_name"`
	DocumentID      string  `json:"document_id"`
	DocumentName    string  `json:"document_name"`
	SegmentID       string  `json:"segment_id"`
	SegmentPosition int     `json:"segment_position"`
	DataSourceType  string  `json:"data_source_type"`
	Score           float64 `json:"score"`
	Content         string  `json:"content"`
	Title           string  `json:"title"`
	Summary         string  `json:"summary"`
	Page            int     `json:"page"`
	// DocMetadata is the document's own metadata as JSON; nil if absent.
	DocMetadata json.RawMessage `json:"doc_metadata"`
}

// AnnotationReply names the stored annotation that was given as the answer.
type AnnotationReply struct {
	ID      string `json:"id"`
	Account struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"account"`
}

// File is a file of a turn, or of a stored message.
type File struct {
	ID             string `json:"id"`
	RelatedID      string `json:"related_id"`
	Type           string `json:"type"` // image, document, audio, video, custom
	Filename       string `json:"filename"`
	Extension      string `json:"extension"` // with its dot
	MIMEType       string `json:"mime_type"`
	Size           int64  `json:"size"`            // bytes
	TransferMethod string `json:"transfer_method"` // remote_url, local_file, tool_file
	// URL is signed, short-lived and may be relative: see Client.FileURL.
	URL          string `json:"url"`
	RemoteURL    string `json:"remote_url"`
	UploadFileID string `json:"upload_file_id"` // set on the user's own uploads
	BelongsTo    string `json:"belongs_to"`     // user or assistant; "" if not said
}
