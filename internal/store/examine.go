package store

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// Folder is the local folder that the store is, or "" if it is none.
func (s *Store) Folder() string {
	if f, ok := s.backend.(*folder); ok {
		return f.dir
	}
	return ""
}

// UploadRule is what a bucket does with the parts of uploads that were never
// finished, which nobody sees and everybody pays for.
type UploadRule struct {
	Asked bool  // the service was asked; only S3 is
	Days  int32 // after which the parts are dropped; 0: never
}

// UploadRule asks the bucket for its rule. An error means that it would not say.
func (s *Store) UploadRule(ctx context.Context) (UploadRule, error) {
	c, ok := s.backend.(*cloud)
	if !ok {
		return UploadRule{}, nil
	}
	rule, err := c.uploadRule(ctx)
	return rule, s.wrap("read the lifecycle rules of", "the bucket", err)
}

func (c *cloud) uploadRule(ctx context.Context) (UploadRule, error) {
	var client *s3.Client
	if !c.bucket.As(&client) {
		return UploadRule{}, nil
	}
	configuration, err := client.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: &c.name})
	if _, code := answer(err); code == "NoSuchLifecycleConfiguration" {
		return UploadRule{Asked: true}, nil
	}
	if err != nil {
		return UploadRule{}, &remark{err}
	}
	rule := UploadRule{Asked: true}
	for i := range configuration.Rules {
		days := abortDays(&configuration.Rules[i], c.prefix)
		if days > 0 && (rule.Days == 0 || days < rule.Days) {
			rule.Days = days
		}
	}
	return rule, nil
}

// abortDays is after how many days the rule drops unfinished uploads of
// everything below prefix; 0: never.
func abortDays(r *types.LifecycleRule, prefix string) int32 {
	abort := r.AbortIncompleteMultipartUpload
	if r.Status != types.ExpirationStatusEnabled || abort == nil || abort.DaysAfterInitiation == nil {
		return 0
	}
	of := r.Prefix //lint:ignore SA1019 rules that were made before filters existed still have it
	if f := r.Filter; f != nil {
		if f.Tag != nil || f.And != nil || f.ObjectSizeGreaterThan != nil || f.ObjectSizeLessThan != nil {
			return 0
		}
		if f.Prefix != nil {
			of = f.Prefix
		}
	}
	if of != nil && !strings.HasPrefix(prefix, *of) {
		return 0
	}
	return *abort.DaysAfterInitiation
}
