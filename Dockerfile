# syntax=docker/dockerfile:1.7

# The bases are named by version. Who wants the same bytes for ever names them by digest as well:
#   docker buildx imagetools inspect rust:1.95.0-bookworm --format '{{.Manifest.Digest}}'
# and writes rust:1.95.0-bookworm@sha256:… here. The digest is a registry's word; it cannot be looked up without one.
ARG RUST_IMAGE=rust:1.95.0-bookworm
ARG BASE_IMAGE=debian:12.11-slim

FROM ${RUST_IMAGE} AS build
WORKDIR /build
# No path of this stage is left in the program, in Rust's part or in C's.
ENV RUSTFLAGS="--remap-path-prefix=/usr/local/cargo=/cargo" \
    CFLAGS="-ffile-prefix-map=/usr/local/cargo=/cargo" \
    CARGO_INCREMENTAL=0

# Features of the program, comma separated: `otlp` exports traces.
ARG FEATURES=

# The dependencies by themselves: their layer lasts until a manifest changes.
COPY Cargo.toml Cargo.lock ./
RUN mkdir src \
    && echo 'fn main() {}' > src/main.rs \
    && touch src/lib.rs \
    && cargo build --release --locked --features "${FEATURES}" \
    && rm -rf src

# The pages are compiled in. `touch`: cargo goes by the time of files, which COPY keeps.
COPY test-client test-client
COPY src src
# The time of the commit, as reproducible-builds.org has it: what the program and the layers take for now.
ARG SOURCE_DATE_EPOCH
RUN touch src/main.rs src/lib.rs && cargo build --release --locked --features "${FEATURES}" --bin waggle

FROM ${BASE_IMAGE}
ARG SOURCE_DATE_EPOCH

# `useradd` writes the day into the shadow file unless it is told one.
RUN useradd --system --user-group --uid 10001 --home-dir /data --shell /usr/sbin/nologin waggle \
    && install --directory --owner=waggle --group=waggle --mode=0750 /data
COPY --from=build /build/target/release/waggle /usr/local/bin/waggle

# By number, so that a cluster can see that it is not root.
USER 10001
WORKDIR /data
ENV APP_ENV=production \
    HOST=:: \
    PORT=3000 \
    DATA_DIR=/data \
    LOG_FORMAT=json
VOLUME /data
EXPOSE 3000

# No curl in the image: bash asks for itself. `PORT` may be a list. With TLS_CERT, set OPERATIONS_PORT: bash
# speaks plain HTTP only.
HEALTHCHECK --interval=10s --timeout=12s --start-period=30s --retries=3 \
    CMD ["/bin/bash", "-c", "exec 3<>\"/dev/tcp/127.0.0.1/${OPERATIONS_PORT:-${PORT%%,*}}\" && printf 'GET /health/ready HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3 && read -r -t 11 _ status _ <&3 && [ \"$status\" = 200 ]"]

STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/waggle"]
