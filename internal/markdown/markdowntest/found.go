package markdowntest

// Found are sources that fuzzing found to be shown wrong once.
var Found = []string{
	"$0\n\n ", "0\n-|$00\n\n ", "[](http://00)", "[`]`](http://00)", "<t:0", "<t:0>", "+\n  A", "+ [X] \nA", "[[]()0]()", "[0](\r\r0",
	"[]\n[^", "> [!WARNING]\n>", "http://0>", "[http://0](http://0)", "[**http://0** a](http://1)", "#### @every**one**", "#### <**@1>**",
	"<mail@example.co", "[![a](http://b.c)](http://d.e)", "\\\na", "2*3*4 ~5~6 20~30~", "$5-$10 $x$ $HOME/$a", "<!-- 0 -->", "https://a.b/c*d*",
}
