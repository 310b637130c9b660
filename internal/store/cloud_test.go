//go:build unix

package store_test

import (
	"testing"

	"github.com/adteco/docarchive/internal/store"
	"github.com/adteco/docarchive/internal/store/storetest"
	"github.com/adteco/docarchive/internal/testserver"
	"github.com/adteco/docarchive/internal/testserver/gcs"
)

func TestMain(m *testing.M) { testserver.Main(m) }

func TestClouds(t *testing.T) {
	for name, fresh := range map[string]func(testing.TB) string{
		"s3": testserver.S3, "azure": testserver.Azure, "gcs": gcs.Bucket,
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Run(t, func(t *testing.T) *store.Store { return open(t, fresh(t)) })
		})
	}
}
