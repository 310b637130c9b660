package pipeline

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"pgregory.net/rapid"
)

// reference computes, by other means than the flattener's, what a job's row and
// child rows must give back: leaf id → value in canonical form. A leaf's id is
// its JSON Pointer, with a ~#N at the end for the N-th value of one key.
type reference struct {
	rules   Rules
	hashKey []byte
	leaves  map[string]string
	copies  map[string]int
	rows    map[string]int // child dataset → its rows
	vague   bool           // encoding/json may have lost a part of a key, or of a text to hash
}

// leavesOf returns the leaves of a job.
func leavesOf(t rapid.TB, raw []byte, rules Rules, hashKey []byte) *reference {
	t.Helper()
	r := &reference{
		rules: rules, hashKey: hashKey,
		leaves: map[string]string{}, copies: map[string]int{}, rows: map[string]int{},
	}
	for _, m := range membersOf(raw) {
		switch m.key {
		case "extracted_data", "confidence", "metadata":
			r.value(spot{group: m.key, id: "/" + m.key, depth: 1}, m.raw)
		}
	}
	return r
}

// spot is a place in a job.
type spot struct {
	group  string
	id     string // with the ordinals of the elements
	path   string // by which rules name it
	prefix string // of its members' paths
	depth  int
}

func (s spot) member(key string) spot {
	escaped := strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
	path := s.prefix + key
	return spot{s.group, s.id + "/" + escaped, path, path + ".", s.depth + 1}
}

func (s spot) element(i int) spot {
	s.id += "/" + strconv.Itoa(i)
	s.depth++
	return s
}

func (r *reference) rule(s spot) Rule {
	if s.group != "extracted_data" {
		return Rule{}
	}
	return r.rules[s.path]
}

func (r *reference) value(s spot, raw json.RawMessage) {
	rule := r.rule(s)
	if rule.Mode == ModeTable && raw[0] == '[' && string(canonical(raw)) != "[]" {
		for i, element := range elementsOf(raw) {
			r.rows[childDataset("jobs", s.path)]++
			r.element(s.element(i), element)
		}
		return
	}
	r.element(s, raw)
}

// element is value for what is no table itself.
func (r *reference) element(s spot, raw json.RawMessage) {
	rule := r.rule(s)
	switch {
	case raw[0] == 'n':
	case raw[0] == '{' && s.takenApart(rule) && len(membersOf(raw)) > 0:
		r.object(s, raw)
	case s.depth == 1 && s.group != "extracted_data" && canonical(raw) == "{}":
	default:
		r.leaves[s.id] = r.shown(s, raw)
	}
}

func (s spot) takenApart(rule Rule) bool {
	return rule.Mode != ModeJSON && rule.Mode != ModeHash && s.depth < maxFlattenDepth &&
		(s.group != "metadata" || s.depth == 1)
}

func (r *reference) object(s spot, raw json.RawMessage) {
	seen := map[string]bool{}
	for _, m := range membersOf(raw) {
		at := s.member(m.key)
		r.vague = r.vague || strings.ContainsRune(m.key, '\ufffd')
		switch {
		case r.rule(at).Mode == ModeDrop || m.raw[0] == 'n' && !seen[m.key]:
		case seen[m.key]:
			r.copies[at.id]++
			r.leaves[fmt.Sprintf("%s~#%d", at.id, r.copies[at.id]+1)] = r.shown(at, m.raw)
		default:
			seen[m.key] = true
			r.value(at, m.raw)
		}
	}
}

// shown is a leaf's canonical value after what rules drop and hash.
func (r *reference) shown(s spot, raw json.RawMessage) string {
	var b strings.Builder
	switch {
	case r.rule(s).Mode == ModeHash && raw[0] != 'n':
		return r.hash(raw)
	case raw[0] == '{':
		b.WriteByte('{')
		for _, m := range membersOf(raw) {
			if at := s.member(m.key); r.rule(at).Mode != ModeDrop {
				fmt.Fprintf(&b, "%q:%s,", m.key, r.shown(at, m.raw))
			}
		}
		b.WriteByte('}')
	case raw[0] == '[':
		b.WriteByte('[')
		for i, element := range elementsOf(raw) {
			b.WriteString(r.shown(s.element(i), element) + ",")
		}
		b.WriteByte(']')
	default:
		return canonical(raw)
	}
	return b.String()
}

func (r *reference) hash(raw json.RawMessage) string {
	text := []byte(raw)
	if raw[0] == '"' {
		s := stringOf(raw)
		r.vague = r.vague || strings.ContainsRune(s, '\ufffd')
		text = []byte(s)
	}
	mac := hmac.New(sha256.New, r.hashKey)
	mac.Write(text)
	return strconv.Quote(hex.EncodeToString(mac.Sum(nil)))
}

type memberText struct {
	key string
	raw json.RawMessage
}

// membersOf decodes an object with encoding/json, duplicate keys included.
func membersOf(raw []byte) []memberText {
	dec := opened(raw, '{')
	var all []memberText
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			panic(err)
		}
		all = append(all, memberText{key.(string), rawOf(dec)})
	}
	return all
}

func elementsOf(raw []byte) []json.RawMessage {
	dec := opened(raw, '[')
	var all []json.RawMessage
	for dec.More() {
		all = append(all, rawOf(dec))
	}
	return all
}

func opened(raw []byte, bracket json.Delim) *json.Decoder {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if token, err := dec.Token(); err != nil || token != bracket {
		panic(fmt.Sprintf("%v does not open %s: %v", token, raw, err))
	}
	return dec
}

func rawOf(dec *json.Decoder) (raw json.RawMessage) {
	if err := dec.Decode(&raw); err != nil {
		panic(err)
	}
	return raw
}

func stringOf(raw []byte) (s string) {
	if err := json.Unmarshal(raw, &s); err != nil {
		panic(err)
	}
	return s
}

// canonical brings a JSON text into a form in which equal values are equal
// texts. Members keep their order.
func canonical(raw []byte) string {
	raw = bytes.TrimSpace(raw)
	var b strings.Builder
	switch raw[0] {
	case '{':
		b.WriteByte('{')
		for _, m := range membersOf(raw) {
			fmt.Fprintf(&b, "%q:%s,", m.key, canonical(m.raw))
		}
		b.WriteByte('}')
	case '[':
		b.WriteByte('[')
		for _, element := range elementsOf(raw) {
			b.WriteString(canonical(element) + ",")
		}
		b.WriteByte(']')
	case '"':
		return strconv.Quote(stringOf(raw))
	case 't', 'f', 'n':
		return string(raw)
	default:
		return canonicalNumber(string(raw))
	}
	return b.String()
}

// canonicalNumber returns a number as a fraction; one too large for that stays
// as it is.
func canonicalNumber(literal string) string {
	if _, exp, has := strings.Cut(strings.ToLower(literal), "e"); has {
		if n, err := strconv.Atoi(exp); err != nil || n > 2000 || n < -2000 {
			return literal
		}
	}
	r, ok := new(big.Rat).SetString(literal)
	if !ok {
		panic("not a number: " + literal)
	}
	if r.Sign() == 0 && literal[0] == '-' {
		return "-0"
	}
	return r.RatString()
}
