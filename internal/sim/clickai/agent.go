package clickai

import (
	"fmt"
	"hash/fnv"
	"strings"
	"time"
	"unicode"

	"github.com/clickai/bridge/internal/sim"
)

// Ask is what an agent answers. Its maps and slices must not be changed.
type Ask struct {
	App      string
	Mode     Mode
	User     string
	Question string // query; the first text input of a completion or workflow
	Previous string // the question before, in this conversation
	Turn     int    // counts from 1 in this conversation
	Language string // "en" or "vi"
	Inputs   map[string]any
	Files    []ReceivedFile
	At       time.Time // when the request arrived
}

// Answer is the built-in agent. The answer depends on the question, the turn's number, the question before and the
// files, and is the same for the same ones. Words of the menu in the question choose what it shows.
func Answer(a Ask) []Step {
	s := sampleFor(a.Question)
	var steps []Step
	if a.Mode.flow() {
		steps = append(steps, Node("start", "Start"))
	}
	if s != nil {
		return append(steps, s.answer(a)...)
	}
	return append(steps, a.say(a.plain())...)
}

// say streams a text as the app's kind does: in a node of its own, or as an agent's last thought.
func (a Ask) say(text string) []Step { return a.play(Text(Words(text)...)) }

func (a Ask) play(inner ...Step) []Step {
	var steps []Step
	switch {
	case a.Mode.flow():
		steps = append(steps, Node("llm", a.pick("Write the answer", "Viết câu trả lời")))
	case a.Mode.agent():
		steps = append(steps, Thought())
	}
	steps = append(steps, inner...)
	switch a.Mode {
	case ModeAgentChat, ModeAgent:
		steps = append(steps, EndThought())
	case ModeWorkflow:
		steps = append(steps, Node("end", a.pick("End", "Kết thúc")))
	case ModeAdvancedChat:
		steps = append(steps, Node("answer", a.pick("Answer", "Trả lời")))
	case ModeChat, ModeCompletion:
	}
	return steps
}

// pick is the text in the language of the turn.
func (a Ask) pick(en, vi string) string {
	if a.Language == "vi" {
		return vi
	}
	return en
}

// intro is what every answer begins with: the turn, the question, what came before, the files.
func (a Ask) intro() string {
	var b strings.Builder
	fmt.Fprintf(&b, a.pick("## Turn %d\n\n", "## Lượt %d\n\n"), a.Turn)
	b.WriteString(a.pick("You asked:\n\n", "Bạn hỏi:\n\n"))
	b.WriteString("> " + strings.ReplaceAll(a.Question, "\n", "\n> ") + "\n\n")
	if a.Previous != "" {
		fmt.Fprintf(&b, a.pick("Before that you asked *%s*, which I still remember.\n\n",
			"Trước đó bạn hỏi *%s*, tôi vẫn còn nhớ.\n\n"), title(a.Previous))
	}
	if len(a.Files) > 0 {
		fmt.Fprintf(&b, a.pick("Files I received: **%d**\n\n", "Số tệp tôi nhận được: **%d**\n\n"), len(a.Files))
		for _, f := range a.Files {
			size := a.pick("by its address", "qua địa chỉ")
			if f.URL == "" {
				size = fmt.Sprintf(a.pick("%d bytes", "%d byte"), f.Size)
			}
			fmt.Fprintf(&b, "- `%s` (%s, %s)\n", f.Name, f.Type, size)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// plain is the answer to a question that asks for nothing of the menu.
func (a Ask) plain() string {
	words := len(strings.Fields(a.Question))
	chars := len([]rune(a.Question))
	if a.Language == "vi" {
		return a.intro() + fmt.Sprintf(`Đây là **câu trả lời mẫu**: nó có *nhiều đoạn*, `+"`mã trong dòng`"+` và [một liên kết](https://clickai.io).

### Tôi đã làm gì

1. Đọc câu hỏi của bạn, dài %d từ.
2. Nhớ lại cuộc trò chuyện này.
3. Viết câu trả lời từng bước một.

`+"```go"+`
func turn() int { return %d }
`+"```"+`

| Mục | Giá trị |
| --- | --- |
| Số từ | %d |
| Số ký tự | %d |

Hãy thử hỏi: *câu trả lời dài*, *bảng*, *hình ảnh*, *giọng nói* hoặc *nguồn*.
`, words, a.Turn, words, chars)
	}
	return a.intro() + fmt.Sprintf(`This is a **built-in answer**: it has *several paragraphs*, some `+"`inline code`"+` and [a link](https://clickai.io).

### What I did

1. I read your question, %d words long.
2. I looked back at this conversation.
3. I wrote the answer step by step.

`+"```go"+`
func turn() int { return %d }
`+"```"+`

| Item | Value |
| --- | --- |
| Words | %d |
| Characters | %d |

Ask for a *long answer*, a *table*, a *picture*, a *voice* or *sources* to see more.
`, words, a.Turn, words, chars)
}

// Words cuts a text into pieces of one word with the white space after it, as a model's tokens come. Joined they are
// the text.
func Words(text string) []string {
	var out []string
	start, space := 0, false
	for i, c := range text {
		now := unicode.IsSpace(c)
		if space && !now {
			out = append(out, text[start:i])
			start = i
		}
		space = now
	}
	if start < len(text) {
		out = append(out, text[start:])
	}
	return out
}

// language is "vi" when inputs say so or the text looks Vietnamese, else "en".
func language(text string, inputs map[string]any) string {
	if l, _ := inputs["language"].(string); l == "vi" || l == "en" {
		return l
	}
	for _, c := range strings.ToLower(text) {
		// Letters, and the combining horn, hook and dot of decomposed text, that hardly any other language has.
		if strings.ContainsRune("ăđĩơũư\u031b\u0309\u0323", c) || (c >= 0x1EA0 && c <= 0x1EF9) {
			return "vi"
		}
	}
	for _, w := range []string{"xin chào", "chào", "cho tôi", "là gì", "hình", "giúp"} {
		if hasWord(text, w) {
			return "vi"
		}
	}
	return "en"
}

// hasWord tells whether text has word with no letter or digit next to it, in any case.
func hasWord(text, word string) bool {
	text = strings.ToLower(text)
	for from := 0; ; {
		i := strings.Index(text[from:], word)
		if i < 0 {
			return false
		}
		i += from
		before, after := lastRune(text[:i]), firstRune(text[i+len(word):])
		if !letter(before) && !letter(after) {
			return true
		}
		from = i + len(word)
	}
}

func letter(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) }

func firstRune(s string) rune {
	for _, c := range s {
		return c
	}
	return ' '
}

func lastRune(s string) rune {
	r := []rune(s)
	if len(r) == 0 {
		return ' '
	}
	return r[len(r)-1]
}

// followUps are the suggested questions after an answer about topic.
func followUps(lang, topic string) []string {
	if lang == "vi" {
		return []string{"Nói thêm về: " + topic, "Cho tôi một bảng", "Cho tôi câu trả lời dài"}
	}
	return []string{"Tell me more about: " + topic, "Show me a table", "Give me a long answer"}
}

// seed makes what is drawn and sounded depend on the question.
func (a Ask) seed() uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(a.Question)) // never fails, by its documentation
	return h.Sum32()
}

// notName is what does not go into the name of a file.
var notName = sim.Regexp(`[^a-z0-9]+`)

// pictureFile is a small chart named after the question.
func (a Ask) pictureFile() sim.File {
	name := notName().ReplaceAllString(strings.ToLower(title(a.Question)), "-")
	if name = strings.Trim(name, "-"); name == "" {
		name = "picture"
	}
	return sim.File{Name: name + ".png", MIME: "image/png", Data: chart(a.seed())}
}
