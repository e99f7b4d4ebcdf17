#!/usr/bin/env bash
# The figures of docs/performance.md: Go benchmarks, then size, start and memory of the binary.
set -euo pipefail
cd "$(dirname "$0")/.."
go test -run='^$' -bench=. -benchtime=1s ./clickai ./internal/agent ./store ./adapters/slack/slackfmt ./adapters/discord/discordfmt ./adapters/telegram/telegramfmt
go test -run='^$' -bench=. -benchtime=2000x ./core # its turns wait for the pace of edits, so that time says nothing
make --no-print-directory build
ls -l bridge | awk '{printf "binary: %.1f MB\n", $5/1e6}'
go test -count=1 -run='^TestFootprint$' -v ./cmd/bridge | grep -E 'footprint|^(ok|FAIL)'
