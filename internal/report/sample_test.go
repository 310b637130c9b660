package report_test

import (
	"fmt"
	"math"
	"time"

	"github.com/adteco/docarchive/internal/report"
)

var night = time.Date(2026, 11, 24, 2, 15, 4, 0, time.UTC)

// sampleRun is a night on which some things went wrong.
func sampleRun() *report.Model {
	days, left, balance := 35, 9, 1520.5
	reached, behind := night.Add(-15*time.Minute), night.AddDate(0, 0, -81)
	m := &report.Model{
		Subject: report.Subject{
			Kind: report.KindRun, RunID: "20261124T021504Z-1b2c3d4e", Outcome: report.OutcomePartly,
			ArchiveID: "0b54c8f1-7d6b-4f0e-9a55-1f7f5f8f3c11", ToolVersion: "v1.0.0",
			From: night, To: night.Add(4*time.Minute + 12*time.Second), Made: night.Add(4*time.Minute + 14*time.Second),
		},
		Totals: report.Totals{
			Archived: 48_213, Read: 48_962, Excluded: 702, Open: 47, Quarantined: 1, Rows: 213_442, Bytes: 61_304_992, Seconds: 252,
		},
		Requests: report.Requests{Made: 1_364, PerMinute: 600, Budget: 3_000},
		Pipelines: []report.Pipeline{
			{
				Name: "invoices", Totals: report.Totals{Archived: 41_002, Read: 41_031, Open: 29, Seconds: 198}, Requests: 1_112,
				Windows: report.Windows{Due: days, Read: days, Unproven: 1, Sealed: 1},
				Sinks: []report.Sink{
					{Label: "parquet:invoices", Files: 36, Rows: 41_002, Bytes: 31_992_110},
					{Label: "parquet:invoices__line_items", Files: 36, Rows: 158_002, Bytes: 21_300_000},
					{Label: "database:invoices", Rows: 7_227},
				},
				Standing: &report.Standing{Reached: &reached, Behind: &behind, DaysLeft: &left},
			},
			{
				Name: "receipts", Totals: report.Totals{Archived: 7_211, Read: 7_931, Excluded: 702, Open: 18, Quarantined: 1, Seconds: 54}, Requests: 252,
				Windows: report.Windows{Due: days, Read: 3}, Sinks: []report.Sink{{Label: "csv:receipts", Files: 3, Rows: 7_211, Bytes: 8_012_882}},
				Standing: &report.Standing{Reached: &reached},
			},
		},
		Health: report.Health{
			Measured: 48_213,
			Time:     &report.Timing{Avg: 3_912, P50: 2_880, P95: 9_412, Max: 214_800},
			Extractors: []report.Extractor{
				{Pipeline: "invoices", ID: "ext_invoice_eu", Completed: 29_120, Failed: 310, Time: &report.Timing{Avg: 3_120, P50: 2_700, P95: 8_120, Max: 61_200}},
				{Pipeline: "invoices", ID: "ext_invoice_us", Completed: 10_432, Failed: 1_140, Time: &report.Timing{Avg: 5_700, P50: 4_100, P95: 17_450, Max: 214_800}},
				{Pipeline: "receipts", ID: "ext_receipt", Completed: 7_203, Failed: 8, Time: &report.Timing{Avg: 870, P50: 640, P95: 2_310, Max: 12_050}},
			},
			Times: sampleBins(),
			Fields: []report.Field{
				{Pipeline: "invoices", Extractor: "ext_invoice_us", Name: "vendor.tax_id", Jobs: 9_120, Mean: 0.612},
				{Pipeline: "invoices", Extractor: "ext_invoice_us", Name: "purchase_order", Jobs: 8_998, Mean: 0.783},
				{Pipeline: "invoices", Extractor: "ext_invoice_eu", Name: "vendor.address.city", Jobs: 29_001, Mean: 0.871},
				{Pipeline: "receipts", Extractor: "ext_receipt", Name: "payment_method", Jobs: 7_150, Mean: 0.907},
				{Pipeline: "invoices", Extractor: "ext_invoice_eu", Name: "total_amount", Jobs: 29_120, Mean: 0.982},
			},
			Errors: []report.ErrorCount{
				{Pipeline: "invoices", Extractor: "ext_invoice_us", Code: "timeout", Jobs: 902},
				{Pipeline: "invoices", Extractor: "ext_invoice_eu", Code: "unreadable_document", Jobs: 281},
				{Pipeline: "invoices", Extractor: "ext_invoice_us", Code: "page_limit_exceeded", Jobs: 238},
				{Pipeline: "invoices", Extractor: "ext_invoice_eu", Code: "timeout", Jobs: 29},
				{Pipeline: "receipts", Extractor: "ext_receipt", Code: "(none)", Jobs: 8},
			},
		},
		Alerts: []report.Message{
			{Pipeline: "invoices", Text: "ext_invoice_us: failure rate 9.9 % is above 5.0 % (11572 jobs)"},
			{Pipeline: "invoices", Text: `ext_invoice_us: mean confidence of "vendor.tax_id" 0.612 is below 0.800 (9120 jobs)`},
		},
		Schema: []report.SchemaChange{
			{Dataset: "invoices", Column: "data__vendor__iban", Type: "string", Source: "/extracted_data/vendor/iban", RunID: "20261124T021504Z-1b2c3d4e"},
			{Dataset: "invoices", Column: "confidence__vendor__iban", Type: "double", Source: "/confidence/vendor/iban", RunID: "20261124T021504Z-1b2c3d4e"},
			{Dataset: "invoices__line_items", Column: "discount", Type: "decimal(18,2)", Source: "/extracted_data/line_items/discount", RunID: "20261124T021504Z-1b2c3d4e"},
		},
		Resubmissions: []report.Resubmission{{
			Pipeline: "invoices", Failed: 931, Submitted: 902, Held: 1, Left: 28, Credits: 1_353, Balance: &balance,
			Messages: []report.Message{{Pipeline: "invoices", Place: "job_01HZX4", Text: "held: no answer came; looked for in the listing by the next run"}},
		}},
		Problems: []report.Message{
			{Pipeline: "invoices", Place: "20260904", Text: "not proven to be complete, left open: 2,101 jobs seen of 2,102 counted"},
			{Pipeline: "receipts", Place: "20261122", Text: "1 job put into quarantine"},
		},
		Notes: []string{"Pipeline receipts archives completed jobs only: its success says nothing of failed ones."},
	}
	for i := range days {
		n := int64(1_380 + 420*math.Sin(float64(i)*0.9) + float64(i)*9)
		if wd := night.AddDate(0, 0, i-days).Weekday(); wd == time.Saturday || wd == time.Sunday {
			n /= 4
		}
		m.Days = append(m.Days, report.Day{Date: night.Truncate(24*time.Hour).AddDate(0, 0, i-days+1), Completed: n, Failed: n / int64(14+i%9*6)})
	}
	return m
}

// sampleBins is a skewed distribution over bins of 1, 1.5, 2, 3, 5, 7 and their
// multiples by ten.
func sampleBins() []report.Bin {
	var bins []report.Bin
	from := 0.0
	for decade := 10.0; decade <= 100_000; decade *= 10 {
		for _, m := range []float64{1, 1.5, 2, 3, 5, 7} {
			x := math.Log(decade*m) - math.Log(2_700)
			bins = append(bins, report.Bin{From: from, To: decade * m, Jobs: int64(9_400 * math.Exp(-x*x/1.6))})
			from = decade * m
		}
	}
	return append(bins, report.Bin{From: from, Jobs: 2})
}

// samplePeriod is a quarter of nights.
func samplePeriod() *report.Model {
	m := sampleRun()
	m.Subject.Kind, m.Subject.RunID, m.Subject.Outcome = report.KindPeriod, "", ""
	m.Subject.From, m.Subject.To = night.AddDate(0, 0, -90), night
	m.Requests.PerMinute = 0
	m.Resubmissions, m.Problems, m.Alerts = nil, nil, nil
	for i := range 90 {
		at := night.AddDate(0, 0, i-90)
		m.Runs = append(m.Runs, report.Run{
			ID: fmt.Sprintf("%s-%08x", at.Format("20060102T150405Z"), i*7919), Started: at, Seconds: 31.5 + float64(i%7)*4,
			Archived: int64(1_200 + i*3), Requests: report.Requests{Made: int64(48 + i%11), PerMinute: 600, Budget: 600}, Problems: i % 17 / 16,
		})
	}
	return m
}
