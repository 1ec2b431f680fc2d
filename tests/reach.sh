#!/usr/bin/env bash
# What leaves the server by itself, read by libraries of other authors: starts a server on an empty data folder and lets examples/reach play the
# marketplace, its receiver, and a browser's push service.
#
# ANTEROOM_BIN       the server (the debug build in cargo's target folder)
# CARGO_TARGET_DIR   as for cargo; the libraries are installed in there too, in reach/
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/common.sh

libraries=$(target_dir)/reach
server_binary=${ANTEROOM_BIN:-$(target_dir)/debug/anteroom}
work=$(mktemp -d)
server=

finish() {
    local status=$?
    trap - EXIT
    if [[ $status -ne 0 && -s $work/server.log ]]; then
        say "the server's last words:"
        tail -n 40 "$work/server.log"
    fi
    if [[ -n $server ]]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    rm -rf "$work"
    exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM

need_python
demand
[[ -x $server_binary ]] || fail "there is no server at $server_binary: build it, or name another in ANTEROOM_BIN"
mkdir -p "$libraries"
pip_venv "$libraries/python" examples/reach/requirements.txt

"$server_binary" serve --no-demo --listen 127.0.0.1:0 --data-dir "$work/data" \
    >"$work/server.out" 2>"$work/server.log" </dev/null &
server=$!

url=$(where_it_listens "$server" "$work/server.out")

ANTEROOM_URL=$url ANTEROOM=$server_binary ANTEROOM_DATA_DIR=$work/data ANTEROOM_METRICS_LISTEN=127.0.0.1:0 \
    "$libraries/python/bin/python" examples/reach/reach.py
