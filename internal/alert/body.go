package alert

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

const (
	// slackMost is how many alerts one message of Slack shows. Slack cuts
	// messages at 40,000 characters, and nobody reads so far.
	slackMost = 20
	// slackLine bounds one line of it, in bytes.
	slackLine = 500
)

// genericEvent names the event in the body of a generic webhook.
const genericEvent = "docarchive.alert"

// generic is the body of a generic webhook.
type generic struct {
	Event string `json:"event"`
	Notice
}

// body is what is posted to a webhook of the type.
func body(kind string, n Notice) ([]byte, error) {
	switch kind {
	case TypeSlack:
		return json.Marshal(map[string]string{"text": slackText(n)})
	case TypeGeneric:
		return json.Marshal(generic{Event: genericEvent, Notice: n})
	}
	return nil, fmt.Errorf("unknown type of webhook %q: use %s or %s", kind, TypeSlack, TypeGeneric)
}

func slackText(n Notice) string {
	var b strings.Builder
	things := "alerts"
	if len(n.Alerts) == 1 {
		things = "alert"
	}
	fmt.Fprintf(&b, "*docarchive: %d %s for %s* (%s to %s)", len(n.Alerts), things, slackEscape(n.Pipeline),
		n.From.UTC().Format(time.RFC3339), n.To.UTC().Format(time.RFC3339))
	for i, a := range n.Alerts {
		if i == slackMost {
			fmt.Fprintf(&b, "\n• and %d more", len(n.Alerts)-i)
			break
		}
		fmt.Fprintf(&b, "\n• %s", slackEscape(oneLine(a.Message, slackLine)))
	}
	return b.String()
}

// slackEscape keeps text that others chose from becoming a mention or a link.
func slackEscape(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}

// oneLine makes a text fit for one line of at most so many bytes.
func oneLine(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\ufffd"))
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}
