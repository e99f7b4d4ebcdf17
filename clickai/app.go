package clickai

import (
	"context"
	"encoding/json"
	"net/http"
)

// AppInfo describes the app that a key belongs to.
type AppInfo struct {
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Tags        []string `json:"tags"`
	// Mode is the app's kind: chat, agent-chat, completion, workflow; some servers
	// also have advanced-chat and agent, which are chat kinds.
	Mode       string `json:"mode"`
	AuthorName string `json:"author_name"`
}

// Info returns what the app is. It is the cheapest way to check a key. Servers
// without this call answer with status 404.
func (c *Client) Info(ctx context.Context) (*AppInfo, error) {
	var info AppInfo
	if err := c.call(ctx, http.MethodGet, "/v1/info", nil, nil, &info); err != nil {
		return nil, err
	}
	return &info, nil
}

// Parameters are an app's settings as far as the server tells them. A pointer is
// nil, and a list is empty, where it doesn't.
type Parameters struct {
	OpeningStatement              string            `json:"opening_statement"`
	SuggestedQuestions            []string          `json:"suggested_questions"`
	SuggestedQuestionsAfterAnswer *Switch           `json:"suggested_questions_after_answer"`
	SpeechToText                  *Switch           `json:"speech_to_text"`
	TextToSpeech                  *TextToSpeech     `json:"text_to_speech"`
	RetrieverResource             *Switch           `json:"retriever_resource"`
	AnnotationReply               *Switch           `json:"annotation_reply"`
	UserInputForm                 []InputControl    `json:"user_input_form"`
	FileUpload                    *FileUpload       `json:"file_upload"`
	SystemParameters              *SystemParameters `json:"system_parameters"`
}

// Switch is a feature that is on or off.
type Switch struct {
	Enabled bool `json:"enabled"`
}

// TextToSpeech says how the app speaks.
type TextToSpeech struct {
	Enabled  bool   `json:"enabled"`
	Voice    string `json:"voice"`
	Language string `json:"language"`
	AutoPlay string `json:"autoPlay"` // enabled or disabled
}

// InputControl is one of the app's input variables.
type InputControl struct {
	// Kind is text-input, paragraph, select, number, checkbox, file or file-list.
	Kind      string          `json:"-"`
	Label     string          `json:"label"`
	Variable  string          `json:"variable"` // the key in Inputs
	Required  bool            `json:"required"`
	Default   json.RawMessage `json:"default"`    // nil if absent
	Options   []string        `json:"options"`    // of a select
	MaxLength int             `json:"max_length"` // characters, or files of a list; 0 if not said
}

// UnmarshalJSON reads an object whose one key is the control's kind. Of an object
// with several keys, the one that holds an object with a variable counts.
func (c *InputControl) UnmarshalJSON(b []byte) error {
	var kinds map[string]json.RawMessage
	if err := unmarshal(b, &kinds); err != nil {
		return err
	}
	*c = InputControl{}
	for kind, raw := range kinds {
		type plain InputControl
		var p plain
		if err := unmarshal(raw, &p); err != nil {
			return err
		}
		if p.Variable != "" || len(kinds) == 1 {
			*c = InputControl(p)
			c.Kind = kind
		}
	}
	dropNull(&c.Default)
	return nil
}

// FileUpload says which files the app takes.
type FileUpload struct {
	Enabled                  *bool        `json:"enabled"` // nil if not said
	AllowedFileTypes         []string     `json:"allowed_file_types"`
	AllowedFileExtensions    []string     `json:"allowed_file_extensions"`
	AllowedFileUploadMethods []string     `json:"allowed_file_upload_methods"`
	NumberLimits             int          `json:"number_limits"` // files in one message; 0 if not said
	Image                    *ImageUpload `json:"image"`
}

// ImageUpload says which images the app takes.
type ImageUpload struct {
	Enabled         bool     `json:"enabled"`
	NumberLimits    int      `json:"number_limits"`
	Detail          string   `json:"detail"`
	TransferMethods []string `json:"transfer_methods"`
}

// SystemParameters are the server's size limits in megabytes, and a number of
// files for workflows. 0 if not said.
type SystemParameters struct {
	FileSizeLimit           int `json:"file_size_limit"`
	ImageFileSizeLimit      int `json:"image_file_size_limit"`
	AudioFileSizeLimit      int `json:"audio_file_size_limit"`
	VideoFileSizeLimit      int `json:"video_file_size_limit"`
	WorkflowFileUploadLimit int `json:"workflow_file_upload_limit"`
}

// Parameters returns the app's settings. Servers without this call answer with
// status 404.
func (c *Client) Parameters(ctx context.Context) (*Parameters, error) {
	var p Parameters
	if err := c.call(ctx, http.MethodGet, "/v1/parameters", nil, nil, &p); err != nil {
		return nil, err
	}
	return &p, nil
}
