package store

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"gocloud.dev/blob"
)

// Open opens the bucket that a URL names:
//
//   - file:///abs/dir or file://./dir: a local folder, made on the first write.
//     It takes the parameters prefix and, without effect, those by which others
//     ask for what is done here anyway: create_dir, no_tmp_dir, metadata=skip.
//   - mem://: memory, gone with the process.
//   - s3://bucket, gs://bucket, azblob://container, with the parameters that
//     gocloud.dev/blob documents, and credentials by each cloud's usual chain.
//
// A path after a bucket's name stands for the same as the parameter prefix: the
// archive lies below it. Nothing is read or written yet.
func Open(ctx context.Context, rawURL string, o Options) (*Store, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, errors.New("storage URL: not a URL; write it like file://./archive or s3://bucket")
	}
	where := redacted(u)
	var b Backend
	switch u.Scheme {
	case "file":
		b, err = openFolder(u)
	case "mem", "s3", "gs", "azblob":
		b, err = openCloud(ctx, u)
	default:
		err = fmt.Errorf("unknown scheme %q; use file, s3, gs, azblob or mem", u.Scheme)
	}
	if err != nil {
		return nil, fmt.Errorf("open storage %s: %w", where, err)
	}
	return New(b, where, o), nil
}

// redacted leaves out the user and all parameters, some of which are secrets.
func redacted(u *url.URL) string {
	return u.Scheme + "://" + u.Host + u.Path
}

func openFolder(u *url.URL) (Backend, error) {
	dir := u.Host + u.Path
	if u.Host == "localhost" {
		dir = u.Path
	}
	if dir == "" {
		return nil, errors.New("it names no folder; write file:///srv/archive, or file://./archive for a relative one")
	}
	for name, values := range u.Query() {
		value := values[len(values)-1]
		switch {
		case name == "prefix":
			if !filepath.IsLocal(strings.TrimSuffix(value, "/")) {
				return nil, errors.New("the parameter prefix must be a relative path that stays below the folder")
			}
			dir = filepath.Join(dir, value)
		case (name == "create_dir" || name == "no_tmp_dir") && (value == "true" || value == "1"):
		case name == "metadata" && value == "skip":
		default:
			return nil, fmt.Errorf("parameter %q is not known for a folder, or not with this value", name)
		}
	}
	return newFolder(filepath.FromSlash(dir)), nil
}

func openCloud(ctx context.Context, u *url.URL) (Backend, error) {
	if u.Scheme != "mem" && u.Host == "" {
		return nil, errors.New("it names no bucket")
	}
	q := u.Query()
	if q.Has("key") {
		return nil, errors.New("the parameter key does not go with an archive")
	}
	inBucket := *u
	if prefix := strings.Trim(u.Path, "/"); prefix != "" {
		q.Set("prefix", prefix+"/"+q.Get("prefix"))
		inBucket.Path = ""
		inBucket.RawQuery = q.Encode()
	}
	bucket, err := blob.OpenBucket(ctx, inBucket.String())
	if err != nil {
		return nil, withoutParameters(err, u, &inBucket)
	}
	return &cloud{bucket: bucket, name: u.Host, prefix: q.Get("prefix")}, nil
}

// withoutParameters keeps the text of an error but for the URLs and their
// parameters' values.
func withoutParameters(err error, urls ...*url.URL) error {
	text := (&remark{err}).Error()
	for _, u := range urls {
		for _, values := range u.Query() {
			for _, value := range values {
				if len(value) > 3 {
					text = strings.ReplaceAll(text, value, "…")
				}
			}
		}
		if u.User != nil {
			text = strings.ReplaceAll(text, u.User.String()+"@", "")
		}
	}
	return errors.New(text)
}
