package clickai_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clickai/bridge/internal/sim/clickai"
)

func TestMenu(t *testing.T) {
	c := start(t, clickai.Options{})
	seen := map[string]bool{}
	for _, sample := range clickai.Menu() {
		if seen[sample.Name] || sample.Title == "" || len(sample.Keywords) == 0 {
			t.Errorf("sample %+v", sample)
		}
		seen[sample.Name] = true
		for _, mode := range []clickai.Mode{
			clickai.ModeChat, clickai.ModeAgentChat, clickai.ModeAdvancedChat, clickai.ModeCompletion, clickai.ModeWorkflow,
		} {
			for lang, q := range map[string]string{"en": sample.Question, "vi": sample.Vi} {
				t.Run(fmt.Sprintf("%s in %s, %s", sample.Name, mode, lang), func(t *testing.T) {
					path, body := call(mode, q, "streaming")
					frames := c.open(path, keyOf(mode), body).all()
					text := answer(frames)
					if sample.Name == "empty" {
						if text != "" {
							t.Errorf("text %q", text)
						}
						return
					}
					if !strings.Contains(text, "> "+q) {
						t.Errorf("the question isn't in %q", text)
					}
					head := map[string]string{"en": "## Turn 1", "vi": "## Lượt 1"}[lang]
					if !strings.Contains(text, head) {
						t.Errorf("%q isn't in %q", head, text)
					}
					again := answer(c.open(path, keyOf(mode), body).all())
					if sample.Name == "link" { // its file is another one each time
						again, _, _ = strings.Cut(again, "(/files/")
						text, _, _ = strings.Cut(text, "(/files/")
					}
					if again != text {
						t.Errorf("another answer: %q", again)
					}
				})
			}
		}
	}
	for _, name := range []string{"long", "code", "table", "picture", "image", "link", "voice", "sources", "tools", "moderation", "error", "think", "slow"} {
		if !seen[name] {
			t.Errorf("no sample %q", name)
		}
	}
	c.noViolations()
}

func TestAnswerIsRealMarkdown(t *testing.T) {
	c := start(t, clickai.Options{})
	for _, tt := range []struct {
		name, query string
		parts       []string
	}{
		{"plain", "hello", []string{"\n\n", "**", "*several", "`inline", "```go\n", "\n1. ", "](https://", "### ", "| --- |"}},
		{"Vietnamese", "xin chào", []string{"## Lượt 1", "**câu trả lời mẫu**", "```go\n", "| --- |"}},
		{"long", "long answer", []string{"```json", "> A quotation", "~~struck~~", "👨‍👩‍👧‍👦"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			frames := c.chat(tt.query).all()
			for _, p := range tt.parts {
				if !strings.Contains(answer(frames), p) {
					t.Errorf("no %q in %q", p, answer(frames))
				}
			}
			if n := len(pick(frames, "message")); n < 20 {
				t.Errorf("only %d pieces", n)
			}
		})
	}
	if n := len([]rune(answer(c.chat("long answer").all()))); n <= 4096 {
		t.Errorf("the long answer has %d characters", n)
	}
}

func TestLanguage(t *testing.T) {
	c := start(t, clickai.Options{})
	key := keyOf(clickai.ModeChat)
	body := chatBody("hello", "", "u")
	body["inputs"] = obj{"language": "vi"}
	frames := c.open("/v1/chat-messages", key, body).all()
	if !strings.Contains(answer(frames), "## Lượt 1") {
		t.Errorf("by inputs: %q", answer(frames))
	}
	// The conversation's inputs hold for the turns after it.
	frames, _ = c.ask(key, "more", frames[0].text("conversation_id"), "u")
	if !strings.Contains(answer(frames), "## Lượt 2") {
		t.Errorf("second turn: %q", answer(frames))
	}
	for q, vi := range map[string]bool{
		"Bảo hành bao lâu?": true, "cho tôi một hình": true, "Être ou ne pas être": false, "encode the decoder": false,
	} {
		if got := strings.Contains(answer(c.chat(q).all()), "## Lượt"); got != vi {
			t.Errorf("%q: Vietnamese %v", q, got)
		}
	}
}

func TestWords(t *testing.T) {
	for _, tt := range []struct {
		text string
		want []string
	}{
		{"", nil},
		{"one", []string{"one"}},
		{" a  b\n\nc ", []string{" ", "a  ", "b\n\n", "c "}},
	} {
		got := clickai.Words(tt.text)
		if !slices.Equal(got, tt.want) || strings.Join(got, "") != tt.text {
			t.Errorf("%q: %q", tt.text, got)
		}
	}
}

func TestPace(t *testing.T) {
	const gap = 4 * time.Millisecond
	c := start(t, clickai.Options{ChunkInterval: gap})
	c.s.Script(nil, clickai.Text("a", "b", "c", "d", "e"))
	c.chat("q").all()
	// The pieces have their times: one that is late does not make the next ones so.
	turn := c.s.Turns()[0]
	asked := c.s.Requests()[0].At
	if took := turn.Events[4].At.Sub(asked); took < 4*gap {
		t.Errorf("the fifth piece came %v after the question", took)
	}
}

func TestOwnAgent(t *testing.T) {
	c := start(t, clickai.Options{Agent: func(a clickai.Ask) []clickai.Step {
		return []clickai.Step{clickai.Text(fmt.Sprintf("%s %s %d %s %s", a.App, a.User, a.Turn, a.Question, a.Previous))}
	}})
	frames, conv := c.ask(keyOf(clickai.ModeChat), "one", "", "u")
	if got := answer(frames); got != "support u 1 one " {
		t.Errorf("%q", got)
	}
	frames, _ = c.ask(keyOf(clickai.ModeChat), "two", conv, "u")
	if got := answer(frames); got != "support u 2 two one" {
		t.Errorf("%q", got)
	}
}

// BenchmarkChunk is the server's whole cost of one streamed chunk, with a client on the same machine that throws the
// bytes away.
func BenchmarkChunk(b *testing.B) {
	c := start(b, clickai.Options{Keep: clickai.Keep{TurnEvents: -1}})
	parts := slices.Repeat([]string{"word "}, 300)
	c.s.Script(nil, clickai.Text(parts...)).Times(0)
	b.ReportAllocs()
	chunks := 0
	for b.Loop() {
		s := c.open("/v1/chat-messages", keyOf(clickai.ModeChat), chatBody("q", "", "u"))
		if _, err := s.in.WriteTo(discard{}); err != nil {
			b.Fatal(err)
		}
		chunks += len(parts)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(chunks), "ns/chunk")
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
