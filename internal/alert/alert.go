// Package alert tells people what is wrong, by webhooks: Slack's, or generic
// JSON. It remembers what it told whom, so that the same is not said every
// hour.
//
// A webhook's address is a secret. Errors of this package name its host alone.
package alert

import "time"

// Notice is one message: everything that is wrong in one pipeline.
type Notice struct {
	Pipeline string    `json:"pipeline"`
	From     time.Time `json:"from"` // the period that was measured
	To       time.Time `json:"to"`
	Alerts   []Alert   `json:"alerts"`
}

// Alert is one thing that is wrong.
type Alert struct {
	Key       string  `json:"-"` // the same while the same is wrong
	Extractor string  `json:"extractor_id"`
	Measure   string  `json:"measure"` // such as failure_rate
	Field     string  `json:"field,omitempty"`
	Value     float64 `json:"value"` // times in milliseconds, rates and confidences 0 to 1
	Threshold float64 `json:"threshold"`
	Jobs      int64   `json:"jobs"` // that the value is of
	Message   string  `json:"message"`
}

// Webhook is who hears of alerts.
type Webhook struct {
	Type string // TypeSlack or TypeGeneric
	URL  string // secret
}

// The types of webhook.
const (
	TypeSlack   = "slack"
	TypeGeneric = "generic"
)
