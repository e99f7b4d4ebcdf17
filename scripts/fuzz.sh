#!/usr/bin/env bash
# Runs every fuzz target of the project for the given time, one after the other. With PARALLEL, that many workers each.
set -euo pipefail
each=${1:-60s}
ran=0
while read -r package target; do
  echo "== $package $target"
  go test "$package" -run='^$' -fuzz="^$target\$" -fuzztime="$each" ${PARALLEL:+-parallel="$PARALLEL"}
  ran=$((ran + 1))
done < <(
  go list -f '{{$dir := .Dir}}{{$path := .ImportPath}}{{range .TestGoFiles}}{{$path}} {{$dir}}/{{.}}{{"\n"}}{{end}}{{range .XTestGoFiles}}{{$path}} {{$dir}}/{{.}}{{"\n"}}{{end}}' ./... |
    while read -r package file; do
      [ -n "$file" ] && sed -nE "s#^func (Fuzz[A-Za-z0-9_]+).*#$package \\1#p" "$file"
    done || true
)
echo "$ran fuzz targets, nothing found"
[ "$ran" -gt 0 ]
