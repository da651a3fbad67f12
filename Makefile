# Everything a contributor runs. `make test` is what CI runs.

GOLANGCI := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

.PHONY: test fast race lint bench docs build tools

## test: install what the tests need, run all tiers, end with "N passed, N failed"
test: tools
	@go run ./internal/testrun

## fast: what to run while working
fast:
	@go run ./internal/testrun -tiers format,vet,fast

## race: everything again with executable invariants under the race detector
race: tools
	@go run ./internal/testrun -tiers race

## lint: the module's own rules, then golangci-lint (builds it, which takes a minute the first time)
lint:
	go test -count=1 -v -run TestModule ./internal/lint
	go run $(GOLANGCI) run ./...

## bench: compare the engine with hand-written loops; FILE names the result
FILE ?= out/bench.json
bench:
	@mkdir -p $(dir $(FILE))
	go run ./bench/engine -json $(FILE)

## docs: write what is generated from code
docs:
	go test ./config -run TestDocumentation -rewrite

## build: the static binary
build:
	CGO_ENABLED=0 go build -trimpath -o bin/flott ./cmd/flott

## tools: modules, and a C compiler for the race detector if there is none and we may install one
tools:
	@go mod download
	@command -v "$$(go env CC | cut -d' ' -f1)" >/dev/null || \
		{ command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] && apt-get update -qq && apt-get install -y -qq gcc libc6-dev >/dev/null; } || \
		echo "no C compiler, and none could be installed: the race tier runs without the race detector"
