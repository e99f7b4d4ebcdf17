package markdowntest

import "strings"

// Mentions are what would call people, groups, rooms or commands on one platform or another.
var Mentions = []string{
	"@everyone", "@here", "@channel", "<@123456789012345678>", "<@!123456789012345678>", "<@&123456789012345678>",
	"<#123456789012345678>", "</go:123456789012345678>", "<id:customize>", "<:smile:123456789012345678>", "<t:1700000000:R>",
	"<!channel>", "<!here>", "<!everyone>", "<!subteam^S0123ABCD>", "<!subteam^S0123ABCD|@team>", "<@U0123ABCD>",
	"<@W0123ABCD|bob>", "<#C0123ABCD>", "<#C0123ABCD|general>", "<!date^1^{date}|x>", "@durov", "@durov_bot",
	"tg://user?id=777000", "tg://resolve?domain=durov",
}

// MentionPlaces are Markdown in which a mention, in place of the %, may stand.
var MentionPlaces = []string{
	"%", "a %", "(%)", "**%**", "*%* _%_ ~~%~~", "# %", "#### % a", "- %", "1. [ ] %", "> %\n> > %", "|a|b|\n|-|-|\n|%|`%`|", "`%`", "``%``",
	"```\n%\n```", "    %", "[%](https://a.b)", "[a](https://a.b/%)", "[a](%)", "[a](<%>)", "![%](https://a.b/c.png)",
	"<https://a.b/%>", "https://a.b/%", "<b>%</b>", "<a href=\"%\">a</a>", "<a href='https://a.b'>%</a>", "<img alt=\"%\" src=\"https://a.b\">",
	"<details><summary>%</summary>\n%\n</details>", "$%$", "$$\n%\n$$", "x[^1]\n\n[^1]: %", "\\%", "\\\\%", "a\n%\nb", "% % %",
	"\u200b%", "&lt;%", "<%", "%>", "%%", "a@%", "/%", ".%", "-%", "\u3000%", "中%文", "`a`%", "**a**%", "***%***a",
}

// MentionForms returns ways to write a mention such that it is one again once the Markdown is resolved.
func MentionForms(m string) []string {
	refs := strings.NewReplacer("<", "&lt;", ">", "&gt;", "@", "&#64;", "!", "&excl;", "#", "&#35;", ":", "&colon;").Replace(m)
	escaped := strings.NewReplacer("<", `\<`, ">", `\>`, "@", `\@`, "!", `\!`, "#", `\#`, "^", `\^`).Replace(m)
	split := m[:1] + "<span></span>" + m[1:]
	return []string{m, refs, escaped, split, m[:1] + "<!-- -->" + m[1:], m[:1] + "**" + m[1:] + "**", "**" + m[:1] + "**" + m[1:], m[:1] + "&#8203;" + m[1:]}
}

// MentionDocuments are documents that hold every mention in every form and place.
func MentionDocuments() []string {
	var docs []string
	for _, m := range Mentions {
		for _, form := range MentionForms(m) {
			docs = append(docs, strings.ReplaceAll(strings.Join(MentionPlaces, "\n\n"), "%", form))
		}
	}
	return docs
}
