package config

import (
	"regexp"
	"strings"
)

const (
	// keyPath is where the default API key stands.
	keyPath = "api/key"
	// keysPath is above the others.
	keysPath = "api/keys"
)

// isKeyPath reports whether an API key stands at path.
func isKeyPath(path string) bool {
	return path == keyPath || strings.HasPrefix(path, keysPath+"/") && strings.HasSuffix(path, "/key")
}

// checkKey reports an API key that cannot be one.
func checkKey(path, key string, d *decoder) {
	switch {
	case !d.given(path):
	case key == "" && d.expander.options.KeyOptional:
	case strings.TrimSpace(key) == "":
		d.fault(path, "key is empty: set it to your API key, for instance through ${DOCEXTRACT_API_KEY}")
	case strings.ContainsFunc(key, func(c rune) bool { return c <= ' ' || c >= 0x7f }):
		d.fault(path, "key holds a blank or a character that no API key has")
	}
}

// checkKeys looks at the named keys and completes them.
func checkKeys(api *API, d *decoder) {
	for i := range api.Keys {
		k := &api.Keys[i]
		path := join(keysPath, k.Name)
		if !regexp.MustCompile(pipelineName).MatchString(k.Name) {
			d.add(k.Pos, "the name of API key %s must begin with a-z or 0-9 and hold only a-z, 0-9, _ and -, at most 63 in all", quote(k.Name))
		}
		checkKey(join(path, "key"), k.Key, d)
		if k.BaseURL == "" {
			k.BaseURL = api.BaseURL
			continue
		}
		k.BaseURL = strings.TrimRight(k.BaseURL, "/")
		d.checkURL(join(path, "base_url"), "base_url", k.BaseURL, webURL)
	}
}

// checkKeyName reports a pipeline's key that there is not.
func checkKeyName(p *Pipeline, keys []APIKey, path string, d *decoder) {
	path = join(path, "key")
	if p.Key == "" {
		return
	}
	var names []string
	for _, k := range keys {
		if k.Name == p.Key {
			return
		}
		names = append(names, k.Name)
	}
	if len(names) == 0 {
		d.fault(path, "key names %s, and there are no keys: name it under api.keys, or leave it out to use api.key", d.written(path))
		return
	}
	if d.origins[path].written != p.Key {
		// It may be a secret that was meant to stand under api.
		d.fault(path, "key names none of the keys under api.keys: use one of %s", strings.Join(names, ", "))
		return
	}
	d.fault(path, "key names %s, which is not under api.keys: %s", d.written(path), hint(p.Key, names))
}
