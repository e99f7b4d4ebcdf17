#!/usr/bin/env bash
# The figures of docs/performance.md: Go benchmarks, then size, start and memory of the binary.
set -euo pipefail
cd "$(dirname "$0")/.."
go test -run='^$' -bench=. -benchtime=2s ./clickai ./internal/agent ./store ./core ./adapters/slack/slackfmt ./adapters/discord/discordfmt ./adapters/telegram/telegramfmt
make --no-print-directory build
ls -l bridge | awk '{printf "binary: %.1f MB\n", $5/1e6}'
go test -count=1 -run='^TestFootprint$' -v ./cmd/bridge | grep -E 'footprint|^(ok|FAIL)'
