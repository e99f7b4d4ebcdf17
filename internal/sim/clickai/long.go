package clickai

import (
	"fmt"
	"strings"
)

// chapter is one part of the long answer.
type chapter struct{ title, body string }

func answerLong(a Ask) []Step {
	var b strings.Builder
	b.WriteString(a.intro())
	chapters := longEnglish()
	if a.Language == "vi" {
		chapters = longVietnamese()
	}
	for i, c := range chapters {
		fmt.Fprintf(&b, "### %d. %s\n\n%s\n\n", i+1, c.title, strings.TrimSpace(c.body))
	}
	b.WriteString(a.pick("---\n\nThat is **all** of it.\n", "---\n\nĐó là **tất cả**.\n"))
	return a.say(b.String())
}

func longEnglish() []chapter {
	return []chapter{
		{"Why answers grow", `
People read while an answer is being written. A first sentence that stands there after half a second feels quick, even
if the whole takes twenty. So the text is sent **piece by piece**, and what you see is always the newest state.

Three things matter more than raw speed:

- the *first* words come at once,
- the text never jumps back,
- the *last* words always arrive.`},
		{"How a piece travels", `
Each piece is one event of a stream. It carries a few characters, hardly ever more than a word:

` + "```json" + `
{"event": "message", "answer": "Hello ", "conversation_id": "conv-1"}
` + "```" + `

The pieces are joined, the result is rendered, and one message on your screen is edited. Editing is *not free*: every
chat platform counts edits, so a careful sender joins several pieces into one edit and never sends a text that is
already out of date.`},
		{"What the platforms allow", `
| Platform | Longest message | Edits |
| --- | --- | --- |
| Slack | about 4,000 characters | a few each second |
| Discord | 2,000 characters | a few each five seconds |
| Telegram | 4,096 characters | about one a second |

A text that is longer has to be split. The place of the cut should be kind to the reader: between paragraphs if there
is room, between sentences if not, and **never** within a word or a character. Take this family: 👨‍👩‍👧‍👦. It is one
character to you and seven code points to a program, and it must stay whole.`},
		{"Code that spans a border", `
When a cut falls into a block of code, the block is closed before the cut and opened again after it, with the same
language. The following listing is long enough to be cut on some platforms:

` + "```go" + `
// Join collects pieces until they are worth an edit.
type Join struct {
	text  strings.Builder
	shown int
	gap   time.Duration
	last  time.Time
}

// Add appends a piece and tells whether an edit is due.
func (j *Join) Add(piece string, now time.Time) bool {
	j.text.WriteString(piece)
	if now.Sub(j.last) < j.gap {
		return false
	}
	j.last = now
	j.shown = j.text.Len()
	return true
}

// Rest is what no edit has shown yet.
func (j *Join) Rest() string {
	return j.text.String()[j.shown:]
}
` + "```" + `

Note the call of ` + "`strings.Builder`" + `: it makes growing cheap, and ` + "`String()`" + ` copies nothing.`},
		{"Lists within lists", `
1. Read the question.
   - Is there a file with it?
   - Is it about what was said before?
2. Look things up.
   1. In the documents of the workspace.
   2. On the web, if that is allowed.
3. Write the answer.
   - **Bold** for what matters,
   - *italic* for what is meant lightly,
   - ~~struck~~ for what no longer holds.

> A quotation may stand between two lists. It may have
> more than one line, and ` + "`code`" + ` within.`},
		{"Signs that need care", `
Some signs mean something to one platform and nothing to another: * _ ~ | > # + - = . ! ( ) [ ] { } and the ampersand in
"salt & pepper", the comparison 1 < 2 > 0, an e-mail address such as someone@example.com, the price of $5.00, and a path like
C:\temp\new. All of them have to come out as they were written. So do "@everyone" and "<!channel>", which must not call
anybody.`},
		{"When things go wrong", `
Connections break. A server that is asked too often says so, and wants to be left alone for a while. What a person should
see in such a moment is *one plain line*: what happened, and what can be done now. What was already shown stays.

| What happens | What you see |
| --- | --- |
| The connection is cut | the text so far, then the rest from the history |
| Too many requests | a short note that goes away by itself |
| The key is wrong | a line that says whom to ask |

None of this should cost you the question: it is kept until it has been answered.`},
		{"What to remember", `
First, an answer is a *state*, not a sequence of messages. Second, the newest state wins. Third, nothing that was promised
may be lost, whatever breaks in between. More can be read at [ClickAI](https://clickai.io "the home page"), and the menu of
built-in answers has a sample of each thing that was named here: pictures, voice, sources, tools, tables and errors.`},
	}
}

func longVietnamese() []chapter {
	return []chapter{
		{"Vì sao câu trả lời lớn dần", `
Người ta đọc trong lúc câu trả lời đang được viết. Một câu đầu tiên hiện ra sau nửa giây cho cảm giác nhanh, ngay cả khi
toàn bộ cần đến hai mươi giây. Vì vậy văn bản được gửi **từng phần một**, và điều bạn thấy luôn là trạng thái mới nhất.

Ba điều quan trọng hơn tốc độ:

- những từ *đầu tiên* đến ngay lập tức,
- văn bản không bao giờ nhảy lùi,
- những từ *cuối cùng* luôn luôn đến nơi.`},
		{"Một phần đi như thế nào", `
Mỗi phần là một sự kiện của luồng dữ liệu. Nó mang vài ký tự, hiếm khi nhiều hơn một từ:

` + "```json" + `
{"event": "message", "answer": "Xin ", "conversation_id": "conv-1"}
` + "```" + `

Các phần được ghép lại, kết quả được trình bày, và một tin nhắn trên màn hình được sửa. Việc sửa *không miễn phí*: nền tảng
nào cũng đếm số lần sửa, nên người gửi cẩn thận sẽ gộp nhiều phần vào một lần sửa và không bao giờ gửi văn bản đã cũ.`},
		{"Nền tảng cho phép điều gì", `
| Nền tảng | Tin nhắn dài nhất | Số lần sửa |
| --- | --- | --- |
| Slack | khoảng 4.000 ký tự | vài lần mỗi giây |
| Discord | 2.000 ký tự | vài lần mỗi năm giây |
| Telegram | 4.096 ký tự | khoảng một lần mỗi giây |

Văn bản dài hơn phải được chia ra. Chỗ cắt nên dễ chịu với người đọc: giữa hai đoạn nếu còn chỗ, giữa hai câu nếu không, và
**không bao giờ** ở giữa một từ hay một ký tự. Hãy xem gia đình này: 👨‍👩‍👧‍👦. Với bạn đó là một ký tự, với chương trình là
bảy điểm mã, và nó phải được giữ nguyên.`},
		{"Mã nằm qua chỗ cắt", `
Khi chỗ cắt rơi vào một khối mã, khối được đóng trước chỗ cắt và mở lại sau đó, với cùng một ngôn ngữ. Đoạn mã sau đủ dài để
bị cắt trên vài nền tảng:

` + "```go" + `
// Join gom các phần cho đến khi đáng một lần sửa.
type Join struct {
	text  strings.Builder
	shown int
	gap   time.Duration
	last  time.Time
}

// Add thêm một phần và cho biết đã đến lúc sửa chưa.
func (j *Join) Add(piece string, now time.Time) bool {
	j.text.WriteString(piece)
	if now.Sub(j.last) < j.gap {
		return false
	}
	j.last = now
	j.shown = j.text.Len()
	return true
}

// Rest là phần chưa được hiển thị.
func (j *Join) Rest() string {
	return j.text.String()[j.shown:]
}
` + "```" + `

Hãy chú ý ` + "`strings.Builder`" + `: nó làm cho việc nối dài trở nên rẻ.`},
		{"Danh sách trong danh sách", `
1. Đọc câu hỏi.
   - Có tệp đi kèm không?
   - Có liên quan đến điều đã nói trước đó không?
2. Tra cứu.
   1. Trong tài liệu của không gian làm việc.
   2. Trên mạng, nếu được phép.
3. Viết câu trả lời.
   - **Đậm** cho điều quan trọng,
   - *nghiêng* cho điều nói nhẹ,
   - ~~gạch~~ cho điều không còn đúng.

> Một trích dẫn có thể đứng giữa hai danh sách. Nó có thể có
> nhiều dòng, và có ` + "`mã`" + ` bên trong.`},
		{"Những dấu cần cẩn thận", `
Vài dấu có nghĩa trên nền tảng này và vô nghĩa trên nền tảng khác: * _ ~ | > # + - = . ! ( ) [ ] { } và dấu & trong
"muối & tiêu", phép so sánh 1 < 2 > 0, địa chỉ someone@example.com, giá 5,00 $, và đường dẫn C:\temp\new. Tất cả phải hiện ra
đúng như khi viết. "@everyone" và "<!channel>" cũng vậy, và không được gọi ai cả.`},
		{"Khi có trục trặc", `
Kết nối có thể đứt. Máy chủ bị hỏi quá nhiều sẽ nói như vậy, và muốn được yên một lúc. Điều mà người dùng nên thấy lúc đó là
*một dòng đơn giản*: chuyện gì đã xảy ra, và bây giờ có thể làm gì. Những gì đã hiện ra thì vẫn ở lại.

| Chuyện gì xảy ra | Bạn thấy gì |
| --- | --- |
| Kết nối bị đứt | văn bản cho đến lúc đó, rồi phần còn lại từ lịch sử |
| Quá nhiều yêu cầu | một ghi chú ngắn tự biến mất |
| Khóa bị sai | một dòng cho biết nên hỏi ai |

Không điều nào được làm mất câu hỏi của bạn: nó được giữ cho đến khi có câu trả lời.`},
		{"Điều cần nhớ", `
Thứ nhất, câu trả lời là một *trạng thái*, không phải một chuỗi tin nhắn. Thứ hai, trạng thái mới nhất luôn thắng. Thứ ba,
điều gì đã hứa thì không được mất, dù giữa chừng có hỏng hóc. Đọc thêm tại [ClickAI](https://clickai.io "trang chủ"), và danh
sách câu trả lời có sẵn có mẫu cho từng điều đã nêu ở đây: hình ảnh, giọng nói, nguồn, công cụ, bảng và lỗi.`},
	}
}
