# `make` prints the targets. Everything that is needed beyond Go is installed by the targets themselves.

GOLANGCI_VERSION := v2.15.0
TOOLS            := $(CURDIR)/.tools
GOLANGCI         := $(TOOLS)/golangci-lint-$(GOLANGCI_VERSION)
VERSION          := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
DATA             ?= ./data

# The client apps that `make interop` talks to. A file name carries its version, so that a new version is built anew.
CLIENTS          := $(TOOLS)/clients
CLIENT_BUILD     := -p 2 -trimpath -ldflags '-s -w'
MIHOMO_MODULE    := cmd/sluice/testdata/clients/mihomo
SINGBOX_VERSION  := v1.14.1
MIHOMO_VERSION   := $(shell awk '$$2 == "github.com/metacubex/mihomo" {print $$3}' $(MIHOMO_MODULE)/go.mod)
XRAY_VERSION     := $(shell awk '$$1 == "github.com/xtls/xray-core" {print $$2}' go.mod)
CLIENT_FILES     := $(CLIENTS)/sing-box-$(SINGBOX_VERSION) $(CLIENTS)/mihomo-$(MIHOMO_VERSION) $(CLIENTS)/xray-$(XRAY_VERSION)

export CGO_ENABLED := 0
# The version comes from git describe; a checkout that belongs to somebody else would fail Go's own stamp.
export GOFLAGS := $(GOFLAGS) -buildvcs=false

.PHONY: help build run test unit integration interop clients examples crash lint plugins plugins-check bench deps

help: ## print the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build bin/sluice
	go build -ldflags '-s -w -X main.version=$(VERSION)' -o bin/sluice ./cmd/sluice

run: build ## build and serve on 127.0.0.1:8080 with the data in ./data
	bin/sluice serve --data $(DATA)

test: deps lint plugins-check integration interop ## everything that CI runs

unit: ## the tests that need only Go
	go test ./...

integration: ## all tests, those on a real PostgreSQL too
	go test -tags integration ./...

interop: clients ## every built-in format against sing-box, mihomo and xray as programs of their own
	go test -tags interop -run '^TestInterop' -timeout 10m ./cmd/sluice

clients: $(CLIENT_FILES) ## build sing-box, mihomo and xray into .tools/clients
	@cd $(CLIENTS) && for f in $(notdir $(CLIENT_FILES)); do ln -sf $$f $${f%-v*}; done

$(CLIENTS)/sing-box-$(SINGBOX_VERSION):
	GOBIN=$(CLIENTS)/bin go install $(CLIENT_BUILD) -tags with_utls,with_quic,with_grpc,with_clash_api github.com/sagernet/sing-box/cmd/sing-box@$(SINGBOX_VERSION)
	mv $(CLIENTS)/bin/sing-box $@

$(CLIENTS)/mihomo-$(MIHOMO_VERSION):
	go build -C $(MIHOMO_MODULE) $(CLIENT_BUILD) -tags with_gvisor -o $@ github.com/metacubex/mihomo

$(CLIENTS)/xray-$(XRAY_VERSION):
	go build $(CLIENT_BUILD) -o $@ github.com/xtls/xray-core/main

examples: ## build every example and run it in the real host
	go test -tags integration ./examples/...

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

bench: deps ## the numbers that the design promises, as ratios taken in one run
	go test -run '^$$' -bench . -benchtime 1s -timeout 1h ./storage ./kernel/... ./plugins/... ./httpapi/... ./cmd/sluice

deps: ## install the Debian packages that the tests need, if they are missing
	@missing=""; \
	need() { command -v $$1 >/dev/null || missing="$$missing $$2"; }; \
	ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$$missing postgresql"; \
	need curl curl; need chromium chromium; need protoc protobuf-compiler; need clang-19 clang-19; need wasm-ld-19 lld-19; \
	need node nodejs; need npm npm; test -x /usr/bin/cargo || missing="$$missing cargo"; need ld.lld-14 lld-14; \
	test -d /usr/lib/rustlib/wasm32-unknown-unknown || missing="$$missing libstd-rust-dev-wasm32"; \
	test -z "$$missing" || { \
		sudo=$$(test "$$(id -u)" = 0 || echo sudo); \
		$$sudo apt-get update -qq && $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $$missing; }
