package store_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/adteco/docarchive/internal/store"
)

func TestFolderOf(t *testing.T) {
	dir := t.TempDir()
	if got := open(t, "file://"+filepath.ToSlash(dir)+"?prefix=a").Folder(); got != filepath.Join(dir, "a") {
		t.Errorf("the folder is %q", got)
	}
	if got := open(t, "mem://").Folder(); got != "" {
		t.Errorf("memory is in the folder %q", got)
	}
}

// TestUploadRule asks an S3 service for rules of all kinds.
func TestUploadRule(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "id")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	rule := func(filter, days string) string {
		return "<Rule><ID>r" + days + "</ID><Status>Enabled</Status>" + filter +
			"<AbortIncompleteMultipartUpload><DaysAfterInitiation>" + days + "</DaysAfterInitiation></AbortIncompleteMultipartUpload></Rule>"
	}
	const disabled = "<Rule><ID>d</ID><Status>Disabled</Status><Filter/><AbortIncompleteMultipartUpload>" +
		"<DaysAfterInitiation>1</DaysAfterInitiation></AbortIncompleteMultipartUpload></Rule>"
	for name, c := range map[string]struct {
		status  int
		body    string
		want    store.UploadRule
		wantErr bool
	}{
		"none":       {404, "<Error><Code>NoSuchLifecycleConfiguration</Code></Error>", store.UploadRule{Asked: true}, false},
		"refused":    {403, "<Error><Code>AccessDenied</Code></Error>", store.UploadRule{}, true},
		"disabled":   {200, disabled, store.UploadRule{Asked: true}, false},
		"other part": {200, rule("<Filter><Prefix>logs/</Prefix></Filter>", "3"), store.UploadRule{Asked: true}, false},
		"some tags":  {200, rule("<Filter><Tag><Key>k</Key><Value>v</Value></Tag></Filter>", "3"), store.UploadRule{Asked: true}, false},
		"old form":   {200, rule("<Prefix></Prefix>", "9"), store.UploadRule{Asked: true, Days: 9}, false},
		"several": {
			200, rule("<Filter><Prefix>jobs/</Prefix></Filter>", "7") + rule("<Filter><Prefix></Prefix></Filter>", "5"),
			store.UploadRule{Asked: true, Days: 5},
			false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/bucket" || !r.URL.Query().Has("lifecycle") {
					t.Errorf("asked for %s", r.URL)
				}
				w.WriteHeader(c.status)
				if c.status == http.StatusOK {
					c.body = "<LifecycleConfiguration>" + c.body + "</LifecycleConfiguration>"
				}
				fmt.Fprint(w, c.body)
			}))
			defer server.Close()
			q := url.Values{"region": {"us-east-1"}, "endpoint": {server.URL}, "use_path_style": {"true"}}
			got, err := open(t, "s3://bucket/jobs/2026?"+q.Encode()).UploadRule(t.Context())
			if (err != nil) != c.wantErr {
				t.Errorf("error %v", err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	if got, err := open(t, "mem://").UploadRule(t.Context()); err != nil || got.Asked {
		t.Errorf("memory: %+v, %v", got, err)
	}
}
