package gcs_test

import (
	"net"
	"os"
	"testing"
	"time"

	"gocloud.dev/blob"
	_ "gocloud.dev/blob/gcsblob"
	"gocloud.dev/gcerrors"

	"github.com/adteco/docarchive/internal/testserver/gcs"
)

func TestBucket(t *testing.T) {
	var address string
	t.Run("used", func(t *testing.T) {
		ctx := t.Context()
		bucket, err := blob.OpenBucket(ctx, gcs.Bucket(t))
		if err != nil {
			t.Fatal(err)
		}
		defer bucket.Close()
		address = os.Getenv("STORAGE_EMULATOR_HOST")
		const key = "log/a b=1/é.json"
		create := &blob.WriterOptions{IfNotExist: true, ContentType: "text/plain"}
		if err := bucket.WriteAll(ctx, key, []byte("first"), create); err != nil {
			t.Fatal(err)
		}
		if err := bucket.WriteAll(ctx, key, []byte("second"), create); gcerrors.Code(err) != gcerrors.FailedPrecondition {
			t.Errorf("a second create: %v", err)
		}
		if got, err := bucket.ReadAll(ctx, key); err != nil || string(got) != "first" {
			t.Errorf("read back %q, %v", got, err)
		}
		object, err := bucket.List(&blob.ListOptions{Prefix: "log/"}).Next(ctx)
		if err != nil || object.Key != key || object.Size != 5 {
			t.Errorf("listed %+v, %v", object, err)
		}
	})
	if conn, err := net.DialTimeout("tcp", address, time.Second); err == nil {
		_ = conn.Close()
		t.Errorf("the emulator still listens on %s after its test", address)
	}
}
