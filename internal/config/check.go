package config

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	day          = 24 * time.Hour
	pipelineName = `^[a-z0-9][a-z0-9_-]{0,62}$`
)

// check completes the defaults that depend on other values and reports what
// types alone cannot: values that are out of the question, or that contradict
// each other.
func check(cfg *Config, d *decoder) {
	checkAPI(&cfg.API, d)
	d.checkURL("cache", "cache", cfg.Cache, cacheURL)
	d.checkURL("archive", "archive", cfg.Archive, archiveURL)
	if d.given("hash_key") && len(cfg.HashKey) < 16 {
		d.fault("hash_key", "hash_key is too short: it needs at least 16 characters")
	}
	if d.given("pipelines") && len(cfg.Pipelines) == 0 {
		d.fault("pipelines", "pipelines is empty: name at least one pipeline under it")
	}
	var claims claims
	for i := range cfg.Pipelines {
		path := join("pipelines", strconv.Itoa(i))
		if d.faulty[path] {
			continue // it is no mapping
		}
		checkPipeline(&cfg.Pipelines[i], path, d)
		checkKeyName(&cfg.Pipelines[i], cfg.API.Keys, path, d)
		checkSinks(&cfg.Pipelines[i], path, d)
		claims.addAll(&cfg.Pipelines[i], path, d)
	}
	claims.check(d)
}

func checkAPI(api *API, d *decoder) {
	api.BaseURL = strings.TrimRight(api.BaseURL, "/")
	d.checkURL("api/base_url", "base_url", api.BaseURL, webURL)
	checkKey(keyPath, api.Key, d)
	checkKeys(api, d)
	host := regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]|[0-9A-Fa-f]*:[0-9A-Fa-f:.]+)(:[0-9]{1,5})?$`)
	for i, name := range api.DocumentHosts {
		if !host.MatchString(name) {
			path := join("api/document_hosts", strconv.Itoa(i))
			d.fault(path, "document_hosts names %s: write a host or host:port, without scheme or path", d.written(path))
		}
	}
}

func checkPipeline(p *Pipeline, path string, d *decoder) {
	if !regexp.MustCompile(pipelineName).MatchString(p.Name) {
		d.fault(join(path, "name"), "pipeline name %s must begin with a-z or 0-9 and hold only a-z, 0-9, _ and -, at most 63 in all", quote(p.Name))
	}
	if !validWindow(p.Window) {
		d.fault(join(path, "window"), "window is %s: it must be 1 to 31 whole days, or whole hours that divide a day (1h, 2h, 3h, 4h, 6h, 8h or 12h)",
			d.written(join(path, "window")))
	}
	for _, f := range p.Fields {
		if f.Path == "" || strings.HasPrefix(f.Path, ".") || strings.HasSuffix(f.Path, ".") || strings.Contains(f.Path, "..") {
			d.fault(join(path, "fields/"+f.Path), "field path %s has an empty name in it: write it as in vendor.address.city", quote(f.Path))
		}
	}
	if p.Alerts == nil {
		return
	}
	for i, hook := range p.Alerts.Webhooks {
		at := fmt.Sprintf("%s/alerts/webhooks/%d/url", path, i)
		if d.given(at) {
			d.checkURL(at, "webhook url", hook.URL, webhookURL)
		}
	}
	if p.Alerts.RepeatAfter < time.Minute {
		d.fault(path+"/alerts/repeat_after", "repeat_after must be at least 1m")
	}
}

func validWindow(window time.Duration) bool {
	if window >= day {
		return window%day == 0 && window <= 31*day
	}
	return window >= time.Hour && window%time.Hour == 0 && day%window == 0
}
