package docextract

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/adteco/docarchive/internal/rawjson"
)

// Extractor is a definition of what to read from a kind of document.
type Extractor struct {
	ID           string
	Name         string
	DocumentType string
	IsActive     bool
	UsageCount   int64
	Fields       []FieldDefinition
	Raw          json.RawMessage // the whole object as received
}

// FieldDefinition is what an extractor promises of a field. Values may disagree
// with it.
type FieldDefinition struct {
	Name        string `json:"name"`
	Type        string `json:"type"` // text, number, currency, date, email, phone, boolean, array or object
	Required    bool   `json:"required"`
	Description string `json:"description"`
}

// Extractors lists the extractors of the organisation.
func (c *Client) Extractors(ctx context.Context) ([]Extractor, error) {
	var list []Extractor
	err := c.get(ctx, []string{"extractors"}, nil, func(_ http.Header, body []byte) (err error) {
		list, err = parseExtractors(body)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list extractors: %w", err)
	}
	return list, nil
}

// Extractor fetches one extractor. One that the server does not have is an
// [*Error] with status 404.
func (c *Client) Extractor(ctx context.Context, id string) (Extractor, error) {
	var extractor Extractor
	err := c.get(ctx, []string{"extractors", id}, nil, func(_ http.Header, body []byte) (err error) {
		extractor, err = parseExtractor(body)
		if err == nil && extractor.ID != id {
			err = fmt.Errorf("the answer is extractor %.80q", extractor.ID)
		}
		return err
	})
	if err != nil {
		return Extractor{}, fmt.Errorf("get extractor %s: %w", id, err)
	}
	return extractor, nil
}

// parseExtractors reads a list, bare or as the member "extractors".
func parseExtractors(body []byte) ([]Extractor, error) {
	list := json.RawMessage(body)
	if rawjson.NewScanner(body).Peek() == rawjson.Object {
		var answer struct {
			Extractors json.RawMessage `json:"extractors"`
		}
		if err := json.Unmarshal(body, &answer); err != nil {
			return nil, err
		}
		list = answer.Extractors
	}
	var raws []json.RawMessage
	if list == nil {
		return nil, errors.New(`not a list of extractors: "extractors" is missing`)
	}
	if err := json.Unmarshal(list, &raws); err != nil {
		return nil, fmt.Errorf("not a list of extractors: %w", err)
	}
	extractors := make([]Extractor, len(raws))
	for i, raw := range raws {
		var err error
		if extractors[i], err = parseExtractor(raw); err != nil {
			return nil, err
		}
	}
	return extractors, nil
}

// parseExtractor reads an extractor. It must have an id; what else is of another
// type than promised is left out.
func parseExtractor(raw []byte) (Extractor, error) {
	var in struct {
		ID           string            `json:"id"`
		Name         string            `json:"name"`
		DocumentType string            `json:"document_type"`
		IsActive     bool              `json:"is_active"`
		UsageCount   int64             `json:"usage_count"`
		Fields       []FieldDefinition `json:"field_definitions"`
	}
	var wrongType *json.UnmarshalTypeError
	if err := json.Unmarshal(raw, &in); err != nil && !errors.As(err, &wrongType) {
		return Extractor{}, err
	}
	if in.ID == "" {
		return Extractor{}, errors.New("not an extractor: id is missing")
	}
	return Extractor{
		ID: in.ID, Name: in.Name, DocumentType: in.DocumentType, IsActive: in.IsActive,
		UsageCount: in.UsageCount, Fields: in.Fields, Raw: raw,
	}, nil
}
