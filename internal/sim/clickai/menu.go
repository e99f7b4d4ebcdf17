package clickai

import "slices"

// toolName is the tool that the built-in agent uses.
const toolName = "web_search"

// Sample is one built-in answer to try.
type Sample struct {
	Name     string   // short and stable, for lists and tests
	Title    string   // what it shows
	Question string   // asks for it in English
	Vi       string   // asks for it in Vietnamese
	Keywords []string // each of them, as a word of a question, chooses the sample; lower case
	// Modes are the app modes in which it shows what Title says; elsewhere it is told in words. Empty means all.
	Modes []Mode

	answer func(Ask) []Step
}

// Menu lists the built-in answers in the order in which a question is matched against their keywords.
func Menu() []Sample {
	return []Sample{
		{
			Name: "long", Title: "A long answer with headings, code, lists and tables",
			Question: "Give me a long answer", Vi: "Cho tôi câu trả lời dài",
			Keywords: []string{"long answer", "câu trả lời dài", "trả lời dài"}, answer: answerLong,
		},
		{
			Name: "error", Title: "An error in the middle of the answer",
			Question: "Show me an error", Vi: "Cho tôi xem lỗi",
			Keywords: []string{"error", "lỗi"}, answer: answerError,
		},
		{
			Name: "moderation", Title: "A text that moderation replaces while it grows",
			Question: "Show me moderation", Vi: "Cho tôi xem kiểm duyệt",
			Keywords: []string{"moderation", "kiểm duyệt"}, answer: answerModeration,
		},
		{
			Name: "image", Title: "A picture by the AI, its link absolute",
			Question: "Make an image", Vi: "Vẽ một tấm ảnh",
			Keywords: []string{"image", "tấm ảnh"}, answer: answerImage,
		},
		{
			Name: "picture", Title: "A picture by the AI, its link relative",
			Question: "Make a picture", Vi: "Vẽ một hình ảnh",
			Keywords: []string{"picture", "hình ảnh", "bức tranh"}, answer: answerPicture,
		},
		{
			Name: "link", Title: "A file by the AI that the text links to",
			Question: "Give me a download", Vi: "Cho tôi bản tải về",
			Keywords: []string{"download", "tải về"}, answer: answerLink,
		},
		{
			Name: "voice", Title: "An answer that is spoken too",
			Question: "Answer with your voice", Vi: "Trả lời bằng giọng nói",
			Keywords: []string{"voice", "giọng nói"}, answer: answerVoice,
		},
		{
			Name: "sources", Title: "An answer that names its sources",
			Question: "Answer with sources", Vi: "Trả lời kèm nguồn",
			Keywords: []string{"sources", "nguồn"},
			Modes:    []Mode{ModeChat, ModeAgentChat, ModeAgent, ModeAdvancedChat, ModeCompletion}, answer: answerSources,
		},
		{
			Name: "tools", Title: "An agent that thinks aloud and uses a tool",
			Question: "Use your tools", Vi: "Hãy dùng công cụ",
			Keywords: []string{"tools", "thoughts", "công cụ"},
			Modes:    []Mode{ModeAgentChat, ModeAgent}, answer: answerTools,
		},
		{
			Name: "think", Title: "Reasoning between think tags before the answer",
			Question: "Think about it", Vi: "Hãy suy nghĩ",
			Keywords: []string{"think", "suy nghĩ"}, answer: answerThink,
		},
		{
			Name: "steps", Title: "A workflow with several steps",
			Question: "Show me the workflow steps", Vi: "Cho tôi xem các bước",
			Keywords: []string{"steps", "các bước"}, Modes: []Mode{ModeWorkflow, ModeAdvancedChat}, answer: answerSteps,
		},
		{
			Name: "approval", Title: "A workflow that waits for a person",
			Question: "Wait for an approval", Vi: "Chờ phê duyệt",
			Keywords: []string{"approval", "phê duyệt"}, Modes: []Mode{ModeWorkflow, ModeAdvancedChat}, answer: answerApproval,
		},
		{
			Name: "empty", Title: "An answer without any text",
			Question: "Give me an empty answer", Vi: "Cho tôi câu trả lời rỗng",
			Keywords: []string{"empty answer", "câu trả lời rỗng"}, answer: answerEmpty,
		},
		{
			Name: "slow", Title: "A long wait before a slow answer",
			Question: "Answer slow", Vi: "Trả lời chậm",
			Keywords: []string{"slow", "slowly", "chậm"}, answer: answerSlow,
		},
		{
			Name: "table", Title: "Tables",
			Question: "Show me a table", Vi: "Cho tôi một bảng",
			Keywords: []string{"table", "tables", "bảng"}, answer: answerTable,
		},
		{
			Name: "code", Title: "Code in several languages",
			Question: "Show me some code", Vi: "Cho tôi xem mã nguồn",
			Keywords: []string{"code", "mã"}, answer: answerCode,
		},
	}
}

// sampleFor is the sample that a question asks for; nil if it asks for none.
func sampleFor(question string) *Sample {
	for _, s := range Menu() {
		if slices.ContainsFunc(s.Keywords, func(k string) bool { return hasWord(question, k) }) {
			return &s
		}
	}
	return nil
}
