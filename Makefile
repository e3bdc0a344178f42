# `make` prints the targets. Everything that is needed beyond Go is installed by the targets themselves.

GOLANGCI_VERSION := v2.15.0
TOOLS            := $(CURDIR)/.tools
GOLANGCI         := $(TOOLS)/golangci-lint-$(GOLANGCI_VERSION)
VERSION          := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
DATA             ?= ./data

export CGO_ENABLED := 0
# The version comes from git describe; a checkout that belongs to somebody else would fail Go's own stamp.
export GOFLAGS := $(GOFLAGS) -buildvcs=false

.PHONY: help build run test unit integration crash lint plugins plugins-check bench deps

help: ## print the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build bin/sluice
	go build -ldflags '-s -w -X main.version=$(VERSION)' -o bin/sluice ./cmd/sluice

run: build ## build and serve on 127.0.0.1:8080 with the data in ./data
	bin/sluice serve --data $(DATA)

test: deps lint plugins-check integration ## everything that CI runs

unit: ## the tests that need only Go
	go test ./...

integration: ## all tests, those on a real PostgreSQL too
	go test -tags integration ./...

crash: ## kill a server 1000 times under load and look for what is lost, torn or counted twice
	go test -run '^TestCrash$$' -timeout 3h ./cmd/sluice -args -crash.kills 1000

lint: $(GOLANGCI) ## layers, style and vet
	$(GOLANGCI) run ./...

$(GOLANGCI):
	GOBIN=$(TOOLS) GOFLAGS= go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	mv $(TOOLS)/golangci-lint $@

plugins: ## rebuild the embedded bundle of built-in plugins
	go run ./plugins/build

plugins-check: ## fail if the embedded bundle is not what its sources build
	go run ./plugins/build -check

bench: ## the numbers that the design promises, as ratios taken in one run
	go test -run '^$$' -bench . -benchtime 1s -timeout 1h ./storage ./kernel/... ./cmd/sluice

deps: ## install the Debian packages that the tests need, if they are missing
	@missing=""; \
	ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$$missing postgresql"; \
	command -v curl >/dev/null || missing="$$missing curl"; \
	command -v chromium >/dev/null || missing="$$missing chromium"; \
	test -z "$$missing" || { \
		sudo=$$(test "$$(id -u)" = 0 || echo sudo); \
		$$sudo apt-get update -qq && $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $$missing; }
