package pipeline

import (
	"strconv"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/internal/rawjson"
)

// Filter chooses among the final jobs of a pipeline. It works on the jobs as
// received: the API's own filters would hide from the proof what they leave
// out.
type Filter struct {
	ExtractorID   string              // empty: every extractor
	Status        []docextract.Status // final states; empty: all
	MinConfidence float64             // least mean of a completed job's field confidences
	Metadata      map[string]string   // keys and the text that they must have
}

// Match reports whether the pipeline keeps the job. A job that failed has no
// confidence and is not judged by it.
func (f Filter) Match(job *docextract.Job) bool {
	if f.ExtractorID != "" && job.ExtractorID != f.ExtractorID {
		return false
	}
	if len(f.Status) > 0 && !contains(f.Status, job.Status) {
		return false
	}
	if f.MinConfidence <= 0 && len(f.Metadata) == 0 {
		return true
	}
	confidence, metadata := f.read(job.Raw)
	if f.MinConfidence > 0 && job.Status == docextract.StatusCompleted && !(confidence >= f.MinConfidence) {
		return false
	}
	for key, want := range f.Metadata {
		if got, has := metadata[key]; !has || got != want {
			return false
		}
	}
	return true
}

func contains(all []docextract.Status, one docextract.Status) bool {
	for _, s := range all {
		if s == one {
			return true
		}
	}
	return false
}

// read returns the mean confidence and the metadata that the filter asks for.
func (f Filter) read(raw []byte) (confidence float64, metadata map[string]string) {
	metadata = map[string]string{}
	var sum float64
	var n int
	s := rawjson.NewScanner(raw)
	// The text was validated when its page was read.
	_ = s.Object(func(key []byte) error {
		switch {
		case string(key) == `"confidence"` && s.Peek() == rawjson.Object:
			return s.Object(func([]byte) error {
				isNumber := s.Peek() == rawjson.Number
				value, err := s.Value()
				if score, bad := strconv.ParseFloat(string(value), 64); isNumber && bad == nil {
					sum, n = sum+score, n+1
				}
				return err
			})
		case string(key) == `"metadata"` && s.Peek() == rawjson.Object:
			return s.Object(func(key []byte) error {
				kind := s.Peek()
				value, err := s.Value()
				name := decodeKey(key)
				if _, wanted := f.Metadata[name]; wanted && err == nil {
					metadata[name] = string(value)
					if kind == rawjson.String {
						metadata[name], _ = rawjson.Text(value)
					}
				}
				return err
			})
		}
		_, err := s.Value()
		return err
	})
	if n > 0 {
		confidence = sum / float64(n)
	}
	return confidence, metadata
}
