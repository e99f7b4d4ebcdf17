package core

import (
	"strconv"
	"strings"
)

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
	moreNotices  string // %d is how many more lines there would be
	notFetched   string
	notSent      string

	commands          map[string]commandWords // by name
	helpHead          string
	hello             string // greets where the app has no opening statement
	yourConversations string
	chooseHow         string
	statusApp         string // %d is the app's name
	statusTurns       string // %d is the number
	statusSince       string // %d is the time
	statusWaiting     string // %d is the number
	asked             string // %d is who asked by a button
	retry             string // on a button
	stop              string // on a button
	like              string // on a button
	dislike           string // on a button
	whyTitle          string // of a form, see Form for its limits
	whyLabel          string
	send              string
	cancel            string
}

// commandWords describe a command.
type commandWords struct {
	does string // at most 100 characters
	arg  string // what may follow; "" for nothing
}

// catalogue is every language that the bridge speaks.
var catalogue = []*words{&english, &vietnamese}

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
// (https://spec.commonmark.org/0.31.2/#backslash-escapes). Brackets are more than that to renderers that know TeX: \( … \) is a
// formula to them, and so is \[ … \] around what looks like one. Round ones mean nothing by themselves and stay as they are.
func escapeMarkdown(s string) string {
	tex := strings.ContainsAny(s, `=^\`)
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\n' || r == '\r':
			b.WriteByte(' ')
			continue
		case tex && (r == '[' || r == ']'):
			b.WriteString("&#" + strconv.Itoa(int(r)) + ";")
			continue
		case strings.ContainsRune("\\`*_{}[]<>#+-.!|~&:@/$", r):
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// wordsFor is the bridge's lines in a language, English where it does not speak it.
func wordsFor(language string) *words {
	for _, w := range catalogue {
		if w.language == language {
			return w
		}
	}
	return &english
}
