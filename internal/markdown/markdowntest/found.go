package markdowntest

// Found are sources that fuzzing found to be shown wrong once.
var Found = []string{
	"+ !0",
	"$0\n\n ", "0\n-|$00\n\n ", "[](http://00)", "[`]`](http://00)", "<t:0", "<t:0>", "+\n  A", "+ [X] \nA", "[[]()0]()", "[0](\r\r0",
	"[]\n[^", "> [!WARNING]\n>", "http://0>", "[http://0](http://0)", "[**http://0** a](http://1)", "#### @every**one**", "#### <**@1>**",
	"|a|b|\n|-|-|\n|[c](http://d.e)|x|\n|y|[**f** `g`](http://h.i)![j](http://k.l)|\n\nm", "> [!NOTE]\n> a\n\n> [!tip]\n\n1. b\n   > [!NOTE]\n   > - c",
	"a[^x]\n\nb[^y][^x]\n\n[^y]: c\n\n[^x]: d\n\ne[^z]", "a \\[b c\\] \\[d^2\\] [\\[e\\]](http://f.g) \\[h", "\\[RFC\\] a\n\n\\[ b \\]\n\n\\[ c_1\n\\]",
	"<table><caption>a</caption>\n<tr><th>b</th><th>c</th></tr>\n<tr><td>d<td colspan=2><a href=\"http://e.f\">g</a></tr>h<tr><td>i\n</table>\nj",
	"<table>\n<tr><td>a</td></tr>\n\n<tr><td>b</td><td>c</td></tr>\n\n</table>", "<div>a<p>b</p>\n<ul><li>c</li><li>d</ul><h2>e</h2>f</div>",
	"Do this:\n\n```\n\ta\n```\n\nAnd:\n\n- b:\n  - c\n- [ ] d\n  e\n  - [x] f", "<mail@example.co", "[![a](http://b.c)](http://d.e)", "\\\na", "2*3*4 ~5~6 20~30~", "$5-$10 $x$ $HOME/$a", "<!-- 0 -->", "https://a.b/c*d*",
}
