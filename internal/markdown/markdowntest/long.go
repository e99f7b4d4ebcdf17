package markdowntest

import (
	"fmt"
	"strings"
)

// LongTable is a table of n rows with the head "Key" and "Value"; row i has the key "key-i".
func LongTable(n int) string {
	var b strings.Builder
	b.WriteString("| Key | Value |\n|---|---:|\n")
	for i := range n {
		fmt.Fprintf(&b, "| key-%d | the value of row %d |\n", i, i)
	}
	return b.String()
}

// LongList is an ordered list of n items from the number start on; item i says "item-i", and every third has a list in it.
func LongList(start, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%d. item-%d says %s\n", start+i, start+i, strings.Repeat("some words ", 12))
		if i%3 == 0 {
			fmt.Fprintf(&b, "   - detail of %d\n   - and more\n", start+i)
		}
	}
	return b.String()
}

// LongFence is a fence of n lines in Python; line i is "line_i = i".
func LongFence(n int) string {
	var b strings.Builder
	b.WriteString("```python\n")
	for i := range n {
		fmt.Fprintf(&b, "line_%d = %d\n", i, i)
	}
	return b.String() + "```\n"
}

// LongParagraph is one paragraph of n bytes with some markup in it.
func LongParagraph(n int) string {
	const text = "This is a sentence with **bold words** and `code` in it, and it goes on and on, as *some* answers do. "
	return strings.Repeat(text, n/len(text)+1)[:n]
}
