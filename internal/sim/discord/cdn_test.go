package discord_test

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bwmarrin/discordgo"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/discord"
)

func attachmentURL(t *testing.T, s *discord.Server, m sim.Message) string {
	t.Helper()
	var got discordgo.Message
	call(t, s, "GET", "/channels/"+m.Room+"/messages/"+m.ID, nil).ok(t).into(t, &got)
	if len(got.Attachments) == 0 {
		t.Fatal("no attachment")
	}
	return got.Attachments[0].URL
}

func download(t *testing.T, url string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return send(t, req)
}

func noise(n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(b)
	return b
}

func TestAttachmentsDown(t *testing.T) {
	t.Parallel()
	s := start(t, fast())
	c := connect(t, s)
	data := noise(1 << 20)
	say(t, s, sim.Say{Room: discord.DMMinh, User: "Minh", Text: "read this", Files: []sim.File{{Name: "my report.pdf", MIME: "application/pdf", Data: data}}})
	m := c.message(t, "MESSAGE_CREATE")
	a := m.Attachments[0]
	if a.Filename != "my_report.pdf" || a.ContentType != "application/pdf" || a.Size != len(data) || !strings.HasPrefix(a.URL, "http://127.0.0.1:") ||
		!strings.Contains(a.URL, "?ex=") || !strings.Contains(a.URL, "&hm=") {
		t.Errorf("attachment %+v", a)
	}
	got := download(t, a.URL)
	if got.status != 200 || !bytes.Equal(got.body, data) || got.header.Get("Content-Type") != "application/pdf" {
		t.Errorf("download: %d, %d bytes, %s", got.status, len(got.body), got.header.Get("Content-Type"))
	}
	if bad := download(t, strings.Replace(a.URL, "&hm=", "&hm=0", 1)); bad.status != 404 {
		t.Errorf("a wrong signature gave %d", bad.status)
	}
	if bad := download(t, strings.Split(a.URL, "?")[0]); bad.status != 404 {
		t.Errorf("no signature gave %d", bad.status)
	}
	clean(t, s)
	req, err := http.NewRequestWithContext(t.Context(), "GET", a.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bot "+s.Token())
	send(t, req)
	violated(t, s, "token was sent to the CDN")
}

func TestAttachmentsExpire(t *testing.T) {
	t.Parallel()
	s := start(t, discord.Options{AttachmentTTL: -time.Millisecond})
	m := say(t, s, sim.Say{Room: discord.General, User: "Tom", Files: []sim.File{{Name: "a.txt", Data: []byte("x")}}})
	u := attachmentURL(t, s, m)
	if got := download(t, u); got.status != 404 {
		t.Errorf("an expired link gave %d", got.status)
	}
}

func TestLibraryUploads(t *testing.T) {
	t.Parallel()
	s := start(t, fast())
	c := library(t, s)
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 7, 5))); err != nil {
		t.Fatal(err)
	}
	want := noise(300_000)
	m, err := c.ChannelMessageSendComplex(discord.General, &discordgo.MessageSend{
		Content: "two files", Embeds: []*discordgo.MessageEmbed{}, Components: []discordgo.MessageComponent{}, StickerIDs: []string{},
		Files: []*discordgo.File{
			{Name: "a.bin", ContentType: "application/octet-stream", Reader: bytes.NewReader(want)},
			{Name: "b.png", ContentType: "image/png", Reader: bytes.NewReader(picture.Bytes())},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Attachments) != 2 || m.Attachments[1].Width != 7 || m.Attachments[1].Height != 5 {
		t.Fatalf("attachments %+v", m.Attachments)
	}
	if got := download(t, m.Attachments[0].URL); !bytes.Equal(got.body, want) {
		t.Error("the file came back changed")
	}
	seen := s.Messages(discord.General, "")[0]
	if len(seen.Files) != 2 || !bytes.Equal(seen.Files[0].Data, want) || seen.Files[1].Name != "b.png" {
		t.Errorf("people see %d files", len(seen.Files))
	}
	// An edit keeps the files unless it lists those to keep.
	edit := discordgo.NewMessageEdit(discord.General, m.ID).SetContent("still two")
	if got, err := c.ChannelMessageEditComplex(edit); err != nil || len(got.Attachments) != 2 {
		t.Errorf("edit: %v %v", got, err)
	}
	edit.Attachments = &[]*discordgo.MessageAttachment{m.Attachments[1]}
	if got, err := c.ChannelMessageEditComplex(edit); err != nil || len(got.Attachments) != 1 || got.Attachments[0].Filename != "b.png" {
		t.Errorf("edit: %v %v", got, err)
	}
	if got := download(t, m.Attachments[0].URL); got.status != 404 {
		t.Errorf("a removed file is still there: %d", got.status)
	}
	clean(t, s)
}

func form(t *testing.T, s *discord.Server, files int, size int, payload string) answer {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	if payload != "" {
		_ = w.WriteField("payload_json", payload)
	}
	for i := range files {
		part, err := w.CreateFormFile("files["+string(rune('0'+i%10))+"]", "f.bin")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = part.Write(noise(size))
	}
	_ = w.Close()
	req, err := http.NewRequestWithContext(t.Context(), "POST", s.APIURL()+"/channels/"+discord.General+"/messages", &b)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", w.FormDataContentType())
	req.Header.Set("Authorization", "Bot "+s.Token())
	return send(t, req)
}

func TestUploadLimits(t *testing.T) {
	t.Parallel()
	s := start(t, discord.Options{RateScale: 1e-9, MaxFile: 1000, MaxRequest: 10000})
	form(t, s, 10, 10, "").ok(t)
	form(t, s, 1, 1000, `{"attachments":[{"id":0,"filename":"named.txt","description":"a file"}]}`).ok(t)
	if m := s.Messages(discord.General, "")[1]; m.Files[0].Name != "named.txt" {
		t.Errorf("file is named %q", m.Files[0].Name)
	}
	clean(t, s)
	form(t, s, 11, 10, "").fails(t, 400, 50035)
	form(t, s, 1, 1001, "").fails(t, 413, 40005)
	form(t, s, 9, 990, `{"content":"`+strings.Repeat("x", 1900)+`"}`).fails(t, 413, 40005)
	form(t, s, 1, 10, "{").fails(t, 400, 50109)
	s.Deny(discord.General, discord.AttachFiles)
	form(t, s, 1, 10, "").fails(t, 403, 50013)
	if v := s.Violations(); len(v) != 4 {
		t.Errorf("violations %q", v)
	}
}

func TestStoredFilesAreBounded(t *testing.T) {
	t.Parallel()
	s := start(t, discord.Options{MaxStored: 1000})
	old := say(t, s, sim.Say{Room: discord.General, User: "Tom", Files: []sim.File{{Name: "a", Data: noise(600)}}})
	young := say(t, s, sim.Say{Room: discord.General, User: "Tom", Files: []sim.File{{Name: "b", Data: noise(600)}}})
	if a := download(t, attachmentURL(t, s, old)); a.status != 404 {
		t.Errorf("the oldest file is still there: %d", a.status)
	}
	if a := download(t, attachmentURL(t, s, young)); a.status != 200 {
		t.Errorf("the newest file: %d", a.status)
	}
	_, err := s.Say(t.Context(), sim.Say{Room: discord.General, User: "Tom", Files: []sim.File{{Data: noise(11 << 20)}}})
	if err == nil || errors.Unwrap(err) == nil {
		t.Errorf("a person sent 11 MiB: %v", err)
	}
}
