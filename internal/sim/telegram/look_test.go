package telegram_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	tgbot "github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/telegram"
)

func TestLook(t *testing.T) {
	t.Parallel()
	s := start(t, telegram.Options{})
	bot := library(t, s)
	for _, tt := range []struct{ name, html, want string }{
		{"plain", "a", "\"a\"\n"},
		{"lines", "a\n\n  b", "\"a\"\n\n\"  b\"\n"},
		{
			"styles", "a <b>b <i>c</i></b> <u>d</u><s>e</s><code>f</code> <tg-spoiler>g</tg-spoiler>",
			`"a " "b ".bold "c".bold.italic " " "d".underline "e".strike "f".mono " " "g".spoiler` + "\n",
		},
		{"style over lines", "<b>a\nb</b>", "\"a\".bold\n\"b\".bold\n"},
		{"wide characters", "👍 <b>越南</b> x", "\"👍 \" \"越南\".bold \" x\"\n"},
		{
			"links", `<a href="https://a.example/x">b <b>c</b></a> https://d.example/y_z mail@e.example`,
			`"b "->https://a.example/x "c".bold->https://a.example/x " " "https://d.example/y_z"->https://d.example/y_z " " ` +
				`"mail@e.example"->mailto:mail@e.example` + "\n",
		},
		{"a link that is bold in part", "www.<b>a.com</b>/x", `"www."->www.a.com/x "a.com".bold->www.a.com/x "/x"->www.a.com/x` + "\n"},
		{
			"touched", "@minh_tran /start #tag $USD",
			`"@minh_tran".ping " " "/start".active " " "#tag".active " " "$USD".active` + "\n",
		},
		{"code between lines", "a\n<pre>x\n  y</pre>\nb", "\"a\"\ncode \"x\\n  y\"\n\"b\"\n"},
		{"code between empty lines", "a\n\n<pre><code class=\"language-go\">x</code></pre>\n\nb", "\"a\"\n\ncode go \"x\"\n\n\"b\"\n"},
		{"code alone", "<pre>x</pre>", "code \"x\"\n"},
		{"code in a line", "a <pre>x</pre> b", "\"a \"\ncode \"x\"\n\" b\"\n"},
		{"quotation", "a\n<blockquote>b\n\n<i>c</i></blockquote>\nd", "\"a\"\n| \"b\"\n| \n| \"c\".italic\n\"d\"\n"},
		{"code in a quotation", "<blockquote expandable>a\n<pre>x</pre></blockquote>", "| \"a\"\n| code \"x\"\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m, err := bot.SendMessage(t.Context(), &tgbot.SendMessageParams{ChatID: telegram.Minh, Text: tt.html, ParseMode: models.ParseModeHTML})
			if err != nil {
				t.Fatal(err)
			}
			blocks, err := s.Look(sim.Ref{Room: telegram.Minh, ID: fmt.Sprint(m.ID)})
			if got := sketch(blocks); err != nil || got != tt.want {
				t.Errorf("%q looks\n%s%v\nwant\n%s", tt.html, got, err, tt.want)
			}
		})
	}
}

func TestLookAtNothing(t *testing.T) {
	t.Parallel()
	s := start(t, telegram.Options{})
	if _, err := s.Look(sim.Ref{Room: telegram.Minh, ID: "7"}); !errors.Is(err, telegram.ErrNoMessage) {
		t.Errorf("a message that is not there: %v", err)
	}
	if _, err := s.Look(sim.Ref{Room: "5", ID: "7"}); !errors.Is(err, telegram.ErrNoChat) {
		t.Errorf("a chat that is not there: %v", err)
	}
}

// sketch writes blocks as lines: what stands before a text, then its spans, each with its styles and address.
func sketch(blocks []sim.Block) string {
	var b strings.Builder
	spans := func(all []sim.Span) {
		for i, s := range all {
			if i > 0 {
				b.WriteByte(' ')
			}
			fmt.Fprintf(&b, "%q", s.Text)
			for i, name := range []string{"bold", "italic", "underline", "strike", "mono", "spoiler", "active", "ping"} {
				if s.Style&(1<<i) != 0 {
					b.WriteString("." + name)
				}
			}
			if s.URL != "" {
				b.WriteString("->" + s.URL)
			}
		}
	}
	for _, x := range blocks {
		b.WriteString(strings.Repeat("| ", x.Quote) + strings.Repeat("  ", x.Indent))
		if x.Kind != sim.LineBlock {
			b.WriteString(string(x.Kind) + " ")
		}
		if x.Level > 0 {
			fmt.Fprintf(&b, "%d ", x.Level)
		}
		if s := x.Mark + x.Lang; s != "" {
			b.WriteString(s + " ")
		}
		spans(x.Spans)
		for _, row := range x.Rows {
			b.WriteString("\n ")
			for _, c := range row {
				b.WriteString(" " + c.Align + " ")
				spans(c.Spans)
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}
