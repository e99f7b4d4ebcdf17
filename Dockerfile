# syntax=docker/dockerfile:1
# The bridge as a small image: one static binary, no shell, not root. docs/operate/deploy.md says how to run it.
#
#   docker build --build-arg VERSION=v1.2.3 -t clickai-bridge .

FROM --platform=$BUILDPLATFORM golang:1.26-bookworm AS build
ARG TARGETOS
ARG TARGETARCH
ARG VERSION=devel
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -buildvcs=false -ldflags="-s -w -X main.version=$VERSION" -o /out/bridge ./cmd/bridge
# The store's folder is made here, since the last stage has no shell to do it.
RUN mkdir -p /out/data

# Busybox is what its name on disk says: wget for the health check, tar for `kubectl cp` of a backup, and no shell.
FROM busybox:1.37-musl AS tools

# It has CA certificates, time zones, /tmp and the user nonroot (65532), and nothing else.
FROM gcr.io/distroless/static-debian12:nonroot
LABEL org.opencontainers.image.title="ClickAI bridge" \
      org.opencontainers.image.description="ClickAI agents in Slack, Discord and Telegram" \
      org.opencontainers.image.source="https://github.com/clickai/bridge" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=tools /bin/busybox /usr/bin/wget
COPY --from=tools /bin/busybox /usr/bin/tar
COPY --from=build /out/bridge /usr/local/bin/bridge
COPY --from=build --chown=65532:65532 /out/data /data
USER 65532:65532
# store.path is relative by default, so the store stands in /data.
WORKDIR /data
VOLUME /data
ENV BRIDGE_CONFIG=/etc/bridge/config.yaml
EXPOSE 8080
# It asks the port of the default http.listen. With another one, or none, give the check anew or switch it off.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["/usr/bin/wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/healthz"]
ENTRYPOINT ["/usr/local/bin/bridge"]
CMD ["run"]
