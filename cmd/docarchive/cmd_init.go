package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/internal/config"
)

// initOptions are the flags of init.
type initOptions struct {
	out   string
	force bool
}

func (a *app) initCommand() *cobra.Command {
	var o initOptions
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Write a first jobs.yaml from what the API key can see",
		Long: `Write a first jobs.yaml from what the API key can see: a pipeline for each extractor that has jobs.

The key is taken from DOCEXTRACT_API_KEY, and the address from DOCEXTRACT_BASE_URL where that is set.
The file names the variable, it never holds the key.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.writeDraft(cmd.Context(), cmd.OutOrStdout(), o)
		},
	}
	cmd.Flags().StringVar(&o.out, "out", "jobs.yaml", "file to write")
	cmd.Flags().BoolVar(&o.force, "force", false, "replace the file if it exists")
	return cmd
}

func (a *app) writeDraft(ctx context.Context, out io.Writer, o initOptions) error {
	if _, err := os.Lstat(o.out); err == nil && !o.force {
		return existsAlready(o.out)
	}
	acc, err := a.accountOfEnvironment()
	if err != nil {
		return err
	}
	defer acc.client.CloseIdle()
	s, err := a.survey(ctx, acc)
	if err != nil {
		return err
	}
	d := newDraft(s)
	text, err := d.yaml()
	if err != nil {
		return err
	}
	if _, err := config.Parse(o.out, text, config.Options{LookupEnv: a.getenv}); err != nil {
		return fmt.Errorf("what would be written to %s is not valid, and was not written: %w", o.out, err)
	}
	if err := createWhole(o.out, text, o.force); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return existsAlready(o.out)
		}
		return fmt.Errorf("write %s: %w", o.out, err)
	}
	return a.printDraft(out, d, o.out)
}

func existsAlready(path string) error {
	return usagef("%s exists already: name another file with --out, or replace it with --force", path)
}

// accountOfEnvironment is the account that the environment names, as it does for
// the jobs.yaml that init writes.
func (a *app) accountOfEnvironment() (*account, error) {
	key := config.APIKey{BaseURL: docextract.DefaultBaseURL}
	if base, _ := a.getenv("DOCEXTRACT_BASE_URL"); base != "" {
		key.BaseURL = base
	}
	if key.Key, _ = a.getenv("DOCEXTRACT_API_KEY"); key.Key == "" {
		return nil, &configError{errors.New("DOCEXTRACT_API_KEY is not set: set it to your API key (sk_live_… or sk_test_…)")}
	}
	a.hide.add(key.Key)
	return a.openAccount(key, nil, 1)
}

// createWhole writes a file that appears whole or not at all. One that exists is
// replaced only if that is allowed; else the error is [fs.ErrExist].
func createWhole(path string, data []byte, replace bool) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".docarchive-init-*")
	if err != nil {
		return err
	}
	defer func() {
		if removed := os.Remove(f.Name()); err == nil && !errors.Is(removed, fs.ErrNotExist) {
			err = removed
		}
	}()
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	if replace {
		return os.Rename(f.Name(), path)
	}
	return os.Link(f.Name(), path)
}
