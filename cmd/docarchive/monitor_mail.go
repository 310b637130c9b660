package main

import (
	"context"
	"path/filepath"
	"time"

	"github.com/adteco/docarchive/internal/alert"
	"github.com/adteco/docarchive/internal/config"
	"github.com/adteco/docarchive/pipeline"
)

// alertsFile remembers, in the folder of the embedded cache, what was sent.
const alertsFile = "alerts.json"

// noticeResult is what became of a notice to one webhook.
type noticeResult struct {
	Pipeline string `json:"pipeline"`
	Type     string `json:"type"`
	Host     string `json:"host"` // the address itself is secret
	Sent     int    `json:"sent"`
	Held     int    `json:"held"` // not sent, because they were not long ago
	Error    string `json:"error,omitempty"`
}

// mail sends alerts to webhooks. Whatever fails is reported and no more: the
// exit status tells of the alerts, with or without the mail.
type mail struct {
	app   *app
	scope string // which API it is about
	now   time.Time
	send  bool

	sender *alert.Sender // nil until something is to be sent
	memory *alert.Memory
}

// deliver posts what was found in a pipeline to those of its webhooks that have
// not heard of it.
func (m *mail) deliver(ctx context.Context, p config.Pipeline, period pipeline.Window, found []pipeline.Breach) []noticeResult {
	if !m.send || len(p.Alerts.Webhooks) == 0 {
		return nil
	}
	m.open()
	notice := noticeOf(p.Name, period, found)
	var results []noticeResult
	for _, hook := range p.Alerts.Webhooks {
		to := alert.Webhook{Type: hook.Type, URL: hook.URL}
		due := m.memory.Due(m.scope, to, notice, m.now, p.Alerts.RepeatAfter)
		result := noticeResult{
			Pipeline: p.Name, Type: hook.Type, Host: alert.Host(hook.URL), Held: len(found) - len(due.Alerts),
		}
		if len(due.Alerts) > 0 {
			if err := m.sender.Send(ctx, to, due); err != nil {
				m.app.log.Warn("an alert was not delivered", "pipeline", p.Name, "error", err)
				result.Error = err.Error()
			} else {
				m.memory.Sent(m.scope, to, due, m.now)
				result.Sent = len(due.Alerts)
			}
		}
		results = append(results, result)
	}
	// Kept after each pipeline: a kill must not have others hear it all again.
	if err := m.memory.Save(m.now); err != nil {
		m.app.log.Warn("sent alerts may be sent again", "error", err)
	}
	return results
}

func (m *mail) open() {
	if m.sender != nil {
		return
	}
	m.sender = alert.NewSender(alert.Options{UserAgent: "docarchive/" + version})
	path := ""
	if dir, has := m.app.cacheDir(); has {
		path = filepath.Join(dir, alertsFile)
	} else {
		m.app.log.Warn("there is no home directory: sent alerts are sent again the next time; set DOCARCHIVE_CACHE_DIR")
	}
	var err error
	if m.memory, err = alert.OpenMemory(path); err != nil {
		m.app.log.Warn("sent alerts may be sent again", "error", err)
	}
}

// close ends the connections to the webhooks.
func (m *mail) close() {
	if m.sender != nil {
		m.sender.Close()
	}
}

func noticeOf(name string, period pipeline.Window, found []pipeline.Breach) alert.Notice {
	n := alert.Notice{Pipeline: name, From: period.Start, To: period.End}
	for i := range found {
		b := &found[i]
		n.Alerts = append(n.Alerts, alert.Alert{
			Key: b.Key(), Extractor: b.Extractor, Measure: string(b.Measure), Field: b.Field,
			Value: b.Value, Threshold: b.Threshold, Jobs: b.Jobs, Message: b.Message(),
		})
	}
	return n
}
