#!/usr/bin/env bash
# Release archives for all systems, the same bytes for the same commit, version and Go release:
#   scripts/release.sh build v1.2.3   into dist/, with checksums.txt
#   scripts/release.sh check          compiles for each system and vets, keeps nothing
set -euo pipefail
cd "$(dirname "$0")/.."
systems=(linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64)
export CGO_ENABLED=0

build() { # os arch version file
  GOOS=$1 GOARCH=$2 go build -trimpath -buildvcs=false -ldflags="-s -w -X main.version=$3" -o "$4" ./cmd/bridge
}

case ${1:-} in
check)
  for system in "${systems[@]}"; do
    echo "== $system"
    build "${system%/*}" "${system#*/}" check /dev/null
  done
  for os in darwin windows; do
    echo "== vet $os"
    GOOS=$os GOARCH=amd64 go vet ./cmd/bridge
  done
  ;;
build)
  version=${2:?scripts/release.sh build VERSION}
  if [[ ! $version =~ ^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]]; then
    echo "$version is not a version: write it as v1.2.3" >&2
    exit 2
  fi
  epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  rm -rf dist
  mkdir -p dist
  go build -o "$work/archive" ./scripts/archive
  for system in "${systems[@]}"; do
    os=${system%/*} arch=${system#*/} binary=bridge kind=tar.gz
    if [ "$os" = windows ]; then binary=bridge.exe kind=zip; fi
    echo "== $system" >&2
    build "$os" "$arch" "$version" "$work/$binary"
    name=bridge_${version}_${os}_${arch}
    "$work/archive" -time "$epoch" -folder "$name" -o "dist/$name.$kind" \
      "$work/$binary" LICENSE README.md README.vi.md SECURITY.md config.example.yaml deploy/systemd/bridge.service deploy/systemd/bridge.sysusers
    rm "$work/$binary"
  done | tee dist/checksums.txt
  ;;
*)
  echo "use: scripts/release.sh build VERSION, or scripts/release.sh check" >&2
  exit 2
  ;;
esac
