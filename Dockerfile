# The server and the publisher are one binary, so they are one image: that binary, and nothing else.
# There is no shell, no package manager and no C library in it.
# The build image must make static binaries, as those of Alpine do. Other ones work with a runtime
# image that has their C library: `--build-arg BUILD_IMAGE=rust:1-slim-bookworm --build-arg
# RUNTIME_IMAGE=debian:bookworm-slim`. Each platform builds for itself: `docker buildx build
# --platform linux/amd64,linux/arm64 .`
ARG BUILD_IMAGE=rust:1-alpine
ARG RUNTIME_IMAGE=scratch

FROM ${BUILD_IMAGE} AS build
WORKDIR /src

# Dependencies first, with empty crates: they are rebuilt only if a manifest or the lock file changes.
COPY Cargo.toml Cargo.lock ./
COPY crates/sekali/Cargo.toml crates/sekali/
COPY crates/sekali-client/Cargo.toml crates/sekali-client/
COPY crates/sekali-server/Cargo.toml crates/sekali-server/
COPY crates/sekali-store/Cargo.toml crates/sekali-store/
COPY crates/sekali-testkit/Cargo.toml crates/sekali-testkit/
COPY crates/sekali-tls/Cargo.toml crates/sekali-tls/
COPY crates/sekali-vtab/Cargo.toml crates/sekali-vtab/
COPY crates/sekali-wire/Cargo.toml crates/sekali-wire/
COPY bench/Cargo.toml bench/
COPY tools/rules/Cargo.toml tools/rules/
COPY tools/torture/Cargo.toml tools/torture/
RUN for member in crates/* bench tools/*; do mkdir "$member/src" && touch "$member/src/lib.rs"; done \
    && echo 'fn main() {}' > crates/sekali/src/main.rs \
    && cargo build --release --locked --bin sekali

# COPY keeps modification times. Cargo would take sources older than the empty ones for unchanged.
COPY crates crates
RUN find crates -name '*.rs' -exec touch {} + \
    && cargo build --release --locked --bin sekali \
    && mkdir data

FROM ${RUNTIME_IMAGE}
COPY --from=build /src/target/release/sekali /usr/local/bin/sekali
# A new named volume inherits the owner of the directory that it covers.
COPY --from=build --chown=10001:10001 /src/data /app/data
# Root, for one step: the program replaces itself by one that runs as the owner of the mounted
# directory, or as 10001 where that belonged to root and was empty. With `docker run --user` it
# stays that user.
USER 0:0
ENV SEKALI_RUN_AS_OWNER_OF=/app/data SEKALI_DATA_DIR=/app/data
# A container is reached only by its network and by the ports that are published, so that an image
# without keys listens, and answers every client. Once there are keys, each request needs one. A
# server outside a container stays closed: see SECURITY.md.
ENV SEKALI_LISTEN=0.0.0.0:8080 SEKALI_ALLOW_ANONYMOUS=true
WORKDIR /app
VOLUME /app/data
EXPOSE 8080
# SIGTERM: no new requests, a response to every accepted one, exit code 0.
STOPSIGNAL SIGTERM
# The first check comes after one interval: healthy within 2 s.
HEALTHCHECK --interval=1500ms --timeout=3s --start-period=30s --retries=6 \
    CMD ["sekali", "health", "--url", "http://127.0.0.1:8080"]
ENTRYPOINT ["sekali"]
CMD ["serve"]
