package telegram_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/telegram"
)

func TestRoutes(t *testing.T) {
	t.Parallel()
	s := start(t, telegram.Options{})
	r := newRaw(t, s)
	base := s.APIURL()
	for _, tt := range []struct {
		name, method, url, kind, body string
		status                        int
		description                   string
	}{
		{"query string", "GET", "/bot{token}/sendMessage?chat_id=5000000001&text=x", "", "", 200, ""},
		{"form", "POST", "/bot{token}/sendMessage", "application/x-www-form-urlencoded", "chat_id=5000000001&text=a+b", 200, ""},
		{"any case", "POST", "/bot{token}/GETME", "", "", 200, ""},
		{"wrong token", "POST", "/bot1:x/getMe", "", "", 401, "Unauthorized"},
		{"wrong token of a file", "GET", "/file/bot1:x/a", "", "", 401, "Unauthorized"},
		{"no such file", "GET", "/file/bot{token}/documents/file_9.txt", "", "", 404, "Not Found"},
		{"unknown method", "POST", "/bot{token}/sendHologram", "", "", 404, "Not Found"},
		{"elsewhere", "GET", "/", "", "", 404, "Not Found"},
		{"no JSON", "POST", "/bot{token}/getMe", "application/json", "{", 400, "Bad Request: can't parse the request: reading JSON: unexpected end of JSON input"},
		{"other HTTP method", "PUT", "/bot{token}/getMe", "", "", 405, "Method Not Allowed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), tt.method, base+strings.ReplaceAll(tt.url, "{token}", s.Token()), strings.NewReader(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", tt.kind)
			got, err := r.do(req)
			if err != nil || got.Status != tt.status || got.Description != tt.description {
				t.Errorf("got %d %q, %v; want %d %q", got.Status, got.Description, err, tt.status, tt.description)
			}
		})
	}
	if v := s.Violations(); len(v) != 2 || v[0] != "sendHologram: the server has no such method" {
		t.Errorf("violations: %q", v)
	}
	if n := len(s.Messages(telegram.Minh, "")); n != 2 {
		t.Errorf("%d messages", n)
	}
}

func TestTextRules(t *testing.T) {
	t.Parallel()
	s := start(t, telegram.Options{})
	r := newRaw(t, s)
	entity := func(kind string, offset, length int) []obj {
		return []obj{{"type": kind, "offset": offset, "length": length}}
	}
	for _, tt := range []struct {
		name   string
		params obj
		want   string // the description, or "" and then text is what is stored
		text   string
	}{
		{"4,096 characters", obj{"text": strings.Repeat("a", 4096)}, "", strings.Repeat("a", 4096)},
		{"4,097 characters", obj{"text": strings.Repeat("a", 4097)}, "Bad Request: message is too long", ""},
		{"UTF-16 units count", obj{"text": strings.Repeat("👍", 2049)}, "Bad Request: message is too long", ""},
		{"markup does not count", obj{"text": "<b>" + strings.Repeat("&lt;", 4096) + "</b>", "parse_mode": "HTML"}, "", strings.Repeat("<", 4096)},
		{"empty", obj{"text": ""}, "Bad Request: message text is empty", ""},
		{"white space", obj{"text": " \n "}, "Bad Request: text must be non-empty", ""},
		{"broken HTML", obj{"text": "a <b>x", "parse_mode": "HTML"}, `Bad Request: can't parse entities: Can't find end tag corresponding to start tag "b"`, ""},
		{"unescaped", obj{"text": "v1.0", "parse_mode": "MarkdownV2"}, `Bad Request: can't parse entities: Character '.' is reserved and must be escaped with the preceding '\'`, ""},
		{"unknown mode", obj{"text": "x", "parse_mode": "BB"}, "Bad Request: unsupported parse_mode", ""},
		{"entity too long", obj{"text": "abc", "entities": entity("bold", 0, 4)}, "Bad Request: entity beginning at UTF-16 offset 0 ends after the end of the text at UTF-16 offset 4", ""},
		{"unknown entity", obj{"text": "abc", "entities": entity("blink", 0, 1)}, "Bad Request: can't parse entities: Unsupported type specified", ""},
		{"button data", obj{"text": "x", "reply_markup": obj{"inline_keyboard": [][]obj{{{"text": "b", "callback_data": strings.Repeat("é", 33)}}}}}, "Bad Request: BUTTON_DATA_INVALID", ""},
		{"button without action", obj{"text": "x", "reply_markup": obj{"inline_keyboard": [][]obj{{{"text": "b"}}}}}, "Bad Request: can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard", ""},
		{"button with a bad URL", obj{"text": "x", "reply_markup": obj{"inline_keyboard": [][]obj{{{"text": "b", "url": "localhost"}}}}}, "Bad Request: inline keyboard button URL 'localhost' is invalid: Wrong HTTP URL", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.params["chat_id"] = 5000000001
			before := len(s.Violations())
			got := r.call("sendMessage", tt.params)
			if tt.want != "" {
				r.want(got, http.StatusBadRequest, tt.want)
				if len(s.Violations()) != before+1 {
					t.Error("not listed as a violation")
				}
				return
			}
			var m message
			r.ok(got, &m)
			if m.Text != tt.text {
				t.Errorf("stored %q", m.Text)
			}
		})
	}
	r.want(r.call("sendDocument", obj{"chat_id": telegram.Minh, "document": "x", "caption": strings.Repeat("a", 1025)}),
		http.StatusBadRequest, "Bad Request: message caption is too long")
}

func TestStateErrors(t *testing.T) {
	t.Parallel()
	s := start(t, telegram.Options{})
	r := newRaw(t, s)
	theirs := say(t, s, sim.Say{Room: telegram.Minh, User: telegram.Minh, Text: "mine"})
	theirID, _ := strconv.Atoi(theirs.ID)
	var mine message
	r.ok(r.call("sendMessage", obj{"chat_id": telegram.Minh, "text": "x"}), &mine)
	if err := s.CloseTopic(telegram.Forum, telegram.TopicReleases, true); err != nil {
		t.Fatal(err)
	}
	if err := s.SetBot(telegram.Group, "kicked"); err != nil {
		t.Fatal(err)
	}
	forum := telegram.Forum
	for _, tt := range []struct {
		name, method string
		params       obj
		code         int
		want         string
	}{
		{"chat not found", "sendMessage", obj{"chat_id": 12, "text": "x"}, 400, "Bad Request: chat not found"},
		{"kicked", "sendMessage", obj{"chat_id": telegram.Group, "text": "x"}, 403, "Forbidden: bot was kicked from the group chat"},
		{"reply to nothing", "sendMessage", obj{"chat_id": telegram.Minh, "text": "x", "reply_parameters": obj{"message_id": 999}}, 400, "Bad Request: message to be replied not found"},
		{"no such topic", "sendMessage", obj{"chat_id": forum, "text": "x", "message_thread_id": 77}, 400, "Bad Request: message thread not found"},
		{"General has no id", "sendMessage", obj{"chat_id": forum, "text": "x", "message_thread_id": 1}, 400, "Bad Request: message thread not found"},
		{"topic in a private chat", "sendMessage", obj{"chat_id": telegram.Minh, "text": "x", "message_thread_id": 2}, 400, "Bad Request: message thread not found"},
		{"closed topic", "sendMessage", obj{"chat_id": forum, "text": "x", "message_thread_id": 3}, 400, "Bad Request: TOPIC_CLOSED"},
		{"edit of nothing", "editMessageText", obj{"chat_id": telegram.Minh, "text": "x", "message_id": 999}, 400, "Bad Request: message to edit not found"},
		{"edit of theirs", "editMessageText", obj{"chat_id": telegram.Minh, "text": "x", "message_id": theirID}, 400, "Bad Request: message can't be edited"},
		{"edit of the same", "editMessageText", obj{"chat_id": telegram.Minh, "text": "x", "message_id": mine.ID}, 400, "Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message"},
		{"caption of a text", "editMessageCaption", obj{"chat_id": telegram.Minh, "caption": "x", "message_id": mine.ID}, 400, "Bad Request: there is no caption in the message to edit"},
		{"delete nothing", "deleteMessage", obj{"chat_id": telegram.Minh, "message_id": 999}, 400, "Bad Request: message to delete not found"},
		{"react to nothing", "setMessageReaction", obj{"chat_id": telegram.Minh, "message_id": 999}, 400, "Bad Request: message to react not found"},
		{"unknown file", "getFile", obj{"file_id": "x"}, 400, "Bad Request: wrong file_id or the file is temporarily unavailable"},
		{"unknown file to send", "sendDocument", obj{"chat_id": telegram.Minh, "document": "x"}, 400, "Bad Request: wrong file identifier/HTTP URL specified"},
		{"unreachable URL", "sendDocument", obj{"chat_id": telegram.Minh, "document": "http://127.0.0.1:1/x"}, 400, "Bad Request: failed to get HTTP URL content"},
		{"topics without the right", "createForumTopic", obj{"chat_id": forum, "name": "x"}, 400, "Bad Request: not enough rights to manage topics"},
		{"topics of a private chat", "createForumTopic", obj{"chat_id": telegram.Minh, "name": "x"}, 400, "Bad Request: the chat is not a forum"},
	} {
		t.Run(tt.name, func(*testing.T) { r.want(r.call(tt.method, tt.params), tt.code, tt.want) })
	}
	noViolations(t, s) // all of these may happen to a bot that keeps to the documentation

	r.ok(r.call("sendMessage", obj{"chat_id": telegram.Minh, "text": "x", "reply_parameters": obj{"message_id": 999, "allow_sending_without_reply": true}}), nil)
	r.ok(r.call("deleteMessages", obj{"chat_id": telegram.Minh, "message_ids": []int{mine.ID, 999}}), nil)
	if _, ok := s.Find(sim.Ref{Room: telegram.Minh, ID: strconv.Itoa(mine.ID)}); ok {
		t.Error("a deleted message is still there")
	}
	r.ok(r.call("logOut", obj{}), nil)
	r.want(r.call("getMe", obj{}), http.StatusBadRequest, "Bad Request: Logged out")
}

func TestChats(t *testing.T) {
	t.Parallel()
	s := start(t, telegram.Options{Chats: []telegram.Chat{{
		ID: -1002000000009, Type: "supergroup", Title: "Ops", Forum: true, BotAdmin: true, ManageTopics: true,
		Topics: []telegram.Topic{{ID: 5, Name: "Old"}}, Reactions: []string{"👍", "👎"},
	}}})
	r := newRaw(t, s)
	const ops = "-1002000000009"
	var c struct {
		Title     string
		IsForum   bool `json:"is_forum"`
		Reactions []struct{ Emoji string }
	}
	r.ok(r.call("getChat", obj{"chat_id": ops}), &c)
	if c.Title != "Ops" || !c.IsForum {
		t.Errorf("chat: %+v", c)
	}
	var m struct{ Status string }
	r.ok(r.call("getChatMember", obj{"chat_id": ops, "user_id": 7000000001}), &m)
	if m.Status != "administrator" {
		t.Errorf("bot: %+v", m)
	}
	var admins []struct{ Status string }
	r.ok(r.call("getChatAdministrators", obj{"chat_id": ops}), &admins)
	if len(admins) != 2 || admins[0].Status != "creator" {
		t.Errorf("administrators: %+v", admins)
	}
	var n int
	r.ok(r.call("getChatMemberCount", obj{"chat_id": ops}), &n)
	if n != 4 {
		t.Errorf("%d members", n)
	}
	var topic struct {
		ID int `json:"message_thread_id"`
	}
	r.ok(r.call("createForumTopic", obj{"chat_id": ops, "name": "New"}), &topic)
	r.ok(r.call("closeForumTopic", obj{"chat_id": ops, "message_thread_id": topic.ID}), nil)
	r.ok(r.call("sendMessage", obj{"chat_id": ops, "message_thread_id": topic.ID, "text": "managers may"}), nil)
	r.ok(r.call("reopenForumTopic", obj{"chat_id": ops, "message_thread_id": topic.ID}), nil)
	var names []string
	for _, p := range s.Places() {
		names = append(names, p.Kind+":"+p.Name)
	}
	if got := strings.Join(names, " "); got != "direct:Minh direct:Anna direct:Tom forum:Ops topic:Old topic:New" {
		t.Errorf("places: %s", got)
	}
	m1 := say(t, s, sim.Say{Room: ops, User: telegram.Minh, Text: "x"})
	id, _ := strconv.Atoi(m1.ID)
	r.want(r.call("setMessageReaction", obj{"chat_id": ops, "message_id": id, "reaction": []obj{{"type": "emoji", "emoji": "👀"}}}),
		http.StatusBadRequest, "Bad Request: REACTION_INVALID")
	noViolations(t, s) // a chat may narrow its reactions at any time
	r.ok(r.call("leaveChat", obj{"chat_id": ops}), nil)
	r.want(r.call("sendMessage", obj{"chat_id": ops, "text": "x"}), http.StatusForbidden, "Forbidden: bot is not a member of the supergroup chat")
}

func TestNullLists(t *testing.T) {
	t.Parallel()
	s := start(t, telegram.Options{})
	r := newRaw(t, s)
	r.ok(r.call("sendMessage", obj{"chat_id": telegram.Minh, "text": "x", "entities": nil, "reply_markup": obj{"inline_keyboard": nil}}), nil)
	violation(t, s, "sendMessage: entities is null where a list is due")
	violation(t, s, "sendMessage: inline_keyboard is null where a list is due")
}

func TestPings(t *testing.T) {
	t.Parallel()
	s := start(t, telegram.Options{})
	r := newRaw(t, s)
	send := func(params obj) message {
		t.Helper()
		params["chat_id"] = telegram.Group
		var m message
		r.ok(r.call("sendMessage", params), &m)
		return m
	}
	send(obj{"text": "ask @all or @everyone or `@minh_tran`", "parse_mode": "Markdown"})
	send(obj{"text": "@acme_support_bot and @nobody_here"})
	if p := s.Pings(); len(p) != 0 {
		t.Fatalf("pings: %+v", p)
	}
	a := send(obj{"text": "hi @minh_tran"})
	b := send(obj{"text": "[you](tg://user?id=5000000003)", "parse_mode": "MarkdownV2"})
	r.ok(r.call("editMessageText", obj{"chat_id": telegram.Group, "message_id": a.ID, "text": "hi @minh_tran, @Anna_Berg"}), nil)
	got := s.Pings()
	if len(got) != 3 || got[0].ID != strconv.Itoa(a.ID) || got[0].Users[0] != telegram.Minh ||
		got[1].ID != strconv.Itoa(b.ID) || got[1].Users[0] != telegram.Tom || got[2].Users[0] != telegram.Anna {
		t.Errorf("pings: %+v", got)
	}
}

func TestBigFiles(t *testing.T) {
	t.Parallel()
	s := start(t, telegram.Options{})
	r := newRaw(t, s)
	say(t, s, sim.Say{Room: telegram.Minh, User: telegram.Minh, Files: []sim.File{{Name: "big.bin", Data: make([]byte, 20<<20+1)}}})
	us := r.updates(obj{})
	r.want(r.call("getFile", obj{"file_id": us[0].Message.Document.FileID}), http.StatusBadRequest, "Bad Request: file is too big")
	noViolations(t, s)

	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	_ = form.WriteField("chat_id", telegram.Minh)
	part, _ := form.CreateFormFile("document", "big.bin")
	_, _ = part.Write(make([]byte, 50<<20+1))
	_ = form.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.APIURL()+"/bot"+s.Token()+"/sendDocument", &b)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", form.FormDataContentType())
	got, err := r.do(req)
	if err != nil {
		t.Fatal(err)
	}
	r.want(got, http.StatusRequestEntityTooLarge, "Request Entity Too Large")
}

func TestFilesAreBounded(t *testing.T) {
	t.Parallel()
	s := start(t, telegram.Options{MaxFileBytes: 100})
	r := newRaw(t, s)
	for _, name := range []string{"a.bin", "b.bin"} {
		say(t, s, sim.Say{Room: telegram.Minh, User: telegram.Minh, Files: []sim.File{{Name: name, Data: bytes.Repeat([]byte{1}, 60)}}})
	}
	us := r.updates(obj{})
	r.want(r.call("getFile", obj{"file_id": us[0].Message.Document.FileID}), http.StatusBadRequest,
		"Bad Request: wrong file_id or the file is temporarily unavailable")
	if got := download(t, s, r, us[1].Message.Document.FileID); len(got) != 60 {
		t.Errorf("%d bytes", len(got))
	}
}

func TestExpiry(t *testing.T) {
	t.Parallel()
	s := start(t, telegram.Options{TypingFor: 20 * time.Millisecond, DraftFor: 20 * time.Millisecond})
	r := newRaw(t, s)
	r.ok(r.call("sendChatAction", obj{"chat_id": telegram.Minh, "action": "upload_document"}), nil)
	eventually(t, s, "the end of the chat action", func() bool { _, on := s.Typing(telegram.Minh, ""); return !on })
	r.ok(r.call("sendMessageDraft", obj{"chat_id": telegram.Minh, "draft_id": 1, "text": "x"}), nil)
	eventually(t, s, "the end of the draft", func() bool { return s.Draft(telegram.Minh, "") == "" })
	r.updates(obj{})
	eventually(t, s, "the bot gone", func() bool { return !s.Connected() })
	r.want(r.call("sendChatAction", obj{"chat_id": telegram.Minh, "action": "dancing"}), http.StatusBadRequest,
		"Bad Request: wrong parameter action in request")
}

func TestOptionalMethods(t *testing.T) {
	t.Parallel()
	s := start(t, telegram.Options{RichMessages: true, NoDrafts: true, PrivateTopics: true, PrivacyOff: true})
	r := newRaw(t, s)
	r.want(r.call("sendMessageDraft", obj{"chat_id": telegram.Minh, "draft_id": 1, "text": "x"}), http.StatusNotFound, "Not Found")
	var m message
	r.ok(r.call("sendRichMessage", obj{"chat_id": telegram.Minh, "rich_message": obj{"markdown": "# Title\n" + strings.Repeat("a", 5000)}}), &m)
	got, _ := s.Find(sim.Ref{Room: telegram.Minh, ID: strconv.Itoa(m.ID)})
	if !strings.HasPrefix(got.Shown, "# Title") || !bytes.Contains(got.Raw, []byte(`"rich_message"`)) {
		t.Errorf("seen: %.80s", got.Raw)
	}
	r.ok(r.call("editMessageText", obj{"chat_id": telegram.Minh, "message_id": m.ID, "rich_message": obj{"blocks": []obj{{"type": "paragraph", "text": []any{"a ", obj{"type": "bold", "text": "b"}}}}}}), nil)
	if got, _ = s.Find(got.Ref); got.Shown != "a b" {
		t.Errorf("shown: %q", got.Shown)
	}
	r.ok(r.call("sendRichMessageDraft", obj{"chat_id": telegram.Minh, "draft_id": 3, "rich_message": obj{"html": "x"}}), nil)
	r.want(r.call("sendRichMessage", obj{"chat_id": telegram.Minh, "rich_message": obj{"html": "a", "markdown": "b"}}), http.StatusBadRequest,
		"Bad Request: rich_message must have exactly one of blocks, html and markdown")
	thread, err := s.CreateTopic(telegram.Minh, "Trip", telegram.Minh)
	if err != nil {
		t.Fatal(err)
	}
	r.ok(r.call("sendMessage", obj{"chat_id": telegram.Minh, "text": "x", "message_thread_id": thread}), &m)
	if !m.IsTopic {
		t.Errorf("in a private topic: %+v", m)
	}
	var me struct {
		All    bool `json:"can_read_all_group_messages"`
		Topics bool `json:"has_topics_enabled"`
	}
	r.ok(r.call("getMe", obj{}), &me)
	if !me.All || !me.Topics {
		t.Errorf("getMe: %+v", me)
	}
}

func TestBadOptions(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]telegram.Options{
		"token":             {Token: "secret"},
		"address":           {Listen: "nowhere.invalid:x"},
		"user twice":        {Users: []telegram.User{{ID: 1}, {ID: 1}}},
		"group id":          {Chats: []telegram.Chat{{ID: 5, Type: "group"}}},
		"forum group":       {Chats: []telegram.Chat{{ID: -5, Type: "group", Forum: true}}},
		"stranger":          {Chats: []telegram.Chat{{ID: -5, Type: "group", Members: []int64{9}}}},
		"topic of General":  {Chats: []telegram.Chat{{ID: -1005, Type: "supergroup", Forum: true, Topics: []telegram.Topic{{ID: 1}}}}},
		"topics of a group": {Chats: []telegram.Chat{{ID: -5, Type: "group", Topics: []telegram.Topic{{ID: 2}}}}},
	} {
		if s, err := telegram.New(o); err == nil {
			t.Errorf("%s: no error", name)
			_ = s.Close()
		}
	}
}

func TestTokenIsEscapedInPaths(t *testing.T) {
	t.Parallel()
	s := start(t, telegram.Options{})
	r := newRaw(t, s)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.APIURL()+"/bot"+url.PathEscape(s.Token())+"/getMe", nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := r.do(req); err != nil || !got.OK {
		t.Errorf("escaped token: %+v, %v", got, err)
	}
}
