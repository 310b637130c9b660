package main

// draftText is the template of the jobs.yaml that init writes.
const draftText = `# Written by docarchive init from what the API key can see.
#
#   docarchive doctor      checks the key, the bucket and whatever else a run needs
#   docarchive validate    checks this file: every mistake with line and column
#   docarchive plan        says what a run would read and write, and changes nothing
#   docarchive run         archives: all pipelines, or those named
#
# Values may refer to the environment: ${NAME}, ${NAME:-default} and ${file:/run/secrets/key}.

api:
  base_url: ${DOCEXTRACT_BASE_URL:-{{.Default}}}
  key: ${DOCEXTRACT_API_KEY}     # or ${file:/run/secrets/docextract}
  page_size: 100                 # asked for; the server may clamp it
  # requests_per_minute: 60      # left out: paced by the X-RateLimit-* headers; {{.Rate}}

# Skip lists, job cache, shared request budget, lease. An accelerator only: losing it costs time.
cache: ${DOCARCHIVE_CACHE:-embedded}             # or redis://HOST:6379/0, rediss://…

# The bucket. Everything a run has proven and committed is here.
archive: ${DOCARCHIVE_BUCKET:-file://./archive}  # or s3://…, gs://…, azblob://…

# The first run makes about {{.Requests}} requests: {{time .Requests}}.
pipelines:
{{- range .Pipelines}}

  # {{.Title}}: {{volume .Jobs}}.
  # The first run makes about {{.Requests}} requests: {{time .Requests}}.
  {{yamlText .Name}}:
    {{- if .Extractor}}
    extractor: {{yamlText .Extractor}}
    {{- end}}
    since: 90d                   # the first run starts here; the API keeps jobs no longer
    window: {{.Hours}}h                  # of created_at: the unit that is proven and committed
    {{- if .Fields}}
    # fields:                    # uncomment what you want; columns keep their types for ever
    {{- range .Fields}}
    #   {{yamlText .Path}}: {{.Type}}    # {{.Why}}
    {{- end}}
    {{- end}}
    sinks:
      - type: parquet
        partition: [created_month{{if not .Extractor}}, extractor_id{{end}}]
      # - type: database         # postgres:// mysql:// sqlite://
      #   url: ${DATABASE_URL:-sqlite://./archive/warehouse.db}
{{- end}}
{{- if not .Whole}}

  # All extractors in one table, also those that are gone from the list:
  # everything:
  #   since: 90d
  #   window: 24h
  #   sinks:
  #     - type: parquet
  #       partition: [created_month, extractor_id]
{{- end}}
`
