package main

import (
	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/internal/config"
	"github.com/adteco/docarchive/pipeline"
)

// documentsAtOnce is how many documents of a pipeline are fetched at a time.
const documentsAtOnce = 4

// openDownloader returns what fetches documents, without the API's key and from
// no other hosts than jobs.yaml allows. It is closed with the workplace.
func (w *workplace) openDownloader() (*docextract.Downloader, error) {
	if w.downloader != nil {
		return w.downloader, nil
	}
	d, err := docextract.NewDownloader(docextract.DownloadOptions{Hosts: w.cfg.API.DocumentHosts, UserAgent: "docarchive/" + version})
	if err != nil {
		return nil, &configError{err}
	}
	w.downloader = d
	return d, nil
}

// documentKeeper returns what archives the documents of a pipeline; nil where
// jobs.yaml does not ask for it.
func (w *workplace) documentKeeper(p config.Pipeline) (*pipeline.DocumentKeeper, error) {
	if !p.Documents {
		return nil, nil
	}
	d, err := w.openDownloader()
	if err != nil {
		return nil, err
	}
	return &pipeline.DocumentKeeper{Documents: d, Shelf: w.ledger, AtOnce: documentsAtOnce, Sleep: pause}, nil
}
