# Targets of this project; `make check` is exactly what CI runs.
GOFUMPT   := mvdan.cc/gofumpt@v0.12.0
LINT      := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
VULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0
FUZZTIME  ?= 60s
SEED      ?= 1
KILLS     ?= 600
ROUNDS    ?= 5
SOAK      ?= 1h

.PHONY: help build image release release-check test fuzz bench crash faults soak lint fmt vuln cover demo pictures screenshots secrets check
help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'
build: ## the static binary ./bridge; VERSION=v1.2.3 names a release
	CGO_ENABLED=0 go build -trimpath -ldflags='-s -w $(if $(VERSION),-X main.version=$(VERSION))' -o bridge ./cmd/bridge
image: ## the container image clickai-bridge (needs docker)
	docker build --build-arg VERSION=$(or $(VERSION),devel) -t clickai-bridge .
release: ## archives for all systems and their checksums into dist/: VERSION=v1.2.3
	scripts/release.sh build $(VERSION)
release-check: ## compile for all systems, vet for macOS and Windows
	scripts/release.sh check
test: ## all tests, as the README says
	go test -race -shuffle=on ./...
secrets: ## all tests, with their whole output searched for credentials
	scripts/test.sh
fuzz: ## each fuzz target for FUZZTIME
	scripts/fuzz.sh $(FUZZTIME)
bench: ## the figures of docs/performance.md
	scripts/bench.sh
crash: ## the long crash test: KILLS kills, reproducible by SEED (docs/reliability.md)
	go test ./cmd/bridge -run '^TestReliability$$/^killed$$' -count=1 -timeout 90m -v -args -seed=$(SEED) -kills=$(KILLS)
faults: ## the same with the network and the services failing: ROUNDS rounds in each scene
	go test ./cmd/bridge -run '^TestReliability$$/^network$$' -count=1 -timeout 90m -v -args -seed=$(SEED) -rounds=$(ROUNDS) -troubles=6
soak: ## hours of traffic with all faults: SOAK long; memory and goroutines must be flat
	go test -tags soak ./cmd/bridge -run '^TestSoak$$' -count=1 -timeout 24h -v -args -seed=$(SEED) -soak=$(SOAK)
lint: ## formatting, vet and linter
	scripts/lint.sh $(GOFUMPT) $(LINT)
fmt: ## rewrite the sources as gofumpt has them
	go run $(GOFUMPT) -w .
vuln: ## known vulnerabilities in what the binary really calls (needs network)
	go run $(VULNCHECK) ./...
cover: ## coverage by function
	go test -coverprofile=cover.out ./... && go tool cover -func=cover.out
demo: ## the tour on all three platforms
	go run ./cmd/bridge demo --tour
pictures: ## docs/answers.md: how ten answers look on each platform
	go run ./internal/gallery/generate
screenshots: ## docs/pictures: the demo's page, wide and narrow, light and dark (needs chromium)
	go test ./internal/playground -run '^TestPictures$$' -count=1 -args -pictures=../../docs/pictures
check: lint test ## what CI runs
