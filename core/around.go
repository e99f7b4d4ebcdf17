package core

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Bounds of what is shown around an answer.
const (
	maxStep     = 20 << 10  // bytes of one thought of `thoughts: full`
	maxStepsAll = 128 << 10 // of all of them
	maxLine     = 200       // characters of a name in a line of its own
	mostSources = 10        // documents that are named
	mostPages   = 5         // pages of one of them
)

// thoughtLocked takes a thought as `show.thoughts` says.
func (r *reply) thoughtLocked(th Thought) {
	s, w := &r.state, r.t.bot.words
	switch r.t.bot.settings.Show.Thoughts {
	case "status":
		switch {
		case len(th.Tools) > 0:
			s.status = fill(w.tools, toolNames(w, th.Tools))
		case s.answer.Len() > 0: // the answer itself shows that there is work
		case th.Text != "":
			s.status = w.thinking
		default:
			s.status = w.working
		}
	case "full":
		s.step(th.ID, stepText(w, th))
	}
}

// fileLocked takes a file of the app's once. Those that an earlier process has dealt with are not sent again.
func (r *reply) fileLocked(f FileOut) {
	if r.queued[f.ID] {
		return
	}
	if len(r.queued) == maxFiles {
		r.queued[f.ID] = true
		r.state.notice(Notice{Kind: NoticeFile, Detail: oneLine(f.File.Name) + " " + fill(r.t.bot.words.tooManyFiles, strconv.Itoa(maxFiles))})
		return
	}
	if len(r.queued) > maxFiles {
		return
	}
	r.queued[f.ID] = true
	r.state.files++
	if len(r.queued) > r.sent {
		r.queue = append(r.queue, f)
	}
}

// notice adds a line under the answer; beyond maxNotices they are counted.
func (s *replyState) notice(n Notice) {
	if len(s.notices) < maxNotices {
		s.notices = append(s.notices, n)
	} else {
		s.unsaid++
	}
}

// step adds or replaces what is shown of one thought.
func (s *replyState) step(id, text string) {
	i := slices.Index(s.stepIDs, id)
	room := maxStepsAll
	for j, had := range s.steps {
		if j != i {
			room -= len(had)
		}
	}
	if room = max(min(room, maxStep), 0); len(text) > room {
		text = strings.TrimSpace(clip(text, room) + " …")
	}
	switch {
	case i >= 0:
		s.steps[i] = text
	case text != "" && len(s.steps) < maxSteps:
		s.steps, s.stepIDs = append(s.steps, text), append(s.stepIDs, id)
	}
}

// hasSteps tells whether there is a thought to be shown.
func (s *replyState) hasSteps() bool {
	return slices.ContainsFunc(s.steps, func(step string) bool { return step != "" })
}

// stepText is a thought as Markdown.
func stepText(w *words, th Thought) string {
	text := strings.TrimSpace(th.Text)
	if len(th.Tools) == 0 {
		return text
	}
	return strings.TrimSpace(text + "\n🔧 " + toolNames(w, th.Tools))
}

func toolNames(w *words, tools []Tool) string {
	var names []string
	for _, t := range tools {
		if name := oneLine(t.In(w.language)); name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return escapeMarkdown(strings.Join(names, ", "))
}

// oneLine makes a name from outside fit for a line.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if runes := []rune(s); len(runes) > maxLine {
		return string(runes[:maxLine-1]) + "…"
	}
	return s
}

// quoteBlock shows Markdown as a quote, which every platform sets apart from the answer.
func quoteBlock(text string) string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	return "> " + strings.ReplaceAll(text, "\n", "\n> ")
}

// openFence is the line that closes the fenced block in which an answer ends; "" if it ends outside of one. What is added
// under an answer that broke off in the middle of code would be code otherwise. Blocks in quotes and list items end with
// those.
func openFence(answer string) string {
	fence := ""
	for answer != "" {
		line, rest, _ := strings.Cut(answer, "\n")
		answer = rest
		text := strings.TrimLeft(line, " ")
		indent := len(line) - len(text)
		if indent > 3 || len(text) < 3 || text[0] != '`' && text[0] != '~' {
			continue
		}
		mark := text[:1]
		after := strings.TrimLeft(text, mark)
		run := len(text) - len(after)
		switch {
		case run < 3:
		case fence == "" && (mark[0] == '~' || !strings.Contains(after, mark)):
			fence = line[:indent+run]
		case fence != "" && strings.TrimSpace(after) == "" && mark[0] == fence[len(fence)-1] && run >= len(strings.TrimLeft(fence, " ")):
			fence = ""
		}
	}
	return fence
}

// source is a document that the answer draws on, with all its passages.
type source struct {
	numbers []int // that the answer quotes it by
	name    string
	pages   []int
}

// documents names each document once, in the order of the passages; a dataset stands for the documents that have no name.
func documents(passages []Source) []source {
	var docs []source
	at := map[string]int{}
	for _, p := range passages {
		name, key := oneLine(p.Document), "document "+p.ID
		switch {
		case name == "":
			name = oneLine(p.Dataset)
			key = "dataset " + name
		case p.ID == "":
			key = "name " + name
		}
		if name == "" {
			continue
		}
		i, ok := at[key]
		if !ok {
			i = len(docs)
			at[key] = i
			docs = append(docs, source{name: name})
		}
		d := &docs[i]
		if p.Position > 0 && !slices.Contains(d.numbers, p.Position) {
			d.numbers = append(d.numbers, p.Position)
		}
		if p.Page > 0 && !slices.Contains(d.pages, p.Page) {
			d.pages = append(d.pages, p.Page)
		}
	}
	return docs
}

// sourcesBlock is the quiet block under the answer that says what it rests on: a line for each document, with the numbers
// that the answer quotes it by.
func sourcesBlock(w *words, passages []Source) string {
	docs := documents(passages)
	if len(docs) == 0 {
		return ""
	}
	numbered := !slices.ContainsFunc(docs, func(d source) bool { return len(d.numbers) == 0 })
	lines := []string{"*" + w.sources + "*"}
	for i, d := range docs {
		if i == mostSources {
			lines = append(lines, "*"+fill(w.more, strconv.Itoa(len(docs)-mostSources))+"*")
			break
		}
		if !numbered {
			d.numbers = []int{i + 1}
		}
		line := numbers(d.numbers) + `\. ` + escapeMarkdown(d.name)
		if len(d.pages) > 0 {
			line += ", " + fill(w.page, numbers(d.pages))
		}
		lines = append(lines, line)
	}
	return quoteBlock(strings.Join(lines, "\n"))
}

// numbers joins the least of them.
func numbers(list []int) string {
	slices.Sort(list)
	var texts []string
	for i, n := range list {
		if i == mostPages {
			texts = append(texts, "…")
			break
		}
		texts = append(texts, strconv.Itoa(n))
	}
	return strings.Join(texts, ", ")
}

// usageLine is what the turn cost; "" if nothing is known.
func usageLine(w *words, u Usage) string {
	var parts []string
	if u.TotalTokens > 0 {
		parts = append(parts, fill(w.tokens, strconv.Itoa(u.TotalTokens)))
	}
	if price := shortPrice(u.Price); price != "" {
		parts = append(parts, escapeMarkdown(oneLine(price+" "+u.Currency)))
	}
	if u.Latency > 0 {
		parts = append(parts, fill(w.seconds, strconv.FormatFloat(max(u.Latency.Round(100*time.Millisecond).Seconds(), 0.1), 'f', 1, 64)))
	}
	if len(parts) == 0 {
		return ""
	}
	return "*" + strings.Join(parts, " · ") + "*"
}

// shortPrice is a price without the zeros at its end; "" if it is none or nothing.
func shortPrice(price string) string {
	price = strings.TrimSpace(price)
	if n, err := strconv.ParseFloat(price, 64); err != nil || n <= 0 {
		return ""
	}
	if strings.Contains(price, ".") && !strings.ContainsAny(price, "eE") {
		price = strings.TrimRight(strings.TrimRight(price, "0"), ".")
	}
	return price
}
