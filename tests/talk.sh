#!/usr/bin/env bash
# The wire, seen by others: starts a server on an empty data folder, opens a room with curl as a marketplace would, and
# lets two clients talk in it that share no line with this project but the protocol: Python's websockets, Node's ws.
#
# ANTEROOM_BIN       the server (the debug build in cargo's target folder)
# CARGO_TARGET_DIR   as for cargo; the client libraries are installed in there too, in talk/
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/common.sh

messages=5
libraries=$(target_dir)/talk
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
    if [[ $status -eq 0 ]]; then say "1 passed, 0 failed"; else say "0 passed, 1 failed"; fi
    exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM

need_python
need_node
need_curl
demand
[[ -x $server_binary ]] || fail "there is no server at $server_binary: build it, or name another in ANTEROOM_BIN"

# Both libraries in folders of their own, and freelancer.mjs beside its library, where Node looks for it.
mkdir -p "$libraries/node"
cp examples/talk/{package.json,package-lock.json,freelancer.mjs} "$libraries/node/"
npm_ci "$libraries/node"
pip_venv "$libraries/python" examples/talk/requirements.txt

"$server_binary" serve --no-demo --listen 127.0.0.1:0 --data-dir "$work/data" \
    >"$work/server.out" 2>"$work/server.log" </dev/null &
server=$!

url=$(where_it_listens "$server" "$work/server.out")

export ANTEROOM_URL=$url ANTEROOM=$server_binary ANTEROOM_DATA_DIR=$work/data
examples/talk/talk.sh | tee "$work/talk.out"
room=$(sed -n 's/^room //p' "$work/talk.out")
[[ -n $room ]] || fail "talk.sh named no room"

token() { "$server_binary" token --data-dir "$work/data" --sub "$1" --scope user; }
clara=$(token clara)
fred=$(token fred)

say ""
ANTEROOM_TOKEN=$fred node "$libraries/node/freelancer.mjs" "$room" "$messages" >"$work/freelancer.out" 2>&1 &
freelancer=$!
ANTEROOM_TOKEN=$clara "$libraries/python/bin/python" examples/talk/client.py "$room" "$messages" \
    >"$work/client.out" 2>&1 &
client=$!

client_status=0 freelancer_status=0
wait "$client" || client_status=$?
wait "$freelancer" || freelancer_status=$?
cat "$work/client.out"
tail -n 1 "$work/freelancer.out"
[[ $client_status -eq 0 && $freelancer_status -eq 0 ]] ||
    fail "client.py ended with $client_status, freelancer.mjs with $freelancer_status"

# What the log says afterwards: 1, 2, 3 … without a hole, and every message, in turns.
curl --silent --show-error --fail-with-body --max-time 10 --header "Authorization: Bearer $clara" \
    "$url/v1/rooms/$room/entries?after=0&limit=200" | python3 -c '
import json, sys
messages, page = int(sys.argv[1]), json.load(sys.stdin)
seqs = [entry["seq"] for entry in page["items"]]
assert seqs == list(range(1, page["head"] + 1)) and not page["has_more"], f"numbers {seqs}, head {page}"
talk = [entry for entry in page["items"] if entry["kind"] == "message.posted"][1:]
speakers = [entry["by"] for entry in talk]
assert speakers == ["clara", "fred"] * messages, f"speakers {speakers}"
numbers = [int(entry["data"]["body"].split()[0]) for entry in talk]
assert numbers == [n for n in range(1, messages + 1) for _ in "ab"], f"messages {numbers}"
print(f"the log has entries 1 to {seqs[-1]}, all {len(talk)} messages among them, in order")
' "$messages"
