package workload

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
)

// Column is a column of the flattened table.
type Column struct {
	Name string
	// Path leads to the value in the job, dots between its keys; empty if the
	// archive adds the column of itself.
	Path string
	// Type is DuckDB's name of the column's type. [Mixed] is for a number that
	// may come as text, [Rest] for the text of those that are no numbers.
	Type string
}

// The types of columns beside DuckDB's own.
const (
	Mixed = "MIXED"
	Rest  = "REST"
)

// dataColumns are the leaves of extracted_data.
var dataColumns = []Column{
	{"auto_renewal", "", "BOOLEAN"},
	{"bank_name", "", "VARCHAR"},
	{"card_last_four", "", Mixed},
	{"card_last_four__text", "card_last_four", Rest},
	{"carrier", "", "VARCHAR"},
	{"clauses", "", "JSON"},
	{"closing_balance", "", "DECIMAL(18,4)"},
	{"contract_value", "", "DECIMAL(18,4)"},
	{"currency", "", "VARCHAR"},
	{"delivered", "", "BOOLEAN"},
	{"due_date", "", "DATE"},
	{"effective_date", "", "DATE"},
	{"expiry_date", "", "DATE"},
	{"holder__address__city", "", "VARCHAR"},
	{"holder__name", "", "VARCHAR"},
	{"iban", "", "VARCHAR"},
	{"invoice_date", "", "DATE"},
	{"invoice_number", "", "VARCHAR"},
	{"line_items", "", "JSON"},
	{"merchant_name", "", "VARCHAR"},
	{"notice_days", "", "DOUBLE"},
	{"opening_balance", "", "DECIMAL(18,4)"},
	{"order_number", "", "VARCHAR"},
	{"packages", "", "DOUBLE"},
	{"party_a__name", "", "VARCHAR"},
	{"party_b__name", "", "VARCHAR"},
	{"payment_method", "", "VARCHAR"},
	{"payment_terms", "", Mixed},
	{"payment_terms__text", "payment_terms", Rest},
	{"purchase_order", "", "VARCHAR"},
	{"receipt_date", "", "DATE"},
	{"ship_to__country", "", "VARCHAR"},
	{"ship_to__name", "", "VARCHAR"},
	{"statement_date", "", "DATE"},
	{"store__city", "", "VARCHAR"},
	{"store__number", "", "DOUBLE"},
	{"subtotal", "", "DECIMAL(18,4)"},
	{"tax_amount", "", "DECIMAL(18,4)"},
	{"tip_amount", "", "DECIMAL(18,4)"},
	{"title", "", "VARCHAR"},
	{"total_amount", "", "DECIMAL(18,4)"},
	{"transactions", "", "JSON"},
	{"vendor__address__city", "", "VARCHAR"},
	{"vendor__address__country", "", "VARCHAR"},
	{"vendor__address__postal_code", "", "VARCHAR"},
	{"vendor__address__street", "", "VARCHAR"},
	{"vendor__email", "", "VARCHAR"},
	{"vendor__name", "", "VARCHAR"},
	{"vendor__tax_id", "", "VARCHAR"},
	{"weight_kg", "", "DOUBLE"},
}

var standardColumns = []Column{
	{"job_id", "id", "VARCHAR"},
	{"org_id", "org_id", "VARCHAR"},
	{"extractor_id", "extractor_id", "VARCHAR"},
	{"status", "status", "VARCHAR"},
	{"mime_type", "mime_type", "VARCHAR"},
	{"file_size_bytes", "file_size_bytes", "BIGINT"},
	{"document_url", "document_url", "VARCHAR"},
	{"processing_time_ms", "processing_time_ms", "BIGINT"},
	{"cost_credits", "cost_credits", "DOUBLE"},
	{"error_code", "error_details.code", "VARCHAR"},
	{"error_message", "error_details.message", "VARCHAR"},
	{"created_at", "created_at", "TIMESTAMPTZ"},
	{"started_at", "started_at", "TIMESTAMPTZ"},
	{"completed_at", "completed_at", "TIMESTAMPTZ"},
	{"archived_at", "", "TIMESTAMPTZ"},
	{"run_id", "", "VARCHAR"},
}

var metadataFields = []string{"batch_id", "customer_id", "customer_name", "department", "priority", "processed_by", "source"}

// Columns lists the flattened table's columns in their order. All jobs are
// needed to fill them all; some thousands will do.
func (s Spec) Columns() []Column {
	all := slices.Clone(standardColumns)
	data := slices.Clone(dataColumns)
	for n := range s.Extra {
		column := Column{Name: extraName(n), Type: "DOUBLE"}
		if n%2 == 1 {
			column.Type = "VARCHAR"
		}
		data = append(data, column)
	}
	slices.SortFunc(data, func(a, b Column) int { return cmp.Compare(a.Name, b.Name) })
	for _, column := range data {
		column.Path = "extracted_data." + strings.ReplaceAll(cmp.Or(column.Path, column.Name), "__", ".")
		all = append(all, column)
	}
	var sure []string
	for _, k := range kinds {
		sure = append(sure, k.confidence...)
	}
	slices.Sort(sure)
	for _, field := range slices.Compact(sure) {
		all = append(all, Column{"confidence__" + field, "confidence." + field, "DOUBLE"})
	}
	for _, field := range metadataFields {
		all = append(all, Column{"metadata__" + field, "metadata." + field, "VARCHAR"})
	}
	return all
}

// Extractors is the body of the answer to GET /extractors.
func (s Spec) Extractors() ([]byte, error) {
	type field struct {
		Name string `json:"name"`
		Type string `json:"type"`
	}
	type extractor struct {
		ID     string  `json:"id"`
		OrgID  string  `json:"org_id"`
		Name   string  `json:"name"`
		Kind   string  `json:"document_type"`
		Active bool    `json:"is_active"`
		Fields []field `json:"field_definitions"`
	}
	var list []extractor
	for _, k := range kinds {
		e := extractor{ID: k.id, OrgID: "org_7d1f4c2ab09e", Name: k.name, Kind: "other", Active: true}
		for _, f := range k.fields {
			e.Fields = append(e.Fields, field{f.name, f.kind})
		}
		list = append(list, e)
	}
	return json.Marshal(map[string]any{"extractors": list})
}
