// Command render writes the plain Kubernetes manifests that follow from the
// chart: go run ./render, in the folder deploy.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/adteco/docarchive/deploy/manifests"
)

func main() {
	if err := render("."); err != nil {
		fmt.Fprintln(os.Stderr, "render:", err)
		os.Exit(1)
	}
}

func render(deploy string) error {
	files, err := manifests.Files(deploy)
	if err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(deploy, "kubernetes", name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
