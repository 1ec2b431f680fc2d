#!/usr/bin/env bash
# The same tests with more patience: properties on many more cases, and a server that is killed again and again in the
# middle of its work. For the night, and for a change to the commit path.
#
# PROPTEST_CASES          cases of each property (5000)
# ANTEROOM_CRASH_ROUNDS   how often the server is killed (60)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/common.sh

crash_loop=nothing_acknowledged_is_lost
export PROPTEST_CASES=${PROPTEST_CASES:-5000}
rounds=${ANTEROOM_CRASH_ROUNDS:-60}

properties() {
    if cargo nextest --version >/dev/null 2>&1; then
        cargo nextest run --workspace -E "not test($crash_loop)"
    else
        cargo test --workspace --tests -- --skip "$crash_loop"
    fi
}

crashes() {
    # A filter that fits no test passes in silence: look first.
    cargo test --quiet -p anteroom --test it -- --list | grep "$crash_loop" || fail "no test is named $crash_loop"
    ANTEROOM_CRASH_ROUNDS=$rounds cargo test -p anteroom --test it -- --nocapture "$crash_loop"
}

need_rust
demand

step "properties, $PROPTEST_CASES cases each" properties
step "nothing acknowledged is lost, $rounds crashes" crashes
