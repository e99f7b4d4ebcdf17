package slack

import (
	"strings"
	"unicode"

	"github.com/clickai/bridge/internal/sim"
)

// mrkdwn draws a text in mrkdwn as blocks of a kind, and its fences as code.
// Source: https://docs.slack.dev/messaging/formatting-message-text
func (l *looker) mrkdwn(text string, kind sim.BlockKind) {
	var spans []sim.Span
	flush := func() {
		if len(spans) > 0 {
			l.quoted(kind, spans)
		}
		spans = nil
	}
	literal := 0
	for i := 0; i < len(text); {
		if text[i] != '`' {
			i++
			continue
		}
		code, size, fence := codeAt(text[i:])
		if size == 0 {
			i++
			continue
		}
		code = unhide(entities.Replace(l.resolve(code)))
		before := text[literal:i]
		i += size
		literal = i
		if !fence {
			spans = append(spans, l.styled(before)...)
			spans = sim.AppendSpan(spans, sim.Span{Text: code, Style: sim.Mono})
			continue
		}
		spans = append(spans, l.styled(strings.TrimSuffix(before, "\n"))...)
		flush()
		l.add(sim.Block{Kind: sim.CodeBlock, Spans: []sim.Span{{Text: strings.Trim(code, "\n")}}})
		if strings.HasPrefix(text[i:], "\n") {
			i++
			literal = i
		}
	}
	spans = append(spans, l.styled(text[literal:])...)
	flush()
}

// quoted adds lines, those that begin with ">" as quotations.
func (l *looker) quoted(kind sim.BlockKind, spans []sim.Span) {
	first := len(l.out)
	l.lines(sim.Block{Kind: kind}, spans)
	for i := range l.out[first:] {
		b := &l.out[first+i]
		if len(b.Spans) == 0 {
			continue
		}
		if rest, ok := strings.CutPrefix(b.Spans[0].Text, quoteMark); ok {
			b.Quote, b.Spans[0].Text = 1, strings.TrimPrefix(rest, " ")
			if b.Spans[0].Text == "" {
				b.Spans = b.Spans[1:]
			}
		}
	}
}

// Sequences stand as one character of a private area while styles are looked for, and so does the mark of a quotation,
// which a literal > at the start of a line is not.
const (
	firstSequence = 0xE000
	mostSequences = 0x1000
	quoteMark     = "\uF8FF"
)

// styled reads all but code.
func (l *looker) styled(text string) []sim.Span {
	var sequences []sim.Span
	text = control().ReplaceAllStringFunc(text, func(m string) string {
		s, ok := l.sequenceSpan(m[1 : len(m)-1])
		if !ok || len(sequences) >= mostSequences {
			return m
		}
		sequences = append(sequences, s)
		return string(rune(firstSequence + len(sequences) - 1))
	})
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		for _, mark := range []string{">", "&gt;"} {
			if rest, ok := strings.CutPrefix(line, mark); ok {
				lines[i] = quoteMark + rest
				break
			}
		}
	}
	in := []rune(strings.Join(lines, "\n"))
	styles, marks := make([]sim.Style, len(in)), make([]bool, len(in))
	markStyle(in, '*', sim.Bold, styles, marks)
	markStyle(in, '_', sim.Italic, styles, marks)
	markStyle(in, '~', sim.Strike, styles, marks)
	var out []sim.Span
	for i, r := range in {
		s := sim.Span{Text: string(r), Style: styles[i]}
		if n := int(r) - firstSequence; n >= 0 && n < len(sequences) {
			s.Text, s.URL = sequences[n].Text, sequences[n].URL
			s.Style |= sequences[n].Style
		}
		if !marks[i] {
			out = sim.AppendSpan(out, s)
		}
	}
	for i := range out {
		out[i].Text = entities.Replace(showEmoji(out[i].Text))
	}
	return out
}

func (l *looker) sequenceSpan(inner string) (sim.Span, bool) {
	shown, ok := l.sequence(inner)
	s := sim.Span{Text: shown}
	target, _, _ := strings.Cut(inner, "|")
	switch {
	case strings.HasPrefix(inner, "@"), strings.HasPrefix(inner, "!") && len(mentionsIn("<"+inner+">")) > 0:
		s.Style = sim.Ping
	case strings.HasPrefix(inner, "#"):
		s.Style = sim.Active
	case scheme().MatchString(target):
		s.URL = entities.Replace(target)
	}
	return s, ok
}

// markStyle gives a style to what stands between the pairs of a marker: at word boundaries, on one line, not around blanks.
func markStyle(in []rune, marker rune, style sim.Style, styles []sim.Style, marks []bool) {
	word := func(i int) bool {
		return i >= 0 && i < len(in) && (unicode.IsLetter(in[i]) || unicode.IsDigit(in[i]) || in[i] == marker)
	}
	blank := func(i int) bool { return i < 0 || i >= len(in) || unicode.IsSpace(in[i]) }
	for i := 0; i < len(in); i++ {
		if in[i] != marker || word(i-1) || blank(i+1) || in[i+1] == marker {
			continue
		}
		for j := i + 2; j < len(in) && in[j] != '\n'; j++ {
			if in[j] == marker && !blank(j-1) && !word(j+1) {
				marks[i], marks[j] = true, true
				for k := i + 1; k < j; k++ {
					styles[k] |= style
				}
				i = j
				break
			}
		}
	}
}
