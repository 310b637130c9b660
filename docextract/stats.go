package docextract

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
)

// Stats are the API's statistics of a period up to now.
type Stats struct {
	Period              string           `json:"period"`
	TotalJobs           int64            `json:"total_jobs"`
	CompletedJobs       int64            `json:"completed_jobs"`
	FailedJobs          int64            `json:"failed_jobs"`
	SuccessRate         float64          `json:"success_rate"`           // 0 to 1
	AvgProcessingTimeMS float64          `json:"avg_processing_time_ms"` // milliseconds; 0 if there was nothing to average
	AvgConfidence       float64          `json:"avg_confidence"`         // 0 to 1; likewise
	TotalCreditsUsed    float64          `json:"total_credits_used"`
	ByExtractor         []ExtractorStats `json:"by_extractor"`
	ByStatus            map[Status]int64 `json:"by_status"`
	Raw                 json.RawMessage  `json:"-"` // the whole object as received
}

// ExtractorStats are the statistics of one extractor.
type ExtractorStats struct {
	ExtractorID   string  `json:"extractor_id"`
	ExtractorName string  `json:"extractor_name"`
	JobCount      int64   `json:"job_count"`
	SuccessRate   float64 `json:"success_rate"` // 0 to 1
}

// Stats fetches the statistics of a period such as 24h, 7d or 30d; an empty one
// leaves the choice to the server.
func (c *Client) Stats(ctx context.Context, period string) (Stats, error) {
	query := url.Values{}
	if period != "" {
		query.Set("period", period)
	}
	var stats Stats
	err := c.get(ctx, []string{"documents", "stats"}, query, func(_ http.Header, body []byte) error {
		stats = Stats{Raw: body}
		return parseCounted(body, "total_jobs", &stats)
	})
	if err != nil {
		return Stats{}, fmt.Errorf("get statistics: %w", err)
	}
	return stats, nil
}

// parseCounted reads an object into v. It must have the member named, so that
// another answer is not taken for one that counts nothing.
func parseCounted(body []byte, member string, v any) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		return err
	}
	if raw := members[member]; raw == nil || string(raw) == "null" {
		return errors.New(member + " is missing")
	}
	return json.Unmarshal(body, v)
}
