// Package config reads jobs.yaml, the file that says which jobs are archived
// and where to.
//
// Reading is strict. Everything that is wrong is reported at once, each mistake
// with its line and column, and a name that is not known with the nearest one
// that is. The structs of this package are the only description of the file:
// their tags drive the decoder, the defaults and the JSON Schema of [Schema], so
// that these cannot disagree.
//
// Values may refer to the environment: ${NAME}, ${NAME:-default} and
// ${file:/absolute/path}. References are expanded after the YAML was parsed, so
// that what they stand for is always a value and never syntax.
package config

import "time"

// Config is one jobs.yaml, complete: whatever the file leaves out has its
// default. It holds secrets; see [Config.Secrets].
type Config struct {
	// File is the name the configuration was read from, as it appears in problems.
	File      string     `json:"-"`
	API       API        `json:"api" jsonschema:"required" missing:"it says how to reach the DocExtract API; write key: ${DOCEXTRACT_API_KEY} under it" jsonschema_description:"The DocExtract API."`
	Cache     string     `json:"cache" jsonschema:"default=embedded" jsonschema_description:"Skip lists, job cache, shared rate budget and lease: embedded, or redis://HOST:6379/0 or rediss://HOST:6379/0. Losing it costs time only."`
	Archive   string     `json:"archive" jsonschema:"default=file://./archive" jsonschema_description:"The bucket: file://./archive, s3://BUCKET, gs://BUCKET, azblob://CONTAINER or mem://."`
	HashKey   string     `json:"hash_key" jsonschema_description:"Key of the HMAC that replaces the fields marked hash, at least 16 characters. Left out: a plain SHA-256, which guessing undoes for short values."`
	Pipelines []Pipeline `json:"pipelines" jsonschema:"required" missing:"name at least one pipeline under it" jsonschema_description:"What is archived, by name."`
}

// API says how to reach the DocExtract API.
type API struct {
	// BaseURL has no slash at its end.
	BaseURL           string   `json:"base_url" jsonschema:"default=https://api.adteco.com/v1" jsonschema_description:"Base URL of the API."`
	Key               string   `json:"key" jsonschema:"required" missing:"write key: ${DOCEXTRACT_API_KEY} and set that variable to your API key (sk_live_… or sk_test_…)" jsonschema_description:"API key; take it from the environment or from a file, as in ${DOCEXTRACT_API_KEY} or ${file:/run/secrets/key}."`
	Keys              []APIKey `json:"keys" jsonschema_description:"Further API keys, by the name under which a pipeline's key: chooses one. Each has a rate limit of its own."`
	PageSize          int      `json:"page_size" jsonschema:"default=100,minimum=1,maximum=1000" jsonschema_description:"Jobs asked for in one listing request; the server may clamp it."`
	Concurrency       int      `json:"concurrency" jsonschema:"default=4,minimum=1,maximum=64" jsonschema_description:"Listing requests in flight at once."`
	RequestsPerMinute int      `json:"requests_per_minute" jsonschema:"default=0,minimum=0,maximum=1000000" jsonschema_description:"Ceiling of requests per minute; 0 paces by the X-RateLimit headers of the server."`
	DocumentHosts     []string `json:"document_hosts" jsonschema:"uniqueItems=true" jsonschema_description:"Hosts, or host:port, that documents may be fetched from. Empty: any public address. A private address only if listed."`
}

// APIKey is one further key of the API: of another organisation, plan or region.
type APIKey struct {
	Name              string   `json:"-"` // the key it stands under
	Pos               Position `json:"-"` // where that key stands
	Key               string   `json:"key" jsonschema:"required" missing:"take it from the environment or from a file, as in ${OTHER_API_KEY}" jsonschema_description:"API key; take it from the environment or from a file."`
	BaseURL           string   `json:"base_url" jsonschema_description:"Base URL of the API for this key; left out: that of api."`
	RequestsPerMinute int      `json:"requests_per_minute" jsonschema:"default=0,minimum=0,maximum=1000000" jsonschema_description:"Ceiling of requests per minute with this key; 0 paces by the X-RateLimit headers of the server."`
}

// Account is the API key that the pipeline uses, complete.
func (c *Config) Account(p *Pipeline) APIKey {
	for _, k := range c.API.Keys {
		if p.Key != "" && k.Name == p.Key {
			return k
		}
	}
	return APIKey{Key: c.API.Key, BaseURL: c.API.BaseURL, RequestsPerMinute: c.API.RequestsPerMinute}
}

// Pipeline archives one choice of jobs into its sinks.
type Pipeline struct {
	Name string   `json:"-"` // the key it stands under
	Pos  Position `json:"-"` // where that key stands
	Selection
	Windows
	Raw       bool      `json:"raw" jsonschema:"default=true" jsonschema_description:"Keep each job as it was received, so that sinks can be rebuilt after the API has dropped it on day 90."`
	Documents bool      `json:"documents" jsonschema:"default=false" jsonschema_description:"Archive the documents themselves too, fetched from document_url."`
	Fields    []Field   `json:"fields" jsonschema_description:"Type or treatment by field path (vendor.address.city), over what the extractor declares and what is seen."`
	Schema    string    `json:"schema" jsonschema:"default=evolve,enum=evolve,enum=freeze,enum=quarantine" jsonschema_description:"What a new field does. evolve: becomes a column; freeze: stops the run before anything is written; quarantine: its job is set aside."`
	Sinks     []Sink    `json:"sinks" jsonschema:"required,minItems=1" missing:"add one, such as - type: parquet" jsonschema_description:"Where the jobs are written."`
	Resubmit  *Resubmit `json:"resubmit" jsonschema_description:"How failed jobs are submitted again by docarchive resubmit. This costs credits."`
	Alerts    *Alerts   `json:"alerts" jsonschema_description:"Thresholds of docarchive monitor."`
}

// Selection says which jobs a pipeline takes.
type Selection struct {
	Key           string            `json:"key" jsonschema_description:"Name of the API key to use, one of those under api.keys; left out: api.key."`
	Extractor     string            `json:"extractor" jsonschema_description:"Extractor id (ext_…); left out or empty: every extractor."`
	Status        []string          `json:"status" jsonschema:"default=completed,default=failed,enum=completed,enum=failed,minItems=1,uniqueItems=true" jsonschema_description:"Final states to take."`
	MinConfidence float64           `json:"min_confidence" jsonschema:"default=0,minimum=0,maximum=1" jsonschema_description:"Least confidence, 0 to 1."`
	Metadata      map[string]string `json:"metadata" jsonschema_description:"Metadata that a job must carry, key and value."`
}

// Windows says how time is cut into the windows that are committed one by one.
type Windows struct {
	Since  Since         `json:"since" jsonschema:"default=90d" jsonschema_description:"Where the first run starts: a duration back from now (90d), a UTC date (2026-01-31) or an RFC 3339 time."`
	Window time.Duration `json:"window" jsonschema:"default=24h" jsonschema_description:"Length of a window of created_at: 1 to 31 whole days, or whole hours that divide a day."`
	Settle time.Duration `json:"settle" jsonschema:"default=15m" jsonschema_description:"Jobs younger than this when a run starts are left to the next run."`
}

// Field overrides how one field of the extracted data is kept.
type Field struct {
	Path string // dotted, as in vendor.address.city
	Type FieldType
	Pos  Position
}

// Sink is one place that a pipeline writes to.
type Sink struct {
	Pos            Position `json:"-"`
	Type           string   `json:"type" jsonschema:"required,enum=parquet,enum=csv,enum=json,enum=jsonl,enum=arrow,enum=database" missing:"write parquet, csv, json, jsonl, arrow or database" jsonschema_description:"Format of the files, or database."`
	Path           string   `json:"path" jsonschema_description:"Folder in the bucket; left out: the name of the pipeline. Not for a database."`
	Partition      []string `json:"partition" jsonschema:"enum=created_month,enum=created_date,enum=created_year,enum=extractor_id,enum=status,uniqueItems=true" jsonschema_description:"Folders below the path, one level each. Not for a database."`
	Compression    string   `json:"compression" jsonschema:"enum=zstd,enum=snappy,enum=gzip,enum=none" jsonschema_description:"Parquet: zstd (default), snappy, gzip or none. csv, json, jsonl: none (default), gzip or zstd."`
	EscapeFormulas bool     `json:"escape_formulas" jsonschema:"default=false" jsonschema_description:"csv only: guard text cells against being run by a spreadsheet."`
	URL            string   `json:"url" jsonschema_description:"Database only: postgres://, mysql://, sqlite:// or duckdb:// URL."`
	Table          string   `json:"table" jsonschema_description:"Database only: the table, or schema.table; left out: the name of the pipeline."`
}

// Resubmit says how failed jobs are submitted again, which costs credits.
type Resubmit struct {
	MaxAttempts int      `json:"max_attempts" jsonschema:"default=2,minimum=1,maximum=10" jsonschema_description:"Submissions of one document in all, after the first."`
	Concurrency int      `json:"concurrency" jsonschema:"default=10,minimum=1,maximum=100" jsonschema_description:"Jobs in work at once; your plan has a limit too."`
	Codes       []string `json:"codes" jsonschema:"uniqueItems=true" jsonschema_description:"Error codes worth another attempt; empty: every code."`
	MaxCredits  float64  `json:"max_credits" jsonschema:"default=0,minimum=0" jsonschema_description:"Credits that one resubmission may spend; 0: no limit."`
}

// Alerts are the thresholds of a pipeline and who hears of it.
type Alerts struct {
	ProcessingTime ProcessingTime `json:"processing_time" jsonschema_description:"Longest acceptable processing times."`
	FailureRate    float64        `json:"failure_rate" jsonschema:"default=0.05,minimum=0,maximum=1" jsonschema_description:"Alert above this share of failed jobs; 1: never."`
	MinJobs        int            `json:"min_jobs" jsonschema:"default=20,minimum=1,maximum=1000000" jsonschema_description:"Fewest final jobs of an extractor that a failure rate is judged by: of fewer, one failure would be an alert."`
	Confidence     float64        `json:"confidence" jsonschema:"default=0.80,minimum=0,maximum=1" jsonschema_description:"Alert where a field's mean confidence falls below this; 0: never."`
	Webhooks       []Webhook      `json:"webhooks" jsonschema_description:"Where alerts are posted to."`
	RepeatAfter    time.Duration  `json:"repeat_after" jsonschema:"default=24h" jsonschema_description:"An alert that still stands is posted again after this long."`
}

// ProcessingTime holds the thresholds of processing time.
type ProcessingTime struct {
	Avg time.Duration `json:"avg" jsonschema:"default=10s" jsonschema_description:"Alert where the mean is above this; 0s: never."`
	Max time.Duration `json:"max" jsonschema:"default=30s" jsonschema_description:"Alert where a single job is above this; 0s: never."`
}

// Webhook is one receiver of alerts. Its URL is a secret.
type Webhook struct {
	URL  string `json:"url" jsonschema:"required" missing:"write the address that alerts are posted to" jsonschema_description:"http:// or https:// address."`
	Type string `json:"type" jsonschema:"default=generic,enum=slack,enum=generic" jsonschema_description:"Shape of the body: slack, or generic JSON."`
}
