#!/usr/bin/env bash
# What is promised to a client when everything breaks: the one in examples/resume, which was written from the documents alone, reads a
# room and writes into it while another person posts 200 messages there with curl. It is killed twice, with messages it has not got an
# answer to, and the server is killed once; both start again on what they had. At the end the server's log, what the client
# has applied over all its lives and what it has said must be the same, each thing once and in order.
#
# ANTEROOM_BIN       the server (the debug build in cargo's target folder)
# CARGO_TARGET_DIR   as for cargo
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/common.sh

posts=200
says=120      # more than the 40 commands a person has at once: the rest is refused for a moment, and held
says_unheard=20
body_bytes=4000
missed=70     # of that size: more than the 256 KiB that are resumed over the socket, so there is a gap to fill
time_limit=55

server_binary=${ANTEROOM_BIN:-$(target_dir)/debug/anteroom}
work=$(mktemp -d)
server='' client='' poster='' lives=0

finish() {
    local status=$? process
    trap - EXIT
    for process in $client $poster $server; do
        kill -KILL "$process" 2>/dev/null || true
        wait "$process" 2>/dev/null || true
    done
    if [[ $status -ne 0 ]]; then
        say "the client's last words:"
        tail -qn 5 "$work"/client.*.out "$work"/client.*.err 2>/dev/null | cut -c -300 || true
        say "the server's last words:"
        tail -n 20 "$work/server.log" 2>/dev/null || true
    fi
    rm -rf "$work"
    if [[ $status -eq 0 ]]; then say "1 passed, 0 failed"; else say "0 passed, 1 failed"; fi
    exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM

need_java
need_python
need_curl
demand
[[ -x $server_binary ]] || fail "there is no server at $server_binary: build it, or name another in ANTEROOM_BIN"

mkdir "$work/data" "$work/classes"
javac -J-XX:TieredStopAtLevel=1 -proc:none -d "$work/classes" examples/resume/*.java
SECONDS=0

# wait_for WHAT COMMAND...: until it is true, or the time of the whole test is over.
wait_for() {
    local what=$1
    shift
    until "$@"; do
        if ((SECONDS >= time_limit)); then fail "not within $time_limit s: $what"; fi
        sleep 0.05
    done
}

# ---- The server, and what a marketplace tells it

listening() {
    kill -0 "$server" 2>/dev/null || fail "the server ended before it listened"
    url=$(sed -n 's/^listening on \(http:[^ ]*\).*/\1/p' "$work/server.out")
    [[ -n $url ]]
}

# kept_port: prints a port where nobody listens, below those that systems give to whoever asks for any: the server comes back to it.
kept_port() {
    local port
    while port=$((20000 + RANDOM % 12000)); (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
    echo "$port"
}

# start_server ADDRESS
start_server() {
    : >"$work/server.out"
    "$server_binary" serve --no-demo --listen "$1" --metrics-listen 127.0.0.1:0 --data-dir "$work/data" \
        >"$work/server.out" 2>>"$work/server.log" </dev/null 3>&- &
    server=$!
    wait_for "the server listens" listening
}

# kill_now PROCESS: as a loss of power to that one process; it is given no time for anything.
kill_now() {
    kill -KILL "$1"
    wait "$1" 2>/dev/null || true
}

token() { "$server_binary" token --data-dir "$work/data" "$@"; }
new_id() { cat /proc/sys/kernel/random/uuid; }

# ask TOKEN METHOD PATH [BODY]: prints the answer.
ask() {
    curl --silent --show-error --fail-with-body --max-time 10 --request "$2" --header "Authorization: Bearer $1" \
        --header "Idempotency-Key: $(new_id)" --header 'Content-Type: application/json' ${4:+--data "$4"} "$url$3"
}

# member NAME: of the object on standard input, where it has one value that is no object.
member() { sed -n 's/.*"'"$1"'":"\{0,1\}\([^",}]*\).*/\1/p'; }

start_server "127.0.0.1:$(kept_port)"
marketplace=$(token --sub marketplace --scope service)
ana=$(token --sub ana)
token --sub ben >"$work/ben.token"
{
    ask "$marketplace" PUT /v1/users/ana '{"name": "Ana"}'
    ask "$marketplace" PUT /v1/users/ben '{"name": "Ben"}'
    ask "$marketplace" PUT /v1/jobs/pages '{"client": "ana", "title": "Six pages"}'
} >"$work/told"
invitation=$(ask "$ana" POST /v1/invitations '{"job": "pages", "freelancer": "ben", "message": "Shall we talk?"}' | member invitation)
room=$(ask "$(<"$work/ben.token")" POST "/v1/invitations/$invitation/accept" '{"message": "Yes."}' | member room)
say "room $room"

# ---- The client

state=$work/ben.state
: >"$state"
mkfifo "$work/ben.in"
exec 3<>"$work/ben.in" # held open, so that the client's input does not end

start_client() {
    lives=$((lives + 1))
    : >"$work/client.$lives.out"
    ANTEROOM_URL=$url ANTEROOM_TOKEN_FILE=$work/ben.token java -XX:TieredStopAtLevel=1 -cp "$work/classes" Client "$state" "$room" \
        <"$work/ben.in" >"$work/client.$lives.out" 2>"$work/client.$lives.err" 3>&- &
    client=$!
}

kept() { grep -c "\"what\":\"$1\"" "$state" || true; }
unanswered() { echo $(($(kept queued) - $(kept acked) - $(kept refused))); }
at_least() { (($("${@:2}") >= $1)); }
said() { grep -q "\"what\":\"$1\"" "$work/client.$lives.out"; }
posted() { grep -c '^200$' "$work/posted" || true; }

# utter FROM TO: the person types these, each fiftieth of them so that it fits into no frame. Killed before it reads them the client would not know of them: so until it does.
utter() {
    local n quotes
    printf -v quotes '%8000s' ''
    for ((n = $1; n <= $2; n++)); do
        if ((n % 50)); then say "say ben $n"; else say "say ben $n ${quotes// /\"}"; fi
    done >&3
    wait_for "$2 messages in the outbox" at_least "$2" kept queued
}

# ---- The other one: curl, with the same rules. A message has one key for ever, and is posted until there is an answer.

python3 - "$url/v1/rooms/$room/messages" "$posts" "$body_bytes" >"$work/posts" <<'PYTHON'
import json, sys, uuid
url, posts, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
for n in range(1, posts + 1):
    filler = "." if n % 10 else "\u00e4\u20ac\U0001f642\"\\\n\t/"
    body = f"ana {n} " + filler * (size // len(filler.encode()))
    options = {"url": url, "data": json.dumps({"body": body}), "header": f"Idempotency-Key: {uuid.uuid4()}", "write-out": "%{stderr}%{http_code}\\n",
               "max-time": 5, "retry": 60, "retry-delay": 1, "retry-max-time": 50}
    if n > 1:
        print("next")
    print("silent\nshow-error\nretry-all-errors\nretry-connrefused")
    print('header = "Authorization: Bearer @TOKEN@"')
    for name, value in options.items():
        value = str(value) if name == "write-out" else str(value).replace("\\", "\\\\").replace('"', '\\"')
        print(f'{name} = "{value}"')
PYTHON
sed -i "s|@TOKEN@|$ana|" "$work/posts"
: >"$work/posted"

start_client
wait_for "the client is welcome" said welcome
# The codes come over standard error, because curl holds back what it writes into a file.
curl --config "$work/posts" >"$work/answers" 2>"$work/posted" 3>&- &
poster=$!

# First: the client dies in the middle of sending, and comes back when too much was missed to be sent again.
utter 1 "$says"
wait_for "some of them are answered" at_least 5 kept acked
kill_now "$client"
client=
say "killed the client after $(kept applied) entries, with $(unanswered) of its messages unanswered"
wait_for "$missed posts are missed" at_least $(($(posted) + missed)) posted
start_client
wait_for "a gap is named" said gap
wait_for "a page of it has come" said page

# Second: the server dies while both write. The client is told more, dies too, and comes back before the server does.
kill_now "$server"
server=
say "killed the server after $(posted) of $posts posts, when the client had $(unanswered) messages unanswered"
utter $((says + 1)) $((says + says_unheard))
kill_now "$client"
say "killed the client after $(kept applied) entries, with $(unanswered) of its messages unanswered"
((($(unanswered)) >= says_unheard)) || fail "it had an answer from a server that was dead"
start_client
wait_for "the client has tried to come back" said ended
start_server "${url#http://}"

# Everything comes to its end.
wait "$poster" || fail "curl ended with $?: $(sort "$work/posted" | uniq -c)"
poster=
wait_for "the client has sent everything" at_least $((says + says_unheard)) kept acked
head=$(ask "$ana" GET "/v1/rooms/$room" | member head)
verified() { grep -q "\"room\":\"$room\",\"seq\":$head,\"what\":\"verified\"" "$state"; }
wait_for "the client has applied and verified everything" verified
say "quit" >&3
wait "$client" || fail "the client ended with $?"
client=

ben=$(<"$work/ben.token")
for log in "$room" inbox; do
    page='' after=0
    until [[ $page == *'"has_more":false'* ]]; do
        page=$(ask "$ben" GET "/v1/rooms/$log/entries?after=$after&limit=200")
        printf '%s\n' "$page" >>"$work/log.$log"
        after=$(python3 -c 'import json, sys; print(json.load(sys.stdin)["items"][-1]["seq"])' <<<"$page")
    done
done

python3 - "$work" "$room" "$posts" $((says + says_unheard)) "$lives" <<'PYTHON'
import json, sys
work, room, posts, says, lives = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
lines = lambda name: [json.loads(line) for line in open(f"{work}/{name}", encoding="utf-8")]
state = lines("ben.state")
assert not [line for line in state if line["what"] in ("reset", "refused")], "something was dropped or refused"

for name in (room, "inbox"):
    log = [entry for page in lines(f"log.{name}") for entry in page["items"]]
    applied = [line["entry"] for line in state if line["what"] == "applied" and line["entry"]["room"] == name]
    assert [entry["seq"] for entry in log] == list(range(1, len(log) + 1)), f"{name}: the log has a hole"
    assert [entry["seq"] for entry in applied] == list(range(1, len(log) + 1)), f"{name}: {[entry['seq'] for entry in applied]}"
    assert applied == log, f"{name}: {[pair for pair in zip(applied, log) if pair[0] != pair[1]][:1]}"
    verified = [line["seq"] for line in state if line["what"] == "verified" and line["room"] == name][-1]
    assert verified == len(log), f"{name}: the chain was computed up to {verified} of {len(log)}"
    if name == room:
        talk = log

# Each life says only what is new, without a hole; what is said is kept. A kill may come between the keeping and the saying.
outs = [lines(f"client.{life}.out") for life in range(1, lives + 1)]
told = [line["entry"]["seq"] for out in outs for line in out if line["what"] == "applied" and line["entry"]["room"] == room]
assert told == sorted(set(told)) and len(told) >= len(talk) - (lives - 1), f"{told}"

queued = [line for line in state if line["what"] == "queued"]
acked = [line for line in state if line["what"] == "acked"]
own = [entry for entry in talk if entry.get("client_id") in {line["client_id"] for line in queued}]
assert [line["body"] for line in queued] == [f"ben {n}" if n % 50 else f"ben {n} " + '"' * 8000 for n in range(1, says + 1)], "the outbox"
assert [(entry["client_id"], entry["data"]["body"]) for entry in own] == [(line["client_id"], line["body"]) for line in queued], "in the log"
assert len(own) == len([entry for entry in talk if entry["kind"] == "message.posted" and entry["by"] == "ben"]) - 1, "more than was said"
place = {entry["client_id"]: (entry["seq"], entry["hash"]) for entry in own}
assert len(acked) == says and {line["client_id"]: (line["seq"], line["hash"]) for line in acked} == place, "what was answered"
others = [entry["data"]["body"].split()[:2] for entry in talk if entry["kind"] == "message.posted" and entry["by"] == "ana"]
assert others == [["ana", str(n)] for n in range(1, posts + 1)], f"{others}"

count = lambda what, **having: sum(line["what"] == what and having.items() <= line.items() for out in outs for line in out)
print(f"{len(talk)} entries, each applied once in {lives} lives, each hash computed; {says} messages of its own once each and in order")
print(f"on the way: {count('gap')} gaps over {count('page')} pages, {count('again', code='rate_limited')} posts refused for their rate and "
      f"{count('again', code='held')} held behind them, {count('acked', duplicate=True)} answered as repeats, {count('ended')} connections ended")
PYTHON
