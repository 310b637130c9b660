# Everything a contributor runs. `make` alone lists the targets.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
FUZZTIME ?= 10s
# One package's tests may take this long, and the whole run this much.
TEST_TIMEOUT ?= 18m
TEST_BUDGET ?= 20m
# Packages whose tests run a second time under the race detector: those that share memory between goroutines.
RACE ?= /(pipeline|docextract|cache|sinks|internal/ledger)(/|$$)
# Where the line "N passed, N failed, N skipped" goes.
SUMMARY ?= /dev/stdout

TOOLS := $(CURDIR)/.tools
BIN := $(TOOLS)/bin
GOFILES = find . -name '*.go' -not -path './.tools/*' -not -path './.git/*'

# Only the race detector needs cgo. One setting for all else keeps one build cache warm.
export CGO_ENABLED := 0

.PHONY: help demo build test lint fuzz bench microbench modules image manifests fmt servers

help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Run the shipped jobs.yaml against the bundled simulator; needs no network and no key.
	go run ./cmd/docarchive demo

build: ## Build bin/docarchive, static and reproducible.
	go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/docarchive ./cmd/docarchive

test: servers $(BIN)/testcount ## Run every test against real servers, and the concurrent packages again with -race.
	@export CI=true DOCARCHIVE_TOOLS='$(TOOLS)'; \
	{ status=0; \
	  timeout $(TEST_BUDGET) go test -json -vet=off -timeout $(TEST_TIMEOUT) ./... || status=$$?; \
	  go list ./... | { grep -E '$(RACE)' || true; } | \
	    CGO_ENABLED=1 timeout $(TEST_BUDGET) xargs -r go test -json -vet=off -race -timeout $(TEST_TIMEOUT) || status=$$?; \
	  go test -C tools -json -vet=off -timeout $(TEST_TIMEOUT) ./... || status=$$?; \
	  exit $$status; \
	} | $(BIN)/testcount -summary '$(SUMMARY)'

lint: $(BIN)/gofumpt $(BIN)/staticcheck ## Check format, vet, staticcheck and the module files.
	@unformatted=$$($(GOFILES) -print0 | xargs -0 $(BIN)/gofumpt -l); \
	if [ -n "$$unformatted" ]; then printf 'not formatted, run make fmt:\n%s\n' "$$unformatted" >&2; exit 1; fi
	go vet ./...
	go vet -C tools ./...
	$(BIN)/staticcheck ./...
	cd tools && $(BIN)/staticcheck ./...
	go mod verify
	go mod tidy -diff
	go mod -C tools verify
	go mod -C tools tidy -diff

modules: $(BIN)/staticcheck servers ## Lint and test deploy and iceberg, whose libraries take longer to compile than all else.
	@export CI=true DOCARCHIVE_TOOLS='$(TOOLS)'; status=0; \
	for module in deploy iceberg; do \
	  { go vet -C $$module ./... && (cd $$module && $(BIN)/staticcheck ./...) && \
	    go mod -C $$module verify && go mod -C $$module tidy -diff && \
	    go test -C $$module -vet=off -timeout 30m ./...; } || status=$$?; \
	done; exit $$status

fuzz: ## Run every fuzz target in turn for FUZZTIME (10s) each.
	@grep -rEo --include='*_test.go' --exclude-dir='.?*' '^func Fuzz[A-Za-z0-9_]+' . | \
	sed -E 's|^(.*)/[^/]+:func (.*)$$|\1 \2|' | sort -u | \
	while read -r dir target; do \
	  echo "== $$dir $$target"; \
	  go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "$$dir" </dev/null; \
	done

bench: ## Measure against the peers at 200,000 jobs; other sizes: make bench BENCH='peers --jobs 1M'.
	DOCARCHIVE_TOOLS='$(TOOLS)' go run ./bench $(or $(BENCH),all)

microbench: ## Run every Go benchmark, for benchstat.
	go test -run '^$$' -bench . -benchmem ./...

image: ## Build dist/image for amd64 and arm64, with its SBOMs; needs no Docker.
	VERSION='$(VERSION)' deploy/image/build dist/image

manifests: ## Render deploy/kubernetes from the chart.
	cd deploy && go run ./render

fmt: $(BIN)/gofumpt ## Format every Go file.
	@$(GOFILES) -print0 | xargs -0 $(BIN)/gofumpt -w

servers: $(BIN)/versitygw ## Install the servers the tests start: packages as root, the rest into .tools/.
	@tools/test-servers '$(TOOLS)'

$(BIN)/gofumpt: PACKAGE := mvdan.cc/gofumpt
$(BIN)/staticcheck: PACKAGE := honnef.co/go/tools/cmd/staticcheck
$(BIN)/versitygw: PACKAGE := github.com/versity/versitygw/cmd/versitygw
$(BIN)/testcount: PACKAGE := ./testcount
$(BIN)/testcount: $(wildcard tools/testcount/*.go)

$(BIN)/gofumpt $(BIN)/staticcheck $(BIN)/versitygw $(BIN)/testcount: tools/go.mod tools/go.sum
	@mkdir -p $(BIN)
	go build -C tools -o $@ $(PACKAGE)
	@touch $@
