#!/usr/bin/env bash
# What a marketplace does with Anteroom, from "this client likes that freelancer" to a room where the two talk.
# Read it from top to bottom: every step is one HTTP request.
#
# Needs a running server, curl, and Python 3, whose standard library reads the answers: sed misreads the first string
# that has a quote in it, and client.py wants Python anyway.
#
#   ANTEROOM_URL        where the server listens (http://127.0.0.1:8080)
#   ANTEROOM            the command that mints tokens (cargo run --quiet --)
#   ANTEROOM_DATA_DIR   the server's data folder, if it is not the default one: its secret signs the tokens
set -euo pipefail

url=${ANTEROOM_URL:-http://127.0.0.1:8080}
read -r -a anteroom <<<"${ANTEROOM:-cargo run --quiet --}"

# token NAME SCOPE: a JWT. In production your own identity provider signs these; the server only checks them.
token() {
    "${anteroom[@]}" token ${ANTEROOM_DATA_DIR:+--data-dir "$ANTEROOM_DATA_DIR"} --sub "$1" --scope "$2"
}

# call METHOD PATH TOKEN [BODY [KEY]]: prints the answer. A refusal is a problem document: it is shown, and ends this.
call() {
    local request=(--request "$1" --header "Authorization: Bearer $3") answer
    if [[ -n ${4:-} ]]; then request+=(--header "Content-Type: application/json" --data "$4"); fi
    if [[ -n ${5:-} ]]; then request+=(--header "Idempotency-Key: $5"); fi
    if ! answer=$(curl --silent --show-error --fail-with-body --max-time 10 "${request[@]}" "$url$2"); then
        printf '%s %s did not work: %s\n' "$1" "$2" "$answer" >&2
        return 1
    fi
    printf '%s\n' "$answer"
}

# field NAME: that field of the JSON object on standard input.
field() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

# key: a fresh UUID. Whoever wants something makes one key for it, once, and sends the same one with every retry:
# however often the request arrives, it is carried out once.
key() { python3 -c 'import uuid; print(uuid.uuid4())'; }

# ---- 1. Tell the server who and what there is. A service token does this, and so does a repetition: PUT says how
#         things are, not what to do. The ids are yours.

service=$(token marketplace service)
job=logo-$(key)

call PUT /v1/users/clara "$service" '{"name": "Clara Client"}' >/dev/null
call PUT /v1/users/fred "$service" '{"name": "Fred Freelancer"}' >/dev/null
call PUT "/v1/jobs/$job" "$service" '{"client": "clara", "title": "A logo for a bakery", "category": "design"}' >/dev/null
echo "job $job: clara looks for a logo"

# ---- 2. Clara presses "Invite" on your page, and you send the invitation on her behalf.

invite_key=$(key)
invite='{
    "job": "'$job'",
    "freelancer": "fred",
    "message": "Your bread drawings are wonderful. Would you draw our logo?",
    "terms": {"kind": "fixed", "amount": 90000, "currency": "EUR", "scope": "One logo, three drafts"}
}'
invitation=$(call POST /v1/invitations "$service" "$invite" "$invite_key" | field invitation)
echo "invitation $invitation: clara asks fred"

# Suppose the answer was lost on its way, so you ask again under the same key: same answer, nothing written.
again=$(call POST /v1/invitations "$service" "$invite" "$invite_key")
[[ $(field duplicate <<<"$again") == True && $(field invitation <<<"$again") == "$invitation" ]] ||
    { echo "a repeated invitation was not recognised: $again" >&2; exit 1; }

# ---- 3. Fred accepts, with his own token and his first words to her. That makes the room.

fred=$(token fred user)
accepted=$(call POST "/v1/invitations/$invitation/accept" "$fred" '{"message": "Gladly! When do you open?"}' "$(key)")
room=$(field room <<<"$accepted")
echo "accepted: the candidacy is $(field phase <<<"$accepted")"

# ---- 4. The room tells from its first entry how it came to be. Clara reads the same as fred.

clara=$(token clara user)
echo
call GET "/v1/rooms/$room/entries?after=0&limit=200" "$clara" | python3 -c '
import json, sys
for entry in json.load(sys.stdin)["items"]:
    print("{seq:>4}  {kind:<20} {0:<6} {1}".format(entry.get("by", "-"), json.dumps(entry["data"]), **entry))
'

# ---- 5. Now let the two talk.

here=$(dirname "${BASH_SOURCE[0]}")
mint="${anteroom[*]} token${ANTEROOM_DATA_DIR:+ --data-dir $ANTEROOM_DATA_DIR}"
cat <<TALK

room $room

In one terminal, the client (Python, websockets):
  ANTEROOM_URL=$url ANTEROOM_TOKEN="\$($mint --sub clara --scope user)" python3 $here/client.py $room
In another, the freelancer (Node, ws):
  ANTEROOM_URL=$url ANTEROOM_TOKEN="\$($mint --sub fred --scope user)" node $here/freelancer.mjs $room
TALK
