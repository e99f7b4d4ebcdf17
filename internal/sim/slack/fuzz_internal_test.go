package slack

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// The parsers are not exported, so their fuzz tests stand inside the package.

func fuzzNames() names {
	same := func(id string) string { return id }
	return names{user: same, channel: same}
}

func FuzzMarkup(f *testing.F) {
	for _, seed := range []string{
		"*a* _b_ ~c~ `d` ```e```", "<@U1> <#C1|x> <!here> <https://x|y>", "&amp;lt; <", "```", "`\n`", ":tada: ::", "<!subteam^S1|@x>",
		"# h\n\n- [ ] a\n\n|a|\n|-|\n|b|", "\\<@U1> &lt;", "<!x\n>", "> > a", "1. a\n   ```\n   b", "👍🏽🇻🇳❤️", "",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r >= hidden }) {
			return
		}
		n := fuzzNames()
		for _, shown := range []string{n.mrkdwn(text), n.markdown(text)} {
			if strings.ContainsFunc(shown, func(r rune) bool { return r >= hidden }) {
				t.Errorf("%q shows a hidden character: %q", text, shown)
			}
		}
		// What is escaped shows as itself, but for styles and emoji, which escaping does not touch.
		if !strings.ContainsAny(text, "*_~`:") {
			if got := n.mrkdwn(escapes.Replace(text)); got != text {
				t.Errorf("escaped %q shows %q", text, got)
			}
			if found := mentionsIn(escapes.Replace(text)); len(found) > 0 {
				t.Errorf("escaped %q pings %q", text, found)
			}
		}
		markdownMentions(text)
	})
}

func FuzzTyped(f *testing.F) {
	for _, seed := range []string{"@bridge hi #x", "@here `@here`", "https://x.y/z?a=1&b=2)", "```\n@Anna", "a@b", "👍 & <b>", "#general!", "``````"} {
		f.Add(seed)
	}
	s, err := build(Options{}.withDefaults())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			return
		}
		got, blocks := s.typedLocked(text, false)
		if len(blocks) > 0 && !json.Valid(blocks) {
			t.Errorf("%q makes blocks that are no JSON", text)
		}
		if text != "" && got == "" {
			t.Errorf("%q is lost", text)
		}
	})
}

func FuzzBlocks(f *testing.F) {
	for _, seed := range []string{
		`[{"type":"section","text":{"type":"mrkdwn","text":"x"}}]`, `[null]`, `[{"type":"table","rows":[[null]]}]`, `[{"type":5}]`,
		`[{"type":"actions","elements":[{"type":"button"}]}]`, `[{"type":"rich_text","elements":[{"type":"rich_text_list","style":"bullet","elements":[{}]}]}]`,
		`[{"type":"context_actions","elements":[{"type":"feedback_buttons"}]}]`, `{}`, `[]`, `[{"type":"markdown","text":"<!here>"}]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		blocks, fail := checkBlocks(raw)
		if fail != nil || blocks == nil {
			return
		}
		again, fail := checkBlocks(blocks)
		if fail != nil || string(again) != string(blocks) {
			t.Errorf("accepted %s, then refused its own form: %+v", raw, fail)
		}
		flatten(decodeBlocks(blocks), blockReader{names: fuzzNames()})
		pingsIn("", blocks, true)
	})
}
