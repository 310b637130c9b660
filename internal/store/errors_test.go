package store

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"strings"
	"testing"
)

func TestRemarksHoldNoSecrets(t *testing.T) {
	t.Parallel()
	refused := &url.Error{
		Op:  "Get",
		URL: "https://account.blob.core.windows.net/container/key?sv=2024&sig=canary",
		Err: errors.New("refused"),
	}
	for _, c := range []struct {
		err  error
		want string
	}{
		{refused, `Get "https://account.blob.core.windows.net/container/key?…": refused`},
		{fmt.Errorf("two\n  lines\tof %w", fs.ErrPermission), "two lines of permission denied"},
		{errors.New("why? because"), "why? because"},
		{errors.New(strings.Repeat("é", 1000)), strings.Repeat("é", 250) + "…"},
	} {
		got := classified(nil, c.err)
		if got.Error() != c.want || !errors.Is(got, c.err) {
			t.Errorf("%q; want %q", got, c.want)
		}
	}
}
