package telegram_test

import (
	"bytes"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	tgbot "github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/telegram"
)

// The tests of this file use a real bot library, so that its wire forms are understood.

func TestLibrarySendsAndEdits(t *testing.T) {
	t.Parallel()
	s := start(t, telegram.Options{})
	b := library(t, s)
	me, err := b.GetMe(t.Context())
	if err != nil || me.Username != "acme_support_bot" || me.ID != b.ID() || me.CanReadAllGroupMessages {
		t.Fatalf("getMe: %+v, %v", me, err)
	}
	q := say(t, s, sim.Say{Room: telegram.Forum, Thread: telegram.TopicBilling, User: telegram.Minh, Text: "how much?", Mention: true})
	if q.Text != "@acme_support_bot how much?" || q.Thread != telegram.TopicBilling {
		t.Errorf("question: %+v", q)
	}
	qID, _ := strconv.Atoi(q.ID)
	m, err := b.SendMessage(t.Context(), &tgbot.SendMessageParams{
		ChatID: telegram.Forum, MessageThreadID: 2, Text: "<b>12</b> €", ParseMode: models.ParseModeHTML,
		ReplyParameters:    &models.ReplyParameters{MessageID: qID, AllowSendingWithoutReply: true},
		LinkPreviewOptions: &models.LinkPreviewOptions{IsDisabled: tgbot.True()},
		ReplyMarkup:        &models.InlineKeyboardMarkup{InlineKeyboard: [][]models.InlineKeyboardButton{{{Text: "More", CallbackData: "more:1"}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if m.Text != "12 €" || len(m.Entities) != 1 || m.MessageThreadID != 2 || !m.IsTopicMessage || m.ReplyToMessage.ID != qID {
		t.Errorf("sent: %+v", m)
	}
	for _, text := range []string{"It is 12", "It is 12 euros", "It is 12 euros."} {
		if _, err := b.EditMessageText(t.Context(), &tgbot.EditMessageTextParams{
			ChatID: telegram.Forum, MessageID: m.ID, Text: text,
			Entities: []models.MessageEntity{{Type: models.MessageEntityTypeBold, Offset: 6, Length: 2}},
		}); err != nil {
			t.Fatal(err)
		}
	}
	_, err = b.EditMessageText(t.Context(), &tgbot.EditMessageTextParams{
		ChatID: telegram.Forum, MessageID: m.ID, Text: "It is 12 euros.",
		Entities: []models.MessageEntity{{Type: models.MessageEntityTypeBold, Offset: 6, Length: 2}},
	})
	if !errors.Is(err, tgbot.ErrorBadRequest) || !strings.Contains(err.Error(), "message is not modified") {
		t.Errorf("same text: %v", err)
	}
	all := s.Messages(telegram.Forum, telegram.TopicBilling)
	if len(all) != 2 {
		t.Fatalf("%d messages", len(all))
	}
	got := all[1]
	if !got.Bot || got.ReplyTo != q.ID || got.Shown != "It is 12 euros." || got.Text != "It is <b>12</b> euros." || len(got.Versions) != 4 {
		t.Errorf("seen: %+v", got)
	}
	if got.Versions[0].Text != "<b>12</b> €" || got.Versions[0].Shown != "12 €" {
		t.Errorf("first version: %+v", got.Versions[0])
	}
	if !bytes.Contains(got.Raw, []byte(`"entities":[{"type":"bold","offset":6,"length":2}]`)) || bytes.Contains(got.Raw, []byte("reply_markup")) {
		t.Errorf("raw: %s", got.Raw)
	}
	noViolations(t, s)
}

func TestLibraryFiles(t *testing.T) {
	t.Parallel()
	s := start(t, telegram.Options{})
	b := library(t, s)
	r := newRaw(t, s)
	png := picture(t, 400, 200)
	m, err := b.SendPhoto(t.Context(), &tgbot.SendPhotoParams{
		ChatID: telegram.Anna, Caption: "a *b*", ParseMode: models.ParseModeMarkdown,
		Photo: &models.InputFileUpload{Filename: "x.png", Data: bytes.NewReader(png)},
	})
	if err != nil || len(m.Photo) != 3 || m.Caption != "a b" {
		t.Fatalf("photo: %+v, %v", m, err)
	}
	last := m.Photo[2]
	if last.Width != 400 || m.Photo[0].Width != 90 || m.Photo[0].Height != 45 {
		t.Errorf("sizes: %+v", m.Photo)
	}
	f, err := b.GetFile(t.Context(), &tgbot.GetFileParams{FileID: last.FileID})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := r.c.Get(b.FileDownloadLink(f))
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		t.Error(err)
	}
	if !bytes.Equal(download(t, s, r, last.FileID), png) {
		t.Error("the largest size is not the picture itself")
	}
	doc, err := b.SendDocument(t.Context(), &tgbot.SendDocumentParams{
		ChatID: telegram.Anna, Document: &models.InputFileUpload{Filename: "báo cáo.txt", Data: strings.NewReader("số liệu")},
	})
	if err != nil || doc.Document.FileName != "báo cáo.txt" || doc.Document.MimeType != "text/plain" {
		t.Fatalf("document: %+v, %v", doc, err)
	}
	again, err := b.SendDocument(t.Context(), &tgbot.SendDocumentParams{
		ChatID: telegram.Tom, Document: &models.InputFileString{Data: doc.Document.FileID},
	})
	if err != nil || again.Document.FileUniqueID != doc.Document.FileUniqueID {
		t.Errorf("by file_id: %+v, %v", again, err)
	}
	byURL, err := b.SendDocument(t.Context(), &tgbot.SendDocumentParams{
		ChatID: telegram.Tom, Document: &models.InputFileString{Data: b.FileDownloadLink(f)},
	})
	if err != nil || byURL.Document.FileSize != int64(len(png)) {
		t.Errorf("by URL: %+v, %v", byURL, err)
	}
	voice, err := b.SendVoice(t.Context(), &tgbot.SendVoiceParams{
		ChatID: telegram.Anna, Voice: &models.InputFileUpload{Filename: "a.ogg", Data: strings.NewReader("OggS....")},
	})
	if err != nil || voice.Voice == nil {
		t.Errorf("voice: %+v, %v", voice, err)
	}
	mp3, err := b.SendAudio(t.Context(), &tgbot.SendAudioParams{
		ChatID: telegram.Anna, Audio: &models.InputFileUpload{Filename: "a.mp3", Data: strings.NewReader("ID3 ...")},
	})
	if err != nil || mp3.Audio == nil || mp3.Audio.Duration == 0 {
		t.Errorf("audio: %+v, %v", mp3, err)
	}
	wav, err := b.SendVoice(t.Context(), &tgbot.SendVoiceParams{
		ChatID: telegram.Anna, Voice: &models.InputFileUpload{Filename: "a.wav", Data: strings.NewReader("RIFF....")},
	})
	if err != nil || wav.Voice != nil || wav.Document == nil {
		t.Errorf("a voice that is none: %+v, %v", wav, err)
	}
	album, err := b.SendMediaGroup(t.Context(), &tgbot.SendMediaGroupParams{ChatID: telegram.Anna, Media: []models.InputMedia{
		&models.InputMediaPhoto{Media: "attach://a", MediaAttachment: bytes.NewReader(png), Caption: "two"},
		&models.InputMediaPhoto{Media: "attach://b", MediaAttachment: bytes.NewReader(png)},
	}})
	if err != nil || len(album) != 2 || album[0].MediaGroupID == "" || album[0].MediaGroupID != album[1].MediaGroupID {
		t.Errorf("album: %+v, %v", album, err)
	}
	if _, err := b.EditMessageCaption(t.Context(), &tgbot.EditMessageCaptionParams{
		ChatID: telegram.Anna, MessageID: m.ID, Caption: "new",
	}); err != nil {
		t.Error(err)
	}
	last1 := s.Messages(telegram.Anna, "")[0]
	if last1.Shown != "new" || len(last1.Files) != 1 || !bytes.Equal(last1.Files[0].Data, png) {
		t.Errorf("seen: %+v", last1)
	}
	noViolations(t, s)

	if _, err := b.SendPhoto(t.Context(), &tgbot.SendPhotoParams{
		ChatID: telegram.Anna, Photo: &models.InputFileUpload{Filename: "x.png", Data: strings.NewReader("no picture")},
	}); err == nil || !strings.Contains(err.Error(), "IMAGE_PROCESS_FAILED") {
		t.Errorf("no picture: %v", err)
	}
	if _, err := b.SendPhoto(t.Context(), &tgbot.SendPhotoParams{
		ChatID: telegram.Anna, Photo: &models.InputFileString{Data: doc.Document.FileID},
	}); err == nil || !strings.Contains(err.Error(), "can't use file of type Document as Photo") {
		t.Errorf("document as photo: %v", err)
	}
}

func TestLibraryReactionsTypingDraftsAndCommands(t *testing.T) {
	t.Parallel()
	s := start(t, telegram.Options{TypingFor: time.Hour, DraftFor: time.Hour})
	b := library(t, s)
	m := say(t, s, sim.Say{Room: telegram.Minh, User: telegram.Minh, Text: "hi"})
	id, _ := strconv.Atoi(m.ID)
	set := func(list []models.ReactionType) error {
		_, err := b.SetMessageReaction(t.Context(), &tgbot.SetMessageReactionParams{ChatID: telegram.Minh, MessageID: id, Reaction: list})
		return err
	}
	emoji := func(e string) []models.ReactionType {
		return []models.ReactionType{{Type: models.ReactionTypeTypeEmoji, ReactionTypeEmoji: &models.ReactionTypeEmoji{Emoji: e}}}
	}
	if err := set(emoji("👀")); err != nil {
		t.Fatal(err)
	}
	if got, _ := s.Find(m.Ref); len(got.Reactions["👀"]) != 1 {
		t.Errorf("reactions: %v", got.Reactions)
	}
	if err := set([]models.ReactionType{}); err != nil {
		t.Fatal(err)
	}
	if got, _ := s.Find(m.Ref); len(got.Reactions) != 0 {
		t.Errorf("reactions: %v", got.Reactions)
	}
	if _, err := b.SendChatAction(t.Context(), &tgbot.SendChatActionParams{ChatID: telegram.Minh, Action: models.ChatActionTyping}); err != nil {
		t.Fatal(err)
	}
	if what, on := s.Typing(telegram.Minh, ""); !on || what != "typing" {
		t.Errorf("typing: %q %v", what, on)
	}
	if _, on := s.Typing(telegram.Anna, ""); on {
		t.Error("typing in another chat")
	}
	for _, text := range []string{"", "Hel", "Hello *wor*"} {
		if ok, err := b.SendMessageDraft(t.Context(), &tgbot.SendMessageDraftParams{
			ChatID: telegram.Minh, DraftID: "7", Text: text, ParseMode: models.ParseModeMarkdown,
		}); err != nil || !ok {
			t.Fatalf("draft %q: %v", text, err)
		}
	}
	if got := s.Draft(telegram.Minh, ""); got != "Hello wor" {
		t.Errorf("draft: %q", got)
	}
	if got := s.Drafts(telegram.Minh, ""); len(got) != 3 || got[0].Shown != telegram.Thinking || got[2].Text != "Hello <b>wor</b>" {
		t.Errorf("drafts: %+v", got)
	}
	if _, err := b.SendMessage(t.Context(), &tgbot.SendMessageParams{ChatID: telegram.Minh, Text: "Hello world"}); err != nil {
		t.Fatal(err)
	}
	if _, on := s.Typing(telegram.Minh, ""); on || s.Draft(telegram.Minh, "") != "" {
		t.Error("typing or draft stay after the message")
	}
	if _, err := b.SetMyCommands(t.Context(), &tgbot.SetMyCommandsParams{Commands: []models.BotCommand{{Command: "new", Description: "Start anew"}}}); err != nil {
		t.Fatal(err)
	}
	if got := s.Commands(); len(got) != 1 || got[0] != "new: Start anew" {
		t.Errorf("commands: %q", got)
	}
	noViolations(t, s)

	if err := set(emoji("✅")); err == nil || !strings.Contains(err.Error(), "REACTION_INVALID") {
		t.Errorf("unknown reaction: %v", err)
	}
	if _, err := b.SendMessageDraft(t.Context(), &tgbot.SendMessageDraftParams{ChatID: telegram.Group, DraftID: "7", Text: "x"}); err == nil ||
		!strings.Contains(err.Error(), "TEXTDRAFT_PEER_INVALID") {
		t.Errorf("draft in a group: %v", err)
	}
	if _, err := b.SendRichMessage(t.Context(), &tgbot.SendRichMessageParams{ChatID: telegram.Minh}); !errors.Is(err, tgbot.ErrorNotFound) {
		t.Errorf("a method that the server has not: %v", err)
	}
	violation(t, s, "sendRichMessage: the server has no such method")
}

func TestLibraryPolls(t *testing.T) {
	t.Parallel()
	s := start(t, telegram.Options{})
	r := newRaw(t, s)
	r.updates(obj{"allowed_updates": []string{"message", "edited_message", "message_reaction", "callback_query", "my_chat_member"}})
	m := say(t, s, sim.Say{Room: telegram.Forum, User: telegram.Anna, Text: "hi all", Files: []sim.File{{Name: "a.png", Data: picture(t, 10, 10)}}})
	sent := r.call("sendMessage", obj{
		"chat_id": telegram.Anna, "text": "x", "reply_markup": obj{"inline_keyboard": [][]obj{{{"text": "b", "callback_data": "go"}}}},
	})
	var mine message
	r.ok(sent, &mine)
	ref := sim.Ref{Room: telegram.Anna, ID: strconv.Itoa(mine.ID)}
	query, err := s.Press(ref, telegram.Anna, "go")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.React(t.Context(), m.Ref, "@tom_reed", "❤️"); err != nil {
		t.Fatal(err)
	}
	if err := s.Block(telegram.Tom, true); err != nil {
		t.Fatal(err)
	}
	got := make(chan *models.Update, 10)
	b, err := tgbot.New(s.Token(), tgbot.WithServerURL(s.APIURL()), tgbot.WithHTTPClient(3*time.Second, client(t)),
		tgbot.WithNotAsyncHandlers(), tgbot.WithDefaultHandler(func(_ ctx, _ *tgbot.Bot, u *models.Update) { got <- u }))
	if err != nil {
		t.Fatal(err)
	}
	stop := run(t, b)
	first, second, third, fourth := <-got, <-got, <-got, <-got
	stop()
	if first.Message == nil || first.Message.Caption != "hi all" || len(first.Message.Photo) != 1 || first.Message.From.ID != 5000000002 {
		t.Errorf("message: %+v", first.Message)
	}
	if second.CallbackQuery == nil || second.CallbackQuery.Data != "go" || second.CallbackQuery.Message.Message == nil {
		t.Errorf("button: %+v", second)
	}
	if r := third.MessageReaction; r == nil || len(r.OldReaction) != 0 || r.NewReaction[0].ReactionTypeEmoji.Emoji != "❤" {
		t.Errorf("reaction: %+v", third)
	}
	if m := fourth.MyChatMember; m == nil || m.NewChatMember.Type != models.ChatMemberTypeBanned || m.From.ID != 5000000003 {
		t.Errorf("blocked: %+v", fourth)
	}
	if _, err := b.AnswerCallbackQuery(t.Context(), &tgbot.AnswerCallbackQueryParams{CallbackQueryID: query, Text: "ok"}); err != nil {
		t.Fatal(err)
	}
	if text, ok := s.Answered(query); !ok || text != "ok" {
		t.Errorf("answered: %q %v", text, ok)
	}
	if _, err := b.AnswerCallbackQuery(t.Context(), &tgbot.AnswerCallbackQueryParams{CallbackQueryID: "1"}); err == nil ||
		!strings.Contains(err.Error(), "query is too old") {
		t.Errorf("unknown query: %v", err)
	}
	if _, err := b.SendMessage(t.Context(), &tgbot.SendMessageParams{ChatID: telegram.Tom, Text: "x"}); !errors.Is(err, tgbot.ErrorForbidden) ||
		!strings.Contains(err.Error(), "bot was blocked by the user") {
		t.Errorf("blocked: %v", err)
	}
	noViolations(t, s)
}

func TestLibraryLearnsOfLimits(t *testing.T) {
	t.Parallel()
	s := start(t, telegram.Options{RateScale: 1})
	b := library(t, s)
	var m *models.Message
	for i := range telegram.ChatBurst {
		var err error
		if i == 0 {
			m, err = b.SendMessage(t.Context(), &tgbot.SendMessageParams{ChatID: telegram.Minh, Text: "0"})
		} else { // edits count like sends
			_, err = b.EditMessageText(t.Context(), &tgbot.EditMessageTextParams{ChatID: telegram.Minh, MessageID: m.ID, Text: strconv.Itoa(i)})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	noViolations(t, s)
	_, err := b.SendMessage(t.Context(), &tgbot.SendMessageParams{ChatID: telegram.Minh, Text: "x"})
	tooMany, ok := errors.AsType[*tgbot.TooManyRequestsError](err)
	if !ok || tooMany.RetryAfter != 1 || !strings.Contains(tooMany.Message, "Too Many Requests: retry after 1") {
		t.Errorf("over the limit: %v", err)
	}
	violation(t, s, "sendMessage: Too Many Requests: retry after 1 (chat 5000000001: over one message a second in a chat)")

	s.Faults().Add(telegram.TooManyRequests("/sendMessage", 30, 1))
	n := len(s.Violations())
	_, err = b.SendMessage(t.Context(), &tgbot.SendMessageParams{ChatID: telegram.Anna, Text: "x"})
	if tooMany, ok := errors.AsType[*tgbot.TooManyRequestsError](err); !ok || tooMany.RetryAfter != 30 {
		t.Errorf("scripted: %v", err)
	}
	if len(s.Violations()) != n {
		t.Error("a scripted 429 counts as a violation")
	}
	s.Faults().Add(telegram.ErrorFault("/sendMessage", http.StatusBadGateway, "Bad Gateway", 1))
	if _, err = b.SendMessage(t.Context(), &tgbot.SendMessageParams{ChatID: telegram.Anna, Text: "x"}); err == nil {
		t.Error("a scripted 502 is no error")
	}
	s.Faults().Add(sim.Fault{Match: "/sendMessage", Times: 1, Cut: true, Handled: true})
	if _, err = b.SendMessage(t.Context(), &tgbot.SendMessageParams{ChatID: telegram.Anna, Text: "lost answer"}); err == nil {
		t.Error("a cut connection is no error")
	}
	if all := s.Messages(telegram.Anna, ""); len(all) != 1 || all[0].Shown != "lost answer" {
		t.Errorf("a handled call took no effect: %+v", all)
	}
}

func TestLibraryGroupUpgrade(t *testing.T) {
	t.Parallel()
	s := start(t, telegram.Options{})
	b := library(t, s)
	to, err := s.Upgrade(telegram.Group)
	if err != nil || to != "-1004000000001" {
		t.Fatal(to, err)
	}
	_, err = b.SendMessage(t.Context(), &tgbot.SendMessageParams{ChatID: telegram.Group, Text: "x"})
	if m, ok := errors.AsType[*tgbot.MigrateError](err); !ok || strconv.Itoa(m.MigrateToChatID) != to {
		t.Errorf("old chat: %v", err)
	}
	if _, err := b.SendMessage(t.Context(), &tgbot.SendMessageParams{ChatID: to, Text: "x"}); err != nil {
		t.Errorf("new chat: %v", err)
	}
	us := newRaw(t, s).updates(obj{})
	if len(us) != 2 || us[0].Message.MigrateTo != -1004000000001 {
		t.Errorf("updates: %+v", us)
	}
	for _, p := range s.Places() {
		if p.Room == telegram.Group {
			t.Error("the old group is still a place")
		}
	}
}
