package clickai

import (
	"fmt"
	"strings"

	"github.com/clickai/bridge/internal/sim"
)

func answerError(a Ask) []Step {
	text := a.intro() + a.pick("So far all goes well, and now the model provider ", "Đến đây mọi việc đều ổn, và bây giờ nhà cung cấp ")
	steps := []Step{}
	switch {
	case a.Mode.flow():
		steps = append(steps, Node("llm", a.pick("Write the answer", "Viết câu trả lời")))
	case a.Mode.agent():
		steps = append(steps, Thought())
	}
	return append(steps, Text(Words(text)...), Fail(400, "completion_request_error",
		a.pick("[demo] The model provider did not answer", "[demo] Nhà cung cấp mô hình không trả lời")))
}

func answerModeration(a Ask) []Step {
	text := a.intro() + a.pick("This text holds something that a rule forbids, and it will not stay.",
		"Đoạn này chứa điều mà quy tắc không cho phép, và nó sẽ không được giữ lại.")
	stands := a.pick("*This answer was replaced by the content rules.*", "*Câu trả lời này đã được thay theo quy tắc nội dung.*")
	return a.play(Text(Words(text)...), Beats(10), Replace(stands, "output_moderation"))
}

func answerImage(a Ask) []Step { return answerWithPicture(a, true) }

func answerPicture(a Ask) []Step { return answerWithPicture(a, false) }

func answerWithPicture(a Ask, absolute bool) []Step {
	f := a.pictureFile()
	text := a.intro() + fmt.Sprintf(a.pick("Here is your picture, `%s`.\n", "Đây là hình của bạn, `%s`.\n"), f.Name)
	if a.Mode.flow() {
		return append([]Step{Node("tool", a.pick("Draw the picture", "Vẽ hình")), Beats(20), Picture(f, absolute)}, a.say(text)...)
	}
	if a.Mode.agent() && !absolute {
		return append([]Step{
			Thought(), Text(Words(a.pick("I will draw that. ", "Tôi sẽ vẽ hình đó. "))...),
			Tool("draw", `{"draw":{"size":"320x180"}}`, a.pick("One picture was drawn.", "Đã vẽ một hình."), f),
		}, a.say(text)...)
	}
	return a.play(Text(Words(text)...), Picture(f, absolute))
}

func answerLink(a Ask) []Step {
	f := sim.File{Name: "warranty.csv", MIME: "text/csv", Data: []byte("device,years\nprinter,2\nscanner,2\n")}
	text := a.intro() + a.pick("The table as a file: ", "Bảng dưới dạng tệp: ")
	steps := []Step{Text(Words(text)...), Linked(f, false, "[warranty.csv](%s)"), Text(a.pick(". It ", ". Tệp "), a.pick("opens anywhere.\n", "mở được ở mọi nơi.\n"))}
	return a.play(steps...)
}

func answerVoice(a Ask) []Step {
	text := a.intro() + a.pick("I also **speak** this answer.\n", "Tôi cũng **đọc** câu trả lời này.\n")
	words := Words(text)
	half := len(words) / 2
	chunks := speech(title(a.Question), 8)
	return a.play(Text(words[:half]...), Voice(chunks[:4]...), Text(words[half:]...), Voice(chunks[4:]...))
}

func answerSources(a Ask) []Step {
	text := a.intro() + a.pick("The warranty lasts **two years** [1], and one more for business customers [2].\n",
		"Thời hạn bảo hành là **hai năm** [1], thêm một năm cho khách hàng doanh nghiệp [2].\n")
	steps := []Step{}
	if a.Mode.flow() {
		steps = append(steps, Node("knowledge-retrieval", a.pick("Search the documents", "Tìm trong tài liệu")), Beats(10))
	}
	steps = append(steps, Sources(
		Source{Dataset: "Handbook", Document: "warranty.md", Segment: "segment-1", Score: 0.98, Content: "All devices have a warranty of two years from the day of delivery."},
		Source{Dataset: "Handbook", Document: "business.pdf", Segment: "segment-7", Score: 0.83, Page: 3, Content: "Business customers get one more year at no charge."},
	))
	return append(steps, a.say(text)...)
}

func answerTools(a Ask) []Step {
	if !a.Mode.agent() {
		return a.say(a.intro() + a.pick("This app has no tools; an agent has.\n", "Ứng dụng này không có công cụ; tác tử thì có.\n"))
	}
	first := a.pick("I should look this up first. ", "Tôi nên tra cứu trước đã. ")
	second := a.pick("One more look to be sure. ", "Xem thêm một lần cho chắc. ")
	input := func(q string) string { return string(encode(map[string]any{toolName: map[string]string{"query": q}})) }
	steps := []Step{
		Thought(), Text(Words(first)...),
		Tool(toolName, input(title(a.Question)), a.pick("Three pages were found.", "Tìm được ba trang.")), Beats(15),
		Thought(), Text(Words(second)...),
		Tool(toolName, input(title(a.Question)+" 2026"), a.pick("One page is newer.", "Một trang mới hơn.")), Beats(15),
	}
	return append(steps, a.say(a.intro()+a.pick("I asked `web_search` **twice**, and both pages agree.\n",
		"Tôi đã gọi `web_search` **hai lần**, và hai trang khớp nhau.\n"))...)
}

func answerThink(a Ask) []Step {
	inside := a.pick("<think>\nThe question is short. What matters is the conversation so far.\n</think>\n\n",
		"<think>\nCâu hỏi ngắn. Điều quan trọng là cuộc trò chuyện cho đến nay.\n</think>\n\n")
	// The tags are cut between events, as they are when they come from a model.
	parts := []string{inside[:4], inside[4:9]}
	end := strings.Index(inside, "</think>")
	parts = append(parts, Words(inside[9:end])...)
	parts = append(parts, inside[end:end+5], inside[end+5:])
	return a.play(Text(parts...), Text(Words(a.intro()+a.pick("I thought about it **first**.\n", "Tôi đã suy nghĩ **trước**.\n"))...))
}

func answerSteps(a Ask) []Step {
	text := a.intro() + a.pick("Four steps were needed for this.\n", "Việc này cần bốn bước.\n")
	if !a.Mode.flow() {
		return a.say(a.intro() + a.pick("This app has no workflow behind it.\n", "Ứng dụng này không có quy trình phía sau.\n"))
	}
	steps := []Step{
		Node("question-classifier", a.pick("Understand the question", "Hiểu câu hỏi")), Beats(20),
		Node("knowledge-retrieval", a.pick("Search the documents", "Tìm trong tài liệu")), Beats(30),
		Node("code", a.pick("Calculate", "Tính toán")), Beats(20),
	}
	return append(steps, a.say(text)...)
}

func answerApproval(a Ask) []Step {
	if !a.Mode.flow() {
		return answerSteps(a)
	}
	return []Step{
		Node("llm", a.pick("Write a draft", "Viết bản nháp")), Text(Words(a.intro() + a.pick("A draft is ready.\n", "Bản nháp đã xong.\n"))...),
		AwaitPerson(a.pick("Approve the draft", "Duyệt bản nháp"), "form-token-demo"),
	}
}

func answerEmpty(Ask) []Step { return []Step{Beats(20), Begin()} }

func answerSlow(a Ask) []Step {
	words := Words(a.intro() + a.pick("That took a while, and it goes on slowly.\n", "Việc đó mất một lúc, và vẫn còn chậm.\n"))
	inner := []Step{Beats(150)}
	for _, w := range words {
		inner = append(inner, Beats(10), Text(w))
	}
	return a.play(inner...)
}

func answerTable(a Ask) []Step {
	head := a.pick("| Plan | Requests a minute | Requests a day |\n", "| Gói | Yêu cầu mỗi phút | Yêu cầu mỗi ngày |\n")
	text := a.intro() + a.pick("The plans side by side:\n\n", "So sánh các gói:\n\n") + head +
		"| :--- | ---: | ---: |\n| Sandbox | 100 | 10,000 |\n| **Professional** | 500 | 100,000 |\n| Team | 1,000 | 500,000 |\n\n" +
		a.pick("And one with `code` and a \\| in it:\n\n", "Và một bảng có `mã` cùng dấu \\|:\n\n") +
		"| A | B |\n| --- | --- |\n| `x \\| y` | [ClickAI](https://clickai.io) |\n| 你好 | 🙂 |\n"
	return a.say(text)
}

func answerCode(a Ask) []Step {
	text := a.intro() + a.pick("The same in two languages.\n\n", "Cùng một việc bằng hai ngôn ngữ.\n\n") +
		"```go\npackage main\n\nimport \"fmt\"\n\nfunc main() {\n\tfor i := range 3 {\n\t\tfmt.Println(\"turn\", i+1) // <b>&amp;</b>\n\t}\n}\n```\n\n" +
		"```python\nfor i in range(3):\n    print(f\"turn {i + 1}\")\n```\n\n" +
		a.pick("Call it with `go run .` or ``echo `date` ``.\n", "Chạy bằng `go run .` hoặc ``echo `date` ``.\n")
	return a.say(text)
}
