package clickai

import "encoding/json"

// Status values of WorkflowRun and Node. A server may send others.
const (
	StatusRunning            = "running"
	StatusSucceeded          = "succeeded"
	StatusFailed             = "failed"
	StatusStopped            = "stopped"
	StatusPartiallySucceeded = "partial-succeeded" // some nodes failed and were handled
	StatusPaused             = "paused"
	StatusException          = "exception" // of a node: failed, and handled by the workflow
)

// WorkflowStarted is a workflow's first event.
type WorkflowStarted struct {
	Header
	Run WorkflowRun `json:"data"`
}

// WorkflowFinished ends a workflow's stream. In chat apps built on a workflow it
// comes before or after MessageEnd; when the run failed, an ErrorEvent follows.
type WorkflowFinished struct {
	Header
	Run WorkflowRun `json:"data"`
}

// WorkflowPaused says that the run waits for a person; the stream ends after it.
type WorkflowPaused struct {
	Header
	Run WorkflowRun `json:"data"`
	// PausedNodes are the ids of the nodes that wait.
	PausedNodes []string `json:"-"`
	// Reasons is why they wait, as JSON; nil if absent.
	Reasons json.RawMessage `json:"-"`
}

// WorkflowRun describes a run as far as it is known.
type WorkflowRun struct {
	ID             string `json:"id"` // the run's id
	WorkflowID     string `json:"workflow_id"`
	SequenceNumber int    `json:"sequence_number"`
	Reason         string `json:"reason"` // of a start: initial, resumption
	Status         string `json:"status"`
	// Inputs and Outputs are JSON objects, nil if absent or null. Values may be
	// of any kind; files are objects.
	Inputs          json.RawMessage `json:"inputs"`
	Outputs         json.RawMessage `json:"outputs"`
	Error           string          `json:"error"`        // "" if none
	ElapsedTime     float64         `json:"elapsed_time"` // seconds
	TotalTokens     int             `json:"total_tokens"`
	TotalSteps      int             `json:"total_steps"`
	ExceptionsCount int             `json:"exceptions_count"`
	CreatedAt       Unix            `json:"created_at"`
	FinishedAt      Unix            `json:"finished_at"`
	Files           []File          `json:"files"`
}

// NodeStarted says that a node of the workflow runs.
type NodeStarted struct {
	Header
	Node Node `json:"data"`
}

// NodeFinished says that a node is done. One that failed may have been handled by
// the workflow: the run goes on.
type NodeFinished struct {
	Header
	Node Node `json:"data"`
}

// NodeRetry says that a node failed and is tried again.
type NodeRetry struct {
	Header
	Node Node `json:"data"`
}

// Progress is an event about iterations, loops, parallel branches and data
// sources; Header.Event says which (iteration_started, loop_next, …).
type Progress struct {
	Header
	Node Node `json:"data"`
}

// Node describes one execution of a node as far as it is known. JSON fields are
// nil if absent or null.
type Node struct {
	ID                string          `json:"id"` // of this execution
	NodeID            string          `json:"node_id"`
	NodeType          string          `json:"node_type"` // such as llm, tool
	Title             string          `json:"title"`
	Index             int             `json:"index"`
	PredecessorNodeID string          `json:"predecessor_node_id"`
	IterationID       string          `json:"iteration_id"`
	LoopID            string          `json:"loop_id"`
	Inputs            json.RawMessage `json:"inputs"`
	ProcessData       json.RawMessage `json:"process_data"`
	Outputs           json.RawMessage `json:"outputs"`
	ExecutionMetadata json.RawMessage `json:"execution_metadata"`
	Extras            json.RawMessage `json:"extras"`
	Status            string          `json:"status"`
	Error             string          `json:"error"`
	ElapsedTime       float64         `json:"elapsed_time"` // seconds
	RetryIndex        int             `json:"retry_index"`
	Steps             int             `json:"steps"`
	CreatedAt         Unix            `json:"created_at"`
	FinishedAt        Unix            `json:"finished_at"`
	Files             []File          `json:"files"`
}

// TextChunk is a piece of text that a workflow puts out; pieces append. At the
// end, WorkflowFinished's outputs are the truth.
type TextChunk struct {
	Header
	Text string
	// Selector is the variable that the text comes from. It is shared between
	// events: don't change it.
	Selector []string
}

// TextReplace replaces all text that TextChunk brought so far.
type TextReplace struct {
	Header
	Text string
}

// ReasoningChunk is a piece of a model's reasoning. It is no part of the answer.
type ReasoningChunk struct {
	Header
	Reasoning string
	NodeID    string
	Final     bool // the last piece
}

// AgentLog is an entry of an agent node's log. It carries no WorkflowRunID.
type AgentLog struct {
	Header
	Log LogEntry `json:"data"`
}

// LogEntry is the content of an AgentLog. JSON fields are nil if absent.
type LogEntry struct {
	ID              string          `json:"id"`
	Label           string          `json:"label"`
	ParentID        string          `json:"parent_id"`
	Status          string          `json:"status"`
	Error           string          `json:"error"`
	Data            json.RawMessage `json:"data"`
	Metadata        json.RawMessage `json:"metadata"`
	NodeID          string          `json:"node_id"`
	NodeExecutionID string          `json:"node_execution_id"`
}

// HumanInputRequired says that the run waits for a person to fill a form.
type HumanInputRequired struct {
	Header
	Form HumanInputForm `json:"data"`
}

// HumanInputForm describes a form. JSON fields are nil if absent.
type HumanInputForm struct {
	FormID    string          `json:"form_id"`
	FormToken string          `json:"form_token"` // a credential: not for logs
	NodeID    string          `json:"node_id"`
	NodeTitle string          `json:"node_title"`
	Content   string          `json:"form_content"`
	URL       string          `json:"form_url"` // where it can be answered; "" if the server doesn't say
	Inputs    json.RawMessage `json:"inputs"`
	Actions   []struct {
		ID          string `json:"id"`
		Title       string `json:"title"`
		ButtonStyle string `json:"button_style"`
	} `json:"actions"`
	DisplayInUI           bool            `json:"display_in_ui"`
	ResolvedDefaultValues json.RawMessage `json:"resolved_default_values"`
	ExpirationTime        Unix            `json:"expiration_time"`
}

// HumanInputDone says that a form was filled in or ran out of time;
// Header.Event says which. It comes only on a resumed stream.
type HumanInputDone struct {
	Header
	Form HumanInputForm `json:"data"`
}
