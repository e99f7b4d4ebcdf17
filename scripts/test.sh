#!/usr/bin/env bash
# go test -race -shuffle=on, with all that the tests say searched for the credentials that the stand-ins hand out. Arguments
# are given to go test: packages, -run, -count. It fails when a test fails and when a credential is found.
set -uo pipefail
cd "$(dirname "$0")/.."
# With -v a passing test's log is printed too, or there would be nothing to search. Of passing tests it is not shown.
go test -race -shuffle=on -json -v "${@:-./...}" | go run ./scripts/secrets
status=("${PIPESTATUS[@]}")
[ "${status[0]}" -eq 0 ] && [ "${status[1]}" -eq 0 ]
