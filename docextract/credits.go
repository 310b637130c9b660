package docextract

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// Credits is what an organisation has to spend.
type Credits struct {
	Balance        float64         `json:"balance"`
	TotalPurchased float64         `json:"total_purchased"`
	TotalUsed      float64         `json:"total_used"`
	Currency       string          `json:"currency"`
	Raw            json.RawMessage `json:"-"` // the whole object as received
}

// Credits fetches the balance.
func (c *Client) Credits(ctx context.Context) (Credits, error) {
	var credits Credits
	err := c.get(ctx, []string{"credits"}, nil, func(_ http.Header, body []byte) error {
		credits = Credits{Raw: body}
		return parseCounted(body, "balance", &credits)
	})
	if err != nil {
		return Credits{}, fmt.Errorf("get credits: %w", err)
	}
	return credits, nil
}
