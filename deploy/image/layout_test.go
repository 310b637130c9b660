package image_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

const version = "1.2.3-test"

// built is an image for several platforms, as ko left it.
type built struct {
	images map[string]v1.Image // by platform, such as linux/amd64
	sboms  string              // folder
}

// buildImage has ko build the image on a stand-in for the base image, which a
// registry in this process serves: tests need no network.
func buildImage(t *testing.T) built {
	t.Helper()
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(server.Close)
	base, err := name.NewTag(strings.TrimPrefix(server.URL, "http://") + "/static:nonroot")
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.WriteIndex(base, standIn(t), remote.WithContext(t.Context())); err != nil {
		t.Fatal(err)
	}
	out, err := os.MkdirTemp("", "docarchive-image-") // ko refuses capitals, which t.TempDir has
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(out); err != nil {
			t.Error(err)
		}
	})
	ko := exec.CommandContext(t.Context(), "./build", out)
	ko.Env = append(os.Environ(), "VERSION="+version, "KO_DEFAULTBASEIMAGE="+base.Name())
	if text, err := ko.CombinedOutput(); err != nil {
		t.Fatalf("build the image: %v\n%s", err, text)
	}
	index, err := layout.ImageIndexFromPath(filepath.Join(out, "oci"))
	if err != nil {
		t.Fatal(err)
	}
	b := built{images: map[string]v1.Image{}, sboms: filepath.Join(out, "sbom")}
	collect(t, index, b.images)
	return b
}

// standIn is what of the base image matters: two platforms, a user without
// rights, CA certificates and /tmp, and nothing that could be run.
func standIn(t *testing.T) v1.ImageIndex {
	t.Helper()
	var files bytes.Buffer
	w := tar.NewWriter(&files)
	for _, header := range []tar.Header{
		{Typeflag: tar.TypeDir, Name: "tmp/", Mode: 0o1777},
		{Typeflag: tar.TypeReg, Name: "etc/ssl/certs/ca-certificates.crt", Mode: 0o644},
	} {
		if err := w.WriteHeader(&header); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(files.Bytes())), nil })
	if err != nil {
		t.Fatal(err)
	}
	index := v1.ImageIndex(empty.Index)
	for _, arch := range []string{"amd64", "arm64", "s390x"} {
		image, err := mutate.AppendLayers(empty.Image, layer)
		if err != nil {
			t.Fatal(err)
		}
		image, err = mutate.ConfigFile(image, &v1.ConfigFile{
			OS: "linux", Architecture: arch, RootFS: rootFS(t, image),
			Config: v1.Config{User: "nonroot:nonroot", WorkingDir: "/", Env: []string{"SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		platform := v1.Platform{OS: "linux", Architecture: arch}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: &platform}})
	}
	return index
}

func rootFS(t *testing.T, image v1.Image) v1.RootFS {
	t.Helper()
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	return config.RootFS
}

// collect finds the images of an index and of the indexes in it.
func collect(t *testing.T, index v1.ImageIndex, images map[string]v1.Image) {
	t.Helper()
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range manifest.Manifests {
		if m.MediaType.IsIndex() {
			below, err := index.ImageIndex(m.Digest)
			if err != nil {
				t.Fatal(err)
			}
			collect(t, below, images)
			continue
		}
		image, err := index.Image(m.Digest)
		if err != nil {
			t.Fatal(err)
		}
		platform := "any" // of an image that stands by itself
		if m.Platform != nil {
			platform = m.Platform.String()
		}
		images[platform] = image
	}
}

// unpack puts the files of an image into a folder.
func unpack(t *testing.T, image v1.Image, root string) {
	t.Helper()
	flat := mutate.Extract(image)
	defer flat.Close()
	for r := tar.NewReader(flat); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		target := filepath.Join(root, filepath.FromSlash(path.Join("/", header.Name)))
		switch header.Typeflag {
		case tar.TypeDir:
			err = os.MkdirAll(target, 0o755)
		case tar.TypeReg:
			if err = os.MkdirAll(filepath.Dir(target), 0o755); err == nil {
				err = writeFile(target, r, header.FileInfo().Mode().Perm())
			}
		case tar.TypeSymlink:
			err = os.Symlink(header.Linkname, target)
		default:
			t.Fatalf("%s is neither file nor folder", header.Name)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func writeFile(name string, content io.Reader, mode os.FileMode) (err error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	_, err = io.Copy(f, content)
	return err
}
