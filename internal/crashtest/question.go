package crashtest

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/clickai/bridge/internal/sim"
	"github.com/clickai/bridge/internal/sim/clickai"
)

// question is one question, what its answer will be, and what was seen of it.
type question struct {
	id       int
	conv     *conversation
	pieces   int // words of the answer that count
	chunk    int // pieces in one event
	every    time.Duration
	uploads  []sim.File // that come with the question
	made     []sim.File // that come with the answer
	rating   string     // emoji that the person reacts with; "" for none
	withdraw bool       // and takes back

	asked    time.Time
	ref      sim.Ref // of the question
	room     string  // where the answer belongs
	thread   string
	ratedRef sim.Ref
	reacted  time.Time // zero: not at all
	rated    string    // what ClickAI is to have in the end: "like", "dislike" or ""

	whole chan struct{} // closed when all pieces stand somewhere

	// Guarded by the watch.
	seen  []state
	have  []bool
	left  int
	files map[string]int // made files that stand, by name
}

// state is one thing that happened to a message that shows some of an answer.
type state struct {
	kind   sim.SeenKind
	ref    sim.Ref
	at     time.Time
	pieces []int
}

const tagLetters = 4

// tag is an id in letters.
func tag(id int) string {
	b := make([]byte, tagLetters)
	for i := tagLetters - 1; i >= 0; i-- {
		b[i] = byte('a' + id%26)
		id /= 26
	}
	return string(b)
}

func untag(s string) int {
	id := 0
	for _, c := range []byte(s) {
		id = id*26 + int(c-'a')
	}
	return id
}

var askWord = regexp.MustCompile(`\bask([a-z]{4})\b`)

// text is what the person writes.
func (q *question) text() string { return "Please ask" + tag(q.id) + " about it" }

// piece is the i-th part of the answer, with what separates it from the one before.
func (q *question) piece(i int) string {
	word := fmt.Sprintf("w%04d%s", i, tag(q.id))
	switch {
	case i == 0:
		return word
	case i%40 == 0:
		return "\n\n" + word
	case i%17 == 5:
		return " **" + word + "**"
	}
	return " " + word
}

// slow lets the answer come piece by piece, so many in all.
func (q *question) slow(pieces int) {
	q.pieces, q.chunk, q.every = pieces, 1, 60*time.Millisecond
	q.begin()
}

// begin notes that no piece was seen.
func (q *question) begin() { q.left, q.have = q.pieces, make([]bool, q.pieces) }

// shape draws what a question and its answer are like. long is how many pieces roll over into another message.
func shape(r *rand.Rand, id, long int) *question {
	q := &question{id: id, whole: make(chan struct{}), files: map[string]int{}}
	switch r.IntN(10) {
	case 0: // at once
		q.pieces, q.chunk = 8, 8
	case 1, 2:
		q.pieces, q.chunk, q.every = long+r.IntN(long/3), 20+r.IntN(20), 15*time.Millisecond
	case 3:
		q.slow(20)
	default:
		q.pieces, q.chunk, q.every = 20+r.IntN(80), 3+r.IntN(5), time.Duration(5+r.IntN(25))*time.Millisecond
	}
	q.begin()
	if r.IntN(4) == 0 {
		for i := range 1 + r.IntN(2) {
			name := "note-" + tag(id) + "-" + strconv.Itoa(i) + ".txt"
			q.uploads = append(q.uploads, sim.File{Name: name, MIME: "text/plain", Data: []byte("This is " + name + strings.Repeat(" .", 200))})
		}
	}
	if r.IntN(4) == 0 {
		for i := range 1 + r.IntN(2) {
			name := "made-" + tag(id) + "-" + strconv.Itoa(i) + ".txt"
			q.made = append(q.made, sim.File{Name: name, MIME: "text/plain", Data: []byte("This is " + name)})
		}
	}
	switch r.IntN(4) {
	case 0:
		q.rating, q.withdraw = "👍", r.IntN(4) == 0
	case 1:
		q.rating = "👎"
	}
	return q
}

// steps are the answer to the questions that a query holds: people's messages that waited together become one.
func steps(mode clickai.Mode, all []*question) []clickai.Step {
	var out []clickai.Step
	if mode == clickai.ModeAgentChat {
		out = append(out, clickai.Thought())
	}
	for n, q := range all {
		var parts []string
		for from := 0; from < q.pieces; from += q.chunk {
			var b strings.Builder
			if from == 0 && n > 0 {
				b.WriteString("\n\n")
			}
			for i := from; i < min(from+q.chunk, q.pieces); i++ {
				b.WriteString(q.piece(i))
			}
			parts = append(parts, b.String())
		}
		half := len(parts) / 2
		out = append(out, clickai.Chunks(q.every, parts[:half]...))
		for _, f := range q.made {
			out = append(out, clickai.Picture(f, true))
		}
		out = append(out, clickai.Chunks(q.every, parts[half:]...))
	}
	if mode == clickai.ModeAgentChat {
		out = append(out, clickai.EndThought())
	}
	return out
}

// asks are the ids of the questions in a query, in order.
func asks(query string) []int {
	var ids []int
	for _, m := range askWord.FindAllStringSubmatch(query, -1) {
		if id := untag(m[1]); !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// found are the pieces in a text by question, in order.
type found struct {
	id     int
	pieces []int
}

func findPieces(text string) []found {
	const digits, word = 4, 1 + 4 + tagLetters
	var all []found
	for i := 0; i+word <= len(text); i++ {
		if text[i] != 'w' || i > 0 && isWord(text[i-1]) || i+word < len(text) && isWord(text[i+word]) {
			continue
		}
		n, letters := number(text[i+1:i+1+digits]), text[i+1+digits:i+word]
		if n < 0 || !isTag(letters) {
			continue
		}
		id := untag(letters)
		at := slices.IndexFunc(all, func(f found) bool { return f.id == id })
		if at < 0 {
			at = len(all)
			all = append(all, found{id: id})
		}
		all[at].pieces = append(all[at].pieces, n)
		i += word - 1
	}
	return all
}

// number is a number in digits; -1 if there is something else among them.
func number(s string) int {
	n := 0
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return -1
		}
		n = n*10 + int(c-'0')
	}
	return n
}

func isTag(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < 'a' || r > 'z' })
}

func isWord(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
