//go:build unix

package testserver

import (
	"encoding/json"
	"os"
	"testing"
)

// Webhook is an example of what GitHub sends when something happens: deeply
// nested, and made by nobody who knew of these tests.
type Webhook struct {
	Event   string
	Payload json.RawMessage // an object
}

// Webhooks returns several hundred examples, or ends the test if they are not
// installed.
func Webhooks(t testing.TB) []Webhook {
	t.Helper()
	data, err := os.ReadFile(tool(t, "node_modules", "@octokit", "webhooks-examples", "api.github.com", "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	var events []struct {
		Name     string            `json:"name"`
		Examples []json.RawMessage `json:"examples"`
	}
	if err := json.Unmarshal(data, &events); err != nil {
		t.Fatalf("the webhook examples: %v", err)
	}
	var all []Webhook
	for _, event := range events {
		for _, payload := range event.Examples {
			all = append(all, Webhook{event.Name, payload})
		}
	}
	if len(all) == 0 {
		t.Fatal("there are no webhook examples")
	}
	return all
}
