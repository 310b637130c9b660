//go:build unix

package testserver

import (
	"os/exec"
	"strings"
	"testing"

	"gocloud.dev/blob"
	_ "gocloud.dev/blob/azureblob"
	_ "gocloud.dev/blob/s3blob"
	"gocloud.dev/gcerrors"
)

func TestBuckets(t *testing.T) {
	for name, fresh := range map[string]func(testing.TB) string{"s3": S3, "azure": Azure} {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			var buckets []*blob.Bucket
			for range 2 {
				bucket, err := blob.OpenBucket(ctx, fresh(t))
				if err != nil {
					t.Fatal(err)
				}
				defer bucket.Close()
				buckets = append(buckets, bucket)
			}
			create := &blob.WriterOptions{IfNotExist: true, ContentType: "text/plain"}
			for _, bucket := range buckets { // the same key twice: they are apart
				if err := bucket.WriteAll(ctx, "log/a b=1/é.json", []byte("first"), create); err != nil {
					t.Fatal(err)
				}
			}
			// From a reader: the Azure driver panics when WriteAll meets a conflict.
			err := buckets[0].Upload(ctx, "log/a b=1/é.json", strings.NewReader("second"), create)
			if gcerrors.Code(err) != gcerrors.FailedPrecondition {
				t.Errorf("a second create: %v", err)
			}
			got, err := buckets[0].ReadAll(ctx, "log/a b=1/é.json")
			if err != nil || string(got) != "first" {
				t.Errorf("read back %q, %v", got, err)
			}
			object, err := buckets[0].List(&blob.ListOptions{Prefix: "log/"}).Next(ctx)
			if err != nil || object.Key != "log/a b=1/é.json" || object.Size != 5 {
				t.Errorf("listed %+v, %v", object, err)
			}
		})
	}
}

func TestS3Ends(t *testing.T) { checkEnds(t, s3Program(tool(t, "bin", "versitygw"))) }

func TestAzureEnds(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		missing(t, "node is not installed")
	}
	checkEnds(t, azureProgram(node, tool(t, "node_modules", "azurite", "dist", "src", "blob", "main.js")))
}
