#!/usr/bin/env bash
# The OpenAPI document against a real server on the embedded store: schemathesis sends each route what the document
# allows and what it does not, as a user, a driver and an admin, and holds the answers against the document. The
# requests are the same every time. WAGGLE_BIN names the server. Needs Python 3.11 with venv, and pip's registry once.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

readonly BIN=${WAGGLE_BIN:-../../target/debug/waggle}
readonly TOOLS=${WAGGLE_TOOLS:-../../target/tools}
readonly PASSWORD=password123
dir=$(mktemp -d)
server=

clean_up() {
    [ -z "$server" ] || { kill "$server" && wait "$server" || true; }
    rm -rf "$dir"
}
trap clean_up EXIT

install() {
    [ -x "$TOOLS/schemathesis/bin/schemathesis" ] && cmp -s requirements.txt "$TOOLS/schemathesis/installed" && return
    python3 -m venv --clear "$TOOLS/schemathesis"
    "$TOOLS/schemathesis/bin/pip" install --quiet --no-deps --requirement requirements.txt
    cp requirements.txt "$TOOLS/schemathesis/installed"
}

start() {
    RATE_LIMITS=off BCRYPT_COST=4 LOG_LEVEL=warn HOST=127.0.0.1 PORT=$1 DATA_DIR=$dir/data APP_ENV=test \
        ADMIN_EMAIL=root@example.com ADMIN_PASSWORD=$PASSWORD "$BIN" >"$dir/log" 2>&1 &
    server=$!
    curl --silent --fail --retry 50 --retry-delay 1 --retry-connrefused --output "$dir/ready" "$url/health/ready"
}

# The token in the answer to a POST of JSON.
token() {
    curl --silent --fail --header 'content-type: application/json' --data "$2" "$url/api/auth/$1" |
        python3 -c 'import json, sys; print(json.load(sys.stdin)["data"]["token"])'
}

# check TOKEN OPTION…: some of the document's routes, with a token.
check() {
    WAGGLE_TOKEN=$1 timeout 400 "$TOOLS/schemathesis/bin/schemathesis" --config-file "$config" \
        run "$url/docs/openapi.json" "${@:2}"
}

install
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
url=http://127.0.0.1:$port
config=schemathesis.toml
start "$port"
user=$(token register '{"username":"alice","email":"alice@example.com","password":"'$PASSWORD'"}')
driver=$(token register '{"username":"dan","email":"dan@example.com","password":"'$PASSWORD'","role":"driver"}')
admin=$(token login '{"email":"root@example.com","password":"'$PASSWORD'"}')

outcome=0
check "$user" || outcome=1
check "$driver" --include-tag 'driver app' --include-tag drivers --include-tag 'driver location' || outcome=1
check "$admin" --include-tag 'back office' || outcome=1
# Alone, and without the line that leaves it out; its first good request ends the session of its token.
config=$dir/schemathesis.toml
sed '/^# Ends the session/,$d' schemathesis.toml >"$config"
check "$(token login '{"username":"alice","password":"'$PASSWORD'"}')" --include-path /api/auth/logout || outcome=1
kill -0 "$server" || { outcome=1 && cat "$dir/log"; }
! grep -E 'panicked|internal error' "$dir/log" || outcome=1
exit "$outcome"
