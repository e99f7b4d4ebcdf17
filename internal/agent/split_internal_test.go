package agent

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// pipe is an answer's text as it goes through both splitters.
func pipe(pieces []string) (text, thought string) {
	var think thinkSplitter
	links := linkSplitter{
		mine: func(address string) bool { return strings.HasPrefix(address, "/files/") },
		take: func(_, label string) string { return "FILE(" + label + ")" },
	}
	var out strings.Builder
	thoughts := map[int]string{}
	for _, p := range pieces {
		at := think.text.Len()
		_, grown := think.add(p)
		for _, b := range grown {
			thoughts[b.n] = b.text
		}
		out.WriteString(links.add(think.text.String(), at))
	}
	at := think.text.Len()
	open := think.blocks
	if _, unclosed, _ := think.end(); unclosed {
		delete(thoughts, open)
	}
	out.WriteString(links.add(think.text.String(), at))
	out.WriteString(links.end(think.text.String()))
	for i := range think.blocks {
		thought += thoughts[i] + "|"
	}
	return out.String(), thought
}

// FuzzPieces holds that it makes no difference how an answer is cut into pieces.
func FuzzPieces(f *testing.F) {
	for _, s := range []string{
		"<think>a</think>b [c](/files/d) e", "![a](/files/b)![", "[x [a](/files/b)", "[![a](/files/b)](https://c)", "`<think>`<think>", "```\n<think>\n```\n<think>x",
		"<details open> <summary> Thinking... </summary>a</details>b", "<details><summary>x</summary>", "see https://a.b/c?d. h ht http", "!", "[a]", "[a](b", "<<think>>", "[a](<b c>) \\[d](/files/e)",
	} {
		f.Add(s, uint8(1))
		f.Add(s, uint8(3))
	}
	f.Fuzz(func(t *testing.T, s string, step uint8) {
		if len(s) > 4000 || !utf8.ValidString(s) {
			return
		}
		n := int(step)%7 + 1
		var pieces []string
		for rest := s; rest != ""; {
			p := clip(rest, n)
			if p == "" {
				_, size := utf8.DecodeRuneInString(rest)
				p = rest[:size]
			}
			pieces = append(pieces, p)
			rest = rest[len(p):]
		}
		text, thought := pipe([]string{s})
		cutText, cutThought := pipe(pieces)
		if strings.Join(strings.Fields(text), " ") != strings.Join(strings.Fields(cutText), " ") {
			t.Errorf("whole: %q, in pieces: %q", text, cutText)
		}
		if thought != cutThought {
			t.Errorf("thoughts whole: %q, in pieces: %q", thought, cutThought)
		}
	})
}
