package config

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// urlRule says what kind of URL a value must be.
type urlRule struct {
	word    string // a word that may stand instead
	schemes []string
	example string
	check   func(u *url.URL) string // says what is wrong, without quoting it
}

// checkURL reports a URL that breaks the rule. It never quotes the URL, which may
// hold a password.
func (d *decoder) checkURL(path, name, text string, rule func() urlRule) {
	r := rule()
	if r.word != "" && text == r.word {
		return
	}
	scheme, _, found := strings.Cut(text, "://")
	if !found || !slices.Contains(r.schemes, scheme) {
		choices := make([]string, 0, len(r.schemes)+1)
		if r.word != "" {
			choices = append(choices, r.word)
		}
		for _, s := range r.schemes {
			choices = append(choices, s+"://…")
		}
		d.fault(path, "%s must be %s", name, strings.Join(choices, ", "))
		return
	}
	u, err := url.Parse(text)
	if err != nil {
		d.fault(path, "%s is not a valid URL: write it as in %s, with %%XX for special characters in a password", name, r.example)
		return
	}
	if why := r.check(u); why != "" {
		d.fault(path, "%s %s, as in %s", name, why, r.example)
	}
}

func webURL() urlRule {
	return urlRule{
		schemes: []string{"https", "http"}, example: "https://api.adteco.com/v1",
		check: func(u *url.URL) string {
			if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
				return "must have no user, query or fragment"
			}
			return needHost(u)
		},
	}
}

func webhookURL() urlRule {
	return urlRule{schemes: []string{"https", "http"}, example: "https://hooks.example.com/alerts", check: needHost}
}

func cacheURL() urlRule {
	return urlRule{
		word: "embedded", schemes: []string{"redis", "rediss"}, example: "redis://HOST:6379/0",
		check: func(u *url.URL) string {
			if !regexp.MustCompile(`^/?([0-9]{1,3})?$`).MatchString(u.Path) {
				return "must end with the number of a database"
			}
			return needHost(u)
		},
	}
}

func archiveURL() urlRule {
	return urlRule{
		schemes: []string{"file", "s3", "gs", "azblob", "mem"}, example: "file://./archive or s3://BUCKET",
		check: func(u *url.URL) string {
			switch {
			case u.Scheme == "mem":
				return ""
			case u.Scheme != "file":
				return needHost(u)
			case u.Host != "" && u.Host != "." && u.Host != "..", strings.Trim(u.Path, "/") == "":
				return "must name a folder"
			}
			return ""
		},
	}
}

func databaseURL() urlRule {
	return urlRule{
		schemes: []string{"postgres", "postgresql", "mysql", "sqlite", "duckdb"},
		example: "postgres://USER@HOST:5432/DATABASE or sqlite://./warehouse.db",
		check: func(u *url.URL) string {
			if u.Scheme != "sqlite" && u.Scheme != "duckdb" {
				if u.Query().Has("host") {
					return "" // a socket
				}
				return needHost(u)
			}
			if file := u.Host + u.Path; strings.Trim(file, "./") == "" || strings.HasSuffix(file, "/") {
				return "must name a file"
			}
			return ""
		},
	}
}

func needHost(u *url.URL) string {
	if u.Hostname() == "" {
		return "has no host"
	}
	return ""
}

// Secrets lists every text in the configuration that must not appear in a log or
// a message: the API key, the hash key, webhook addresses, and the passwords in
// URLs, both as written and decoded. None is empty; each comes once.
func (c *Config) Secrets() []string {
	var all []string
	add := func(texts ...string) {
		for _, text := range texts {
			if text != "" && !slices.Contains(all, text) {
				all = append(all, text)
			}
		}
	}
	add(c.API.Key, c.HashKey)
	for _, k := range c.API.Keys {
		add(k.Key)
		add(urlSecrets(k.BaseURL)...)
	}
	add(urlSecrets(c.Cache)...)
	add(urlSecrets(c.Archive)...)
	for _, p := range c.Pipelines {
		for _, s := range p.Sinks {
			add(urlSecrets(s.URL)...)
		}
		if p.Alerts == nil {
			continue
		}
		for _, hook := range p.Alerts.Webhooks {
			add(hook.URL)
			add(urlSecrets(hook.URL)...)
			// Whoever has the path of a webhook may post to it, and errors of
			// the HTTP client quote it.
			if u, err := url.Parse(hook.URL); err == nil && len(u.EscapedPath()) > 1 {
				add(u.EscapedPath(), u.Path)
			}
		}
	}
	return all
}

// urlSecrets lists the password of a URL and the query values that name
// themselves secret, each as written and decoded.
func urlSecrets(text string) []string {
	u, err := url.Parse(text)
	if err != nil {
		return nil
	}
	var secrets []string
	if password, ok := u.User.Password(); ok {
		// Between the first colon and the last @ of the authority, as it stands.
		_, authority, _ := strings.Cut(text, "://")
		authority, _, _ = strings.Cut(authority, "/")
		if end := strings.LastIndexByte(authority, '@'); end >= 0 {
			_, written, _ := strings.Cut(authority[:end], ":")
			secrets = append(secrets, written)
		}
		secrets = append(secrets, password)
	}
	secretive := regexp.MustCompile(`(?i)pass|pwd|secret|token|key|sig|credential`)
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		name, written, _ := strings.Cut(pair, "=")
		if !secretive.MatchString(name) {
			continue
		}
		secrets = append(secrets, written)
		if decoded, err := url.QueryUnescape(written); err == nil {
			secrets = append(secrets, decoded)
		}
	}
	return secrets
}
