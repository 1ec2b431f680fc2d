#!/usr/bin/env bash
# The same tests with more patience: properties on many more cases, a server that is killed again and again in the
# middle of its work, thousands of ways in which commits, joins and reads fall together, thousands of duels between two
# who act at the same moment, a reader of a kilobyte a second for five minutes, every bit of a transcript, and a
# backlog of a size that shows in the server's memory; and all tests of the server on two nodes. For the night, and for a change to the
# commit path.
#
# PROPTEST_CASES              cases of each property (5000); a tenth of them where each is kept in a database
# ANTEROOM_CRASH_ROUNDS       how often the server is killed (200)
# ANTEROOM_GONE_ROUNDS        clients that are gone at the moment of the commit (10000)
# ANTEROOM_RACE_ROUNDS        interleavings of commits, joins and reads (10000)
# ANTEROOM_DUEL_ROUNDS        how often two act at the same moment, in each way there is (2000)
# ANTEROOM_SLOW_SECONDS       how long somebody reads a kilobyte a second (300)
# ANTEROOM_FAULT_SECONDS      how long PostgreSQL and Redis are away (some seconds, in each test its own)
# ANTEROOM_ENDS, _JOINS       rooms closed, people removed (100 each) and readers coming in (2000) while another node writes
# ANTEROOM_PENDING_EVENTS     events that wait for a webhook (100000)
# ANTEROOM_BACKLOG_ENTRIES    entries that somebody has missed in 64 rooms (100000)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/common.sh

crash_loop=nothing_acknowledged_is_lost
gone_test=clients_that_drop_at_the_moment_of_the_commit
race=however_commits_joins_and_reads_fall_together
duel=duel::
slow=a_reader_of_a_kilobyte_a_second
backlog=a_great_backlog_in_64_rooms
pending=many_pending_events_drain_in_order
every_bit=a_change_of_a_bit_of_a_transcript_of_a_thousand_entries_is_found
export PROPTEST_CASES=${PROPTEST_CASES:-5000}
crashes=${ANTEROOM_CRASH_ROUNDS:-200}
gone=${ANTEROOM_GONE_ROUNDS:-10000}
races=${ANTEROOM_RACE_ROUNDS:-10000}
duels=${ANTEROOM_DUEL_ROUNDS:-2000}
slow_seconds=${ANTEROOM_SLOW_SECONDS:-300}
entries=${ANTEROOM_BACKLOG_ENTRIES:-100000}
export ANTEROOM_PENDING_EVENTS=${ANTEROOM_PENDING_EVENTS:-100000}

properties() {
    if cargo nextest --version >/dev/null 2>&1; then
        with_servers cargo nextest run --workspace -E "not test(/$crash_loop|$gone_test|$race|$duel|$slow|$backlog|$pending/)"
    else
        with_servers cargo test --workspace --tests -- --skip "$crash_loop" --skip "$gone_test" --skip "$race" --skip "$duel" \
            --skip "$slow" --skip "$backlog" --skip "$pending"
    fi
}

# patient TEST: one test of the server by itself, with its variables as they are set.
patient() {
    # A filter that fits no test passes in silence: look first.
    cargo test --quiet -p anteroom --test it -- --list | grep "$1" || fail "no test is named $1"
    cargo test -p anteroom --test it -- --nocapture "$1"
}

every_bit() {
    ANTEROOM_EVERY_BIT=1 cargo test -p anteroom-protocol --test transcript -- --nocapture "$every_bit"
}

faults() { cargo test -p anteroom --test it -- --ignored --nocapture --test-threads 1 fault::; }

# Every test of the server once more, on two nodes, with as many cases as in `make test`. Some of them begin servers of their own, and some
# say that they are about one.
two_nodes() (
    unset PROPTEST_CASES
    if cargo nextest --version >/dev/null 2>&1; then
        fleet two cargo nextest run -p anteroom --test it
    else
        fleet two cargo test -p anteroom --test it
    fi
)

need_rust
need_python
need_postgres
need_redis
demand

step "properties, $PROPTEST_CASES cases each, a tenth of them on a database" properties
ANTEROOM_CRASH_ROUNDS=$crashes step "nothing acknowledged is lost, $crashes crashes" patient "$crash_loop"
ANTEROOM_GONE_ROUNDS=$gone step "nothing is left of $gone clients that are gone" patient "$gone_test"
ANTEROOM_RACE_ROUNDS=$races step "nothing is lost or doubled, $races interleavings" patient "$race"
ANTEROOM_DUEL_ROUNDS=$duels step "two at the same moment are one outcome, $duels rounds of each duel" patient "$duel"
ANTEROOM_SLOW_SECONDS=$slow_seconds step "a reader of a kilobyte a second is waited for, $slow_seconds s" patient "$slow"
step "every test of the server on two nodes" two_nodes
step "the talk on two nodes that do not hear each other" deaf_tests
step "every bit of a transcript of a thousand entries, turned" every_bit
ANTEROOM_BACKLOG_ENTRIES=$entries step "a backlog of $entries entries" patient "$backlog"
step "$ANTEROOM_PENDING_EVENTS events that wait for a webhook" patient "$pending"
step "nodes, PostgreSQL and Redis killed, stopped and cut off" faults
