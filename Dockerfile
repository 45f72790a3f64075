# syntax=docker/dockerfile:1

FROM rust:1.95-bookworm AS build
WORKDIR /build

# The dependencies by themselves: their layer lasts until a manifest changes.
COPY Cargo.toml Cargo.lock ./
RUN mkdir src \
    && echo 'fn main() {}' > src/main.rs \
    && touch src/lib.rs \
    && cargo build --release --locked \
    && rm -rf src

# The pages are compiled in. `touch`: cargo goes by the time of files, which COPY keeps.
COPY test-client test-client
COPY src src
RUN touch src/main.rs src/lib.rs && cargo build --release --locked --bin waggle

FROM debian:bookworm-slim

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
