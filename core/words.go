package core

import "strings"

// words are the bridge's own lines in one language. A line may hold %d, which is replaced by the notice's detail; the
// reference is put behind it. TestWords checks that every language has every line.
type words struct {
	lines        map[NoticeKind]string
	reference    string // put around the reference of a failed turn
	files        string // the query of a message that is files alone: this and their names
	emptyMention string // the query of a bare mention
	context      string // heads the earlier messages of a thread
	contextEnd   string
	language     string // as in the configuration
	sources      string
	page         string // %d is the number
	more         string // %d is how many more sources there are
	working      string
	thinking     string
	step         string // %d is the step's title
	tools        string // %d are the names
	tokens       string // %d is the number
	seconds      string // %d is the number
	tooBig       string // %d is the limit
	tooLarge     string // the same where the limit is not known
	typeRefused  string
	tooManyFiles string
	moreFiles    string // %d is how many more files do not go along
	notFetched   string
	notSent      string
}

const detailMark = "%d"

func fill(line, detail string) string {
	if detail == "" {
		line = strings.ReplaceAll(line, ": "+detailMark, "")
	}
	return strings.ReplaceAll(line, detailMark, detail)
}

// line is a notice as Markdown, with the reference of its turn where it has one. Detail comes from outside: it is escaped.
func (w *words) line(n Notice, reference string) string {
	text, ok := w.lines[n.Kind]
	if !ok {
		text = w.lines[NoticeRetry]
	}
	text = fill(text, escapeMarkdown(n.Detail))
	if reference != "" {
		text += " " + fill(w.reference, reference)
	}
	return text
}

// escapeMarkdown makes text literal in CommonMark, where every ASCII punctuation character may be escaped
// (https://spec.commonmark.org/0.31.2/#backslash-escapes).
func escapeMarkdown(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\n' || r == '\r':
			b.WriteByte(' ')
			continue
		case strings.ContainsRune("\\`*_{}[]()<>#+-.!|~&:@/", r):
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

func wordsFor(language string) *words {
	if language == "vi" {
		return &vietnamese
	}
	return &english
}

var english = words{
	lines: map[NoticeKind]string{
		NoticeSetup:      "⚠️ I am not set up correctly. Please tell whoever runs me.",
		NoticeRetry:      "⚠️ I could not get an answer. Please ask again.",
		NoticeBusy:       "⏳ This takes longer than usual; I keep trying …",
		NoticeError:      "⚠️ I could not answer: %d",
		NoticeErrorRetry: "⚠️ I could not answer: %d (you can ask again)",
		NoticeTooLong:    "⚠️ That is too long for me. Please shorten it.",
		NoticeQuota:      "⚠️ My quota is used up for now. Please try again later.",
		NoticeStopped:    "⏹️ Stopped.",
		NoticeEndedEarly: "⚠️ The answer ended early.",
		NoticeTimeout:    "⚠️ That took too long. Please ask again.",
		NoticeNoAnswer:   "⚠️ The app gave no answer.",
		NoticePaused:     "⏸️ This waits for a person in ClickAI: %d",
		NoticeCut:        "⚠️ The answer broke off. Please ask again.",
		NoticeFile:       "📎 %d",
		NoticeQueueFull:  "⏳ Too many questions wait here already. Please ask again when they are answered.",
		NoticeTooMany:    "⏳ That is a lot of questions. Please wait a moment before the next one.",
		NoticeDenied:     "I may not talk with you here.",
	},
	reference:    "(ref %d)",
	files:        "Files: ",
	emptyMention: "Hello",
	context:      "[Earlier messages in this thread, for context]",
	contextEnd:   "[The question]",
	language:     "en",
	sources:      "Sources",
	page:         "p. %d",
	more:         "+%d more",
	working:      "Working …",
	thinking:     "Thinking …",
	step:         "%d …",
	tools:        "Using %d …",
	tokens:       "%d tokens",
	seconds:      "%d s",
	tooBig:       "is too large (at most %d)",
	tooLarge:     "is too large",
	typeRefused:  "is of a kind that I do not take",
	tooManyFiles: "was left out: at most %d files at a time",
	moreFiles:    "%d more files do not go along",
	notFetched:   "could not be fetched",
	notSent:      "could not be sent",
}

var vietnamese = words{
	lines: map[NoticeKind]string{
		NoticeSetup:      "⚠️ Tôi chưa được cài đặt đúng. Vui lòng báo cho người quản trị.",
		NoticeRetry:      "⚠️ Tôi không lấy được câu trả lời. Vui lòng hỏi lại.",
		NoticeBusy:       "⏳ Lâu hơn bình thường; tôi vẫn đang thử …",
		NoticeError:      "⚠️ Tôi không trả lời được: %d",
		NoticeErrorRetry: "⚠️ Tôi không trả lời được: %d (bạn có thể hỏi lại)",
		NoticeTooLong:    "⚠️ Nội dung quá dài. Vui lòng rút ngắn.",
		NoticeQuota:      "⚠️ Hạn mức của tôi đã hết. Vui lòng thử lại sau.",
		NoticeStopped:    "⏹️ Đã dừng.",
		NoticeEndedEarly: "⚠️ Câu trả lời kết thúc sớm.",
		NoticeTimeout:    "⚠️ Mất quá nhiều thời gian. Vui lòng hỏi lại.",
		NoticeNoAnswer:   "⚠️ Ứng dụng không đưa ra câu trả lời.",
		NoticePaused:     "⏸️ Đang chờ một người xử lý trong ClickAI: %d",
		NoticeCut:        "⚠️ Câu trả lời bị ngắt giữa chừng. Vui lòng hỏi lại.",
		NoticeFile:       "📎 %d",
		NoticeQueueFull:  "⏳ Đã có quá nhiều câu hỏi đang chờ ở đây. Vui lòng hỏi lại sau khi chúng được trả lời.",
		NoticeTooMany:    "⏳ Bạn hỏi hơi nhiều. Vui lòng đợi một chút trước câu tiếp theo.",
		NoticeDenied:     "Tôi không được phép trò chuyện với bạn ở đây.",
	},
	reference:    "(mã %d)",
	files:        "Tệp: ",
	emptyMention: "Xin chào",
	context:      "[Các tin nhắn trước trong chủ đề này, để tham khảo]",
	contextEnd:   "[Câu hỏi]",
	language:     "vi",
	sources:      "Nguồn",
	page:         "tr. %d",
	more:         "+%d nguồn khác",
	working:      "Đang xử lý …",
	thinking:     "Đang suy nghĩ …",
	step:         "%d …",
	tools:        "Đang dùng %d …",
	tokens:       "%d token",
	seconds:      "%d giây",
	tooBig:       "quá lớn (tối đa %d)",
	tooLarge:     "quá lớn",
	typeRefused:  "thuộc loại mà tôi không nhận",
	tooManyFiles: "bị bỏ qua: tối đa %d tệp mỗi lần",
	moreFiles:    "%d tệp nữa không được gửi kèm",
	notFetched:   "không tải về được",
	notSent:      "không gửi được",
}
