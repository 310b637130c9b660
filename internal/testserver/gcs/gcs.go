// Package gcs gives tests a Google Cloud Storage to write to. It stands apart
// from its parent so that only its users link the emulator.
package gcs

import (
	"net/http/httptest"
	"testing"

	"github.com/fsouza/fake-gcs-server/fakestorage"
)

const bucketName = "docarchive"

// Bucket gives a test an empty bucket on an emulator of its own, in this
// process, and returns its gocloud URL (gs://…). The emulator ends with the
// test. It is named in the test's environment, so the test must not be parallel.
func Bucket(t testing.TB) string {
	t.Helper()
	// The emulator must know its own address, so the listener comes first.
	front := httptest.NewUnstartedServer(nil)
	address := front.Listener.Addr().String()
	emulator, err := fakestorage.NewServerWithOptions(fakestorage.Options{
		NoListener:  true,
		Scheme:      "http",
		PublicHost:  address,
		ExternalURL: "http://" + address,
	})
	if err != nil {
		front.Close()
		t.Fatalf("start the storage emulator: %v", err)
	}
	front.Config.Handler = emulator.HTTPHandler()
	front.Start()
	t.Cleanup(func() {
		front.Close()
		emulator.Stop()
	})
	emulator.CreateBucketWithOpts(fakestorage.CreateBucketOpts{Name: bucketName})
	t.Setenv("STORAGE_EMULATOR_HOST", address)
	return "gs://" + bucketName + "?anonymous=true"
}
