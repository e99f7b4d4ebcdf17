package core_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clickai/bridge/core"
)

var idsOfOne = core.Delta{Kind: core.DeltaIDs, Conversation: "c1", MessageID: "m1", TaskID: "t1"}

func text(s string) core.Delta    { return core.Delta{Kind: core.DeltaText, Text: s} }
func replace(s string) core.Delta { return core.Delta{Kind: core.DeltaReplace, Text: s} }
func step(s string) core.Delta    { return core.Delta{Kind: core.DeltaStep, Text: s} }

func thought(id, text string, tools ...core.Tool) core.Delta {
	return core.Delta{Kind: core.DeltaThought, Thought: core.Thought{ID: id, Text: text, Tools: tools}}
}

func file(name string) core.Delta {
	return core.Delta{Kind: core.DeltaFile, File: core.FileOut{ID: name, Type: core.FileImage, File: core.File{
		Name: name, Size: 1, Open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("x")), nil },
	}}}
}

// slowly answers with the deltas, one every two seconds, so that each state is shown.
func slowly(ds ...core.Delta) func(context.Context, core.Question) iter.Seq2[core.Delta, error] {
	return func(ctx context.Context, _ core.Question) iter.Seq2[core.Delta, error] {
		return func(yield func(core.Delta, error) bool) {
			for _, d := range append([]core.Delta{idsOfOne}, ds...) {
				select {
				case <-time.After(2 * time.Second):
				case <-ctx.Done():
					yield(core.Delta{}, ctx.Err())
					return
				}
				if !yield(d, nil) {
					return
				}
			}
			yield(core.Delta{Kind: core.DeltaEnd}, nil)
		}
	}
}

// versions is all that one message showed.
func (r *rig) versions(i int) []string {
	r.t.Helper()
	msgs := r.chat.all()
	if len(msgs) <= i {
		r.t.Fatalf("%d messages, want one more", len(msgs))
	}
	return msgs[i].versions
}

func TestThoughtsAsSet(t *testing.T) {
	search := core.Tool{Name: "web_search", Labels: map[string]string{"en_US": "Web search", "vi_VN": "Tìm trên web"}}
	answer := slowly(thought("1", ""), thought("2", "Let me\nsee."), thought("2", "Let me\nsee.", search), step("Search the *shop*"), text("Yes."), thought("3", "late", search), text(" Sir."))
	tests := []struct {
		thoughts, language string
		want               []string
	}{
		{"status", "en", []string{"*Working …*", "*Thinking …*", "*Using Web search …*", `*Search the \*shop\* …*`, "Yes.", "Yes.\n\n*Using Web search …*", "Yes. Sir."}},
		{"status", "vi", []string{"*Đang xử lý …*", "*Đang suy nghĩ …*", "*Đang dùng Tìm trên web …*", `*Search the \*shop\* …*`, "Yes.", "Yes.\n\n*Đang dùng Tìm trên web …*", "Yes. Sir."}},
		{"off", "en", []string{"Yes.", "Yes. Sir."}},
		{"full", "en", []string{
			"> Let me\n> see.", "> Let me\n> see.\n> 🔧 Web search", "> Let me\n> see.\n> 🔧 Web search\n\n*Search the \\*shop\\* …*",
			"> Let me\n> see.\n> 🔧 Web search\n\nYes.", "> Let me\n> see.\n> 🔧 Web search\n\n> late\n> 🔧 Web search\n\nYes.", "> Let me\n> see.\n> 🔧 Web search\n\n> late\n> 🔧 Web search\n\nYes. Sir.",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.thoughts+" "+tt.language, func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				r.set.Show.Thoughts, r.set.Language = tt.thoughts, tt.language
				r.app.answer = answer
				r.start()
				r.accept(r.message("hi"))
				settle(time.Minute)
				if got := r.versions(0); !slices.Equal(got, tt.want) {
					t.Errorf("showed\n%q, want\n%q", got, tt.want)
				}
			})
		})
	}
}

func TestThoughtTakenBack(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.set.Show.Thoughts = "full"
		r.app.answer = deltas(idsOfOne, thought("1", "bad"), text("bad"), thought("1", ""), replace("removed"), core.Delta{Kind: core.DeltaEnd})
		r.start()
		r.accept(r.message("hi"))
		settle(time.Minute)
		if got := r.chat.texts(); !slices.Equal(got, []string{"removed"}) {
			t.Errorf("shows %q", got)
		}
	})
}

func TestThoughtsAreBounded(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.chat.most = 1 << 20
		r.set.Show.Thoughts = "full"
		ds := []core.Delta{idsOfOne}
		for i := range 100 {
			ds = append(ds, thought(fmt.Sprint(i), strings.Repeat("hm ", 10_000)))
		}
		r.app.answer = deltas(append(ds, text("Yes."), core.Delta{Kind: core.DeltaEnd})...)
		r.start()
		r.accept(r.message("hi"))
		settle(time.Minute)
		got := strings.Join(r.chat.texts(), "")
		if len(got) > 200<<10 || !strings.HasSuffix(got, "\n\nYes.") {
			t.Errorf("shows %d bytes ending in %q", len(got), got[max(0, len(got)-20):])
		}
	})
}

// TestReplaceAfterMuchText has moderation replace an answer that was rolled over, and the app go on after it.
func TestReplaceAfterMuchText(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.app.answer = slowly(text(strings.Repeat("bad ", 1000)), replace("removed"), text(" and on"))
		r.start()
		r.accept(r.message("hi"))
		settle(5 * time.Second)
		if got := r.chat.texts(); len(got) < 3 {
			t.Fatalf("%d messages before, want the answer to be rolled over", len(got))
		}
		settle(time.Minute)
		if got := r.chat.texts(); !slices.Equal(got, []string{"removed and on"}) {
			t.Errorf("shows %q, want the replacement alone", got)
		}
	})
}

func TestSourcesUnderTheAnswer(t *testing.T) {
	many := make([]core.Source, 13)
	for i := range many {
		many[i] = core.Source{Position: i + 1, Document: fmt.Sprint("d", i+1)}
	}
	tests := []struct {
		name     string
		language string
		show     bool
		sources  []core.Source
		want     string
	}{
		{name: "off", sources: many},
		{name: "each document once, with its numbers and pages", show: true, sources: []core.Source{
			{Position: 1, ID: "a", Document: "war_ranty.md", Dataset: "Docs", Page: 7},
			{Position: 2, ID: "b", Document: "terms.pdf"},
			{Position: 3, ID: "a", Document: "war_ranty.md", Page: 3},
			{Position: 4, ID: "a", Document: "war_ranty.md", Page: 3},
		}, want: "> *Sources*\n> 1, 3, 4\\. war\\_ranty\\.md, p. 3, 7\n> 2\\. terms\\.pdf"},
		{name: "same name, another document", show: true, sources: []core.Source{{ID: "a", Document: "x"}, {ID: "b", Document: "x"}}, want: "> *Sources*\n> 1\\. x\n> 2\\. x"},
		{name: "dataset where there is no document", show: true, language: "vi", sources: []core.Source{{Dataset: "Sổ tay"}, {Dataset: "Sổ tay"}, {}, {Document: "a", Page: 2}}, want: "> *Nguồn*\n> 1\\. Sổ tay\n> 2\\. a, tr. 2"},
		{name: "more than are named", show: true, sources: many, want: "> *Sources*\n> 1\\. d1\n> 2\\. d2\n> 3\\. d3\n> 4\\. d4\n> 5\\. d5\n> 6\\. d6\n> 7\\. d7\n> 8\\. d8\n> 9\\. d9\n> 10\\. d10\n> *+3 more*"},
		{name: "none", show: true, sources: []core.Source{{}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				r.set.Show.Sources = tt.show
				if tt.language != "" {
					r.set.Language = tt.language
				}
				r.app.answer = deltas(idsOfOne, text("Yes [1]."), core.Delta{Kind: core.DeltaSources, Sources: tt.sources}, core.Delta{Kind: core.DeltaEnd})
				r.start()
				r.accept(r.message("hi"))
				settle(time.Minute)
				want := "Yes [1]."
				if tt.want != "" {
					want += "\n\n" + tt.want
				}
				if got := r.chat.texts(); !slices.Equal(got, []string{want}) {
					t.Errorf("shows %q, want %q", got, want)
				}
			})
		})
	}
}

func TestUsageUnderTheAnswer(t *testing.T) {
	tests := []struct {
		name     string
		language string
		usage    core.Usage
		want     string
	}{
		{name: "all", language: "en", usage: core.Usage{TotalTokens: 145, Price: "0.0012000", Currency: "USD", Latency: 1234 * time.Millisecond}, want: `*145 tokens · 0\.0012 USD · 1.2 s*`},
		{name: "in Vietnamese", language: "vi", usage: core.Usage{TotalTokens: 145, Latency: time.Millisecond}, want: `*145 token · 0.1 giây*`},
		{name: "no price", language: "en", usage: core.Usage{TotalTokens: 1, Price: "0.0000", Currency: "USD"}, want: `*1 tokens*`},
		{name: "price alone", language: "en", usage: core.Usage{Price: "2", Currency: "VND"}, want: `*2 VND*`},
		{name: "what is no price", language: "en", usage: core.Usage{Price: "free", Currency: "VND"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				r.set.Show.Usage, r.set.Language = true, tt.language
				r.app.answer = deltas(idsOfOne, text("Yes."), core.Delta{Kind: core.DeltaUsage, Usage: tt.usage}, core.Delta{Kind: core.DeltaEnd})
				r.start()
				r.accept(r.message("hi"))
				settle(time.Minute)
				want := "Yes."
				if tt.want != "" {
					want += "\n\n" + tt.want
				}
				if got := r.chat.texts(); !slices.Equal(got, []string{want}) {
					t.Errorf("shows %q, want %q", got, want)
				}
			})
		})
	}
}

// TestPausedForms has two forms wait in a row under the answer.
func TestPausedForms(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		said := func(title string) core.Delta {
			return core.Delta{Kind: core.DeltaNotice, Notice: core.Notice{Kind: core.NoticePaused, Detail: title}}
		}
		r.app.answer = deltas(idsOfOne, text("> Please check."), said("Manager approves"), said(""), core.Delta{Kind: core.DeltaEnd})
		r.start()
		r.accept(r.message("hi"))
		settle(time.Minute)
		want := "> Please check.\n\n⏸️ This waits for a person in ClickAI: Manager approves\n\n⏸️ This waits for a person in ClickAI"
		if got := r.chat.texts(); !slices.Equal(got, []string{want}) {
			t.Errorf("shows %q, want %q", got, want)
		}
	})
}

func TestFilesOnceAndNotTooMany(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		ds := []core.Delta{idsOfOne, text("Here.")}
		for i := range 25 {
			ds = append(ds, file(fmt.Sprint(i, ".png")), file(fmt.Sprint(i, ".png")))
		}
		r.app.answer = deltas(append(ds, core.Delta{Kind: core.DeltaEnd})...)
		r.start()
		r.accept(r.message("hi"))
		settle(time.Minute)
		var names []string
		shows := ""
		for _, m := range r.chat.all() { // files go beside the text: which comes first is open
			if m.file != nil {
				names = append(names, m.versions[0])
			} else {
				shows += m.versions[len(m.versions)-1]
			}
		}
		if len(names) != 20 || names[0] != "0.png" || names[19] != "19.png" {
			t.Errorf("%d files: %q", len(names), names)
		}
		if want := "Here.\n\n📎 20\\.png was left out\\: at most 20 files at a time"; shows != want {
			t.Errorf("shows %q, want %q", shows, want)
		}
	})
}

// TestFilesAfterARestart has the bridge end after the first of two files: the next one sends the second alone.
func TestFilesAfterARestart(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.grace = time.Millisecond
		r.app.answer = func(ctx context.Context, q core.Question) iter.Seq2[core.Delta, error] {
			if q.Retried {
				return deltas(idsOfOne, file("a.png"), file("b.png"), replace("Here."), core.Delta{Kind: core.DeltaEnd})(ctx, q)
			}
			return func(yield func(core.Delta, error) bool) {
				_ = yield(idsOfOne, nil) && yield(text("Here."), nil) && yield(file("a.png"), nil)
				<-ctx.Done()
				yield(core.Delta{}, ctx.Err())
			}
		}
		r.start()
		r.accept(r.message("hi"))
		settle(10 * time.Second)
		r.restart()
		settle(time.Minute)
		var names []string
		for _, m := range r.chat.all() {
			if m.file != nil {
				names = append(names, m.versions[0])
			}
		}
		if !slices.Equal(names, []string{"a.png", "b.png"}) {
			t.Errorf("files = %q, want each once", names)
		}
	})
}

// TestWaitIsTold has the app wait long for its turn at ClickAI: a line says so, and goes when the answer comes.
func TestWaitIsTold(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.app.answer = func(context.Context, core.Question) iter.Seq2[core.Delta, error] {
			return func(yield func(core.Delta, error) bool) {
				if !yield(core.Delta{Kind: core.DeltaWaiting, Wait: 40 * time.Second}, nil) {
					return
				}
				<-time.After(40 * time.Second)
				_ = yield(idsOfOne, nil) && yield(text("Yes."), nil) && yield(core.Delta{Kind: core.DeltaEnd}, nil)
			}
		}
		r.start()
		r.accept(r.message("hi"))
		settle(5 * time.Second)
		if got := r.chat.texts(); len(got) != 1 || !strings.Contains(got[0], "longer than usual") {
			t.Errorf("shows %q after 5 s, want the line about the wait", got)
		}
		settle(time.Minute)
		if got := r.chat.texts(); !slices.Equal(got, []string{"Yes."}) {
			t.Errorf("shows %q at the end", got)
		}
	})
}

// wav is a file of PCM samples; size is what its header says of them.
func wav(size uint32, samples string) []byte {
	b := []byte("RIFF\xff\xff\xff\xffWAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x80\x3e\x00\x00\x00\x7d\x00\x00\x02\x00\x10\x00LIST\x03\x00\x00\x00abc\x00data")
	return append(binary.LittleEndian.AppendUint32(b, size), samples...)
}

func TestVoiceIsOneFile(t *testing.T) {
	frame := "\xff\xfb\x90\xc4" + strings.Repeat("\x55", 413) // MPEG-1 layer III, 128 kbit/s, 44.1 kHz
	info := "\xff\xfb\x90\xc4" + strings.Repeat("\x00", 17) + "Info" + strings.Repeat("\x00", 392)
	tag := "ID3\x04\x00\x00\x00\x00\x00\x05hello"
	joined := append(bytes.Replace(wav(12, "")[:36], []byte("\xff\xff\xff\xff"), []byte{36 + 12, 0, 0, 0}, 1), "data\x0c\x00\x00\x00aabbccddeeff"...)
	tests := []struct {
		name   string
		chunks []string
		file   string
		want   string
	}{
		{name: "mp3", chunks: []string{frame, frame}, file: "answer.mp3", want: frame + frame},
		{name: "mp3 cut anywhere", chunks: []string{tag + frame[:100], frame[100:] + frame}, file: "answer.mp3", want: tag + frame + frame},
		{name: "mp3 of several files", chunks: []string{tag + info + frame, tag + info + frame}, file: "answer.mp3", want: tag + frame + frame},
		{name: "what is not known", chunks: []string{"noise", "more"}, file: "answer.mp3", want: "noisemore"},
		{name: "wav of several files", chunks: []string{string(wav(4, "aabb")), string(wav(0xFFFFFFFF, "ccdd")), string(wav(0, "eeff"))}, file: "answer.wav", want: string(joined)},
		{name: "wav in pieces", chunks: []string{string(wav(12, "aabb")), "ccdd", "eeff"}, file: "answer.wav", want: string(joined)},
		{name: "ogg", chunks: []string{"OggS\x00\x02one", "OggS\x00\x04two"}, file: "answer.ogg", want: "OggS\x00\x02oneOggS\x00\x04two"},
		{name: "flac", chunks: []string{"fLaC", "x"}, file: "answer.flac", want: "fLaCx"},
		{name: "aac", chunks: []string{"\xff\xf1\x50", "x"}, file: "answer.aac", want: "\xff\xf1\x50x"},
		{name: "mp4", chunks: []string{"\x00\x00\x00\x18ftypM4A ", "x"}, file: "answer.m4a", want: "\x00\x00\x00\x18ftypM4A x"},
	}
	for _, tt := range tests {
		for _, show := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, %v", tt.name, show), func(t *testing.T) {
				bubble(t, func(t *testing.T, r *rig) {
					r.set.Show.Voice = show
					ds := []core.Delta{idsOfOne, text("Yes.")}
					for _, c := range tt.chunks {
						ds = append(ds, core.Delta{Kind: core.DeltaAudio, Audio: []byte(c)})
					}
					r.app.answer = deltas(append(ds, core.Delta{Kind: core.DeltaEnd})...)
					r.start()
					r.accept(r.message("hi"))
					settle(time.Minute)
					msgs := r.chat.all()
					if !show {
						if len(msgs) != 1 {
							t.Errorf("%d messages, want the text alone", len(msgs))
						}
						return
					}
					if len(msgs) != 2 || msgs[1].versions[0] != tt.file || string(msgs[1].file) != tt.want {
						t.Fatalf("%d messages, the last %q:\n%q, want %q:\n%q", len(msgs), msgs[len(msgs)-1].versions, msgs[len(msgs)-1].file, tt.file, tt.want)
					}
				})
			})
		}
	}
}

func TestVoiceIsBounded(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		ds := []core.Delta{idsOfOne, text("Yes.")}
		for range 30 {
			ds = append(ds, core.Delta{Kind: core.DeltaAudio, Audio: bytes.Repeat([]byte{1}, 1<<20)})
		}
		r.app.answer = deltas(append(ds, core.Delta{Kind: core.DeltaEnd})...)
		r.start()
		r.accept(r.message("hi"))
		settle(time.Minute)
		msgs := r.chat.all()
		if last := msgs[len(msgs)-1]; len(last.file) != 25<<20 {
			t.Errorf("%d bytes of speech, want what fits", len(last.file))
		}
	})
}

// TestCodeThatBreaksOff has an answer end within code: what is said under it is not code.
func TestCodeThatBreaksOff(t *testing.T) {
	const line = "⏹️ Stopped."
	for answer, closing := range map[string]string{
		"a\n\n```go\nx":               "\n```",
		"a\n\n   ~~~~\nx\n~~~":        "\n   ~~~~",
		"```\nx\n```":                 "",
		"```\nx\n```\n\n```py\ny\n``": "\n```",
		"`` ` ``":                     "",
		"```a``` b":                   "",
		"    ```\nx":                  "",
	} {
		bubble(t, func(t *testing.T, r *rig) {
			r.app.answer = func(_ context.Context, _ core.Question) iter.Seq2[core.Delta, error] {
				return func(yield func(core.Delta, error) bool) {
					_ = yield(idsOfOne, nil) && yield(text(answer), nil) && yield(core.Delta{}, core.ErrStopped)
				}
			}
			r.start()
			r.accept(r.message("hi"))
			settle(time.Minute)
			got := r.chat.texts()
			if len(got) != 1 || !strings.HasPrefix(got[0], answer+closing+"\n\n"+line) {
				t.Errorf("shows %q, want %q closed by %q", got, answer, closing)
			}
		})
	}
}
