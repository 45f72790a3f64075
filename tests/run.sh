#!/usr/bin/env bash
# Runs the tests with everything they need started for them. Arguments go to `cargo test`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source tests/mongod.sh

port="${WAGGLE_TEST_MONGODB_PORT:-27117}"
start_mongod target/mongod "$port"
trap 'stop_mongod target/mongod' EXIT
export WAGGLE_TEST_MONGODB_URI="mongodb://127.0.0.1:$port/?replicaSet=rs0"
cargo test "$@"
