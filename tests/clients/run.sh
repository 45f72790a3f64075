#!/usr/bin/env bash
# The official clients, the page in a browser and the Postman collection against a real server, on
# both stores, and the clients once more through nginx. Fetches what it needs; Node 20 and, unless
# WAGGLE_BIN names a server, Rust are there.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")"

install_browser_and_proxies() {
    local missing=()
    [ -x "${CHROMIUM:-/usr/bin/chromium}" ] || missing+=(chromium)
    [ -x /usr/sbin/nginx ] || missing+=(nginx-light)
    [ -x /usr/sbin/haproxy ] || missing+=(haproxy)
    [ "${#missing[@]}" -gt 0 ] || return 0
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# A mongod of our own, unless there is one to use.
provide_mongodb() {
    [ -n "${WAGGLE_TEST_MONGODB_URI:-}" ] && return
    # shellcheck source=../mongod.sh
    source ../mongod.sh
    local port
    port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })')
    start_mongod "$work/mongod" "$port"
    export WAGGLE_TEST_MONGODB_URI="mongodb://127.0.0.1:$port/?replicaSet=rs0"
}

work=$(mktemp -d)
clean_up() {
    if declare -F stop_mongod >/dev/null; then stop_mongod "$work/mongod"; fi
    rm -rf "$work"
}
trap clean_up EXIT

[ -n "${WAGGLE_BIN:-}" ] || cargo build --quiet --bin waggle
npm ci --loglevel=error
install_browser_and_proxies
provide_mongodb

# In three lanes: the files that drive a browser, which keeps a core busy, one after the other; and beside them those
# that do not, which mostly wait, and what runs through proxies: servers that are replaced, and what clients do once more,
# on the embedded store, with every server behind an nginx that ends TLS. A thousand drivers in a browser keep both
# cores busy, and come alone at the end.
run() {
    node --test --test-reporter=spec --test-concurrency=1 "$@"
}
run_through_proxies() {
    local outcome=0
    run rolling.test.js || outcome=1
    node --input-type=module -e '
        import { writeFileSync } from "node:fs";
        import { newCertificate } from "./tls.js";
        for (const [part, pem] of Object.entries(await newCertificate())) writeFileSync(`${process.argv[1]}/${part}.pem`, pem);
    ' "$work" || outcome=1
    unset WAGGLE_TEST_MONGODB_URI
    WAGGLE_TEST_NGINX=$work NODE_EXTRA_CA_CERTS=$work/cert.pem run clients.test.js driver-app.test.js seed-*.test.js || outcome=1
    return "$outcome"
}
outcome=0
mapfile -t pages < <(grep -l "from './browser.js'" ./*.test.js | grep -v fleet-page)
mapfile -t others < <(grep -L "from './browser.js'" ./*.test.js | grep -v rolling)
lanes=()
run "${others[@]}" >"$work/others" 2>&1 &
lanes+=($!)
run_through_proxies >"$work/proxies" 2>&1 &
lanes+=($!)
run "${pages[@]}" || outcome=1
for lane in "${lanes[@]}"; do wait "$lane" || outcome=1; done
cat "$work/others" "$work/proxies"
run fleet-page.test.js || outcome=1
exit "$outcome"
