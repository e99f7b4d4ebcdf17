#!/usr/bin/env bash
# Formatting, vet and linter. The tools are built from the module proxy at the versions that the Makefile pins.
set -euo pipefail
gofumpt=$1 lint=$2
bin=$(go env GOPATH)/bin
install_tool() { # module@version: installed unless that very version is there
  local name=${1%@*} version=${1##*@}
  name=${name##*/}
  if ! go version -m "$bin/$name" 2>/dev/null | grep -q "[[:space:]]$version[[:space:]]"; then
    go install "$1"
  fi
}
install_tool "$gofumpt"
install_tool "$lint"
unformatted=$("$bin/gofumpt" -l .)
if [ -n "$unformatted" ]; then
  echo "not formatted (run: make fmt):" >&2
  echo "$unformatted" >&2
  exit 1
fi
go vet ./...
"$bin/golangci-lint" run --allow-parallel-runners ./...
