package slack_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"

	slackgo "github.com/slack-go/slack"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/slack"
)

func noise(n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(b)
	return b
}

// privateURLs are the download addresses of a message's files, as history tells them.
func privateURLs(t *testing.T, s *slack.Server, room string) []slackgo.File {
	t.Helper()
	h, err := client(s).GetConversationHistoryContext(t.Context(), &slackgo.GetConversationHistoryParameters{ChannelID: room, Limit: 1})
	if err != nil || len(h.Messages) != 1 {
		t.Fatalf("history: %v", err)
	}
	return h.Messages[0].Files
}

func TestDownload(t *testing.T) {
	s := start(t, slack.Options{})
	data := noise(300_000)
	say(t, s, sim.Say{Files: []sim.File{{Name: "báo cáo (1).pdf", Data: data}, {Name: "x.png", MIME: "image/png", Data: data[:10]}}})
	files := privateURLs(t, s, slack.General)
	if len(files) != 2 || files[0].Name != "báo cáo (1).pdf" || files[0].Mimetype != "application/pdf" || files[0].Size != len(data) || files[1].Mimetype != "image/png" {
		t.Fatalf("files %+v", files)
	}
	for _, url := range []string{files[0].URLPrivate, files[0].URLPrivateDownload} {
		var got bytes.Buffer
		if err := client(s).GetFileContext(t.Context(), url, &got); err != nil || !bytes.Equal(got.Bytes(), data) {
			t.Errorf("%s: %d bytes, %v", url, got.Len(), err)
		}
	}
	// Without the right token the library is led to the sign-in page, and says so.
	stranger := slackgo.New("xoxb-no", slackgo.OptionAPIURL(s.APIURL()+"/"), slackgo.OptionHTTPClient(httpClient()))
	if err := stranger.GetFileContext(t.Context(), files[0].URLPrivate, io.Discard); err == nil || !strings.Contains(err.Error(), "sign-in") {
		t.Errorf("wrong token: %v", err)
	}
	info, _, _, err := client(s).GetFileInfoContext(t.Context(), files[1].ID, 0, 0)
	if err != nil || info.Name != "x.png" || len(info.Shares.Public[slack.General]) != 1 {
		t.Errorf("files.info: %+v, %v", info, err)
	}
	_, _, _, err = client(s).GetFileInfoContext(t.Context(), "F404", 0, 0)
	wantErr(t, err, "file_not_found")
	wantClean(t, s)
}

func TestDownloadNeedsScope(t *testing.T) {
	s := start(t, slack.Options{Scopes: []string{"channels:history"}})
	say(t, s, sim.Say{Files: []sim.File{{Name: "a.txt", Data: []byte("secret")}}})
	if err := client(s).GetFileContext(t.Context(), privateURLs(t, s, slack.General)[0].URLPrivate, io.Discard); err == nil || !strings.Contains(err.Error(), "sign-in") {
		t.Errorf("without files:read: %v", err)
	}
}

func TestUpload(t *testing.T) {
	s := start(t, slack.Options{})
	api, ctx := client(s), t.Context()
	data := noise(200_000)
	q := say(t, s, sim.Say{Text: "draw"})
	if _, err := api.UploadFileContext(ctx, slackgo.UploadFileParameters{
		Filename: "plot.png", FileSize: len(data), Reader: bytes.NewReader(data), Title: "The plot", Channel: slack.General,
		ThreadTimestamp: q.ID, InitialComment: "here is *it*",
	}); err != nil {
		t.Fatal(err)
	}
	got := s.Messages(slack.General, q.ID)
	if len(got) != 2 || !got[1].Bot || got[1].Shown != "here is it" || len(got[1].Files) != 1 ||
		got[1].Files[0].Name != "plot.png" || got[1].Files[0].MIME != "image/png" || !bytes.Equal(got[1].Files[0].Data, data) {
		t.Errorf("thread %+v", got)
	}

	var ids []slackgo.FileSummary
	for _, name := range []string{"a.txt", "b.txt"} {
		u, err := api.GetUploadURLExternalContext(ctx, slackgo.GetUploadURLExternalParameters{FileName: name, FileSize: 5})
		if err != nil {
			t.Fatal(err)
		}
		if err := api.UploadToURL(ctx, slackgo.UploadToURLParameters{UploadURL: u.UploadURL, Filename: name, Content: "hello"}); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, slackgo.FileSummary{ID: u.FileID})
	}
	if _, err := api.CompleteUploadExternalContext(ctx, slackgo.CompleteUploadExternalParameters{Files: ids, Channel: slack.Support}); err != nil {
		t.Fatal(err)
	}
	if m := s.Messages(slack.Support, ""); len(m) != 1 || len(m[0].Files) != 2 {
		t.Errorf("two files in one message: %+v", m)
	}
	wantClean(t, s)
}

func TestUploadRefusals(t *testing.T) {
	s := start(t, slack.Options{MaxFileBytes: 1000})
	for _, tc := range []struct {
		name string
		args []string
		want string
	}{
		{"no name", []string{"length", "5"}, "invalid_arguments"},
		{"no length", []string{"filename", "x"}, "invalid_arguments"},
		{"too large", []string{"filename", "x", "length", "1001"}, "file_upload_size_restricted"},
	} {
		if r := call(t, s, "files.getUploadURLExternal", tc.args...); r.err() != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, r.err(), tc.want)
		}
	}
	u := call(t, s, "files.getUploadURLExternal", "filename", "x.txt", "length", "5")
	put := func(body string) int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, u.str("upload_url"), strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := httpClient().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	files := `[{"id":"` + u.str("file_id") + `"}]`
	if r := call(t, s, "files.completeUploadExternal", "files", files, "channel_id", slack.General); r.err() != "file_not_found" {
		t.Errorf("completed before the upload: %q", r.err())
	}
	if code := put("12345678"); code != http.StatusBadRequest {
		t.Errorf("another size than announced: %d", code)
	}
	if code := put("12345"); code != http.StatusOK {
		t.Errorf("raw upload: %d", code)
	}
	if code := put("12345"); code != http.StatusNotFound {
		t.Errorf("second upload: %d", code)
	}
	md := `[{"type":"markdown","text":"x"}]`
	for _, tc := range []struct{ arg, value, want string }{
		{"blocks", md, "internal_error"},
		{"channel_id", "C404", "channel_not_found"},
		{"thread_ts", "1.000001", "thread_not_found"},
		{"files", "[]", "invalid_arguments"},
	} {
		args := []string{"files", files, "channel_id", slack.General, tc.arg, tc.value}
		if r := call(t, s, "files.completeUploadExternal", args...); r.err() != tc.want {
			t.Errorf("%s: %q, want %q", tc.arg, r.err(), tc.want)
		}
	}
	if n := len(s.Messages(slack.General, "")); n != 0 {
		t.Errorf("%d messages after refusals only", n)
	}
}

func TestOldFilesGo(t *testing.T) {
	s := start(t, slack.Options{MaxAllFileBytes: 100})
	say(t, s, sim.Say{Files: []sim.File{{Name: "old.bin", Data: noise(80)}}})
	old := privateURLs(t, s, slack.General)[0]
	say(t, s, sim.Say{Files: []sim.File{{Name: "new.bin", Data: noise(80)}}})
	if err := client(s).GetFileContext(t.Context(), old.URLPrivate, io.Discard); err == nil {
		t.Error("the old file is still there")
	}
	if err := client(s).GetFileContext(t.Context(), privateURLs(t, s, slack.General)[0].URLPrivate, io.Discard); err != nil {
		t.Error(err)
	}
}

func TestReactions(t *testing.T) {
	s := start(t, slack.Options{CustomEmoji: []string{"party-parrot"}})
	api, ctx := client(s), t.Context()
	m := say(t, s, sim.Say{Text: "react"})
	at := slackgo.NewRefToMessage(slack.General, m.ID)
	for _, name := range []string{"eyes", "party-parrot", "+1::skin-tone-3"} {
		if err := api.AddReactionContext(ctx, name, at); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	wantErr(t, api.AddReactionContext(ctx, "eyes", at), "already_reacted")
	wantErr(t, api.RemoveReactionContext(ctx, "tada", at), "no_reaction")
	wantErr(t, api.AddReactionContext(ctx, "eyes", slackgo.NewRefToMessage(slack.General, "1.000001")), "message_not_found")
	wantClean(t, s)
	wantErr(t, api.AddReactionContext(ctx, "👀", at), "invalid_name")
	wantErr(t, api.AddReactionContext(ctx, "eyes", slackgo.ItemRef{}), "no_item_specified")
	wantErr(t, api.AddReactionContext(ctx, "eyes", slackgo.NewRefToMessage(slack.General, "x")), "bad_timestamp")
	if err := s.React(ctx, m.Ref, slack.Tom, "👀"); err != nil {
		t.Fatal(err)
	}
	if err := s.React(ctx, m.Ref, slack.Tom, "👀"); err == nil {
		t.Error("reacted twice")
	}
	if err := s.React(ctx, m.Ref, slack.Tom, "not an emoji"); err == nil {
		t.Error("reacted with text")
	}
	got := find(t, s, slack.General, m.ID).Reactions
	if !slices.Equal(got["👀"], []string{s.BotUserID(), slack.Tom}) || len(got[":party-parrot:"]) != 1 || len(got["👍🏼"]) != 1 {
		t.Errorf("reactions %q", got)
	}
	item, err := api.GetReactionsContext(ctx, at, slackgo.NewGetReactionsParameters())
	if err != nil || len(item.Reactions) != 3 || item.Reactions[0].Count != 2 {
		t.Errorf("reactions.get: %+v, %v", item, err)
	}
	if err := api.RemoveReactionContext(ctx, "eyes", at); err != nil {
		t.Error(err)
	}
	if err := s.Unreact(ctx, m.Ref, slack.Tom, "👀"); err != nil {
		t.Error(err)
	}
	if err := s.Unreact(ctx, m.Ref, slack.Tom, "👀"); err == nil {
		t.Error("took back what was not there")
	}
	if left := find(t, s, slack.General, m.ID).Reactions["👀"]; len(left) != 0 {
		t.Errorf("left %q", left)
	}
}
