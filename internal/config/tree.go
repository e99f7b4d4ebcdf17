package config

import (
	"errors"
	"fmt"
	"strings"

	yaml "github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

const (
	// maxDepth is how deep mappings, lists and aliases may nest. The configuration itself needs six levels.
	maxDepth = 64
	// maxNodes is how many values may be visited, those behind aliases each time that they are.
	maxNodes = 100_000
)

// tree is a parsed file.
type tree struct {
	root    ast.Node // nil for an empty file
	anchors map[string]ast.Node
}

// parse reads YAML. The problem is the first one that the parser finds: it does not go on behind it.
func parse(file, src string) (t tree, problem *Problem) {
	defer func() {
		// The parser is told nothing of our limits; what it cannot cope with is no configuration.
		if p := recover(); p != nil {
			problem = &Problem{File: file, What: "is not YAML that can be read", Mend: "write it more simply"}
		}
	}()
	tokens := lexer.Tokenize(src)
	if tk := tooDeep(tokens); tk != nil {
		p := problemAt(file, position(tk), "", fmt.Sprintf("is nested more than %d levels deep", maxDepth), "")
		return t, &p
	}
	f, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		p := syntaxProblem(file, src, err)
		return t, &p
	}
	var docs []ast.Node
	for _, d := range f.Docs {
		if d.Body != nil {
			docs = append(docs, d.Body)
		}
	}
	if len(docs) > 1 {
		p := problemAt(file, start(docs[1]), "", "a second document begins here", "keep all in one, without ---")
		return t, &p
	}
	if len(docs) == 0 {
		return t, nil
	}
	t = tree{root: docs[0], anchors: map[string]ast.Node{}}
	ast.Walk(anchorsOf(t.anchors), t.root)
	return t, nil
}

// anchorsOf collects the anchors of a tree.
type anchorsOf map[string]ast.Node

// Visit is called by ast.Walk.
func (a anchorsOf) Visit(n ast.Node) ast.Visitor {
	if anchor, ok := n.(*ast.AnchorNode); ok && anchor.Name != nil {
		if _, known := a[anchor.Name.String()]; !known {
			a[anchor.Name.String()] = anchor.Value
		}
	}
	return a
}

// tooDeep looks for nesting that would exhaust the parser's stack; it returns the token where it begins.
func tooDeep(tokens token.Tokens) *token.Token {
	flow, line, inLine := 0, 0, 0
	for _, tk := range tokens {
		if p := position(tk); p.line != line {
			line, inLine = p.line, 0
		}
		switch tk.Type {
		case token.MappingStartType, token.SequenceStartType:
			flow++
		case token.MappingEndType, token.SequenceEndType:
			flow--
		case token.SequenceEntryType, token.MappingKeyType, token.TagType, token.AnchorType, token.MappingValueType:
			inLine++
		default:
		}
		if flow > maxDepth || inLine > 20*maxDepth {
			return tk
		}
	}
	return nil
}

func syntaxProblem(file, src string, err error) Problem {
	se, ok := errors.AsType[*yaml.SyntaxError](err)
	if !ok || se.Token == nil {
		return Problem{File: file, What: "is not YAML", Mend: "check quotes and indentation"}
	}
	p := position(se.Token)
	mend := "check quotes and indentation"
	line := ""
	if lines := strings.Split(src, "\n"); p.line >= 1 && p.line <= len(lines) {
		line = lines[p.line-1]
	}
	switch {
	case strings.Contains(se.Message, "tab character"), strings.Contains(se.Message, "\t"):
		mend = "indent with blanks, not with tabs"
	case strings.Contains(line, "{{"):
		mend = "put texts with {{…}} in quotes"
	case strings.Contains(line, "${"):
		mend = "put ${…} in quotes when it stands inside [ ] or { }"
	}
	return problemAt(file, p, "", "is not YAML: "+strings.ReplaceAll(se.Message, "\t", `\t`), mend)
}

// place is a position in the file.
type place struct{ line, col int }

func problemAt(file string, p place, path, what, mend string) Problem {
	return Problem{File: file, Line: p.line, Column: p.col, Path: path, What: what, Mend: mend}
}

func position(tk *token.Token) place {
	if tk == nil || tk.Position == nil {
		return place{1, 1}
	}
	return place{max(tk.Position.Line, 1), max(tk.Position.Column, 1)}
}

// start is where a value begins. The library's own position of a block mapping is its first colon.
func start(n ast.Node) place {
	switch x := n.(type) {
	case nil:
		return place{1, 1}
	case *ast.MappingNode:
		if !x.IsFlowStyle && len(x.Values) > 0 {
			return start(x.Values[0])
		}
	case *ast.MappingValueNode:
		if x.Key != nil {
			return start(x.Key)
		}
	}
	return position(n.GetToken())
}

// isNil is true for a missing node, also one that is a nil pointer in an interface.
func isNil(n ast.Node) bool {
	if n == nil {
		return true
	}
	_, null := n.(*ast.NullNode)
	return null
}
