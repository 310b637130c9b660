package pipeline

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/adteco/docarchive/internal/rawjson"
)

// veil reports whether a rule drops or hashes a field whose path begins with
// prefix.
func (r Rules) veil(prefix string) bool {
	for path, rule := range r {
		if (rule.Mode == ModeDrop || rule.Mode == ModeHash) && strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return false
}

// shown returns the value as the table may hold it: hashed if the node's rule
// says so, else without what rules drop or hash inside it.
func (f *Flattener) shown(n *node, v value) value {
	switch {
	case v.kind == rawjson.Null:
		return v
	case n.rule.Mode == ModeHash:
		return f.hash(v)
	case n.veiled && (v.kind == rawjson.Object || v.kind == rawjson.Array):
		v.raw = f.appendVeiled(nil, n.prefix(), v)
	}
	return v
}

// appendVeiled appends a value's text as the rules want it for the fields in it,
// whose paths begin with prefix.
func (f *Flattener) appendVeiled(dst []byte, prefix string, v value) []byte {
	if v.kind != rawjson.Object && v.kind != rawjson.Array || !f.options.Rules.veil(prefix) {
		return append(dst, v.raw...)
	}
	s := rawjson.NewScanner(v.raw)
	open := len(dst)
	dst = append(dst, v.raw[0])
	comma := func() {
		if len(dst) > open+1 {
			dst = append(dst, ',')
		}
	}
	member := func(key []byte) error {
		inner, err := next(s)
		path := prefix + decodeKey(key)
		rule := f.options.Rules[path]
		if err != nil || rule.Mode == ModeDrop {
			return err
		}
		if rule.Mode == ModeHash && inner.kind != rawjson.Null {
			inner = f.hash(inner)
		}
		comma()
		dst = append(append(dst, key...), ':')
		dst = f.appendVeiled(dst, path+".", inner)
		return nil
	}
	element := func() error {
		inner, err := next(s)
		comma()
		dst = f.appendVeiled(dst, prefix, inner)
		return err
	}
	// The text was validated when it was cut out.
	if v.kind == rawjson.Object {
		_ = s.Object(member)
	} else {
		_ = s.Array(element)
	}
	return append(dst, v.raw[0]+2) // '{'+2 == '}' and '['+2 == ']'
}

// next reads the next value whole.
func next(s *rawjson.Scanner) (value, error) {
	kind, raw, plain, err := s.Read()
	return value{kind, raw, plain}, err
}

// hash replaces a value by the quoted hex of its keyed hash. Strings are hashed
// as they are, other values as their JSON text.
func (f *Flattener) hash(v value) value {
	mac := hmac.New(sha256.New, f.options.HashKey)
	text := v.raw
	if v.kind == rawjson.String {
		if s, exact := rawjson.AppendText(nil, v.raw); exact {
			text = s
		}
	}
	mac.Write(text)
	return value{rawjson.String, []byte(`"` + hex.EncodeToString(mac.Sum(nil)) + `"`), true}
}
