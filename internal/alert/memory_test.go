package alert_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/adteco/docarchive/internal/alert"
)

var (
	noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	chat = alert.Webhook{Type: alert.TypeSlack, URL: "https://hooks.example/very-secret"}
)

func due(m *alert.Memory, scope string, w alert.Webhook, n alert.Notice, now time.Time) []string {
	texts := []string{}
	for _, a := range m.Due(scope, w, n, now, time.Hour).Alerts {
		texts = append(texts, a.Message)
	}
	return texts
}

func TestMemoryHoldsBackWhatWasSent(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "not yet", "alerts.json")
	m, err := alert.OpenMemory(path)
	if err != nil {
		t.Fatal(err)
	}
	m.Sent("api", chat, notice("a"), noon)
	if err := m.Save(noon); err != nil {
		t.Fatal(err)
	}
	if m, err = alert.OpenMemory(path); err != nil {
		t.Fatal(err)
	}
	other := chat
	other.URL += "/2"
	for _, c := range []struct {
		name  string
		scope string
		hook  alert.Webhook
		now   time.Time
		want  []string
	}{
		{"soon after", "api", chat, noon.Add(time.Hour - 1), []string{"b"}},
		{"in time", "api", chat, noon.Add(time.Hour), []string{"a", "b"}},
		{"another webhook", "api", other, noon, []string{"a", "b"}},
		{"another API", "api2", chat, noon, []string{"a", "b"}},
		{"a clock set back", "api", chat, noon.Add(-time.Minute), []string{"a", "b"}},
	} {
		if diff := cmp.Diff(c.want, due(m, c.scope, c.hook, notice("a", "b"), c.now)); diff != "" {
			t.Errorf("%s: due (-want +got):\n%s", c.name, diff)
		}
	}
	data, err := os.ReadFile(path)
	if err != nil || strings.Contains(string(data), "secret") {
		t.Errorf("the file tells the address: %s (%v)", data, err)
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Errorf("files are left: %v (%v)", left, err)
	}
}

func TestMemoryForgetsWhatIsOld(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "alerts.json")
	m, err := alert.OpenMemory(path)
	if err != nil {
		t.Fatal(err)
	}
	m.Sent("api", chat, notice("a"), noon)
	now := noon.Add(500 * 24 * time.Hour)
	m.Sent("api", chat, notice("b"), now)
	if err := m.Save(now); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if n := strings.Count(string(data), "202"); err != nil || n != 1 {
		t.Errorf("%d times are kept: %s (%v)", n, data, err)
	}
}

// A file that cannot be believed costs a repeated alert, no more.
func TestMemorySurvivesItsFile(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"empty": "", "torn": `{"v":1,"sent":{"a":"2026-`, "of a later version": `{"v":2,"sent":{}}`, "no JSON": "\x00\x01",
		"huge": strings.Repeat(" ", 17<<20),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "alerts.json")
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			m, err := alert.OpenMemory(path)
			if err == nil {
				t.Error("nothing is said of it")
			}
			m.Sent("api", chat, notice("a"), noon)
			if err := m.Save(noon); err != nil {
				t.Fatal(err)
			}
			if m, err = alert.OpenMemory(path); err != nil {
				t.Fatal(err)
			}
			if got := due(m, "api", chat, notice("a"), noon); len(got) != 0 {
				t.Errorf("due after it was written again: %v", got)
			}
		})
	}
}

func TestMemoryWithoutPlace(t *testing.T) {
	t.Parallel()
	m, err := alert.OpenMemory("")
	if err != nil {
		t.Fatal(err)
	}
	m.Sent("api", chat, notice("a"), noon)
	if got := due(m, "api", chat, notice("a"), noon); len(got) != 0 || m.Save(noon) != nil {
		t.Errorf("due within one process: %v", got)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if m, err = alert.OpenMemory(filepath.Join(file, "alerts.json")); err == nil {
		t.Error("a file is taken for a folder")
	}
	if err := m.Save(noon); err == nil || errors.Is(err, os.ErrNotExist) {
		t.Errorf("saved below a file: %v", err)
	}
}
