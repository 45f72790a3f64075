#!/usr/bin/env bash
# The official clients, the page in a browser and the Postman collection against a real server, on
# both stores. Fetches what it needs; Node 20 and, unless WAGGLE_BIN names a server, Rust are there.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")"

install_chromium() {
    [ -x "${CHROMIUM:-/usr/bin/chromium}" ] && return
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends chromium >/dev/null
}

# A mongod of our own, unless there is one to use.
provide_mongodb() {
    [ -n "${WAGGLE_TEST_MONGODB_URI:-}" ] && return
    # shellcheck source=../mongod.sh
    source ../mongod.sh
    mongod_dir=$(mktemp -d)
    trap 'stop_mongod "$mongod_dir"; rm -rf "$mongod_dir"' EXIT
    local port
    port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })')
    start_mongod "$mongod_dir" "$port"
    export WAGGLE_TEST_MONGODB_URI="mongodb://127.0.0.1:$port/?replicaSet=rs0"
}

[ -n "${WAGGLE_BIN:-}" ] || cargo build --quiet --bin waggle
npm ci --loglevel=error
install_chromium
provide_mongodb

# In two lanes: the files that drive a browser, which keeps a core busy, one after the other; and beside them those
# that do not, which mostly wait. A thousand drivers in a browser keep both cores busy, and come alone at the end.
run() {
    node --test --test-reporter=spec --test-concurrency=1 "$@"
}
outcome=0
mapfile -t pages < <(grep -l "from './browser.js'" ./*.test.js | grep -v fleet-page)
mapfile -t others < <(grep -L "from './browser.js'" ./*.test.js | grep -v fleet-page)
report=$(mktemp)
run "${others[@]}" >"$report" 2>&1 &
run "${pages[@]}" || outcome=1
wait $! || outcome=1
cat "$report"
rm -f "$report"
run fleet-page.test.js || outcome=1
exit "$outcome"
