package config

import (
	"bytes"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Bounds on what the YAML parser is given. It recurses on nesting and on the
// entries of a mapping, and takes quadratic time for some inputs; within these
// bounds every input takes well under a second.
const (
	maxLines  = 5_000
	maxTokens = 50_000
	maxDepth  = 32
)

// readYAML parses data and returns its only document, a mapping, or nil with the
// reasons in r.
func readYAML(data []byte, r *report) *ast.MappingNode {
	if !checkText(data, r) {
		return nil
	}
	data = bytes.TrimPrefix(data, []byte("\uFEFF"))
	file := parseYAML(data, r)
	if file == nil {
		return nil
	}
	var body ast.Node
	if len(file.Docs) > 0 {
		body = file.Docs[0].Body
	}
	if len(file.Docs) > 1 {
		second := file.Docs[1]
		at := second.Start
		if at == nil && second.Body != nil {
			at = second.Body.GetToken()
		}
		r.add(r.at(at), "a second document begins here: a configuration is one document")
		return nil
	}
	switch body := body.(type) {
	case nil, *ast.NullNode:
		r.add(Position{Line: 1, Column: 1}, "the file is empty: it needs at least api and pipelines")
	case *ast.MappingNode:
		return body
	default:
		r.add(r.at(body.GetToken()), "the file must be a mapping with api and pipelines, found %s", describe(body))
	}
	return nil
}

// checkText refuses what is no text, or more of it than a configuration has.
func checkText(data []byte, r *report) bool {
	if len(data) > maxSize {
		r.add(Position{Line: 1, Column: 1}, "the file is larger than 1 MiB")
		return false
	}
	line, column := 1, 1
	for rest := data; len(rest) > 0; {
		c, size := utf8.DecodeRune(rest)
		rest = rest[size:]
		switch {
		case c == utf8.RuneError && size == 1:
			r.add(Position{Line: line, Column: column}, "the file is not UTF-8 text here")
			return false
		case c < ' ' && c != '\t' && c != '\n' && c != '\r', c == 0x7f:
			r.add(Position{Line: line, Column: column}, "control character %U is not allowed", c)
			return false
		case c == '\n':
			line, column = line+1, 0
		}
		column++
	}
	if line > maxLines {
		r.add(Position{Line: maxLines + 1, Column: 1}, "the file has more than %d lines", maxLines)
		return false
	}
	return true
}

// parseYAML runs the parser within bounds, and turns its errors and panics into
// problems.
func parseYAML(data []byte, r *report) (file *ast.File) {
	defer func() {
		if recover() != nil {
			file = nil
			r.add(Position{Line: 1, Column: 1}, "the file cannot be parsed as YAML")
		}
	}()
	tokens := lexer.Tokenize(string(data))
	if !checkTokens(tokens, r) {
		return nil
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		var syntax interface {
			GetToken() *token.Token
			GetMessage() string
		}
		if errors.As(err, &syntax) {
			r.add(r.at(syntax.GetToken()), "not valid YAML: %s", plain(syntax.GetMessage()))
		} else {
			r.add(Position{Line: 1, Column: 1}, "the file cannot be parsed as YAML")
		}
		return nil
	}
	return file
}

// plain is a message of the parser, with the one mistake explained that cannot be
// seen.
func plain(message string) string {
	if strings.Contains(message, "\t") || strings.Contains(message, "tab character") {
		return "a tab stands here: indent with spaces"
	}
	return message
}

// refusal says why a token has no place in a configuration, or "". Aliases
// could make a small file expand without bound.
func refusal(t token.Type) string {
	switch t {
	case token.AnchorType:
		return "anchors are not allowed; quote a text that begins with &"
	case token.AliasType:
		return "aliases are not allowed: write the value out; quote a text that begins with *"
	case token.MergeKeyType:
		return "merge keys are not allowed: write the keys out"
	case token.TagType:
		return "tags are not allowed; quote a text that begins with !"
	case token.DirectiveType:
		return "directives are not allowed"
	case token.MappingKeyType:
		return "explicit keys are not allowed: write key: value"
	}
	return ""
}

// checkTokens refuses what must not reach the parser.
func checkTokens(tokens token.Tokens, r *report) bool {
	if len(tokens) > maxTokens {
		r.add(r.at(tokens[maxTokens]), "the file has too many values")
		return false
	}
	ok := true
	var nest nesting
	for i, t := range tokens {
		if t.Type == token.InvalidType {
			break // the parser reports it
		}
		if why := refusal(t.Type); why != "" {
			r.add(r.at(t), "%s", why)
			ok = false
		}
		depth := nest.enter(t)
		if depth > maxDepth {
			r.add(r.at(t), "nested deeper than %d levels", maxDepth)
			return false
		}
		if i > 0 && t.Type == token.MappingStartType && strings.HasSuffix(tokens[i-1].Value, "$") &&
			tokens[i-1].Type == token.StringType {
			r.add(r.at(tokens[i-1]), "inside [ ] and { } a value with ${…} must be quoted")
			return false
		}
	}
	return ok
}

// nesting follows how deep the parser will recurse: one level for each open
// bracket, and one for each block entry that stands further in than the one
// before it.
type nesting struct {
	flow    int
	columns []int
	line    int
}

// enter takes the next token and returns the depth at it.
func (n *nesting) enter(t *token.Token) int {
	switch t.Type {
	case token.MappingStartType, token.SequenceStartType:
		n.flow++
	case token.MappingEndType, token.SequenceEndType:
		n.flow = max(0, n.flow-1)
	}
	first := t.Position.Line != n.line
	n.line = t.Position.Line
	if n.flow == 0 && (first || t.Type == token.SequenceEntryType) {
		for len(n.columns) > 0 && n.columns[len(n.columns)-1] >= t.Position.Column {
			n.columns = n.columns[:len(n.columns)-1]
		}
		n.columns = append(n.columns, t.Position.Column)
	}
	return n.flow + len(n.columns)
}

// at is the position of a token; the start of the file for none.
func (r *report) at(t *token.Token) Position {
	if t == nil || t.Position == nil {
		return Position{File: r.file, Line: 1, Column: 1}
	}
	return Position{File: r.file, Line: max(1, t.Position.Line), Column: max(1, t.Position.Column)}
}

// describe says what kind of value a node is.
func describe(n ast.Node) string {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.NullNode:
		return "nothing"
	case *ast.BoolNode:
		return "true or false"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "a number"
	}
	return "text"
}
