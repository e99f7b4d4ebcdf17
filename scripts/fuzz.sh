#!/usr/bin/env bash
# Runs every fuzz target of the project for the given time, one after the other.
set -euo pipefail
each=${1:-60s}
go list -f '{{$dir := .Dir}}{{$path := .ImportPath}}{{range .TestGoFiles}}{{$path}} {{$dir}}/{{.}}{{"\n"}}{{end}}{{range .XTestGoFiles}}{{$path}} {{$dir}}/{{.}}{{"\n"}}{{end}}' ./... |
  while read -r package file; do
    [ -n "$file" ] || continue
    grep -ohE '^func (Fuzz[A-Za-z0-9_]+)' "$file" | awk '{print $2}' | while read -r target; do
      echo "== $package $target"
      go test "$package" -run='^$' -fuzz="^$target\$" -fuzztime="$each"
    done
  done
